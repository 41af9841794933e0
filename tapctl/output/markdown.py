"""Plans as a comment on a pull request: a summary line first, details folded, never longer than GitHub accepts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from tapctl.errors import Finding
from tapctl.model.plan import Change, FieldChange, Impact, PlanDocument, TenantPlan, Violation
from tapctl.model.words import count_noun
from tapctl.output import safe, wording
from tapctl.output.values import differences, inline, unit

LIMIT = 65_000
"""Characters of one comment; GitHub refuses 65,536 and more."""

MARKER = "<!-- tapctl:plan -->"
"""The first line, by which a workflow finds the comment it made before."""

_VALUE_LIMIT = 4_000
"""Characters of one value. Dynamic membership rules, the longest, have at most 3,072."""

_RESERVE = 300
"""Characters kept for the sentence that says what was left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """A part of the comment that is whole by itself; `lines` may be cut short, the rest stands or falls together."""

    opening: tuple[str, ...] = ()
    lines: tuple[str, ...]
    closing: tuple[str, ...] = ()
    detail: bool = False
    """Details give way to everything else when room is short."""

    def text(self) -> str:
        return "".join(line + "\n" for line in (*self.opening, *self.lines, *self.closing)) + "\n"


def render_plan(
    document: PlanDocument, *, seconds: float | None = None, show_footer: bool = True, limit: int = LIMIT
) -> str:
    """A plan, or after an apply its result, as Markdown of at most `limit` characters.

    Args:
        seconds: wall time of the whole run; the slowest tenant's unless given.
        show_footer: off for commands that did not talk to Graph themselves.
        limit: characters, counted as UTF-16 does, which is the strictest way.
    """
    blocks = [_summary(document)]
    if len(document.tenants) > 1:
        blocks.append(_overview(document))
    for tenant in document.tenants:
        blocks += _tenant(document, tenant)
    last = wording.run_footer(document, seconds) + "\n" if show_footer else ""
    return _fitted(blocks, last, limit)


def render_changes(
    changes: Mapping[str, Sequence[Change]],
    *,
    heading: str,
    findings: Sequence[Finding] = (),
    limit: int = LIMIT,
) -> str:
    """Changes alone under one summary line, as the difference of two revisions is shown.

    Args:
        changes: by tenant name.
        heading: the beginning of the summary line; plain words of tapctl's own.
        limit: characters, counted as UTF-16 does.
    """
    all_changes = [change for listed in changes.values() for change in listed]
    summary = f"{wording.tally(all_changes)}." if all_changes else "no changes."
    blocks = [_Block(lines=(MARKER, f"**{heading}:** {summary}"))]
    for name, listed in changes.items():
        if listed:
            blocks += [_Block(lines=(f"### Tenant {safe.code(name, 80)}",)), *_changes(listed)]
    return _fitted([*blocks, *_findings(findings)], "", limit)


def _summary(document: PlanDocument) -> _Block:
    words = [wording.closing(document)]
    if len(document.tenants) != 1:
        words.append(wording.statuses(document))
    if any(change.widens for change in wording.all_changes(document)):
        words.append("Something widens.")
    if any(tenant.is_sandbox for tenant in document.tenants):
        words.append("Contains a sandbox tenant.")
    return _Block(lines=(MARKER, f"**tapctl {document.command}** " + " ".join(words)))


def _overview(document: PlanDocument) -> _Block:
    rows = []
    for tenant in document.tenants:
        counts = wording.tally(tenant.changes)
        cells = (safe.code(tenant.name, 80), _cloud(tenant), _status(tenant))
        rows.append(f"| {' | '.join(cells)} | {counts.create} | {counts.update} | {counts.delete} |")
    heading = ("| tenant | cloud | status | create | update | delete |", "| --- | --- | --- | ---: | ---: | ---: |")
    return _Block(opening=heading, lines=tuple(rows))


def _cloud(tenant: TenantPlan) -> str:
    if not tenant.tenant_id:  # its file could not be read so far
        return ""
    return "**sandbox**" if tenant.is_sandbox else safe.code(tenant.cloud, 40)


def _status(tenant: TenantPlan) -> str:
    return f"**{tenant.status}**" if tenant.status in ("denied", "failed", "partial") else tenant.status


