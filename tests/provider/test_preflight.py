"""The preflight in the real host, over HTTP: what is asked, how often, and that nothing hangs."""

from __future__ import annotations

import dataclasses
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import engine_pb2, engine_pb2_grpc

from pulumi_adbpg_model.testing import FAULTS, Simulator
from tests.provider.dynamic_host import (
    CONFIG,
    UNKNOWN,
    DynamicHost,
    HostError,
    Properties,
    Stored,
    urn_of,
)

_ROOT = Path(__file__).parents[2]
_QUESTIONS = {"ListSupportModels": 1, "ListAINodePools": 1, "ListModelServices": 1}


class _Rows(engine_pb2_grpc.EngineServicer):
    """The engine's own service, as far as the host uses it: keeps what is said in each row."""

    def __init__(self) -> None:
        self.said: list[tuple[str, str, str]] = []

    def Log(self, request: Any, _context: Any) -> Any:  # noqa: N802 - the protocol's name
        severity = engine_pb2.LogSeverity.Name(request.severity)
        self.said.append((severity, request.urn, request.message))
        return empty_pb2.Empty()


@pytest.fixture
def engine() -> Iterator[tuple[str, _Rows]]:
    """Where an engine listens, and what it hears."""
    rows = _Rows()
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    engine_pb2_grpc.add_EngineServicer_to_server(rows, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}", rows
    server.stop(None).wait()


def _asked(cloud: Simulator) -> Counter[str]:
    return Counter(request.action for request in cloud.requests)


def test_findings_are_warnings_in_the_row_of_the_resource(
    cloud: Simulator, inputs: Properties, engine: tuple[str, _Rows]
) -> None:
    """They go to the engine under the URN, and the check itself succeeds."""
    address, rows = engine
    with DynamicHost(cloud.environment(), engine=address) as host:
        checked = host.check({**inputs, "model_name": "Qwen3-8", "ai_nodes": ["ai-1", "ai-9"]})

    assert [] == checked.failures
    assert [("WARNING", urn_of(inputs))] * 2 == [row[:2] for row in rows.said]
    model, node = (row[2] for row in rows.said)
    assert model.startswith("model_name should be a model that region cn-hangzhou lists, got ")
    assert node.startswith(
        f"ai_nodes[1] should be an AI node of instance {inputs['db_instance_id']}, got 'ai-9'."
    )


def test_64_checks_at_once_ask_each_question_once(
    cloud: Simulator, inputs: Properties, engine: tuple[str, _Rows]
) -> None:
    """All of them wait for the same answers, and each says what it has to."""
    address, rows = engine

    def check(number: int) -> None:
        host.check({**inputs, "ai_nodes": [f"none-{number}"]})

    with (
        DynamicHost(cloud.environment(), engine=address) as host,
        futures.ThreadPoolExecutor(max_workers=64) as pool,
    ):
        list(pool.map(check, range(64)))

    assert _QUESTIONS == _asked(cloud)
    assert 64 == len({urn for _, urn, _ in rows.said}) == len(rows.said)


def test_only_a_create_asks(cloud: Simulator, inputs: Properties) -> None:
    """Not what exists, is refused or is read; and not when it is switched off."""
    with DynamicHost(cloud.environment()) as host:
        host.check(inputs, inputs)
        host.check({**inputs, "replicas": 0})
        host.check({**inputs, **dict.fromkeys(("db_instance_id", "model_name"), UNKNOWN)})
        assert {} == _asked(cloud)
        stored = host.create(inputs)
        host.refresh(stored)
        host.get(stored.id, {})
        assert not _asked(cloud).keys() & {"ListSupportModels", "ListAINodePools"}
    cloud.clear_requests()
    with DynamicHost(cloud.environment(), {**CONFIG, "adbpg:preflight": "false"}) as off:
        off.check({**inputs, "ai_nodes": ["ai-9"]})
    assert {} == _asked(cloud)


def test_a_replacement_raises_no_alarm(
    cloud: Simulator, inputs: Properties, engine: tuple[str, _Rows]
) -> None:
    """The node is bound by the very service that is going to be deleted first."""
    address, rows = engine
    with DynamicHost(cloud.environment()) as before:
        stored = before.create(inputs)
    changed = {**inputs, "description": "new"}
    for asks_diff in (True, False):  # not so with --replace, or a taint
        with DynamicHost(cloud.environment(), engine=address) as host:
            host.check(changed, inputs)
            if asks_diff:
                host.diff(stored, changed)
            host.check(changed)
        assert _asked(cloud).keys() >= _QUESTIONS.keys()

    assert [] == [row for row in rows.said if row[0] == "WARNING"]


def _delete_for(host: DynamicHost, stored: Stored, changed: Properties) -> str:
    """What a replacement by that answers when it asks for the deletion; empty where it is done."""
    host.check(changed, stored.outs)
    assert host.diff(stored, changed).replaces
    host.check(changed)
    try:
        host.delete(stored)
    except HostError as error:
        return str(error)
    return ""


