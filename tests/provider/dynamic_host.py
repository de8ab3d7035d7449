"""
The SDK's dynamic provider host in a process of its own, spoken to as the engine speaks to it.

Nothing is replaced: the process is `python -m pulumi.dynamic`, started as its launcher starts it,
and every call goes through its gRPC service with the engine's own encoding of properties.
"""

from __future__ import annotations

import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc, status_pb2

if TYPE_CHECKING:
    from typing_extensions import Self

#: What `serialize_provider` makes of the provider; frozen by test_serialisation.py.
PROVIDER = (
    "gASVOwAAAAAAAACMG3B1bHVtaV9hZGJwZ19tb2RlbC5wcm92aWRlcpSMFE1v"
    "ZGVsU2VydmljZVByb3ZpZGVylJOUKYGULg=="
)
#: The same by Python 3.14, which pickles with another protocol.
NEWER_PROVIDER = f"gAW{PROVIDER[3:]}"
#: How the engine writes a value that is not known yet.
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
_SIGNATURE = "4dabf18193072939515e22adb298388d"
_SECRET = "1b47061264138c4ac30d75fd1eb44270"
#: Polls that come every 0.05 s, so that nothing waits for the schedule's two seconds.
CONFIG = {"adbpg:maxPollInterval": "0.05"}
_PATIENCE_S = 20.0
_URN = "urn:pulumi:dev::shop::pulumi-python:dynamic/adbpg:ModelService::"
#: As the engine takes them: a failure brings the properties of a resource along.
CHANNEL_OPTIONS = (("grpc.absolute_max_metadata_size", 16 << 20),)

Properties = dict[str, Any]


class HostError(Exception):
    """A call that the host refused; its text is what the engine shows."""


class PartialFailureError(HostError):
    """A create or update that failed, with a resource that the engine stores all the same."""

    def __init__(self, text: str, stored: Stored) -> None:
        super().__init__(text)
        self.stored = stored


@dataclass(frozen=True)
class Checked:
    """The answer to Check: the inputs to use, and (property, reason) of each failure."""

    inputs: Properties
    failures: list[tuple[str, str]]


@dataclass(frozen=True)
class Diffed:
    """The answer to Diff."""

    changes: str
    replaces: list[str]
    delete_before_replace: bool


@dataclass(frozen=True)
class Stored:
    """What the engine stores: id and outputs. `inputs` is None when the answer has none."""

    id: str
    outs: Properties
    inputs: Properties | None = None


class Pending:
    """A Create that is under way."""

    def __init__(self, call: Any) -> None:
        self._call = call

    @property
    def done(self) -> bool:
        return bool(self._call.done())

    def result(self) -> Stored:
        """Wait for the answer."""
        try:
            answer = self._call.result(timeout=_PATIENCE_S)
        except grpc.RpcError as error:
            raise _refusal(error) from None
        return Stored(answer.id, _decoded(answer.properties))

    def kept(self) -> Stored:
        """Wait for the failure that leaves a resource."""
        return kept_by(self.result)


def kept_by(call: Callable[[], object]) -> Stored:
    """What the engine stores of a create or update that has to fail."""
    try:
        answer = call()
    except PartialFailureError as error:
        stored = error.stored
    else:
        raise AssertionError(f"it did not fail: {answer}")
    assert stored.outs["status"] != "active"
    return stored


def _refusal(error: Any) -> HostError:
    """What the engine makes of an error: a failure, or a failure with a resource."""
    trailers = dict(error.trailing_metadata() or ())
    packed = trailers.get("grpc-status-details-bin")
    if packed is None:
        return HostError(error.details())
    status = status_pb2.Status.FromString(packed)
    assert (status.code, status.message) == (error.code().value[0], error.details())
    (detail,) = status.details
    failed = provider_pb2.ErrorResourceInitFailed()
    assert detail.Unpack(failed)
    assert list(failed.reasons) == [status.message]
    return PartialFailureError(status.message, Stored(failed.id, _decoded(failed.properties)))


