"""What a plan may never do, independent of who wrote the files; evaluated in every plan, and again in every apply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from tapctl.kinds.registry import kind_of
from tapctl.model.desired import ImpactLimits, Tenant
from tapctl.model.plan import Change, Impact, ImpactCount, Violation
from tapctl.reconcile.planner import Planned

OVERRIDABLE = ("delete", "widen", "enable", "members", "impact")
"""The rules that --override accepts; break-glass cannot be overridden."""

FEW_MEMBERS = 5
"""Removing up to this many members needs no override, unless all are removed."""


def evaluate(tenant: Tenant, planned: Planned, impact: Impact, overrides: Mapping[str, str]) -> tuple[Violation, ...]:
    """Every guardrail that the plan violates; overridden ones have the reason."""
    changes = [draft.change for draft in planned.drafts]
    found = [
        *_denied(tenant, changes),
        *_emptied(changes),
        *_too_many(tenant.guardrails.impact, impact),
        *_break_glass(tenant, planned),
    ]
    return tuple(
        replace(item, overridden=True, reason=overrides[item.rule])
        if item.rule in overrides and item.rule in OVERRIDABLE
        else item
        for item in found
    )


def _denied(tenant: Tenant, changes: list[Change]) -> Iterator[Violation]:
    deny = tenant.guardrails.deny
    for change in changes:
        if "delete" in deny and change.action == "delete":
            yield Violation(rule="delete", message=f"{change.address} would be deleted", address=change.address)
        if "widen" in deny and change.widens:
            yield Violation(rule="widen", message=f"{change.address} would be widened", address=change.address)
        if "enable" in deny and _enables(change):
            yield Violation(rule="enable", message=f"{change.address} would be enabled", address=change.address)


def _enables(change: Change) -> bool:
    """Whether a change switches something on: the policy's state, or web sign-in in a profile."""
    kind = kind_of(change.address)
    return any(kind.effect(item).enables for item in change.fields)


def _emptied(changes: list[Change]) -> Iterator[Violation]:
    for change in changes:
        for item in change.fields:
            if change.action != "update" or item.path != "members" or not isinstance(item.before, tuple):
                continue
            after = item.after if isinstance(item.after, tuple) else ()
            gone = len(set(item.before) - set(after))
            if gone and (not after or (gone > FEW_MEMBERS and gone * 2 > len(item.before))):
                yield Violation(
                    rule="members",
                    message=f"{change.address} would lose {gone} of {len(item.before)} members",
                    address=change.address,
                )


def _too_many(limits: ImpactLimits, impact: Impact) -> Iterator[Violation]:
    pairs: tuple[tuple[str, int | None, ImpactCount], ...] = (
        ("maxUsersGaining", limits.max_users_gaining, impact.users_gaining),
        ("maxUsersLosing", limits.max_users_losing, impact.users_losing),
        ("maxDevicesGaining", limits.max_devices_gaining, impact.devices_gaining),
        ("maxDevicesLosing", limits.max_devices_losing, impact.devices_losing),
    )
    for name, limit, count in pairs:
        if limit is None:
            continue
        if count.count is None:
            yield Violation(rule="impact", message=f"{name} is {limit}, and the number for this plan is unknown")
        elif count.count > limit:
            bound = "up to " if count.certainty == "upper-bound" else ""
            yield Violation(rule="impact", message=f"{name} is {limit}, and it would be {bound}{count.count}")


def _break_glass(tenant: Tenant, planned: Planned) -> Iterator[Violation]:
    if planned.excluded is None:
        return
    for key in tenant.break_glass:
        if key not in planned.excluded:
            yield Violation(
                rule="break-glass",
                message=f"the break-glass group {key} would not be excluded from the TAP policy",
                address="temporaryAccessPass",
            )
