"""Comparing the policy: nothing to do, or one change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import partial

from tapctl.errors import Finding
from tapctl.kinds.canonical import entries, removed_and_added
from tapctl.kinds.findings import finding_at
from tapctl.kinds.naming import Names
from tapctl.kinds.policy.fields import TITLE, effect, live_fields, wanted_fields
from tapctl.kinds.policy.writing import update_steps
from tapctl.kinds.steps import Draft
from tapctl.model.desired import Policy, Tenant
from tapctl.model.live import LivePolicy
from tapctl.model.plan import Change, FieldChange
from tapctl.model.values import Value, as_set, to_json

REACH = ("state", "include", "exclude")
"""The fields that say whom the policy reaches."""


def plan(
    tenant: Tenant, declared: Policy, live: LivePolicy, names: Names, today: date, *, only_lapsed: bool = False
) -> Draft | None:
    """The change that makes the policy match the file; None when it already does."""
    current = live_fields(live, names)
    wanted = _lapse(declared, current, today) if only_lapsed else wanted_fields(declared, today)
    fields = tuple(
        FieldChange(path=path, before=current[path], after=wanted[path])
        for path in sorted(wanted)
        if wanted[path] != current[path]
    )
    if not fields:
        return None
    lapsed = _lapsed_entries(declared, today)
    effects = [effect(item) for item in fields]
    widens = any(item.widens for item in effects)
    # Whom a widening reaches also depends on the lists that the file does not manage.
    leaned = {path: current[path] for path in REACH if path not in wanted} if widens else {}
    lists = [{**leaned, **wanted}.get(path) for path in ("include", "exclude")]
    keys = [str(key) for listed in lists for key in entries(listed) if key in tenant.groups]
    # A change that only narrows waits only for groups that the live lists do not name yet.
    needs = keys if widens else [key for key in keys if key in _new_entries(fields)]
    change = Change(
        address=declared.address,
        action="update",
        title=TITLE,
        fields=fields,
        widens=widens,
        reason="lapsed" if all(_is_lapse(item, lapsed, wanted) for item in fields) else None,
        depends_on=tuple(f"groups.{key}" for key in dict.fromkeys(needs)),
    )
    return Draft(
        change=change,
        steps=partial(update_steps, tenant.cloud, fields, live, names),
        narrows=any(item.narrows for item in effects),
        definitions={
            **({declared.address: {path: to_json(value) for path, value in leaned.items()}} if leaned else {}),
            **names.group_definitions(keys),
        },
    )


def _new_entries(fields: tuple[FieldChange, ...]) -> frozenset[Value]:
    """The entries that are added to a target list."""
    return frozenset().union(*(removed_and_added(item)[1] for item in fields))


def _lapse(declared: Policy, current: Mapping[str, Value], today: date) -> dict[str, Value]:
    """The wanted fields of a run that only removes lapsed entries from the live list."""
    lapsed, before = _lapsed_entries(declared, today), entries(current["include"])
    remaining = as_set(entry for entry in before if entry not in lapsed)
    if remaining == before:
        return {}
    return {"include": remaining} if remaining else {"include": remaining, "state": "disabled"}


def _lapsed_entries(declared: Policy, today: date) -> frozenset[Value]:
    """The included groups all of whose entries have lapsed."""
    included = declared.include or ()
    return frozenset(item.group for item in included) - {item.group for item in included if item.is_valid(today)}


def _is_lapse(item: FieldChange, lapsed: frozenset[Value], wanted: Mapping[str, Value]) -> bool:
    if item.path == "include":
        removed, added = removed_and_added(item)
        return bool(removed) and not added and removed <= lapsed
    return item.path == "state" and bool(lapsed) and not entries(wanted.get("include"))


def range_finding(tenant: Tenant, declared: Policy, live: LivePolicy) -> Finding | None:
    """A finding when the lifetimes are out of order because of live values that the file does not name."""
    minimum, default, maximum = (
        wanted if wanted is not None else current
        for wanted, current in (
            (declared.minimum, live.minimum),
            (declared.default, live.default),
            (declared.maximum, live.maximum),
        )
    )
    is_named = (declared.minimum, declared.default, declared.maximum) != (None, None, None)
    if not is_named or minimum is None or default is None or maximum is None or minimum <= default <= maximum:
        return None
    return finding_at(
        tenant,
        ("temporaryAccessPass", "lifetime"),
        "TAP001",
        f"with the live values the lifetimes would be minimum {minimum}, default {default}, maximum {maximum} minutes",
        why="Graph refuses a default outside minimum and maximum; what the file does not name keeps its live value",
        fix="name all three lifetimes, so that minimum <= default <= maximum",
    )


def kept_targets(tenant: Tenant, live: LivePolicy, names: Names) -> Iterator[Finding]:
    """A finding for every target whose group no longer exists, or of a type that tapctl does not know."""
    for path, targets in (("include", live.include), ("exclude", live.exclude)):
        for target in sorted(targets, key=lambda item: item.id):
            if target.kind == "other":
                yield finding_at(
                    tenant,
                    ("temporaryAccessPass", path),
                    "unknown-target",
                    f"the live {path} list of the TAP policy names {target.id}, which is a {target.type_name!r}",
                    why="tapctl knows groups and users; it leaves the entry as it is, and cannot tell whom it matches",
                    fix="look at the entry in the Entra admin centre",
                    severity="warning",
                )
            elif target.id in names.deleted_groups:
                yield finding_at(
                    tenant,
                    ("temporaryAccessPass", path),
                    "deleted-target",
                    f"the live {path} list of the TAP policy names the deleted group {target.id}",
                    why="a deleted group matches nobody; tapctl leaves the entry as it is",
                    fix="remove the entry in the Entra admin centre, or restore the group",
                    severity="warning",
                )
