"""A small directory as plain sets, the Graph reads that impact makes of it, and who is able by brute force."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from tapctl.model.requests import Answer, Problem, ProblemKind, Read, Reply
from tapctl.model.values import JSONValue

Name = str
"""`user-0`, `device-1`, `group-2`: ids that say of what kind they are."""

EVERYBODY = "all-users"
EVERY_DEVICE = "all-devices"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user (guest, enabled) or a device (joined, Windows, enabled, and whose it is)."""

    is_enabled: bool = True
    is_guest: bool = False
    is_joined: bool = True
    is_windows: bool = True
    owner: Name = ""

    @property
    def can(self) -> bool:
        return self.is_enabled and self.is_joined and self.is_windows and not self.is_guest


@dataclass(frozen=True, slots=True, kw_only=True)
class Include:
    """One include of a profile or policy."""

    target: Name
    filter: str | None = None
    mode: str = "include"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lists:
    """A policy's or a profile's switch and lists."""

    is_on: bool
    include: tuple[Include, ...] = ()
    exclude: tuple[Name, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Nature:
    """How the services behave where no document tells: the figures must hold whichever way it is."""

    honours_nesting: bool = True
    """Of the policy; Intune does honour nested groups."""
    mixes_exclusions: bool = True
    """An excluded device stays out although the profile comes to its owner."""
    passing: Mapping[str, Collection[Name]] = field(default_factory=dict)
    """Filter to the devices that it holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """Everybody and everything at one moment."""

    users: Mapping[Name, Account]
    devices: Mapping[Name, Account]
    groups: Mapping[Name, frozenset[Name]]
    policy: Lists
    profiles: Mapping[str, Lists]

    def closure(self, group: Name) -> frozenset[Name]:
        """Everybody in a group, at any depth."""
        found: set[Name] = set()
        waiting = list(self.groups.get(group, frozenset()))
        while waiting:
            member = waiting.pop()
            if member not in found:
                found.add(member)
                waiting += self.groups.get(member, frozenset())
        return frozenset(found)

    # Who is able

    def able_users(self, nature: Nature) -> set[Name]:
        return {name for name, account in self.users.items() if account.can and self._in_scope(name, nature)}

    def _in_scope(self, user: Name, nature: Nature) -> bool:
        def holds(target: Name) -> bool:
            if target in (EVERYBODY, user):
                return True
            members = self.closure(target) if nature.honours_nesting else self.groups.get(target, frozenset())
            return user in members

        included = any(holds(entry.target) for entry in self.policy.include)
        return self.policy.is_on and included and not any(holds(target) for target in self.policy.exclude)

    def able_devices(self, nature: Nature) -> set[Name]:
        return {
            name
            for name, device in self.devices.items()
            if device.can and any(self._gets(lists, name, nature) for lists in self.profiles.values())
        }

    def _gets(self, lists: Lists, device: Name, nature: Nature) -> bool:
        if not lists.is_on:
            return False
        owner = self.devices[device].owner
        excluded = {member for target in lists.exclude for member in self.closure(target)}
        for entry in lists.include:
            passes = entry.filter is None or (device in nature.passing[entry.filter]) == (entry.mode == "include")
            members = self.closure(entry.target)
            as_device = (entry.target == EVERY_DEVICE or device in members) and device not in excluded
            as_owned = (entry.target == EVERYBODY or owner in members) and owner not in excluded
            if nature.mixes_exclusions and device in excluded:
                as_owned = False
            if passes and (as_device or (as_owned and owner)):
                return True
        return False


class TownReader:
    """Answers the reads that impact makes, as Graph would; those whose path matches `broken` are denied."""

    def __init__(self, town: Town, *, broken: str | None = None, policy_body: JSONValue = None) -> None:
        self._town = town
        self._broken = broken
        self._policy = policy_body
        self.asked: list[Read] = []

    async def read(self, reads: Sequence[Read]) -> list[Reply]:
        self.asked += reads
        return [self._answer(read) for read in reads]

    def _answer(self, read: Read) -> Reply:
        path, _, query = unquote(read.path).partition("?")
        if self._broken is not None and re.search(self._broken, path):
            return Problem(kind=ProblemKind.DENIED, purpose=read.purpose, message="no", status=403)
        return Answer(200, self._body(path, query, read))

    def _body(self, path: str, query: str, read: Read) -> JSONValue:
        town = self._town
        if path.endswith("/$count"):
            assert read.headers["ConsistencyLevel"] == "eventual"
            return self._count(path, query)
        parts = path.strip("/").split("/")
        match parts:
            case ["users"]:
                return _listing(self._user(name) for name in town.users)
            case ["devices"]:
                return _listing(self._device(name) for name in town.devices)
            case ["users", name]:
                return self._user(name)
            case ["devices", name]:
                return self._device(name)
            case ["groups", group, "members"]:
                return _listing(self._object(name) for name in town.groups[group])
            case ["groups", group, "transitiveMemberOf"]:
                return _listing({"id": name} for name in town.groups if group in town.closure(name))
            case ["policies", *_]:
                return self._policy
            case _:
                raise AssertionError(f"not in this town: {path}")

    def _count(self, path: str, query: str) -> int:
        parts = path.strip("/").split("/")
        if parts[0] == "groups":
            kind = parts[3].rsplit(".", 1)[-1]
            return sum(1 for member in self._town.closure(parts[1]) if member.startswith(f"{kind}-"))
        if parts[0] == "users":
            return len(self._town.users)
        joined = [name for name, device in self._town.devices.items() if device.is_joined]
        return len(joined if "trustType" in query else self._town.devices)

    def _object(self, name: Name) -> dict[str, JSONValue]:
        if name.startswith("user-"):
            return {"@odata.type": "#microsoft.graph.user", **self._user(name)}
        if name.startswith("device-"):
            return {"@odata.type": "#microsoft.graph.device", **self._device(name)}
        return {"@odata.type": "#microsoft.graph.group", "id": name}

    def _user(self, name: Name) -> dict[str, JSONValue]:
        account = self._town.users[name]
        return {
            "id": name,
            "accountEnabled": account.is_enabled,
            "userType": "Guest" if account.is_guest else "Member",
            "userPrincipalName": f"{name}#EXT#@contoso.com" if account.is_guest else f"{name}@contoso.com",
        }

    def _device(self, name: Name) -> dict[str, JSONValue]:
        device = self._town.devices[name]
        return {
            "id": name,
            "deviceId": f"of-{name}",
            "accountEnabled": device.is_enabled,
            "trustType": "AzureAd" if device.is_joined else "Workplace",
            "operatingSystem": "Windows" if device.is_windows else "macOS",
        }


def _listing(items: Iterable[dict[str, JSONValue]]) -> JSONValue:
    return {"value": [*items]}
