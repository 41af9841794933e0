"""The TAP policy as a file says it."""

from __future__ import annotations

from collections.abc import Mapping

from tapctl.adopt.declaration import Tree, Writer
from tapctl.adopt.inventory import Inventory
from tapctl.model.desired import ALL_USERS
from tapctl.model.durations import duration
from tapctl.model.live import DirectoryTarget, LivePolicy
from tapctl.model.values import JSONValue

AT = ("temporaryAccessPass",)


def declare_policy(inventory: Inventory, group_keys: Mapping[str, str], writer: Writer) -> Tree:
    """The section `temporaryAccessPass`; empty when nothing of it can be managed."""
    live = inventory.policy
    if not _is_in_order(live):
        writer.warn(AT, "the lifetimes of the TAP policy contradict each other: the policy is left out, not managed")
        return {}
    tree: Tree = {}
    lifetime: Tree = {}
    _put(writer, tree, "state", live.state)
    for name, minutes in (("minimum", live.minimum), ("default", live.default), ("maximum", live.maximum)):
        if minutes is not None:
            writer.put(lifetime, (*AT, "lifetime", name), duration(minutes), AT)
    if lifetime:
        tree["lifetime"] = lifetime
    _put(writer, tree, "length", live.length)
    _put(writer, tree, "oneTime", live.one_time)
    for path, targets in (("include", live.include), ("exclude", live.exclude)):
        listed = _targets(path, targets, inventory, group_keys, writer)
        if listed is not None:
            tree[path] = [*listed]
    return tree


def _put(writer: Writer, tree: Tree, name: str, value: JSONValue) -> None:
    if value is not None:
        writer.put(tree, (*AT, name), value, AT)


def _is_in_order(live: LivePolicy) -> bool:
    if live.minimum is None or live.default is None or live.maximum is None:
        return True
    return live.minimum <= live.default <= live.maximum


def _targets(
    path: str,
    targets: frozenset[DirectoryTarget],
    inventory: Inventory,
    group_keys: Mapping[str, str],
    writer: Writer,
) -> list[str] | None:
    """A target list, or None when a file cannot say all of it: then it is not managed."""
    for target in sorted(targets, key=lambda item: item.id):
        if target.id in inventory.deleted:
            writer.warn(AT, f"`{path}` names the deleted group {target.id}, which matches nobody and stays as it is")
    users = sorted(target.id for target in targets if target.kind == "user")
    if users:
        writer.warn(AT, f"`{path}` names single users ({', '.join(users)}): it is left out and not managed")
        return None
    everybody = any(target.kind == "all-users" for target in targets)
    listed = sorted(group_keys[target.id] for target in targets if target.kind == "group" and target.id in group_keys)
    if not everybody:
        return listed
    if listed or path == "exclude":
        writer.warn(AT, f"`{path}` names all users beside groups or as an exclusion: it is left out and not managed")
        return None
    return [ALL_USERS]
