"""What goes wrong and how it is said: exit codes, positions, findings and the one exception tree.

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
    """Failed in a way that may pass when run again, or unknown."""
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
"""Over many tenants the first of these that any tenant ended with."""

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
    """One problem, said so that it can be mended: where, what, why, and what to write instead."""

    rule: str
    """A rule id of the catalogue (TAP001) or a slug (yaml-syntax, unknown-key, unresolved-name)."""
    severity: Severity
    message: str
    """What is wrong, one sentence, no trailing full stop. Never quotes a secret."""
    why: str = ""
    fix: str = ""
    """What to write instead."""
    position: Position | None = None
    excerpt: str = ""
    """The source line itself."""
    width: int = 1
    """How many columns of the excerpt are meant."""
    related: tuple[tuple[str, Position], ...] = ()
    """Other places that the message speaks of, with a word on each."""
    suppressed: bool = False
    suppress_reason: str = ""


class TapctlError(Exception):
    """Base of every error that tapctl raises on purpose; `exit_code` is what the process ends with."""

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


class UsageError(TapctlError):
    exit_code = ExitCode.USAGE


class ConfigurationError(TapctlError):
    """The files cannot be used; `findings` holds every problem of every file."""

    exit_code = ExitCode.REFUSED

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        first = findings[0]
        place = f"{first.position}: " if first.position is not None else ""
        more = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        super().__init__(f"{place}{first.message}{more}", fix=first.fix)
        self.findings = findings


class RefusedError(TapctlError):
    exit_code = ExitCode.REFUSED


class OutdatedError(TapctlError):
    exit_code = ExitCode.OUTDATED


class RemoteError(TapctlError):
    exit_code = ExitCode.FAILED
