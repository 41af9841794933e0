"""Findings and plans as GitHub workflow commands, which show as annotations on the lines of a pull request.

Source: docs.github.com, "Workflow commands for GitHub Actions". GitHub shows ten errors, ten warnings and
ten notices of a step; the lines stay in the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tapctl.errors import Finding
from tapctl.model.plan import PlanDocument, TenantPlan
from tapctl.output import safe, wording

_LEVELS = {"error": "error", "warning": "warning", "info": "notice"}


def render_findings(findings: Iterable[Finding]) -> str:
    """One annotation for each finding that is not suppressed, and a plain line with their number."""
    listed = list(findings)
    lines = [_finding(finding) for finding in listed if not finding.suppressed]
    lines.append(f"Findings: {wording.finding_counts(listed)}." if listed else "No findings.")
    return _joined(lines)


def render_plan(document: PlanDocument, *, seconds: float | None = None, show_footer: bool = True) -> str:
    """For each tenant a plain line, and annotations for its changes, what stops it and its findings; then the sums.

    Args:
        seconds: wall time of the whole run; the slowest tenant's unless given.
        show_footer: off for commands that did not talk to Graph themselves.
    """
    lines = [line for tenant in document.tenants for line in _tenant(tenant)]
    lines.append(wording.closing(document))
    if show_footer:
        lines.append(wording.run_footer(document, seconds))
    return _joined(lines)


def annotation(level: str, title: str, message: Iterable[str], place: Iterable[tuple[str, str | int]] = ()) -> str:
    """One workflow command.

    Args:
        level: error, warning or notice.
        message: lines; each is made harmless by itself.
        place: file, line, col and endColumn, as far as known.
    """
    properties = [*place, ("title", title)]
    listed = ",".join(f"{name}={safe.workflow_property(str(value))}" for name, value in properties)
    return f"::{level} {listed}::" + "%0A".join(safe.workflow_data(line) for line in message)


def _joined(lines: Iterable[str]) -> str:
    return "".join(line + "\n" for line in lines)


def _finding(finding: Finding, tenant: str = "") -> str:
    message = [finding.message]
    if finding.why:
        message.append(f"why: {finding.why}")
    if finding.fix:
        message.append(f"fix: {finding.fix}")
    place: list[tuple[str, str | int]] = []
    if finding.position is not None:
        position = finding.position
        place = [
            ("file", position.file),
            ("line", position.line),
            ("col", position.column),
            ("endColumn", position.column + max(finding.width, 1)),
        ]
    title = f"{tenant}: {finding.rule}" if tenant else finding.rule
    return annotation(_LEVELS[finding.severity], title, message, place)


def _tenant(tenant: TenantPlan) -> Iterator[str]:
    name = safe.shorten(tenant.name, 80)
    label = f" [{wording.SANDBOX_LABEL}]" if tenant.is_sandbox else ""
    yield f"Tenant {safe.visible(name)}: {tenant.status}{label}"
    trouble = wording.trouble(tenant)
    if trouble is not None:
        error, way_out = trouble
        yield annotation("error", f"{name}: {tenant.status}", [error, *([f"fix: {way_out}"] if way_out else [])])
    for violation in tenant.guardrails:
        where = f"{violation.address}: " if violation.address is not None else ""
        if violation.overridden:
            text = [f"{where}{violation.message}", f"overridden: {violation.reason or 'no reason given'}"]
            yield annotation("warning", f"{name}: guardrail {violation.rule}", text)
        else:
            text = [f"{where}{violation.message}", f"fix: {wording.way_out(violation)}"]
            yield annotation("error", f"{name}: guardrail {violation.rule}", text)
    for change in tenant.changes:
        if change.outcome is not None and change.outcome.name != "applied":
            level = "error" if change.outcome.name == "failed" else "warning"
            fix = [f"fix: {change.outcome.fix}"] if change.outcome.fix else []
            text = [f"{change.address}: {change.outcome.message or change.outcome.name}", *fix]
            yield annotation(level, f"{name}: {change.outcome.name}", text)
    for finding in tenant.findings:
        if not finding.suppressed:
            yield _finding(finding, name)
    if tenant.changes:
        yield annotation(*_changes(tenant, name + label))


def _changes(tenant: TenantPlan, name: str) -> tuple[str, str, list[str]]:
    """Level, title and lines of the annotation that lists a tenant's changes; one that widens makes it a warning."""
    level = "warning" if any(change.widens for change in tenant.changes) else "notice"
    lines = []
    for change in tenant.changes:
        marks = "".join(f" ({mark})" for mark in wording.markers(change))
        paths = ", ".join(field.path for field in change.fields) if change.action == "update" else ""
        by = f", {wording.changed_by(change.by)}" if change.by is not None else ""
        lines.append(f"{wording.SYMBOLS[change.action]} {change.address}{marks}{': ' + paths if paths else ''}{by}")
    return level, f"{name}: {wording.tally(tenant.changes)}", lines
