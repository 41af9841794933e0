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
    from tapctl.cli import fleet
    from tapctl.cli.checked import check
    from tapctl.cli.session import Wishes
    from tapctl.output.document import dumps, to_json
    from tapctl.output.render import render_plan

    started = time.monotonic()
    options.configure_logging(log_level, log_format)
    wishes = Wishes(
        overrides=options.overrides(overrides, reason),
        impact=impact,
        conflicts=conflicts,
        reason=reason,
        timeout_seconds=timeout_seconds,
    )
    checked = check(options.selection(paths, names, labels), outside_guardrails(guardrails_file))
    if require_live and (sandboxed := fleet.sandbox_only(checked)):
        raise RefusedError(f"--require-live, but on the sandbox: {', '.join(sandboxed)}", fix="set `tenant.cloud`")
    plans = asyncio.run(fleet.plan_all(checked, wishes))
    document = fleet.document(plans)
    if out is not None:
        write_private(Path(out), dumps(to_json(document)))
    seconds = time.monotonic() - started
    color = options.wants_color(no_color=no_color)
    click.echo(render_plan(document, output_format, color=color, seconds=seconds), nl=False)
    return fleet.exit_code(plans, changes_count=detailed_exitcode)


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


def write_private(path: Path, text: str) -> None:
    """Write a file that its owner alone can read: a plan names people.

    Raises:
        RefusedError: when it cannot be written.
    """
    import os
    import stat

    # A link may be part of the pull request that is planned, and lead anywhere.
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                os.fchmod(file.fileno(), 0o600)
            file.write(text)
    except OSError as error:
        raise RefusedError(f"{path} cannot be written: {error.strerror}", fix="name another file") from None
