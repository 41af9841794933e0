"""One tenant's drift: what differs, why, who did it; and on request the live values into the tenant's own files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tapctl.cli.session import RunOptions, Session
from tapctl.errors import ExitCode, Finding, TapctlError
from tapctl.insight.attribution import Attributions, attributed, read_attributions, subjects
from tapctl.insight.drift import Base, DriftJudge, Judged, tree_path
from tapctl.model.desired import Tenant
from tapctl.model.live import LiveTenant
from tapctl.model.plan import Change, TenantPlan
from tapctl.reconcile import summary
from tapctl.reconcile.planner import Planned
from tapctl.rules.rule import locate

if TYPE_CHECKING:
    from tapctl.accept.propose import Accepted, Proposal, Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What one look at the tenant showed."""

    live: LiveTenant
    planned: Planned
    judged: tuple[Judged, ...]


class DriftSession(Session):
    """A session that only reads.

    Args:
        base: the desired state that was applied last, where one was asked for.
        remarks: findings about the base.
    """

    def __init__(
        self,
        tenant: Tenant,
        findings: Sequence[Finding],
        run_options: RunOptions,
        *,
        base: Base | None,
        remarks: Sequence[Finding] = (),
    ) -> None:
        super().__init__(tenant, (*findings, *remarks), run_options, writable=False)
        self._base = base
        self._observed: Observed | None = None

    async def _plan(self) -> TenantPlan:
        client = await self._connect()
        plan = await self._look()
        if self._observed is None or not plan.changes:
            return plan
        from tapctl.graph.reading import run_readings

        changes = {item.change.address: item.change for item in self._observed.judged}
        sought = subjects(self._observed.planned.drafts, changes)
        (who,) = await run_readings(client, [read_attributions(sought, self._now)])
        return self._with_attributions(plan, who)

    async def _look(self) -> TenantPlan:
        """Read, compare and tell the reasons."""
        self._observed = None
        live = await self._read(self.tenant)
        problems = live.problems()
        if problems:
            return summary.unknown(self.tenant, problems, self._offline, self.usage)
        planned = await self._plan_live(live)
        findings = (*self._offline, *planned.findings, *self._judged(planned, live))
        if summary.blocking(findings):
            return summary.refused(self.tenant, findings, self.usage)
        judge = DriftJudge(self.tenant, self._base, self._now.date())
        judged = tuple(judge.judge(draft.change) for draft in planned.drafts)
        self._observed = Observed(live=live, planned=planned, judged=judged)
        return TenantPlan(
            name=self.tenant.name,
            tenant_id=self.tenant.id,
            cloud=self.tenant.cloud,
            status="changes" if judged else "clean",
            changes=tuple(item.change for item in judged),
            findings=findings,
            graph=self.usage,
        )

    def _with_attributions(self, plan: TenantPlan, who: Attributions) -> TenantPlan:
        changes = tuple(attributed(change, who) for change in plan.changes)
        return replace(plan, changes=changes, findings=(*plan.findings, *who.findings()), graph=self.usage)

    # Accepting

    async def accept(self, plan: TenantPlan) -> TenantPlan:
        """Write the drifted live values of the plan that `plan` has just returned into the tenant's own files.

        All or nothing: what the files would then say is loaded, judged by the rules and planned against the live
        tenant before anything is written. The result is the plan that remains.
        """
        if self._observed is None or not any(change.reason == "drift" for change in plan.changes):
            return plan
        try:
            return await self._accept(plan, self._observed)
        except TapctlError as error:
            return replace(
                plan, status="failed", exit_code=error.exit_code, error=error.message, fix=error.fix, graph=self.usage
            )

    async def _accept(self, plan: TenantPlan, observed: Observed) -> TenantPlan:
        from tapctl.accept.files import write_all
        from tapctl.accept.propose import propose
        from tapctl.accept.prove import proved

        proposal = propose(self.tenant, observed.live, observed.planned.names, observed.judged)
        if proposal.refused:
            return self._refused(plan, [self._refusal(item) for item in proposal.refused])
        edited, findings = proved(self.tenant, proposal, today=self._now.date())
        if edited is None:
            return self._refused(plan, [self._unusable(), *findings])
        following = await self._following(edited, findings)
        if following.status == "failed" or any(change.reason == "drift" for change in following.changes):
            return self._refused(plan, [self._remaining(following), *following.findings])
        changed = proposal.files.changed
        write_all(changed, proposal.files.originals)
        notes = _notes(proposal, edited, {change.address: change for change in plan.changes})
        return replace(following, findings=(*following.findings, *notes), graph=self.usage)

    async def _following(self, edited: Tenant, findings: Sequence[Finding]) -> TenantPlan:
        """The plan of the edited files, against the tenant as it is now."""
        self.tenant, self._offline = edited, tuple(findings)
        return await self._look()

    def _refused(self, plan: TenantPlan, findings: Sequence[Finding]) -> TenantPlan:
        errors = [finding for finding in findings if finding.severity == "error"]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        return replace(
            plan,
            status="failed",
            exit_code=ExitCode.REFUSED,
            error=f"nothing was written: {errors[0].message}{more}",
            fix=errors[0].fix,
            findings=tuple(dict.fromkeys((*plan.findings, *findings))),
            graph=self.usage,
        )

    def _refusal(self, item: Refused) -> Finding:
        finding = Finding(
            rule="not-acceptable",
            severity="error",
            message=f"{item.address}{f', {item.path}' if item.path else ''}: {item.message}",
            why="a tenant's drift is accepted as a whole, or not at all",
            fix=item.fix,
        )
        return locate(self.tenant, tree_path(item.address, item.path), finding)

    def _unusable(self) -> Finding:
        return Finding(
            rule="not-acceptable",
            severity="error",
            message="with the live values the tenant's file would be invalid",
            why="what is live breaks a rule or a guardrail, which accepting cannot mend",
            fix="mend the tenant: tapctl apply; or change the rule first",
        )

    def _remaining(self, following: TenantPlan) -> Finding:
        left = ", ".join(change.address for change in following.changes if change.reason == "drift")
        said = following.error or f"{left} would still differ"
        return Finding(
            rule="not-acceptable",
            severity="error",
            message=f"with the live values the next plan would not be empty: {said}",
            why="what was accepted must be what is live",
            fix="run again; if it stays, write the live values by hand",
        )


def _notes(proposal: Proposal, edited: Tenant, changes: Mapping[str, Change]) -> Iterable[Finding]:
    """What was written, each at its new place."""
    for item in proposal.accepted:
        yield _note(edited, item, changes[item.address])
    for group_id, key in proposal.declared.items():
        message = f"declared the external group {key} (id {group_id}), which a live list names"
        yield locate(edited, ("groups", key), Finding(rule="accepted", severity="info", message=message))


def _note(edited: Tenant, item: Accepted, change: Change) -> Finding:
    by = f", changed by {change.by.who} at {change.by.when}" if change.by is not None else ""
    message = f"{item.address}, {item.path}: wrote the live value into {item.file}{by}"
    return locate(
        edited, tree_path(item.address, item.path), Finding(rule="accepted", severity="info", message=message)
    )
