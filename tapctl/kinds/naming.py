"""Names and ids: the file's name of an object, its id in Graph, and the mapping between the two."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from tapctl.model.desired import Tenant
from tapctl.model.live import Candidate, Found, LiveGroup, LiveTenant, Member
from tapctl.model.values import JSONValue


@dataclass(slots=True)
class Names:
    """The mapping of names and ids in both directions, for one tenant as declared and as read."""

    group_ids: dict[str, str] = field(default_factory=dict)
    """Key to object id, for the declared groups that exist."""
    group_keys: dict[str, str] = field(default_factory=dict)
    group_rules: dict[str, str] = field(default_factory=dict)
    """Key to membership rule, for the declared groups that are dynamic."""
    filter_ids: dict[str, str] = field(default_factory=dict)
    filter_names: dict[str, str] = field(default_factory=dict)
    filter_rules: dict[str, str] = field(default_factory=dict)
    """Filter id to its rule."""
    filter_candidates: tuple[Candidate, ...] = ()
    scope_tag_candidates: tuple[Candidate, ...] = ()
    scope_tag_ids: dict[str, str] = field(default_factory=dict)
    scope_tag_names: dict[str, str] = field(default_factory=dict)
    deleted_groups: frozenset[str] = frozenset()
    """Ids in live lists whose group no longer exists."""
    people: dict[str, Member] = field(default_factory=dict)
    """Spelling in the file (in lower case) to the object."""
    spellings: dict[str, str] = field(default_factory=dict)
    """Object id to its spelling in the file."""

    def group_label(self, group_id: str) -> str:
        """The key of a declared group, else the object id."""
        return self.group_keys.get(group_id, group_id)

    def group_definitions(self, keys: Iterable[str]) -> dict[str, JSONValue]:
        """The live ids of the declared groups and the rules of dynamic ones, by address."""
        known = {key: self.group_ids[key] for key in keys if key in self.group_ids}
        rules = self.group_rules
        return {
            f"groups.{key}": {"id": found, "rule": rules[key]} if key in rules else found
            for key, found in known.items()
        }

    def filter_label(self, filter_id: str) -> str:
        return self.filter_names.get(filter_id, filter_id)

    def scope_tag_label(self, tag_id: str) -> str:
        return self.scope_tag_names.get(tag_id, tag_id)

    def member_label(self, member: Member) -> str:
        """The member as the file spells it, else in a spelling that the file could use."""
        # A declared group has one spelling, even if a list names it by its id.
        if member.kind == "group" and member.id in self.group_keys:
            return f"group:{self.group_keys[member.id]}"
        spelled = self.spellings.get(member.id)
        if spelled is not None:
            return spelled
        if member.kind == "user" and member.name:
            return member.name
        if member.kind == "device" and member.name:
            return f"device:{member.name}"
        return member.id


def index_members(groups: Iterable[LiveGroup]) -> dict[str, Member]:
    """Every spelling (lower case) by which the file could name a member that was seen in a live group."""
    index: dict[str, Member] = {}
    for group in groups:
        for member in group.members or ():
            index[member.id] = member
            if member.kind == "user" and member.name:
                index[member.name.lower()] = member
            elif member.kind == "device" and member.name:
                index[f"device:{member.name.lower()}"] = member
    return index


def names_of(tenant: Tenant, live: LiveTenant) -> Names:
    """All names, from the declared and the live state. A name that two objects share resolves to neither of them."""
    names = Names()
    found = {key: seen.object for key, seen in live.groups.items() if isinstance(seen, Found)}
    for key, group in found.items():
        names.group_ids[key] = group.id
        names.group_keys[group.id] = key
        if group.rule is not None:
            names.group_rules[key] = group.rule
    filters = live.filters if isinstance(live.filters, tuple) else ()
    names.filter_rules = {item.id: item.rule for item in filters}
    names.filter_candidates = _candidates((item.display_name, item.id) for item in filters)
    names.filter_ids, names.filter_names = _both_ways((item.display_name, item.id) for item in filters)
    tags = live.scope_tags if isinstance(live.scope_tags, tuple) else ()
    names.scope_tag_candidates = _candidates((item.display_name, item.id) for item in tags)
    names.scope_tag_ids, names.scope_tag_names = _both_ways((item.display_name, item.id) for item in tags)
    names.deleted_groups = frozenset(group_id for group_id, name in live.group_names.items() if name is None)
    seen_members = index_members(found.values())
    # Sorted, so that the choice between two spellings of one object does not depend on the order of the file.
    for spelling in sorted({item for declared in tenant.groups.values() for item in declared.members or ()}):
        looked_up = live.people.get(spelling.lower())
        member = seen_members.get(spelling.lower()) or (looked_up if isinstance(looked_up, Member) else None)
        if member is not None:
            names.people[spelling.lower()] = member
            names.spellings.setdefault(member.id, spelling)
    return names


def _candidates(pairs: Iterable[tuple[str, str]]) -> tuple[Candidate, ...]:
    return tuple(Candidate(identifier, label) for label, identifier in sorted(pairs))


def _both_ways(pairs: Iterable[tuple[str, str]]) -> tuple[dict[str, str], dict[str, str]]:
    listed = list(pairs)
    labels = [label for label, _ in listed]
    ids = {label: identifier for label, identifier in listed if labels.count(label) == 1}
    # An object whose name is ambiguous is shown by id in the `before` of a plan.
    return ids, {identifier: label for label, identifier in ids.items()}
