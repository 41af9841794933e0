"""From the result of planning to the plan that people review and pipelines use. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from tapctl.errors import ExitCode, Finding, TapctlError
from tapctl.model.desired import Tenant
from tapctl.model.plan import Change, GraphUsage, Impact, Outcome, Status, TenantPlan, Violation
from tapctl.model.requests import Problem
from tapctl.reconcile.approval import approve
from tapctl.reconcile.planner import Planned


def failed(tenant: Tenant, error: TapctlError, usage: GraphUsage | None = None) -> TenantPlan:
    """The plan of a tenant that failed, with the reason only."""
    return TenantPlan(
        name=tenant.name,
        tenant_id=tenant.id,
        cloud=tenant.cloud,
        status="failed",
        exit_code=error.exit_code,
        error=error.message,
        fix=error.fix,
        graph=usage or GraphUsage(),
    )


def refused(tenant: Tenant, findings: Sequence[Finding], usage: GraphUsage | None = None) -> TenantPlan:
    """The plan of a tenant whose files must be edited first."""
    error, fix = describe_first(findings)
    return TenantPlan(
        name=tenant.name,
        tenant_id=tenant.id,
        cloud=tenant.cloud,
        status="failed",
        exit_code=ExitCode.REFUSED,
        error=error,
        fix=fix,
        findings=tuple(findings),
        graph=usage or GraphUsage(),
    )


def unknown(tenant: Tenant, problems: Sequence[Problem], findings: Sequence[Finding], usage: GraphUsage) -> TenantPlan:
    """The plan of a tenant that could not be read completely: it claims nothing, and nothing is written."""
    first = problems[0]
    more = f" (and {len(problems) - 1} more reads failed)" if len(problems) > 1 else ""
    return TenantPlan(
        name=tenant.name,
        tenant_id=tenant.id,
        cloud=tenant.cloud,
        status="failed",
        exit_code=ExitCode.FAILED,
        error=f"{first.describe()}{more}",
        fix=first.advice(),
        findings=tuple(findings),
        graph=usage,
    )


def describe_first(findings: Sequence[Finding]) -> tuple[str, str]:
    """The first error in one line with its place, the number of further errors, and the fix."""
    errors = blocking(findings)
    if not errors:
        return "the tenant cannot be used, and no finding says why", "run tapctl validate"
    first = errors[0]
    place = f"{first.position}: " if first.position is not None else ""
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{place}{first.message}{more}", first.fix


def blocking(findings: Sequence[Finding]) -> list[Finding]:
    """The errors that are not suppressed."""
    return [finding for finding in findings if finding.severity == "error" and not finding.suppressed]


def reviewed(
    tenant: Tenant,
    planned: Planned,
    *,
    findings: Sequence[Finding],
    impact: Impact,
    violations: Sequence[Violation],
    overrides: Mapping[str, str],
    usage: GraphUsage,
    now: datetime,
) -> TenantPlan:
    """The plan of a tenant that was read completely and has no errors; approvable unless a guardrail denies it."""
    changes = tuple(draft.change for draft in planned.drafts)
    denied = [item for item in violations if not item.overridden]
    used = {rule: reason for rule, reason in overrides.items() if any(item.rule == rule for item in violations)}
    status: Status = "denied" if denied else "changes" if changes else "clean"
    definitions = {name: value for draft in planned.drafts for name, value in draft.definitions.items()}
    plan = TenantPlan(
        name=tenant.name,
        tenant_id=tenant.id,
        cloud=tenant.cloud,
        status=status,
        exit_code=ExitCode.REFUSED if denied else ExitCode.DONE,
        error="; ".join(item.message for item in denied) if denied else None,
        fix=_way_out(denied),
        changes=changes,
        findings=tuple(findings),
        impact=impact,
        guardrails=tuple(violations),
        overrides=used,
        definitions=dict(sorted(definitions.items())),
        graph=usage,
    )
    return replace(plan, approval=str(approve(plan, now))) if status == "changes" else plan


def _way_out(denied: Sequence[Violation]) -> str:
    rules = sorted({item.rule for item in denied if item.rule != "break-glass"})
    if not rules:
        return "add the group to `temporaryAccessPass.exclude`; break-glass cannot be overridden" if denied else ""
    flags = " ".join(f"--override {rule}" for rule in rules)
    return f"change the files, or run again with `{flags} --reason TEXT`"


def applied(plan: TenantPlan, changes: tuple[Change, ...], journal: str, usage: GraphUsage) -> TenantPlan:
    """The result of an apply."""
    names = {_outcome(change).name for change in changes}
    status: Status
    if names <= {"applied"}:
        status, code = "applied", ExitCode.DONE
    elif names <= {"applied", "waiting", "skipped"}:
        status, code = "waiting", ExitCode.CHANGES
    else:
        status, code = "partial", ExitCode.FAILED
        broken = [_outcome(change) for change in changes if _outcome(change).name in ("failed", "unverified")]
        if all(outcome.needs_edit for outcome in broken):
            code = ExitCode.REFUSED
    bad = next((change for change in changes if _outcome(change).name in ("failed", "unverified")), None)
    return replace(
        plan,
        status=status,
        exit_code=code,
        error=f"{bad.address}: {_outcome(bad).message}" if bad is not None else None,
        fix=_outcome(bad).fix if bad is not None else "",
        changes=changes,
        approval=None,
        journal=journal,
        graph=usage,
    )


def interrupted(plan: TenantPlan, changes: tuple[Change, ...], journal: str, usage: GraphUsage) -> TenantPlan:
    """The result of an interrupted apply: a write that had been sent may have been carried out."""
    result = applied(plan, changes, journal, usage)
    return replace(
        result,
        status="partial",
        exit_code=ExitCode.INTERRUPTED,
        error="interrupted",
        fix="run again: it continues from the current state",
    )


def _outcome(change: Change) -> Outcome:
    return change.outcome or Outcome(name="skipped", message="not attempted")
