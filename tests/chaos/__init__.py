"""
What `make chaos` runs: stacks whose commands are killed, whose cloud is faulty or strange.

Each kind of run has a part that is run as a test here or in tests/engine. In reading order:

What is run, and how it is judged:

- `__main__`, `runs`: the command, and which points of which kind it runs.
- `verdict`: what counts as lost, doubled or dropped. `clarity`: what a clear error is.
- `commands`: up, refresh and destroy, whoever carries them out: `world` or `on_engine`.

A stack without the engine, in virtual time:

- `hosting`: the SDK's own provider host in this process, on a clock that only sleeping moves.
- `stage`: that host and a simulated cloud on one clock.
- `world`: a stack of one service on that stage; it calls the host as the engine does.
- `stacks`, `turns`: two stacks of several services; their steps go on at once.
- `injection`: a fault, or the death of the host, at one call of the cloud.

The kinds:

- `clouds`: one whole life of a service in each dialect of the simulated cloud.
- `operations`, `faults`: the fault matrix: every fault at every action of every operation.
- `kills`, `sigkill`: the kill matrix: SIGKILL on the real engine (tests/engine/test_kills.py).
- `machine`, `life`: a Hypothesis state machine of commands, faults and kills of one service, and
  what must hold after each command.
- `moves`, `programs`, `owning`, `advice`, `obeying`: another one (in test_machine.py, too) of what
  people do to the programs of two stacks, what must hold then, and what comes of doing what the
  errors say.
"""
