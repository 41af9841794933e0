"""The wanted fields of a profile, in canonical form, and which changes of them narrow or widen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from tapctl.kinds import assignments
from tapctl.kinds.canonical import entries, group_of, removed_and_added
from tapctl.kinds.effects import Effect, list_effect
from tapctl.kinds.naming import Names
from tapctl.model.desired import Profile, SettingValue, Tenant
from tapctl.model.live import (
    LiveProfile,
)
from tapctl.model.plan import FieldChange
from tapctl.model.settings import ENABLE, canonical
from tapctl.model.values import JSONValue, Record, Value, as_set, to_json


@dataclass(frozen=True, slots=True)
class Wanted:
    """The managed fields of a profile in canonical form."""

    settings: Mapping[str, SettingValue]
    include: tuple[Value, ...] | None
    exclude: tuple[Value, ...] | None
    scope_tags: tuple[Value, ...] | None
    lapsed: frozenset[Value]

    @classmethod
    def of(cls, profile: Profile, today: date) -> Wanted:
        declared = profile.include
        include = assignments.wanted_labels(declared, today) if declared is not None else None
        every = assignments.wanted_labels(declared or (), date.min)
        return cls(
            settings={name: canonical(name, value) for name, value in profile.settings.items()},
            include=include,
            exclude=assignments.wanted_labels(profile.exclude, today) if profile.exclude is not None else None,
            scope_tags=as_set(profile.scope_tags) if profile.scope_tags is not None else None,
            lapsed=frozenset(every) - frozenset(include or ()),
        )


def settings_after(live: LiveProfile, wanted: Wanted) -> dict[str, SettingValue]:
    """The modelled settings after a change: settings that the file does not name stay, null removes a setting."""
    merged = {**live.settings, **wanted.settings}
    return {name: value for name, value in merged.items() if value is not None}


def effect(item: FieldChange) -> Effect:
    """Whether somebody may gain or lose the ability by a change of one field."""
    match item.path:
        case "assign.include":
            before, after = entries(item.before), entries(item.after)
            return Effect(
                widens=assignments.includes_widen(before, after), narrows=assignments.includes_narrow(before, after)
            )
        case "assign.exclude":
            return list_effect(item, excludes=True)
        case "settings.enableWebSignIn":
            is_enabled = item.after is True
            return Effect(widens=is_enabled, enables=is_enabled, narrows=item.before is True)
        case _:
            return Effect()


def is_lapse(item: FieldChange, lapsed: frozenset[Value]) -> bool:
    if item.path != "assign.include":
        return False
    removed, added = removed_and_added(item)
    return bool(removed) and not added and removed <= lapsed


def group_addresses(tenant: Tenant, wanted: Wanted) -> tuple[str, ...]:
    keys = [group_of(entry) for entry in (*(wanted.include or ()), *(wanted.exclude or ()))]
    return tuple(f"groups.{key}" for key in dict.fromkeys(keys) if key in tenant.groups)


def new_entries(fields: Iterable[FieldChange], wanted: Wanted) -> Wanted:
    """Only the entries that are added to the assignment lists."""
    new = {item.path: tuple(removed_and_added(item)[1]) for item in fields}
    return replace(wanted, include=new.get("assign.include", ()), exclude=new.get("assign.exclude", ()))


def definitions_of(tenant: Tenant, wanted: Wanted, names: Names) -> dict[str, JSONValue]:
    """The live definitions that the assignments use: group ids, filter ids and their rules, scope tag ids."""
    leaned: dict[str, JSONValue] = {}
    leaned |= names.group_definitions(address.removeprefix("groups.") for address in group_addresses(tenant, wanted))
    for entry in wanted.include or ():
        if isinstance(entry, Record):
            # A live entry that stays may have a filter whose name is ambiguous: then its id is used.
            filter_id = names.filter_ids.get(str(entry["filter"]), str(entry["filter"]))
            leaned[f"filter:{entry['filter']}"] = {"id": filter_id, "rule": names.filter_rules.get(filter_id, "")}
    for tag in wanted.scope_tags or ():
        leaned[f"scopeTag:{tag}"] = names.scope_tag_ids[str(tag)]
    return leaned


def with_live_lists(live: LiveProfile, wanted: Wanted, names: Names) -> Wanted:
    """The wanted fields, completed with the live assignments that the file does not manage: whom a widening reaches."""
    include, exclude = assignments.live_labels(live.assignments, names)
    return replace(
        wanted,
        include=include if wanted.include is None else wanted.include,
        exclude=exclude if wanted.exclude is None else wanted.exclude,
    )


def unmanaged_reach(profile: Profile, live: LiveProfile, wanted: Wanted, names: Names) -> dict[str, JSONValue]:
    """The live assignment lists that the file does not manage."""
    include, exclude = assignments.live_labels(live.assignments, names)
    leaned: dict[str, JSONValue] = {}
    if wanted.include is None:
        leaned["assign.include"] = to_json(include)
    if wanted.exclude is None:
        leaned["assign.exclude"] = to_json(exclude)
    if ENABLE not in wanted.settings:
        leaned[f"settings.{ENABLE}"] = to_json(live.settings.get(ENABLE))
    return {f"{profile.address}.reach": leaned} if leaned else {}


def assigns_first(live: LiveProfile, wanted: Wanted, names: Names) -> bool:
    """Whether the assignments change before the settings: they add nobody, or the settings switch on something that
    somebody will lose."""
    include, exclude = assignments.live_labels(live.assignments, names)
    after = with_live_lists(live, wanted, names)
    to_include, to_exclude = after.include or (), after.exclude or ()
    widens = assignments.includes_widen(include, to_include) or bool(set(exclude) - set(to_exclude))
    narrows = assignments.includes_narrow(include, to_include) or bool(set(to_exclude) - set(exclude))
    switches_on = wanted.settings.get(ENABLE) is True and live.settings.get(ENABLE) is not True
    return not widens or (narrows and switches_on)
