"""What the preflight says, how often it asks, and when it stays silent."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_adbpg_model.clock import Clock
from pulumi_adbpg_model.domain import AiNode, ModelServiceDetails, ModelServiceId
from pulumi_adbpg_model.errors import (
    AccessError,
    ConfigurationError,
    InstanceNotFoundError,
    NotFoundError,
    ServerError,
    ThrottledError,
    TransportError,
)
from pulumi_adbpg_model.fields import UNKNOWN
from pulumi_adbpg_model.service.owners import Owners
from pulumi_adbpg_model.service.preflight import BOUND_S, Preflight
from pulumi_adbpg_model.service.stack import StackEntry
from pulumi_adbpg_model.settings import Endpoint, Settings
from pulumi_adbpg_model.settings.identity import StaticKey
from tests.lifecycle.fakes import FakeClock, Voice

_KEY = StaticKey("environment ALICLOUD_ACCESS_KEY", "made-up", "made-up")
_SETTINGS = Settings("cn-hangzhou", None, _KEY)
_ROOT = Path(__file__).parents[2]
_URN = "urn:pulumi:dev::shop::pulumi-python:dynamic/adbpg:ModelService::"
_T = TypeVar("_T")
_DECLARED: dict[str, Any] = {
    "db_instance_id": "gp-1",
    "model_name": "Qwen3-8B",
    "ai_nodes": ["ai-1"],
}
_UNLESS = (
    "The create is refused unless the holder is gone by then, or was left by an interrupted "
    "`pulumi up` of this resource."
)
_TAKE_OVER = (
    'To take that service over, declare it with opts=ResourceOptions(import_="gp-1:ms-1"), if no '
    "other stack has it; else choose a free node, or delete that service."
)


@dataclass
class _Cloud:
    """Answers at once, fails as told, or hangs; remembers what it was asked."""

    models: list[str] = field(default_factory=lambda: ["Qwen3-8B", "Qwen3-Embedding-8B"])
    nodes: list[AiNode] = field(default_factory=list)
    services: list[ModelServiceDetails] = field(default_factory=list)
    errors: dict[str, Exception] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    #: Called with each question; returns once the answer comes.
    takes: Callable[[str], object] = lambda _question: None

    def list_supported_models(self) -> list[str]:
        return self._answer("models", self.models)

    def list_ai_nodes(self, db_instance_id: str) -> list[AiNode]:
        return self._answer(f"nodes {db_instance_id}", self.nodes)

    def list_model_services(self, db_instance_id: str) -> list[ModelServiceDetails]:
        return self._answer(f"services {db_instance_id}", self.services)

    def _answer(self, question: str, answer: _T) -> _T:
        self.asked.append(question)
        self.takes(question)
        if question.partition(" ")[0] in self.errors:
            raise self.errors[question.partition(" ")[0]]
        return answer


class _Desk:
    """A preflight with a cloud, a clock and one voice for every row."""

    def __init__(self) -> None:
        self.cloud = _Cloud()
        #: What an API was made for.
        self.made: list[Settings] = []
        #: Ends what hangs.
        self.released = threading.Event()
        self.clock = FakeClock()
        self.voices: dict[str | None, Voice] = {}
        self.deleted: set[ModelServiceId] = set()
        #: What the state holds; None where it is not to be had.
        self.stack: dict[str, StackEntry] | None = {}
        self.owners = Owners(self.clock, lambda: self.stack)
        self.preflight = Preflight(
            self.clock,
            self.owners,
            self.deleted,
            new_api=self._api,
            new_report=lambda urn: self.voices.setdefault(urn, Voice()),
        )

    def _api(self, settings: Settings, _clock: Clock) -> _Cloud:
        self.made.append(settings)
        self.makes()
        return self.cloud

    def makes(self) -> object:
        """What making the API takes."""

    def hang(self, _question: str = "") -> None:
        """No answer comes, and time passes."""
        while not self.released.wait(0.01):
            self.clock.now += 0.1

    def has(self, *names: str, bound: tuple[str, ...] = ()) -> None:
        self.cloud.nodes = [AiNode(name, None, None, name in bound) for name in names]

    def has_old(self) -> str:
        """The URN of a resource of the state whose service holds the first of three nodes."""
        self.has("ai-1", "ai-2", "ai-3", bound=("ai-1",))
        self.stack = {f"{_URN}old": StackEntry(self.holds("ai-1"))}
        return f"{_URN}old"

    def holds(
        self, node: str, name: str = "ms-1", model: str | None = "Qwen3-8B"
    ) -> ModelServiceId:
        service = ModelServiceId("gp-1", name)
        details = ModelServiceDetails(service, "active", model, ai_nodes=(node,))
        self.cloud.services.append(details)
        return service

    def tell(
        self,
        olds: Mapping[str, Any] | None = None,
        settings: Settings = _SETTINGS,
        urn: str = f"{_URN}model",
        number: int | None = None,
        **inputs: Any,
    ) -> list[str]:
        """What is said in the row of this resource by this call of check."""
        voice = self.voices.setdefault(urn, Voice())
        before = len(voice.warnings)
        declared = {**_DECLARED, **inputs}
        self.owners.declare(urn, olds or {}, declared, number)
        self.preflight.tell(settings, urn, declared)
        assert not voice.notes
        assert not voice.progressed
        return voice.warnings[before:]


@pytest.fixture
def desk() -> Iterator[_Desk]:
    """An instance with three free nodes."""
    made = _Desk()
    made.has("ai-1", "ai-2", "ai-3")
    yield made
    made.released.set()


def test_nothing_is_said_when_all_is_there_and_free(desk: _Desk) -> None:
    """Each question is asked, and nothing is found."""
    assert desk.tell() == []
    assert sorted(desk.cloud.asked) == ["models", "nodes gp-1", "services gp-1"]


_MODEL = "model_name should be a model that region cn-hangzhou lists, got"


@pytest.mark.parametrize(
    ("model", "told"),
    [
        (
            "qwen3-embeding-8b",
            f"{_MODEL} 'qwen3-embeding-8b'. Nearest: Qwen3-Embedding-8B, Qwen3-8B.",
        ),
        ("Gwen3-8B", f"{_MODEL} 'Gwen3-8B'. Nearest: Qwen3-8B."),
        ("bge", f"{_MODEL} 'bge'. It lists Qwen3-8B, Qwen3-Embedding-8B."),
        # Whether a create takes it is not documented.
        (
            " qwen3-8B\n",
            "model_name should be written 'Qwen3-8B', as region cn-hangzhou lists it, got "
            "'qwen3-8B': the cloud may know it in no other case.",
        ),
    ],
)
def test_an_unknown_model_is_told_with_the_nearest_names(
    desk: _Desk, model: str, told: str
) -> None:
    """Names are searched whatever their case; white space around is not even sent."""
    assert desk.tell(model_name=model) == [told]
    assert desk.tell(model_name=" Qwen3-8B\n") == []


def test_a_missing_node_is_told_with_those_that_there_are(desk: _Desk) -> None:
    """All of a few, the nearest of many."""
    rule = "ai_nodes[1] should be an AI node of instance gp-1, got 'ai-9'."
    assert desk.tell(ai_nodes=["ai-1", "ai-9"]) == [f"{rule} Its AI nodes: ai-1, ai-2, ai-3."]
    many = _Desk()
    many.has("ai-1", *(f"node-{number}" for number in range(90)))
    assert many.tell(ai_nodes=["ai-1", "ai-9"]) == [f"{rule} Nearest: ai-1."]
    assert many.tell(ai_nodes=["ai-1", "x"]) == [
        "ai_nodes[1] should be an AI node of instance gp-1, got 'x'. Its AI nodes: ai-1, "
        "node-0, node-1, node-2, node-3, node-4, node-5, node-6, node-7, node-8 and 81 more."
    ]
    none = _Desk()
    assert none.tell(ai_nodes=["ai-1", "ai-9"])[1] == f"{rule} The instance shows no AI nodes."


def test_a_taken_node_is_told_with_its_holder_and_the_ways_out(desk: _Desk) -> None:
    """By what, running which model, what is free by either list, and how to take it over."""
    desk.has("ai-1", "ai-2", "ai-3", bound=("ai-1",))
    desk.holds("ai-1")
    desk.holds("ai-2", "ms-2")
    assert desk.tell() == [
        "ai_nodes[0] should be a free AI node, got 'ai-1': it is held by model service gp-1:ms-1, "
        f"which runs Qwen3-8B. {_UNLESS} Free AI nodes: ai-3. {_TAKE_OVER}"
    ]


def test_a_bound_node_is_told_as_far_as_the_cloud_says(desk: _Desk) -> None:
    """Either list may fail or leave things out: the other one is enough."""
    held = "ai_nodes[0] should be a free AI node, got 'ai-1': it is"
    desk.cloud.nodes = [AiNode("ai-1", None, None, bound=True, bound_to="model_serving")]
    assert desk.tell() == [f"{held} bound to model_serving. {_UNLESS} Free AI nodes: none."]
    listless = _Desk()
    listless.has("ai-1", "ai-2", bound=("ai-1",))
    listless.cloud.errors["services"] = AccessError("ListModelServices", "of it", "no")
    assert listless.tell() == [f"{held} bound. {_UNLESS} Free AI nodes: ai-2."]
    nodeless = _Desk()
    nodeless.holds("ai-1", model=None)
    nodeless.cloud.errors["nodes"] = AccessError("ListAINodePools", "of it", "no")
    assert nodeless.tell() == [f"{held} held by model service gp-1:ms-1. {_UNLESS} {_TAKE_OVER}"]


def _no_instance() -> InstanceNotFoundError:
    return InstanceNotFoundError("List", "of it", "there is none", code="InvalidDBInstanceId")


@pytest.mark.parametrize(
    ("settings", "where"),
    [
        (_SETTINGS, "region cn-hangzhou"),
        (Settings(None, Endpoint("127.0.0.1:1", "http"), _KEY), "the endpoint"),
    ],
)
def test_an_instance_out_of_sight_is_told_with_what_to_check(
    desk: _Desk, settings: Settings, where: str
) -> None:
    """One line, from both lists, and nothing about nodes; the credentials are named, not shown."""
    desk.cloud.errors = {"nodes": _no_instance(), "services": _no_instance()}
    assert desk.tell(settings=settings) == [
        f"db_instance_id should be an instance that {where} shows to the credentials from "
        "environment ALICLOUD_ACCESS_KEY, got 'gp-1'. Check the id, the region and the account."
    ]


def test_an_instance_that_one_list_shows_is_not_called_missing(desk: _Desk) -> None:
    """Two answers that contradict each other prove nothing."""
    desk.cloud.errors = {"nodes": _no_instance()}
    assert desk.tell(ai_nodes=["ai-9"], __adopt="gp-1:ms-1") == []


@pytest.mark.parametrize(("listed", "is_"), [(True, "held by model"), (False, "bound. ")])
def test_a_replacement_may_use_the_nodes_of_what_it_replaces(
    desk: _Desk, is_: str, *, listed: bool
) -> None:
    """The engine checks again as if there were nothing: no alarm about its own node, but others."""
    desk.has("ai-1", "ai-2", bound=("ai-1", "ai-2"))
    own = desk.holds("ai-1", "ms-own")
    desk.holds("ai-2", "ms-other")
    if not listed:
        desk.cloud.services.clear()
    changed: dict[str, Any] = {"ai_nodes": ["ai-1", "ai-2"], "model_name": "Qwen4"}
    assert desk.tell(_DECLARED, **changed) == []
    assert desk.cloud.asked == []
    desk.owners.own(f"{_URN}model", own)  # as diff does
    model, node = desk.tell({"__provider": "…"}, **changed)
    assert model.startswith("model_name should be")
    assert node.startswith(f"ai_nodes[1] should be a free AI node, got 'ai-2': it is {is_}")


_GONE = (
    "model_name should be a model that region cn-hangzhou lists, got 'Old', which it lists no "
    "more. Model service gp-1:ms-1 was made with it, and cannot be made again once it is deleted: "
    "undo what replaces it, or choose a listed model. It lists Qwen3-8B, Qwen3-Embedding-8B."
)


@pytest.mark.parametrize("runs", ["Old", " old"])
def test_a_replacement_whose_model_left_the_catalogue_names_what_would_be_lost(
    desk: _Desk, runs: str
) -> None:
    """Asked by a diff or not, as with a taint, and where only the state knows the model."""
    own = desk.holds("ai-1", model="Old")
    old: dict[str, Any] = {**_DECLARED, "model_name": runs}
    assert desk.tell(old, model_name="Old") == []  # no diff so far says that it is replaced
    desk.owners.own(f"{_URN}model", own)
    assert desk.tell(model_name="Old") == [_GONE]
    tainted = _Desk()
    tainted.stack = {f"{_URN}model": StackEntry(own, model=runs)}
    assert tainted.tell(model_name="Old")[0] == _GONE


def test_a_replacement_whose_model_is_not_known_yet_names_what_may_be_lost(desk: _Desk) -> None:
    """By the model of the service that goes; not where that is listed, gone, or moves away."""
    own = desk.holds("ai-1", model="Old")
    old: dict[str, Any] = {**_DECLARED, "model_name": "Old"}
    desk.stack = {f"{_URN}model": StackEntry(own, model="Old")}
    assert desk.tell(old, model_name=UNKNOWN) == []
    assert desk.tell(model_name=UNKNOWN) == [
        "model_name is not known yet. Model service gp-1:ms-1 was made with 'Old', which region "
        "cn-hangzhou lists no more, and cannot be made again with it once it is deleted. Region "
        "cn-hangzhou lists Qwen3-8B, Qwen3-Embedding-8B."
    ]
    desk.deleted.add(own)
    assert desk.tell(model_name=UNKNOWN, description="new") == []
    for model, region in (("qwen3-8b", None), (None, None), ("Old", "cn-beijing")):
        another = _Desk()
        another.has("ai-1")
        another.stack = {f"{_URN}model": StackEntry(own, model=model)}
        another.tell({**old, "model_name": model, "region_id": region})
        assert another.tell(model_name=UNKNOWN) == []


def test_a_replacement_by_a_model_that_is_not_listed_says_that_nothing_takes_its_place(
    desk: _Desk,
) -> None:
    """A mistyped model. Where the service is deleted already, there is nothing to be lost."""
    own = desk.holds("ai-1")
    desk.stack = {f"{_URN}model": StackEntry(own)}
    lost = f"Once model service {own} is deleted, nothing can take its place. "
    unlisted = "model_name should be a model that region cn-hangzhou lists, got 'bge'. "
    lists = "It lists Qwen3-8B, Qwen3-Embedding-8B."
    assert desk.tell(model_name="bge")[0] == f"{unlisted}{lost}{lists}"
    gone = _Desk()
    gone.stack = {f"{_URN}model": StackEntry(own, replaced=True, model="bge")}
    assert gone.tell(model_name="bge")[0] == f"{unlisted}{lists}"


@pytest.mark.parametrize(
    ("held", "deleted"),
    [
        ({"replaced": True}, False),  # by a run before
        (None, True),  # by this one, and the state is not to be had
        ({}, True),
        ({"kept_by": "retain_on_delete"}, False),
    ],
)
def test_nothing_is_to_be_lost_where_no_service_is_about_to_be_deleted(
    desk: _Desk, held: dict[str, Any] | None, *, deleted: bool
) -> None:
    """A replacement was told by diff before; what is said is about the model alone."""
    own = ModelServiceId("gp-1", "ms-1")
    desk.stack = None if held is None else {f"{_URN}model": StackEntry(own, **held)}
    old: dict[str, Any] = {**_DECLARED, "model_name": "bge"}
    desk.tell(old)
    desk.owners.own(f"{_URN}model", own)
    if deleted:
        desk.deleted.add(own)
    assert desk.tell(model_name="bge")[0] == (
        "model_name should be a model that region cn-hangzhou lists, got 'bge'. It lists Qwen3-8B, "
        "Qwen3-Embedding-8B."
    )


def test_a_model_that_another_region_lists_has_not_left_the_catalogue(desk: _Desk) -> None:
    """A service that moves: where it runs, its model may be listed."""
    own = desk.holds("ai-1")
    desk.tell({**_DECLARED, "model_name": "bge"}, region_id="cn-hangzhou")
    desk.owners.own(f"{_URN}model", own)
    assert desk.tell(model_name="bge", region_id="cn-hangzhou")[0] == (
        "model_name should be a model that region cn-hangzhou lists, got 'bge'. Once model service "
        f"{own} is deleted, nothing can take its place. It lists Qwen3-8B, Qwen3-Embedding-8B."
    )


def test_a_take_over_may_use_the_nodes_of_its_service(desk: _Desk) -> None:
    """StackEntry by itself is as it should be; nothing is created, so no model is asked for."""
    desk.has("ai-1", "ai-2", bound=("ai-1", "ai-2"))
    own = desk.holds("ai-1", model="Old")
    assert desk.tell(__adopt=str(own), model_name="Old") == []
    assert "models" not in desk.cloud.asked


_NONE_THERE = (
    "a model service of instance gp-1, got 'gp-1:ms-1': there is none. Correct the id, or remove "
    "import_ to create a new service."
)
_NEVER = "a model service that is active or on its way, got 'gp-1:ms-1'"
_AS_DECLARED = "a model service that is as declared, got"


@pytest.mark.parametrize(
    ("status", "adopt", "inputs", "why"),
    [
        (None, "gp-1:ms-1", {}, _NONE_THERE),
        ("deleted", "gp-1:ms-1", {}, _NONE_THERE),
        (
            "deploy_failed",
            "gp-1:ms-1",
            {},
            f"{_NEVER}: the deployment failed, status 'deploy_failed'.",
        ),
        ("deleting", "gp-1:ms-1", {}, f"{_NEVER}: it is being deleted, status 'deleting'."),
        (
            "active",
            "gp-1:ms-1",
            {"ai_nodes": ["ai-2"]},
            f"{_AS_DECLARED} 'gp-1:ms-1': model_name is declared 'Qwen3-8B', the service runs "
            "'Old'; ai_nodes are declared ['ai-2'], the service is on ['ai-1']. Declare what is "
            "there.",
        ),
        # A part of the declaration says nothing of the rest.
        ("active", "gp-1:ms-1", {"description": UNKNOWN}, None),
        # The services of that instance are not asked for.
        (
            None,
            "gp-2:ms-1",
            {},
            f"{_AS_DECLARED} 'gp-2:ms-1': db_instance_id is declared 'gp-1', the id says 'gp-2'. "
            "Declare what is there.",
        ),
    ],
)
def test_a_take_over_that_will_not_work_is_told(
    desk: _Desk, status: str | None, adopt: str, inputs: dict[str, Any], why: str | None
) -> None:
    """One line says why; what replaces a service that was taken over is created, not taken over."""
    if status is not None:
        found = ModelServiceDetails(ModelServiceId("gp-1", "ms-1"), status, "Old", None, ("ai-1",))
        desk.cloud.services.append(found)
    told = [] if why is None else [f"import_ should name {why}"]
    assert desk.tell(__adopt=adopt, **inputs) == told
    other = f"{_URN}other"
    assert desk.tell(_DECLARED, urn=other, ai_nodes=["ai-3"]) == []
    assert desk.tell(__adopt=adopt, urn=other, ai_nodes=["ai-3"]) == []


def test_a_take_over_onto_a_node_of_another_is_told(desk: _Desk) -> None:
    """Who else is in the way, beside all that differs."""
    own = desk.holds("ai-1")
    desk.holds("ai-2", "ms-2")
    differs, held = desk.tell(__adopt=str(own), ai_nodes=["ai-2"])
    assert differs.startswith(f"import_ should name {_AS_DECLARED} 'gp-1:ms-1': ai_nodes")
    assert held.startswith("ai_nodes[0] should be a free AI node, got 'ai-2': it is held by model")


def test_an_import_that_was_left_in_is_not_told(desk: _Desk) -> None:
    """Of a resource that the state has: a new one is created, whatever became of that service."""
    held = StackEntry(ModelServiceId("gp-1", "ms-9"), replaced=True, imported="gp-1:ms-1")
    desk.stack = {f"{_URN}model": held}
    assert desk.tell(__adopt="gp-1:ms-1") == []
    assert desk.tell(__adopt="gp-1:ms-2") != []


def test_what_this_run_deleted_holds_nothing(desk: _Desk) -> None:
    """Lists may show it, and its node as bound, a while longer."""
    desk.has("ai-1", bound=("ai-1",))
    desk.deleted.add(desk.holds("ai-1"))
    assert desk.tell() == []


@pytest.mark.parametrize("first", ["old", "new"])
def test_two_resources_on_one_node_are_told_in_the_new_ones_row(desk: _Desk, first: str) -> None:
    """The engine may tell of one that exists after the new one; what is there is not refused."""
    desk.has("ai-1", "ai-2", "ai-3", bound=("ai-1",))
    for name in (first, "new" if first == "old" else "old"):
        desk.tell(_DECLARED if name == "old" else {}, urn=_URN + name, ai_nodes=["ai-2"])
    assert desk.voices[f"{_URN}old"].warnings == []
    assert desk.voices[f"{_URN}new"].warnings == [
        "ai_nodes[0] should be a node of its own, got 'ai-2': resource 'old' of this program "
        "names it too, and a node hosts one model."
    ]
    _, bound = desk.tell(urn=f"{_URN}newer", ai_nodes=["ai-2", "ai-1"])
    assert bound.endswith("Free AI nodes: ai-3.")
    assert len(desk.tell(urn=f"{_URN}newest", ai_nodes=["ai-1"])) == 1  # not of its holder too
    assert desk.tell(urn=f"{_URN}else", ai_nodes=["ai-2"], db_instance_id="gp-2") == []


_HELD = (
    "ai_nodes[0] should be a free AI node, got 'ai-1': it is held by model service gp-1:ms-1, "
    "which runs Qwen3-8B. Free AI nodes: ai-2, ai-3."
)


def test_a_holder_that_the_program_has_no_more_is_told_as_the_create_will(desk: _Desk) -> None:
    """With the alias and the target; it is not left by an interrupted run."""
    old = desk.has_old()
    (told,) = desk.tell(number=1)
    standing = desk.owners.standing(f"{_URN}model", ModelServiceId("gp-1", "ms-1"), "ai-1")
    assert told == f"{_HELD} {standing.advice}"
    assert f'aliases=["{old}"]' in told


def test_a_holder_that_may_still_be_declared_is_told_once_it_is_not(desk: _Desk) -> None:
    """Each check tells how many there are; the last one finds out."""
    desk.has_old()
    assert desk.tell(number=2) == []
    assert desk.tell(urn=f"{_URN}other", ai_nodes=["ai-2"], number=2) == []
    (told,) = desk.voices[f"{_URN}model"].warnings
    assert told.startswith(f"{_HELD} It is resource 'old' of this stack.")
    desk.tell(_DECLARED, urn=f"{_URN}third", ai_nodes=["ai-3"], number=3)
    assert len(desk.voices[f"{_URN}model"].warnings) == 1


def test_a_neighbour_that_did_not_pass_its_check_hides_nothing(desk: _Desk) -> None:
    """It has no row of findings; what is to be said of others is said."""
    desk.has_old()
    assert desk.tell(number=3) == []
    desk.owners.declare(f"{_URN}wrong", {}, _DECLARED | {"ai_nodes": ["ai-2"]}, 3)
    assert desk.tell(_DECLARED, urn=f"{_URN}last", ai_nodes=["ai-2"], number=3) == []
    assert desk.voices[f"{_URN}model"].warnings == []
    desk.owners.own(f"{_URN}last", ModelServiceId("gp-1", "ms-9"))
    desk.preflight.tell_more()
    assert len(desk.voices[f"{_URN}model"].warnings) == 1


def test_a_holder_that_is_declared_meanwhile_and_leaves_is_not_told(desk: _Desk) -> None:
    """It moves to another node: the create waits for it."""
    old = desk.has_old()
    assert desk.tell(number=2) == []
    assert desk.tell(_DECLARED, urn=old, ai_nodes=["ai-2"], number=2) == []
    assert desk.voices[f"{_URN}model"].warnings == []


def test_a_holder_that_is_no_hindrance_by_then_is_not_told(desk: _Desk) -> None:
    """The create waits for one that is being deleted, or is answered with the one of its token."""
    service = ModelServiceId("gp-1", "ms-1")
    desk.cloud.services.append(ModelServiceDetails(service, "deleting", ai_nodes=("ai-1",)))
    desk.stack = {f"{_URN}old": StackEntry(desk.holds("ai-2", "ms-2"), client_token="t")}
    assert desk.tell(client_token="t", ai_nodes=["ai-1", "ai-2"], number=1) == []


def test_what_a_replacement_keeps_is_told(desk: _Desk) -> None:
    """`retain_on_delete`: its own service holds the node when the other is created."""
    desk.has("ai-1", "ai-2", "ai-3", bound=("ai-1",))
    own = desk.holds("ai-1")
    desk.stack = {f"{_URN}model": StackEntry(own, kept_by="retain_on_delete")}
    desk.tell(_DECLARED, model_name="Qwen3-Embedding-8B")
    desk.owners.own(f"{_URN}model", own)
    (told,) = desk.tell(model_name="Qwen3-Embedding-8B")
    assert told.startswith(f"{_HELD} It is what this resource had until now, and retain_on_dele")


def test_nothing_is_told_twice(desk: _Desk) -> None:
    """Not to one resource; to another one it is."""
    assert len(desk.tell(ai_nodes=["ai-8"])) == 1
    assert desk.tell(ai_nodes=["ai-8"]) == []
    assert len(desk.tell(ai_nodes=["ai-9"], urn=f"{_URN}other")) == 1
    assert len(desk.cloud.asked) == 3


@given(
    unknown=st.sets(st.sampled_from(["db_instance_id", "model_name", "ai_nodes", "ai_nodes[0]"]))
)
def test_what_is_not_known_yet_is_passed_over_one_by_one(unknown: set[str]) -> None:
    """What is known beside it is still looked at."""
    desk = _Desk()
    desk.has("ai-1")
    nodes: Any = [UNKNOWN if "ai_nodes[0]" in unknown else "ai-8", "ai-9"]
    inputs = {"model_name": "other", "ai_nodes": nodes}
    inputs |= {name: UNKNOWN for name in unknown if "[" not in name}
    told = {finding.partition(" ")[0] for finding in desk.tell(**inputs)}
    expected = {"model_name", "ai_nodes[0]", "ai_nodes[1]"} - unknown
    if unknown & {"db_instance_id", "ai_nodes"}:
        expected &= {"model_name"}
    assert told == expected


def test_nothing_is_asked_for_a_region_that_is_not_known(desk: _Desk) -> None:
    """Another region would have other models."""
    assert desk.tell(region_id=UNKNOWN, model_name="other") == []
    assert desk.cloud.asked == []


@pytest.mark.parametrize(
    "error",
    [
        AccessError("List", "of it", "no"),
        ConfigurationError("no credentials"),
        NotFoundError("List", "of it", "not there"),
        ServerError("List", "of it", "a fault"),
        ThrottledError("List", "of it", "slower"),
        TransportError("List", "of it", "no answer"),
        RuntimeError("a defect"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_failure_is_silent_and_not_repeated(desk: _Desk, error: Exception) -> None:
    """A refusal ends its own question only, any other failure ends all asking."""
    desk.cloud.errors = dict.fromkeys(("models", "nodes", "services"), error)
    assert desk.tell(model_name="other", ai_nodes=["ai-9"]) == []
    asked = len(desk.cloud.asked)
    assert desk.tell(model_name="other", ai_nodes=["ai-9"]) == []
    assert len(desk.cloud.asked) == asked
    desk.tell(db_instance_id="gp-2")
    refused = isinstance(error, (AccessError, NotFoundError))
    assert len(desk.cloud.asked) == asked + (2 if refused else 0)


def test_no_api_at_all_is_silent(desk: _Desk) -> None:
    """Not even a defect in the making of it is shown."""

    def broken() -> None:
        raise ImportError("no such SDK")

    desk.makes = broken  # type: ignore[method-assign]
    assert desk.tell(ai_nodes=["ai-9"]) == []
    assert desk.cloud.asked == []


@pytest.mark.parametrize("loading", [False, True], ids=["the cloud", "loading the SDK"])
def test_all_waiting_together_is_bounded(desk: _Desk, *, loading: bool) -> None:
    """What hangs is waited for once: nobody waits again, for another instance or region either."""
    if loading:  # may take as long as a call, on a slow disk
        desk.makes = desk.hang  # type: ignore[method-assign]
    else:
        desk.cloud.takes = desk.hang
    assert desk.tell(ai_nodes=["ai-9"]) == []
    assert BOUND_S <= desk.clock.now < BOUND_S + 2
    asked, threads = list(desk.cloud.asked), threading.active_count()
    assert desk.tell(ai_nodes=["ai-9"], db_instance_id="gp-2") == []
    assert desk.tell(settings=Settings("cn-beijing", None, _KEY), ai_nodes=["ai-9"]) == []
    assert desk.cloud.asked == asked
    assert threading.active_count() <= threads


def test_only_waiting_counts(desk: _Desk) -> None:
    """Not what goes by between two resources; a slow cloud uses up the time bit by bit."""

    def slow(question: str) -> None:
        if question.startswith("nodes"):
            desk.clock.now += 1.0

    desk.cloud.takes = slow
    for number in range(4):
        told = desk.tell(db_instance_id=f"gp-{number}", ai_nodes=["ai-9"])
        assert number == 2 or (told != []) is (number < 2)  # the third comes as the time runs out
        desk.clock.now += 600
    assert [name for name in desk.cloud.asked if "nodes" in name] == [
        "nodes gp-0",
        "nodes gp-1",
        "nodes gp-2",
    ]


def test_a_cancel_ends_the_waiting(desk: _Desk) -> None:
    """Without a sign from the cloud, and without time passing."""

    def hang(_question: str) -> None:
        desk.clock.cancel()
        desk.released.wait(20)

    desk.cloud.takes = hang
    assert desk.tell(ai_nodes=["ai-9"]) == []


def test_what_hangs_does_not_keep_the_process_from_its_end() -> None:
    """Python waits for threads that are not daemons, those of a pool among them."""
    program = """
