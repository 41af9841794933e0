"""Counting people and devices without listing them. Source: Graph reference `group-list-transitivemembers`, `user-list`
and `device-list`, `$count` with ConsistencyLevel (checked 2026-11-22)."""

from __future__ import annotations

from typing import Literal

from tapctl.kinds.groups import READ_PERMISSION as READ_GROUPS
from tapctl.kinds.wire import segment
from tapctl.model.requests import Problem, ProblemKind, Read, Reading, Reply

EVENTUAL = {"ConsistencyLevel": "eventual"}
"""Graph counts directory objects only with ConsistencyLevel eventual: the count may be slightly out of date."""

MemberType = Literal["user", "device"]


def count_members(group_id: str, member_type: MemberType) -> Reading[int | None]:
    """How many members of a type a group has, nested groups included; None where that could not be read."""
    path = f"/groups/{segment(group_id)}/transitiveMembers/microsoft.graph.{member_type}/$count"
    (outcome,) = yield [_read(path, f"counting the {member_type}s of group {group_id}", READ_GROUPS)]
    return _number(outcome)


def count_users() -> Reading[int | None]:
    """How many accounts the tenant has; None where that could not be read."""
    (outcome,) = yield [_read("/users/$count", "counting users", "User.ReadBasic.All")]
    return _number(outcome)


def count_devices() -> Reading[int | None]:
    """How many devices are Entra joined (only these support web sign-in); all devices where Graph cannot count those;
    None where neither could be read."""
    joined = "/devices/$count?$filter=trustType%20eq%20'AzureAd'"
    (outcome,) = yield [_read(joined, "counting Entra joined devices", "Device.Read.All")]
    if isinstance(outcome, Problem) and outcome.kind is ProblemKind.REFUSED:
        (outcome,) = yield [_read("/devices/$count", "counting devices", "Device.Read.All")]
    return _number(outcome)


def _read(path: str, purpose: str, permission: str) -> Read:
    return Read(purpose=purpose, version="v1.0", path=path, headers=EVENTUAL, permission=permission)


def _number(outcome: Reply) -> int | None:
    if isinstance(outcome, Problem) or isinstance(outcome.body, bool) or not isinstance(outcome.body, int):
        return None
    return outcome.body
