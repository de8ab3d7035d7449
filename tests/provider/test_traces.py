"""What the provider tells of its operations, and where it sends that."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from pulumi_adbpg_model.host._traces import way_of
from pulumi_adbpg_model.testing import Simulator
from tests.chaos.hosting import TimedHost
from tests.provider.dynamic_host import DynamicHost, HostError, Properties, kept_by
from tests.spans import Told, listening, receiver, tree

_PULUMI = "PULUMI_OTEL_EXPORTER_OTLP_ENDPOINT"
_PARENT = f"00-{'1' * 32}-{'2' * 16}-01"
_WORDS = ("adbpg.outcome", "adbpg.code", "error.type")
_POLL = "DescribeModelService"
_GONE = (
    "DescribeModelService",
    {"adbpg.code": "ModelService.NotFound", "error.type": "NotFoundError"},
)


def _root(spans: list[Told], action: str) -> Told:
    (found,) = (span for span in spans if span.name == f"ModelService.{action}")
    assert found.attributes["adbpg.action"] == action
    return found


@pytest.fixture(autouse=True)
def _hosts_hear_sigint() -> Iterator[None]:
    """What a shell runs in the background ignores it, and so would what is started here."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _end(host: DynamicHost) -> None:
    """End a host as the CLI does; rarely, a signal comes at a moment when Python is deaf to it."""
    for _ in range(5):
        if host.lives:
            os.kill(host.pid, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                host.end(4.0)
    assert not host.lives


def test_each_operation_is_a_span_with_its_calls_and_waits(
    quick: TimedHost, cloud: Simulator, inputs: Properties
) -> None:
    """All six of Pulumi's calls; what they wait for is told in seconds of the clock."""
    cloud.hold_deployments()
    secret = {"description": "marked description", "model_params": {"marked key": "marked value"}}
    inputs = {**inputs, **secret, "security_ip_list": ["10.77.66.55"]}
    with listening() as memory:
        quick.check(inputs)
        stored = kept_by(lambda: quick.create(inputs, timeout_s=5))
        cloud.release_deployments()
        stored = quick.update(stored, inputs)
        quick.diff(stored, inputs)
        quick.refresh(stored)
        quick.delete(stored)
    spans = memory.spans

    asked = {"ListSupportModels", "ListAINodePools", "ListModelServices"}
    check = _root(spans, "check")
    assert asked == {span.name for span in spans if span.parent == check.id}
    create = _root(spans, "create")
    assert [
        "ListModelServices",
        "CreateModelService",
        ("wait until active", {"adbpg.outcome": "pending"}, [*[_POLL, "pause"] * 3, _POLL]),
    ] == tree(spans, create, *_WORDS)
    assert (5.0, True) == (create.attributes["adbpg.waited_s"], create.failed)
    assert "OperationError" == create.attributes["error.type"]
    update = _root(spans, "update")
    assert [("wait until active", {"adbpg.outcome": "active"}, [_POLL])] == tree(
        spans, update, *_WORDS
    )
    assert [] == tree(spans, _root(spans, "diff"))
    assert [_POLL] == tree(spans, _root(spans, "read"))
    assert [
        "stack export",
        "ListModelServices",  # whether what is declared has a node
        "ListSupportModels",  # whether its model can still be deployed
        "DeleteModelService",
        (
            "wait until gone",
            [_GONE, "ListModelServices", "pause", _GONE, "ListModelServices"],
        ),
    ] == tree(spans, _root(spans, "delete"), *_WORDS)
    assert not any(one.failed for one in spans if one.name[:5] == "Model" and one is not create)

    key = stored.outs["api_key"]
    service, instance = stored.outs["model_service_id"], inputs["db_instance_id"]
    for hidden in (
        "marked",
        "10.77.66.55",
        "127.0.0.1",
        "ai-1",
        "Qwen3",
        "acme",
        instance,
        service,
    ):
        assert [span.name for span in spans if hidden in span.text] == []
    assert [span.name for span in spans if str(key) in span.text] == []


def test_inputs_that_are_refused_are_told_as_such(quick: TimedHost, inputs: Properties) -> None:
    """They are no error of the call, but the reason why nothing comes after it."""
    with listening() as memory:
        assert quick.check({**inputs, "ai_nodes": []}).failures
    assert "CheckFailure" == _root(memory.spans, "check").attributes["error.type"]


@pytest.mark.parametrize(
    "environment",
    [
        {_PULUMI: "127.0.0.1:{port}"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:{port}", "TRACEPARENT": _PARENT},
    ],
    ids=["of the CLI", "of the environment"],
)
def test_spans_come_to_a_receiver_also_the_last_ones(
    cloud: Simulator, inputs: Properties, environment: Mapping[str, str]
) -> None:
    """The CLI's, or that of the environment; a host that ends at once sends what it has."""
    with receiver() as listener:
        port = str(listener.port)
        settings = {name: text.replace("{port}", port) for name, text in environment.items()}
        with DynamicHost({**cloud.environment(), **settings}) as host:
            host.create(inputs)
            _end(host)
        spans = listener.spans("ModelService.create", "CreateModelService")

    create = _root(spans, "create")
    parent = f"00-{create.trace}-{create.parent}-01" if create.parent else None
    assert environment.get("TRACEPARENT") == parent
    ours = [span for span in spans if span.scope == "pulumi_adbpg_model"]
    assert {"pulumi-adbpg-model"} == {span.service for span in ours}
    below = tree(ours, create, "adbpg.outcome")
    wait = ("wait until active", {"adbpg.outcome": "active"}, [_POLL])
    assert [("ListModelServices", ["credentials"]), "CreateModelService", wait] == below


_PLACE = "OTEL_EXPORTER_OTLP_ENDPOINT"
_PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
_CHOICE = "OTEL_TRACES_EXPORTER"


@pytest.mark.parametrize(
    ("environment", "way"),
    [
        ({}, None),
        ({_PLACE: " "}, None),
        ({_PLACE: "http://here:4317"}, "grpc"),
        ({_PLACE: "https://here"}, "grpc"),
        ({_PLACE: "http://here:4318"}, "http/protobuf"),
        ({_PLACE: "http://here:4318", _PROTOCOL: "GRPC"}, "grpc"),
        ({_PLACE: "http://here:4317", _PROTOCOL: "http/protobuf"}, "http/protobuf"),
        ({_PLACE: "http://here:4318", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "here:1"}, "grpc"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://here:4317"}, "grpc"),
        (
            {_PLACE: "here", _PROTOCOL: "grpc", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"},
            "http/json",
        ),
        ({_CHOICE: "otlp"}, "grpc"),
        ({_CHOICE: "console, otlp_proto_http"}, "http/protobuf"),
        ({_CHOICE: "otlp_proto_grpc", _PROTOCOL: "http/protobuf"}, "grpc"),
        ({_PLACE: "http://here:4317", _CHOICE: "none"}, None),
        ({_PLACE: "http://here:4317", _CHOICE: "console,zipkin"}, None),
        ({_PLACE: "http://here:4317", "OTEL_SDK_DISABLED": "True"}, None),
        ({_PULUMI: "localhost:1", "OTEL_SDK_DISABLED": "true"}, None),
        ({_PULUMI: "localhost:1", _PLACE: "http://here:4318", _CHOICE: "none"}, "pulumi"),
        ({"TRACEPARENT": _PARENT, "OTEL_SERVICE_NAME": "ci"}, None),
    ],
)
def test_the_flag_or_the_environment_says_how_spans_are_sent(
    environment: Mapping[str, str], way: str | None
) -> None:
    """The CLI's receiver first; then the variables of OpenTelemetry, as far as they ask for it."""
    assert way == way_of(environment)


def test_one_line_says_what_would_help_where_nothing_can_be_sent(
    cloud: Simulator, inputs: Properties
) -> None:
    """HTTP needs a package that Pulumi does not bring."""
    environment = {_PLACE: "http://127.0.0.1:4318"}
    with DynamicHost({**cloud.environment(), **environment}) as host:
        host.delete(host.create(inputs))
        said = host.lines_until("is deleted")
    assert [
        "no traces are sent: for http/protobuf, install opentelemetry-exporter-otlp-proto-http "
        "beside pulumi-adbpg-model, or set OTEL_EXPORTER_OTLP_PROTOCOL=grpc; "
        "OTEL_TRACES_EXPORTER=none silences this"
    ] == [line for line in said if "ms-" not in line]


_UNUSABLE = (
    "no traces are sent: a variable that begins with OTEL_ has a value that is not understood"
)


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        # A header without its name is likely to be a token.
        ({"OTEL_EXPORTER_OTLP_HEADERS": "marked", "OTEL_RESOURCE_ATTRIBUTES": "marked"}, []),
        ({_PLACE: "http://127.0.0.1:marked"}, [_UNUSABLE]),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "marked"}, [_UNUSABLE]),
        ({"OTEL_EXPORTER_OTLP_COMPRESSION": "marked"}, [_UNUSABLE]),
    ],
)
def test_a_variable_that_is_not_understood_is_not_repeated(
    cloud: Simulator,
    inputs: Properties,
    environment: Mapping[str, str],
    line: list[str],
    capfd: pytest.CaptureFixture[str],
) -> None:
    """OpenTelemetry quotes it; what prevents traces altogether is told in a line of our own."""
    environment = {_PLACE: "http://127.0.0.1:9", **environment}
    with DynamicHost({**cloud.environment(), **environment}) as host:
        host.delete(host.create(inputs))
        said = host.lines_until("is deleted")
    assert line == [one for one in said if "ms-" not in one]
    assert "" == capfd.readouterr().err


