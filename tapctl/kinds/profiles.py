"""Web sign-in profiles (Intune) of either delivery: finding, comparing, and the order of their writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import partial

from tapctl.errors import Finding
from tapctl.kinds import assignments, mark
from tapctl.kinds.catalog import INFERRED_SHAPES, SettingsCatalog, settings_of
from tapctl.kinds.custom import CustomProfile
from tapctl.kinds.deliveries import (
    READ_PERMISSION,
    WRITE_PERMISSION,
    Content,
    Form,
    Summary,
    list_read,
    summaries,
)
from tapctl.kinds.naming import Names
from tapctl.kinds.settings import canonical
from tapctl.kinds.steps import Draft, Look, Standing, Step, Steps, Surroundings
from tapctl.kinds.together import together
from tapctl.kinds.troubles import listed, trouble
from tapctl.kinds.wire import (
    JSONObject,
    Malformed,
    as_object,
    identifier,
    is_missing,
    malformed,
    objects,
    text_or_none,
)
from tapctl.model.desired import Delivery, Identity, Profile, SettingValue, Tenant
from tapctl.model.live import (
    Absent,
    Ambiguous,
    AssignmentFilter,
    Candidate,
    Found,
    LiveAssignment,
    LiveProfile,
    LiveTenant,
    OtherDelivery,
    PinMissing,
    ScopeTag,
    SettingShape,
    Sighting,
    Unmarked,
)
from tapctl.model.plan import Change, FieldChange
from tapctl.model.requests import Problem, Read, Reading, Write
from tapctl.model.values import JSONValue, Record, Value, as_set

CATALOG = SettingsCatalog()
FORMS: Mapping[Delivery, Form] = {"settings-catalog": CATALOG, "oma-uri": CustomProfile()}
DEFAULT_SCOPE_TAG = "0"


# Reading


def read_all(profiles: Iterable[Profile]) -> Reading[dict[str, Sighting[LiveProfile]]]:
    """What became of every declared profile, by key."""
    return together({profile.identity.key: read(profile) for profile in profiles})


def read(profile: Profile) -> Reading[Sighting[LiveProfile]]:
    """Find one declared profile: by pin, else by its mark in the complete list."""
    form, identity = FORMS[profile.delivery], profile.identity
    purpose = f"reading profile {identity.key}"
    if identity.id is not None:
        whole = yield from form.read_whole(identity.id, purpose)
        if isinstance(whole, Problem) and is_missing(whole):
            return Absent() if identity.ensure == "absent" else PinMissing()
        return whole if isinstance(whole, Problem) else Found(whole)
    (outcome,) = yield [list_read(form)]
    seen = summaries(form, outcome)
    if isinstance(seen, Problem):
        return seen
    fitting = _fitting(profile, seen)
    if isinstance(fitting, Summary):
        whole = yield from _read_found(form, fitting, outcome, purpose)
        return whole if isinstance(whole, Problem) else Found(whole)
    return (yield from _read_elsewhere(profile, fitting))


def _read_found(form: Form, summary: Summary, outcome: object, purpose: str) -> Reading[LiveProfile | Problem]:
    """The rest of a profile that the list showed; a settings catalog policy's own properties are there already."""
    if form is CATALOG:
        for item in _listed_items(outcome):
            if identifier(item) == summary.id:
                return (yield from CATALOG.read_details(item, purpose))
    return (yield from form.read_whole(summary.id, purpose))


def _listed_items(outcome: object) -> list[JSONObject]:
    body = getattr(outcome, "body", None)
    return objects(as_object(body, "the answer").get("value"), "value")


