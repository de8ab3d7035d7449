"""What the provider says of a service whose inputs are secrets: the values stand in no text."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.chaos.hosting import MovedClock, TimedHost
from tests.gateway.support import Answer, stub
from tests.provider.dynamic_host import (
    DynamicHost,
    HostError,
    PartialFailureError,
    Properties,
    Stored,
    kept_by,
)

#: In each value that a test marks as secret; an address can hold no word.
_MARKS = ("hush", "10.66.6.6", "77177")
_URN = "urn:pulumi:dev::shop::pulumi-python:dynamic/adbpg:ModelService::model"
_INSTANCES = itertools.count(1)

#: Each input that is not a boolean, with a value that is of use and one that is not.
_SECRETS: Properties = {
    "model_name": "Hush-Model-8B",
    "ai_nodes": ["hush-1", "hush-2"],
    "description": 'the "Hush" of 10.66.6.6\nand more',
    "security_ip_list": ["10.66.6.6", "10.66.6.64/26"],
    "model_params": {"hush_key": ["hush value", {"number": 77177}]},
    "resource_group_id": "rg-hush",
    "client_token": "hush-token",
    "security_ip_group": "hush_group",
    "inference_engine": "vllm",
    "replicas": 77177,
}
_MARKED = sorted({*_SECRETS, "db_instance_id"})


class _Ear:
    """Keeps every text of what a host answers, and all that it prints."""

    def __init__(self, host: TimedHost, capfd: pytest.CaptureFixture[str]) -> None:
        self._host = host
        self._capfd = capfd
        self._texts: list[str] = []

    def __call__(self, method: str, *arguments: Any, **options: Any) -> Any:
        """Call the host; an error is an answer, too."""
        try:
            answer: Any = getattr(self._host, method)(*arguments, urn=_URN, **options)
        except HostError as error:
            self._texts.append(str(error))
            if not isinstance(error, PartialFailureError):
                return None
            answer = error.stored
        if isinstance(answer, Stored):
            self._texts.append(str(answer.outs.get("status_reason")))
        if method == "check":
            self._texts += [": ".join(failure) for failure in answer.failures]
        return answer

    def heard(self) -> str:
        """All of it up to now."""
        self._texts += self._capfd.readouterr()
        return "\n".join(self._texts)

    def tells(self, *parts: str) -> None:
        """Says so much, and no secret."""
        heard = self.heard()
        for part in parts:
            assert part in heard
        for mark in _MARKS:
            assert mark not in heard.lower(), heard
        self._texts.clear()


@pytest.fixture
def ear(quick: TimedHost, capfd: pytest.CaptureFixture[str]) -> _Ear:
    """Listens to the host in this process."""
    return _Ear(quick, capfd)


@pytest.fixture
def secret(cloud: Simulator) -> Iterator[Properties]:
    """A declaration, all of whose inputs are secrets, on an instance of its own."""
    instance = f"gp-hush-{next(_INSTANCES)}"
    cloud.add_instance(instance, ["hush-1", "hush-2", "ai-3"])
    yield {
        "db_instance_id": instance,
        "model_name": "Qwen3-Embedding-8B",
        "ai_nodes": ["hush-1"],
        "security_ip_list": ["10.66.6.6"],
        "description": "hush",
        "__organization": "acme",
        "__secrets": ["ai_nodes", "db_instance_id", "description", "security_ip_list"],
    }
    cloud.clear_faults()
    cloud.release_deployments()


def _stored(answer: Any, inputs: Properties) -> Stored:
    """As the engine has it: the inputs beside the outputs, which say nothing of secrets."""
    assert "__secrets" not in answer.outs
    return Stored(answer.id, answer.outs, inputs)


def test_a_broken_rule_is_told_without_the_value(ear: _Ear, secret: Properties) -> None:
    """Of every input, whatever it is given instead; the engine is told no property, either."""
    broken = {
        "db_instance_id": "gp:hush",
        "model_name": ["hush"],
        "ai_nodes": ["hush", "hush"],
        "description": {"hush": 1},
        "security_ip_list": ["hush"],
        "model_params": "hush",
        "resource_group_id": {"hush": 1},
        "client_token": "hush\n",
        "replicas": 0.77177,
        "inference_engine": "hush",
        "enable_public_connection": "hush",
        "region_id": "Hush",
        "wait_for_active": "hush",
        "security_ip_group": ["hush"],
        "store_api_key": "hush",
        "__adopt": "hush",
    }
    checked = ear("check", {**secret, **broken, "__secrets": list(broken)})

    assert {""} == {name for name, _ in checked.failures}
    told = [reason.split()[0].partition("[")[0] for _, reason in checked.failures]
    assert sorted(told) == sorted("import_" if name == "__adopt" else name for name in broken)
    ear.tells("import_ must be '<db_instance_id>:<model_service_id>', such as gp-abc:ms-123")


def test_what_always_may_be_a_secret_needs_no_mark(ear: _Ear, inputs: Properties) -> None:
    """Three inputs, in what is wrong with them; the others show what they are."""
    broken = {"description": ["hush"], "model_params": ["hush"], "client_token": "hush\n"}
    checked = ear("check", {**inputs, **broken, "replicas": 0})

    assert {"", "replicas"} == {name for name, _ in checked.failures}
    ear.tells("replicas must be a whole number of at least 1, got 0")


def test_a_preview_warns_without_the_value(ear: _Ear, cloud: Simulator, secret: Properties) -> None:
    """Of a model, an instance and nodes that are not there, of nodes held, and of an import_."""
    names = [*secret["__secrets"], "model_name", "__adopt"]
    ear("check", {**secret, "model_name": "Hush3-Embedding-8B", "__secrets": names})
    ear.tells("model_name should be a model", "got '[secret]'. It lists ")
    ear("check", {**secret, "ai_nodes": ["hush-1", "hush-2", "hush-9"]})
    ear.tells("ai_nodes[2] should be an AI node of instance [secret], got '[secret]'. Its AI nodes")
    ear("check", {**secret, "db_instance_id": "gp-hush-none"})
    ear.tells("db_instance_id should be an instance that region cn-hangzhou shows")

    holder = ear("create", {**secret, "model_name": "Qwen3-8B"})
    ear.heard()
    ear("check", secret)
    taking = {**secret, "__adopt": holder.id, "__secrets": names, "ai_nodes": ["ai-3"]}
    ear("check", {**taking, "security_ip_list": ["10.66.6.66"]})
    assert cloud.services != []
    ear.tells()


@pytest.mark.parametrize("marked", [True, False])
def test_what_the_cloud_repeats_is_told_without_the_value(
    quick: TimedHost,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    marked: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """
    A refusal that repeats all that was sent, as it is, as JSON and as in a URL, cut off anywhere.

    What is not marked as a secret may be repeated, but for the three inputs that may be one.
    """
    forms: list[Callable[[str], str]] = [str, quote, lambda text: json.dumps(text)[1:-1]]
    shapes = list(itertools.product(forms, range(0, 12, 3), (0, 100, 117)))

    def refuse(_: dict[str, str]) -> Answer:
        form, first, filler = shapes[0]
        sent = {**(server.queries or [{}])[-1], **(server.bodies or [{}])[-1]}
        told = [f"{name} {form(text)} is odd," for name, text in sorted(sent.items())]
        message = " ".join([*told[first:], *told[:first]])
        return Answer({"Code": "InvalidParameter", "Message": f"{'x' * filler} {message}"}, 400)

    kept = ("description", "model_params", "client_token")
    given = _SECRETS if marked else {name: _SECRETS[name] for name in kept}
    inputs = {
        "db_instance_id": "gp-hush" if marked else "gp-1",
        "model_name": "m",
        "ai_nodes": ["n"],
        **given,
        "__organization": "acme",
    }
    if marked:
        inputs["__secrets"] = _MARKED
    assert not quick.gone
    with stub(refuse) as server:
        monkeypatch.setenv("ADBPG_ENDPOINT", f"http://127.0.0.1:{server.port}")
        running = TimedHost(MovedClock(), {})
        ear = _Ear(running, capfd)
        try:
            while shapes:
                ear("create", inputs)
                shapes.pop(0)
        finally:
            running.stop()
        assert any("hush" in str(query).lower() for query in server.queries)
    ear.tells("code=InvalidParameter", "[secret]")


def test_what_the_cloud_repeats_later_is_told_without_the_value(
    quick: TimedHost, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Refresh, update and deletion get outputs; which are secrets is in the state's inputs."""

    def refuse(_: dict[str, str]) -> Answer:
        told = f"gp-hush, Hush-Model-8B on HUSH-1, {json.dumps(_SECRETS['model_params'])}"
        return Answer({"Code": "Forbidden.RAM", "Message": told}, 403)

    inputs = {"db_instance_id": "gp-hush", **_SECRETS, "__secrets": _MARKED}
    outs = {**inputs, "model_service_id": "ms-1", "region_id": "cn-hangzhou"}
    del outs["__secrets"]
    stored = Stored("gp-hush:ms-1", {**outs, "status": "active"}, inputs)
    pending = Stored("gp-hush:ms-1", {**outs, "status": "deployming"}, inputs)
    news = {**inputs, "security_ip_list": ["10.66.6.60"]}
    with stub(refuse) as server:
        monkeypatch.setenv("ADBPG_ENDPOINT", f"http://127.0.0.1:{server.port}")
        for method, *arguments in (
            ("refresh", stored),
            ("update", stored, news),
            ("update", stored, {**news, "__secrets": []}),
            ("update", pending, inputs),
            ("delete", stored),
            ("diff", Stored(stored.id, {**outs, "status": "deploy_failed"}, inputs), news),
        ):
            running = TimedHost(MovedClock(), {})  # knows nothing of the others
            ear = _Ear(running, capfd)
            ear(method, *arguments)
            running.stop()
            ear.tells("[secret]")
    assert not quick.gone


