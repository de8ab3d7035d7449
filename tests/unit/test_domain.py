"""Status words, composite ids, and when two lists mean the same."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pulumi_adbpg_model.domain import (
    ModelServiceDetails,
    ModelServiceId,
    Phase,
    parse_network,
    phase_of,
    same_model_name,
    same_nodes,
    same_text,
    same_whitelist,
)
from tests.unit.values import SERVICE, live, names, networks


@pytest.mark.parametrize(
    ("word", "phase"),
    [
        ("active", Phase.ACTIVE),
        ("Active", Phase.ACTIVE),
        ("ACTIVE", Phase.ACTIVE),
        (" active ", Phase.ACTIVE),
        ("deployming", Phase.PENDING),
        ("deploying", Phase.PENDING),
        ("DEPLOYING", Phase.PENDING),
        ("creating", Phase.PENDING),
        ("inactive", Phase.PENDING),
        ("activating", Phase.PENDING),
        ("active_updating", Phase.PENDING),
        ("success", Phase.PENDING),
        ("unknown", Phase.PENDING),
        ("", Phase.PENDING),
        (None, Phase.PENDING),
        ("deleting", Phase.LEAVING),
        (" Deleted ", Phase.LEAVING),
        ("WAIT_FOR_DESTROY", Phase.LEAVING),
        ("NET_DELETING", Phase.PENDING),
        ("node_removing", Phase.PENDING),
        ("releasing", Phase.LEAVING),
        ("removing", Phase.LEAVING),
        ("Terminating", Phase.LEAVING),
        ("undeploying", Phase.LEAVING),
        ("delete_failed", Phase.FAILED),
        ("fail", Phase.FAILED),
        ("failed", Phase.FAILED),
        ("Failed", Phase.FAILED),
        ("deploy_failed", Phase.FAILED),
        ("CREATE-FAILURE", Phase.FAILED),
        ("error", Phase.FAILED),
        ("DeployError", Phase.FAILED),
    ],
)
def test_phase_of_classifies_a_word(word: str | None, phase: Phase) -> None:
    """Only `active` is ready, parts tell a failure and an end, and all else is pending."""
    assert phase == phase_of(word)


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ("Active", None),
        ("deployming", "it is not active yet, status 'deployming'"),
        ("Deploy_Failed", "the deployment failed, status 'Deploy_Failed'"),
        (None, "it is not active yet, status None"),
    ],
)
def test_why_not_active_shows_the_raw_word(status: str | None, why: str | None) -> None:
    """The reason quotes the cloud's own word, and an active service has none."""
    assert why == ModelServiceDetails(SERVICE, status=status).why_not_active


def test_details_repr_holds_no_api_key() -> None:
    """What the cloud shows can be logged: the API key is not in its repr."""
    assert "made-up-api-key" not in repr(live())


@pytest.mark.parametrize(
    ("text", "instance", "service"),
    [
        ("gp-abc:ms-123", "gp-abc", "ms-123"),
        ("gp-abc:mx-123", "gp-abc", "mx-123"),
        ("a:b", "a", "b"),
        ("gp-bp1A_x:ms_9", "gp-bp1A_x", "ms_9"),
    ],
)
def test_id_parses_into_its_parts(text: str, instance: str, service: str) -> None:
    """A composite id splits at its colon, whatever the prefixes."""
    assert ModelServiceId(instance, service) == ModelServiceId.parse(text)


def test_id_accepts_whatever_the_cloud_may_hand_out() -> None:
    """A service that exists can be read and deleted, however its id is formed."""
    assert ModelServiceId.parse("gp_1.a:MX-1/é") == ModelServiceId("gp_1.a", "MX-1/é")


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":",
        "gp-abc",
        "ms-123",
        "gp-abc:",
        ":ms-123",
        "gp-abc:ms-123:x",
        "gp-abc::ms-123",
        "gp abc:ms-123",
        " gp-abc:ms-123",
        "gp-abc:ms-123\n",
        "gp-abc/ms-123",
    ],
)
def test_id_refuses_anything_but_two_parts(text: str) -> None:
    """A malformed id is refused, with the form that is expected and what was given."""
    with pytest.raises(ValueError, match="must be '<db_instance_id>:<model_service_id>'") as raised:
        ModelServiceId.parse(text)
    assert repr(text) in str(raised.value)


@given(names, names)
def test_id_round_trips(instance: str, service: str) -> None:
    """The text of an id parses back into it."""
    identity = ModelServiceId(instance, service)
    assert identity == ModelServiceId.parse(str(identity))


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
