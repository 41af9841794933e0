"""The result for a declared profile: nothing, a change, or the reasons why it cannot be changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from functools import partial

from tapctl.errors import Finding
from tapctl.kinds import assignments, mark
from tapctl.kinds.deliveries import (
    Content,
)
from tapctl.kinds.findings import finding_at, listed
from tapctl.kinds.naming import Names
from tapctl.kinds.profiles.forms import DELIVERY_FORMS
from tapctl.kinds.profiles.wanted import (
    Wanted,
    definitions_of,
    effect,
    group_addresses,
    is_lapse,
    new_entries,
    settings_after,
    unmanaged_reach,
    with_live_lists,
)
from tapctl.kinds.profiles.writing import creation_steps, deletion_steps, update_steps
from tapctl.kinds.steps import Draft
from tapctl.model.desired import Identity, Profile, Tenant
from tapctl.model.live import (
    Absent,
    Ambiguous,
    Candidate,
    Found,
    LiveProfile,
    LiveTenant,
    Lookup,
    OtherDelivery,
    PinMissing,
    SettingShape,
    Unmarked,
)
from tapctl.model.plan import Change, FieldChange
from tapctl.model.requests import Problem
from tapctl.model.settings import canonical, is_known
from tapctl.model.values import Value, as_set
from tapctl.model.words import count_noun

DEFAULT_SCOPE_TAG = "0"


def plan(
    tenant: Tenant, profile: Profile, live: LiveTenant, names: Names, today: date, *, only_lapsed: bool = False
) -> Draft | None | list[Finding]:
    """Compare one declared profile: nothing, a change, or the reasons why it cannot be changed."""
    lookup = live.profiles[profile.identity.key]
    shapes = {name: shape for name, shape in live.shapes.items() if not isinstance(shape, Problem)}
    match lookup:
        case _ if only_lapsed and profile.identity.ensure == "absent":
            return None
        case Found(object=found) if profile.identity.ensure == "absent":
            return _deletion(profile, found, names)
        case Absent() if profile.identity.ensure == "absent":
            return None
        case Found() | Absent():
            problems = [*_unresolved(tenant, profile, names), *_unknown_values(tenant, profile)]
            if isinstance(lookup, Found):
                problems += _unreadable(tenant, profile, lookup.object)
            if problems:
                return problems
            wanted = Wanted.of(profile, today)
            if only_lapsed:
                return _lapse(tenant, profile, lookup, wanted, names)
            if isinstance(lookup, Found):
                return _update(tenant, profile, lookup.object, wanted, names, shapes)
            return _creation(tenant, profile, wanted, names, shapes)
        case _:
            finding = identity_finding(tenant, profile, lookup)
            return [finding] if finding is not None else None


def identity_finding(tenant: Tenant, profile: Profile, lookup: Lookup[LiveProfile]) -> Finding | None:
    """Why a declared profile does not match exactly one live profile."""
    key, name = profile.identity.key, profile.identity.display_name
    report = partial(finding_at, tenant, ("webSignIn", key))
    match lookup:
        case PinMissing():
            return report(
                "unresolved-name",
                f"no {profile.delivery} profile has the pinned id {profile.identity.id}",
                why="a pinned id that does not exist is never created anew: the pin may be of another tenant",
                fix=f"correct `webSignIn.{key}.id`, or remove it to let tapctl create the profile",
            )
        case Ambiguous(candidates=candidates):
            return report(
                "ambiguous-name",
                f"{len(candidates)} profiles fit {name or key!r}: {listed(candidates)}",
                why="tapctl never guesses which of two profiles is meant",
                fix=f"pin the right one: `id: {candidates[0].id}`",
            )
        case Unmarked(candidates=candidates):
            return report(
                "unmarked-object",
                f"a profile named {name!r} exists that tapctl did not create: {listed(candidates)}",
                why="an object without tapctl's mark is never taken over in silence",
                fix=f"pin it with `id: {candidates[0].id}`, or set `adopt: true` to manage it, or choose another name",
            )
        case OtherDelivery(id=found, delivery=delivery):
            return report(
                "delivery-changed",
                f"profile {key} exists with delivery {delivery} (id {found}) and cannot be turned into "
                f"{profile.delivery}",
                why="the two are different objects in Intune, and both together would conflict on the devices",
                fix=f"declare a new key for {profile.delivery}, and `ensure: absent` for this one",
            )
        case _:
            return None


def _unresolved(tenant: Tenant, profile: Profile, names: Names) -> Iterator[Finding]:
    """Findings for filters and scope tags that do not resolve to exactly one live object."""
    path = ("webSignIn", profile.identity.key)
    for index, item in enumerate(profile.include or ()):
        if item.filter is not None and item.filter not in names.filter_ids:
            place = (*path, "assign", "include", index, "filter")
            yield _not_one(tenant, place, "assignment filter", item.filter, names.filter_candidates)
    for index, tag in enumerate(profile.scope_tags or ()):
        if tag not in names.scope_tag_ids:
            spot = (*path, "scopeTags", index)
            yield _not_one(tenant, spot, "scope tag", tag, names.scope_tag_candidates)


def _unknown_values(tenant: Tenant, profile: Profile) -> Iterator[Finding]:
    """Findings for settings whose value tapctl would have to guess."""
    for name, value in sorted(profile.settings.items()):
        if not is_known(name, canonical(name, value)):
            yield finding_at(
                tenant,
                ("webSignIn", profile.identity.key, "settings", name),
                "unknown-value",
                f"{name} has no value {value!r} that tapctl can write",
                why="tapctl never replaces a value by a similar one",
                fix="see schemas/README.md for the values of this setting",
            )


def _unreadable(tenant: Tenant, profile: Profile, live: LiveProfile) -> Iterator[Finding]:
    """Findings for settings in the file whose live form tapctl does not know."""
    for name in sorted(set(profile.settings) & set(live.unreadable)):
        yield finding_at(
            tenant,
            ("webSignIn", profile.identity.key, "settings", name),
            "unreadable-setting",
            f"profile {live.name!r} (id {live.id}) holds {name} in a form that tapctl does not know: "
            f"{live.unreadable[name]}",
            why="what cannot be read cannot be compared, and a write would overwrite it",
            fix=f"set {name} again in the Intune admin centre, or remove it from the file to leave it alone",
        )


def _not_one(
    tenant: Tenant, path: tuple[str | int, ...], what: str, name: str, candidates: tuple[Candidate, ...]
) -> Finding:
    fitting = [item for item in candidates if item.display_name == name]
    close = [item for item in candidates if item.display_name.casefold() == name.casefold()]
    if len(fitting) > 1:
        return finding_at(
            tenant,
            path,
            "ambiguous-name",
            f"{len(fitting)} {what}s are named {name!r}: {listed(fitting)}",
            why=f"tapctl never guesses which {what} is meant, and never goes on without it",
            fix="rename one of them in the Intune admin centre",
        )
    others = listed(close or candidates[:5])
    return finding_at(
        tenant,
        path,
        "unresolved-name",
        f"no {what} is named {name!r}" + (f"; there is {others}" if others else ""),
        why="scope tags decide which administrators see the profile"
        if what == "scope tag"
        else f"without the {what} the profile would reach more devices than declared",
        fix=f"correct the name, or create the {what} in the Intune admin centre",
    )


def _differences(profile: Profile, live: LiveProfile, wanted: Wanted, names: Names) -> list[FieldChange]:
    include, exclude = assignments.live_labels(live.assignments, names)
    tags = as_set(names.scope_tag_label(tag) for tag in live.scope_tag_ids)
    pairs: list[tuple[str, Value, Value]] = [
        ("displayName", live.name, profile.identity.display_name),
        ("description", live.description, profile.description),
        ("assign.include", include, wanted.include),
        ("assign.exclude", exclude, wanted.exclude),
        ("scopeTags", tags, wanted.scope_tags),
    ]
    fields = [FieldChange(path=path, before=was, after=to) for path, was, to in pairs if to is not None and was != to]
    for name, value in wanted.settings.items():
        current = live.settings.get(name)
        if current != value:
            fields.append(FieldChange(path=f"settings.{name}", before=current, after=value))
    return sorted(fields, key=lambda item: item.path)


def _update(
    tenant: Tenant,
    profile: Profile,
    live: LiveProfile,
    wanted: Wanted,
    names: Names,
    shapes: Mapping[str, SettingShape],
) -> Draft | None | list[Finding]:
    fields = _differences(profile, live, wanted, names)
    if not fields:
        return None
    paths = frozenset(item.path for item in fields)
    refused = _refusal(tenant, profile, live, paths)
    if refused is not None:
        return [refused]
    effects = [effect(item) for item in fields]
    is_wider = any(item.widens for item in effects)
    leaned = with_live_lists(live, wanted, names) if is_wider else wanted
    notes = (
        [f"keeps {live.unmodelled} setting{'s' if live.unmodelled != 1 else ''} that tapctl does not model"]
        if live.unmodelled
        else []
    )
    change = Change(
        address=profile.address,
        action="update",
        title=live.name,
        fields=tuple(fields),
        widens=is_wider,
        reason="lapsed" if all(is_lapse(item, wanted.lapsed) for item in fields) else None,
        notes=tuple(notes),
        # A change that only narrows waits only for groups that the live assignments do not name yet.
        depends_on=group_addresses(tenant, leaned if is_wider else new_entries(fields, wanted)),
    )
    content = Content(
        name=profile.identity.display_name or live.name,
        description=mark.join(_text(profile.description, live.description), live.mark),
        settings=settings_after(live, wanted),
        scope_tag_ids=_tag_ids(wanted, names, live.scope_tag_ids),
        shapes=shapes,
    )
    return Draft(
        change=change,
        steps=partial(update_steps, profile, live, content, wanted, paths, names),
        narrows=any(item.narrows for item in effects),
        object_id=live.id,
        traits={"delivery": live.delivery},
        definitions={
            profile.address: live.id,
            **(unmanaged_reach(profile, live, wanted, names) if is_wider else {}),
            **definitions_of(tenant, leaned, names),
        },
    )


def _lapse(
    tenant: Tenant, profile: Profile, lookup: Found[LiveProfile] | Absent, wanted: Wanted, names: Names
) -> Draft | None | list[Finding]:
    """A change that only removes lapsed entries from the live assignments."""
    if isinstance(lookup, Absent):
        return None
    include, _ = assignments.live_labels(lookup.object.assignments, names)
    remaining = as_set(entry for entry in include if entry not in wanted.lapsed)
    unmanaged = replace(profile, identity=Identity(key=profile.identity.key), description=None, settings={})
    alone = Wanted({}, remaining, None, None, wanted.lapsed)
    return _update(tenant, unmanaged, lookup.object, alone, names, {})


def _text(wanted: str | None, current: str) -> str:
    return current if wanted is None else wanted


def _refusal(tenant: Tenant, profile: Profile, live: LiveProfile, paths: frozenset[str]) -> Finding | None:
    """Why a live profile must not be written."""
    key = profile.identity.key
    why = DELIVERY_FORMS[profile.delivery].why_not_writable(live, paths)
    if why is not None:
        return finding_at(
            tenant,
            ("webSignIn", key),
            "protected-profile",
            f"profile {live.name!r} (id {live.id}) cannot be written: {why}",
            why="what cannot be read completely cannot be written back completely",
            fix="move the web sign-in settings into a separate profile: declare a new key",
        )
    if any(path.startswith("assign.") for path in paths) and any(not item.is_direct for item in live.assignments):
        return finding_at(
            tenant,
            ("webSignIn", key, "assign"),
            "policy-set",
            f"profile {live.name!r} (id {live.id}) is assigned through a policy set",
            why="`assign` replaces the whole list, and assignments of a policy set cannot be sent back",
            fix="change the assignment in the policy set, or remove the profile from it",
        )
    return _description_finding(tenant, profile, live.mark)


def _description_finding(tenant: Tenant, profile: Profile, key: str | None) -> Finding | None:
    if mark.split(profile.description or "")[1] is not None:
        return finding_at(
            tenant,
            ("webSignIn", profile.identity.key, "description"),
            "reserved-mark",
            "the description ends with a line like tapctl's own mark",
            why="the mark says which key a profile belongs to, and is never part of a description",
            fix="end the description with another line",
        )
    whole = mark.join(profile.description or "", key)
    if len(whole) <= mark.MOST_CHARACTERS:
        return None
    return finding_at(
        tenant,
        ("webSignIn", profile.identity.key, "description"),
        "description-too-long",
        f"the description is {len(whole)} characters long together with tapctl's mark",
        why=f"Graph refuses more than {mark.MOST_CHARACTERS}",
        fix="shorten the description",
    )


def _creation(
    tenant: Tenant, profile: Profile, wanted: Wanted, names: Names, shapes: Mapping[str, SettingShape]
) -> Draft | list[Finding]:
    key = profile.identity.key
    if profile.identity.display_name is None:
        problem = "a new profile needs a `displayName`"
        return [finding_at(tenant, ("webSignIn", key), "schema", problem, fix="add `displayName:`")]
    too_long = _description_finding(tenant, profile, key)
    if too_long is not None:
        return [too_long]
    settings = {name: value for name, value in wanted.settings.items() if value is not None}
    values: dict[str, Value] = {"displayName": profile.identity.display_name}
    if profile.description is not None:
        values["description"] = profile.description
    values |= {f"settings.{name}": value for name, value in settings.items()}
    lists: tuple[tuple[str, tuple[Value, ...] | None], ...] = (
        ("assign.include", wanted.include),
        ("assign.exclude", wanted.exclude),
        ("scopeTags", wanted.scope_tags),
    )
    values |= {path: entries for path, entries in lists if entries is not None}
    change = Change(
        address=profile.address,
        action="create",
        title=profile.identity.display_name,
        fields=tuple(FieldChange(path=path, before=None, after=values[path]) for path in sorted(values)),
        widens=bool(wanted.include),
        depends_on=group_addresses(tenant, wanted),
    )
    content = Content(
        name=profile.identity.display_name,
        description=mark.join(profile.description or "", key),
        settings=settings,
        scope_tag_ids=_tag_ids(wanted, names, frozenset({DEFAULT_SCOPE_TAG})),
        shapes=shapes,
    )
    return Draft(
        change=change,
        steps=partial(creation_steps, profile, content, wanted, names),
        traits={"delivery": profile.delivery},
        definitions=definitions_of(tenant, wanted, names),
    )


def _fields_of(live: LiveProfile, names: Names) -> tuple[FieldChange, ...]:
    """Everything that is deleted with a profile, as far as tapctl models it."""
    include, exclude = assignments.live_labels(live.assignments, names)
    values: dict[str, Value] = {"displayName": live.name, "description": live.description}
    values |= {f"settings.{name}": value for name, value in live.settings.items()}
    values |= {"assign.include": include, "assign.exclude": exclude}
    return tuple(FieldChange(path=path, before=values[path], after=None) for path in sorted(values))


def _deletion(profile: Profile, live: LiveProfile, names: Names) -> Draft:
    change = Change(
        address=profile.address,
        action="delete",
        title=live.name,
        fields=_fields_of(live, names),
        irreversible=True,
        notes=(f"deletes {count_noun(live.unmodelled, 'setting')} that tapctl does not model",)
        if live.unmodelled
        else (),
    )
    return Draft(
        change=change,
        steps=partial(deletion_steps, profile, live),
        narrows=True,
        object_id=live.id,
        traits={"delivery": live.delivery},
        definitions={profile.address: live.id},
    )


def _tag_ids(wanted: Wanted, names: Names, current: frozenset[str]) -> frozenset[str]:
    if wanted.scope_tags is None:
        return current
    return frozenset(names.scope_tag_ids[str(tag)] for tag in wanted.scope_tags)


def kept_targets(tenant: Tenant, profile: Profile, live: LiveProfile, names: Names) -> Iterator[Finding]:
    """Findings for assignments whose group no longer exists, or whose type tapctl does not know."""
    unknown = sum(1 for item in live.assignments if item.kind == "other")
    if unknown:
        yield finding_at(
            tenant,
            ("webSignIn", profile.identity.key, "assign"),
            "unknown-target",
            f"profile {live.name!r} has assignments of a type that tapctl does not know ({unknown})",
            why="tapctl leaves them as they are, and cannot tell whom they reach",
            fix="look at the assignments in the Intune admin centre",
            severity="warning",
        )
    for item in sorted(live.assignments, key=lambda entry: (entry.group_id or "", entry.kind, entry.filter_id or "")):
        if item.group_id in names.deleted_groups:
            side = "exclude" if item.kind == "exclusion" else "include"
            yield finding_at(
                tenant,
                ("webSignIn", profile.identity.key, "assign", side),
                "deleted-target",
                f"the live assignments of profile {live.name!r} name the deleted group {item.group_id} ({side})",
                why="a deleted group matches nobody; tapctl leaves the entry as it is",
                fix="remove the assignment in the Intune admin centre, or restore the group",
                severity="warning",
            )