def test_a_service_is_not_as_asked_without_a_value(
    ear: _Ear, cloud: Simulator, secret: Properties
) -> None:
    """The comparison after a create that is finished later, and what a refresh says then."""
    secret = {**secret, "__secrets": [*secret["__secrets"], "model_name"]}
    cloud.hold_deployments()
    created = ear("create", {**secret, "wait_for_active": False})
    cloud.change_service(
        created.outs["model_service_id"],
        description="hush!",
        ai_nodes=["hush-2"],
        security_ip_list=["10.66.6.66"],
        model_name="Hush-8B",
    )
    cloud.release_deployments()
    ear("update", _stored(created, secret), secret)
    ear.tells(
        "description is not as the service has it",
        "ai_nodes is not as the service has it",
        "security_ip_list is not as the service has it",
        "model_name is not as the service has it",
    )


def test_an_import_that_differs_is_refused_without_a_value(
    ear: _Ear, host: DynamicHost, secret: Properties
) -> None:
    """Neither what is declared nor what is there, at once or when it shows in full."""
    created = host.create(secret)
    declared = {
        **secret,
        "ai_nodes": ["hush-2"],
        "description": "hush, too",
        "security_ip_list": ["10.66.6.6", "10.66.6.66"],
        "__adopt": created.id,
    }
    ear("create", declared)
    ear.tells(
        "import of [secret]:ms-",
        "ai_nodes is not as the service has it; description is not as the service has it; "
        "security_ip_list is not as the service has it. Declare what is there",
    )


