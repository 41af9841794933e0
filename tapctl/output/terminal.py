"""Plans and findings as text for a terminal or a log. Never wraps; the only escape sequences are its own colours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from tapctl.output import safe, wording
from tapctl.output.values import differences, inline, unit

if TYPE_CHECKING:  # `validate` prints findings without loading what a plan is
    from tapctl.errors import Finding
    from tapctl.model.plan import Change, FieldChange, Impact, PlanDocument, TenantPlan, Violation

_RESET = "\x1b[0m"
_STYLES = {"bold": "\x1b[1m", "red": "\x1b[31m", "green": "\x1b[32m", "yellow": "\x1b[33m", "cyan": "\x1b[36m"}
_SIGN_STYLES = {"+": "green", "-": "red", "~": "yellow"}
_SEVERITY_STYLES = {"error": "red", "warning": "yellow", "info": "cyan", "suppressed": "cyan"}
_OUTCOME_STYLES = {
    "applied": "green",
    "waiting": "yellow",
    "unverified": "yellow",
    "failed": "red",
    "skipped": "yellow",
}

_EXCERPT_WIDTH = 160
"""The most characters of a source line that a finding shows."""


class _Paint:
    """Colours text, or leaves it alone."""

    def __init__(self, color: bool) -> None:
        self._color = color

    def __call__(self, style: str, text: str) -> str:
        return f"{_STYLES[style]}{text}{_RESET}" if self._color else text

    def sign(self, sign: str, text: str = "") -> str:
        return self(_SIGN_STYLES[sign], sign + text)


def render_plan(
    document: PlanDocument, *, color: bool = False, seconds: float | None = None, show_footer: bool = True
) -> str:
    """A plan, or after an apply its result, as text that ends with what the run cost.

    Args:
        seconds: wall time of the whole run; the slowest tenant's unless given.
        show_footer: off for commands that did not talk to Graph themselves.
    """
    paint = _Paint(color)
    lines: list[str] = []
    for tenant in document.tenants:
        lines += [*_tenant(document, tenant, paint), ""]
    if len(document.tenants) != 1:
        lines.append(wording.statuses(document))
    lines.append(paint("bold", wording.closing(document)))
    if show_footer:
        lines.append(wording.run_footer(document, seconds))
    return _joined(lines)


def render_changes(changes: Iterable[Change], *, color: bool = False, verb: str = "will be") -> str:
    """Changes alone, as lines; empty when there are none.

    Args:
        verb: what stands before `created`, `updated` and `deleted`.
    """
    paint = _Paint(color)
    return _joined([line for change in changes for line in _change(change, verb, paint)])


def render_findings(findings: Sequence[Finding], *, color: bool = False) -> str:
    """Findings (at least one) in the form of compilers, and how many there are."""
    paint = _Paint(color)
    lines = [line for finding in findings for line in (*finding_lines(finding, paint), "")]
    return _joined([*lines, f"Findings: {wording.finding_counts(findings)}."])


def _joined(lines: Iterable[str]) -> str:
    return "".join(safe.plain_line(line) + "\n" for line in lines)


def _tenant(document: PlanDocument, tenant: TenantPlan, paint: _Paint) -> list[str]:
    lines = [_header(tenant, paint)]
    trouble = wording.trouble(tenant)
    if trouble is not None:
        error, fix = trouble
        lines.append(f"  {paint('red', 'error')}: {safe.visible(error)}")
        lines += [f"    fix: {safe.visible(fix)}"] if fix else []
    verb = "would be" if document.command == "drift" else "will be"
    for change in tenant.changes:
        lines += ["  " + line for line in _change(change, verb, paint)]
    if tenant.status == "clean":
        lines.append(f"  {wording.nothing_to_do(document)}")
    for finding in tenant.findings:
        lines += ["  " + line for line in finding_lines(finding, paint)]
    for violation in tenant.guardrails:
        lines += ["  " + line for line in _violation(violation, paint)]
    lines += _impact(tenant.impact) + _approval(tenant)
    if tenant.journal is not None:
        lines.append(f"  journal: {safe.visible(tenant.journal)}")
        lines.append(f"    the way back: tapctl rollback {safe.shell_word(tenant.journal)}")
    return lines


def _header(tenant: TenantPlan, paint: _Paint) -> str:
    name = safe.shorten(safe.visible(tenant.name), 80)
    # Without an id nothing is known of the tenant: its file could not be read so far.
    known = (
        f" (tenant {safe.visible(tenant.tenant_id)}, cloud {safe.visible(tenant.cloud)})" if tenant.tenant_id else ""
    )
    header = f"{name}{known}: {tenant.status}"
    label = paint("cyan", f" [{wording.SANDBOX_LABEL}]") if tenant.is_sandbox else ""
    return paint("bold", header) + label


def _change(change: Change, verb: str, paint: _Paint) -> list[str]:
    sign = wording.SYMBOLS[change.action]
    title = " " + safe.quoted(safe.shorten(change.title, 80)) if change.title else ""
    marks = "".join(f" ({mark})" for mark in wording.markers(change))
    address = paint("bold", safe.visible(change.address))
    what = _what_happens(change, verb, paint)
    lines = [f"{paint.sign(sign)} {address}{title} {what}{paint('yellow', marks) if marks else ''}"]
    for field in change.fields:
        lines += ["    " + line for line in _field(field, sign, paint)]
    lines += ["    " + line for line in _remarks(change)]
    return lines


def _what_happens(change: Change, verb: str, paint: _Paint) -> str:
    past = wording.PAST[change.action]
    if change.outcome is None:
        return f"{verb} {past}"
    name = change.outcome.name
    return f"to be {past}: {paint(_OUTCOME_STYLES[name], name)}"


def _remarks(change: Change) -> list[str]:
    lines: list[str] = []
    if change.outcome is not None and change.outcome.message:
        lines.append(f"{change.outcome.name}: {safe.visible(change.outcome.message)}")
    if change.outcome is not None and change.outcome.fix:
        lines.append(f"fix: {safe.visible(change.outcome.fix)}")
    sentence = wording.reason_sentence(change)
    if sentence:
        lines.append(f"reason: {safe.visible(sentence)}")
    if change.by is not None:
        lines.append(safe.visible(wording.changed_by(change.by)))
    lines += [f"note: {safe.visible(note)}" for note in change.notes]
    if change.depends_on:
        lines.append("after " + ", ".join(safe.visible(address) for address in change.depends_on))
    return lines


def _field(field: FieldChange, sign: str, paint: _Paint) -> list[str]:
    """A field as terraform would show it: one side for a create or a delete, both for an update."""
    path = safe.visible(field.path)
    if sign != "~":
        value = field.after if sign == "+" else field.before
        if isinstance(value, tuple) and value:
            return [paint.sign(sign, f" {path}:"), *("    " + paint.sign(sign, f" {inline(item)}") for item in value)]
        return [paint.sign(sign, f" {path}: {inline(value)}{unit(field.path)}")]
    listed = differences(field.before, field.after)
    if listed is None:
        return [paint.sign("~", f" {path}: {inline(field.before)} -> {inline(field.after)}{unit(field.path)}")]
    lines, unchanged = listed
    shown = [paint.sign("~", f" {path}:"), *("    " + paint.sign(line.sign, f" {line.text}") for line in lines)]
    return [*shown, f"      ({unchanged} unchanged)"] if unchanged else shown


def _violation(violation: Violation, paint: _Paint) -> list[str]:
    where = f" {safe.visible(violation.address)}" if violation.address is not None else ""
    rule = safe.visible(violation.rule)
    if violation.overridden:
        lines = [f"{paint('yellow', f'guardrail[{rule}]')}{where}: overridden: {safe.visible(violation.message)}"]
        return [*lines, f"  reason: {safe.visible(violation.reason)}"] if violation.reason else lines
    return [
        f"{paint('red', f'guardrail[{rule}]')}{where}: {safe.visible(violation.message)}",
        f"  fix: {safe.visible(wording.way_out(violation))}",
    ]


def _impact(impact: Impact | None) -> list[str]:
    return [] if impact is None else ["  " + line for line in wording.impact_lines(impact)]


def _approval(tenant: TenantPlan) -> list[str]:
    if tenant.approval is None:
        return []
    return [
        f"  approval: {safe.visible(tenant.approval)}",
        f"    to apply exactly this: tapctl apply --approve {safe.shell_word(tenant.approval)}",
    ]


def finding_lines(finding: Finding, paint: _Paint) -> list[str]:
    """One finding: where, what, the source line with a caret beneath, why, and what to write instead."""
    kind = "suppressed" if finding.suppressed else finding.severity
    where = f"{safe.visible(str(finding.position))}: " if finding.position is not None else ""
    label = paint(_SEVERITY_STYLES[kind], f"{kind}[{safe.visible(finding.rule)}]")
    lines = [f"{paint('bold', where) if where else ''}{label}: {safe.visible(finding.message)}"]
    if finding.suppressed:
        return [*lines, f"  reason: {safe.visible(finding.suppress_reason)}"]
    lines += _excerpt(finding, paint)
    for word, position in finding.related:
        lines.append(f"  see {safe.visible(str(position))}: {safe.visible(word)}")
    if finding.why:
        lines.append(f"  why: {safe.visible(finding.why)}")
    if finding.fix:
        lines.append(f"  fix: {safe.visible(finding.fix)}")
    return lines


def _excerpt(finding: Finding, paint: _Paint) -> list[str]:
    """The source line and carets under the columns that are meant, as they come out on the screen."""
    if finding.position is None or not finding.excerpt:
        return []
    begin = max(finding.position.column - 1, 0)
    end = begin + max(finding.width, 1)
    window = max(0, min(begin, end - _EXCERPT_WIDTH, len(finding.excerpt) - _EXCERPT_WIDTH))
    shown = finding.excerpt[window : window + _EXCERPT_WIDTH]
    before, meant = shown[: begin - window], shown[begin - window : end - window]
    left = safe.ELLIPSIS if window else ""
    right = safe.ELLIPSIS if window + _EXCERPT_WIDTH < len(finding.excerpt) else ""
    margin = " " * (len(left) + _columns(safe.visible(before)))
    carets = "^" * max(_columns(safe.visible(meant)), 1)
    number = f"{finding.position.line:>5}"
    return [
        f"{number} | {left}{safe.visible(shown)}{right}",
        f"{'':>5} | {margin}{paint('red', carets)}",
    ]


def _columns(text: str) -> int:
    """How many columns visible text takes on a terminal."""
    if text.isascii():
        return len(text)
    from unicodedata import combining, east_asian_width

    return sum(0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1 for char in text)