def _fitting(profile: Profile, seen: list[Summary]) -> Summary | Absent | Ambiguous | Unmarked:
    identity = profile.identity
    marked = [item for item in seen if item.mark == identity.key]
    named = [item for item in seen if item.name.casefold() == (identity.display_name or "").casefold()]
    fitting = marked or (named if identity.display_name is not None else [])
    candidates = tuple(Candidate(item.id, item.name) for item in sorted(fitting, key=lambda item: item.id))
    if not fitting:
        return Absent()
    if len(fitting) > 1:
        return Ambiguous(candidates)
    taken = bool(marked) or (identity.takes_over and fitting[0].name == identity.display_name)
    return fitting[0] if taken else Unmarked(candidates)


def _read_elsewhere(profile: Profile, sighting: Absent | Ambiguous | Unmarked) -> Reading[Sighting[LiveProfile]]:
    """Before a profile counts as absent, the other delivery's list is searched for its mark."""
    if not isinstance(sighting, Absent):
        return sighting
    other = next(form for delivery, form in FORMS.items() if delivery != profile.delivery)
    (outcome,) = yield [list_read(other)]
    seen = summaries(other, outcome)
    if isinstance(seen, Problem):
        return seen
    for item in seen:
        if item.mark == profile.identity.key:
            return OtherDelivery(item.id, other.delivery)
    return sighting


def read_filters() -> Reading[tuple[AssignmentFilter, ...] | Problem]:
    """Every assignment filter of the tenant."""
    purpose = "listing assignment filters"
    (outcome,) = yield [
        Read(
            purpose=purpose,
            version="beta",
            path="/deviceManagement/assignmentFilters",
            permission=READ_PERMISSION,
            paged=True,
        )
    ]
    if isinstance(outcome, Problem):
        return outcome
    try:
        items = objects(as_object(outcome.body, "the answer").get("value"), "value")
        return tuple(
            AssignmentFilter(
                id=identifier(item),
                display_name=text_or_none(item, "displayName") or "",
                rule=text_or_none(item, "rule") or "",
                platform=text_or_none(item, "platform") or "",
            )
            for item in items
        )
    except Malformed as error:
        return malformed(outcome, purpose, error)


def read_scope_tags() -> Reading[tuple[ScopeTag, ...] | Problem]:
    """Every Intune scope tag of the tenant."""
    purpose = "listing scope tags"
    (outcome,) = yield [
        Read(
            purpose=purpose,
            version="beta",
            path="/deviceManagement/roleScopeTags",
            permission="DeviceManagementRBAC.Read.All",
            paged=True,
        )
    ]
    if isinstance(outcome, Problem):
        return outcome
    try:
        items = objects(as_object(outcome.body, "the answer").get("value"), "value")
        return tuple(ScopeTag(identifier(item), text_or_none(item, "displayName") or "") for item in items)
    except Malformed as error:
        return malformed(outcome, purpose, error)


def wanted_shapes(profile: Profile, sighting: Sighting[LiveProfile]) -> frozenset[str]:
    """The settings whose instance type must be asked of the tenant, because the live policy does not show it."""
    if profile.delivery != "settings-catalog" or profile.identity.ensure == "absent":
        return frozenset()
    present = sighting.object.settings if isinstance(sighting, Found) else {}
    named = {name for name, value in profile.settings.items() if value is not None and name not in present}
    return frozenset(named & set(INFERRED_SHAPES))


def read_shapes(names: Iterable[str]) -> Reading[dict[str, SettingShape | Problem]]:
    return together({name: CATALOG.read_shape(name) for name in sorted(set(names))})


def referred_groups(live: LiveProfile) -> frozenset[str]:
    """The ids of the groups that the assignments name."""
    return frozenset(item.group_id for item in live.assignments if item.kind != "other" and item.group_id is not None)


# Comparing


