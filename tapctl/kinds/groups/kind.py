"""Target groups as a kind of resource."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import partial
from typing import ClassVar

from tapctl.errors import Finding
from tapctl.kinds import audit, referrers
from tapctl.kinds.canonical import as_text, as_texts
from tapctl.kinds.effects import Effect
from tapctl.kinds.findings import adopted, finding_at
from tapctl.kinds.groups import comparing, finding, looking_up
from tapctl.kinds.groups.writing import References
from tapctl.kinds.kind import Fields, Kind, Role
from tapctl.kinds.naming import Names, index_members
from tapctl.kinds.steps import Draft
from tapctl.model.desired import Group, Identity, Tenant
from tapctl.model.live import Found, LiveGroup, LiveTenant, Referrer
from tapctl.model.plan import FieldChange
from tapctl.model.requests import Problem, Reading
from tapctl.model.values import Value, as_set


class GroupKind(Kind[Group]):
    section = "groups"
    lists_of_groups: ClassVar[Mapping[str, Role]] = {"members": "member"}
    audit_log = audit.GROUPS_LOG

    def declared(self, tenant: Tenant) -> Mapping[str, Group]:
        return {group.address: group for group in tenant.groups.values()}

    def declare(self, tenant: Tenant, resource: Group) -> Tenant:
        return replace(tenant, groups={**tenant.groups, resource.identity.key: resource})

    def identity(self, resource: Group) -> Identity | None:
        return resource.identity

    def fields(self, resource: Group, _today: date) -> dict[str, Value]:
        values: dict[str, Value] = {
            "displayName": resource.identity.display_name,
            "description": resource.description,
            "members": as_set(resource.members) if resource.members is not None else None,
            "rule": resource.rule,
            "roleAssignable": resource.role_assignable,
        }
        return {path: value for path, value in values.items() if value is not None}

    def remarks(self, resource: Group) -> dict[str, Value]:
        identity = resource.identity
        values: dict[str, Value] = {
            "id": identity.id,
            "external": resource.external or None,
            "adopt": identity.adopt or None,
            "ensure": identity.ensure if identity.ensure == "absent" else None,
            "uniqueName": resource.unique_name if resource.unique_name != f"tapctl-{identity.key}" else None,
            "membersExact": resource.members_exact or None,
        }
        return {path: value for path, value in values.items() if value}

    def is_identifying(self, path: str, declared: Fields) -> bool:
        is_name = path == "displayName" and "external" in declared
        return is_name or path in ("id", "external", "uniqueName", "adopt")

    def restore(self, identity: Identity, fields: Fields, traits: Mapping[str, str]) -> Group:
        return Group(
            unique_name=traits.get("uniqueName") or f"tapctl-{identity.key}",
            # Members that are not in the list must be visible too: the caller decides which of them to leave alone.
            members_exact=identity.ensure == "present",
            identity=identity._replace(display_name=as_text(fields.get("displayName"))),
            description=as_text(fields.get("description")),
            rule=as_text(fields.get("rule")),
            members=as_texts(fields.get("members")),
        )

    def created(self, fields: Fields) -> Fields:
        return fields if "rule" in fields else {"members": (), **fields}

    def reads(self, tenant: Tenant) -> Mapping[str, Reading[object]]:
        return {"groups": finding.read_all(tenant.groups.values())}

    def further_reads(self, tenant: Tenant, seen: LiveTenant) -> Mapping[str, Reading[object]]:
        return {"people": looking_up.read_people(_unknown_people(tenant, _found(seen).values()))}

    def ids(self, live: LiveTenant) -> Mapping[str, str]:
        return {f"groups.{key}": group.id for key, group in _found(live).items()}

    def live_lists(self, live: LiveTenant, names: Names) -> Mapping[str, Fields]:
        return {
            f"groups.{key}": {"members": as_set(names.member_label(member) for member in group.members)}
            for key, group in _found(live).items()
            if group.members is not None
        }

    def describe_referrer(self, referrer: Referrer) -> str:
        return f"the membership of group {referrer.id}"

    def check(self, tenant: Tenant, live: LiveTenant, names: Names) -> Iterable[Finding]:
        for key in sorted(tenant.groups):
            group = tenant.groups[key]
            if isinstance(live.group_names.get(key), str):
                yield finding_at(
                    tenant,
                    ("groups", key),
                    "ambiguous-name",
                    f"the key {key} is the id of another group, {live.group_names[key]!r}, which a live list names",
                    why="in a list, it would not be clear which of the two is meant",
                    fix="choose another key for this group",
                )
            if group.identity.ensure == "present":
                yield from comparing.unresolved(tenant, group, names)
            if group.external:
                wrong = comparing.identity_finding(tenant, group, live.groups[key])
                if wrong is not None:
                    yield wrong

    def plan(
        self, tenant: Tenant, live: LiveTenant, names: Names, _today: date, *, only_lapsed: bool = False
    ) -> Iterator[Draft | Finding]:
        for key in sorted(tenant.groups):
            group = tenant.groups[key]
            if group.external or only_lapsed:
                continue
            planned = comparing.plan(tenant, group, live.groups[key], names, _references(tenant, key, live, names))
            if planned is not None:
                yield planned

    def observe(self, tenant: Tenant, live: LiveTenant, names: Names, changing: frozenset[str]) -> Iterable[Finding]:
        found = _found(live)
        for key in sorted(set(found) & set(tenant.groups)):
            group, seen = tenant.groups[key], found[key]
            if group.identity.is_taken_over and seen.unique_name != group.unique_name:
                yield adopted(tenant, ("groups", key), f"group {seen.display_name!r}", seen.id)
            if not group.external and group.address not in changing:
                kept = comparing.kept_members(tenant, group, seen, names)
                if kept is not None:
                    yield kept

    def effect(self, item: FieldChange) -> Effect:
        # Two rules do not show which members each of them matches.
        return Effect(widens=item.path == "rule")


def _references(tenant: Tenant, key: str, live: LiveTenant, names: Names) -> References:
    seen = live.referrers if isinstance(live.referrers, tuple) else ()
    group_id = names.group_ids.get(key)
    leaving = frozenset((item.section, item.id) for item in seen if item.group_id == group_id)
    return References(partial(_read_referrers, tenant, key), leaving)


def _read_referrers(tenant: Tenant, key: str, group_id: str) -> Reading[tuple[Referrer, ...] | Problem]:
    return referrers.read(tenant.cloud, {key: group_id})


def _found(live: LiveTenant) -> dict[str, LiveGroup]:
    return {key: seen.object for key, seen in live.groups.items() if isinstance(seen, Found)}


def _unknown_people(tenant: Tenant, found: Iterable[LiveGroup]) -> set[str]:
    """Declared members that are not members of any live group read so far."""
    seen = index_members(found)
    declared = {
        spelling.lower()
        for group in tenant.groups.values()
        if group.identity.ensure == "present"
        for spelling in group.members or ()
        if not spelling.startswith("group:")
    }
    return declared - set(seen)
