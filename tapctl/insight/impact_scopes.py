"""From a plan to what it does to people's and devices' reach: scopes before and after, and changes of membership."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tapctl.insight.reach import (
    NOBODY,
    OFF,
    Entry,
    Membership,
    Scope,
    Term,
    Terms,
    Transition,
    assignment_term,
    rule_term,
)
from tapctl.kinds import assignments
from tapctl.kinds.naming import Names
from tapctl.model.desired import ALL_USERS, Tenant
from tapctl.model.live import DirectoryTarget, Found, LiveAssignment, LivePolicy, LiveProfile, LiveTenant, Member
from tapctl.model.plan import Change, FieldChange
from tapctl.model.settings import ENABLE
from tapctl.model.values import Record, Value
from tapctl.reconcile.planner import Planned

POLICY_ADDRESS = "temporaryAccessPass"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What a plan does, as far as it matters to who is able."""

    policy: Transition | None
    """None: the files do not manage the policy, and it was not read."""
    profiles: Mapping[str, Transition]
    """By key. Profiles that the files do not declare are not looked at."""
    memberships: Mapping[str, Membership]
    """By group id, or address for groups that the plan makes."""
    flat: frozenset[str]
    """Ids of groups that are known to hold no other group."""


def effects_of(tenant: Tenant, planned: Planned, live: LiveTenant) -> Effects:
    """What this plan does to the policy, the declared profiles and the declared groups."""
    changes = {draft.change.address: draft.change for draft in planned.drafts}
    resolver = _Resolver(tenant, planned.names)
    policy = None
    if isinstance(live.policy, LivePolicy):
        policy = policy_transition(live.policy, changes.get(POLICY_ADDRESS), resolver)
    profiles = {
        key: profile_transition(_found(live, key), changes.get(f"webSignIn.{key}"), resolver) for key in tenant.profiles
    }
    memberships = dict(_memberships(tenant, live, changes, resolver))
    return Effects(policy=policy, profiles=profiles, memberships=memberships, flat=frozenset(_flat(live)))


def _found(live: LiveTenant, key: str) -> LiveProfile | None:
    lookup = live.profiles.get(key)
    return lookup.object if isinstance(lookup, Found) else None


def _flat(live: LiveTenant) -> Iterator[str]:
    for lookup in live.groups.values():
        if not isinstance(lookup, Found):
            continue
        group = lookup.object
        # A dynamic group holds people or devices, never groups.
        if group.rule is not None or (
            group.members is not None and all(item.kind != "group" for item in group.members)
        ):
            yield group.id


class _Resolver:
    """Canonical labels to the objects that they stand for."""

    def __init__(self, tenant: Tenant, names: Names) -> None:
        self._tenant = tenant
        self.names = names

    def group(self, label: str) -> Term:
        """A group by its key, which may be one that the plan makes, or by its id."""
        if label in self.names.group_ids:
            return Term("group", self.names.group_ids[label])
        return Term("group", f"groups.{label}" if label in self._tenant.groups else label)

    def policy_target(self, label: str) -> Term:
        if label == ALL_USERS:
            return Term("all-users")
        return Term("user", label.removeprefix("user:")) if label.startswith("user:") else self.group(label)

    def assignment(self, entry: Value) -> Entry:
        if not isinstance(entry, Record):
            return Entry(self._assigned(str(entry)))
        filter_id = self.names.filter_ids.get(str(entry["filter"]), str(entry["filter"]))
        return Entry(self._assigned(str(entry["group"])), (filter_id, str(entry["mode"])))

    def _assigned(self, label: str) -> Term:
        match label:
            case "all-devices" | "all-users":
                return Term(label)
            case _:
                return self.group(label)

    def members(self, labels: Iterable[str]) -> Terms:
        return frozenset(term for label in labels if (term := self._member(label)) is not None)

    def _member(self, label: str) -> Term | None:
        if label.startswith("group:"):
            return self.group(label.removeprefix("group:"))
        member = self.names.people.get(label.lower())
        return member_term(member) if member is not None else Term("other", label)


def member_term(member: Member) -> Term | None:
    """A member as a term; contacts and service principals neither sign in to Windows nor are devices."""
    match member.kind:
        case "user" | "device" | "group":
            return Term(member.kind, member.id)
        case _:
            return None


# The policy


def policy_transition(live: LivePolicy, change: Change | None, resolver: _Resolver) -> Transition:
    """The policy before and after its change; targets of deleted groups match nobody and are left out.

    Targets of types that tapctl does not know stay, whatever changes."""
    before = policy_scope(live, resolver.names.deleted_groups)
    if change is None:
        return Transition(before=before, after=before)
    fields = {item.path: item.after for item in change.fields}
    include, exclude = before.include, before.exclude
    if "include" in fields:
        include = frozenset(item for item in include if item.target.kind == "other")
        include |= {Entry(resolver.policy_target(label)) for label in _labels(fields["include"])}
    if "exclude" in fields:
        exclude = frozenset(item for item in exclude if item.kind == "other")
        exclude |= {resolver.policy_target(label) for label in _labels(fields["exclude"])}
    is_on = _is_on(fields["state"]) if "state" in fields else before.is_on
    return Transition(before=before, after=Scope(is_on=is_on, include=include, exclude=exclude))