def plan(
    tenant: Tenant, profile: Profile, live: LiveTenant, names: Names, today: date, *, only_lapsed: bool = False
) -> Draft | None | list[Finding]:
    """What is to become of one declared profile: nothing, a change, or the reasons why not."""
    sighting = live.profiles[profile.identity.key]
    shapes = {name: shape for name, shape in live.shapes.items() if not isinstance(shape, Problem)}
    match sighting:
        case _ if only_lapsed and profile.identity.ensure == "absent":
            return None
        case Found(object=found) if profile.identity.ensure == "absent":
            return _deletion(profile, found, names)
        case Absent() if profile.identity.ensure == "absent":
            return None
        case Found() | Absent():
            problems = list(_unresolved(tenant, profile, names))
            if problems:
                return problems
            wanted = _Wanted.of(profile, today)
            if only_lapsed:
                return _lapse(tenant, profile, sighting, wanted, names)
            if isinstance(sighting, Found):
                return _update(tenant, profile, sighting.object, wanted, names, shapes)
            return _creation(tenant, profile, wanted, names, shapes)
        case _:
            finding = identity_trouble(tenant, profile, sighting)
            return [finding] if finding is not None else None


def identity_trouble(tenant: Tenant, profile: Profile, sighting: Sighting[LiveProfile]) -> Finding | None:
    """Why a declared profile stands for no single live one."""
    key, name = profile.identity.key, profile.identity.display_name
    report = partial(trouble, tenant, ("webSignIn", key))
    match sighting:
        case PinMissing():
            return report(
                "unresolved-name",
                f"no {profile.delivery} profile has the pinned id {profile.identity.id}",
                why="a pinned id that does not exist is never created anew: the pin may be of another tenant",
                fix=f"correct `webSignIn.{key}.id`, or remove it to let tapctl make the profile",
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
                f"a profile named {name!r} exists that tapctl did not make: {listed(candidates)}",
                why="an object without tapctl's mark is never taken over in silence",
                fix=f"pin it with `id: {candidates[0].id}`, or say `adopt: true` to manage it, or choose another name",
            )
        case OtherDelivery(id=found, delivery=delivery):
            return report(
                "delivery-changed",
                f"profile {key} exists with delivery {delivery} (id {found}) and cannot be turned into "
                f"{profile.delivery}",
                why="the two are different objects in Intune, and both at once would conflict on the devices",
                fix=f"declare a new key for {profile.delivery}, and `ensure: absent` for this one",
            )
        case _:
            return None


def _unresolved(tenant: Tenant, profile: Profile, names: Names) -> Iterator[Finding]:
    """Filters and scope tags that are not exactly one live object."""
    path = ("webSignIn", profile.identity.key)
    for index, item in enumerate(profile.include or ()):
        if item.filter is not None and item.filter not in names.filter_ids:
            place = (*path, "assign", "include", index, "filter")
            yield _not_one(tenant, place, "assignment filter", item.filter, names.filter_candidates)
    for index, tag in enumerate(profile.scope_tags or ()):
        if tag not in names.scope_tag_ids:
            spot = (*path, "scopeTags", index)
            yield _not_one(tenant, spot, "scope tag", tag, names.scope_tag_candidates)


