"""One owner: what a run knows of who has which service, asked as the engine asks."""

from __future__ import annotations

import pytest

from pulumi_adbpg_model.testing import Simulator
from tests.chaos.hosting import MovedClock, TimedHost
from tests.provider.dynamic_host import (
    UNKNOWN,
    Diffed,
    DynamicHost,
    HostError,
    Properties,
    Stored,
    kept_by,
)
from tests.provider.exported import Exported

_SAME = Diffed("DIFF_NONE", [], delete_before_replace=True)


def _urn(name: str) -> str:
    return f"urn:pulumi:dev::shop::pulumi-python:dynamic/adbpg:ModelService::{name}"


def _named(name: str) -> str:
    return f"'{name}' ({_urn(name)})"


A, B = _urn("a"), _urn("b")


def _ask(host: TimedHost, urn: str, stored: Stored, news: Properties) -> Diffed:
    """Check and diff of a resource that the state has, as at the start of an `up`."""
    checked = host.check(news, stored.outs, urn=urn)
    assert checked.failures == []
    return host.diff(stored, checked.inputs, urn=urn)


def _replace(host: TimedHost, urn: str, stored: Stored, news: Properties) -> None:
    """The same, and the check of what is made in its place."""
    assert _ask(host, urn, stored, news).replaces
    assert host.check(news, urn=urn).failures == []


@pytest.fixture
def alive(quick: TimedHost, cloud: Simulator, inputs: Properties) -> Stored:
    """The service of `a`, on ai-1, from an earlier run."""
    stored = quick.create(inputs, urn=A)
    cloud.clear_requests()
    return stored


# At preview


def test_one_import_in_two_resources_is_refused(quick: TimedHost, inputs: Properties) -> None:
    """The later one is, by the name of the other; what exists already keeps the option."""
    adopting = {**inputs, "__adopt": "gp-1:ms-7"}
    assert quick.check(adopting, urn=A).failures == []
    assert quick.check(adopting, urn=B).failures == [
        (
            "",
            f"import_ names model service gp-1:ms-7, which resource {_named('a')} of this program "
            "imports too. A service has one owner: remove import_ here, or take 'a' out of the "
            "program, which leaves the service to this one.",
        )
    ]
    assert quick.check(adopting, inputs, urn=_urn("c")).failures == []


def test_an_import_of_what_another_resource_has_is_refused(
    following: TimedHost, alive: Stored, inputs: Properties
) -> None:
    """Whichever of the two the program declares first."""
    assert _ask(following, A, alive, inputs) == _SAME
    ((_, reason),) = following.check({**inputs, "__adopt": alive.id}, urn=B).failures
    assert reason.startswith(
        f"import_ names model service {alive.id}, which resource {_named('a')} of this program has "
    )


def test_what_another_resource_is_to_take_over_is_refused_to_its_owner(
    following: TimedHost, cloud: Simulator, alive: Stored, inputs: Properties
) -> None:
    """The import comes first, so that the owner's diff tells."""
    assert following.check({**inputs, "__adopt": alive.id}, urn=B).failures == []
    with pytest.raises(HostError) as refused:
        _ask(following, A, alive, inputs)
    assert str(refused.value) == (
        f"update of model service {alive.id} failed: resources {_named('a')} and {_named('b')} of "
        "this program both have it, and a service has one owner. Take 'a' or 'b' out of the "
        "program: its deletion leaves the service to the other."
    )
    assert cloud.mutations == []


def test_one_client_token_in_two_resources_is_refused(quick: TimedHost, inputs: Properties) -> None:
    """It would lead to one service; the token may be a secret, and is not shown."""
    mine = {**inputs, "client_token": "made-up-token"}
    assert quick.check(mine, urn=A).failures == []
    assert quick.check({**mine, "ai_nodes": ["ai-2"]}, urn=B).failures == [
        (
            "",
            f"client_token is the one of resource {_named('a')} too, and would lead to the same "
            "service. Set another client_token, or leave it out to have one derived.",
        )
    ]
    later = {**mine, "region_id": UNKNOWN}  # regions of other resources: they may differ
    assert quick.check(later, urn=_urn("f")).failures == []
    assert quick.check(later, urn=_urn("g")).failures == []
    elsewhere = {**mine, "region_id": "cn-beijing"}
    assert quick.check(elsewhere, urn=_urn("c")).failures == []
    assert quick.check({**mine, "client_token": "other"}, urn=_urn("d")).failures == []
    assert quick.check(mine, mine, urn=_urn("e")).failures == []


