"""`tapctl diff`: what changed in the desired state between two revisions, offline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tapctl.cli import options
from tapctl.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from tapctl.cli.options import Selection
    from tapctl.config.differences import Revision, TenantDifference
    from tapctl.output.diff import DiffFormat

_SEPARATED = "tapctl.diff.separated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The two revisions of one command line, and the PATHs to compare."""

    older: Revision
    newer: Revision
    paths: tuple[str, ...]


class _DiffCommand(click.Command):
    """Remembers the arguments after `--`, which click does not keep: these are always PATHs."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if "--" in args:
            at = args.index("--")
            ctx.meta[_SEPARATED] = tuple(args[at + 1 :])
            args = args[:at]
        return super().parse_args(ctx, args)


@click.command(cls=_DiffCommand, epilog="Example: tapctl diff origin/main...HEAD --format markdown")
@click.argument("arguments", nargs=-1, required=True, metavar="REV [REV] [--] [PATH]...")
@click.option("--tenant", "names", multiple=True, metavar="NAME", help="Only this tenant; may be repeated.")
@click.option("--select", "labels", multiple=True, metavar="LABEL=VALUE", help="Only tenants with this label.")
@options.format_option("text", "json", "markdown")
@options.common_options
@click.pass_context
def diff(
    ctx: click.Context,
    arguments: tuple[str, ...],
    names: tuple[str, ...],
    labels: tuple[str, ...],
    output_format: DiffFormat,
    no_color: bool,
    log_level: str,
    log_format: str,
) -> int:
    """Show what changed in the desired state between two Git revisions. Works offline.

    The second REV is HEAD unless given. A...B compares the common ancestor of A and B with B, as a pull request does.
    The second argument is a REV when git knows it as a commit and no such file exists; arguments after `--` are
    always PATHs. Exits with 3 when the newer revision is invalid.
    """
    from tapctl.output.diff import render_differences

    options.configure_logging(log_level, log_format)
    compared = _compared(arguments, ctx.meta.get(_SEPARATED))
    found = _differences(compared, options.selection((), names, labels))
    color = options.wants_color(no_color=no_color)
    click.echo(render_differences(found, compared.older, compared.newer, output_format, color=color), nl=False)
    return ExitCode.REFUSED if any(tenant.is_invalid for tenant in found) else ExitCode.DONE


# The command line


def _compared(arguments: Sequence[str], separated: Sequence[str] | None) -> Compared:
    """Resolve the revisions and the PATHs of the command line.

    Raises:
        UsageError: a revision is not known.
    """
    from tapctl.cli.revisions import common_ancestor, known_commit, repository
    from tapctl.config.differences import Revision

    root = repository()
    older, newer, rest = _revisions(root, arguments, is_separated=separated is not None)
    if "..." in older:
        one, _, other = older.partition("...")
        older, newer = common_ancestor(root, one or "HEAD", other or "HEAD"), other or "HEAD"
    elif ".." in older:
        one, _, other = older.partition("..")
        older, newer = one or "HEAD", other or "HEAD"
    return Compared(
        older=Revision(name=older, commit=known_commit(root, older)),
        newer=Revision(name=newer, commit=known_commit(root, newer)),
        paths=(*rest, *(separated or ())),
    )


def _revisions(root: Path, arguments: Sequence[str], *, is_separated: bool) -> tuple[str, str, Sequence[str]]:
    """The revisions as typed, and the remaining arguments, which are PATHs."""
    from tapctl.cli.revisions import commit_of

    first, *rest = arguments
    if ".." in first or not rest:
        newer = "HEAD"
    elif is_separated or (not Path(rest[0]).exists() and commit_of(root, rest[0]) is not None):
        newer, *rest = rest
    else:
        newer = "HEAD"
    if is_separated and rest:
        raise UsageError("more than two revisions before `--`", fix="name two, or put the PATHs after `--`")
    return first, newer, rest


# Comparing


def _differences(compared: Compared, chosen: Selection) -> tuple[TenantDifference, ...]:
    """The changes of every selected tenant, by name.

    Raises:
        UsageError: a PATH is in neither revision, or no tenant is selected.
    """
    from tapctl.cli.revisions import DEFAULT_PATH, holds_tenants, load_at, repository
    from tapctl.config.differences import differences
    from tapctl.config.source import GitTree
    from tapctl.config.words import printable

    root = repository()
    older, newer = GitTree(root, compared.older.commit), GitTree(root, compared.newer.commit)
    for path in compared.paths or (DEFAULT_PATH,):
        if not holds_tenants(older, path) and not holds_tenants(newer, path):
            raise UsageError(
                f"there is no tenant in {printable(path)}, in {compared.older} or in {compared.newer}",
                fix="name a tenant file or folder of either revision, or a revision that git knows",
            )
    before, after = load_at(older, compared.paths), load_at(newer, compared.paths)
    today = datetime.now(UTC).date()
    found = differences(before, after, compared.older, names=chosen.names, labels=chosen.labels, today=today)
    if not found:
        raise UsageError("no tenant is selected in either revision", fix="check --tenant and --select")
    return found
