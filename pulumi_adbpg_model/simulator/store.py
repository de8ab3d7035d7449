"""The state file: JSON, replaced as a whole at each mutation.

Decision: write aside, then rename, so that a kill at any moment leaves the old or the new file.
Mode 600 from the first byte, because the file holds API keys. One simulator has the file at a
time: two would each write over what the other has made.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .lock import Lock
from .state import State


class Store:
    """Loads and saves the state at one path."""

    def __init__(self, path: Path) -> None:
        self._name = path
        # Through links: they lead to one file, and a link would be replaced, not what it leads to.
        self._path = path.resolve()
        self._lock = Lock(self._path.with_name(f"{self._path.name}.lock"))
        self._known: tuple[int, int, int] | None = None

    @property
    def held(self) -> bool:
        """Whether nobody else can write the file now."""
        return self._lock.held

    def acquire(self) -> None:
        """Keep the file for this simulator; BlockingIOError when another one has it."""
        if not self._lock.acquire():
            msg = f"{self._name} is in use by another simulator: stop it, or name another file"
            raise BlockingIOError(msg)

    def release(self) -> None:
        """Leave the file to others."""
        self._lock.release()

    @contextmanager
    def holding(self) -> Iterator[None]:
        """Keep the file for a moment, or as long as it is kept anyway."""
        if self.held:
            yield
            return
        self.acquire()
        try:
            yield
        finally:
            self.release()

    def changed(self) -> bool:
        """Whether somebody else has written the file since it was loaded or saved here."""
        there = self._signature()
        return there is not None and there != self._known

    def load(self) -> State:
        """Return the saved state, or an empty one when there is no file yet."""
        self._known = self._signature()
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return State()
        try:
            return State.from_json(json.loads(content))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            msg = f"{self._name} is not a simulator state file: name another one"
            raise ValueError(msg) from None

    def save(self, state: State) -> None:
        """Replace the file."""
        text = json.dumps(state.to_json(), indent=1)
        with self.holding():
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
            self._known = self._signature()

    def _signature(self) -> tuple[int, int, int] | None:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size