def _not_one(
    tenant: Tenant, path: tuple[str | int, ...], what: str, name: str, candidates: tuple[Candidate, ...]
) -> Finding:
    fitting = [item for item in candidates if item.display_name == name]
    close = [item for item in candidates if item.display_name.casefold() == name.casefold()]
    if len(fitting) > 1:
        return trouble(
            tenant,
            path,
            "ambiguous-name",
            f"{len(fitting)} {what}s are named {name!r}: {listed(fitting)}",
            why=f"tapctl never guesses which {what} is meant, and never goes on without it",
            fix="rename one of them in the Intune admin centre",
        )
    others = listed(close or candidates[:5])
    return trouble(
        tenant,
        path,
        "unresolved-name",
        f"no {what} is named {name!r}" + (f"; there is {others}" if others else ""),
        why=f"without the {what} the profile would reach more devices than declared",
        fix=f"correct the name, or make the {what} in the Intune admin centre",
    )


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The managed fields of a profile in canonical form."""

    settings: Mapping[str, SettingValue]
    include: tuple[Value, ...] | None
    exclude: tuple[Value, ...] | None
    scope_tags: tuple[Value, ...] | None
    lapsed: frozenset[Value]

    @classmethod
    def of(cls, profile: Profile, today: date) -> _Wanted:
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


def _differences(profile: Profile, live: LiveProfile, wanted: _Wanted, names: Names) -> list[FieldChange]:
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
    wanted: _Wanted,
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
    notes = [f"keeps {live.unmodelled} settings that tapctl does not model"] if live.unmodelled else []
    change = Change(
        address=profile.address,
        action="update",
        title=live.name,
        fields=tuple(fields),
        widens=any(_widens(item) for item in fields),
        reason="lapsed" if all(_is_lapse(item, wanted.lapsed) for item in fields) else None,
        notes=tuple(notes),
        depends_on=_group_addresses(tenant, wanted),
    )
    content = Content(
        name=profile.identity.display_name or live.name,
        description=mark.join(_text(profile.description, live.description), live.mark),
        settings=settings_of(live, dict(wanted.settings)),
        scope_tag_ids=_tag_ids(wanted, names, live.scope_tag_ids),
        shapes=shapes,
    )
    return Draft(
        change=change,
        steps=partial(_update_steps, profile, live, content, wanted, paths, names),
        narrows=any(_narrows(item) for item in fields),
        definitions={profile.address: live.id, **_definitions(tenant, wanted, names)},
    )


def _lapse(
    tenant: Tenant, profile: Profile, sighting: Found[LiveProfile] | Absent, wanted: _Wanted, names: Names
) -> Draft | None | list[Finding]:
    """A change that does nothing but take lapsed entries out of the live assignments."""
    if isinstance(sighting, Absent):
        return None
    include, _ = assignments.live_labels(sighting.object.assignments, names)
    remaining = as_set(entry for entry in include if entry not in wanted.lapsed)
    unmanaged = replace(profile, identity=Identity(key=profile.identity.key), description=None, settings={})
    alone = _Wanted({}, remaining, None, None, wanted.lapsed)
    return _update(tenant, unmanaged, sighting.object, alone, names, {})


def _text(wanted: str | None, current: str) -> str:
    return current if wanted is None else wanted


def _refusal(tenant: Tenant, profile: Profile, live: LiveProfile, paths: frozenset[str]) -> Finding | None:
    """Why a profile that was found may not be written."""
    key = profile.identity.key
    why = FORMS[profile.delivery].protected(live, paths)
    if why is not None:
        return trouble(
            tenant,
            ("webSignIn", key),
            "protected-profile",
            f"profile {live.name!r} (id {live.id}) cannot be written: {why}",
            why="what cannot be read whole cannot be written back whole",
            fix="move the web sign-in settings into a profile of their own: declare a new key",
        )
    if any(path.startswith("assign.") for path in paths) and any(not item.is_direct for item in live.assignments):
        return trouble(
            tenant,
            ("webSignIn", key, "assign"),
            "policy-set",
            f"profile {live.name!r} (id {live.id}) is assigned through a policy set",
            why="`assign` replaces the whole list, and what a policy set assigned cannot be sent back",
            fix="change the assignment in the policy set, or take the profile out of it",
        )
    return _length_trouble(tenant, profile, live.mark)


def _length_trouble(tenant: Tenant, profile: Profile, key: str | None) -> Finding | None:
    whole = mark.join(profile.description or "", key)
    if len(whole) <= mark.MOST_CHARACTERS:
        return None
    return trouble(
        tenant,
        ("webSignIn", profile.identity.key, "description"),
        "description-too-long",
        f"the description is {len(whole)} characters long together with tapctl's mark",
        why=f"Graph refuses more than {mark.MOST_CHARACTERS}",
        fix="shorten the description",
    )


def _creation(
    tenant: Tenant, profile: Profile, wanted: _Wanted, names: Names, shapes: Mapping[str, SettingShape]
) -> Draft | list[Finding]:
    key = profile.identity.key
    if profile.identity.display_name is None:
        problem = "a profile that is to be made needs a `displayName`"
        return [trouble(tenant, ("webSignIn", key), "schema", problem, fix="add `displayName:`")]
    too_long = _length_trouble(tenant, profile, key)
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
        depends_on=_group_addresses(tenant, wanted),
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
        steps=partial(_creation_steps, profile, content, wanted, names),
        definitions=_definitions(tenant, wanted, names),
    )


def _fields_of(live: LiveProfile, names: Names) -> tuple[FieldChange, ...]:
    """Everything that goes with a profile, as far as tapctl models it."""
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
        notes=(f"deletes {live.unmodelled} settings that tapctl does not model",) if live.unmodelled else (),
    )
    return Draft(
        change=change,
        steps=partial(_deletion_steps, profile, live),
        narrows=True,
        definitions={profile.address: live.id},
    )


def _tag_ids(wanted: _Wanted, names: Names, current: frozenset[str]) -> frozenset[str]:
    if wanted.scope_tags is None:
        return current
    return frozenset(names.scope_tag_ids[str(tag)] for tag in wanted.scope_tags)


def _group_addresses(tenant: Tenant, wanted: _Wanted) -> tuple[str, ...]:
    keys = [_key(entry) for entry in (*(wanted.include or ()), *(wanted.exclude or ()))]
    return tuple(f"groups.{key}" for key in dict.fromkeys(keys) if key in tenant.groups)


def _key(entry: Value) -> str:
    return str(entry["group"]) if isinstance(entry, Record) else str(entry)


def _definitions(tenant: Tenant, wanted: _Wanted, names: Names) -> dict[str, JSONValue]:
    """The live definitions that the assignments lean on: group ids, filter ids and their rules, scope tag ids."""
    leaned: dict[str, JSONValue] = {}
    leaned |= names.group_definitions(address.removeprefix("groups.") for address in _group_addresses(tenant, wanted))
    for entry in wanted.include or ():
        if isinstance(entry, Record):
            # A live entry that stays may have a filter that no name tells apart: it goes by its id.
            filter_id = names.filter_ids.get(str(entry["filter"]), str(entry["filter"]))
            leaned[f"filter:{entry['filter']}"] = {"id": filter_id, "rule": names.filter_rules.get(filter_id, "")}
    for tag in wanted.scope_tags or ():
        leaned[f"scopeTag:{tag}"] = names.scope_tag_ids[str(tag)]
    return leaned


def _entries(value: Value) -> tuple[Value, ...]:
    return value if isinstance(value, tuple) else ()


def _widens(item: FieldChange) -> bool:
    before, after = _entries(item.before), _entries(item.after)
    match item.path:
        case "assign.include":
            return assignments.includes_widen(before, after)
        case "assign.exclude":
            return bool(set(before) - set(after))
        case "settings.enableWebSignIn":
            return item.after is True
        case _:
            return False


def _narrows(item: FieldChange) -> bool:
    before, after = _entries(item.before), _entries(item.after)
    match item.path:
        case "assign.include":
            return assignments.includes_narrow(before, after)
        case "assign.exclude":
            return bool(set(after) - set(before))
        case "settings.enableWebSignIn":
            return item.before is True
        case _:
            return False


def _is_lapse(item: FieldChange, lapsed: frozenset[Value]) -> bool:
    if item.path != "assign.include":
        return False
    gone = set(_entries(item.before)) - set(_entries(item.after))
    come = set(_entries(item.after)) - set(_entries(item.before))
    return bool(gone) and not come and gone <= lapsed


def deleted_targets(tenant: Tenant, profile: Profile, live: LiveProfile, names: Names) -> Iterator[Finding]:
    """A finding for every assignment whose group no longer exists."""
    for item in sorted(live.assignments, key=lambda entry: entry.group_id or ""):
        if item.group_id in names.deleted_groups:
            side = "exclude" if item.kind == "exclusion" else "include"
            yield trouble(
                tenant,
                ("webSignIn", profile.identity.key, "assign", side),
                "deleted-target",
                f"the live assignments of profile {live.name!r} name the deleted group {item.group_id} ({side})",
                why="a deleted group matches nobody; tapctl leaves the entry as it is",
                fix="remove the assignment in the Intune admin centre, or restore the group",
                severity="warning",
            )


# Writing


def _target_assignments(
    live: frozenset[LiveAssignment], wanted: _Wanted, names: Names, surroundings: Surroundings
) -> frozenset[LiveAssignment]:
    """The assignments as they are to become: a side that is not managed stays, and so does what no file can say."""
    kept = {item for item in live if assignments.is_kept(item, names)}
    present = {(item.kind == "exclusion", assignments.label(item, names)): item for item in live}
    sides = ((False, wanted.include), (True, wanted.exclude))
    for exclusion, entries in sides:
        if entries is None:
            kept |= {item for item in live if (item.kind == "exclusion") == exclusion}
        else:
            resolve = partial(assignments.resolve, exclusion=exclusion, names=names, surroundings=surroundings)
            kept |= {present.get((exclusion, entry)) or resolve(entry) for entry in entries}
    return frozenset(kept)


def _assign_write(form: Form, live: LiveProfile, targets: frozenset[LiveAssignment], purpose: str) -> Write:
    known = sorted(
        (item for item in targets if item.kind != "other"),
        key=lambda item: (item.kind, item.group_id or "", item.filter_id or ""),
    )
    body: list[JSONValue] = [assignments.encode(item) for item in known]
    return Write(
        purpose=f"{purpose}: its assignments",
        version="beta",
        method="POST",
        path=f"{form.collection}/{live.id}/assign",
        body={"assignments": body + _foreign_targets(live)},
        permission=WRITE_PERMISSION,
    )


def _foreign_targets(live: LiveProfile) -> list[JSONValue]:
    """Targets of kinds that tapctl does not know, as they were read: `assign` would remove them otherwise."""
    if live.wire is None:
        return []
    assigned = as_object(live.wire, "the profile as read")["assigned"]
    items = objects(as_object(assigned, "the answer").get("value"), "value")
    return [{"target": item["target"]} for item in items if assignments.decode(item).kind == "other"]


def _judge(
    profile_id: str, form: Form, before: LiveProfile, after: LiveProfile, purpose: str
) -> Reading[Look | Problem]:
    seen = yield from form.read_whole(profile_id, purpose)
    if isinstance(seen, Problem):
        return seen
    if seen == before:
        return Look(Standing.BEFORE, profile_id)
    if seen == after:
        return Look(Standing.AFTER, profile_id)
    return Look(Standing.FOREIGN, profile_id, "the profile is not as it was when the plan was made")


def _update_steps(
    profile: Profile,
    live: LiveProfile,
    content: Content,
    wanted: _Wanted,
    paths: frozenset[str],
    names: Names,
    surroundings: Surroundings,
) -> Steps:
    form, purpose = FORMS[profile.delivery], f"updating profile {profile.identity.key}"
    assigned = frozenset(path for path in paths if path.startswith("assign."))
    targets = _target_assignments(live.assignments, wanted, names, surroundings)
    parts = ["content"] if paths - assigned else []
    if assigned:
        # Whoever is to lose the profile loses it before its settings change, whoever is to gain it gets it last.
        narrows = includes_only_narrow(live, wanted, names)
        parts = ["assign", *parts] if narrows else [*parts, "assign"]
    current = live
    for part in parts:
        if part == "assign":
            after = replace(current, assignments=targets)
            write = _assign_write(form, live, targets, purpose)
        else:
            description, _ = mark.split(content.description)
            after = replace(
                current,
                name=content.name,
                description=description,
                settings=dict(content.settings),
                scope_tag_ids=content.scope_tag_ids,
            )
            write = form.update(live, content, paths, purpose)
        yield Step(
            write=write,
            look=partial(_judge, live.id, form, current, after, purpose),
            before=journal_entry(current),
        )
        current = after


def includes_only_narrow(live: LiveProfile, wanted: _Wanted, names: Names) -> bool:
    """Whether a change of assignments takes the profile from somebody and gives it to nobody."""
    include, exclude = assignments.live_labels(live.assignments, names)
    widens = (wanted.include is not None and assignments.includes_widen(include, wanted.include)) or (
        wanted.exclude is not None and bool(set(exclude) - set(wanted.exclude))
    )
    return not widens


def _creation_steps(
    profile: Profile, content: Content, wanted: _Wanted, names: Names, surroundings: Surroundings
) -> Steps:
    form, key = FORMS[profile.delivery], profile.identity.key
    purpose = f"creating profile {key}"

    def look_for_mark() -> Reading[Look | Problem]:
        (outcome,) = yield [list_read(form)]
        seen = summaries(form, outcome)
        if isinstance(seen, Problem):
            return seen
        made = [item for item in seen if item.mark == key]
        if len(made) > 1:
            return Look(Standing.FOREIGN, detail=f"{len(made)} profiles bear the mark of {key}")
        return Look(Standing.AFTER, made[0].id) if made else Look(Standing.BEFORE)

    made_id = yield Step(
        write=Write(
            purpose=purpose,
            version="beta",
            method="POST",
            path=form.collection,
            body=form.creation_body(content),
            permission=WRITE_PERMISSION,
            creates=True,
        ),
        look=look_for_mark,
    )
    if made_id is None or not (wanted.include or wanted.exclude):
        return
    description, own_mark = mark.split(content.description)
    bare = LiveProfile(
        id=made_id,
        name=content.name,
        description=description,
        mark=own_mark,
        delivery=profile.delivery,
        settings=dict(content.settings),
        scope_tag_ids=content.scope_tag_ids,
    )
    targets = _target_assignments(frozenset(), wanted, names, surroundings)
    after = replace(bare, assignments=targets)
    yield Step(
        write=_assign_write(form, bare, targets, purpose),
        look=partial(_judge, made_id, form, bare, after, purpose),
        before={"id": made_id, "assignments": []},
    )


def _deletion_steps(profile: Profile, live: LiveProfile, _surroundings: Surroundings) -> Steps:
    form, purpose = FORMS[profile.delivery], f"deleting profile {profile.identity.key}"

    def look() -> Reading[Look | Problem]:
        seen = yield from form.read_whole(live.id, purpose)
        if isinstance(seen, Problem):
            return Look(Standing.AFTER, live.id) if is_missing(seen) else seen
        same = seen == live
        detail = "the profile is not as it was when the plan was made"
        return Look(Standing.BEFORE, live.id) if same else Look(Standing.FOREIGN, live.id, detail)

    yield Step(
        write=Write(
            purpose=purpose,
            version="beta",
            method="DELETE",
            path=f"{form.collection}/{live.id}",
            permission=WRITE_PERMISSION,
        ),
        look=look,
        before=journal_entry(live),
    )


def journal_entry(live: LiveProfile) -> JSONValue:
    """What the journal keeps of a profile: modelled values alone, so that no secret of another setting gets there."""
    return {
        "id": live.id,
        "displayName": live.name,
        "description": live.description,
        "settings": {
            name: list(value) if isinstance(value, tuple) else value for name, value in sorted(live.settings.items())
        },
        "scopeTagIds": [*sorted(live.scope_tag_ids)],
        "assignments": [
            assignments.encode(item)
            for item in sorted(live.assignments, key=lambda item: (item.kind, item.group_id or ""))
            if item.kind != "other"
        ],
        "unmodelledSettings": live.unmodelled,
    }
