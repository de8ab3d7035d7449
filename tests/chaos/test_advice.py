"""What errors say to do is read to the letter."""

from __future__ import annotations

import pytest

from tests.chaos.advice import advice_in

_URN = "urn:pulumi:dev::shop::pulumi-python:dynamic/adbpg:ModelService::a"
_ID = "gp-demo:ms-1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'If it is the same thing: opts=ResourceOptions(aliases=["{_URN}"]).', [("alias", _URN)]),
        (
            f"The next `pulumi up` replaces it; `pulumi destroy --target '{_URN}'` removes it.",
            [("up", "next `pulumi up`"), ("destroy target", _URN)],
        ),
        (
            f"AI node ai-1 is held by model service {_ID}, which runs a model. To take that over, "
            f'declare it with opts=ResourceOptions(import_="{_ID}"); else choose a free node, or '
            "delete that service.",
            [("import", _ID), ("node", "node"), ("delete", _ID)],
        ),
        (
            f"import of {_ID} failed: its deployment failed, status 'x'. Delete it and remove "
            "import_ to create a new service.",
            [("delete", _ID), ("no import", "import_")],
        ),
        (f"`pulumi state delete {_URN}` gives it up.", [("state delete", _URN)]),
        ("Declare what is there, then run the command again.", None),
        ("Set another client_token.", [("token", "client_token")]),
        ("It is gone.", []),
    ],
)
def test_each_piece_of_advice_is_found_in_its_order(
    text: str, said: list[tuple[str, str]] | None
) -> None:
    """Each is about the resource whose error it is."""
    expected = said
    if expected is None:
        expected = [("declare", "what is there"), ("up", "run the command again")]
    found = advice_in("of-this", text)
    assert [(advice.kind, advice.value) for advice in found] == expected
    assert {advice.urn for advice in found} <= {"of-this"}
