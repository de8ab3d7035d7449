"""
`tests/<room>` tests a room of the package at its boundary; docs/architecture.md has the map.

There are three fake clouds, from the most real one to the fastest:

- The simulator (`pulumi_adbpg_model.testing.Simulator`) answers over HTTP as the documentation says
  that the cloud does, with dialects and faults. Use it wherever requests or answers matter: it is
  behind the tests of gateway, provider, cli, functions, contract and engine.
- `tests.lifecycle.fakes` implements the few methods that the life cycle calls, in this process and
  in virtual time. Use it for the rules of waiting, retrying and proving, and for nothing else.
- `tests.chaos.world` is the simulator and Pulumi's own provider host on one virtual clock: a whole
  stack without the engine. Use it where several commands follow each other.

The real engine, on the simulator and in real time, is in tests/engine: seconds for each test.
"""
