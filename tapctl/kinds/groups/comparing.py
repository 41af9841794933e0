"""The result for a declared group: nothing, a change, or a reason why it cannot be changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from tapctl.errors import Finding
from tapctl.kinds.findings import finding_at, listed
from tapctl.kinds.groups.members import definitions_of_members, kinds_used, nested, spelled_members
from tapctl.kinds.groups.writing import References, creation_steps, deletion_steps, update_steps
from tapctl.kinds.naming import Names
from tapctl.kinds.steps import Draft
from tapctl.model.desired import Group, Tenant
from tapctl.model.live import (
    Absent,
    Ambiguous,
    Found,
    LiveGroup,
    Lookup,
    PinMissing,
    Unmarked,
)
from tapctl.model.plan import Change, FieldChange
from tapctl.model.values import Value, as_set


def unresolved(tenant: Tenant, group: Group, names: Names) -> Iterator[Finding]:
    """Members that do not exist in the tenant, or that cannot be members."""
    for index, spelling in enumerate(group.members or ()):
        if spelling.startswith("group:"):
            continue
        report = partial(finding_at, tenant, ("groups", group.identity.key, "members", index))
        member = names.people.get(spelling.lower())
        if member is None:
            yield report(
                "unresolved-name",
                f"member {spelling!r} does not exist in the tenant",
                why="a member that cannot be found cannot be added, and nothing is changed until every name resolves",
                fix="correct the name, or remove the entry",
            )
        elif member.kind == "group" and member.id in names.group_keys:
            yield from _unfit(tenant, group, names.group_keys[member.id], report)


def _unfit(tenant: Tenant, group: Group, key: str, report: Callable[..., Finding]) -> Iterator[Finding]:
    """Why a declared group given by its object id cannot be a member; group keys are checked with the files."""
    if key == group.identity.key:
        yield report(
            "member-of-itself",
            f"this is the id of group {key} itself",
            why="a group cannot be its own member",
            fix="remove the entry",
        )
    elif key in tenant.groups and tenant.groups[key].identity.ensure == "absent":
        yield report(
            "absent-group",
            f"this is the id of group {key}, which is declared `ensure: absent`",
            why="a group is deleted only when nothing refers to it any more",
            fix="remove the entry, or the `ensure: absent`",
        )


def kept_members(tenant: Tenant, group: Group, live: LiveGroup, names: Names) -> Finding | None:
    """How many live members a list keeps because it names no member of their kind."""
    if group.members is None or live.members is None:
        return None
    used = kinds_used(group, names)
    kept = sum(1 for member in live.members if member.kind not in used)
    if not kept:
        return None
    return finding_at(
        tenant,
        ("groups", group.identity.key, "members"),
        "kept-members",
        f"{kept} live member{'s' if kept != 1 else ''} of {live.display_name!r} of kinds that the list does not use "
        f"{'are' if kept != 1 else 'is'} kept",
        why="a list of people says nothing about devices or groups",
        fix="set `membersExact: true` to have them removed",
        severity="info",
    )


def plan(
    tenant: Tenant, group: Group, lookup: Lookup[LiveGroup], names: Names, references: References
) -> Draft | None | Finding:
    """Compare one declared group: nothing, a change, or a reason why it cannot be changed."""
    if group.external:
        return identity_finding(tenant, group, lookup)
    match lookup:
        case Found(object=live) if group.identity.ensure == "absent":
            return _synchronised(tenant, group, live) or _deletion(group, live, names, references)
        case Found(object=live):
            return _update(tenant, group, live, names)
        case Absent() if group.identity.ensure == "absent":
            return None
        case Absent():
            return _creation(tenant, group, names)
        case _:
            return identity_finding(tenant, group, lookup)


def identity_finding(tenant: Tenant, group: Group, lookup: Lookup[LiveGroup]) -> Finding | None:
    """Why a declared group does not match exactly one live group."""
    key, name = group.identity.key, group.identity.display_name
    report = partial(finding_at, tenant, ("groups", key))
    match lookup:
        case PinMissing():
            return report(
                "unresolved-name",
                f"no group has the pinned id {group.identity.id}",
                why="a pinned id that does not exist is never created anew: the pin may be of another tenant",
                fix=f"correct `groups.{key}.id`, or remove it to let tapctl create the group",
            )
        case Ambiguous(candidates=candidates):
            return report(
                "ambiguous-name",
                f"{len(candidates)} groups are named {name!r}: {listed(candidates)}",
                why="tapctl never guesses which of two groups is meant",
                fix=f"pin the right one: `id: {candidates[0].id}`",
            )
        case Unmarked(candidates=candidates) if group.external:
            return report(
                "unresolved-name",
                f"no group is named exactly {name!r}; close: {listed(candidates)}",
                why="an external group must exist under exactly this name",
                fix=f"write the name as it is, or pin `id: {candidates[0].id}`",
            )
        case Unmarked(candidates=candidates):
            return report(
                "unmarked-object",
                f"a group named {name!r} exists that tapctl did not create: {listed(candidates)}",
                why="an object without tapctl's mark is never taken over in silence",
                fix=f"pin it with `id: {candidates[0].id}`, or set `external: true` to only refer to it, "
                "or `adopt: true` to manage it",
            )
        case Absent() if group.external:
            return report(
                "unresolved-name",
                f"no group is named {name!r}",
                why="an external group must exist; tapctl only looks it up",
                fix="correct `displayName`, pin `id:`, or remove `external: true` to let tapctl create it",
            )
        case _:
            return None


def _synchronised(tenant: Tenant, group: Group, live: LiveGroup) -> Finding | None:
    if not live.is_synchronised:
        return None
    return finding_at(
        tenant,
        ("groups", group.identity.key),
        "synchronised-group",
        f"group {live.display_name!r} is synchronised from on-premises",
        why="Graph refuses to change it; its source of authority is Active Directory",
        fix="set `external: true`, and change it where it comes from",
    )


def _contradiction(tenant: Tenant, group: Group, live: LiveGroup) -> Finding | None:
    """What the file says of a group that was found, and that cannot be changed to match."""
    key = group.identity.key
    if (group.rule is not None and live.rule is None) or (group.members is not None and live.rule is not None):
        now = "dynamic" if live.rule is not None else "assigned"
        return finding_at(
            tenant,
            ("groups", key, "rule" if group.rule is not None else "members"),
            "membership-kind",
            f"group {live.display_name!r} has {now} membership and cannot be turned into the other kind",
            why="everybody's membership would be replaced in one step that cannot be verified",
            fix="declare a new key for the new kind of group, move the references, then `ensure: absent` for this one",
        )
    if group.role_assignable is not None and group.role_assignable != live.role_assignable:
        return finding_at(
            tenant,
            ("groups", key, "roleAssignable"),
            "immutable-field",
            f"group {live.display_name!r} is {'' if live.role_assignable else 'not '}role-assignable",
            why="this is set when a group is created and cannot be changed",
            fix="declare a new key, or write the value as it is",
        )
    return None


def _update(tenant: Tenant, group: Group, live: LiveGroup, names: Names) -> Draft | Finding | None:
    fields: list[FieldChange] = []
    notes: list[str] = []
    pairs: list[tuple[str, Value, Value]] = [
        ("displayName", live.display_name, group.identity.display_name),
        ("description", live.description, group.description),
        ("rule", live.rule, group.rule),
    ]
    fields += [FieldChange(path=path, before=was, after=to) for path, was, to in pairs if to is not None and was != to]
    if group.members is not None:
        used = kinds_used(group, names)
        current = live.members or frozenset()
        before = as_set(names.member_label(member) for member in current if member.kind in used)
        after = as_set(spelled_members(group, names))
        if before != after:
            fields.append(FieldChange(path="members", before=before, after=after))
        kept = sum(1 for member in current if member.kind not in used)
        if kept:
            notes.append(f"keeps {kept} live member{'s' if kept != 1 else ''} of kinds that the list does not use")
    refused = (_synchronised(tenant, group, live) if fields else None) or _contradiction(tenant, group, live)
    if refused is not None:
        return refused
    if not fields:
        return None
    change = Change(
        address=group.address,
        action="update",
        title=live.display_name,
        fields=tuple(sorted(fields, key=lambda item: item.path)),
        widens="rule" in {item.path for item in fields},
        notes=tuple(notes),
        depends_on=nested(group, names),
    )
    return Draft(
        change=change,
        steps=partial(update_steps, group, live, names),
        object_id=live.id,
        # In the same form as the definitions of other changes that use this group, so that either can be kept.
        definitions={**names.group_definitions([group.identity.key]), **definitions_of_members(group, names)},
    )


def _creation(tenant: Tenant, group: Group, names: Names) -> Draft | Finding:
    if group.identity.display_name is None:
        return finding_at(
            tenant,
            ("groups", group.identity.key),
            "schema",
            "a new group needs a `displayName`",
            fix="add `displayName:`",
        )
    values: dict[str, Value] = {"displayName": group.identity.display_name}
    if group.description is not None:
        values["description"] = group.description
    if group.rule is not None:
        values["rule"] = group.rule
    if group.role_assignable:
        values["roleAssignable"] = True
    if group.members is not None:
        values["members"] = as_set(spelled_members(group, names))
    change = Change(
        address=group.address,
        action="create",
        title=group.identity.display_name,
        fields=tuple(FieldChange(path=path, before=None, after=values[path]) for path in sorted(values)),
        depends_on=nested(group, names),
    )
    return Draft(
        change=change,
        steps=partial(creation_steps, group, names),
        traits={"uniqueName": group.unique_name},
        definitions=definitions_of_members(group, names),
    )


def _deletion(group: Group, live: LiveGroup, names: Names, references: References) -> Draft:
    members = as_set(names.member_label(member) for member in live.members or ())
    fields: tuple[tuple[str, Value], ...] = (
        ("description", live.description),
        ("displayName", live.display_name),
        ("members", members),
        ("rule", live.rule),
    )
    change = Change(
        address=group.address,
        action="delete",
        title=live.display_name,
        fields=tuple(FieldChange(path=path, before=value, after=None) for path, value in fields if value),
        irreversible=True,
    )
    return Draft(
        change=change,
        steps=partial(deletion_steps, group, live, references),
        narrows=True,
        object_id=live.id,
        definitions={group.address: live.id},
    )
