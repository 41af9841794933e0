"""`tapctl plan`: reads, never writes."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tapctl.cli import options
from tapctl.errors import RefusedError

if TYPE_CHECKING:
    from tapctl.model.desired import Guardrails
    from tapctl.output.render import PlanFormat


@click.command(epilog="Example: tapctl plan tenants/contoso.yaml --detailed-exitcode")
@options.selection_options
@options.format_option("text", "json", "markdown", "github")
@click.option("--out", metavar="FILE", help="Save the plan, for `apply --plan FILE`.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes.")
@click.option(
    "--impact",
    type=click.Choice(["exact", "count", "off"]),
    default="count",
    show_default=True,
    help="How to find out how many people and devices gain or lose the ability.",
)
@click.option("--conflicts", is_flag=True, help="Look for other live profiles that set the same settings differently.")
@click.option("--require-live", is_flag=True, help="Refuse sandbox tenants.")
@options.override_options
@options.graph_options
@options.common_options
def plan(
    paths: tuple[str, ...],
    names: tuple[str, ...],
    labels: tuple[str, ...],
    output_format: PlanFormat,
    out: str | None,
    detailed_exitcode: bool,
    impact: str,
    conflicts: bool,
    require_live: bool,
    overrides: tuple[str, ...],
    reason: str | None,
    guardrails_file: str | None,
    timeout_seconds: float | None,
    no_color: bool,
    log_level: str,
    log_format: str,
) -> int:
    """Show what apply would change, by comparing the files with the live tenants.

    Prints an approval for each tenant that has changes. Never writes.
    """
    from tapctl.cli import files, fleet
    from tapctl.cli.checked import check
    from tapctl.cli.session import RunOptions
    from tapctl.cli.trouble import say
    from tapctl.output.document import dumps, to_json
    from tapctl.output.render import render_plan

    started = time.monotonic()
    options.configure_logging(log_level, log_format)
    run_options = RunOptions(
        overrides=options.overrides(overrides, reason),
        impact=impact,
        conflicts=conflicts,
        reason=reason,
        timeout_seconds=timeout_seconds,
    )
    checked = check(options.selection(paths, names, labels), outside_guardrails(guardrails_file))
    if require_live and (sandboxed := fleet.sandbox_only(checked)):
        raise RefusedError(
            f"--require-live, but on the sandbox: {', '.join(sandboxed)}",
            fix="set `tenant.cloud` to where the tenant is: global, usgov, usgov-dod or china",
        )
    target = Path(out) if out is not None else None
    if target is not None:
        files.check_target(target)
    plans = asyncio.run(fleet.plan_all(checked, run_options))
    document = fleet.document(plans)
    trouble = files.trouble(lambda: files.write_private(target, dumps(to_json(document)))) if target else None
    seconds = time.monotonic() - started
    color = options.wants_color(no_color=no_color)
    click.echo(render_plan(document, output_format, color=color, seconds=seconds), nl=False)
    if trouble is not None:
        say(trouble)
    return fleet.exit_code(plans, changes_count=detailed_exitcode, trouble=trouble)


def outside_guardrails(path: str | None) -> Guardrails | None:
    """The guardrails of --guardrails FILE.

    Raises:
        UsageError: when there is no such file.
        ConfigurationError: when the file has problems.
    """
    if path is None:
        return None
    from tapctl.config.load import load_guardrails

    return load_guardrails(path)
