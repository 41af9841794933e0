"""Findings as text, for cases whose expected diagnostics stand in files."""

from __future__ import annotations

from collections.abc import Iterable

from tapctl.errors import Finding


def render(findings: Iterable[Finding]) -> str:
    """Every part of every finding, one below the other."""
    return "\n".join(_one(finding) for finding in findings)


def _one(finding: Finding) -> str:
    lines = [f"{finding.position}: {finding.severity}[{finding.rule}]: {finding.message}"]
    if finding.excerpt and finding.position:
        number = f"{finding.position.line:>4}"
        lines.append(f"{number} | {finding.excerpt}".rstrip())
        lines.append(f"{' ' * len(number)} | {' ' * (finding.position.column - 1)}{'^' * finding.width}")
    if finding.why:
        lines.append(f"  why: {finding.why}")
    if finding.fix:
        lines.append(f"  fix: {finding.fix}")
    lines.extend(f"  {word}: {position}" for word, position in finding.related)
    return "\n".join(lines) + "\n"
