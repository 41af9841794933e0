"""The writes of a change to a profile, in an order that never gives the profile to somebody who should not have it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from tapctl.kinds import assignments, mark
from tapctl.kinds.deliveries import Content, DeliveryForm, intune_write, read_summaries
from tapctl.kinds.looking import judge
from tapctl.kinds.naming import Names
from tapctl.kinds.profiles.forms import DELIVERY_FORMS
from tapctl.kinds.profiles.wanted import Wanted, assigns_first
from tapctl.kinds.steps import ApplyContext, ObjectState, Observation, Step, Steps
from tapctl.kinds.wire import (
    as_object,
    elements,
    is_missing,
)
from tapctl.model.desired import Profile
from tapctl.model.live import (
    LiveAssignment,
    LiveProfile,
)
from tapctl.model.requests import Problem, Reading, Write
from tapctl.model.values import JSONValue


def _target_assignments(
    live: frozenset[LiveAssignment], wanted: Wanted, names: Names, context: ApplyContext
) -> frozenset[LiveAssignment]:
    """The assignments to write: a side that is not managed stays, and so do assignments that a file cannot express."""
    kept = {item for item in live if assignments.is_kept(item, names)}
    present = {(item.kind == "exclusion", assignments.label(item, names)): item for item in live}
    sides = ((False, wanted.include), (True, wanted.exclude))
    for exclusion, entries in sides:
        if entries is None:
            kept |= {item for item in live if (item.kind == "exclusion") == exclusion}
        else:
            resolve = partial(assignments.resolve, exclusion=exclusion, names=names, context=context)
            kept |= {present.get((exclusion, entry)) or resolve(entry) for entry in entries}
    return frozenset(kept)


def _assign_write(form: DeliveryForm, live: LiveProfile, targets: frozenset[LiveAssignment], purpose: str) -> Write:
    known = sorted(
        (item for item in targets if item.kind != "other"),
        key=lambda item: (item.kind, item.group_id or "", item.filter_id or ""),
    )
    body: list[JSONValue] = [assignments.encode(item) for item in known]
    return intune_write(
        f"{purpose}: its assignments",
        "POST",
        f"{form.collection}/{live.id}/assign",
        {"assignments": body + _foreign_targets(live)},
    )


def _foreign_targets(live: LiveProfile) -> list[JSONValue]:
    """Targets of unknown kinds, as they were read: otherwise `assign` would remove them."""
    if live.wire is None:
        return []
    assigned = as_object(live.wire, "the profile as read")["assigned"]
    items = elements(assigned)
    return [{"target": item["target"]} for item in items if assignments.decode(item).kind == "other"]


def _judge(
    profile_id: str, form: DeliveryForm, before: LiveProfile, after: LiveProfile, purpose: str
) -> Reading[Observation | Problem]:
    seen = yield from form.read_whole(profile_id, purpose)
    if isinstance(seen, Problem):
        return seen
    if seen.clear_texts < before.clear_texts:
        # Intune masks texts that it received in clear: they are not lost.
        seen = replace(seen, clear_texts=before.clear_texts)
    return judge(_every_field(before), _every_field(after), _every_field(seen), profile_id, "the profile")


def _every_field(live: LiveProfile) -> dict[str, object]:
    """Every field that must not change unless it was written, by YAML path where there is one."""
    return {
        "displayName": live.name,
        "description": live.description,
        "tapctl's mark in the description": live.mark,
        **{f"settings.{name}": value for name, value in live.settings.items()},
        "settings that tapctl does not model": (live.unmodelled, live.unmodelled_digest, live.clear_texts),
        "assign": live.assignments,
        "scopeTags": live.scope_tag_ids,
        "template": live.is_templated,
        **live.carried,
    }


def update_steps(
    profile: Profile,
    live: LiveProfile,
    content: Content,
    wanted: Wanted,
    paths: frozenset[str],
    names: Names,
    context: ApplyContext,
) -> Steps:
    form, purpose = DELIVERY_FORMS[profile.delivery], f"updating profile {profile.identity.key}"
    assigned = frozenset(path for path in paths if path.startswith("assign."))
    targets = _target_assignments(live.assignments, wanted, names, context)
    parts = ["content"] if paths - assigned else []
    if assigned:
        # First take the profile from those who lose it, then change the settings, then assign it to those who gain it.
        parts = ["assign", *parts] if assigns_first(live, wanted, names) else [*parts, "assign"]
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
                carried=form.carried(current, content),
            )
            write = form.update(live, content, paths, purpose)
        yield Step(
            write=write,
            alternative=form.alternative(live, write) if part == "content" else None,
            look=partial(_judge, live.id, form, current, after, purpose),
            before=journal_entry(current),
        )
        current = after


def creation_steps(profile: Profile, content: Content, wanted: Wanted, names: Names, context: ApplyContext) -> Steps:
    form, key = DELIVERY_FORMS[profile.delivery], profile.identity.key
    purpose = f"creating profile {key}"

    def look_for_mark() -> Reading[Observation | Problem]:
        seen = yield from read_summaries(form)
        if isinstance(seen, Problem):
            return seen
        made = [item for item in seen if item.mark == key]
        if len(made) > 1:
            return Observation(ObjectState.FOREIGN, detail=f"{len(made)} profiles have the mark of {key}")
        return Observation(ObjectState.AFTER, made[0].id) if made else Observation(ObjectState.BEFORE)

    made_id = yield Step(
        write=intune_write(purpose, "POST", form.collection, form.creation_body(content), creates=True),
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
        carried=form.carried(None, content),
    )
    targets = _target_assignments(frozenset(), wanted, names, context)
    after = replace(bare, assignments=targets)
    yield Step(
        write=_assign_write(form, bare, targets, purpose),
        look=partial(_judge, made_id, form, bare, after, purpose),
        before={"id": made_id, "assignments": []},
    )


def deletion_steps(profile: Profile, live: LiveProfile, _context: ApplyContext) -> Steps:
    form, purpose = DELIVERY_FORMS[profile.delivery], f"deleting profile {profile.identity.key}"

    def look() -> Reading[Observation | Problem]:
        seen = yield from form.read_whole(live.id, purpose)
        if isinstance(seen, Problem):
            return Observation(ObjectState.AFTER, live.id) if is_missing(seen) else seen
        same = seen == live
        detail = "the profile has changed since the plan was made"
        return Observation(ObjectState.BEFORE, live.id) if same else Observation(ObjectState.FOREIGN, live.id, detail)

    yield Step(
        write=intune_write(purpose, "DELETE", f"{form.collection}/{live.id}"),
        look=look,
        before=journal_entry(live),
    )


def journal_entry(live: LiveProfile) -> JSONValue:
    """What the journal keeps of a profile: only modelled values, so that it holds no secret of another setting."""
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