def _tenant(document: PlanDocument, tenant: TenantPlan) -> list[_Block]:
    label = f" ({wording.SANDBOX_LABEL})" if tenant.is_sandbox else f", cloud {_cloud(tenant)}"
    lines = [f"### Tenant {safe.code(tenant.name, 80)}: {tenant.status}"]
    if tenant.tenant_id:
        lines += ["", f"Tenant id {safe.code(tenant.tenant_id)}{label}"]
    trouble = wording.trouble(tenant)
    if trouble is not None:
        error, fix = trouble
        lines += ["", f"**Error:** {safe.prose(error)}"]
        lines += ["", f"**Fix:** {safe.prose(fix)}"] if fix else []
    if tenant.status == "clean":
        lines += ["", wording.nothing_to_do(document)]
    blocks = [_Block(lines=tuple(lines)), *_changes(tenant.changes)]
    if tenant.impact is not None:
        blocks.append(_impact(tenant.impact))
    blocks += _listed("Guardrails", [_violation(violation) for violation in tenant.guardrails])
    blocks += _findings(tenant.findings)
    if tenant.approval is not None:
        blocks.append(_approval(tenant.approval))
    if tenant.journal is not None:
        way_back = safe.code(f"tapctl rollback {safe.shell_word(tenant.journal)}", 1_000)
        blocks.append(_Block(lines=(f"Journal {safe.code(tenant.journal, 1_000)}, the way back: {way_back}",)))
    return blocks


def _changes(changes: Sequence[Change]) -> list[_Block]:
    """The list of changes, and folded beneath it what happens to each field."""
    blocks = _listed("", [_change(change) for change in changes])
    fields = [line for change in changes for line in _field_lines(change)]
    if not fields:
        return blocks
    noun = count_noun(sum(len(change.fields) for change in changes), "field")
    opening = (f"<details><summary>Fields before and after ({noun})</summary>", "", "```diff")
    return [*blocks, _Block(opening=opening, lines=tuple(fields), closing=("```", "", "</details>"), detail=True)]


def _listed(title: str, items: Iterable[str]) -> list[_Block]:
    lines = tuple(items)
    if not lines:
        return []
    return [_Block(opening=(f"**{title}**", "") if title else (), lines=lines)]


def _change(change: Change) -> str:
    words = [f"- {wording.SYMBOLS[change.action].replace('~', '±').replace('-', '−')} {change.action}"]
    words.append(safe.code(change.address))
    if change.title:
        words.append(safe.code(safe.quoted(safe.shorten(change.title, 80))))
    if change.outcome is not None:
        words.append(f"→ **{change.outcome.name}**")
    words += [f"**({mark})**" for mark in wording.markers(change)]
    paths = ", ".join(safe.code(field.path) for field in change.fields) if change.action == "update" else ""
    return " ".join(words) + (f": {paths}" if paths else "") + "".join(f"; {remark}" for remark in _remarks(change))


def _remarks(change: Change) -> list[str]:
    remarks: list[str] = []
    if change.outcome is not None and change.outcome.message:
        remarks.append(f"why: {safe.prose(change.outcome.message)}")
    if change.outcome is not None and change.outcome.fix:
        remarks.append(f"fix: {safe.prose(change.outcome.fix)}")
    sentence = wording.reason_sentence(change)
    if sentence:
        remarks.append(f"reason: {safe.prose(sentence)}")
    if change.by is not None:
        via = f" via {safe.code(change.by.via)}" if change.by.via else ""
        remarks.append(f"changed by {safe.code(change.by.who)} at {safe.code(change.by.when)}{via}")
    return remarks + [safe.prose(note) for note in change.notes]


def _field_lines(change: Change) -> list[str]:
    """The lines of a `diff` block: the sign comes first, so that GitHub colours them."""
    heading = f"  {wording.SYMBOLS[change.action]} {safe.fenced(change.address)}"
    return [heading, *(line for field in change.fields for line in _field(field, change.action))]


