"""A call of the engine without gRPC, for what the SDK's host does not hand on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from pulumi.runtime.proto import provider_pb2

URN = "urn:pulumi:dev::shop::pulumi-python:dynamic/adbpg:ModelService::model"

_T = TypeVar("_T")


class Context:
    """As much of gRPC's context as the provider uses; keeps what is told beside an error."""

    def __init__(self) -> None:
        self.trailers: dict[str, bytes] = {}

    def set_trailing_metadata(self, metadata: Iterable[tuple[str, bytes]]) -> None:
        self.trailers = dict(metadata)


def serve(act: Callable[[], _T], request: Any = None, context: Any = None) -> _T:
    """Act below parameters that are named as those of the SDK's servicer."""
    request = provider_pb2.CheckRequest(urn=URN) if request is None else request
    context = Context() if context is None else context
    return act()
