"""
The RAM actions behind the calls of `gateway`, as the RAM table of each API page states them.

RAM authorization: https://www.alibabacloud.com/help/en/analyticdb/analyticdb-for-postgresql/
developer-reference/api-gpdb-2016-05-03-ram
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_ACCOUNT_ID = re.compile(r"[0-9]{1,32}")


@dataclass(frozen=True)
class Action:
    """A call of the API, and what its page says about permission for it."""

    name: str
    #: Whether it changes something.
    writes: bool = False
    #: Whether it can be granted for one instance; if not, only on `*`.
    per_instance: bool = True
    #: Whether the resource on its page has a region: `acs:gpdb:{#regionId}:…`. The others have
    #: none there, or `*`, so a policy that names a region would not match them.
    regional: bool = False

    @property
    def ram_name(self) -> str:
        """Its name in a policy, such as `gpdb:CreateModelService`."""
        return f"gpdb:{self.name}"


#: Every action that the package calls.
ACTIONS = (
    Action("CreateModelService", writes=True),
    Action("DescribeModelService"),
    Action("DeleteModelService", writes=True),
    Action("ListModelServices", regional=True),
    Action("ModifySecurityIps", writes=True),
    Action("ListAINodePools", per_instance=False),
    Action("ListSupportModels", per_instance=False),
)


def is_account_id(text: str) -> bool:
    """Whether this can be the id of an Alibaba Cloud account: digits alone."""
    return _ACCOUNT_ID.fullmatch(text) is not None


def policy(
    instances: Sequence[str] = (),
    *,
    read_only: bool = False,
    account_id: str | None = None,
    region: str | None = None,
) -> dict[str, Any]:
    """
    The smallest RAM policy for what the package calls, as a JSON document.

    Args:
        instances: Ids of the instances; empty: every instance.
        read_only: Without the actions that change something: enough for previews, `refresh`,
            `ModelService.get` and the look-ups, not for `up` and `destroy`.
        account_id: Id of the account; None: whichever account the policy is in.
        region: Region id, for those actions whose resource has one; None: every region.
    """
    granted: dict[tuple[str, ...], list[str]] = {}
    for action in ACTIONS:
        if read_only and action.writes:
            continue
        place = f"{(action.regional and region) or '*'}:{account_id or '*'}"
        on = [f"acs:gpdb:{place}:dbinstance/{instance}" for instance in instances or ("*",)]
        granted.setdefault(tuple(on) if action.per_instance else ("*",), []).append(action.ram_name)
    statements = [
        {"Effect": "Allow", "Action": names, "Resource": list(on) if len(on) > 1 else on[0]}
        for on, names in granted.items()
    ]
    return {"Version": "1", "Statement": statements}
