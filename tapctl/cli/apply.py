"""`tapctl apply`: plans, asks, applies, verifies."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tapctl.cli import options
from tapctl.errors import ExitCode, TapctlError, UsageError
from tapctl.model.plan import PlanDocument, TenantPlan

if TYPE_CHECKING:
    from tapctl.cli.checked import Checked
    from tapctl.cli.fleet import Fleet
    from tapctl.cli.session import RunOptions, Session
    from tapctl.output.render import PlanFormat
    from tapctl.reconcile.approval import Approval


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """On what ground changes may be made."""

    yes: bool = False
    saved: PlanDocument | None = None
    approvals: Mapping[str, Approval] = field(default_factory=dict)
    """By tenant name."""
    only_lapsed: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The tenants that approvals or the saved plan speak of."""
        saved = (plan.name for plan in self.saved.tenants) if self.saved is not None else ()
        return (*self.approvals, *saved)

    @property
    def approved_overrides(self) -> Mapping[str, Mapping[str, str]]:
        """By tenant name, the overrides that the saved plan was approved with; guardrails are evaluated again."""
        return {plan.name: plan.overrides for plan in self.saved.tenants} if self.saved is not None else {}

    @property
    def is_given(self) -> bool:
        """Whether nobody needs to be asked."""
        return self.yes or self.only_lapsed or self.saved is not None or bool(self.approvals)


@click.command(epilog="Example: tapctl apply tenants/contoso.yaml --yes")
@options.selection_options
@options.format_option("text", "json", "markdown")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--plan", "plan_file", metavar="FILE", help="Apply only what this saved plan holds.")
@click.option("--approve", "approvals", multiple=True, metavar="APPROVAL", help="Apply only what was approved.")
@click.option("--only", type=click.Choice(["lapsed"]), help="Only take out entries whose day has passed.")
@options.override_options
@click.option("--journal", metavar="FILE", help="Where to write the journal (default: .tapctl/runs/).")
@options.graph_options
@options.common_options
def apply(
    paths: tuple[str, ...],
    names: tuple[str, ...],
    labels: tuple[str, ...],
    output_format: PlanFormat,
    yes: bool,
    plan_file: str | None,
    approvals: tuple[str, ...],
    only: str | None,
    overrides: tuple[str, ...],
    reason: str | None,
    guardrails_file: str | None,
    journal: str | None,
    timeout_seconds: float | None,
    no_color: bool,
    log_level: str,
    log_format: str,
) -> int:
    """Plan, ask, make only the changes that are needed, and verify them by reading back."""
    from tapctl.cli import fleet
    from tapctl.cli.checked import check
    from tapctl.cli.plan import outside_guardrails
    from tapctl.cli.session import RunOptions
    from tapctl.output.render import render_plan

    started = time.monotonic()
    options.configure_logging(log_level, log_format)
    consent = _consent(yes=yes, plan_file=plan_file, approvals=approvals, only=only)
    if not consent.is_given and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "apply asks before it changes anything, and there is no terminal",
            fix="give --approve APPROVAL or --plan FILE for what was reviewed; --yes applies without review",
        )
    run_options = RunOptions(
        overrides=options.overrides(overrides, reason),
        only_lapsed=consent.only_lapsed,
        reason=reason,
        timeout_seconds=timeout_seconds,
    )
    chosen = options.selection(paths, names, labels)
    if not chosen.names:
        # What was approved names its tenants; the others are none of this run's business.
        chosen = chosen._replace(names=consent.names)
    checked = check(chosen, outside_guardrails(guardrails_file))
    color = options.wants_color(no_color=no_color)

    def ask(plans: Sequence[TenantPlan]) -> bool:
        shown = render_plan(fleet.document(plans), "text", color=color, seconds=time.monotonic() - started)
        click.echo(shown, nl=False, err=output_format != "text")
        return click.confirm("Apply these changes?", err=output_format != "text")

    results = _run(checked, run_options, consent, ask, journal)
    document = fleet.document(results, "apply", only_lapsed=consent.only_lapsed)
    seconds = time.monotonic() - started
    click.echo(render_plan(document, output_format, color=color, seconds=seconds), nl=False)
    return fleet.exit_code(results)