import threading
from tests.service.test_preflight import _Desk
desk = _Desk()
desk.cloud.takes = desk.hang
assert desk.tell(ai_nodes=["ai-9"]) == []
assert len(threading.enumerate()) == 4, threading.enumerate()
"""
    subprocess.run([sys.executable, "-c", program], cwd=_ROOT, check=True, timeout=30)


def test_an_old_answer_proves_nothing(desk: _Desk) -> None:
    """A node that this very run has made is not in it."""
    assert desk.tell(ai_nodes=["ai-9"]) != []
    desk.clock.now += 31
    assert desk.tell(ai_nodes=["ai-8"], urn=f"{_URN}other") == []


def test_many_checks_at_once_ask_once(desk: _Desk) -> None:
    """Every one of 64 threads waits for the same answers, and uses them."""
    together = threading.Barrier(64)
    desk.makes = lambda: desk.released.wait(0.2)  # type: ignore[method-assign]
    told: list[list[str]] = []

    def check(number: int) -> None:
        together.wait()
        told.append(desk.tell(urn=f"{_URN}{number}", ai_nodes=[f"none-{number}"]))

    threads = [threading.Thread(target=check, args=(number,)) for number in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert desk.made == [_SETTINGS]
    assert sorted(desk.cloud.asked) == ["models", "nodes gp-1", "services gp-1"]
    assert [len(each) for each in told] == [1] * 64


def test_off_means_off(desk: _Desk) -> None:
    """Nothing is asked and nothing is said."""
    off = Settings("cn-hangzhou", None, _KEY, preflight=False)
    assert desk.tell(settings=off, ai_nodes=["ai-9"]) == []
    assert desk.cloud.asked == []


_KEYS = {"adbpg:accessKey": "made-up", "adbpg:secretKey": "made-up"}
_CLI, _INI = ".aliyun/config.json", ".alibabacloud/credentials.ini"


@pytest.mark.parametrize(
    ("config", "environ", "file", "asks"),
    [
        pytest.param(_KEYS, {}, None, True, id="key"),
        pytest.param({"adbpg:profile": "p"}, {}, None, True, id="profile"),
        pytest.param({"alicloud:ecsRoleName": "role"}, {}, None, True, id="ECS role"),
        pytest.param({"alicloud:credentialsUri": "http://x"}, {}, None, True, id="URI"),
        pytest.param({}, {}, None, False, id="nothing set"),
        pytest.param({}, {"ECS_METADATA_DISABLED": "true"}, None, False, id="no ECS either"),
        pytest.param({}, {}, _CLI, True, id="CLI profile"),
        pytest.param({}, {"CLI_PROFILE_DISABLED": "True"}, _CLI, False, id="CLI profile off"),
        pytest.param({}, {}, _INI, True, id="ini"),
        pytest.param({}, {"CREDENTIALS_FILE": "~/my.ini"}, "my.ini", True, id="own ini"),
        pytest.param({}, {"CREDENTIALS_FILE": "~/my.ini"}, _INI, False, id="own ini missing"),
    ],
)
def test_the_default_chain_is_asked_only_when_something_is_set(
    desk: _Desk,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    config: dict[str, str],
    environ: dict[str, str],
    file: str | None,
    *,
    asks: bool,
) -> None:
    """Else it would look for a role at the metadata address, which takes seconds elsewhere."""
    monkeypatch.setenv("HOME", str(tmp_path))
    if file is not None:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    variables = {f"ALIBABA_CLOUD_{name}": value for name, value in environ.items()}
    desk.tell(settings=Settings.resolve(config.get, variables, "cn-hangzhou"))
    assert bool(desk.cloud.asked) is asks
