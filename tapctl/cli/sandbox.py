"""`tapctl sandbox`: serve, reset, show and tamper with the embedded tenant."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tapctl.cli import options
from tapctl.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from tapctl.sandbox.tenant import Sandbox

CommandT = TypeVar("CommandT", bound=Callable[..., Any])


@click.group()
def sandbox() -> None:
    """The embedded tenant: a Microsoft Graph to try things on."""


def _tenant_options(command: CommandT) -> CommandT:
    for option in (
        click.option("--tenant", "tenant", metavar="NAME", help="The sandbox tenant of this name."),
        click.option("--tenant-id", metavar="GUID", help="The sandbox tenant of this id; needs no file."),
        click.option("--select", "labels", multiple=True, metavar="LABEL=VALUE", help="The tenant with this label."),
        click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True),
    ):
        command = option(command)
    return command


def _selected(command: Callable[..., None]) -> Callable[..., None]:
    """A command about one sandbox tenant: opened from the options above, and from the PATHs where it takes any."""

    @functools.wraps(command)
    def opened(
        *, path: tuple[str, ...], tenant: str | None, tenant_id: str | None, labels: tuple[str, ...], **others: object
    ) -> None:
        command(opened=_open(path, tenant, tenant_id, labels), **others)

    return _tenant_options(options.with_common_options(opened))


def _tenant_id(paths: Sequence[str], tenant: str | None, tenant_id: str | None, labels: Sequence[str]) -> str:
    """The id of the one sandbox tenant that is meant."""
    if tenant_id is not None:
        return tenant_id
    from tapctl.config.load import load

    chosen = options.selection(paths, (tenant,) if tenant else (), labels)
    loaded = load(chosen.paths, names=chosen.names, labels=chosen.labels)
    errors = tuple(finding for finding in loaded.findings if finding.severity == "error")
    if errors:
        raise ConfigurationError(errors)
    found = [each for each in loaded.tenants if each.cloud == "sandbox"]
    if len(found) == 1:
        return str(found[0].id)
    if not found:
        raise UsageError("no tenant with cloud: sandbox was selected", fix="name one with --tenant or --tenant-id")
    names = ", ".join(each.name for each in found)
    raise UsageError(f"{len(found)} sandbox tenants were selected: {names}", fix="choose one with --tenant")


def _open(paths: Sequence[str], tenant: str | None, tenant_id: str | None, labels: Sequence[str]) -> Sandbox:
    from tapctl.sandbox.connect import open_sandbox

    return open_sandbox(_tenant_id(paths, tenant, tenant_id, labels))


@sandbox.command()
@click.argument("path", nargs=-1)
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port on 127.0.0.1; 0 takes a free one.")
@_selected
def serve(opened: Sandbox, port: int, format_: str) -> None:
    """Put the tenant on a loopback port for other clients, until interrupted.

    Any unsigned JWT whose tid is the tenant's id is let in.

    Example: tapctl sandbox serve --tenant demo --port 8080
    """
    from tapctl.sandbox import server
    from tapctl.sandbox.connect import mint_token

    def ready(url: str) -> None:
        token = mint_token(opened.tenant_id, exp=None)
        document = {"url": url, "tenantId": opened.tenant_id, "token": token}
        text = json.dumps(document) if format_ == "json" else f"{url}\nAuthorization: Bearer {token}"
        click.echo(text)

    server.serve(opened, port=port, ready=ready)


@sandbox.command()
@click.argument("path", nargs=-1)
@_selected
def reset(opened: Sandbox, format_: str) -> None:
    """Forget everything that was changed in the tenant.

    Example: tapctl sandbox reset --tenant demo
    """
    existed = opened.reset()
    if format_ == "json":
        click.echo(json.dumps({"tenantId": opened.tenant_id, "reset": existed}))
    else:
        click.echo(f"sandbox {opened.tenant_id}: {'reset' if existed else 'nothing to reset'}")


@sandbox.command()
@click.argument("path", nargs=-1)
@_selected
def show(opened: Sandbox, format_: str) -> None:
    """Say what the tenant holds.

    Example: tapctl sandbox show --tenant demo
    """
    from tapctl.output.safe import visible
    from tapctl.sandbox import summary

    with opened.transaction(writes=False) as store:
        found = summary.summarise(store)
    if format_ == "json":
        click.echo(json.dumps({"tenantId": opened.tenant_id, **found}, indent=2))
        return
    click.echo(f"sandbox {opened.tenant_id}")
    for line in summary.lines(found):
        click.echo(visible(line))


@sandbox.command()
@click.argument("address")
@click.argument("change", nargs=-1, metavar="[FIELD=VALUE]...")
@click.option("--delete", is_flag=True, help="Delete the object; the TAP policy returns to its defaults.")
@click.option("--path", multiple=True, help="Tenant file or folder, tenants/ unless given.")
@_selected
def tamper(opened: Sandbox, address: str, change: tuple[str, ...], delete: bool, format_: str) -> None:
    """Change the tenant as an admin in the portal would, audit record included.

    ADDRESS is temporaryAccessPass, groups.NAME or webSignIn.NAME (display name or id). Lists take += and -= too.

    Example: tapctl sandbox tamper temporaryAccessPass oneTime=false include+=SG-Onboarding-Wave-7
    """
    from tapctl.sandbox.tamper import ADMINISTRATOR
    from tapctl.sandbox.tamper import tamper as change_tenant

    sent = change_tenant(opened, address, change, delete=delete)
    if format_ == "json":
        click.echo(json.dumps({"tenantId": opened.tenant_id, "actor": ADMINISTRATOR, "requests": list(sent)}))
        return
    click.echo(f"sandbox {opened.tenant_id}: changed as {ADMINISTRATOR}")
    for line in sent:
        click.echo(f"  {line}")