def policy_scope(live: LivePolicy, deleted: frozenset[str] = frozenset()) -> Scope:
    """Whom the policy reaches as it is live."""
    return Scope(
        is_on=_is_on(live.state),
        include=frozenset(Entry(_policy_term(target)) for target in live.include if target.id not in deleted),
        exclude=frozenset(_policy_term(target) for target in live.exclude if target.id not in deleted),
    )


def _is_on(state: Value) -> bool | None:
    return {"enabled": True, "disabled": False}.get(str(state))


def _policy_term(target: DirectoryTarget) -> Term:
    return Term("all-users") if target.kind == "all-users" else Term(target.kind, target.id)


# Profiles


def profile_transition(live: LiveProfile | None, change: Change | None, resolver: _Resolver) -> Transition:
    """A profile before and after its change; one that does not exist reaches nobody."""
    deleted = resolver.names.deleted_groups
    before = profile_scope(live, deleted) if live is not None else OFF
    if change is None:
        return Transition(before=before, after=before)
    if change.action == "delete":
        return Transition(before=before, after=OFF)
    fields = {item.path: item.after for item in change.fields}
    assigned = live.assignments if live is not None else frozenset()
    include, exclude = before.include, before.exclude
    if "assign.include" in fields:
        kept = (item for item in _alive(assigned, deleted) if assignments.is_kept(item, resolver.names))
        include = frozenset(resolver.assignment(entry) for entry in _entries(fields["assign.include"]))
        include |= {_entry(item) for item in kept if item.kind != "exclusion"}
    if "assign.exclude" in fields:
        kept = (item for item in _alive(assigned, deleted) if assignments.is_kept(item, resolver.names))
        exclude = frozenset(resolver.assignment(entry).target for entry in _entries(fields["assign.exclude"]))
        exclude |= {_entry(item).target for item in kept if item.kind == "exclusion"}
    is_on = bool(before.is_on)
    if f"settings.{ENABLE}" in fields:
        is_on = fields[f"settings.{ENABLE}"] is True
    return Transition(before=before, after=Scope(is_on=is_on, include=include, exclude=exclude))


def profile_scope(live: LiveProfile, deleted: frozenset[str] = frozenset()) -> Scope:
    """Whom a profile gives web sign-in as it is live."""
    include, exclude = assignment_scope(_alive(live.assignments, deleted))
    return Scope(is_on=live.settings.get(ENABLE) is True, include=include, exclude=exclude)


def assignment_scope(assigned: Iterable[LiveAssignment]) -> tuple[frozenset[Entry], Terms]:
    """Assignments as includes and excludes."""
    listed = list(assigned)
    include = frozenset(_entry(item) for item in listed if item.kind != "exclusion")
    return include, frozenset(_entry(item).target for item in listed if item.kind == "exclusion")


def _alive(assigned: Iterable[LiveAssignment], deleted: frozenset[str]) -> Iterator[LiveAssignment]:
    return (item for item in assigned if item.group_id not in deleted)


def _entry(item: LiveAssignment) -> Entry:
    condition = (item.filter_id, item.mode) if item.filter_id is not None else None
    return Entry(assignment_term(item.kind, item.group_id), condition)


# Groups


def _memberships(
    tenant: Tenant, live: LiveTenant, changes: Mapping[str, Change], resolver: _Resolver
) -> Iterator[tuple[str, Membership]]:
    for key in sorted(tenant.groups):
        change = changes.get(f"groups.{key}")
        if change is None:
            continue
        ref = resolver.group(key).id
        fields = {item.path: item for item in change.fields}
        if change.action == "delete":
            yield ref, Membership(removed=frozenset({Term("group", ref)}), is_deleted=True)
            continue
        added, removed = _moved(live, key, fields.get("members"), resolver)
        if "rule" in fields:
            term = rule_term(*(str(rule) for rule in (fields["rule"].before, fields["rule"].after) if rule))
            added, removed = added | {term}, removed | {term}
        if added or removed or change.action == "create":
            yield ref, Membership(added=added, removed=removed, is_new=change.action == "create")


def _moved(live: LiveTenant, key: str, members: FieldChange | None, resolver: _Resolver) -> tuple[Terms, Terms]:
    """Who comes into a group and who goes."""
    if members is None:
        return NOBODY, NOBODY
    before, after = set(_labels(members.before)), set(_labels(members.after))
    lookup = live.groups.get(key)
    present = (lookup.object.members or frozenset()) if isinstance(lookup, Found) else frozenset()
    leaving = (item for item in present if resolver.names.member_label(item) in before - after)
    removed = frozenset(term for item in leaving if (term := member_term(item)) is not None)
    return resolver.members(after - before), removed


def _entries(value: Value) -> tuple[Value, ...]:
    return value if isinstance(value, tuple) else ()


def _labels(value: Value) -> tuple[str, ...]:
    return tuple(str(item) for item in _entries(value))
