"""People, devices and group memberships (Entra), as needed to decide who can have the ability. Source: Graph
reference `user`, `device`, `group-list-members` and `group-list-transitivememberof`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from tapctl.kinds.groups import READ_PERMISSION as READ_GROUPS
from tapctl.kinds.groups import decode_member
from tapctl.kinds.wire import (
    JSONObject,
    Malformed,
    as_malformed,
    as_object,
    boolean_or_none,
    elements,
    identifier,
    is_missing,
    malformed,
    segment,
    text_or_none,
)
from tapctl.model.requests import Answer, Problem, Read, Reading

READ_USERS, READ_DEVICES = "User.Read.All", "Device.Read.All"
USER_PROPERTIES = "id,accountEnabled,userType,externalUserState,userPrincipalName"
DEVICE_PROPERTIES = "id,accountEnabled,trustType,operatingSystem,deviceId"
MEMBER_PROPERTIES = f"{USER_PROPERTIES},trustType,operatingSystem,deviceId"
PAGE = 999
"""The most entries that a page of a directory list can have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person's account. None in a boolean field: Graph did not return it."""

    id: str
    is_enabled: bool | None
    is_external_guest: bool
    """A guest whose home is another tenant; internal guests have their credentials in this tenant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """A device that Entra knows. None in a boolean field: Graph did not return it."""

    id: str
    is_enabled: bool | None
    is_entra_joined: bool | None
    """Joined to Entra only: neither hybrid joined nor only registered."""
    runs_windows: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectMembers:
    """The direct members of a group; contacts and service principals are left out."""

    users: tuple[User, ...] = ()
    devices: tuple[Device, ...] = ()
    groups: frozenset[str] = frozenset()
    """Ids of the groups that are members."""


ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")


def read_users() -> Reading[tuple[User, ...] | Problem]:
    """Every account of the tenant."""
    path = f"/users?$select={USER_PROPERTIES}&$top={PAGE}"
    return (yield from _read_list("listing users", path, READ_USERS, _user))


def read_devices() -> Reading[tuple[Device, ...] | Problem]:
    """Every device of the tenant."""
    path = f"/devices?$select={DEVICE_PROPERTIES}&$top={PAGE}"
    return (yield from _read_list("listing devices", path, READ_DEVICES, _device))


def read_user(user_id: str) -> Reading[User | None | Problem]:
    """One account; None where there is no such account."""
    path = f"/users/{segment(user_id)}?$select={USER_PROPERTIES}"
    return (yield from _read_one(f"reading user {user_id}", path, READ_USERS, _user))


def read_device(device_id: str) -> Reading[Device | None | Problem]:
    """One device by its object id; None where there is no such device."""
    path = f"/devices/{segment(device_id)}?$select={DEVICE_PROPERTIES}"
    return (yield from _read_one(f"reading device {device_id}", path, READ_DEVICES, _device))


def read_direct_members(group_id: str) -> Reading[DirectMembers | Problem]:
    """The direct members of a group."""
    purpose = f"listing the members of group {group_id}"
    path = f"/groups/{segment(group_id)}/members?$select={MEMBER_PROPERTIES}&$top={PAGE}"
    members = yield from _read_list(purpose, path, READ_GROUPS, _member)
    if isinstance(members, Problem):
        return members
    return DirectMembers(
        users=tuple(member for member in members if isinstance(member, User)),
        devices=tuple(member for member in members if isinstance(member, Device)),
        groups=frozenset(member for member in members if isinstance(member, str)),
    )


def read_groups_above(group_id: str) -> Reading[frozenset[str] | Problem]:
    """The ids of the groups in which a group is nested, directly or through other groups."""
    purpose = f"listing the groups that contain group {group_id}"
    path = f"/groups/{segment(group_id)}/transitiveMemberOf?$select=id&$top={PAGE}"
    above = yield from _read_list(purpose, path, READ_GROUPS, identifier)
    return above if isinstance(above, Problem) else frozenset(above)


def _read_list(
    purpose: str, path: str, permission: str, decode: Callable[[JSONObject], ItemT]
) -> Reading[tuple[ItemT, ...] | Problem]:
    (outcome,) = yield [Read(purpose=purpose, version="v1.0", path=path, permission=permission, paged=True)]
    if isinstance(outcome, Problem):
        # A list that Graph does not find is unknown, not empty.
        return as_malformed(outcome)
    return _decoded(outcome, purpose, lambda body: tuple(decode(item) for item in elements(body)))


def _read_one(
    purpose: str, path: str, permission: str, decode: Callable[[JSONObject], ItemT]
) -> Reading[ItemT | None | Problem]:
    (outcome,) = yield [Read(purpose=purpose, version="v1.0", path=path, permission=permission)]
    if isinstance(outcome, Problem):
        return None if is_missing(outcome) else outcome
    return _decoded(outcome, purpose, decode)


def _decoded(outcome: Answer, purpose: str, decode: Callable[[JSONObject], ResultT]) -> ResultT | Problem:
    try:
        return decode(as_object(outcome.body, "the answer"))
    except Malformed as error:
        return malformed(outcome, purpose, error)


def _user(item: JSONObject) -> User:
    name = text_or_none(item, "userPrincipalName") or ""
    is_guest = (text_or_none(item, "userType") or "").lower() == "guest"
    return User(
        id=identifier(item),
        is_enabled=boolean_or_none(item, "accountEnabled"),
        is_external_guest=is_guest and ("#ext#" in name.lower() or bool(text_or_none(item, "externalUserState"))),
    )


def _device(item: JSONObject) -> Device:
    trust, system = text_or_none(item, "trustType"), text_or_none(item, "operatingSystem")
    return Device(
        id=identifier(item),
        is_enabled=boolean_or_none(item, "accountEnabled"),
        is_entra_joined=None if trust is None else trust.lower() == "azuread",
        runs_windows=None if system is None else system.lower().startswith("windows"),
    )


def _member(item: JSONObject) -> User | Device | str | None:
    """A person, a device, or the id of a group; None for anything else."""
    member = decode_member(item)
    match member.kind:
        case "user":
            return _user(item)
        case "device":
            return _device(item)
        case "group":
            return member.id
        case _:
            return None
