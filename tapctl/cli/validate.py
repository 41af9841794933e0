"""`tapctl validate`: offline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tapctl.cli import options
from tapctl.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tapctl.output.render import FindingsFormat


@click.command(epilog="Example: tapctl validate tenants/contoso.yaml")
@options.selection_options
@options.format_option("text", "json", "sarif", "github")
@options.common_options
def validate(
    paths: tuple[str, ...],
    names: tuple[str, ...],
    labels: tuple[str, ...],
    output_format: FindingsFormat,
    no_color: bool,
    log_level: str,
    log_format: str,
) -> int:
    """Check tenant files: YAML, schema, references, lint rules, guardrails. Works offline.

    Exits with 3 when a finding is an error that is not suppressed.
    """
    from tapctl.cli.checked import check
    from tapctl.output.render import render_findings

    if log_level == "debug":  # the level of all that can be logged offline; loading `logging` takes a while
        options.configure_logging(log_level, log_format)
    findings = check(options.selection(paths, names, labels)).findings
    color = options.wants_color(no_color=no_color)
    rule_help = _rule_help() if output_format == "sarif" else None
    click.echo(render_findings(findings, output_format, color=color, rule_help=rule_help), nl=False)
    blocked = any(finding.severity == "error" and not finding.suppressed for finding in findings)
    return ExitCode.REFUSED if blocked else ExitCode.DONE


def _rule_help() -> Mapping[str, Sequence[str]]:
    from tapctl.rules.catalogue import rule_help

    return rule_help()
