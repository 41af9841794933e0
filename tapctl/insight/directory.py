"""A picture of the directory as far as some groups reach: who is in them, and what can be said of each account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from tapctl.insight.reach import Membership, Term, Terms
from tapctl.kinds.groups import READ_PERMISSION as READ_GROUPS
from tapctl.kinds.groups import decode_member
from tapctl.kinds.wire import (
    JSONObject,
    Malformed,
    as_object,
    boolean_or_none,
    identifier,
    impossible,
    is_missing,
    malformed,
    objects,
    segment,
    text_or_none,
)
from tapctl.model.requests import Outcome, Problem, Read, Reading

USER_PROPERTIES = "id,accountEnabled,userType,externalUserState,userPrincipalName"
DEVICE_PROPERTIES = "id,accountEnabled,trustType,operatingSystem,deviceId"
MEMBER_PROPERTIES = f"{USER_PROPERTIES},trustType,operatingSystem,deviceId"
PAGE = 999
"""The most that a page of a directory list holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Directory:
    """Direct members of groups, and for each account whether it can have the ability at all."""

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


def read_directory(question: Question) -> Reading[Directory | Problem]:
    """List what is asked for: level by level of nesting, each level in one round trip and its pages."""
    picture = _Picture()
    pending = sorted(question.groups)
    first = _account_reads(question)
    while pending or first:
        reads = [*first, *(_members_read(ref) for ref in pending)]
        outcomes = yield reads
        problem = picture.take(first, pending, outcomes)
        if problem is not None:
            return problem
        first, pending = [], picture.unseen()
    missing = [_user_read(ref) for ref in sorted(question.users - set(picture.users))]
    missing += [_device_read(ref) for ref in sorted(question.devices - set(picture.devices))]
    if missing:
        problem = picture.take(missing, [], (yield missing))
        if problem is not None:
            return problem
    return Directory(members=picture.members, users=picture.users, devices=picture.devices)


class _Picture:
    """What has been seen so far."""

    def __init__(self) -> None:
        self.members: dict[str, Terms] = {}
        self.users: dict[str, bool | None] = {}
        self.devices: dict[str, bool | None] = {}

    def take(self, accounts: Sequence[Read], groups: Sequence[str], outcomes: Sequence[Outcome]) -> Problem | None:
        """Add what came back, or say what could not be read."""
        for read, outcome in zip(accounts, outcomes[: len(accounts)], strict=True):
            # A single account may be gone; a list that is not there is unknown.
            known = impossible(outcome) if read.paged and isinstance(outcome, Problem) else outcome
            problem = self._listed(known, read.purpose, read.path.startswith("/users"))
            if problem is not None:
                return problem
        for ref, outcome in zip(groups, outcomes[len(accounts) :], strict=True):
            problem = self._group(ref, outcome)
            if problem is not None:
                return problem
        return None

    def unseen(self) -> list[str]:
        """Groups that are nested in those seen and were not listed themselves yet."""
        nested = {term.id for members in self.members.values() for term in members if term.kind == "group"}
        return sorted(nested - set(self.members))

    def _listed(self, outcome: Outcome, purpose: str, are_users: bool) -> Problem | None:
        if isinstance(outcome, Problem):
            return None if is_missing(outcome) else outcome
        try:
            body = as_object(outcome.body, "the answer")
            for item in objects(body["value"], "value") if "value" in body else [body]:
                if are_users:
                    self.users[identifier(item)] = may_hold_a_pass(item)
                else:
                    self.devices[identifier(item)] = takes_web_sign_in(item)
        except Malformed as error:
            return malformed(outcome, purpose, error)
        return None

    def _group(self, ref: str, outcome: Outcome) -> Problem | None:
        if isinstance(outcome, Problem):
            return outcome
        terms: set[Term] = set()
        try:
            for item in objects(as_object(outcome.body, "the answer").get("value"), "value"):
                member = decode_member(item)
                if member.kind == "user":
                    self.users[member.id] = may_hold_a_pass(item)
                elif member.kind == "device":
                    self.devices[member.id] = takes_web_sign_in(item)
                if member.kind != "other":
                    terms.add(Term(member.kind, member.id))
        except Malformed as error:
            return malformed(outcome, f"listing the members of group {ref}", error)
        self.members[ref] = frozenset(terms)
        return None


def may_hold_a_pass(item: JSONObject) -> bool | None:
    """Whether an account is enabled and no external guest; internal guests may hold a pass."""
    enabled = boolean_or_none(item, "accountEnabled")
    name = text_or_none(item, "userPrincipalName") or ""
    is_guest = (text_or_none(item, "userType") or "").lower() == "guest"
    if enabled is False or (is_guest and ("#ext#" in name.lower() or text_or_none(item, "externalUserState"))):
        return False
    return enabled


def takes_web_sign_in(item: JSONObject) -> bool | None:
    """Whether a device is enabled, runs Windows and is Entra joined: not hybrid, not merely registered."""
    enabled = boolean_or_none(item, "accountEnabled")
    trust, system = text_or_none(item, "trustType"), text_or_none(item, "operatingSystem")
    if enabled is False or (trust is not None and trust.lower() != "azuread"):
        return False
    if system is not None and not system.lower().startswith("windows"):
        return False
    return None if enabled is None or trust is None or system is None else True


def _members_read(ref: str) -> Read:
    return Read(
        purpose=f"listing the members of group {ref}",
        version="v1.0",
        path=f"/groups/{segment(ref)}/members?$select={MEMBER_PROPERTIES}&$top={PAGE}",
        permission=READ_GROUPS,
        paged=True,
    )


def _account_reads(question: Question) -> list[Read]:
    reads = []
    if question.all_users:
        path = f"/users?$select={USER_PROPERTIES}&$top={PAGE}"
        reads.append(Read(purpose="listing users", version="v1.0", path=path, permission="User.Read.All", paged=True))
    if question.all_devices:
        path = f"/devices?$select={DEVICE_PROPERTIES}&$top={PAGE}"
        reads.append(
            Read(purpose="listing devices", version="v1.0", path=path, permission="Device.Read.All", paged=True)
        )
    return reads


def _user_read(ref: str) -> Read:
    path = f"/users/{segment(ref)}?$select={USER_PROPERTIES}"
    return Read(purpose=f"reading user {ref}", version="v1.0", path=path, permission="User.Read.All")


def _device_read(ref: str) -> Read:
    path = f"/devices/{segment(ref)}?$select={DEVICE_PROPERTIES}"
    return Read(purpose=f"reading device {ref}", version="v1.0", path=path, permission="Device.Read.All")


def ids(terms: Iterable[Term], kind: str) -> frozenset[str]:
    """The ids of the terms of one kind."""
    return frozenset(term.id for term in terms if term.kind == kind)
