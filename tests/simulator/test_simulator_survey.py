"""A simulator made from a survey: what it takes of the file, what wins, what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pulumi_adbpg_model.testing import DIALECTS, Simulator
from tests.simulator.conftest import FakeClock, Sdk, Start

Write: TypeAlias = Callable[..., Path]
"""The fixture `write`: keys of a survey besides the usual ones; the file."""

_USUAL: dict[str, Any] = {
    "format": 1,
    "dialects": ["status-capitalised"],
    "provision_seconds": 812.5,
    "delete_seconds": 3.5,
    "models": ["Qwen9-Embedding", "Qwen9-32B"],
}


def _file(folder: Path, **keys: Any) -> Path:
    content = {key: value for key, value in {**_USUAL, **keys}.items() if value is not ...}
    path = folder / "survey.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


@pytest.fixture
def write(tmp_path: Path) -> Write:
    return lambda **keys: _file(tmp_path, **keys)


def _statuses(sdk: Sdk, clock: FakeClock, model: str, *after: float) -> list[str]:
    """How a new service is shown at once, and then after so many seconds each."""
    service_id = sdk.create("ai-1", model_name=model)
    found = [sdk.describe(service_id)["Status"]]
    for seconds in after:
        clock.advance(seconds)
        found.append(sdk.describe(service_id)["Status"])
    return found


def test_it_behaves_as_surveyed(
    start: Start, connect: type[Sdk], clock: FakeClock, write: Write
) -> None:
    """Words, durations and models are the file's; what is for people in it counts for nothing."""
    sdk = connect(start(like=write(questions={"list-status": ["success"]}, states=5)))

    words = _statuses(sdk, clock, "Qwen9-32B", 812.25, 0.25)
    assert words == ["Deploying", "Deploying", "Active"]
    (service,) = sdk.list()["ModelServices"]
    sdk.delete(service["ModelServiceId"])
    clock.advance(3.25)
    assert [item["Status"] for item in sdk.list()["ModelServices"]] == ["Deleting"]
    clock.advance(0.25)
    assert sdk.list()["ModelServices"] == []
    assert sdk.models()["ModelNames"] == {"modelNames": _USUAL["models"]}


def test_what_was_not_seen_is_as_without_a_survey(
    start: Start, connect: type[Sdk], clock: FakeClock, write: Write
) -> None:
    """Null is no word about it; a path may be a string."""
    nothing = write(dialects=[], provision_seconds=None, delete_seconds=None, models=None)
    sdk = connect(start(like=str(nothing)))

    assert _statuses(sdk, clock, "Qwen3-Embedding-8B", 0.75, 0.25) == [
        "deployming",
        "deployming",
        "active",
    ]
    sdk.delete(sdk.list()["ModelServices"][0]["ModelServiceId"])
    assert sdk.list()["ModelServices"] == []


def test_arguments_win_and_dialects_come_together(
    start: Start, connect: type[Sdk], clock: FakeClock, write: Write
) -> None:
    """A zero and an empty list are arguments too; a dialect named by both is in force."""
    simulator = start(
        like=write(),
        provision_seconds=0,
        delete_seconds=0,
        models=["Mine"],
        dialects=["nodes-reordered"],
    )
    sdk = connect(simulator)

    assert sdk.models()["ModelNames"] == {"modelNames": ["Mine"]}
    shown = sdk.describe(sdk.create("ai-1", "ai-2", model_name="Mine"))
    assert (shown["Status"], shown["AiNodes"]) == ("Active", ["ai-2", "ai-1"])
    sdk.delete(shown["ModelServiceId"])
    assert sdk.list()["ModelServices"] == []
    both = start(like=write(), models=[], dialects=["status-capitalised"])
    assert connect(both).models()["ModelNames"] == {"modelNames": []}