def test_only_a_catalogue_without_the_model_keeps_a_service(inputs: Properties) -> None:
    """Not one that may not be read, nor where nothing takes its place, nor when switched off."""
    off = {**CONFIG, "adbpg:preflight": "false"}
    with Simulator(instance=inputs["db_instance_id"], provision_seconds=0, models=["A"]) as cloud:
        gone = {**inputs, "model_name": "B"}
        with DynamicHost(cloud.environment()) as before:
            listed, dropped, unasked, unread = (
                before.create({**inputs, "model_name": "A", "ai_nodes": [f"ai-{number}"]})
                for number in range(1, 5)
            )
        cloud.clear_requests()
        with DynamicHost(cloud.environment()) as host:
            assert "'B'" in _delete_for(host, listed, gone)
            # The engine deletes it with what it depends on, before the program declares it.
            together = dataclasses.replace(dropped, outs={**dropped.outs, "model_name": "Old"})
            for name, told in ((UNKNOWN, "'Old', which the service runs."), ("Old", "'Old'. ")):
                host.diff(together, {**inputs, "model_name": name, "description": UNKNOWN})
                with pytest.raises(HostError, match=re.escape(told)) as refused:
                    host.delete(together)
                up = f"run `pulumi up --target {urn_of(dropped.outs)}`, then `pulumi up`."
                assert up in str(refused.value)
            assert cloud.mutations == []
            assert _delete_for(host, listed, {**gone, "model_name": "a", "replicas": 2}) == ""
        cloud.clear_requests()
        with DynamicHost(cloud.environment()) as host:
            host.delete(dropped)  # the program has it no more
        with DynamicHost(cloud.environment(), off) as host:
            assert _delete_for(host, unasked, {**gone, "ai_nodes": ["ai-3"]}) == ""
        assert not cloud.calls("ListSupportModels")
        cloud.inject("forbidden", "ListSupportModels", times=None)
        with DynamicHost(cloud.environment()) as host:
            assert _delete_for(host, unread, {**gone, "ai_nodes": ["ai-4"]}) == ""
        assert cloud.calls("ListSupportModels")
        assert cloud.services == []


def test_no_fault_of_the_cloud_shows_or_is_retried(
    cloud: Simulator, inputs: Properties, engine: tuple[str, _Rows]
) -> None:
    """The preview is what it was without a preflight; each fault has a region of its own."""
    address, rows = engine
    faults = sorted(FAULTS.keys() - {"hang", "hang-after", "instance-not-found"})
    # A host waits for 2.5 s in all, which a busy machine may need for a few.
    for some in (faults[start : start + 6] for start in range(0, len(faults), 6)):
        with DynamicHost(cloud.environment(), engine=address) as host:
            for number, fault in enumerate(some):
                cloud.inject(fault, None, None)
                wrong = {**inputs, "model_name": "none", "region_id": f"cn-{number}"}
                for _ in range(2):
                    assert [] == host.check(wrong).failures, fault
                assert set(_asked(cloud).values()) <= {1}, fault
                assert _asked(cloud), fault
                cloud.clear_faults()
                cloud.clear_requests()

    assert [] == rows.said


def test_a_cloud_that_hangs_costs_its_bound_once(cloud: Simulator, inputs: Properties) -> None:
    """The second check does not wait at all, and the host can end."""
    cloud.inject("hang", None, None)
    with DynamicHost(cloud.environment()) as host:
        first = _seconds(host, inputs)
        second = _seconds(host, inputs)
        host._process.send_signal(signal.SIGINT)  # Python ends, which waits for some threads
        began = time.monotonic()
        host._process.wait(timeout=10)
        ended = time.monotonic() - began

    assert 2 < first < 20
    assert second < 2
    assert ended < 3


def test_cancel_ends_the_waiting(cloud: Simulator, inputs: Properties) -> None:
    """The first Ctrl-C does not wait for the preflight."""
    cloud.inject("hang", None, None)
    with DynamicHost(cloud.environment()) as host, futures.ThreadPoolExecutor(1) as pool:
        check = pool.submit(_seconds, host, inputs)
        give_up = time.monotonic() + 15
        while not cloud.requests and time.monotonic() < give_up:
            time.sleep(0.01)
        asked = time.monotonic()
        host.cancel()
        check.result()
        assert time.monotonic() - asked < 2


def test_without_credentials_the_sdk_is_not_even_loaded(inputs: Properties, tmp_path: Path) -> None:
    """Nothing set means nothing tried, also where the metadata address may be asked."""
    program = f"""
import sys
from pulumi.dynamic import Config, ConfigureRequest
from pulumi_adbpg_model.provider import ModelServiceProvider
from tests.provider.servicer import serve
provider = ModelServiceProvider()
provider.configure(ConfigureRequest(Config({{}}, "shop")))
checked = serve(lambda: provider.check({{}}, {inputs!r}))
assert not checked.failures, checked.failures
print([name for name in sys.modules if name.startswith("alibabacloud_")])
"""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "ALICLOUD_REGION": "cn-hangzhou",
    }
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=_ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("[]\n", "") == (ended.stdout, ended.stderr)


def _seconds(host: DynamicHost, inputs: Properties) -> float:
    began = time.monotonic()
    host.check(inputs)
    return time.monotonic() - began
