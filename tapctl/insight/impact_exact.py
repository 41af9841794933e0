"""Exact impact: who is able before the plan and after it, account by account, where everything can be known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass

from tapctl.insight.directory import Directory, Question, ids, read_directory
from tapctl.insight.reach import Entry, Membership, Scope, Term, Terms, Transition
from tapctl.model.plan import ImpactCount
from tapctl.model.requests import Problem, Reading

Condition = tuple[str, ...]
"""A condition on which a device has the profile and which the directory cannot decide: a filter, or whose it is."""

ALWAYS: Condition = ()


@dataclass(frozen=True, slots=True)
class Counted:
    """How many gain and lose."""

    gaining: ImpactCount
    losing: ImpactCount


def count_users(policy: Transition, memberships: Mapping[str, Membership]) -> Reading[Counted | None]:
    """The people who gain and lose; None where a membership rule decides, or something could not be read."""
    if policy.before.is_on is None or policy.after.is_on is None:
        return None
    targets = _targets([policy])
    if any(target.kind == "other" for target in targets):
        return None
    directory = yield from read_directory(_question(targets, memberships, side="users"))
    if isinstance(directory, Problem):
        return None
    planned = directory.planned(memberships)
    if _rules_decide(targets, directory, planned, {"users", "both"}):
        return None
    # Whether the policy honours nested groups is documented nowhere: both answers are worked out.
    before = [_able(policy.before, directory, is_nesting=is_nesting) for is_nesting in (False, True)]
    after = [_able(policy.after, planned, is_nesting=is_nesting) for is_nesting in (False, True)]
    gains = [late - early for early, late in zip(before, after, strict=True)]
    losses = [early - late for early, late in zip(before, after, strict=True)]
    return Counted(_agreed(gains, directory.users), _agreed(losses, directory.users))


def _agreed(answers: list[frozenset[str]], accounts: Mapping[str, bool | None]) -> ImpactCount:
    everybody = frozenset(ref for answer in answers for ref in answer)
    is_exact = all(answer == everybody for answer in answers) and all(accounts.get(ref) for ref in everybody)
    return _figure(len(everybody), is_exact=is_exact)


def _figure(count: int, *, is_exact: bool) -> ImpactCount:
    return ImpactCount(count=count, certainty="exact" if is_exact or not count else "upper-bound")


def _able(scope: Scope, directory: Directory, *, is_nesting: bool) -> frozenset[str]:
    """Who is in scope of the policy and may hold a pass; an account of which nothing is known counts."""
    if not scope.is_on:
        return frozenset()

    def people(targets: Iterable[Term]) -> set[str]:
        found: set[str] = set()
        for target in targets:
            if target.kind == "all-users":
                found |= set(directory.users)
            elif target.kind == "group":
                members = directory.closure(target.id) if is_nesting else directory.direct(target.id)
                found |= ids(members, "user")
            else:
                found.add(target.id)
        return found

    included = people(entry.target for entry in scope.include) - people(scope.exclude)
    return frozenset(ref for ref in included if directory.users.get(ref, False) is not False)


# Devices


def count_devices(profiles: Iterable[Transition], memberships: Mapping[str, Membership]) -> Reading[Counted | None]:
    """The devices that gain and lose; None where a membership rule decides, or something could not be read."""
    listed = list(profiles)
    targets = _targets(listed)
    directory = yield from read_directory(_question(targets, memberships, side="devices"))
    if isinstance(directory, Problem):
        return None
    planned = directory.planned(memberships)
    if _rules_decide(targets, directory, planned, {"users", "devices", "both"}):
        return None
    before = [_Delivery.of(profile.before, directory) for profile in listed]
    after = [_Delivery.of(profile.after, planned) for profile in listed]
    able = {ref: known for ref, known in directory.devices.items() if known is not False}
    early = {ref: _conditions(before, ref) for ref in able}
    late = {ref: _conditions(after, ref) for ref in able}
    return Counted(_difference(early, late, able), _difference(late, early, able))


def _difference(
    before: Mapping[str, frozenset[Condition]],
    after: Mapping[str, frozenset[Condition]],
    devices: Mapping[str, bool | None],
) -> ImpactCount:
    possible = [ref for ref in devices if _may_gain(before[ref], after[ref])]
    is_exact = all(devices[ref] and not before[ref] and _is_certain(after[ref]) for ref in possible)
    return _figure(len(possible), is_exact=is_exact)


def _may_gain(before: frozenset[Condition], after: frozenset[Condition]) -> bool:
    """Whether the conditions of before can all fail while one of after holds."""
    return not _is_certain(before) and bool(after - before)


def _is_certain(conditions: frozenset[Condition]) -> bool:
    """Whether one of these must hold: the empty condition, or a filter in both modes."""
    if ALWAYS in conditions:
        return True
    including = {item[1] for item in conditions if item[0] == "filter" and item[2] == "include"}
    return any(item[0] == "filter" and item[2] == "exclude" and item[1] in including for item in conditions)


def _conditions(deliveries: Iterable[_Delivery], device: str) -> frozenset[Condition]:
    return frozenset(condition for delivery in deliveries for condition in delivery.conditions(device))


@dataclass(frozen=True, slots=True)
class _Delivery:
    """Whom one profile reaches, with what the directory leaves open."""

    scope: Scope
    reached: tuple[tuple[Entry, Terms], ...]
    excluded: Terms

    @classmethod
    def of(cls, scope: Scope, directory: Directory) -> _Delivery:
        if not scope.is_on:
            return cls(scope, (), frozenset())
        reached = tuple((entry, _members(entry.target, directory)) for entry in scope.include)
        excluded = frozenset(member for target in scope.exclude for member in _members(target, directory))
        return cls(scope, reached, excluded)

    def conditions(self, device: str) -> Iterator[Condition]:
        """On what it depends that a device has the profile: one that holds is enough, none means it never has it."""
        is_excluded = Term("device", device) in self.excluded
        for entry, members in self.reached:
            is_reached = entry.target.kind == "all-devices" or Term("device", device) in members
            if is_reached and not is_excluded:
                yield ("filter", *entry.condition) if entry.condition else ALWAYS
            people = ids(members, "user")
            if people or entry.target.kind in ("all-users", "other"):
                # Intune does not relate users to devices in exclusions: what these do here is left open as well.
                yield (
                    "people",
                    entry.target.kind,
                    *sorted(people),
                    "but not",
                    *sorted(ids(self.excluded, "user")),
                    "device" if is_excluded else "",
                    *(entry.condition or ()),
                )


def _members(target: Term, directory: Directory) -> Terms:
    return directory.closure(target.id) if target.kind == "group" else frozenset()


# What has to be read


def _targets(transitions: Iterable[Transition]) -> Terms:
    """Every target of a scope that is on, before or after."""
    scopes = [scope for item in transitions for scope in (item.before, item.after) if scope.is_on]
    included = (entry.target for scope in scopes for entry in scope.include)
    return frozenset(included) | frozenset(target for scope in scopes for target in scope.exclude)


def _question(targets: Terms, memberships: Mapping[str, Membership], *, side: str) -> Question:
    """Everything that the targets reach before or after the plan."""
    added = frozenset(term for change in memberships.values() for term in change.added)
    new = {ref for ref, change in memberships.items() if change.is_new}
    people = ids(targets, "user") | ids(added, "user")
    return Question(
        groups=(ids(targets, "group") | ids(added, "group")) - new,
        users=people if side == "users" else frozenset(),
        devices=ids(added, "device") if side == "devices" else frozenset(),
        all_users=side == "users" and any(target.kind == "all-users" for target in targets),
        all_devices=side == "devices",
    )


def _rules_decide(targets: Terms, directory: Directory, planned: Directory, kinds: Set[str]) -> bool:
    """Whether a membership rule that the plan sets decides about members of these targets."""
    worlds = (directory, planned)
    reached = [member for world in worlds for ref in ids(targets, "group") for member in world.closure(ref)]
    return any(member.kind == "other" or (member.kind == "rule" and member.id in kinds) for member in reached)
