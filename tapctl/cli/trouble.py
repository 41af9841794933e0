"""How an error that ends a command, or a part of it, is reported: on standard error, with its fix."""

from __future__ import annotations

import click

from tapctl.errors import ConfigurationError, TapctlError


def say(error: TapctlError) -> None:
    """Findings in the form of compilers; any other error in a line or more, and what to do."""
    from tapctl.output.safe import visible

    if isinstance(error, ConfigurationError):
        from tapctl.output.render import render_findings

        click.echo(render_findings(error.findings, "text"), err=True)
        return
    first, *rest = (visible(line) for line in error.message.splitlines() or [""])
    click.echo("\n".join([f"error: {first}", *rest]), err=True)
    if error.fix:
        click.echo(f"  fix: {visible(error.fix)}", err=True)