def test_a_kept_cloud_behaves_as_the_next_survey_says(
    start: Start, connect: type[Sdk], clock: FakeClock, write: Write, tmp_path: Path
) -> None:
    """Services stay, those under way with the time that they had; all else is the new file's."""
    state = tmp_path / "cloud.json"
    first = start(like=write(), state=state)
    service_id = connect(first).create("ai-1", model_name="Qwen9-32B")
    first.stop()
    clock.advance(812)
    path = write(dialects=["status-deploying"], provision_seconds=5, models=["Other"])
    sdk = connect(start(like=path, state=state))

    assert sdk.describe(service_id)["Status"] == "deploying"
    clock.advance(0.5)
    assert sdk.describe(service_id)["Status"] == "active"
    sdk.create("ai-2", model_name="Other")
    clock.advance(5)
    assert [item["Status"] for item in sdk.list()["ModelServices"]] == ["active", "active"]


def test_a_file_is_read_once(start: Start, connect: type[Sdk], write: Write) -> None:
    """A running cloud does not change with it, over a restart of the server neither."""
    path = write(provision_seconds=0)
    simulator = start(like=path)
    path.write_text("gone")
    simulator.stop()
    simulator.start()
    assert connect(simulator).models()["ModelNames"] == {"modelNames": _USUAL["models"]}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_files_of_other_shells_are_read(
    start: Start, connect: type[Sdk], tmp_path: Path, encoding: str
) -> None:
    """As shells of Windows write them."""
    path = tmp_path / "survey.json"
    path.write_text(json.dumps({**_USUAL, "seen": "\u8282"}, ensure_ascii=False), encoding=encoding)
    assert connect(start(like=path)).models()["ModelNames"] == {"modelNames": _USUAL["models"]}


_NO_SURVEY = "survey.json is not a survey that `pulumi-adbpg-model survey` wrote: "


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is not JSON"),
        (b"not json", "it is not JSON"),
        (b"\xff\xfe\x00", "it is not JSON"),
        (b"[" * 100_000, "it is not JSON"),
        (b'{"format": ' + b"1" * 5000 + b"}", "it is not JSON"),
        (b"[1]", "it is not a JSON object"),
        (b"null", "it is not a JSON object"),
        (b"{}", 'it has no "format"'),
        (b" " * (16 * 1024 * 1024 + 1), "it is larger than 16 MiB"),
    ],
    ids=lambda value: f"{value[:12]!r}" if isinstance(value, bytes) else "",
)
def test_another_file_is_refused(tmp_path: Path, content: bytes, why: str) -> None:
    """It is named, with what tells that it is another one."""
    path = tmp_path / "survey.json"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"survey\.json") as refused:
        Simulator(like=path)
    assert str(refused.value) == f"{tmp_path}/{_NO_SURVEY}{why}"


