"""Declared members: how they are spelled, and which kinds of members a list manages."""

from __future__ import annotations

from tapctl.kinds.naming import Names
from tapctl.model.desired import Group
from tapctl.model.live import (
    MemberKind,
)
from tapctl.model.values import JSONValue, as_set


def spelled_members(group: Group, names: Names) -> tuple[str, ...]:
    """The declared members in canonical spelling; two spellings of one object count once."""
    labels: set[str] = set()
    for spelling in group.members or ():
        member = names.people.get(spelling.lower())
        labels.add(names.member_label(member) if member is not None else spelling)
    return tuple(str(label) for label in as_set(labels))


def kinds_used(group: Group, names: Names) -> frozenset[MemberKind]:
    """The kinds of members that the declared list manages; an empty list manages all kinds."""
    if group.members_exact or not group.members:
        return frozenset({"user", "device", "group", "other"})
    used: set[MemberKind] = set()
    for spelling in group.members:
        member = names.people.get(spelling.lower())
        used.add(member.kind if member is not None else "group" if spelling.startswith("group:") else "user")
    return frozenset(used)


def nested(group: Group, names: Names) -> tuple[str, ...]:
    """The addresses of the declared groups that are members, by key or by object id."""
    labels = spelled_members(group, names)
    return tuple(f"groups.{item.removeprefix('group:')}" for item in labels if item.startswith("group:"))


def definitions_of_members(group: Group, names: Names) -> dict[str, JSONValue]:
    """The object behind each member spelling: the same name may be another person or group tomorrow."""
    found = {spelling: names.people.get(spelling.lower()) for spelling in group.members or ()}
    people = {f"member:{spelling.lower()}": member.id for spelling, member in found.items() if member is not None}
    return {**names.group_definitions(address.removeprefix("groups.") for address in nested(group, names)), **people}
