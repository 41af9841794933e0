"""Options that commands share, and what they are turned into."""

from __future__ import annotations

import functools
import math
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeVar

import click

from tapctl.errors import UsageError

CommandT = TypeVar("CommandT", bound=Callable[..., object])
ResultT = TypeVar("ResultT")


class Selection(NamedTuple):
    """Which tenants a command is about."""

    paths: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    labels: Mapping[str, str] = MappingProxyType({})


def selection_options(command: CommandT) -> CommandT:
    """PATH…, --tenant and --select."""
    decorators = (
        click.argument("paths", nargs=-1, metavar="[PATH]..."),
        click.option("--tenant", "names", multiple=True, metavar="NAME", help="Only this tenant; may be repeated."),
        click.option("--select", "labels", multiple=True, metavar="LABEL=VALUE", help="Only tenants with this label."),
    )
    return _decorated(command, decorators)


def common_options(command: CommandT) -> CommandT:
    """Colour and logs."""
    decorators = (
        click.option("--no-color", is_flag=True, help="No colour, as with the variable NO_COLOR."),
        click.option(
            "--log-level",
            type=click.Choice(["debug", "info", "warning", "error"]),
            default="warning",
            show_default=True,
            help="What to log, to standard error.",
        ),
        click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True),
    )
    return _decorated(command, decorators)


def with_common_options(command: Callable[..., ResultT]) -> Callable[..., ResultT]:
    """Colour and logs for a command that does nothing about them itself but configure logging."""

    @functools.wraps(command)
    def configured(*, no_color: bool, log_level: str, log_format: str, **others: object) -> ResultT:  # noqa: ARG001 - nothing here is coloured
        configure_logging(log_level, log_format)
        return command(**others)

    return common_options(configured)


def format_option(*formats: str) -> Callable[[CommandT], CommandT]:
    """--format with the formats that a command has; text is the default."""
    return click.option(
        "--format",
        "output_format",
        type=click.Choice(formats),
        default=formats[0],
        show_default=True,
        help="What to print to standard output.",
    )


def _finite(_context: click.Context, _parameter: click.Parameter, value: float | None) -> float | None:
    """
    Raises:
        BadParameter: it is not a number of seconds: `nan`, which passes every range check, or infinity.
    """
    if value is not None and not math.isfinite(value):
        raise click.BadParameter("a number of seconds is needed")
    return value


def graph_options(command: CommandT) -> CommandT:
    """--timeout, for commands that talk to Graph."""
    option = click.option(
        "--timeout",
        "timeout_seconds",
        type=click.FloatRange(min=0, min_open=True),
        callback=_finite,
        metavar="SECONDS",
        help="Bound a tenant's whole run.",
    )
    return option(command)


def override_options(command: CommandT) -> CommandT:
    """--override and --reason."""
    decorators = (
        click.option(
            "--override",
            "overrides",
            multiple=True,
            type=click.Choice(["delete", "widen", "enable", "members", "impact"]),
            metavar="RULE",
            help="Go past a guardrail: delete, widen, enable, members or impact. Needs --reason.",
        ),
        click.option("--reason", metavar="TEXT", help="Why; it is part of the approval and of the journal."),
        click.option(
            "--guardrails",
            "guardrails_file",
            metavar="FILE",
            help="A YAML file with `guardrails:` that are added to every tenant's own.",
        ),
    )
    return _decorated(command, decorators)


def _decorated(command: CommandT, decorators: Sequence[Callable[[CommandT], CommandT]]) -> CommandT:
    for decorator in reversed(decorators):
        command = decorator(command)
    return command


def selection(paths: Sequence[str], names: Sequence[str], labels: Sequence[str]) -> Selection:
    """What the options of `selection_options` select.

    Raises:
        UsageError: when a label is not LABEL=VALUE, or is given twice: one tenant has one value of it.
    """
    pairs: dict[str, str] = {}
    for label in labels:
        name, equals, value = label.partition("=")
        if not equals or not name:
            raise UsageError(f"--select takes LABEL=VALUE, not {label!r}", fix="for instance --select ring=pilot")
        if name in pairs:
            raise UsageError(
                f"--select names the label {name!r} twice, and a tenant has one value of a label",
                fix="select one value, and run the command once for each",
            )
        pairs[name] = value
    return Selection(paths=tuple(paths), names=tuple(names), labels=pairs)


def overrides(rules: Sequence[str], reason: str | None) -> dict[str, str]:
    """Guardrail rule to reason.

    Raises:
        UsageError: when a rule is overridden without a reason.
    """
    if rules and not (reason and reason.strip()):
        raise UsageError(
            "--override needs a reason", fix="add --reason TEXT; it goes into the approval and the journal"
        )
    return {rule: reason.strip() for rule in rules if reason}


def wants_color(*, no_color: bool) -> bool:
    """Colour only on a terminal, and only for those who want it."""
    return not no_color and not os.environ.get("NO_COLOR") and sys.stdout.isatty()


def configure_logging(level: str, style: str) -> None:
    """Logs of tapctl go to standard error; other libraries stay silent."""
    from tapctl.cli.logs import configure  # costs start-up time

    configure(level, style)
