"""Rules that look at what a plan would do. Their findings may be suppressed: `suppressions.apply_suppressions`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from tapctl.errors import Finding
from tapctl.model.desired import ALL_USERS, Policy, Tenant
from tapctl.model.plan import Change, FieldChange
from tapctl.model.values import Record, Value
from tapctl.rules.catalogue import BY_ID
from tapctl.rules.profiles import ENABLE
from tapctl.rules.scope import turns_on

_TAP012 = BY_ID["TAP012"]
_WSI016 = BY_ID["WSI016"]
_PROFILE = "webSignIn."


def check_changes(tenant: Tenant, changes: Iterable[Change]) -> tuple[Finding, ...]:
    """TAP012 and WSI016 over the changes of one tenant, in the order of the changes."""
    findings: list[Finding] = []
    for change in changes:
        if change.address == Policy.address:
            findings += _passes_end(tenant, change)
        elif change.address.startswith(_PROFILE):
            findings += _switched_off_by_removal(tenant, change)
    return tuple(findings)


def _passes_end(tenant: Tenant, change: Change) -> Iterator[Finding]:
    fields = _by_path(change)
    if "state" in fields and fields["state"].before == "disabled":
        # While the policy is disabled no pass works, so none can stop working.
        return
    for path, message in (
        ("oneTime", "outstanding passes that work many times stop working: the policy becomes one-time"),
        ("state", "every outstanding pass stops working: the policy is disabled"),
    ):
        if path in fields and fields[path].before != fields[path].after and fields[path].after in (True, "disabled"):
            yield _TAP012.finding(tenant, (Policy.address, path), message)
    included, excluded = fields.get("include"), fields.get("exclude")
    if included is not None:
        before, after = _groups(included.before), _groups(included.after)
        yield from _scope_shrinks(tenant, "include", set() if ALL_USERS in after else before - after)
    if excluded is not None:
        yield from _scope_shrinks(tenant, "exclude", _groups(excluded.after) - _groups(excluded.before))


def _scope_shrinks(tenant: Tenant, field: str, groups: set[str]) -> Iterator[Finding]:
    if groups:
        verb = "no longer included" if field == "include" else "newly excluded"
        yield _TAP012.finding(
            tenant,
            (Policy.address, field),
            f"passes of people in {', '.join(sorted(groups))} stop working: {verb}",
        )


def _switched_off_by_removal(tenant: Tenant, change: Change) -> Iterator[Finding]:
    key = change.address.removeprefix(_PROFILE)
    fields = _by_path(change)
    setting, include = fields.get(f"settings.{ENABLE}"), fields.get("assign.include")
    if change.action == "delete":
        # A deletion may not say what the profile sets, and the file no longer does: then the warning is conditional.
        if setting is None or setting.before is True:
            condition = "while it enables web sign-in" if setting else "and may still enable web sign-in"
            yield _WSI016.finding(tenant, ("webSignIn", key), f"{key} is deleted {condition}")
    elif change.action == "create" or not _enables_so_far(tenant, key, setting):
        return
    elif include is not None and _groups(include.before) and not _groups(include.after):
        place = ("webSignIn", key, "assign", "include")
        yield _WSI016.finding(tenant, place, f"{key} is unassigned while it enables web sign-in")
    elif setting is not None and setting.after is None:
        place = ("webSignIn", key, "settings", ENABLE)
        yield _WSI016.finding(tenant, place, f"{key} loses {ENABLE} while it enables web sign-in")


def _enables_so_far(tenant: Tenant, key: str, setting: FieldChange | None) -> bool:
    """Whether the live profile enables web sign-in: by the change, or where that does not touch it, by the file."""
    if setting is not None:
        return setting.before is True
    profile = tenant.profiles.get(key)
    return profile is not None and turns_on(profile)


def _by_path(change: Change) -> Mapping[str, FieldChange]:
    return {field.path: field for field in change.fields}


def _groups(value: Value) -> set[str]:
    """The group keys of a list of targets, whichever of its two forms an entry has."""
    entries = value if isinstance(value, tuple) else ()
    return {str(entry["group"]) if isinstance(entry, Record) else str(entry) for entry in entries}
