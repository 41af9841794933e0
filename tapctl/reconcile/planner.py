"""The planner: a pure function from desired state, live state and today's date to what is to be done.

No clock, no network, no printing. The same inputs in any order give the same plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from tapctl.errors import Finding
from tapctl.kinds import assignments, groups, policy, profiles
from tapctl.kinds.naming import Names, names_of
from tapctl.kinds.steps import Draft
from tapctl.kinds.troubles import trouble
from tapctl.model.desired import Identity, Tenant
from tapctl.model.live import Found, LivePolicy, LiveTenant, Referrer
from tapctl.model.plan import FieldChange
from tapctl.model.values import Record, Value
from tapctl.reconcile.order import in_safe_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """What planning came to. With an error among the findings nothing may be applied."""

    drafts: tuple[Draft, ...] = ()
    """In the order in which they would be applied."""
    findings: tuple[Finding, ...] = ()
    names: Names = field(default_factory=Names)
    excluded: frozenset[str] | None = None
    """The group keys that the resulting policy excludes; None where the policy is not managed."""

    @property
    def is_refused(self) -> bool:
        return any(finding.severity == "error" for finding in self.findings)


def plan_tenant(tenant: Tenant, live: LiveTenant, today: date, *, only_lapsed: bool = False) -> Planned:
    """Plan one tenant whose live state was read without a problem.

    Raises:
        RefusedError: when changes lean on each other in a circle.
    """
    names = names_of(tenant, live)
    findings = [*_group_findings(tenant, live, names), *_shared(tenant, live)]
    drafts: list[Draft] = []
    for result in _planned(tenant, live, names, today, only_lapsed=only_lapsed):
        if isinstance(result, Draft):
            drafts.append(result)
        else:
            findings.append(result)
    findings += _deleted_targets(tenant, live, names)
    findings += _adopted(tenant, live)
    findings += _kept_members(tenant, live, names, drafts)
    roles = _unmanaged_roles(tenant, live, names)
    drafts = [_with_names(live, with_role(tenant, draft, roles)) for draft in drafts]
    drafts, blocked = _guard_deletions(tenant, live, names, drafts)
    drafts = _with_real_needs(tenant, drafts)
    findings += blocked
    unique = tuple(dict.fromkeys(findings))
    excluded = _resulting_exclusions(live, names, drafts)
    if any(finding.severity == "error" for finding in unique):
        return Planned(findings=unique, names=names, excluded=excluded)
    return Planned(drafts=in_safe_order(drafts), findings=unique, names=names, excluded=excluded)


def _group_findings(tenant: Tenant, live: LiveTenant, names: Names) -> Iterator[Finding]:
    for key in sorted(tenant.groups):
        group = tenant.groups[key]
        if isinstance(live.group_names.get(key), str):
            yield trouble(
                tenant,
                ("groups", key),
                "ambiguous-name",
                f"the key {key} is the id of another group, {live.group_names[key]!r}, which a live list names",
                why="a list could not tell which of the two is meant",
                fix="choose another key for this group",
            )
        if group.identity.ensure == "absent":
            yield from _references_to_absent(tenant, key)
        else:
            yield from groups.unresolved(tenant, group, names)
        if group.external:
            finding = groups.identity_trouble(tenant, group, live.groups[key])
            if finding is not None:
                yield finding


def _shared(tenant: Tenant, live: LiveTenant) -> Iterator[Finding]:
    """Two keys that stand for one live object: each would undo what the other says."""
    found = [(("groups", key), seen.object.id) for key, seen in live.groups.items() if isinstance(seen, Found)]
    found += [(("webSignIn", key), seen.object.id) for key, seen in live.profiles.items() if isinstance(seen, Found)]
    first: dict[tuple[str, str], str] = {}
    for (section, key), object_id in sorted(found):
        earlier = first.setdefault((section, object_id), key)
        if earlier != key:
            yield trouble(
                tenant,
                (section, key),
                "same-object",
                f"{section}.{key} and {section}.{earlier} are the same live object (id {object_id})",
                why="whatever the one says of it the other would undo",
                fix=f"keep one of the two, and let everything refer to it as {earlier}",
            )


def _references_to_absent(tenant: Tenant, key: str) -> Iterator[Finding]:
    """A group cannot be deleted and referred to by one file."""
    places: list[tuple[str | int, ...]] = []
    if tenant.policy is not None:
        included = enumerate(tenant.policy.include or ())
        places += [("temporaryAccessPass", "include", index) for index, item in included if item.group == key]
        excluded = enumerate(tenant.policy.exclude or ())
        places += [("temporaryAccessPass", "exclude", index) for index, item in excluded if item == key]
    for name, profile in tenant.profiles.items():
        for side, entries in (("include", profile.include), ("exclude", profile.exclude)):
            listed = enumerate(entries or ())
            places += [("webSignIn", name, "assign", side, index) for index, item in listed if item.group == key]
    for place in places:
        yield trouble(
            tenant,
            place,
            "absent-group",
            f"group {key} is declared `ensure: absent` and is referred to here",
            why="a deleted group matches nobody",
            fix="remove this reference, or the `ensure: absent`",
        )


def _planned(
    tenant: Tenant, live: LiveTenant, names: Names, today: date, *, only_lapsed: bool
) -> Iterator[Draft | Finding]:
    for key in sorted(tenant.groups):
        group = tenant.groups[key]
        if group.external or only_lapsed:
            continue
        result = groups.plan(tenant, group, live.groups[key], names)
        if result is not None:
            yield result
    if tenant.policy is not None and isinstance(live.policy, LivePolicy):
        wrong = policy.range_trouble(tenant, tenant.policy, live.policy)
        if wrong is not None:
            yield wrong
        draft = policy.plan(tenant, tenant.policy, live.policy, names, today, only_lapsed=only_lapsed)
        if draft is not None:
            yield draft
    for key in sorted(tenant.profiles):
        planned = profiles.plan(tenant, tenant.profiles[key], live, names, today, only_lapsed=only_lapsed)
        if isinstance(planned, list):
            yield from planned
        elif planned is not None:
            yield planned


def _deleted_targets(tenant: Tenant, live: LiveTenant, names: Names) -> Iterator[Finding]:
    if tenant.policy is not None and isinstance(live.policy, LivePolicy):
        yield from policy.deleted_targets(tenant, live.policy, names)
    for key in sorted(tenant.profiles):
        sighting = live.profiles[key]
        if isinstance(sighting, Found):
            yield from profiles.deleted_targets(tenant, tenant.profiles[key], sighting.object, names)


def _kept_members(tenant: Tenant, live: LiveTenant, names: Names, drafts: list[Draft]) -> Iterator[Finding]:
    """Members that stay although no list names them, where no change says so already."""
    changing = {draft.change.address for draft in drafts}
    for key, group in sorted(tenant.groups.items()):
        seen = live.groups[key]
        if isinstance(seen, Found) and not group.external and group.address not in changing:
            kept = groups.kept_members(tenant, group, seen.object, names)
            if kept is not None:
                yield kept


def _adopted(tenant: Tenant, live: LiveTenant) -> Iterator[Finding]:
    """Objects taken over by name: the pin to commit, so that the name alone never decides again."""
    for key, group in sorted(tenant.groups.items()):
        seen = live.groups[key]
        if isinstance(seen, Found) and _is_taken(group.identity) and seen.object.unique_name != group.unique_name:
            yield _pin(tenant, ("groups", key), f"group {seen.object.display_name!r}", seen.object.id)
    for key, profile in sorted(tenant.profiles.items()):
        found = live.profiles[key]
        if isinstance(found, Found) and _is_taken(profile.identity) and found.object.mark != key:
            yield _pin(tenant, ("webSignIn", key), f"profile {found.object.name!r}", found.object.id)


def _is_taken(identity: Identity) -> bool:
    return identity.takes_over and identity.id is None


def _pin(tenant: Tenant, path: tuple[str | int, ...], what: str, found: str) -> Finding:
    return trouble(
        tenant,
        (*path, "adopt"),
        "adopted",
        f"{what} is taken over: its id is {found}",
        why="a name can be given to another object tomorrow, an id cannot",
        fix=f"write `id: {found}` in the place of `adopt: true`",
        severity="info",
    )


def _with_real_needs(tenant: Tenant, drafts: list[Draft]) -> list[Draft]:
    """A change depends on other changes alone: what stays as it is need not be waited for, but what is nested in it.

    Whoever is to leave a group has left it before something that the group is nested in reaches further."""
    changing = {draft.change.address for draft in drafts}
    beneath = {group.address: _beneath(tenant, key) for key, group in tenant.groups.items()}
    real: list[Draft] = []
    for draft in drafts:
        address, needs = draft.change.address, set(draft.change.depends_on)
        if draft.change.widens:
            nested = {inner for need in draft.change.depends_on for inner in beneath.get(need, ())}
            # Groups may be nested in a circle, where neither can wait for the other.
            needs |= {inner for inner in nested if address not in beneath[inner] | {inner}}
        change = replace(draft.change, depends_on=tuple(sorted(needs & changing)))
        real.append(replace(draft, change=change))
    return real


def _beneath(tenant: Tenant, key: str) -> frozenset[str]:
    """The addresses of the declared groups that are declared to be nested in a group, however deeply."""
    found: set[str] = set()
    waiting = [key]
    while waiting:
        group = tenant.groups.get(waiting.pop())
        inner = {item.removeprefix("group:") for item in (group.members or () if group else ()) if ":" in item}
        new = {name for name in inner if name in tenant.groups and f"groups.{name}" not in found}
        found |= {f"groups.{name}" for name in new}
        waiting += new
    return frozenset(found)


def _with_names(live: LiveTenant, draft: Draft) -> Draft:
    """What the file does not declare is shown by its id; a note says what the tenant calls it."""
    shown = _groups_of(_listed_before(draft))
    named = {group_id: live.group_names.get(group_id) for group_id in sorted(shown)}
    notes = tuple(f"{group_id} is group {name!r}" for group_id, name in named.items() if isinstance(name, str))
    return replace(draft, change=replace(draft.change, notes=(*draft.change.notes, *notes))) if notes else draft


def _listed_before(draft: Draft) -> Iterator[Value]:
    for item in draft.change.fields:
        if isinstance(item.before, tuple):
            yield from item.before


# What a change of membership means depends on where the group is used


Roles = tuple[frozenset[str], frozenset[str]]
"""The keys of the groups that lists include, and of those that they exclude."""


def with_role(tenant: Tenant, draft: Draft, live_roles: Roles = (frozenset(), frozenset())) -> Draft:
    """Membership of a group that is excluded somewhere narrows when it grows; of any other it widens.

    Args:
        live_roles: what live lists say that the file does not manage.
    """
    if not draft.change.address.startswith("groups.") or draft.change.action != "update":
        return draft
    members = next((item for item in draft.change.fields if item.path == "members"), None)
    if members is None:
        return draft
    key = draft.change.address.removeprefix("groups.")
    gone, come = _moved(members)
    included, excluded = _roles(tenant, key, live_roles)
    included = included or not excluded
    widens = (included and bool(come)) or (excluded and bool(gone))
    narrows = (included and bool(gone)) or (excluded and bool(come))
    change = replace(draft.change, widens=draft.change.widens or widens)
    return replace(draft, change=change, narrows=draft.narrows or narrows)


def _moved(item: FieldChange) -> tuple[set[Value], set[Value]]:
    before = set(item.before) if isinstance(item.before, tuple) else set()
    after = set(item.after) if isinstance(item.after, tuple) else set()
    return before - after, after - before


def _unmanaged_roles(tenant: Tenant, live: LiveTenant, names: Names) -> Roles:
    included: list[Value] = []
    excluded: list[Value] = []
    if tenant.policy is not None and isinstance(live.policy, LivePolicy):
        included += policy.labels(live.policy.include, names) if tenant.policy.include is None else ()
        excluded += policy.labels(live.policy.exclude, names) if tenant.policy.exclude is None else ()
    for key, profile in tenant.profiles.items():
        seen = live.profiles[key]
        if isinstance(seen, Found):
            include, exclude = assignments.live_labels(seen.object.assignments, names)
            included += include if profile.include is None else ()
            excluded += exclude if profile.exclude is None else ()
    return _groups_of(included), _groups_of(excluded)


def _groups_of(entries: Iterable[Value]) -> frozenset[str]:
    return frozenset(str(entry["group"]) if isinstance(entry, Record) else str(entry) for entry in entries)


def _roles(tenant: Tenant, key: str, live_roles: Roles) -> tuple[bool, bool]:
    """Whether a group is included anywhere, and whether it is excluded anywhere: itself, or what it is nested in."""
    included, excluded = set(live_roles[0]), {*live_roles[1], *tenant.break_glass}
    if tenant.policy is not None:
        included |= {item.group for item in tenant.policy.include or ()}
        excluded |= set(tenant.policy.exclude or ())
    for profile in tenant.profiles.values():
        included |= {item.group for item in profile.include or ()}
        excluded |= {item.group for item in profile.exclude or ()}
    around = {key} | {other for other in tenant.groups if f"groups.{key}" in _beneath(tenant, other)}
    return bool(around & included), bool(around & excluded)


# A group is deleted only when nothing live refers to it any more


def _guard_deletions(
    tenant: Tenant, live: LiveTenant, names: Names, drafts: list[Draft]
) -> tuple[list[Draft], list[Finding]]:
    referrers = live.referrers if isinstance(live.referrers, tuple) else ()
    by_address = {draft.change.address: draft for draft in drafts}
    guarded: list[Draft] = []
    findings: list[Finding] = []
    for draft in drafts:
        key = draft.change.address.removeprefix("groups.")
        if draft.change.action != "delete" or key not in tenant.groups:
            guarded.append(draft)
            continue
        needs: list[str] = []
        for referrer in referrers:
            if referrer.group_id != names.group_ids.get(key):
                continue
            address = _address_of(tenant, live, names, referrer)
            lists = _live_lists(live, names, referrer)
            if address is not None and address in by_address and _drops(by_address[address], key, lists):
                needs.append(address)
            else:
                findings.append(_still_referred(tenant, key, referrer))
        guarded.append(replace(draft, change=replace(draft.change, depends_on=tuple(dict.fromkeys(needs)))))
    return guarded, findings


def _address_of(tenant: Tenant, live: LiveTenant, names: Names, referrer: Referrer) -> str | None:
    """The address of a live object that refers to a group, where the file declares that object."""
    match referrer.kind:
        case "policy":
            return "temporaryAccessPass" if tenant.policy is not None else None
        case "group":
            key = names.group_keys.get(referrer.id)
            return f"groups.{key}" if key is not None else None
        case "profile":
            for key, sighting in live.profiles.items():
                if isinstance(sighting, Found) and sighting.object.id == referrer.id:
                    return f"webSignIn.{key}"
            return None


def _live_lists(live: LiveTenant, names: Names, referrer: Referrer) -> dict[str, Value]:
    """The lists of an object that refers to a group, by path, also those that no file manages."""
    if referrer.kind == "policy" and isinstance(live.policy, LivePolicy):
        sides = (policy.labels(live.policy.include, names), policy.labels(live.policy.exclude, names))
        return dict(zip(("include", "exclude"), sides, strict=True))
    for sighting in live.profiles.values() if referrer.kind == "profile" else ():
        if isinstance(sighting, Found) and sighting.object.id == referrer.id:
            both = assignments.live_labels(sighting.object.assignments, names)
            return dict(zip(("assign.include", "assign.exclude"), both, strict=True))
    return {}


def _drops(draft: Draft, key: str, lists: Mapping[str, Value]) -> bool:
    """Whether a change takes every mention of a group out of an object; `lists` are those it has now."""
    if draft.change.action == "delete":
        return True
    fields = draft.change.fields
    left = {**lists, **{item.path: item.after for item in fields}}
    return any(_mentions(item.before, key) for item in fields) and not any(
        _mentions(value, key) for value in left.values()
    )


def _mentions(value: Value, key: str) -> bool:
    entries = value if isinstance(value, tuple) else ()
    named = _groups_of(entries)
    return key in named or f"group:{key}" in named


def _still_referred(tenant: Tenant, key: str, referrer: Referrer) -> Finding:
    what = {
        "policy": "the TAP policy",
        "profile": f"the assignments of profile {referrer.name!r} (id {referrer.id})",
        "group": f"the membership of group {referrer.id}",
    }[referrer.kind]
    return trouble(
        tenant,
        ("groups", key, "ensure"),
        "still-referenced",
        f"group {key} cannot be deleted: {what} still refers to it",
        why="Graph does not clean up references, and a dangling one matches nobody",
        fix="remove the reference first, in the file or in the admin centre",
    )


def _resulting_exclusions(live: LiveTenant, names: Names, drafts: list[Draft]) -> frozenset[str] | None:
    """Which groups the policy will exclude once the plan is applied."""
    if not isinstance(live.policy, LivePolicy):
        return None
    excluded = {str(entry) for entry in policy.labels(live.policy.exclude, names)}
    for draft in drafts:
        for item in draft.change.fields:
            if draft.change.address == "temporaryAccessPass" and item.path == "exclude":
                excluded = {str(entry) for entry in item.after} if isinstance(item.after, tuple) else set()
    return frozenset(excluded)
