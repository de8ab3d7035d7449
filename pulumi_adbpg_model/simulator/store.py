"""The state file: JSON, replaced as a whole at each mutation.

Decision: write aside, then rename, so that a kill at any moment leaves the old or the new file.
Mode 600 from the first byte, because the file holds API keys.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from .state import State


class Store:
    """Loads and saves the state at one path."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = Path(path)

    def load(self) -> State:
        """Return the saved state, or an empty one when there is no file yet."""
        try:
            text = self._path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return State()
        try:
            return State.from_json(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            msg = f"{self._path} is not a simulator state file: {error!r}"
            raise ValueError(msg) from error

    def save(self, state: State) -> None:
        """Replace the file."""
        text = json.dumps(state.to_json(), indent=1)
        # mkstemp creates with mode 600, and the rename keeps it.
        handle, name = tempfile.mkstemp(prefix=f".{self._path.name}.", dir=self._path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self._path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
