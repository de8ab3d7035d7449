"""Names and programs of an import file: what is printed declares exactly what is in the state."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_adbpg_model.cli import _importing as importing
from pulumi_adbpg_model.domain import ModelServiceDetails, ModelServiceId
from pulumi_adbpg_model.service.comparison import Change, compare
from pulumi_adbpg_model.service.state import is_hidden
from tests.resource.registering import run


def _service(number: int = 1, **shown: Any) -> ModelServiceDetails:
    wanted = {"status": "active", "model_name": "Qwen3-8B", "ai_nodes": (f"ai-{number}",)} | shown
    return ModelServiceDetails(ModelServiceId("gp-1", f"ms-{number}"), **wanted)


def _plan(
    services: Sequence[ModelServiceDetails],
    name_template: str = importing.DEFAULT_NAME,
    notes: list[str] | None = None,
    **options: Any,
) -> list[importing.Import]:
    options = {"region": "cn-beijing"} | options
    note = (notes if notes is not None else []).append
    return importing.plan(services, name_template=name_template, undeclared=note, **options)


def _names(models: Sequence[str], name_template: str = importing.DEFAULT_NAME) -> list[str]:
    services = [_service(number, model_name=model) for number, model in enumerate(models, 1)]
    return [one.name for one in _plan(services, name_template)]


def _declared(source: str) -> dict[str, dict[str, Any]]:
    """What the engine is sent when the program runs, by name, without what the SDK adds."""
    code = compile(source, "services.py", "exec")
    registered = run(lambda: exec(code, {}))  # noqa: S102 - what it prints is what is tested
    return {
        name: {key: value for key, value in inputs.items() if not is_hidden(key)}
        for name, inputs in registered.inputs.items()
    }


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1)
_WORD = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
_SERVICES: st.SearchStrategy[list[dict[str, Any]]] = st.lists(
    st.builds(
        dict,
        model_name=_WORD,
        description=_TEXT | st.sampled_from(['say "hi"', 'it\'s "so"', "a\\b\n\t\r\x0c\u2028'''"]),
        ai_nodes=st.lists(_WORD, min_size=1, unique_by=str.strip).map(tuple),
        security_ip_list=st.none() | st.lists(st.ip_addresses(v=4).map(str)).map(tuple),
    ),
    min_size=1,
    max_size=4,
)


@given(shown=_SERVICES, region=st.none() | st.just("cn-beijing"), keeps_key=st.booleans())
def test_program_declares_what_the_state_holds(
    shown: list[dict[str, Any]],
    region: str | None,
    keeps_key: bool,  # noqa: FBT001
) -> None:
    """For any texts: the inputs are equal, and there is nothing to change."""
    services = [_service(number, **one) for number, one in enumerate(shown, 1)]
    imports = _plan(services, region=region, store_api_key=keeps_key)
    declared = _declared(importing.source_of(imports))
    assert declared == {one.name: one.inputs for one in imports}
    for one in imports:
        change = compare(one.outputs, declared[one.name])
        assert change == Change((), (), resume=False)


@given(models=st.lists(_WORD | st.sampled_from(["A.b", "a/B", "a-b-2"]), min_size=1, max_size=6))
def test_names_and_variables_are_valid_and_unique(models: list[str]) -> None:
    """Whatever the models are called."""
    services = [_service(number, model_name=model) for number, model in enumerate(models, 1)]
    imports = _plan(services)
    for texts in ([one.name for one in imports], [one.variable for one in imports]):
        assert len(set(texts)) == len(models)
    assert all(one.variable.isidentifier() for one in imports)


def test_names_are_made_from_models() -> None:
    """Lower case, with a dash for all else, and a number for the second of a name."""
    models = ["Qwen2.5-7B/Instruct", "Qwen3-8B", "qwen3 8b", "qwen3-8b-2", "模型"]
    assert ["qwen2-5-7b-instruct", "qwen3-8b", "qwen3-8b-2", "qwen3-8b-2-2", "model"] == _names(
        models
    )


def test_template_makes_names_from_what_it_holds() -> None:
    """Its own letters stay as they are."""
    template = "RAG.{instance}_{node}-{service_id}"
    assert ["RAG.gp-1_ai-1-ms-1", "RAG.gp-1_ai-2-ms-2"] == _names(["a", "b"], template)
    assert ["x", "x-2"] == _names(["a", "b"], "x")


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        ("class", "class_"),
        ("pulumi", "pulumi_"),
        ("list", "list_"),
        ("7b", "service_7b"),
        ("--", "service"),
        ("Qwen.8B", "qwen_8b"),
    ],
)
def test_variables_can_be_bound(name: str, variable: str) -> None:
    """None hides what a program needs."""
    (one,) = _plan([_service()], name)
    assert (name, variable) == (one.name, one.variable)


def test_two_names_do_not_share_a_variable() -> None:
    """Names differ in more than identifiers can."""
    imports = _plan([_service(1, model_name="1"), _service(2, model_name="a")], "{model}.{model}")
    names = _plan([_service(1), _service(2)], "a.{node}")
    assert ["service_1_1", "a_a"] == [one.variable for one in imports]
    assert ["a_ai_1", "a_ai_2"] == [one.variable for one in names]


def test_value_that_the_resource_refuses_is_not_declared() -> None:
    """It would fail the next preview; undeclared, it is not managed."""
    notes: list[str] = []
    (one,) = _plan([_service(security_ip_list=("::1", "10.0.0.1"))], notes=notes)
    assert "security_ip_list" not in one.inputs
    assert notes == [
        "gp-1:ms-1: security_ip_list is not declared: security_ip_list[0] must be an IPv4 address, "
        "a CIDR block with a prefix of 1 to 32, or 0.0.0.0/0, got '::1'."
    ]


def test_program_is_formatted(tmp_path: Path) -> None:
    """As the usual formatters would leave it, long lists too."""
    whitelist = tuple(f"10.0.{number}.0/24" for number in range(9))
    services = [_service(1, security_ip_list=whitelist), _service(2, description='say "hi"')]
    path = tmp_path / "services.py"
    path.write_text(importing.source_of(_plan(services)))
    command = [sys.executable, "-m", "ruff", "format", "--check", "--isolated", str(path)]
    checked = subprocess.run(command, capture_output=True, check=False)
    assert checked.returncode == 0, path.read_text()


def test_keys_do_not_show_in_a_repr() -> None:
    """Not even by mistake in a log."""
    (one,) = _plan([_service(api_key="sk-made-up")])
    assert "sk-made-up" not in repr(one)
    assert one.outputs["api_key"] == "sk-made-up"
