"""The policy's fields in canonical form, declared and live, and the effect of a change of one field."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tapctl.kinds.canonical import entries
from tapctl.kinds.effects import Effect, list_effect
from tapctl.kinds.naming import Names
from tapctl.kinds.policy.labels import labels
from tapctl.kinds.policy.reading import PLAIN_FIELDS
from tapctl.model.desired import Policy
from tapctl.model.live import LivePolicy, LiveTenant
from tapctl.model.plan import Change, FieldChange
from tapctl.model.values import Value, as_set

TITLE = "Temporary Access Pass policy"


def wanted_fields(declared: Policy, today: date) -> dict[str, Value]:
    """The managed fields by path. When the last include has lapsed, the state is disabled."""
    values: dict[str, Value] = {item.path: getattr(declared, item.attribute) for item in PLAIN_FIELDS}
    if declared.include is not None:
        valid = [target.group for target in declared.include if target.is_valid(today)]
        values["include"] = as_set(valid)
        if declared.include and not valid:
            values["state"] = "disabled"
    if declared.exclude is not None:
        values["exclude"] = as_set(declared.exclude)
    return {path: value for path, value in values.items() if value is not None}


def live_fields(live: LivePolicy, names: Names) -> dict[str, Value]:
    """Every field by path."""
    values: dict[str, Value] = {item.path: getattr(live, item.attribute) for item in PLAIN_FIELDS}
    return {**values, "include": labels(live.include, names), "exclude": labels(live.exclude, names)}


def effect(item: FieldChange) -> Effect:
    """Whether somebody may gain or lose the ability by a change of one field."""
    match item.path:
        case "include" | "exclude":
            return list_effect(item, excludes=item.path == "exclude")
        case "state":
            is_enabled = item.after == "enabled"
            return Effect(widens=is_enabled, enables=is_enabled, narrows=item.after == "disabled")
        case _:
            return Effect()


def resulting_exclusions(live: LiveTenant, names: Names, changes: Iterable[Change]) -> frozenset[str] | None:
    """The keys of the groups that the policy will exclude once the changes are applied; None where it was not read."""
    if not isinstance(live.policy, LivePolicy):
        return None
    changed = [
        item.after
        for change in changes
        if change.address == Policy.address
        for item in change.fields
        if item.path == "exclude"
    ]
    return frozenset(str(entry) for entry in entries(changed[0] if changed else labels(live.policy.exclude, names)))
