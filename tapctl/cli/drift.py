"""`tapctl drift`: what somebody changed behind Git's back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tapctl.cli import options
from tapctl.errors import Finding

if TYPE_CHECKING:
    from tapctl.cli.checked import Checked
    from tapctl.cli.session import RunOptions
    from tapctl.config.load import Loaded
    from tapctl.insight.drift import Base
    from tapctl.model.desired import Tenant
    from tapctl.model.plan import TenantPlan
    from tapctl.output.render import PlanFormat


@click.command(epilog="Example: tapctl drift tenants/contoso.yaml --base origin/main")
@options.selection_options
@options.format_option("text", "json", "markdown", "github")
@click.option("--base", metavar="REV", help="The Git revision that was applied last: what Git is ahead of is pending.")
@click.option("--accept", is_flag=True, help="Write the live values that drifted into the tenant's own files.")
@click.option(
    "--notify",
    "notify_to",
    metavar="URL|VARIABLE",
    help="Post a summary to this webhook when a tenant is not as declared or could not be read. "
    "An address is a secret: better name the environment variable that holds it.",
)
@click.option("--metrics", "metrics_file", metavar="FILE", help="Write Prometheus metrics to this file.")
@options.graph_options
@options.common_options
def drift(
    paths: tuple[str, ...],
    names: tuple[str, ...],
    labels: tuple[str, ...],
    output_format: PlanFormat,
    base: str | None,
    accept: bool,
    notify_to: str | None,
    metrics_file: str | None,
    timeout_seconds: float | None,
    no_color: bool,
    log_level: str,
    log_format: str,
) -> int:
    """Show how the live tenants differ from the files, who changed them, and when. Never writes to a tenant.

    Each change is `drift`, `lapsed` (an entry's day has passed) or, with --base, `pending` (Git is ahead: what is live
    is what that revision declares). A change is drift when one of its fields is. Exits with 2 when there is any.
    """
    from tapctl.cli import drift_report, files, fleet
    from tapctl.cli.checked import check
    from tapctl.cli.session import RunOptions
    from tapctl.cli.trouble import say
    from tapctl.output.metrics import metrics
    from tapctl.output.render import render_plan

    started = time.monotonic()
    options.configure_logging(log_level, log_format)
    webhook = drift_report.webhook(notify_to) if notify_to is not None else None
    checked = check(options.selection(paths, names, labels))
    bases = _bases(base, paths, checked) if base is not None else {}
    run_options = RunOptions(impact="off", timeout_seconds=timeout_seconds)
    target = Path(metrics_file) if metrics_file is not None else None
    if target is not None:
        files.check_target(target, is_replaced=True)
    plans = asyncio.run(_observe(checked, run_options, bases, accept=accept))
    document = fleet.document(plans, "drift")
    trouble = files.trouble(lambda: files.replace_whole(target, metrics(document))) if target else None
    seconds = time.monotonic() - started
    color = options.wants_color(no_color=no_color)
    click.echo(render_plan(document, output_format, color=color, seconds=seconds), nl=False)
    if webhook is not None and any(plan.status != "clean" for plan in plans):
        unreached = drift_report.notify(webhook, document)
        if unreached is not None:
            click.echo(f"warning: the webhook of --notify was not reached: {unreached}", err=True)
    if trouble is not None:
        say(trouble)
    return fleet.exit_code(plans, changes_count=True, trouble=trouble)


async def _observe(
    checked: Checked, run_options: RunOptions, bases: Mapping[str, Base | Finding], *, accept: bool
) -> list[TenantPlan]:
    """Read all tenants at the same time."""
    from tapctl.cli.drift_session import DriftSession
    from tapctl.cli.fleet import TENANTS_AT_ONCE, broken, side_by_side

    places = asyncio.Semaphore(TENANTS_AT_ONCE)

    async def one(session: DriftSession) -> TenantPlan:
        try:
            async with places:
                plan = await session.plan()
                return await session.accept(plan) if accept else plan
        except asyncio.CancelledError:
            return session.interrupted()
        finally:
            await session.close()

    sessions: list[DriftSession] = []
    for tenant, findings in checked.tenants:
        base = bases.get(tenant.name)
        remarks = (base,) if isinstance(base, Finding) else ()
        known = None if isinstance(base, Finding) else base
        sessions.append(DriftSession(tenant, findings, run_options, base=known, remarks=remarks))
    plans = await side_by_side([one(session) for session in sessions])
    return [*plans, *(broken(item) for item in checked.failed)]


# The revision that was applied last


def _bases(revision: str, paths: Sequence[str], checked: Checked) -> dict[str, Base | Finding]:
    """The declaration of each selected tenant in a revision, or why it is unknown.

    Raises:
        UsageError: there is no such revision.
    """
    from tapctl.cli.revisions import known_commit, load_at, repository
    from tapctl.config.source import GitTree

    root = repository()
    loaded = load_at(GitTree(root, known_commit(root, revision)), paths)
    return {tenant.name: _base(tenant, loaded, revision) for tenant, _ in checked.tenants}


def _base(tenant: Tenant, loaded: Loaded, revision: str) -> Base | Finding:
    from tapctl.insight.drift import Base

    found = next((item for item in loaded.tenants if item.name == tenant.name), None)
    renamed = next((item for item in loaded.tenants if item.id == tenant.id), None)
    failed = [item for item in loaded.failed.values() if item.name == tenant.name or item.id == tenant.id]
    if found is None and renamed is None and failed:
        return Finding(
            rule="base-unreadable",
            severity="warning",
            message=f"what is pending is unknown: {tenant.name} is invalid at {revision}",
            why="without a desired state to compare with, every difference counts as drift",
            fix="name a revision that `tapctl validate` accepts",
        )
    return Base(tenant=found or renamed)
