"""How many services a program has made so far: sent to an engine, and to nothing else."""

from __future__ import annotations

import hashlib
import json

import pulumi
from pulumi import ResourceOptions

from pulumi_adbpg_model import ModelService
from tests.resource.monitoring import Monitor, monitored
from tests.resource.registering import declare, run


def _numbers(monitor: Monitor) -> dict[str, object]:
    """How many there are; their names are told as soon as there are more than one."""
    found: dict[str, object] = {}
    for name, inputs in monitor.inputs.items():
        told = inputs.get("__number")
        if isinstance(told, dict):
            assert len(json.loads(told["names"])) == told["number"] > 1
            told = told["number"]
        found[name] = told
    return found


def test_all_that_a_program_makes_at_once_are_counted_by_the_first() -> None:
    """It is found when it is sent, and nothing is sent before the program has run to its end."""
    monitor = monitored(lambda: [declare(name) for name in "abc"])
    assert _numbers(monitor) == {"a": 3, "b": 3, "c": 3}


def test_what_waits_for_another_is_counted_by_it() -> None:
    """By an option, or by an output: they are made at once, and registered one by one."""

    def program() -> None:
        first = declare("first")
        declare("option", opts=ResourceOptions(depends_on=[first]))
        declare("output", description=first.status)

    assert _numbers(monitored(program)) == {"first": 3, "option": 3, "output": 3}


def test_what_is_made_only_later_is_counted_only_by_what_comes_after_it() -> None:
    """An apply makes resources once the engine has answered: the first cannot know of them."""

    def program() -> None:
        first = declare("first")
        first.id.apply(lambda _: declare("in an apply"))

    assert _numbers(monitored(program)) == {"first": 1, "in an apply": 2}


def test_a_service_whose_inputs_are_late_counts_what_was_made_meanwhile() -> None:
    """It is sent last, with the number of that moment."""
    monitor = Monitor()
    monitor.held.add("slow")

    def make(_: str) -> None:
        declare("in an apply").id.apply(lambda _: monitor.release.set())

    def program() -> None:
        slow, quick = declare("slow"), declare("quick")
        quick.id.apply(make)
        declare("late", description=slow.status)

    monitored(program, monitor)
    assert list(monitor.inputs)[-1] == "late"
    assert _numbers(monitor) == {"slow": 3, "quick": 3, "in an apply": 4, "late": 4}


def test_the_first_tells_what_a_later_one_is_to_take_over() -> None:
    """An id, and a token, which may be a secret: which is not sent itself."""

    def program() -> None:
        first = declare("first")
        taking = ResourceOptions(import_="gp-1:ms-1", depends_on=[first])
        declare("second", opts=taking, client_token="hush")

    monitor = monitored(program)
    told = monitor.inputs["first"]["__number"]
    hashed = hashlib.sha256(b"hush").hexdigest()
    assert told == {
        "number": 2,
        "names": '["::first", "::second"]',
        "wanted": [["gp-1:ms-1", ["::second"]], [hashed, ["::second"]]],
        "one_by_one": False,
    }
    assert "hush" not in str(told)


def test_names_are_those_that_a_urn_has_and_had() -> None:
    """With the type of the parent; an alias without its, which it need not tell."""

    def program() -> None:
        pod = pulumi.ComponentResource("shop:ai:Pod", "pod")
        stack = pulumi.runtime.get_root_resource()
        urn = "urn:pulumi:dev::shop::pulumi-python:dynamic/adbpg:ModelService::old"
        declare("in-pod", opts=ResourceOptions(parent=pod, aliases=[urn]))
        aliases = [pulumi.Alias(name="former"), pulumi.Alias(parent=pod)]
        declare("in-stack", opts=ResourceOptions(parent=stack, aliases=aliases))

    told = monitored(program).inputs["in-pod"]["__number"]
    assert json.loads(told["names"]) == [
        "shop:ai:Pod::in-pod",
        "*::old",
        "::in-stack",
        "*::former",
        "*::in-stack",
    ]


def test_each_run_counts_from_the_start() -> None:
    """Several stacks may be deployed by one process, through Pulumi's automation API."""
    for _ in range(2):
        assert _numbers(monitored(lambda: declare("model"))) == {"model": 1}


def test_what_is_no_service_of_the_program_does_not_count() -> None:
    """A look-up is not checked, nor is a resource of another kind."""

    def program() -> None:
        ModelService.get("got", "gp-1:ms-9")
        pulumi.ComponentResource("shop:ai:Pod", "pod")
        declare("model")

    monitor = monitored(program)
    assert monitor.inputs["model"]["__number"] == 1
    assert "__number" not in monitor.inputs["got"]


def test_mocks_see_no_number() -> None:
    """A user's own test compares the inputs that it declared."""
    registered = run(lambda: [declare("a"), declare("b")])
    assert [inputs.get("__number") for inputs in registered.inputs.values()] == [None, None]
    assert "__number" not in registered.requests["a"].object
