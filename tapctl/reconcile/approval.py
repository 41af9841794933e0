"""Approvals: a time stamp and a digest of exactly the change of this live tenant that was approved."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tapctl.errors import OutdatedError, UsageError
from tapctl.model.plan import Change, TenantPlan
from tapctl.model.values import JSONValue, Value, to_json

AHEAD = timedelta(minutes=5)
"""How far ahead of this machine's clock a time stamp may be."""

_FORM = re.compile(r"(?P<name>[^@\s]{1,200})@(?P<stamp>\d{8}T\d{4}Z)-(?P<digest>[0-9a-f]{64})")
_STAMP = "%Y%m%dT%H%MZ"


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval, in text form `contoso@20261122T0729Z-HEX`."""

    name: str
    stamp: datetime
    """Timezone-aware, UTC, whole minutes."""
    digest: str

    def __str__(self) -> str:
        return f"{self.name}@{self.stamp.strftime(_STAMP)}-{self.digest}"


def parse(text: str) -> Approval:
    """Parse an approval; the label before it in the output of `plan` may be included.

    Raises:
        UsageError: when the text is not an approval.
    """
    found = _FORM.fullmatch(text.strip().removeprefix("approval:").strip())
    try:
        if found is None:
            raise ValueError(text)
        stamp = datetime.strptime(found["stamp"], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        raise UsageError(
            "an approval has the form NAME@YYYYMMDDTHHMMZ-HEX",
            fix="copy all that `tapctl plan` printed after `approval:`",
        ) from None
    return Approval(found["name"], stamp, found["digest"])


def approve(plan: TenantPlan, now: datetime) -> Approval:
    """The approval of a plan."""
    stamp = now.astimezone(UTC).replace(second=0, microsecond=0)
    return Approval(plan.name, stamp, digest(plan, stamp))


def digest(plan: TenantPlan, stamp: datetime) -> str:
    """SHA-256, in hexadecimal, over the time stamp, tenant, changes and the live definitions they depend on."""
    subject: JSONValue = {
        "stamp": stamp.strftime(_STAMP),
        "tenantId": plan.tenant_id,
        "cloud": plan.cloud,
        "changes": [essence(change) for change in sorted(plan.changes, key=lambda change: change.address)],
        "definitions": dict(plan.definitions),
        "overrides": dict(plan.overrides),
    }
    text = json.dumps(subject, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def essence(change: Change) -> JSONValue:
    """The part of a change that is approved: its address, action and fields; no text for people."""
    return {
        "address": change.address,
        "action": change.action,
        "fields": [
            {"path": item.path, "before": to_json(item.before), "after": to_json(item.after)} for item in change.fields
        ],
    }


def check_age(stamp: datetime, now: datetime, max_age: timedelta, what: str) -> None:
    """Refuse a time stamp that is too old or in the future.

    Raises:
        OutdatedError: with the time stamp and the limit.
    """
    if stamp - now > AHEAD:
        raise OutdatedError(
            f"{what} is stamped {stamp:%Y-%m-%d %H:%M} UTC, which is ahead of this machine's clock",
            fix="set the clocks of both machines right, then plan again and have the new plan approved",
        )
    if now - stamp > max_age:
        minutes = int(max_age.total_seconds()) // 60
        limit = f"{minutes}m" if minutes % 60 else f"{minutes // 60}h"
        raise OutdatedError(
            f"{what} of {stamp:%Y-%m-%d %H:%M} UTC has expired (approvalMaxAge is {limit})",
            fix="plan again and have the new plan approved",
        )


def check_approval(approval: Approval, plan: TenantPlan, now: datetime, max_age: timedelta) -> None:
    """Check that an approval still covers what would be applied now; an empty plan needs no approval.

    Raises:
        OutdatedError: expired, from the future, for another tenant, or for other changes.
    """
    if approval.name != plan.name:
        raise OutdatedError(
            f"the approval is for tenant {approval.name}, not for {plan.name}",
            fix="give the approval that `tapctl plan` printed for this tenant",
        )
    check_age(approval.stamp, now, max_age, "the approval")
    if plan.changes and digest(plan, approval.stamp) != approval.digest:
        raise OutdatedError(
            "the plan is not the one that was approved: the tenant or the files have changed since",
            fix="plan again and have the new plan approved",
        )


def check_saved(saved: TenantPlan, fresh: TenantPlan) -> None:
    """Check that every fresh change is in the saved plan. Saved changes that are already in effect are ignored.

    Raises:
        OutdatedError: it lists each difference.
    """
    differences: list[str] = []
    if (saved.tenant_id.lower(), saved.cloud) != (fresh.tenant_id.lower(), fresh.cloud):
        differences.append(f"the saved plan is for tenant id {saved.tenant_id} in cloud {saved.cloud}")
    agreed = {change.address: change for change in saved.changes}
    for change in fresh.changes:
        differences += _beyond(agreed.get(change.address), change)
    differences += _redefined(saved, fresh.definitions)
    if differences:
        raise OutdatedError(
            f"the saved plan no longer fits: {'; '.join(differences)}",
            fix="plan again and have the new plan approved",
        )


def _beyond(agreed: Change | None, fresh: Change) -> list[str]:
    """The parts of a fresh change that were not approved."""
    if agreed is None:
        return [f"{fresh.address}: {fresh.action} is not in the saved plan"]
    if agreed.action != fresh.action:
        return [f"{fresh.address}: the saved plan says {agreed.action}, now it would be {fresh.action}"]
    known = {item.path: item for item in agreed.fields}
    lines: list[str] = []
    for item in fresh.fields:
        planned = known.get(item.path)
        if planned is None:
            lines.append(f"{fresh.address}: {item.path} is not in the saved plan")
            continue
        # As JSON: to Python, 1 and true are equal.
        was, now = (json.dumps([to_json(one.before), to_json(one.after)], sort_keys=True) for one in (planned, item))
        if was != now:
            lines.append(f"{fresh.address}: {item.path} was planned as {was} (before, after), now it would be {now}")
    return lines


def _redefined(saved: TenantPlan, fresh: Mapping[str, JSONValue]) -> list[str]:
    """Definitions that have changed. Expected changes do not count: an object that the saved plan creates had no
    definition yet, and a rule that the saved plan changes was different."""
    known = saved.definitions
    made = {change.address for change in saved.changes if change.action == "create"} - set(known)
    rules = {change.address: item.after for change in saved.changes for item in change.fields if item.path == "rule"}
    return [
        f"{name} is {json.dumps(value)} now, and was {json.dumps(known.get(name))} when the plan was made"
        for name, value in sorted(fresh.items())
        if known.get(name) != value and name not in made and not _has_come_true(known.get(name), value, rules.get(name))
    ]


def _has_come_true(before: JSONValue, now: JSONValue, rule: Value) -> bool:
    """Whether a definition differs only in the rule that the saved plan sets."""
    if not isinstance(before, dict) or not isinstance(now, dict) or rule is None:
        return False
    return {**before, "rule": to_json(rule)} == now
