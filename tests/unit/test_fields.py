"""When two values of an input mean the same, and what its rules take apart."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_adbpg_model.fields import (
    parse_network,
    same_model_name,
    same_nodes,
    same_text,
    same_value,
    same_whitelist,
    whole_numbers,
)
from tests.service.values import networks


@pytest.mark.parametrize(
    ("name", "one", "other", "same"),
    [
        ("model_name", "a", "A\n", True),
        ("model_name", ["a"], "a", False),
        ("description", "a\r\nb\n", "a\nb", True),
        ("description", "a", "A", False),
        ("description", 1, None, False),
        ("ai_nodes", ["a", "b"], ["b", "a"], True),
        ("security_ip_list", ["10.0.0.1", "10.1.2.3/16"], ["10.1.0.0/16", "10.0.0.1/32"], True),
        ("security_ip_list", [], None, True),
        ("model_params", {}, None, True),
        ("model_params", {"a": 1.0, "b": [2]}, {"b": [2.0], "a": 1}, True),
        ("model_params", {"a": True}, {"a": 1}, False),
        ("model_params", {"a": None}, {}, False),
        ("model_params", {"a": [1, 2]}, {"a": [2, 1]}, False),
        ("replicas", 2.0, 2, True),
        ("replicas", 1, None, False),
        ("enable_public_connection", False, None, False),
        ("client_token", "a", "a ", False),
        ("region_id", "cn-a", "cn-b", False),
        ("region_id", "cn-a", None, True),
    ],
)
def test_same_value_compares_as_the_input_means_it(
    *, name: str, one: Any, other: Any, same: bool
) -> None:
    """Two values are the same when the cloud means the same by them, whichever comes first."""
    assert [same, same] == [same_value(name, one, other), same_value(name, other, one)]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (2.0, 2),
        (-0.0, 0),
        (2.5, 2.5),
        (True, True),
        ("2.0", "2.0"),
        (None, None),
        (float("inf"), float("inf")),
        ([1.0, [2.0]], [1, [2]]),
        ((1.0,), [1]),
        ({"a": {"b": [3.0, 0.5, False]}}, {"a": {"b": [3, 0.5, False]}}),
    ],
)
def test_whole_numbers_turns_floats_back(value: Any, expected: Any) -> None:
    """Whole floats become integers at any depth, and all else stays, down to its type."""
    assert repr(expected) == repr(whole_numbers(value))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a\n", "a", True),
        ("a\r\nb", "a\nb", True),
        ("a\rb", "a\nb", True),
        ("\u3000a\t", " a", True),
        ("", None, True),
        (" \r\n", None, True),
        ("a\n\nb", "a\nb", False),
        ("a  b", "a b", False),
        ("a \nb", "a\nb", False),
        ("a", "A", False),
        ("a", None, False),
    ],
)
def test_same_text_ignores_line_ends_and_white_space_around(
    *, one: str | None, other: str | None, same: bool
) -> None:
    """What is inside a line counts, and so does each line."""
    assert [same, same] == [same_text(one, other), same_text(other, one)]


#: Lines without line ends, since those are what a cloud changes.
_lines = st.lists(st.text(st.characters(exclude_characters="\r\n")), max_size=4)
_line_ends = st.sampled_from(["\n", "\r\n", "\r"])
_around = st.text(" \t\r\n\u3000", max_size=3)


@given(_lines, _line_ends, _line_ends, _around, _around, st.text())
def test_same_text_is_a_text_rewritten_and_no_other(
    lines: list[str], end: str, other_end: str, before: str, after: str, other: str
) -> None:
    """Whatever a cloud does to what is around words and lines is nothing; words are all."""
    text = end.join(lines)
    rewritten = f"{before}{other_end.join(lines)}{after}"
    assert same_text(text, rewritten)
    assert same_text(text, other) == same_text(rewritten, other)
    assert not same_text(text, f"{rewritten}x{other}")


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Qwen3-8B", "qwen3-8b", True),
        ("Qwen3-8B", " QWEN3-8B\n", True),
        (None, "", True),
        ("Qwen3-8B", "Qwen3-32B", False),
        ("Qwen3-8B", "Qwen3 8B", False),
        ("Qwen3-8B", None, False),
    ],
)
def test_same_model_name_ignores_case_too(
    *, one: str | None, other: str | None, same: bool
) -> None:
    """A model has one name, however it is written."""
    assert [same, same] == [same_model_name(one, other), same_model_name(other, one)]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (["ai-1", "ai-2"], ["ai-2", "ai-1"], True),
        (["ai-1", "ai-1"], ["ai-1"], True),
        ([" ai-1 "], ["ai-1"], True),
        (("ai-1",), ["ai-1"], True),
        ([], None, True),
        (None, None, True),
        (["ai-1"], ["ai-2"], False),
        (["ai-1"], ["ai-1", "ai-2"], False),
        (["ai-1"], ["AI-1"], False),
        (["ai-1"], None, False),
        (None, ["ai-1"], False),
    ],
)
def test_same_nodes_compares_sets(
    *, one: list[str] | None, other: list[str] | None, same: bool
) -> None:
    """Two node lists are the same when they name the same nodes, in any order."""
    assert same == same_nodes(one, other)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (["10.0.0.1", "10.0.0.2"], ["10.0.0.2", "10.0.0.1"], True),
        ([" 10.0.0.1\t"], ["10.0.0.1"], True),
        (["10.23.12.24/24"], ["10.23.12.0/24"], True),
        (["10.0.0.1"], ["10.0.0.1/32"], True),
        (["10.0.0.1", "10.0.0.1/32"], ["10.0.0.1"], True),
        (["0.0.0.0/0"], ["0.0.0.0/0"], True),
        (["hidden-group"], [" hidden-group "], True),
        ([], None, True),
        # Alone it means that nobody is admitted; beside others it says nothing.
        (["10.0.0.1"], ["127.0.0.1", "10.0.0.1"], True),
        (["127.0.0.1/32"], ["127.0.0.1"], True),
        (["127.0.0.1"], ["10.0.0.1"], False),
        (["127.0.0.1"], None, False),
        (["127.0.0.0/8", "10.0.0.1"], ["10.0.0.1"], False),
        (["10.0.0.0/24"], ["10.0.0.0/25"], False),
        (["10.0.0.0/24"], ["10.0.1.0/24"], False),
        (["10.0.0.1"], ["0.0.0.0/0"], False),
        (["0.0.0.0/32"], ["0.0.0.0/0"], False),
        (["10.0.0.1"], ["10.0.0.1", "10.0.0.2"], False),
        (["hidden-group"], ["other-group"], False),
        (["fd00::1"], ["10.0.0.1"], False),
        (["10.0.0.1"], None, False),
        (None, ["10.0.0.1"], False),
    ],
)
def test_same_whitelist_compares_networks(
    *, one: list[str] | None, other: list[str] | None, same: bool
) -> None:
    """Two whitelists are the same when their entries mean the same networks, in any form."""
    assert same == same_whitelist(one, other)


@given(st.lists(networks, max_size=6), st.randoms(use_true_random=False))
def test_same_whitelist_ignores_what_a_cloud_may_rewrite(
    entries: list[str], random: Random
) -> None:
    """Shuffled, doubled, spaced and canonical, a list still equals itself."""
    rewritten = [f" {parse_network(entry)} " for entry in entries] * 2
    random.shuffle(rewritten)
    assert same_whitelist(entries, rewritten)


@pytest.mark.parametrize(
    ("entry", "network"),
    [
        ("10.0.0.1", "10.0.0.1/32"),
        ("10.23.12.24/24", "10.23.12.0/24"),
        ("10.23.12.24/1", "0.0.0.0/1"),
        ("10.23.12.24/32", "10.23.12.24/32"),
        ("0.0.0.0/0", "0.0.0.0/0"),
        (" 127.0.0.1 ", "127.0.0.1/32"),
    ],
)
def test_parse_network_reads_documented_forms(entry: str, network: str) -> None:
    """An address, a block with a prefix of 1 to 32, and 0.0.0.0/0 are read, host bits dropped."""
    assert network == str(parse_network(entry))


@pytest.mark.parametrize(
    "entry",
    [
        "",
        " ",
        "10.0.0",
        "10.0.0.256",
        "10.0.0.1/",
        "10.0.0.1/33",
        "10.0.0.1/-1",
        "10.0.0.1/0",
        "10.0.0.1/255.255.255.0",
        "10.0.0.1/2\uff14",
        "/24",
        "10.0.0.1,10.0.0.2",
        "10.0.0.1 10.0.0.2",
        "10.0.0.01",
        "fd00::1",
        "example.com",
        "*",
    ],
)
def test_parse_network_refuses_the_rest(entry: str) -> None:
    """Anything that the API does not document as an entry is refused."""
    with pytest.raises(ValueError, match=r".*"):
        parse_network(entry)
