"""What `prepare` mends in the real host: cancel, workers, errors; and nothing outside of it."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path

import pytest
from pulumi.dynamic.dynamic import serialize_provider

from pulumi_adbpg_model.host import EngineLog
from pulumi_adbpg_model.testing import Simulator
from tests.provider.dynamic_host import (
    CONFIG,
    DynamicHost,
    HostError,
    Pending,
    Properties,
    untimed,
)
from tests.provider.neighbour import Neighbour

_ROOT = Path(__file__).parents[2]


def _hold_creates(
    cloud: Simulator, host: DynamicHost, inputs: Properties, count: int
) -> list[Pending]:
    """Start so many creates of services that stay in deployment, and see each one submitted."""
    cloud.hold_deployments()
    nodes = [f"held-{number}" for number in range(count)]
    cloud.add_instance(inputs["db_instance_id"], nodes)
    creates = [host.start_create({**inputs, "ai_nodes": [node]}) for node in nodes]
    host.lines_until("is 'deployming' after", count)
    return creates


def test_cancel_ends_a_create_at_once_and_keeps_its_service(
    cloud: Simulator, inputs: Properties
) -> None:
    """The first Ctrl-C ends the wait, and the state gets the service."""
    with DynamicHost(cloud.environment()) as own:
        (create,) = _hold_creates(cloud, own, inputs, 1)
        assert not create.done
        own.cancel()
        stored = create.kept()

    service = cloud.services[-1]
    assert f"{inputs['db_instance_id']}:{service.id}" == stored.id
    assert "deployming" == stored.outs["status"]
    assert "the operation was cancelled (last status 'deployming')" == stored.outs["status_reason"]


def test_cancel_is_heard_when_every_worker_waits(cloud: Simulator, inputs: Properties) -> None:
    """Ctrl-C does not queue behind the very creates that it is to end."""
    with DynamicHost(cloud.environment(), {**CONFIG, "adbpg:parallel": "1"}) as own:
        creates = _hold_creates(cloud, own, inputs, 4)
        own.cancel()
        reasons = [create.kept().outs["status_reason"] for create in creates]

    assert ["the operation was cancelled (last status 'deployming')"] * 4 == reasons


def test_cancel_keeps_a_create_from_being_sent(cloud: Simulator, inputs: Properties) -> None:
    """After Ctrl-C nothing new is begun."""
    with DynamicHost(cloud.environment()) as own:
        assert [] == own.check(inputs).failures
        own.cancel()
        with pytest.raises(HostError) as refused:
            own.create(inputs)

    assert str(refused.value).endswith(
        " was not sent: the operation was cancelled. Run the command again."
    )
    assert [] == cloud.mutations


def test_host_serves_more_than_four_creates_at_once(cloud: Simulator, inputs: Properties) -> None:
    """Twelve services are asked for while none of them is finished."""
    with DynamicHost(cloud.environment()) as own:
        creates = _hold_creates(cloud, own, inputs, 12)
        submitted = len(cloud.calls("CreateModelService"))
        unfinished = sum(not create.done for create in creates)
        cloud.release_deployments()
        ids = {create.result().id for create in creates}

    assert (12, 12) == (submitted, unfinished)
    assert 12 == len(ids)


def test_host_serves_as_many_as_configured(cloud: Simulator, inputs: Properties) -> None:
    """With adbpg:parallel 5, the sixth create is sent only after another one has ended."""
    with DynamicHost(cloud.environment(), {**CONFIG, "adbpg:parallel": "5"}) as own:
        _hold_creates(cloud, own, inputs, 5)
        sixth = own.start_create({**inputs, "ai_nodes": ["ai-1"]})
        failing = cloud.services[-1]
        cloud.fail_service(failing.id)  # one create fails, and frees its worker
        lines = own.lines_until("CreateModelService answers with")
        cloud.release_deployments()
        assert sixth.result().outs["status"] == "active"

    assert [f"{failing.instance_id}:{failing.id} is 'deploy_failed' after … s"] == [
        untimed(line) for line in lines[:-1]
    ]


def test_own_errors_are_one_line(host: DynamicHost, inputs: Properties) -> None:
    """What the package raises is shown as it is worded, without a traceback."""
    with pytest.raises(HostError) as refused:
        host.create({**inputs, "db_instance_id": "gp-none"})

    text = str(refused.value)
    assert text.startswith(
        "CreateModelService in instance gp-none failed: The specified instance does not exist "
        "(code=InvalidDBInstanceId.NotFound, status=404, request_id="
    )
    assert "Traceback" not in text
    assert "\n" not in text


def test_errors_of_another_provider_keep_their_traceback(
    cloud: Simulator, inputs: Properties
) -> None:
    """The host serves other packages too, whose errors are not touched."""
    neighbour = serialize_provider(Neighbour())
    with DynamicHost(cloud.environment(), folder=_ROOT) as own:
        with pytest.raises(HostError, match=r"^CreateModelService in instance gp-none failed"):
            own.create({**inputs, "db_instance_id": "gp-none"})
        with pytest.raises(HostError) as refused:
            own.create({"name": "x"}, provider=neighbour)

    text = str(refused.value)
    assert text.startswith("Traceback (most recent call last):\n")
    assert text.endswith("ValueError: the neighbour broke on x\n")


def test_unexpected_errors_keep_their_traceback(host: DynamicHost, inputs: Properties) -> None:
    """A defect of the package is not dressed up as an error of the user's."""
    with pytest.raises(HostError) as refused:
        host.create({**inputs, "ai_nodes": 5})

    assert str(refused.value).startswith("Traceback (most recent call last):\n")


