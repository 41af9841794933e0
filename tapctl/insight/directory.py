"""A picture of the directory as far as some groups reach: who is in them, and what can be said of each account."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from tapctl.insight.reach import Membership, Term, Terms
from tapctl.kinds.directory import (
    Device,
    DirectMembers,
    User,
    read_device,
    read_devices,
    read_direct_members,
    read_user,
    read_users,
)
from tapctl.model.gather import gather
from tapctl.model.requests import Problem, Reading


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Direct members of groups, and for each account whether it can have the ability."""

    members: Mapping[str, Terms] = field(default_factory=dict)
    users: Mapping[str, bool | None] = field(default_factory=dict)
    """Whether an account may sign in with a pass: enabled, and no external guest. None: Graph did not say."""
    devices: Mapping[str, bool | None] = field(default_factory=dict)
    """Whether web sign-in works on a device: enabled, Windows, and Entra joined. None: Graph did not say."""

    def planned(self, memberships: Mapping[str, Membership]) -> Directory:
        """The directory as the plan makes it."""
        members = dict(self.members)
        for ref, change in memberships.items():
            members[ref] = (members.get(ref, frozenset()) - change.removed) | change.added
        gone = frozenset(Term("group", ref) for ref, change in memberships.items() if change.is_deleted)
        members = {ref: terms - gone for ref, terms in members.items() if Term("group", ref) not in gone}
        return replace(self, members=members)

    def direct(self, ref: str) -> Terms:
        return self.members.get(ref, frozenset())

    def closure(self, ref: str) -> Terms:
        """Everybody in a group, however deeply nested, with the groups themselves; circles are legal in Entra."""
        found: set[Term] = set()
        waiting = [Term("group", ref)]
        while waiting:
            term = waiting.pop()
            if term in found:
                continue
            found.add(term)
            if term.kind == "group":
                waiting += self.direct(term.id)
        return frozenset(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What of the directory is needed."""

    groups: frozenset[str]
    """Ids of live groups; their members are listed, and those of the groups in them."""
    users: frozenset[str] = frozenset()
    """Ids of accounts that must be known even if no group holds them."""
    devices: frozenset[str] = frozenset()
    all_users: bool = False
    all_devices: bool = False


_Seen: TypeAlias = tuple[User, ...] | tuple[Device, ...] | DirectMembers | User | Device | None | Problem
"""What one reading of the directory returns; None for a single account that no longer exists."""


def read_directory(question: Question) -> Reading[Directory | Problem]:
    """List what is asked for: level by level of nesting, each level in one round trip and its pages."""
    picture = _Picture()
    wanted: dict[object, Reading[_Seen]] = {}
    if question.all_users:
        wanted["all users"] = read_users()
    if question.all_devices:
        wanted["all devices"] = read_devices()
    wanted |= {Term("group", ref): read_direct_members(ref) for ref in sorted(question.groups)}
    while wanted:
        problem = picture.take((yield from gather(wanted)))
        if problem is not None:
            return problem
        wanted = {term: read_direct_members(term.id) for term in picture.unseen()}
    wanted |= {Term("user", ref): read_user(ref) for ref in sorted(question.users - set(picture.users))}
    wanted |= {Term("device", ref): read_device(ref) for ref in sorted(question.devices - set(picture.devices))}
    problem = picture.take((yield from gather(wanted)))
    if problem is not None:
        return problem
    return Directory(members=picture.members, users=picture.users, devices=picture.devices)


class _Picture:
    """What has been seen so far."""

    def __init__(self) -> None:
        self.members: dict[str, Terms] = {}
        self.users: dict[str, bool | None] = {}
        self.devices: dict[str, bool | None] = {}

    def take(self, parts: Mapping[object, _Seen]) -> Problem | None:
        """Add what came back, by what was asked for; or say what could not be read."""
        for asked, part in parts.items():
            if isinstance(part, Problem):
                return part
            if isinstance(part, DirectMembers) and isinstance(asked, Term):
                self.members[asked.id] = frozenset(_terms(part))
                self._take_accounts([*part.users, *part.devices])
            elif isinstance(part, tuple):
                self._take_accounts(part)
            elif isinstance(part, User | Device):
                self._take_accounts([part])
        return None

    def unseen(self) -> list[Term]:
        """Groups that are nested in those seen and were not listed themselves yet."""
        nested = {term for members in self.members.values() for term in members if term.kind == "group"}
        return sorted((term for term in nested if term.id not in self.members), key=lambda term: term.id)

    def _take_accounts(self, accounts: Iterable[User | Device]) -> None:
        for account in accounts:
            if isinstance(account, User):
                self.users[account.id] = may_hold_a_pass(account)
            else:
                self.devices[account.id] = takes_web_sign_in(account)


def _terms(members: DirectMembers) -> Iterator[Term]:
    yield from (Term("user", user.id) for user in members.users)
    yield from (Term("device", device.id) for device in members.devices)
    yield from (Term("group", ref) for ref in members.groups)


def may_hold_a_pass(user: User) -> bool | None:
    """Whether an account is enabled and no external guest; internal guests may hold a pass."""
    return False if user.is_external_guest else user.is_enabled


def takes_web_sign_in(device: Device) -> bool | None:
    """Whether a device is enabled, runs Windows and is Entra joined; None where Graph left one of them open."""
    claims = (device.is_enabled, device.is_entra_joined, device.runs_windows)
    if False in claims:
        return False
    return None if None in claims else True


def ids(terms: Iterable[Term], kind: str) -> frozenset[str]:
    """The ids of the terms of one kind."""
    return frozenset(term.id for term in terms if term.kind == kind)