@pytest.mark.parametrize("listens", [False, True], ids=["refused", "silent"])
def test_a_receiver_that_does_not_answer_costs_a_second_at_most(
    cloud: Simulator, inputs: Properties, *, listens: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing is shown, nothing fails; only the end of the host may take a moment longer."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        if listens:
            nobody.listen()
        place = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        environment = {**cloud.environment(), "OTEL_EXPORTER_OTLP_ENDPOINT": place}
        with DynamicHost(environment) as host:
            began = time.monotonic()
            stored = host.create(inputs)
            with pytest.raises(HostError, match="failed"):
                host.create(inputs, urn="urn:pulumi:dev::shop::any$type::another")
            host.delete(stored)
            assert time.monotonic() - began < 8.0
            said = host.lines_until("is deleted")
            assert "" == capfd.readouterr().err
            began = time.monotonic()
            _end(host)
            assert time.monotonic() - began < 10.0
    assert [line for line in said if ":ms-" not in line] == []
    assert place.rpartition(":")[2] not in capfd.readouterr().err


def test_a_host_without_opentelemetry_or_with_another_works(
    cloud: Simulator, inputs: Properties, tmp_path: Path
) -> None:
    """Pulumi's SDK needs its API; that of sending may be missing, or of a version to come."""
    exporter = tmp_path / "opentelemetry/exporter/otlp/proto/grpc/trace_exporter"
    exporter.mkdir(parents=True)
    (exporter / "__init__.py").write_text("raise RuntimeError('marked')\n")
    environment = {
        "PYTHONPATH": str(tmp_path),
        "PULUMI_OTEL_EXPORTER_OTLP_ENDPOINT": "127.0.0.1:9",
    }
    with DynamicHost({**cloud.environment(), **environment}) as host:
        host.delete(host.create(inputs))
        said = host.lines_until("is deleted")
    assert [line for line in said if ":ms-" not in line] == []
