"""`tapctl init`: a first tenants repository that works at once."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from tapctl.cli import options

if TYPE_CHECKING:
    from tapctl.scaffold.write import ContinuousIntegration

NEXT = ("tapctl validate", "tapctl plan", "tapctl apply")
"""What a newcomer does next; on the sandbox, where nothing can break."""


@click.command()
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(path_type=Path))
@click.option(
    "--ci",
    "systems",
    multiple=True,
    type=click.Choice(["github", "gitlab", "azure"]),
    help="Pipelines for this system as well; may be repeated.",
)
@click.option("--force", is_flag=True, help="Overwrite files that are there already.")
@click.option("--format", "output_format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@options.with_common_options
def init(
    directory: Path,
    systems: tuple[ContinuousIntegration, ...],
    force: bool,
    output_format: Literal["text", "json"],
) -> None:
    """Write a first tenants repository into DIR, the current folder by default.

    It holds a commented tenant on the sandbox, a secure baseline, the schema and the settings that editors need for
    completion, and with --ci the pipelines that plan pull requests and apply what was reviewed.

    Example: tapctl init tenants-repository --ci github
    """
    from tapctl.scaffold.write import repository, write

    contents = repository(tuple(dict.fromkeys(systems)))
    written = list(contents)
    write(directory, contents, force=force)
    if output_format == "json":
        click.echo(json.dumps({"directory": str(directory), "written": written, "next": list(NEXT)}, indent=2))
    else:
        click.echo(_report(directory, written))


def _report(directory: Path, written: list[str]) -> str:
    place = "" if directory == Path() else f" in {shlex.quote(str(directory))}"
    lines = [f"Wrote {len(written)} files{place}:", ""]
    lines += [f"  {path}" for path in written]
    lines += ["", f"Next{place}:", ""]
    lines += [f"  {command}" for command in NEXT]
    return "\n".join(lines)
