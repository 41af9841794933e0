"""Collecting findings: each with its source line, without the parts that must not be shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from tapctl.config.nodes import ListNode, MapNode, Node, ScalarNode, Span
from tapctl.config.secrets import HIDDEN, lines_without_secrets
from tapctl.config.words import printable
from tapctl.errors import Finding, Position, Severity

LINE_LENGTH = 300
"""The most characters of a source line in an excerpt."""
MOST_FINDINGS = 300
"""The most findings to show for one tenant; a file with more is not a tenant file."""


class Sources:
    """The lines of every file that was read, by `Position.file`, fit to be shown."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}

    def add(self, file: str, lines: Iterable[str]) -> None:
        self._lines[file] = [printable(line) for line in lines_without_secrets(line[:LINE_LENGTH] for line in lines)]

    def hide(self, node: Node) -> None:
        """Cuts a value, with all that follows on its lines, out of every excerpt."""
        if isinstance(node, ListNode):
            for item in node.items:
                self.hide(item)
        elif isinstance(node, MapNode):
            for entry in node.entries.values():
                self.hide(entry.node)
        else:
            self._hide_scalar(node)

    def _hide_scalar(self, node: ScalarNode) -> None:
        position = node.span.position
        lines = self._lines.get(position.file, [])
        if node.text and position.line <= len(lines):
            before = lines[position.line - 1][: position.column - 1]
            if len(before) == position.column - 1:  # otherwise the line is cut already
                lines[position.line - 1] = before + HIDDEN
            for number in range(position.line, min(node.last_line, len(lines))):
                lines[number] = HIDDEN

    def excerpt(self, position: Position) -> str:
        lines = self._lines.get(position.file, ())
        return lines[position.line - 1] if 0 < position.line <= len(lines) else ""

    def lines(self, files: Iterable[str]) -> dict[str, tuple[str, ...]]:
        return {file: tuple(self._lines[file]) for file in files if file in self._lines}


class Problems:
    """The findings of one tenant, in the order in which they were met."""

    def __init__(self) -> None:
        self._findings: list[Finding] = []
        self.has_errors = False
        self.is_incomplete = False
        """A file could not be read: what is missing may be missing because of that."""

    def add(
        self,
        rule: str,
        message: str,
        span: Span,
        *,
        severity: Severity = "error",
        why: str = "",
        fix: str = "",
        related: tuple[tuple[str, Position], ...] = (),
    ) -> None:
        finding = Finding(
            rule=rule,
            severity=severity,
            message=message,
            why=why,
            fix=fix,
            position=span.position,
            width=span.width,
            related=related,
        )
        self.extend((finding,))

    @property
    def is_full(self) -> bool:
        """Whether further findings will not be shown: no words need be found for them."""
        return len(self._findings) >= MOST_FINDINGS

    def extend(self, findings: Iterable[Finding]) -> None:
        for finding in findings:
            self.has_errors = self.has_errors or finding.severity == "error"
            if len(self._findings) < MOST_FINDINGS:
                self._findings.append(finding)

    @property
    def unclear(self) -> set[Position]:
        """Where it is not known what the files mean to say: a group that does not exist."""
        return self._places_of(lambda rule: rule in ("unknown-group", "refers-to-absent", "invalid-value"))

    @property
    def unread(self) -> set[Position]:
        """Where the value itself is not known: a key that is given twice."""
        return self._places_of(lambda rule: rule == "duplicate-key" or rule.startswith("yaml-"))

    def _places_of(self, is_meant: Callable[[str], bool]) -> set[Position]:
        errors = [finding for finding in self._findings if finding.severity == "error" and is_meant(finding.rule)]
        places = [place for finding in errors for place in (finding.position, *(other for _, other in finding.related))]
        return {place for place in places if place is not None}

    def findings(self, sources: Sources) -> tuple[Finding, ...]:
        """Every finding once, in the order of the files, with its source line."""
        return ordered(with_excerpt(finding, sources) for finding in self._findings)


def with_excerpt(finding: Finding, sources: Sources) -> Finding:
    """The finding with its source line; the width ends where the line does."""
    if finding.position is None:
        return finding
    excerpt = sources.excerpt(finding.position)
    room = len(excerpt) - finding.position.column + 1
    return replace(finding, excerpt=excerpt, width=max(1, min(finding.width, room)))


def ordered(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings by file, line and column, each once: tenants that share a baseline share its problems."""
    return tuple(sorted(dict.fromkeys(findings), key=_sort_key))


def _sort_key(finding: Finding) -> tuple[str, int, int, str, str]:
    position = finding.position
    if position is None:
        return "", 0, 0, finding.rule, finding.message
    return position.file, position.line, position.column, finding.rule, finding.message
