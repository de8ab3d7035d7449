"""`pulumi up --otel-traces`: what the provider does stands in the engine's own trace."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from pulumi import automation as auto

from pulumi_adbpg_model.testing import Simulator
from tests.engine.support.programs import declare, pulumi_ids
from tests.engine.support.stack import Stack
from tests.spans import Told, spans_in, tree

_POLL = "DescribeModelService"


class _Traced(auto.PulumiCommand):
    """The CLI, with a file for the traces of each command; the Automation API has no way to."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file = file

    def run(
        self, args: list[str], cwd: str, additional_env: Mapping[str, str], *others: Any
    ) -> Any:
        traced = ["--otel-traces", self._file.as_uri()] if {"up", "destroy"} & {*args} else []
        return super().run([*traced, *args], cwd, additional_env, *others)

    def spans(self) -> list[Told]:
        """Those of the last command, of all who told any."""
        requests = (
            json_format.Parse(_hex_as_base64(line), trace_service_pb2.ExportTraceServiceRequest())
            for line in self._file.read_text().splitlines()
        )
        return [span for request in requests for span in spans_in(request)]


def test_the_trace_of_the_engine_has_each_operation_with_calls_and_waits(tmp_path: Path) -> None:
    """Two creates side by side, each below its own; nothing of what they are about is told."""
    command = _Traced(tmp_path / "traces.json")
    with Simulator(provision_seconds=0.5) as simulator:
        stack = Stack(tmp_path, simulator, command=command)
        simulator.inject("busy", "CreateModelService")

        def two() -> None:
            declare(description="marked description", client_token="marked-token")
            declare("other", ai_nodes=["ai-2"], model_params={"marked": "marked"})

        done = stack.up(two)
        ids = pulumi_ids(simulator)
        keys = [str(service.api_key) for service in simulator.services]
        created = command.spans()
        stack.destroy()
        destroyed = command.spans()

    assert all(any(f"{one} is 'active'" in line.text for line in done.log.lines) for one in ids)
    assert {line.name for line in done.log.lines if ":ms-" in line.text} == {"model", "other"}
    by_id = {span.id: span for span in created}
    (root,) = (span for span in created if span.name == "pulumi")
    ours = [span for span in created if span.scope == "pulumi_adbpg_model"]
    assert {span.trace for span in ours} == {root.trace}
    creates = [span for span in ours if span.name == "ModelService.create"]
    assert {by_id[span.parent].name for span in creates} == {"pulumirpc.ResourceProvider/Create"}
    assert len({span.parent for span in creates}) == 2
    submitted = []
    for create in creates:
        *before, wait = tree(ours, create, "adbpg.code", "adbpg.outcome")
        submitted += [one for one in before if _name(one) == "CreateModelService"]
        assert wait[:2] == ("wait until active", {"adbpg.outcome": "active"})
        assert set(wait[2]) == {_POLL, "pause"}
        assert create.attributes["adbpg.waited_s"] > 0.3
        assert not create.failed
    busy = ("CreateModelService", {"adbpg.code": "OperationDenied.DBInstanceStatus"})
    assert sorted(submitted, key=str) == [busy, *["CreateModelService"] * 2]
    (first, *_) = (span for span in ours if span.name == "ModelService.check")
    assert by_id[first.parent].name == "pulumirpc.ResourceProvider/Check"

    deletes = [span for span in destroyed if span.name == "ModelService.delete"]
    assert len(deletes) == 2
    for delete in deletes:
        names = [_name(one) for one in tree(destroyed, delete)]
        assert names[-2:] == ["DeleteModelService", "wait until gone"]
    known = [*keys, *(part for one in ids for part in one.split(":"))]
    for hidden in ("marked", "127.0.0.1", "ai-1", "Qwen3", "simulator-key", *known):
        theirs = [one for one in (*created, *destroyed) if one.scope == "pulumi_adbpg_model"]
        assert [one.name for one in theirs if hidden in one.text] == []


def _name(branch: Any) -> str:
    return str(branch if isinstance(branch, str) else branch[0])


def _hex_as_base64(line: str) -> str:
    """OTLP's JSON has ids in hexadecimal digits, where protobuf's own has base64."""

    def exchanged(match: re.Match[str]) -> str:
        return match[1] + base64.b64encode(bytes.fromhex(match[2])).decode() + '"'

    return re.sub(r'("(?:traceId|spanId|parentSpanId)": ?")([0-9a-f]*)"', exchanged, line)