def _field(field: FieldChange, action: str) -> list[str]:
    path, suffix = safe.fenced(field.path), unit(field.path)
    listed = differences(field.before, field.after) if action == "update" else None
    if listed is not None:
        lines, unchanged = listed
        kept = [f"      ({unchanged} unchanged)"] if unchanged else []
        return [
            safe.plain_line(f"    {path}:"),
            *(f"{line.sign.replace('~', '!')}     {_cut(line.text)}" for line in lines),
            *kept,
        ]
    before = [f"-   {path}: {_cut(inline(field.before))}{suffix}"] if action != "create" else []
    after = [f"+   {path}: {_cut(inline(field.after))}{suffix}"] if action != "delete" else []
    return before + after


def _cut(text: str) -> str:
    return safe.fenced(safe.shorten(text, _VALUE_LIMIT))


def _impact(impact: Impact) -> _Block:
    return _Block(lines=tuple("- **" + line.replace(":", ":**", 1) for line in wording.impact_lines(impact)))


def _violation(violation: Violation) -> str:
    address = f" {safe.code(violation.address)}" if violation.address is not None else ""
    start = f"- {safe.code(violation.rule)}{address}: {safe.prose(violation.message)}"
    if not violation.overridden:
        return f"{start}; **stops the plan**, the way out: {safe.prose(wording.way_out(violation))}"
    return f"{start}; **overridden**" + (f": {safe.prose(violation.reason)}" if violation.reason else "")


def _findings(findings: Sequence[Finding]) -> list[_Block]:
    shown = [_finding(finding) for finding in findings if not finding.suppressed]
    hidden = [_finding(finding) for finding in findings if finding.suppressed]
    blocks = _listed("Findings", shown)
    if hidden:
        opening = (f"<details><summary>Suppressed findings ({len(hidden)})</summary>", "")
        blocks.append(_Block(opening=opening, lines=tuple(hidden), closing=("", "</details>"), detail=True))
    return blocks


def _finding(finding: Finding) -> str:
    where = f" {safe.code(str(finding.position))}" if finding.position is not None else ""
    start = f"- {finding.severity} {safe.code(finding.rule)}{where}: {safe.prose(finding.message)}"
    if finding.suppressed:
        return f"{start}; suppressed: {safe.prose(finding.suppress_reason)}"
    why = f"; why: {safe.prose(finding.why)}" if finding.why else ""
    return start + why + (f"; fix: {safe.prose(finding.fix)}" if finding.fix else "")


def _approval(approval: str) -> _Block:
    command = f"tapctl apply --approve {safe.shell_word(approval)}"
    return _Block(
        opening=(f"**Approval** {safe.code(approval, 500)}", "", "To apply exactly this:", "", "```sh"),
        lines=(safe.fenced(command),),
        closing=("```",),
    )


def _fitted(blocks: Sequence[_Block], last: str, limit: int) -> str:
    """The blocks in their order, cut so that all tags and fences are closed, with a note on what is missing.

    Space is given first to the blocks that are not details, in order, then to the details.
    """
    if sum(_length(block.text()) for block in blocks) + _length(last) <= limit:
        return ("".join(block.text() for block in blocks) + last).rstrip("\n") + "\n"
    room = limit - _length(last) - _RESERVE
    kept: dict[int, _Block] = {}
    for index in sorted(range(len(blocks)), key=lambda index: blocks[index].detail):
        part = _beginning(blocks[index], room)
        if part is not None:
            kept[index] = part
            room -= _length(part.text())
    missing = sum(len(block.lines) for block in blocks) - sum(len(part.lines) for part in kept.values())
    note = (
        f"**Cut:** {count_noun(missing, 'line')} did not fit into a comment. The whole plan is in the log of "
        "the run, and in the file of `tapctl plan --out`, which `tapctl show` prints.\n\n"
    )
    return ("".join(kept[index].text() for index in sorted(kept)) + note + last).rstrip("\n") + "\n"


def _beginning(block: _Block, room: int) -> _Block | None:
    """As many lines of the block as fit, or None where not even one does."""
    taken = _length(replace(block, lines=()).text())
    count = 0
    for line in block.lines:
        taken += _length(line) + 1
        if taken > room:
            break
        count += 1
    return replace(block, lines=block.lines[:count]) if count else None


def _length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