def test_a_state_file_is_no_survey(tmp_path: Path) -> None:
    """The two are mixed up easily."""
    state = tmp_path / "survey.json"
    Simulator(state=state)
    with pytest.raises(ValueError, match=f'{_NO_SURVEY}it has no "dialects"$'):
        Simulator(like=state)


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        *(({key: ...}, f'it has no "{key}"') for key in _USUAL),
        ({"format": "1"}, '"format" must be a whole number, got a value of type str'),
        ({"format": True}, '"format" must be a whole number'),
        ({"format": 1.0}, '"format" must be a whole number'),
        ({"format": None}, '"format" must be a whole number, got None'),
        ({"format": 0}, "its format is 0, not 1"),
        ({"dialects": None}, '"dialects" must be a list of strings, got None'),
        ({"dialects": "slow-delete"}, '"dialects" must be a list of strings'),
        ({"dialects": {"slow-delete": 1}}, '"dialects" must be a list of strings'),
        ({"dialects": ["slow-delete", 5]}, 'each of "dialects" must be a string'),
        ({"provision_seconds": "5"}, '"provision_seconds" must be a number of seconds'),
        ({"provision_seconds": True}, '"provision_seconds" must be a number of seconds'),
        ({"provision_seconds": -1}, '"provision_seconds" must be a finite number of seconds'),
        ({"provision_seconds": 10**400}, '"provision_seconds" must be a finite number of seconds'),
        ({"delete_seconds": float("nan")}, '"delete_seconds" must be a finite number of seconds'),
        ({"delete_seconds": float("inf")}, '"delete_seconds" must be a finite number of seconds'),
        ({"delete_seconds": [3]}, '"delete_seconds" must be a number of seconds'),
        ({"models": "Qwen3-8B"}, '"models" must be a list of strings'),
        ({"models": {"a": 1}}, '"models" must be a list of strings'),
        ({"models": [5]}, 'each of "models" must be a string'),
        ({"models": [""]}, 'each of "models" must be a name'),
        ({"models": ["a\x1b[31m"]}, r'each of "models" must be a name'),
        ({"models": ["a", "a"]}, '"models" must name each once, got twice: a'),
    ],
    ids=lambda value: json.dumps(value, default=repr)[:30] if isinstance(value, dict) else "",
)
def test_a_wrong_value_is_refused(write: Write, keys: dict[str, Any], why: str) -> None:
    """By key and rule, in one line that can be printed, whatever the file holds."""
    path = write(**keys)
    with pytest.raises(ValueError, match=r"survey\.json") as refused:
        Simulator(like=path)
    assert str(refused.value).startswith(f"{path.parent}/{_NO_SURVEY}{why}")
    assert str(refused.value).isprintable()


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    """With the system's own reason; a folder is none either."""
    with pytest.raises(ValueError, match=r"^survey .*/none cannot be read: No such file"):
        Simulator(like=tmp_path / "none")
    with pytest.raises(ValueError, match=r"^survey .* cannot be read: Is a directory"):
        Simulator(like=tmp_path)


def test_what_a_newer_version_says_is_refused(write: Write) -> None:
    """A format, and dialects, that this one does not have; not all of many."""
    with pytest.raises(ValueError, match=r"newer version.*its format is 2, and this version reads"):
        Simulator(like=write(format=2, dialects=5))
    names = ["a\x1b[31m", *(f"no-{number}" for number in range(7)), "slow-delete"]
    with pytest.raises(ValueError, match="dialects that this version") as refused:
        Simulator(like=write(dialects=names))
    assert "does not have: 'a\\x1b[31m', 'no-0', 'no-1', 'no-2', 'no-3' and 3 more. Upgrade" in str(
        refused.value
    )


def test_dialects_that_clash_are_refused(write: Write) -> None:
    """Within the file, and of the file with those that are asked for: both are named."""
    two = ["status-missing", "status-capitalised"]
    with pytest.raises(ValueError, match=r"survey\.json names dialects that exclude each other: s"):
        Simulator(like=write(dialects=two))
    with pytest.raises(ValueError, match="exclude each other: status-missing, and status-") as told:
        Simulator(like=write(), dialects=["slow-delete", "status-missing"])
    assert str(told.value).endswith("survey.json. Leave status-missing out")
    with pytest.raises(ValueError, match="unknown dialect typo; known: "):
        Simulator(like=write(), dialects=["typo"])


_ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
_KEYS = st.fixed_dictionaries(
    {},
    optional={
        "format": st.just(1) | _ANYTHING,
        "dialects": st.lists(st.sampled_from(sorted(DIALECTS)), max_size=3) | _ANYTHING,
        "provision_seconds": st.floats(0, 9) | _ANYTHING,
        "delete_seconds": st.floats(0, 9) | _ANYTHING,
        "models": st.lists(st.text(max_size=5)) | _ANYTHING,
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(_KEYS)
def test_no_file_breaks_it(tmp_path: Path, content: dict[str, Any]) -> None:
    """Whatever stands in it, there is a simulator, or one line that can be printed."""
    path = tmp_path / "survey.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    told = "survey.json"
    try:
        Simulator(like=path)
    except ValueError as error:
        told = str(error)
    assert "survey.json" in told
    assert told.isprintable()
