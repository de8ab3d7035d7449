"""The rules for a clear error: each is broken by a text that breaks nothing else."""

from __future__ import annotations

import pytest

from tests.chaos.clarity import is_clear, why_unclear

_SECRET = "kept-to-oneself"
_CLEAR = (
    "DescribeModelService gp-demo:ms-1 failed: no (code=InternalError, status=500, request_id=R-1)."
    " The service has a fault of its own: run the command again later.",
    "delete of model service gp-demo:ms-1 is not finished: it is still there after 20 m 00 s, the "
    "limit set by custom_timeouts (last status 'deleting'). It stays in the state; run the command "
    "again.",
    "model service gp-demo:ms-1 is not active: the deployment failed, status 'deploy_failed'. It "
    "is kept in the state and its AI nodes stay billed. The next `pulumi up` replaces it; `pulumi "
    "destroy --target urn:pulumi:dev::a::t::b` removes it.",
    "update failed: model service gp-demo:ms-1 is gone. Run `pulumi refresh`, then `pulumi up` to "
    "create it again.",
    "import of gp-demo:ms-1 failed: there is no such model service. Correct the id in import_, or "
    "remove import_ to create a new service.",
)


@pytest.mark.parametrize("error", _CLEAR)
def test_a_complete_line_is_clear(error: str) -> None:
    """The documented forms keep all the rules; a wire code may end in Error."""
    assert why_unclear(error, secrets=[_SECRET]) is None


@pytest.mark.parametrize(
    ("error", "broken"),
    [
        ("", "it is empty"),
        ("Act on gp-demo failed: no.\nRun it again.", "it is not one line"),
        (f"Act on gp-demo failed: {'no' * 600}. Run it again.", "it is too long"),
        ("Act on gp-demo failed: no. Run it again", "it does not end with a full stop"),
        (
            "Act on gp-demo failed: ReadTimeout. Run it again.",
            "it shows the program's insides",
        ),
        (
            "Act on gp-demo failed: builtins.KeyError. Run it again.",
            "it shows the program's insides",
        ),
        (
            "Act on gp-demo failed: <a object at 0x7f>. Run it again.",
            "it shows the program's insides",
        ),
        (
            "Act on gp-demo failed: no answer of https://host/?Action=Act. Run it again.",
            "it shows a URL with a query",
        ),
        ("Act on gp-demo failed: sk-0123456789abcdef. Run it again.", "it may show a credential"),
        (f"Act on gp-demo failed: {'0af9' * 16}. Run it again.", "it may show a credential"),
        (f"Act on gp-demo failed: {_SECRET}. Run it again.", "it shows a secret"),
        ("Act on it failed: no. Run it again.", "it names no resource"),
        ("Act on gp-demo failed: run it again.", "it does not say what to do next"),
        ("Act on gp-demo failed: no. It was to run.", "it does not say what to do next"),
    ],
)
def test_a_line_that_breaks_a_rule_is_not_clear(error: str, broken: str) -> None:
    """And the broken rule is named."""
    assert why_unclear(error, secrets=[_SECRET]) == broken
    assert not is_clear(error, secrets=[_SECRET])
