"""Web sign-in profiles as a file says them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from tapctl.adopt.declaration import Place, Tree, Writer
from tapctl.adopt.inventory import Inventory
from tapctl.model.desired import ALL_DEVICES, ALL_USERS, SettingValue
from tapctl.model.live import LiveAssignment, LiveProfile
from tapctl.model.values import JSONValue
from tapctl.model.words import count_noun

SECTION = "webSignIn"


def declare_profiles(
    inventory: Inventory, profile_keys: Mapping[str, str], group_keys: Mapping[str, str], writer: Writer
) -> Tree:
    """The section `webSignIn`: every profile that holds a modelled setting."""
    names = _Names.of(inventory, group_keys)
    section: Tree = {}
    setters: dict[str, list[str]] = {}
    for live in sorted(inventory.profiles, key=lambda item: profile_keys[item.id]):
        key = profile_keys[live.id]
        at = (SECTION, key)
        if not writer.can_say((*at, "id"), live.id):
            writer.warn((SECTION,), f"profile {key} is left out: its id is not a GUID")
            continue
        section[key] = _declare(live, at, names, writer)
        for name in sorted(live.settings):
            setters.setdefault(name, []).append(key)
    for name, keys in sorted(setters.items()):
        if len(keys) > 1:
            writer.warn((SECTION,), f"{len(keys)} profiles set {name}: {', '.join(keys)}; one owner a setting is safer")
    return section


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """The names of ids; a name that two objects share is used for neither."""

    groups: Mapping[str, str]
    """Group id to key."""
    deleted: frozenset[str]
    filters: Mapping[str, str]
    tags: Mapping[str, str]
    unclear_filters: frozenset[str]
    """Ids of filters whose display name another filter has too."""
    unclear_tags: frozenset[str]

    @classmethod
    def of(cls, inventory: Inventory, group_keys: Mapping[str, str]) -> _Names:
        filters = {item.id: item.display_name for item in inventory.filters}
        tags = {item.id: item.display_name for item in inventory.scope_tags}
        return cls(
            groups=group_keys,
            deleted=inventory.deleted,
            filters=filters,
            tags=tags,
            unclear_filters=_sharing(filters),
            unclear_tags=_sharing(tags),
        )


def _sharing(names: Mapping[str, str]) -> frozenset[str]:
    counts = Counter(names.values())
    return frozenset(identifier for identifier, name in names.items() if counts[name] > 1)


def _declare(live: LiveProfile, at: Place, names: _Names, writer: Writer) -> Tree:
    tree: Tree = {}
    writer.put(tree, (*at, "displayName"), live.name, at)
    tree["id"] = live.id
    if live.description:
        writer.put(tree, (*at, "description"), live.description, at)
    if live.delivery != "settings-catalog":
        tree["delivery"] = live.delivery
    _note_what_stays(live, at, writer)
    settings: Tree = {}
    for name, value in sorted(live.settings.items()):
        writer.put(settings, (*at, "settings", name), _json(value), at)
    if settings:
        tree["settings"] = settings
    assign = _assign(live, at, names, writer)
    if assign is not None:
        tree["assign"] = assign
    tags = _scope_tags(live, at, names, writer)
    if tags:
        tree["scopeTags"] = [*tags]
    return tree


def _json(value: SettingValue) -> JSONValue:
    return [*value] if isinstance(value, tuple) else value


def _note_what_stays(live: LiveProfile, at: Place, writer: Writer) -> None:
    if live.unmodelled:
        writer.warn(at, f"it holds {count_noun(live.unmodelled, 'setting')} that tapctl does not model: kept as found")
    for name, what in sorted(live.unreadable.items()):
        writer.warn(at, f"{name} is left out and not managed, its form being unknown: {what}")
    if live.masked:
        writer.warn(
            at, f"it holds {count_noun(live.masked, 'secret')} that Graph masks: tapctl will not write its settings"
        )
    if live.is_templated:
        writer.warn(at, "it was made from a template: tapctl can watch it, and will not write it")


# Assignments


def _assign(live: LiveProfile, at: Place, names: _Names, writer: Writer) -> Tree | None:
    """The assignments, or None when a file cannot say all of them: then they are not managed."""
    _note_kept(live, at, names, writer)
    sides: dict[str, list[JSONValue]] = {"include": [], "exclude": []}
    trouble: list[str] = []
    for item in sorted(_declarable(live, names), key=lambda each: _order(each, names)):
        side = "exclude" if item.kind == "exclusion" else "include"
        trouble += _why_unsayable(item, side, at, names, writer)
        sides[side].append(_entry(item, names))
    trouble += _contradictions(sides)
    if trouble:
        reasons = "; ".join(dict.fromkeys(trouble))
        writer.warn(at, f"{reasons}: the assignments are left out and not managed")
        return None
    return {"include": sides["include"], "exclude": sides["exclude"]}


def _declarable(live: LiveProfile, names: _Names) -> list[LiveAssignment]:
    return [
        item
        for item in live.assignments
        if item.kind != "other" and item.is_direct and item.group_id not in names.deleted
    ]


def _note_kept(live: LiveProfile, at: Place, names: _Names, writer: Writer) -> None:
    """What a file cannot say and a plan leaves as it is."""
    for group_id in sorted(
        {item.group_id for item in live.assignments if item.group_id in names.deleted and item.group_id}
    ):
        writer.warn(at, f"an assignment names the deleted group {group_id}, which matches nobody and stays as it is")
    indirect = sum(1 for item in live.assignments if not item.is_direct)
    if indirect:
        writer.warn(
            at, f"{count_noun(indirect, 'assignment')} through policy sets: kept, and tapctl will not write the others"
        )
    unknown = sum(1 for item in live.assignments if item.kind == "other" and item.is_direct)
    if unknown:
        writer.warn(at, f"{count_noun(unknown, 'assignment')} of a kind that tapctl does not know: kept as found")


def _order(item: LiveAssignment, names: _Names) -> tuple[str, str, str]:
    return _group(item, names), item.filter_id or "", item.mode


def _group(item: LiveAssignment, names: _Names) -> str:
    if item.kind in (ALL_DEVICES, ALL_USERS):
        return item.kind
    return names.groups[item.group_id or ""]


def _entry(item: LiveAssignment, names: _Names) -> JSONValue:
    group = _group(item, names)
    if item.filter_id is None:
        return group
    return {"group": group, "filter": names.filters.get(item.filter_id, ""), "mode": item.mode}


def _why_unsayable(item: LiveAssignment, side: str, at: Place, names: _Names, writer: Writer) -> list[str]:
    if item.filter_id is None:
        return []
    name = names.filters.get(item.filter_id)
    if name is None:
        return [f"the assignment filter {item.filter_id} cannot be found"]
    shown = writer.named((*at, "displayName"), name, item.filter_id)
    if side == "exclude":
        return [f"an exclusion has the filter {shown}"]
    if item.filter_id in names.unclear_filters:
        return [f"another filter has the name of {shown}"]
    return [] if writer.can_say((*at, "assign", side), [_entry(item, names)]) else [f"filter {shown} has such a name"]


def _contradictions(sides: Mapping[str, list[JSONValue]]) -> list[str]:
    """What Graph can hold and a file must not say."""
    groups = {
        side: [str(entry["group"]) if isinstance(entry, dict) else str(entry) for entry in entries]
        for side, entries in sides.items()
    }
    both = sorted(set(groups["include"]) & set(groups["exclude"]))
    twice = sorted({key for keys in groups.values() for key in keys if keys.count(key) > 1})
    found = [f"{key} is both included and excluded" for key in both]
    return found + [f"{key} is assigned twice" for key in twice]


def _scope_tags(live: LiveProfile, at: Place, names: _Names, writer: Writer) -> list[str] | None:
    """Display names of the scope tags, or None when a file cannot say them."""
    for tag_id in sorted(live.scope_tag_ids):
        name = names.tags.get(tag_id)
        if name is None or tag_id in names.unclear_tags or not writer.can_say((*at, "scopeTags"), [name]):
            writer.warn(at, f"scope tag {tag_id} has no unique name: scope tags are not managed")
            return None
    return sorted(names.tags[tag_id] for tag_id in live.scope_tag_ids)
