"""`tapctl rollback`: the way back from an apply."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tapctl.cli import options
from tapctl.cli.session import RunOptions, Session
from tapctl.errors import RefusedError, RemoteError, TapctlError, UsageError
from tapctl.model.desired import Tenant
from tapctl.model.live import LiveTenant
from tapctl.model.plan import TenantPlan
from tapctl.reconcile.past_run import Run, read_journal
from tapctl.reconcile.planner import Planned
from tapctl.reconcile.rollback import Declarations, plan_back, tenant_applied, tenant_before

if TYPE_CHECKING:
    from tapctl.model.desired import Guardrails
    from tapctl.output.render import PlanFormat


@click.command(epilog="Example: tapctl rollback .tapctl/runs/20261122T072900.000000Z-contoso.jsonl")
@click.argument("journal_file", metavar="JOURNAL")
@options.selection_options
@options.format_option("text", "json", "markdown")
@click.option("--yes", is_flag=True, help="Do not ask.")
@options.override_options
@click.option("--journal", metavar="FILE", help="Where to write the journal of the way back (default: .tapctl/runs/).")
@options.graph_options
@options.common_options
def rollback(
    journal_file: str,
    paths: tuple[str, ...],
    names: tuple[str, ...],
    labels: tuple[str, ...],
    output_format: PlanFormat,
    yes: bool,
    overrides: tuple[str, ...],
    reason: str | None,
    guardrails_file: str | None,
    journal: str | None,
    timeout_seconds: float | None,
    no_color: bool,
    log_level: str,
    log_format: str,
) -> int:
    """Plan, ask, and apply the way back from an apply: only fields that still hold what that apply wrote.

    What that apply created is removed only with --override delete; what it deleted cannot be restored. The tenant's
    file says how to sign in.
    """
    from tapctl.cli import fleet
    from tapctl.cli.plan import outside_guardrails
    from tapctl.output.render import render_plan

    started = time.monotonic()
    options.configure_logging(log_level, log_format)
    if not yes and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("rollback asks before it changes anything, and there is no terminal", fix="add --yes")
    run_options = RunOptions(
        overrides=options.overrides(overrides, reason), reason=reason, timeout_seconds=timeout_seconds
    )
    run = read_journal(Path(journal_file), names)
    tenant = _tenant(run, options.selection(paths, names, labels), outside_guardrails(guardrails_file))
    color = options.wants_color(no_color=no_color)

    def shown(plan: TenantPlan, style: PlanFormat) -> str:
        document, seconds = fleet.document([plan], "rollback"), time.monotonic() - started
        return render_plan(document, style, color=color, seconds=seconds)

    def ask(plan: TenantPlan) -> bool:
        click.echo(shown(plan, "text"), nl=False, err=output_format != "text")
        return yes or click.confirm("Apply the way back?", err=output_format != "text")

    result = _go_back(run, tenant, run_options, ask, journal)
    click.echo(shown(result, output_format), nl=False)
    return fleet.exit_code([result])


def _tenant(run: Run, selection: options.Selection, outside: Guardrails | None) -> Tenant:
    """The tenant that the journal is of, as its file declares it now."""
    from tapctl.cli.checked import check

    checked = check(selection, outside)
    for tenant, _ in checked.tenants:
        if tenant.id == run.tenant_id and tenant.cloud == run.cloud:
            return tenant
    raise RefusedError(
        f"the journal is of tenant {run.name} (id {run.tenant_id}, cloud {run.cloud}), and no valid selected file is",
        fix="name the file of that tenant, and see `tapctl validate`",
    )


def _go_back(
    run: Run, tenant: Tenant, run_options: RunOptions, ask: Callable[[TenantPlan], bool], journal: str | None
) -> TenantPlan:
    from tapctl.cli.fleet import side_by_side
    from tapctl.config.source import repository_of
    from tapctl.reconcile.journal import default_path

    with asyncio.Runner() as runner:
        session = RollbackSession(run, tenant, run_options)
        try:
            (plan,) = runner.run(side_by_side([session.plan_or_interrupted()]))
            if plan.status != "changes":
                return plan
            # An approval is for `tapctl apply`, which would not make this plan.
            plan = replace(plan, approval=None)
            if not ask(plan):
                raise TapctlError("nothing was applied: the answer was not yes")
            path = Path(journal) if journal else default_path(repository_of(Path.cwd()), tenant.name, datetime.now(UTC))
            return runner.run(side_by_side([session.apply(plan, path)]))[0]
        finally:
            runner.run(session.close())


class RollbackSession(Session):
    """A session whose desired state is what the journal says was there before."""

    def __init__(self, run: Run, tenant: Tenant, run_options: RunOptions) -> None:
        self._run = run
        self._file = tenant
        self._remove = "delete" in run_options.overrides
        super().__init__(tenant_before(run, tenant, remove=self._remove), (), run_options, writable=True)

    async def _plan_live(self, live: LiveTenant) -> Planned:
        applied = tenant_applied(self._run, self.tenant)
        applied_live = await self._read(applied)
        problems = applied_live.problems()
        if problems:
            raise RemoteError(problems[0].describe(), fix=problems[0].advice())
        declared = Declarations(
            file=self._file, before=self.tenant, before_live=live, applied=applied, applied_live=applied_live
        )
        self.tenant, planned = plan_back(self._run, declared, self._now.date(), remove=self._remove)
        return planned