def test_a_service_that_two_resources_have_is_refused_to_the_second(
    following: TimedHost, cloud: Simulator, alive: Stored, inputs: Properties
) -> None:
    """Left by an earlier release, or by hand: nothing is changed, and the way out is safe."""
    assert _ask(following, A, alive, inputs) == _SAME
    with pytest.raises(HostError, match="both have it, and a service has one owner"):
        _ask(following, B, alive, inputs)
    following.delete(alive, urn=B)
    assert cloud.mutations == []


def test_a_refresh_and_a_lookup_own_nothing(
    following: TimedHost, cloud: Simulator, alive: Stored, inputs: Properties
) -> None:
    """An engine that asks diff in a refresh, before the program has run, is answered."""
    for urn in (A, B):
        following.refresh(alive, urn=urn)
        assert following.diff(alive, inputs, urn=urn) == _SAME
    following.get(alive.id, {})
    following.delete(alive, urn=B)
    assert [call.action for call in cloud.mutations] == ["DeleteModelService"]


# A changed import_


@pytest.mark.parametrize("before", [None, "gp-1:ms-old"])
def test_another_import_on_a_resource_that_exists_is_refused(
    following: TimedHost,
    cloud: Simulator,
    alive: Stored,
    inputs: Properties,
    before: str | None,
) -> None:
    """Nothing changes, and both ways out are said."""
    stored = Stored(alive.id, {**alive.outs, **({"__adopt": before} if before else {})})
    with pytest.raises(HostError) as refused:
        _ask(following, A, stored, {**inputs, "__adopt": "gp-1:ms-7"})
    assert str(refused.value) == (
        f"import_ names model service gp-1:ms-7, but this resource has {alive.id}. To keep that "
        "one, remove import_. To have it manage gp-1:ms-7 instead, give up "
        f"{alive.id} first: `pulumi state delete {A}` leaves it as it is, billed, and then `pulumi "
        "up` takes the other over."
    )
    assert cloud.mutations == []


def test_another_import_on_what_is_tainted_is_refused_before_the_deletion(
    following: TimedHost, cloud: Simulator, exported: Exported, alive: Stored, inputs: Properties
) -> None:
    """It comes without a diff, as if it were new; what import_ names may be gone, or different."""
    exported.hold(A, alive)
    adopting = {**inputs, "__adopt": "gp-1:ms-7"}
    following.check(adopting, urn=A)
    with pytest.raises(HostError, match="import_ names model service gp-1:ms-7, but this resource"):
        following.delete(alive, urn=A)
    assert cloud.mutations == []
    following.check({**adopting, "__adopt": alive.id}, inputs, urn=A)
    following.delete(alive, urn=A)
    assert [call.action for call in cloud.mutations] == ["DeleteModelService"]


def test_what_was_deleted_for_its_successor_is_in_the_way_of_no_import(
    following: TimedHost, exported: Exported, alive: Stored, inputs: Properties
) -> None:
    """An interrupted replacement left it in the state; the import finishes that."""
    exported.hold(A, alive, replaced=True)
    assert _ask(following, A, alive, {**inputs, "__adopt": "gp-1:ms-7"}) == _SAME


def test_an_import_that_is_its_own_or_was_left_in_means_nothing(
    following: TimedHost, alive: Stored, inputs: Properties
) -> None:
    """Also where the service that was taken over then is not the one that it has by now."""
    assert _ask(following, A, alive, {**inputs, "__adopt": alive.id}) == _SAME
    replaced = Stored(alive.id, {**alive.outs, "__adopt": "gp-1:ms-old"})
    assert _ask(following, A, replaced, {**inputs, "__adopt": "gp-1:ms-old"}) == _SAME
    assert _ask(following, A, replaced, inputs) == _SAME