def untimed(text: str) -> str:
    """A text whose seconds depend on how busy the machine is, without their number."""
    return re.sub(r"after \d+ s", "after … s", text)


class HostCalls:
    """The calls of the engine, over one channel to a host."""

    def __init__(self, channel: Any, config: Mapping[str, Any], provider: str) -> None:
        self._provider = provider
        self._stub: Any = provider_pb2_grpc.ResourceProviderStub(channel)
        self._call("Configure", provider_pb2.ConfigureRequest(args=encoded(config)))

    def check(
        self, news: Properties, olds: Properties | None = None, *, urn: str | None = None
    ) -> Checked:
        """Check, as at the start of preview and up."""
        request = provider_pb2.CheckRequest(
            urn=urn or urn_of(news), olds=self._bag(olds or {}), news=self._bag(news)
        )
        answer = self._call("Check", request)
        failures = [(failure.property, failure.reason) for failure in answer.failures]
        return Checked(_decoded(answer.inputs), failures)

    def diff(self, stored: Stored, news: Properties, *, urn: str | None = None) -> Diffed:
        """Diff of the state with new inputs."""
        request = provider_pb2.DiffRequest(
            id=stored.id,
            urn=urn or urn_of(stored.outs),
            olds=self._bag(stored.outs),
            news=self._bag(news),
            old_inputs=self._inputs(stored),
        )
        answer = self._call("Diff", request)
        changes = provider_pb2.DiffResponse.DiffChanges.Name(answer.changes)
        return Diffed(changes, list(answer.replaces), answer.deleteBeforeReplace)

    def create(
        self,
        inputs: Properties,
        provider: str | None = None,
        *,
        urn: str | None = None,
        timeout_s: float = 0.0,
    ) -> Stored:
        """Create, waiting for its end."""
        return self.start_create(inputs, provider, urn=urn, timeout_s=timeout_s).result()

    def start_create(
        self,
        inputs: Properties,
        provider: str | None = None,
        *,
        urn: str | None = None,
        timeout_s: float = 0.0,
    ) -> Pending:
        """Create, going on in the background."""
        request = self._create_request(inputs, provider, urn=urn, timeout_s=timeout_s)
        return Pending(self._stub.Create.future(request))

    def _create_request(
        self, inputs: Properties, provider: str | None, *, urn: str | None, timeout_s: float
    ) -> Any:
        bag = self._bag(inputs, provider)
        return provider_pb2.CreateRequest(
            urn=urn or urn_of(inputs), properties=bag, timeout=timeout_s
        )

    def refresh(self, stored: Stored, *, urn: str | None = None, timeout_s: float = 0.0) -> Stored:
        """Read of what the state holds."""
        request = provider_pb2.ReadRequest(
            id=stored.id,
            urn=urn or urn_of(stored.outs),
            properties=self._bag(stored.outs),
            inputs=self._inputs(stored),
            timeout=timeout_s,
        )
        return self._read(request)

    def refresh_all(self, stored: Sequence[Stored]) -> None:
        """Read of everything at once."""
        bags = [(one.id, self._bag(one.outs)) for one in stored]
        calls = [
            self._stub.Read.future(provider_pb2.ReadRequest(id=id_, properties=bag))
            for id_, bag in bags
        ]
        for call in calls:
            call.result(timeout=_PATIENCE_S)

    def get(self, id_: str, inputs: Properties, *, as_state: bool = True) -> Stored:
        """Read as `.get` asks for it: an id and hardly any inputs, sent as the state too or not."""
        bag = self._bag(inputs)
        state = bag if as_state else None
        return self._read(provider_pb2.ReadRequest(id=id_, properties=state, inputs=bag))

    def update(
        self,
        stored: Stored,
        news: Properties,
        *,
        urn: str | None = None,
        timeout_s: float = 0.0,
    ) -> Stored:
        """Update to new inputs."""
        request = provider_pb2.UpdateRequest(
            id=stored.id,
            urn=urn or urn_of(stored.outs),
            olds=self._bag(stored.outs),
            news=self._bag(news),
            old_inputs=self._inputs(stored),
            timeout=timeout_s,
        )
        return Stored(stored.id, _decoded(self._call("Update", request).properties))

    def delete(self, stored: Stored, *, urn: str | None = None, timeout_s: float = 0.0) -> None:
        """Delete."""
        request = provider_pb2.DeleteRequest(
            id=stored.id,
            urn=urn or urn_of(stored.outs),
            properties=self._bag(stored.outs),
            old_inputs=self._inputs(stored),
            timeout=timeout_s,
        )
        self._call("Delete", request)

    def cancel(self) -> None:
        """Cancel, as the first Ctrl-C causes it."""
        self._call("Cancel", empty_pb2.Empty())

    def _inputs(self, stored: Stored) -> Any:
        return None if stored.inputs is None else self._bag(stored.inputs)

    def _read(self, request: Any) -> Stored:
        answer = self._call("Read", request)
        inputs = _decoded(answer.inputs) if answer.HasField("inputs") else None
        return Stored(answer.id, _decoded(answer.properties), inputs)

    def _call(self, method: str, request: Any) -> Any:
        try:
            return getattr(self._stub, method)(request, timeout=_PATIENCE_S)
        except grpc.RpcError as error:
            raise _refusal(error) from None

    def _bag(self, properties: Properties, provider: str | None = None) -> struct_pb2.Struct:
        return encoded({**properties, "__provider": provider or self._provider})


