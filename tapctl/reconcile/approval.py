"""Approvals: a time stamp and a digest of exactly the change of this live tenant that somebody agreed to."""

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
"""How far ahead of this machine's clock a stamp may be."""

_FORM = re.compile(r"(?P<name>[^@\s]{1,200})@(?P<stamp>\d{8}T\d{4}Z)-(?P<digest>[0-9a-f]{64})")
_STAMP = "%Y%m%dT%H%MZ"


@dataclass(frozen=True, slots=True)
class Approval:
    """One approval as printed: `contoso@20261122T0729Z-HEX`."""

    name: str
    stamp: datetime
    """Aware, UTC, whole minutes."""
    digest: str

    def __str__(self) -> str:
        return f"{self.name}@{self.stamp.strftime(_STAMP)}-{self.digest}"


def parse(text: str) -> Approval:
    """The approval that a text is; the word before it in the output of `plan` may be copied with it.

    Raises:
        UsageError: when it is none.
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
    """The approval of a plan as it stands."""
    stamp = now.astimezone(UTC).replace(second=0, microsecond=0)
    return Approval(plan.name, stamp, digest(plan, stamp))


def digest(plan: TenantPlan, stamp: datetime) -> str:
    """SHA-256, in hexadecimal, over the stamp, the tenant, the changes and the live definitions they lean on."""
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
    """What of a change is agreed to: its address, action and fields; no wording."""
    return {
        "address": change.address,
        "action": change.action,
        "fields": [
            {"path": item.path, "before": to_json(item.before), "after": to_json(item.after)} for item in change.fields
        ],
    }


def check_age(stamp: datetime, now: datetime, max_age: timedelta, what: str) -> None:
    """Refuse what is too old, or from the future.

    Raises:
        OutdatedError: with the age and the limit.
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
    """Whether an approval still covers what would be applied now; an empty plan needs none.

    Raises:
        OutdatedError: expired, from the future, of another tenant, or of other changes.
    """
    if approval.name != plan.name:
        raise OutdatedError(
            f"the approval is of tenant {approval.name}, not of {plan.name}",
            fix="give the approval that `tapctl plan` printed for this tenant",
        )
    check_age(approval.stamp, now, max_age, "the approval")
    if plan.changes and digest(plan, approval.stamp) != approval.digest:
        raise OutdatedError(
            "the plan is not the one that was approved: the tenant or the files have changed since",
            fix="plan again and have the new plan approved",
        )


def check_saved(saved: TenantPlan, fresh: TenantPlan) -> None:
    """Whether every fresh change is one of the saved plan. Saved changes that have come true meanwhile are no matter.

    Raises:
        OutdatedError: with each difference.
    """
    differences: list[str] = []
    if (saved.tenant_id.lower(), saved.cloud) != (fresh.tenant_id.lower(), fresh.cloud):
        differences.append(f"the saved plan is of tenant id {saved.tenant_id} in cloud {saved.cloud}")
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
    """What a fresh change would do that was not agreed to."""
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
    """Definitions that are not what they were. An object that the saved plan itself was to make had none yet, and a
    rule that it was to change was another: that it has come true meanwhile is what was agreed to."""
    known = saved.definitions
    made = {change.address for change in saved.changes if change.action == "create"} - set(known)
    rules = {change.address: item.after for change in saved.changes for item in change.fields if item.path == "rule"}
    return [
        f"{name} is {json.dumps(value)} now, and was {json.dumps(known.get(name))} when the plan was made"
        for name, value in sorted(fresh.items())
        if known.get(name) != value and name not in made and not _has_come_true(known.get(name), value, rules.get(name))
    ]


def _has_come_true(before: JSONValue, now: JSONValue, rule: Value) -> bool:
    """Whether a definition differs by nothing but the rule that it was to get."""
    if not isinstance(before, dict) or not isinstance(now, dict) or rule is None:
        return False
    return {**before, "rule": to_json(rule)} == now
