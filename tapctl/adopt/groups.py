"""Groups as a file says them: managed where Graph lets a file manage them, otherwise only looked up."""

from __future__ import annotations

from collections.abc import Mapping

from tapctl.adopt.declaration import Tree, Writer
from tapctl.adopt.inventory import MOST_MEMBERS, Inventory
from tapctl.model.live import LiveGroup, Member
from tapctl.model.words import count_noun

SECTION = "groups"


def declare_groups(inventory: Inventory, keys: Mapping[str, str], writer: Writer) -> Tree:
    """The section `groups`: every group that the policy or an assignment names, and the groups inside those."""
    listings = _without_loops(inventory, keys, writer)
    section: Tree = {}
    for group_id, key in sorted(keys.items(), key=lambda item: item[1]):
        group = inventory.groups[group_id]
        at = (SECTION, key)
        tree: Tree = {}
        writer.put(tree, (*at, "displayName"), group.display_name, at)
        tree["id"] = group_id
        reason = _why_external(group, inventory, writer, at)
        if reason is not None:
            tree["external"] = True
            writer.remark(at, f"{reason}: only looked up, never changed")
        else:
            _declare_managed(tree, group, inventory, listings.get(group_id), keys, writer)
        section[key] = tree
    return section


def _why_external(group: LiveGroup, inventory: Inventory, writer: Writer, at: tuple[str, ...]) -> str | None:
    """Why a file should not manage a group; None when it may."""
    reasons = (
        (group.is_synchronised, "synchronised from on-premises"),
        (group.is_microsoft_365, "a Microsoft 365 group"),
        (group.mail_enabled, "a mail-enabled group"),
        (not group.security_enabled, "not a security group"),
        (group.role_assignable, "a role-assignable group"),
        (group.id not in inventory.targeted, "a member of another group here"),
    )
    for applies, reason in reasons:
        if applies:
            return reason
    if group.rule is not None and not writer.can_say((*at, "rule"), group.rule):
        writer.warn(at, "the membership rule cannot be said in a file")
        return "a dynamic group"
    return None


def _declare_managed(
    tree: Tree,
    group: LiveGroup,
    inventory: Inventory,
    listing: frozenset[Member] | None,
    keys: Mapping[str, str],
    writer: Writer,
) -> None:
    at = (SECTION, keys[group.id])
    if group.description:
        writer.put(tree, (*at, "description"), group.description, at)
    if group.rule is not None:
        tree["rule"] = group.rule
        return
    if group.id in inventory.crowded:
        writer.warn(at, f"it has more than {MOST_MEMBERS} members: its membership is left out and not managed")
    if listing is not None:
        _declare_members(tree, at, listing, keys, writer)


def _declare_members(
    tree: Tree, at: tuple[str, ...], members: frozenset[Member], keys: Mapping[str, str], writer: Writer
) -> None:
    place = (*at, "members")
    named = [(member, _name(member, keys)) for member in members if member.kind != "other"]
    listed = sorted(name for _, name in named)
    if not writer.can_say(place, [*listed]):
        listed = sorted(name if writer.can_say(place, [name]) else member.id for member, name in named)
    others = sum(1 for member in members if member.kind == "other")
    if others and not listed:
        # An empty list would say: nobody at all, members of other kinds included.
        writer.warn(at, f"its members ({others}) are neither people, devices nor groups: its membership is not managed")
        return
    if others:
        writer.warn(
            at, f"{count_noun(others, 'member')} of other kinds than people, devices and groups: not listed, and kept"
        )
    tree["members"] = [*listed]


def _name(member: Member, keys: Mapping[str, str]) -> str:
    """A member as a file names it: by name where it has one that Graph shows, else by object id."""
    match member.kind:
        case "user" if member.name:
            return member.name
        case "device" if member.name:
            return f"device:{member.name}".lower()
        case "group" if member.id in keys:
            return f"group:{keys[member.id]}"
        case _:
            return member.id


def _without_loops(
    inventory: Inventory, keys: Mapping[str, str], writer: Writer
) -> dict[str, frozenset[Member] | None]:
    """The members to declare, by group id. Of groups that contain each other, one is left without its members."""
    listings: dict[str, frozenset[Member] | None] = {}
    inside: dict[str, frozenset[str]] = {}
    for group_id in sorted(keys, key=lambda item: keys[item]):
        group = inventory.groups[group_id]
        if group_id not in inventory.targeted or group.members is None:
            continue
        nested = frozenset(member.id for member in group.members if member.kind == "group")
        if group_id in _reachable(nested, inside):
            at = (SECTION, keys[group_id])
            writer.warn(at, "it is, by way of other groups, a member of itself: its membership is not managed")
            continue
        listings[group_id], inside[group_id] = group.members, nested
    return listings


def _reachable(start: frozenset[str], inside: Mapping[str, frozenset[str]]) -> set[str]:
    found: set[str] = set()
    waiting = list(start)
    while waiting:
        group_id = waiting.pop()
        if group_id not in found:
            found.add(group_id)
            waiting.extend(inside.get(group_id, ()))
    return found