class DynamicHost(HostCalls):
    """
    A context manager; `environment` is all that the process knows besides PATH.

    `engine` is the address of the engine's own service, which there need not be; `flags` are what
    the CLI puts before it.
    """

    def __init__(
        self,
        environment: Mapping[str, str],
        config: Mapping[str, Any] | None = None,
        *,
        provider: str = PROVIDER,
        folder: Path | None = None,
        engine: str | None = None,
        flags: Sequence[str] = (),
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-u", "-m", "pulumi.dynamic", *flags, *([engine] if engine else [])],
            stdout=subprocess.PIPE,
            text=True,
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
                **environment,
            },
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read_lines, daemon=True)
        self._reader.start()
        try:
            port = int(self.next_line())
        except BaseException:
            self._process.kill()
            raise
        self._channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=CHANNEL_OPTIONS)
        super().__init__(self._channel, CONFIG if config is None else config, provider)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()
        self._process.kill()
        self._process.wait()
        self._reader.join()
        if self._process.stdout is not None:
            self._process.stdout.close()

    @property
    def pid(self) -> int:
        """The process id of the host."""
        return self._process.pid

    @property
    def lives(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def end(self, within_s: float = _PATIENCE_S) -> int:
        """The exit code; fails when the process does not end by itself."""
        return self._process.wait(within_s)

    def next_line(self) -> str:
        """The next line that the host prints; fails when none comes."""
        return self._lines.get(timeout=_PATIENCE_S)

    def lines_until(self, part: str, count: int = 1) -> list[str]:
        """The lines up to and with the `count`-th that contains `part`."""
        seen: list[str] = []
        while sum(part in line for line in seen) < count:
            seen.append(self.next_line())
        return seen

    def _read_lines(self) -> None:
        for line in self._process.stdout or ():
            self._lines.put(line.rstrip("\n"))


def urn_of(properties: Mapping[str, Any]) -> str:
    """A resource of its own for each node of each instance."""
    nodes = properties.get("ai_nodes")
    node = nodes[0] if isinstance(nodes, list) and nodes else None
    return f"{_URN}{properties.get('db_instance_id')}-{str(node).strip()}"


def encoded(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """Properties on the wire: every number a double."""
    struct = struct_pb2.Struct()
    struct.update(dict(properties))
    return struct


def secret(value: str) -> dict[str, str]:
    """A secret on the wire."""
    return {_SIGNATURE: _SECRET, "value": value}


def _decoded(struct: struct_pb2.Struct) -> Properties:
    """Properties off the wire, without the provider that the host adds."""
    properties: Properties = json_format.MessageToDict(struct)
    properties.pop("__provider")
    return properties