def test_an_import_that_was_left_in_costs_no_later_service(
    quick: TimedHost, following: TimedHost, cloud: Simulator, inputs: Properties
) -> None:
    """The first replacement and the second each make a new one, in runs of their own."""
    first = quick.create(inputs, urn=B)
    quick.delete(first, urn=B)
    imported = Stored(first.id, {**first.outs, "__adopt": first.id})
    for host, description in ((quick, "second"), (following, "third")):
        news = {**inputs, "__adopt": first.id, "description": description}
        _replace(host, A, imported, news)
        host.delete(imported, urn=A)
        imported = host.create(news, urn=A)
        assert imported.outs["description"] == description
    (left,) = (one for one in cloud.services if one.instance_id == inputs["db_instance_id"])
    assert imported.id.endswith(left.id)


# What is deleted, and what not


def test_what_was_taken_over_is_not_deleted_by_its_former_owner(
    following: TimedHost,
    cloud: Simulator,
    exported: Exported,
    alive: Stored,
    inputs: Properties,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The state forgets it there, a note says whose it is by now, and no call is made."""
    exported.hold(A, alive)
    adopting = {**inputs, "__adopt": alive.id}
    assert following.check({**adopting, "__number": 1}, urn=B).failures == []
    taken = following.create(adopting, urn=B)
    following.delete(alive, urn=A)
    assert (taken.id, cloud.mutations) == (alive.id, [])
    assert capsys.readouterr().out.splitlines()[-2:] == [
        f"{alive.id} was resource {_named('a')}, whose deletion leaves it alone from now on",
        f"{alive.id} is resource {_named('b')} by now: it is left alone",
    ]
    following.delete(taken, urn=B)
    assert [call.action for call in cloud.mutations] == ["DeleteModelService"]


def test_a_client_token_of_ones_own_hands_a_service_over_too(
    quick: TimedHost,
    following: TimedHost,
    cloud: Simulator,
    exported: Exported,
    inputs: Properties,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A resource that is renamed keeps its service, and is not told a story of interrupted runs."""
    mine = {**inputs, "client_token": f"mine {inputs['db_instance_id']}"}
    stored = quick.create(mine, urn=A)
    exported.hold(A, stored)
    assert following.check({**mine, "__number": 1}, urn=B).failures == []
    capsys.readouterr()
    assert following.create(mine, urn=B).id == stored.id
    following.delete(stored, urn=A)
    said = capsys.readouterr().out
    assert "exists already with this client_token: nothing new was created" in said
    assert "earlier run of this declaration" not in said
    assert {call.action for call in cloud.mutations} == {"CreateModelService"}


def test_what_another_resource_failed_to_take_over_is_not_deleted(
    following: TimedHost, cloud: Simulator, alive: Stored, inputs: Properties
) -> None:
    """It stays in the state of its owner until the declaration is corrected."""
    adopting = {**inputs, "__adopt": alive.id, "description": "not so"}
    cloud.change_service(alive.outs["model_service_id"], description="so")
    assert following.check(adopting, urn=B).failures == []
    with pytest.raises(HostError, match="the declaration differs from the service"):
        following.create(adopting, urn=B)
    with pytest.raises(HostError) as refused:
        following.delete(alive, urn=A)
    assert str(refused.value) == (
        f"delete of model service {alive.id} was not sent: resource {_named('b')} is to take it "
        "over, and has not. Correct that one, then run `pulumi up` again."
    )
    assert cloud.mutations == []


def test_a_take_over_of_what_the_program_still_has_is_refused_in_the_create_too(
    following: TimedHost,
    cloud: Simulator,
    exported: Exported,
    alive: Stored,
    inputs: Properties,
) -> None:
    """An id that is known only then: the owner is waited for, as it may be declared later."""
    exported.hold(A, alive)
    assert following.check({**inputs, "__number": 2}, urn=B).failures == []
    assert following.check({**inputs, "__number": 2}, inputs, urn=A).failures == []
    with pytest.raises(HostError) as refused:
        following.create({**inputs, "__adopt": alive.id}, urn=B)
    assert str(refused.value).startswith(
        f"model service {alive.id} is resource {_named('a')} of this program, and a service has "
        "one owner. "
    )
    assert cloud.mutations == []


def test_what_is_renamed_and_replaced_at_once_is_deleted_under_its_old_name(
    following: TimedHost, cloud: Simulator, alive: Stored, inputs: Properties
) -> None:
    """With an alias the engine checks the new name and deletes the old one: one resource."""
    news = {**inputs, "description": "new"}
    _replace(following, B, alive, news)
    following.delete(alive, urn=A)
    made = following.create(news, urn=B)
    assert made.id != alive.id
    assert [call.action for call in cloud.mutations] == ["DeleteModelService", "CreateModelService"]


# The nodes of what comes instead


@pytest.mark.parametrize("name", ["a", "before-an-alias"])
def test_nothing_is_deleted_for_a_node_that_somebody_else_holds(
    host: DynamicHost,
    following: TimedHost,
    cloud: Simulator,
    exported: Exported,
    alive: Stored,
    inputs: Properties,
    name: str,
) -> None:
    """Under an old name neither: the create would be refused, and nothing would be left."""
    exported.hold(_urn(name), alive)
    foreign = host.create({**inputs, "ai_nodes": ["ai-2"]})
    cloud.clear_requests()
    _replace(following, A, alive, {**inputs, "ai_nodes": ["ai-2"]})
    with pytest.raises(HostError) as refused:
        following.delete(alive, urn=_urn(name))
    assert str(refused.value) == (
        f"delete of model service {alive.id} was not sent, since what replaces it cannot be "
        f"created: AI node ai-2 is held by model service {foreign.id}, which runs "
        "Qwen3-Embedding-8B. To take that service over, declare it with "
        f'opts=ResourceOptions(import_="{foreign.id}"), if no other stack has it; else choose a '
        "free node, or delete that service."
    )
    assert cloud.mutations == []


@pytest.mark.parametrize("why", ["it leaves", "it is being deleted", "nothing is listed", "own"])
def test_it_is_deleted_where_the_node_will_be_free(
    quick: TimedHost,
    following: TimedHost,
    cloud: Simulator,
    alive: Stored,
    inputs: Properties,
    why: str,
) -> None:
    """The holder goes in the same run or of its own accord; and no look is needed for a delete."""
    on_2, wanted = {**inputs, "ai_nodes": ["ai-2"]}, {**inputs, "ai_nodes": ["ai-2"]}
    if why == "own":
        wanted = {**inputs, "description": "new"}
    else:
        other = quick.create(on_2, urn=B)
    if why == "it leaves":
        _ask(following, B, other, {**inputs, "ai_nodes": ["ai-3"]})
    elif why == "it is being deleted":
        cloud.change_service(other.outs["model_service_id"], status="Releasing")
    _replace(following, A, alive, wanted)
    if why == "nothing is listed":
        cloud.inject("forbidden", "ListModelServices")
    cloud.clear_requests()
    following.delete(alive, urn=A)
    assert [call.action for call in cloud.mutations] == ["DeleteModelService"]


def test_what_is_not_known_to_have_another_name_is_not_called_gone(
    quick: TimedHost,
    following: TimedHost,
    cloud: Simulator,
    exported: Exported,
    alive: Stored,
    inputs: Properties,
) -> None:
    """Between check and diff of the last resource, its service still goes by the old name."""
    on_2, on_3 = {**inputs, "ai_nodes": ["ai-2"]}, {**inputs, "ai_nodes": ["ai-3"]}
    other = quick.create(on_2, urn=B)
    exported.hold(A, alive)
    exported.hold(B, other)
    cloud.clear_requests()
    _replace(following, A, alive, {**on_2, "__number": 2})
    renamed = _urn("c")
    following.check({**on_3, "__number": 2}, on_2, urn=renamed)
    with pytest.raises(HostError) as refused:
        following.delete(alive, urn=A)
    assert str(refused.value).endswith(
        "It is resource 'b' of this stack, which the program has not declared so far. If it is to "
        f"leave that node, let it go first: `pulumi up --target {B}`, then run `pulumi up` again; "
        "where the two change places, give one of them a free node first. Else choose a free node."
    )
    assert following.diff(other, on_3, urn=renamed).replaces == ["ai_nodes"]
    following.delete(alive, urn=A)
    assert [call.action for call in cloud.mutations] == ["DeleteModelService"]


@pytest.mark.parametrize("renamed", [True, False])
def test_a_preview_tells_of_a_holder_once_it_knows_all_names(
    following: TimedHost,
    exported: Exported,
    alive: Stored,
    inputs: Properties,
    capsys: pytest.CaptureFixture[str],
    *,
    renamed: bool,
) -> None:
    """The last resource may be the holder's, under another name: its diff tells."""
    exported.hold(A, alive)
    wanted = _urn("wanted")
    following.check({**inputs, "__number": 2}, urn=wanted)
    moved = {**inputs, "ai_nodes": ["ai-3"]}
    last = alive if renamed else Stored("gp-other:ms-1", alive.outs)
    following.check({**moved, "__number": 2}, inputs, urn=_urn("last"))
    assert "is held by" not in capsys.readouterr().out
    following.diff(last, moved, urn=_urn("last"))
    assert ("is held by" in capsys.readouterr().out) is not renamed


# A refused create


def _refused(host: TimedHost, urn: str, inputs: Properties) -> str:
    with pytest.raises(HostError) as refused:
        host.create(inputs, urn=urn)
    text = str(refused.value)
    assert "AI node ai-1 is held by model service" in text
    return text.partition("which runs Qwen3-Embedding-8B. ")[2]


def test_a_node_of_another_resource_of_the_program_is_refused_by_name(
    following: TimedHost, alive: Stored, inputs: Properties
) -> None:
    """Both declare it, so that neither an alias nor an import would help."""
    _ask(following, A, alive, inputs)
    following.check(inputs, urn=B)
    assert _refused(following, B, inputs) == (
        f"It is resource {_named('a')} of this program, which declares that node too, and a node "
        "hosts one model. Choose another node for one of the two."
    )


_ALIAS = (
    "It is resource 'a' of this stack. If this is that one under another name or parent, say so "
    f'with opts=ResourceOptions(aliases=["{A}"]).'
)
_REMOVE = (
    f"If the program has no 'a' any more, `pulumi destroy --target {A}` deletes it; then run "
    "`pulumi up` again. Else choose a free node."
)
_LET_GO = (
    "It is resource 'a' of this stack, which the program has not declared so far. If it is to "
    f"leave that node, let it go first: `pulumi up --target {A}`, then run `pulumi up` again; "
    "where the two change places, give one of them a free node first. Else choose a free node."
)


@pytest.mark.parametrize(
    ("number", "existed", "told"),
    [
        pytest.param(1, False, f"{_ALIAS} {_REMOVE}", id="another name"),
        pytest.param(
            1, True, f"It is resource 'a' of this stack. {_REMOVE}", id="one that there was before"
        ),
        pytest.param(2, False, _LET_GO, id="more is to come"),
        pytest.param(None, False, _LET_GO, id="the program does not say"),
    ],
)
def test_a_node_of_a_resource_that_the_program_does_not_have_is_refused_with_what_helps(
    following: TimedHost,
    exported: Exported,
    alive: Stored,
    inputs: Properties,
    number: int | None,
    told: str,
    *,
    existed: bool,
) -> None:
    """An import is never among it."""
    exported.hold(A, alive)
    if existed:
        exported.hold(B, Stored(f"{inputs['db_instance_id']}:ms-gone", alive.outs))
    said = {} if number is None else {"__number": number}
    following.check({**inputs, **said}, urn=B)
    assert _refused(following, B, inputs) == told
    assert exported.asked[0] == ("acme", B)


def test_the_state_of_the_stack_is_asked_for_by_deletions_alone_where_all_is_well(
    quick: TimedHost, exported: Exported, inputs: Properties
) -> None:
    """It takes a command of its own, for which every other create would wait."""
    quick.check(inputs, urn=A)
    stored = quick.create(inputs, urn=A)
    assert _ask(quick, A, stored, inputs) == _SAME
    _replace(quick, A, stored, {**inputs, "description": "new"})
    assert exported.asked == []
    quick.delete(stored, urn=A)
    assert exported.asked == [("acme", A)]
    quick.create({**inputs, "description": "new"}, urn=A)
    assert exported.asked == [("acme", A)]


@pytest.mark.parametrize("there", [True, False])
def test_a_node_of_nobody_is_refused_with_the_import(
    following: TimedHost, exported: Exported, alive: Stored, inputs: Properties, *, there: bool
) -> None:
    """Where the state cannot be had, the person is to look there first; it is asked for once."""
    exported.there = there
    following.check(inputs, urn=B)
    for _ in range(2):
        told = _refused(following, B, inputs)
        assert told.startswith("To take that service over, ") is there
        assert told.endswith(
            f'declare it with opts=ResourceOptions(import_="{alive.id}"), if no other stack has '
            "it; else choose a free node, or delete that service."
        )
        assert ("`pulumi stack --show-urns --show-ids` tells" in told) is not there
    assert there or len(exported.asked) == 1


def test_what_retain_on_delete_kept_is_neither_resumed_nor_to_be_imported_blindly(
    following: TimedHost, cloud: Simulator, exported: Exported, alive: Stored, inputs: Properties
) -> None:
    """With --replace the engine deletes nothing: on the same nodes nothing else can be made."""
    exported.hold(A, alive, retained=True)
    _replace(following, A, alive, {**inputs, "replicas": 2})
    assert _refused(following, A, {**inputs, "replicas": 2}).startswith(
        "It is what this resource had until now, and retain_on_delete kept it. Choose another node"
    )
    assert _refused(following, A, inputs).startswith("It is what this resource had until now")
    elsewhere = following.create({**inputs, "ai_nodes": ["ai-2"]}, urn=A)
    assert elsewhere.id != alive.id
    assert "DeleteModelService" not in {call.action for call in cloud.mutations}


# What is not stored


def test_the_number_of_resources_is_of_the_run_and_not_stored(
    quick: TimedHost, cloud: Simulator, inputs: Properties
) -> None:
    """Check takes it out; what ignore_changes may bring back from old inputs is dropped too."""
    checked = quick.check({**inputs, "__number": 7})
    assert checked.inputs == inputs
    stored = quick.create({**inputs, "__number": 7})
    again = quick.update(stored, {**inputs, "__number": 8, "store_api_key": False})
    for outs in (stored.outs, again.outs, quick.refresh(stored).outs):
        assert "__number" not in outs
        assert len(outs["__tokens"]) == 1
    cloud.hold_deployments()
    late = kept_by(lambda: quick.create({**inputs, "ai_nodes": ["ai-2"]}, timeout_s=5))
    assert len(late.outs["__tokens"]) == 1


def test_calls_that_overtake_each_other_do_not_complete_a_program(
    following: TimedHost, clock: MovedClock, exported: Exported, alive: Stored, inputs: Properties
) -> None:
    """The highest number counts, whenever it comes."""
    exported.hold(A, alive)
    following.check({**inputs, "__number": 3}, urn=B)
    following.check({**inputs, "ai_nodes": ["ai-2"], "__number": 2}, urn=_urn("c"))
    began_s = clock.monotonic()
    assert _refused(following, B, inputs) == _LET_GO
    assert 2 <= clock.monotonic() - began_s < 10
