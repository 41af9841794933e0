"""`tapctl show`: a saved plan again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tapctl.cli import options
from tapctl.errors import ExitCode, UsageError
from tapctl.model.plan import PlanDocument

if TYPE_CHECKING:
    from tapctl.output.render import PlanFormat


@click.command(epilog="Example: tapctl show plan.json --format markdown")
@click.argument("planfile", metavar="PLANFILE")
@options.format_option("text", "json", "markdown", "github")
@options.common_options
def show(planfile: str, output_format: PlanFormat, no_color: bool, log_level: str, log_format: str) -> int:
    """Show a plan that `tapctl plan --out` saved, in any format."""
    from tapctl.output.render import render_plan

    options.configure_logging(log_level, log_format)
    color = options.wants_color(no_color=no_color)
    text = render_plan(read_plan(planfile), output_format, color=color, show_footer=False)
    click.echo(text, nl=False)
    return ExitCode.DONE


def read_plan(path: str) -> PlanDocument:
    """A saved plan.

    Raises:
        UsageError: when there is no such file.
        RefusedError: when it is not a plan of this version.
    """
    from tapctl.output.document import loads

    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", fix="name the file that `tapctl plan --out` wrote") from None
    return loads(content)
