"""What a rule is: data for people beside one small function for the machine."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal, NamedTuple, TypeAlias

from tapctl.errors import Finding, Position, Severity
from tapctl.model.desired import Path, Tenant

Mode = Literal["off", "live", "plan"]
"""What a rule has to know: the files alone (off), reads of the live tenant (live), or the planned changes (plan)."""

Evidence = Literal["D", "B", "C", "I", "K"]
"""D documented by Microsoft, B benchmark source, C field report, I inferred from those, K unverified."""

Check: TypeAlias = Callable[[Tenant], Iterator[Finding]]

_TOKEN = re.compile(r"\{[^{}]*\}?|\"[^\"]*\"?|'[^']*'?|[^\s,\[\]{}#:]+")


class Rule(NamedTuple):
    """One rule of the catalogue."""

    id: str
    severity: Severity
    """The severity of a finding unless the rule says otherwise (see `variants`)."""
    modes: tuple[Mode, ...]
    condition: str
    """When it fires, one sentence without a full stop."""
    why: str
    fix: str
    sources: tuple[str, ...]
    """Keys of `catalogue.SOURCES`."""
    evidence: tuple[Evidence, ...]
    coverage: str
    """What tapctl checks of it, and what it does not claim."""
    variants: str = ""
    """Where a finding is graver or milder than `severity`."""
    check: Check | None = None
    """The half that needs the files alone; None where there is none, or the schema does it."""
    is_suppressible: bool = True
    """False where Graph would refuse the value anyway: no reason makes it acceptable."""

    @property
    def is_judged_offline(self) -> bool:
        """Whether the files alone tell that the rule finds nothing."""
        return self.modes == ("off",)

    def finding(
        self,
        tenant: Tenant,
        path: Path,
        message: str,
        *,
        severity: Severity | None = None,
        fix: str | None = None,
        related: tuple[tuple[str, Path], ...] = (),
    ) -> Finding:
        """A finding of this rule at a place of the tenant; `related` are other places, each with a short label."""
        places = [(word, tenant.position(*other)) for word, other in related]
        return locate(
            tenant,
            path,
            Finding(
                rule=self.id,
                severity=severity or self.severity,
                message=message,
                why=self.why,
                fix=self.fix if fix is None else fix,
                related=tuple((word, position) for word, position in places if position is not None),
            ),
        )


def locate(tenant: Tenant, path: Path, finding: Finding) -> Finding:
    """The finding with position, source line and width of the place that `path` names."""
    return locate_at(tenant, tenant.position(*path), finding)


def locate_at(tenant: Tenant, position: Position | None, finding: Finding) -> Finding:
    """The finding with the source line and width of a known position."""
    excerpt = tenant.excerpt(position)
    token = _TOKEN.match(excerpt, position.column - 1) if position else None
    return replace(finding, position=position, excerpt=excerpt, width=len(token.group()) if token else 1)