def _consent(*, yes: bool, plan_file: str | None, approvals: Sequence[str], only: str | None) -> Consent:
    from tapctl.cli.show import read_plan
    from tapctl.reconcile.approval import parse

    if plan_file is not None and approvals:
        raise UsageError("--plan and --approve are two ways to say the same", fix="give one of them")
    parsed = [parse(text) for text in approvals]
    return Consent(
        yes=yes,
        saved=read_plan(plan_file) if plan_file is not None else None,
        approvals={approval.name: approval for approval in parsed},
        only_lapsed=only == "lapsed",
    )


def _run(
    checked: Checked,
    run_options: RunOptions,
    consent: Consent,
    ask: Callable[[Sequence[TenantPlan]], bool],
    journal: str | None,
) -> list[TenantPlan]:
    from tapctl.cli.fleet import Fleet

    # The question is asked outside the event loop, where Ctrl-C ends it at once.
    with asyncio.Runner() as runner:
        fleet = Fleet(checked, run_options, writable=True, overrides=consent.approved_overrides)
        try:
            plans = [_consented(plan, fleet.sessions.get(plan.name), consent) for plan in runner.run(fleet.plan())]
            waiting = [plan for plan in plans if plan.status == "changes"]
            if waiting and not consent.is_given:
                if not ask(plans):
                    raise TapctlError("nothing was applied: the answer was not yes")
                # The answer is consent to the plan that was shown; it may come much later.
                shown = {plan.name: plan for plan in plans}
                plans = [_as_shown(plan, shown[plan.name]) for plan in runner.run(fleet.plan())]
            return runner.run(_apply_all(fleet, plans, journal))
        finally:
            runner.run(fleet.close())


def _as_shown(plan: TenantPlan, shown: TenantPlan) -> TenantPlan:
    """The plan after the question, or a refusal when it is no longer the plan that was shown."""
    from tapctl.reconcile.approval import digest

    now = datetime.now(UTC)
    if plan.status != "changes" or digest(plan, now) == digest(shown, now):
        return plan
    return replace(
        plan,
        status="failed",
        exit_code=ExitCode.OUTDATED,
        error="the tenant has changed while the question was open",
        fix="apply again, and check the new plan",
        approval=None,
    )


def _consented(plan: TenantPlan, session: Session | None, consent: Consent) -> TenantPlan:
    """The plan, or why it is not what was approved."""
    if session is None or plan.status != "changes":
        return plan
    try:
        _check(plan, session, consent)
    except TapctlError as error:
        return replace(
            plan, status="failed", exit_code=error.exit_code, error=error.message, fix=error.fix, approval=None
        )
    return plan


def _check(plan: TenantPlan, session: Session, consent: Consent) -> None:
    from tapctl.errors import OutdatedError
    from tapctl.reconcile.approval import check_age, check_approval, check_saved

    now, max_age = datetime.now(UTC), session.tenant.guardrails.approval_max_age
    if consent.approvals:
        approval = consent.approvals.get(plan.name)
        if approval is None:
            raise OutdatedError(f"no approval names tenant {plan.name}", fix="add its --approve, or leave it out")
        check_approval(approval, plan, now, max_age)
    if consent.saved is not None:
        saved = next((item for item in consent.saved.tenants if item.name == plan.name), None)
        if saved is None:
            raise OutdatedError(f"the saved plan does not hold tenant {plan.name}", fix="plan again")
        if saved.approval is None and saved.status != "clean":
            raise OutdatedError(f"the saved plan of {plan.name} could not be approved: it is {saved.status}")
        check_age(consent.saved.created_at, now, max_age, "the saved plan")
        check_saved(saved, plan)


async def _apply_all(fleet: Fleet, plans: Sequence[TenantPlan], journal: str | None) -> list[TenantPlan]:
    from tapctl.cli.fleet import side_by_side
    from tapctl.config.source import repository_of, to_display_path
    from tapctl.reconcile.journal import default_path

    root, now = repository_of(Path.cwd()), datetime.now(UTC)

    async def one(plan: TenantPlan) -> TenantPlan:
        session = fleet.sessions.get(plan.name)
        if session is None or plan.status != "changes":
            return plan
        path = Path(journal) if journal is not None else default_path(root, plan.name, now)
        return await session.apply(plan, Path(to_display_path(path)))

    return await side_by_side([one(plan) for plan in plans])
