"""Reaching for what is not public, without ever failing over it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any, TypeVar

_HOST_MODULE = "pulumi.dynamic.__main__"

_T = TypeVar("_T")


def try_or_none(call: Callable[[], _T]) -> _T | None:
    """What a call returns; None when it fails in whatever way."""
    try:
        return call()
    except Exception:  # noqa: BLE001 - private API: any surprise means "not available"
        return None


def host_module() -> Any:
    """The main module, if this process is Pulumi's dynamic provider host."""
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    return main if spec is not None and spec.name == _HOST_MODULE else None
