"""A plan as a value that people review: changes, findings, cost, and whether it may be applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from tapctl.errors import ExitCode, Finding
from tapctl.model.values import JSONValue, Value

Action = Literal["create", "update", "delete"]
Status = Literal["clean", "changes", "denied", "failed", "applied", "waiting", "partial"]
OutcomeName = Literal["applied", "waiting", "unverified", "failed", "skipped"]

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChange:
    """One field: its YAML path below the address, and its canonical value before and after."""

    path: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The result of a change in an apply."""

    name: OutcomeName
    message: str = ""
    """The reason, unless applied. May quote Graph's message; never a secret."""
    fix: str = ""
    needs_edit: bool = False
    """Running again does not help: first somebody must edit, override or give a reason (exit 3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Who changed a live value, and when, according to the audit logs."""

    who: str
    when: str
    """ISO 8601, UTC."""
    via: str
    """The application that was used, where the log names it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The planned change of one object."""

    address: str
    """temporaryAccessPass, groups.KEY or webSignIn.KEY."""
    action: Action
    title: str = ""
    """The object's display name, for people. Untrusted text."""
    fields: tuple[FieldChange, ...] = ()
    """Sorted by path; for a create `before` is None, for a delete `after` is."""
    widens: bool = False
    """Somebody may gain the ability through this change."""
    irreversible: bool = False
    """Graph cannot undo it (a deleted object can only be created again with another id)."""
    reason: str | None = None
    """For people, not for decisions: lapsed, pending, drift, or a sentence."""
    notes: tuple[str, ...] = ()
    """For people: for example, how many unmodelled settings or members of other kinds are kept."""
    depends_on: tuple[str, ...] = ()
    """Addresses whose changes must be applied and read back before this change."""
    outcome: Outcome | None = None
    by: Attribution | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ImpactCount:
    """How many gain or lose the ability; `count` is None when unknown."""

    count: int | None = None
    certainty: Literal["exact", "upper-bound", "unknown"] = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    users_gaining: ImpactCount = ImpactCount()
    users_losing: ImpactCount = ImpactCount()
    devices_gaining: ImpactCount = ImpactCount()
    devices_losing: ImpactCount = ImpactCount()


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A guardrail that the plan violates."""

    rule: str
    """delete, widen, enable, members, impact, break-glass."""
    message: str
    address: str | None = None
    overridden: bool = False
    reason: str | None = None
    """The text of --reason when overridden."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphUsage:
    """The cost of a run. Signing in is not counted."""

    requests: int = 0
    """Batch parts and requests sent alone, repeats counted, envelopes not."""
    calls: int = 0
    """HTTP exchanges with Graph."""
    round_trips: int = 0
    """The longest chain of calls, each begun after another had ended."""
    throttled: int = 0
    """429 answers, parts included."""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantPlan:
    """The plan of one tenant, or, after an apply, the result."""

    name: str
    tenant_id: str
    cloud: str
    status: Status
    exit_code: ExitCode = ExitCode.DONE
    """The exit code for this tenant alone, not counting changes, which only some commands count."""
    error: str | None = None
    fix: str = ""
    changes: tuple[Change, ...] = ()
    """In the order of the apply."""
    findings: tuple[Finding, ...] = ()
    impact: Impact | None = None
    guardrails: tuple[Violation, ...] = ()
    overrides: Mapping[str, str] = field(default_factory=dict)
    """Guardrail rule to the reason given for overriding it."""
    approval: str | None = None
    definitions: Mapping[str, JSONValue] = field(default_factory=dict)
    """The live definitions that the changes depend on: ids, filter rules, dynamic rules; part of the approval."""
    journal: str | None = None
    """After an apply: the journal's path."""
    graph: GraphUsage = GraphUsage()

    @property
    def is_sandbox(self) -> bool:
        return self.cloud == "sandbox"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDocument:
    """What `plan` and `apply` print and `plan --out` saves."""

    created_at: datetime
    """Timezone-aware, UTC, whole seconds."""
    tapctl_version: str
    tenants: tuple[TenantPlan, ...]
    command: Literal["plan", "apply", "drift", "rollback"] = "plan"
    only_lapsed: bool = False
    """Whether the plan contains only removals of lapsed entries; there may be other changes."""
    error: str | None = None
    """Why no tenant could be planned."""
    fix: str = ""
    format_version: int = FORMAT_VERSION