def test_host_tells_what_happens_to_a_service(host: DynamicHost, inputs: Properties) -> None:
    """The id is told as soon as there is one, then each status, then the deletion."""
    stored = host.create(inputs)
    host.delete(stored)

    lines = [line for line in host.lines_until(f"{stored.id} is deleted") if stored.id in line]
    assert [
        f"CreateModelService answers with {stored.id}",
        f"{stored.id} is 'active' after … s",
        f"{stored.id} is deleted",
    ] == [untimed(line) for line in lines]


_FOUND = (
    "HostFeatures(calls=False, workers=False, cancel=False, watch=False, clean_errors={}, "
    "progress=False)\n"
)
#: Another program, a spec without a name, no main module, a server without insides, and none.
_ODDITIES = (
    "module.__spec__ = None",
    "module.__spec__ = object()",
    "del sys.modules['__main__']",
    "server = object()",
    "server = None",
)
_ONE_PART_AS_EVER = "module.traceback = server = object()"


def test_prepare_fails_softly_when_the_insides_of_main_are_odd() -> None:
    """With an SDK of another make a feature is missing; nothing is raised, nor shared changed."""
    mains = "".join(
        f"""
def main():
    module = sys.modules["__main__"]
    module.__spec__ = ModuleSpec("pulumi.dynamic.__main__", None)
    {oddity}
    import traceback
    before = traceback.format_exc
    print(host.prepare(64, lambda: None), flush=True)
    assert sys.modules["traceback"].format_exc is before

if os.fork() == 0:  # a process for each, though imports are made once
    main()
    os._exit(0)
assert os.wait()[1] == 0
"""
        for oddity in (*_ODDITIES, _ONE_PART_AS_EVER)
    )
    program = f"""
import os, sys
from importlib.machinery import ModuleSpec
from pulumi_adbpg_model import host
{mains}
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], cwd=_ROOT, capture_output=True, text=True, check=False
    )

    expected = _FOUND.format(False) * len(_ODDITIES) + _FOUND.format(True)
    assert (0, expected, "") == (ended.returncode, ended.stdout, ended.stderr)


def test_log_without_engine_prints_what_stays(capsys: pytest.CaptureFixture[str]) -> None:
    """Lasting lines go to stdout, where the CLI shows them; progress is dropped."""
    report = EngineLog("urn:pulumi:dev::shop::t::model")

    report.progress("passing")
    report.note("staying")
    report.warn("alarming")

    assert "staying\nalarming\n" == capsys.readouterr().out


def test_log_shows_nothing_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    """Names and status words are the cloud's: they neither colour a row nor break it."""
    EngineLog(None).warn("node 'a\x1b[31m\x9b31m\nb\ud800'")

    assert "node 'a\ufffd[31m\ufffd31m\ufffdb\ufffd'\n" == capsys.readouterr().out


def test_log_never_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that cannot be shown must not cost the id of a service that exists."""
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stdout", closed)

    EngineLog(None).note("lost")
