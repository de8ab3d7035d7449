"""
What the tests on the engine are written with. Read first what most of them need:

1. `stack`: one Pulumi stack, its commands, its state, and what the engine itself prints.
2. `programs`: what is declared on it, and what is in the simulated cloud.
3. `running`: commands in the background, to wait for a moment in them and to signal the CLI.

Then, where a test uses it:

4. `owning`: several services by name and node, who owns what, and advice taken at its word.
5. `pages`: the pages of the documentation and their marked blocks.
6. `runbook`: a person who follows docs/operations.md.
7. `terminal`: a shell in which the blocks of a page are typed.
8. `vault`: the key of a stack's secrets, in place of a passphrase.
9. `executor`: each operation from a fresh clone with a fresh environment, as Pulumi Cloud runs it;
   `operate` is the script that it starts there.
"""
