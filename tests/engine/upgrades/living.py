"""
A release's settled stack goes on, run by the Python that runs this.

    python -m tests.engine.upgrades.living FOLDER ENVIRONMENT RELEASE CHANGED

FOLDER holds the stack, ENVIRONMENT is what leads to the cloud, as JSON, CHANGED is 1 if the changed
program was deployed last, and 0 if not. Runs that program, with a refresh before, and then the
other one; writes what each did, as a JSON list. Finds the CLI on the PATH.
"""

from __future__ import annotations

import functools
import json
import sys
from pathlib import Path

from tests.engine.support.stack import Stack
from tests.engine.upgrades.record import load


def main(home: str, environment: str, release: str, changed: str) -> None:
    """See above."""
    stack = Stack(Path(home), None, environment=json.loads(environment))
    program = load(release)
    done = []
    for is_changed, refresh in ((changed == "1", True), (changed != "1", False)):
        up = stack.up(functools.partial(program.settled, changed=is_changed), refresh=refresh)
        refreshed = sorted(up.log.rows.get("refresh", ()))
        did = {"changes": up.changes, "refreshed": refreshed, "services": stack.resources()}
        done.append(did)
    sys.stdout.write(json.dumps(done))


if __name__ == "__main__":
    main(*sys.argv[1:])