def test_a_whitelist_that_does_not_show_is_told_without_a_value(
    ear: _Ear, cloud: Simulator, secret: Properties
) -> None:
    """Neither the entries nor the group."""
    secret = {
        **secret,
        "security_ip_group": "hush_group",
        "__secrets": [*secret["__secrets"], "security_ip_group"],
    }
    created = ear("create", secret)
    ear("update", _stored(created, secret), {**secret, "security_ip_list": ["10.66.6.66"]})
    ear.tells(
        "whitelist group '[secret]' of instance [secret] was set as declared, but [secret]:ms-",
        "still shows another list.",
    )
    assert cloud.services != []


def test_a_node_that_is_held_is_told_without_its_name(
    ear: _Ear, quick: TimedHost, cloud: Simulator, secret: Properties
) -> None:
    """By a create, whose nodes another has; and by a deletion for the sake of such a create."""
    ear("create", secret)
    ear.heard()
    other = _URN + "-2"
    with pytest.raises(HostError) as refused:
        quick.create({**secret, "model_name": "Qwen3-8B"}, urn=other)
    assert "AI node [secret] is held by model service [secret]:ms-" in str(refused.value)
    plain = {name: value for name, value in secret.items() if name != "__secrets"}
    with pytest.raises(HostError) as refused:  # what is no secret of its own is one of another
        quick.create({**plain, "model_name": "Qwen3-8B"}, urn=other)
    assert "hush" not in str(refused.value)

    second = quick.create({**secret, "ai_nodes": ["hush-2"]}, urn=other)
    moved = {**secret, "ai_nodes": ["hush-1"]}
    quick.check(moved, second.outs, urn=other)
    quick.diff(_stored(second, secret), moved, urn=other)
    quick.check(moved, urn=other)
    with pytest.raises(HostError) as refused:
        quick.delete(_stored(second, secret), urn=other)
    assert "was not sent, since what replaces it cannot be created: AI node [secret]" in str(
        refused.value
    )
    assert "hush" not in str(refused.value)
    ear.tells()
    assert len(cloud.services) >= 2


