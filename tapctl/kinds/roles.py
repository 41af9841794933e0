"""What each declared group is used for: which lists include or exclude it, and in which groups it is nested."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tapctl.kinds.canonical import entries, group_of
from tapctl.kinds.effects import Effect, list_effect
from tapctl.kinds.kind import EVER, Fields, Role
from tapctl.kinds.naming import Names
from tapctl.kinds.registry import KINDS
from tapctl.model.desired import ALL_DEVICES, ALL_USERS, Group, Tenant
from tapctl.model.live import LiveTenant
from tapctl.model.plan import FieldChange

NESTED = "group:"
"""How a list of members names a group."""


def groups_named(lists_of_groups: Mapping[str, Role], fields: Fields) -> Iterator[tuple[Role, str]]:
    """The groups in the lists of one object, by key, or by id for groups that are not declared."""
    for path, role in lists_of_groups.items():
        for entry in entries(fields.get(path)):
            name = group_of(entry)
            if role != "member" and name not in (ALL_USERS, ALL_DEVICES) and not name.startswith("user:"):
                yield role, name
            elif role == "member" and name.startswith(NESTED):
                yield role, name.removeprefix(NESTED)


@dataclass(frozen=True, slots=True)
class Roles:
    """What the groups of one tenant are used for. Keys of groups throughout."""

    included: frozenset[str]
    excluded: frozenset[str]
    nested: Mapping[str, frozenset[str]]
    """For each declared group, the groups nested in it, directly or through other groups."""

    def membership_effect(self, address: str, members: FieldChange) -> Effect:
        """The effect of changed members of a group: in an excluded group, added members narrow.

        A group in no list counts as included, because it may be used elsewhere."""
        key = address.partition(".")[2]
        around = {key} | {holder for holder, inner in self.nested.items() if key in inner}
        is_excluded = bool(around & self.excluded)
        is_included = bool(around & self.included) or not is_excluded
        reached = list_effect(members, excludes=False) if is_included else Effect()
        kept_out = list_effect(members, excludes=True) if is_excluded else Effect()
        return Effect(
            widens=reached.widens or kept_out.widens,
            narrows=reached.narrows or kept_out.narrows,
        )


def roles_of(tenant: Tenant, live: LiveTenant | None = None, names: Names | None = None) -> Roles:
    """What a tenant's groups are used for.

    Args:
        live: for the live lists that the file does not manage; without it, only the file counts.
        names: needed with `live`.
    """
    used: dict[Role, set[str]] = {"include": set(), "exclude": set(tenant.break_glass), "member": set()}
    for kind in KINDS:
        declared = {address: kind.fields(item, EVER) for address, item in kind.declared(tenant).items()}
        seen = kind.live_lists(live, names) if live is not None and names is not None else {}
        for address, fields in declared.items():
            for role, key in groups_named(kind.lists_of_groups, {**seen.get(address, {}), **fields}):
                used[role].add(key)
    return Roles(frozenset(used["include"]), frozenset(used["exclude"]), nesting(tenant, names))


def nesting(tenant: Tenant, names: Names | None = None) -> dict[str, frozenset[str]]:
    """To each declared group the declared groups that are declared to be nested in it, however deep.

    Args:
        names: with it, groups that a list names by object id are known as well.
    """
    direct = {key: [*_nested_in(group, names)] for key, group in tenant.groups.items()}
    return {key: _beneath(key, direct) for key in direct}


def _nested_in(group: Group, names: Names | None) -> Iterator[str]:
    for spelling in group.members or ():
        member = names.people.get(spelling.lower()) if names is not None else None
        if spelling.startswith(NESTED):
            yield spelling.removeprefix(NESTED)
        elif names is not None and member is not None and member.id in names.group_keys:
            yield names.group_keys[member.id]


def _beneath(key: str, direct: Mapping[str, list[str]]) -> frozenset[str]:
    found: set[str] = set()
    waiting = [key]
    while waiting:
        new = [inner for inner in direct.get(waiting.pop(), ()) if inner in direct and inner not in found]
        found.update(new)
        waiting += new
    return frozenset(found)
