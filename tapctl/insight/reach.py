"""Who a list of targets reaches, and who may newly be reached when lists or memberships change. Pure.

Nothing is counted here: a bound is a set of terms, each a person, a device, or a whole group, and everybody who may
gain is in one of them. Terms that occur twice count once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from tapctl.model.live import TargetKind

TermKind = Literal["user", "device", "group", "all-users", "all-devices", "other", "rule"]
Side = Literal["users", "devices"]


@dataclass(frozen=True, slots=True)
class Term:
    """One person, one device, or everybody of a group. `other` is a target that tapctl does not know: anybody.

    `rule` stands for whoever a membership rule may hold that the plan sets: its id says of what kind they are."""

    kind: TermKind
    id: str = ""
    """The object id, lower case; `groups.KEY` for a group that the plan makes; for a rule users, devices or both."""


Terms = frozenset[Term]
NOBODY: Terms = frozenset()


@dataclass(frozen=True, slots=True)
class Entry:
    """One include: a target, and the assignment filter that narrows it (id and mode), if there is one."""

    target: Term
    condition: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Whom a policy or a profile gives the ability, as its lists stand."""

    is_on: bool | None
    """None: the tenant did not say."""
    include: frozenset[Entry] = frozenset()
    exclude: Terms = NOBODY


OFF = Scope(is_on=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transition:
    """A policy or a profile before and after the plan."""

    before: Scope
    after: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """What the plan does to the direct members of one group."""

    added: Terms = NOBODY
    removed: Terms = NOBODY
    """The group itself stands for all of its members."""
    is_new: bool = False
    is_deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """Every change of membership in a plan, and in which groups each of those groups is nested."""

    memberships: Mapping[str, Membership] = field(default_factory=dict)
    """By the id of the group, or its address when the plan makes it."""
    parents: Mapping[str, frozenset[str] | None] = field(default_factory=dict)
    """The live groups above a changed group, however far; None: unknown, it may be any. Left out: there are none."""

    def is_new(self, ref: str) -> bool:
        change = self.memberships.get(ref)
        return change is not None and change.is_new

    def above(self, ref: str) -> frozenset[str] | None:
        """The groups whose closure a group is part of, before the plan or after it, itself among them."""
        found: set[str] = set()
        waiting = [ref]
        while waiting:
            current = waiting.pop()
            if current in found:
                continue
            found.add(current)
            live = self.parents.get(current, frozenset())
            if live is None:
                return None
            # What is above a live parent is in `live` already, but the plan may nest that parent elsewhere too.
            waiting += live
            waiting += (parent for parent, change in self.memberships.items() if _nests(change, current))
        return frozenset(found)

    def below(self, ref: str) -> list[Membership]:
        """The changes of membership that change who is in a group."""
        above = {changed: self.above(changed) for changed in self.memberships}
        return [
            change
            for changed, change in self.memberships.items()
            if (parents := above[changed]) is None or ref in parents
        ]


def _nests(change: Membership, ref: str) -> bool:
    return Term("group", ref) in change.added | change.removed


@dataclass(frozen=True, slots=True)
class Bound:
    """Everybody who may gain is in `terms`; where there is a `cap`, everybody who may gain is in the cap too."""

    terms: Terms
    cap: Terms | None = None


def gaining(transition: Transition, moves: Moves, side: Side) -> Bound:
    """Who may be able after the plan and not have been before it."""
    forward = _Reach(_Groups(moves, side, is_planned=False), _Groups(moves, side, is_planned=True))
    return forward.newly_able(transition.before, transition.after)


def losing(transition: Transition, moves: Moves, side: Side) -> Bound:
    """Who may have been able before the plan and not be after it: who gains when time runs backwards."""
    backward = _Reach(_Groups(moves, side, is_planned=True), _Groups(moves, side, is_planned=False))
    return backward.newly_able(transition.after, transition.before)


@dataclass(frozen=True, slots=True)
class _Groups:
    """Who is in groups: as they are live, or as the plan makes them."""

    moves: Moves
    side: Side
    is_planned: bool

    def everybody(self, targets: Iterable[Term]) -> Terms:
        """All who are in these targets. What a group is to lose it may still have: this only ever says too much."""
        listed = list(targets)
        terms = set(listed)
        if self.is_planned:
            terms |= {term for change in self._below(listed) for term in change.added}
        return self._relevant(terms)

    def own(self, targets: Iterable[Term]) -> Terms:
        """Those in these targets who are not in them in the other world."""
        changes = self._below(targets)
        return self._relevant(term for item in changes for term in (item.added if self.is_planned else item.removed))

    def _below(self, targets: Iterable[Term]) -> list[Membership]:
        return [change for target in targets if target.kind == "group" for change in self.moves.below(target.id)]

    def _relevant(self, terms: Iterable[Term]) -> Terms:
        # The members of a group that the plan makes are terms of their own.
        return frozenset(
            term
            for term in terms
            if concerns(term, self.side) and not (term.kind == "group" and self.moves.is_new(term.id))
        )


@dataclass(frozen=True, slots=True)
class _Reach:
    """Who is newly able on the way from one world to the other."""

    old: _Groups
    new: _Groups

    def newly_able(self, before: Scope, after: Scope) -> Bound:
        if after.is_on is False:
            return Bound(NOBODY)
        whole = self.new.everybody(entry.target for entry in after.include)
        if before.is_on is not True:
            return Bound(whole)
        come = self.new.own(entry.target for entry in after.include if _covers(before.include, entry))
        come |= self.new.everybody(entry.target for entry in after.include if not _covers(before.include, entry))
        spared = self.old.own(before.exclude & after.exclude) | self.old.everybody(before.exclude - after.exclude)
        return Bound(come | spared, whole) if spared else Bound(come)


def _covers(entries: frozenset[Entry], entry: Entry) -> bool:
    """Whether a list reached everything already that one entry reaches: by itself, or without its filter."""
    return entry in entries or Entry(entry.target) in entries


def concerns(term: Term, side: Side) -> bool:
    """Whether somebody on one side may be meant. People matter to devices: a profile that is assigned to people goes
    to their devices, which the directory does not tell reliably. Devices never matter to people."""
    if side == "devices":
        return True
    return term.kind != "device" and not (term.kind == "rule" and term.id == "devices")


def rule_term(*rules: str) -> Term:
    """Whoever these membership rules may hold. A rule that speaks of `device.` alone holds no people."""
    lowered = " ".join(rules).lower()
    about_users, about_devices = "user." in lowered, "device." in lowered
    if about_devices and not about_users:
        return Term("rule", "devices")
    return Term("rule", "users" if about_users and not about_devices else "both")


def assignment_term(kind: TargetKind, group_id: str | None) -> Term:
    """The target of a profile's assignment."""
    match kind:
        case "all-devices" | "all-users":
            return Term(kind)
        case "other":
            return Term("other", group_id or "")
        case _:
            return Term("group", group_id or "")
