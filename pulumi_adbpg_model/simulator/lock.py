"""A lock on a file that one holder has at a time, in this process or another.

Decision: the operating system's own lock, on a file beside the one that is meant (which is
replaced as a whole, so that a lock on it would be lost). It goes with the process that holds it,
however that ends; a lock file that a killed process left behind locks nobody out.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _take(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _take(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


_TAKEN = (errno.EACCES, errno.EAGAIN, errno.EDEADLK)


class Lock:
    """The lock at one path. Not for several threads at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._handle: int | None = None

    @property
    def held(self) -> bool:
        """Whether this object holds it."""
        return self._handle is not None

    def acquire(self) -> bool:
        """Take it, without waiting; False if somebody has it."""
        while self._handle is None:
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                _take(handle)
            except OSError as error:
                if error.errno in _TAKEN:
                    os.close(handle)
                    return False
                # The file system knows no locks, which is no reason not to work.
            if self._is_at_path(handle):
                self._handle = handle
            else:
                os.close(handle)  # removed by its last holder meanwhile
        return True

    def release(self) -> None:
        """Let go, and remove the file; harmless when not held."""
        if self._handle is None:
            return
        handle, self._handle = self._handle, None
        # First removed, so that who waits for this very file finds that it is not the lock's any
        # more. Windows removes no file that is open.
        if sys.platform != "win32":
            self._path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_UN)  # a forked child has the handle, too
        os.close(handle)
        if sys.platform == "win32":
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)

    def _is_at_path(self, handle: int) -> bool:
        try:
            return os.path.samestat(os.fstat(handle), self._path.stat())
        except FileNotFoundError:
            return False