def test_a_service_that_is_not_active_is_told_of_without_its_instance(
    ear: _Ear, cloud: Simulator, secret: Properties
) -> None:
    """In the error, and in what the state keeps as its reason."""
    cloud.fail_next_deployment()
    failed = kept_by(lambda: _raised(ear, secret))
    assert "status 'deploy_failed'" in failed.outs["status_reason"]
    ear.tells("model service [secret]:ms-")


def _raised(ear: _Ear, secret: Properties) -> Any:
    answer = ear("create", secret)
    raise PartialFailureError("kept", answer)


def test_which_inputs_are_secret_stays_in_the_state_through_a_refresh(
    ear: _Ear, quick: TimedHost, cloud: Simulator, secret: Properties
) -> None:
    """Among the inputs alone, and only where there are any; a change of it changes nothing."""
    checked = quick.check(secret, urn=_URN)
    assert checked.inputs["__secrets"] == secret["__secrets"]
    created = ear("create", checked.inputs)
    refreshed = ear("refresh", _stored(created, checked.inputs))
    assert refreshed.inputs == checked.inputs
    assert "__secrets" not in refreshed.outs

    for news in ({**secret, "__secrets": ["model_name"]}, {**secret, "__secrets": None}):
        checked = quick.check(news, secret, urn=_URN)
        assert checked.failures == []
        assert quick.diff(_stored(created, secret), checked.inputs).changes == "DIFF_NONE"
    plain = _stored(created, {name: secret[name] for name in secret if name != "__secrets"})
    assert "__secrets" not in ear("refresh", plain).inputs
    assert cloud.services != []


def test_a_urn_stays_whole(quick: TimedHost, cloud: Simulator, secret: Properties) -> None:
    """The engine shows it, and the command in the text would mean another resource."""
    urn = _URN.replace("::model", "::hush-1")
    cloud.hold_deployments()
    with pytest.raises(PartialFailureError) as failed:
        quick.create({**secret, "__secrets": ["ai_nodes"]}, urn=urn, timeout_s=5)
    assert f"`pulumi destroy --target {urn}` removes it" in str(failed.value)
