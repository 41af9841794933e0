"""Errors and how they are reported: exit codes, positions, findings and the one exception tree.

TapctlError
├── UsageError            wrong command line (64)
├── ConfigurationError    findings in the files, all of them at once (3)
├── RefusedError          somebody must edit or override (3)
├── OutdatedError         an approved plan no longer fits (4)
└── RemoteError           Graph, network or credentials; may pass when run again (1)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Literal, NamedTuple


class ExitCode(IntEnum):
    """The exit codes of every command; pipelines branch on them."""

    DONE = 0
    FAILED = 1
    """Failed in a way that a later run may not, or the result is unknown."""
    CHANGES = 2
    """Changes or drift are present, or an apply waits for multi-admin approval."""
    REFUSED = 3
    """Somebody must edit or override."""
    OUTDATED = 4
    """The approved plan no longer fits."""
    USAGE = 64
    INTERRUPTED = 130


EXIT_PRECEDENCE = (
    ExitCode.INTERRUPTED,
    ExitCode.FAILED,
    ExitCode.OUTDATED,
    ExitCode.REFUSED,
    ExitCode.CHANGES,
    ExitCode.DONE,
)
"""With many tenants, the exit code is the first of these that any tenant has."""

Severity = Literal["error", "warning", "info"]


class Position(NamedTuple):
    """A place in a file: a path as the user would type it, line and column counted from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One problem, with what is needed to fix it: where, what, why, and what to write instead."""

    rule: str
    """A rule id of the catalogue (TAP001) or a slug (yaml-syntax, unknown-key, unresolved-name)."""
    severity: Severity
    message: str
    """What is wrong, in one sentence without a final full stop. Never quotes a secret."""
    why: str = ""
    fix: str = ""
    """What to write instead."""
    position: Position | None = None
    excerpt: str = ""
    """The source line itself."""
    width: int = 1
    """How many columns of the excerpt to underline."""
    related: tuple[tuple[str, Position], ...] = ()
    """Other places that the message mentions, each with a short label."""
    suppressed: bool = False
    suppress_reason: str = ""


class TapctlError(Exception):
    """Base of every error that tapctl raises on purpose; `exit_code` is the exit code of the process."""

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class UsageError(TapctlError):
    """The command line cannot be used: wrong options, or no tenant selected. Exit code 64."""

    exit_code = ExitCode.USAGE


class ConfigurationError(TapctlError):
    """The files cannot be used; `findings` holds every problem of every file. Exit code 3."""

    exit_code = ExitCode.REFUSED

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        first = findings[0]
        place = f"{first.position}: " if first.position is not None else ""
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        super().__init__(f"{place}{first.message}{more}", fix=first.fix)
        self.findings = findings


class RefusedError(TapctlError):
    """Running again does not help: somebody must edit a file or give an override first. Exit code 3."""

    exit_code = ExitCode.REFUSED


class OutdatedError(TapctlError):
    """An approval or a saved plan has expired, or no longer fits the tenant and the files. Exit code 4."""

    exit_code = ExitCode.OUTDATED


class RemoteError(TapctlError):
    """Graph, the network or signing in failed; a later run may succeed. Exit code 1."""

    exit_code = ExitCode.FAILED
