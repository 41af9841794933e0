"""One tenant's run: sign in, read, plan, and after consent apply. Brings the layers together and decides nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tapctl import __version__
from tapctl.errors import ExitCode, Finding, TapctlError
from tapctl.insight.impact import assess
from tapctl.model.desired import Authentication, Tenant
from tapctl.model.live import Found, LiveTenant
from tapctl.model.plan import GraphUsage, Impact, TenantPlan, Violation
from tapctl.reconcile import guardrails, summary
from tapctl.reconcile.planner import Planned, plan_tenant
from tapctl.reconcile.read import read_tenant

if TYPE_CHECKING:
    from tapctl.graph.client import GraphClient
    from tapctl.graph.tokens import TokenFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """What the command line asks of every tenant alike."""

    overrides: Mapping[str, str] = field(default_factory=dict)
    """Guardrail rule to reason."""
    only_lapsed: bool = False
    impact: str = "count"
    conflicts: bool = False
    """Look for settings that other live profiles give other values."""
    reason: str | None = None
    timeout_seconds: float | None = None


def _ids_of(facts: TokenFacts | None) -> frozenset[str]:
    """Who is signed in, as far as the token says."""
    named = {facts.application_id.lower(), facts.object_id.lower()} if facts is not None else set()
    return frozenset(named - {""})


class Session:
    """A tenant from its files to its result. The creator must close it."""

    def __init__(self, tenant: Tenant, findings: Sequence[Finding], run_options: RunOptions, *, writable: bool) -> None:
        self.tenant = tenant
        self._offline = tuple(findings)
        self._options = run_options
        self._writable = writable
        self._stack = AsyncExitStack()
        self._client: GraphClient | None = None
        self._planned: Planned | None = None
        self._now = datetime.now(UTC)

    async def close(self) -> None:
        """Close the session's client."""
        await self._stack.aclose()

    @property
    def usage(self) -> GraphUsage:
        return self._client.usage() if self._client is not None else GraphUsage()

    async def plan(self) -> TenantPlan:
        """Plan the tenant; any error is in the plan's status and error."""
        if summary.blocking(self._offline):
            return summary.refused(self.tenant, self._offline)
        try:
            return await self._plan()
        except TapctlError as error:
            return summary.failed(self.tenant, error, self.usage)

    async def plan_or_interrupted(self) -> TenantPlan:
        """Plan the tenant; a run that is interrupted meanwhile says so in its result."""
        try:
            return await self.plan()
        except asyncio.CancelledError:
            return self.interrupted()

    async def _plan(self) -> TenantPlan:
        client = await self._connect()
        live = await self._read(self.tenant)
        problems = live.problems()
        if problems:
            return summary.unknown(self.tenant, problems, self._offline, self.usage)
        planned = await self._plan_live(live)
        conflicts = await self._conflicts(client, planned, live) if self._options.conflicts else ()
        findings = (*self._offline, *planned.findings, *self._judged(planned, live), *conflicts)
        if summary.blocking(findings):
            return summary.refused(self.tenant, findings, self.usage)
        self._planned = planned
        assessment = await assess(client, self.tenant, planned, live, mode=self._options.impact)
        violations = self._violations(planned, assessment.impact)
        if self._options.impact == "count" and any(
            item.rule == "impact" and not item.overridden for item in violations
        ):
            # A bound may be beyond a limit that the figure itself keeps.
            assessment = await assess(client, self.tenant, planned, live, mode="exact")
            violations = self._violations(planned, assessment.impact)
        return summary.reviewed(
            self.tenant,
            planned,
            findings=(*findings, *assessment.findings(self.tenant.guardrails.impact)),
            impact=assessment.impact,
            violations=violations,
            overrides=self._options.overrides,
            usage=self.usage,
            now=self._now,
        )

    def _violations(self, planned: Planned, impact: Impact) -> Sequence[Violation]:
        if self._options.only_lapsed:
            return ()
        return guardrails.evaluate(self.tenant, planned, impact, self._options.overrides)

    async def _conflicts(self, client: GraphClient, planned: Planned, live: LiveTenant) -> tuple[Finding, ...]:
        from tapctl.insight.conflicts import find_conflicts
        from tapctl.rules.suppressions import apply_suppressions

        found = await find_conflicts(client, self.tenant, live, planned)
        return tuple(apply_suppressions(self.tenant, found, today=self._now.date()))

    async def _read(self, tenant: Tenant) -> LiveTenant:
        from tapctl.graph.reading import run_readings

        if self._client is None:
            raise AssertionError("reading comes after signing in")
        (live,) = await run_readings(self._client, [read_tenant(tenant)])
        return live

    async def _plan_live(self, live: LiveTenant) -> Planned:
        return plan_tenant(self.tenant, live, self._now.date(), only_lapsed=self._options.only_lapsed)

    async def apply(self, plan: TenantPlan, journal_path: Path) -> TenantPlan:
        """Carry out the plan that `plan` has just returned."""
        from tapctl.graph.clock import SystemClock
        from tapctl.reconcile.applier import Applier
        from tapctl.reconcile.journal import Journal

        if self._planned is None or self._client is None:
            raise AssertionError("apply comes after plan")
        applier: Applier | None = None
        try:
            with Journal(journal_path) as journal:
                journal.begin(
                    self.tenant,
                    overrides=plan.overrides,
                    groups=self._planned.names.group_ids,
                    version=__version__,
                )
                applier = Applier(
                    tenant=self.tenant,
                    remote=self._client,
                    journal=journal,
                    time=SystemClock(),
                    today=self._now.date(),
                    graph_root=f"{self._client.graph_root}/v1.0",
                    only_lapsed=self._options.only_lapsed,
                    reason=self._options.reason,
                    own_ids=_ids_of(self._client.token_facts),
                    remaining=self._client.remaining_seconds,
                )
                with self._client.at_work():
                    changes = await applier.apply(self._planned)
        except asyncio.CancelledError:
            done = applier.so_far() if applier is not None else plan.changes
            return summary.interrupted(plan, done, str(journal_path), self.usage)
        except TapctlError as error:
            return replace(
                plan,
                status="partial" if applier is not None else "failed",
                changes=applier.so_far() if applier is not None else plan.changes,
                exit_code=error.exit_code,
                error=error.message,
                fix=error.fix,
                approval=None,
                journal=str(journal_path),
                graph=self.usage,
            )
        return summary.applied(plan, changes, str(journal_path), self.usage)

    def interrupted(self) -> TenantPlan:
        """The result of a run that was interrupted before anything was applied."""
        return replace(
            summary.failed(self.tenant, TapctlError("interrupted; nothing was written"), self.usage),
            exit_code=ExitCode.INTERRUPTED,
        )

    async def _connect(self) -> GraphClient:
        from tapctl.graph.connect import connect

        if self._client is not None:
            return self._client
        client = connect(
            self.tenant,
            writable=self._writable,
            authentication=self._identity(),
            timeout_seconds=self._options.timeout_seconds,
        )
        self._client = await self._stack.enter_async_context(client)
        await client.authenticate()
        return client

    def _identity(self) -> Authentication:
        """Plan may sign in with fewer permissions than apply."""
        read_only = None if self._writable else self.tenant.plan_auth
        return read_only or self.tenant.auth

    def _judged(self, planned: Planned, live: LiveTenant) -> tuple[Finding, ...]:
        """The rules' findings on the plan and on the live objects it depends on; suppressions apply to them too."""
        from tapctl.rules.changes import check_changes
        from tapctl.rules.live import GroupFacts, check_filters, check_group_types
        from tapctl.rules.suppressions import apply_suppressions

        filters = live.filters if isinstance(live.filters, tuple) else ()
        facts = {
            f"groups.{key}": GroupFacts(
                mail_enabled=seen.object.mail_enabled,
                is_microsoft_365=seen.object.is_microsoft_365,
                is_role_assignable=seen.object.role_assignable,
                security_enabled=seen.object.security_enabled,
                is_dynamic=seen.object.rule is not None,
            )
            for key, seen in live.groups.items()
            if isinstance(seen, Found)
        }
        found = (
            *check_changes(self.tenant, [draft.change for draft in planned.drafts]),
            *check_filters(self.tenant, {item.display_name: item.rule for item in filters}),
            *check_group_types(self.tenant, facts),
        )
        return tuple(apply_suppressions(self.tenant, found, today=self._now.date()))
