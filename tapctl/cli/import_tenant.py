"""`tapctl import`: reads a tenant, prints the file that declares it."""

from __future__ import annotations

import asyncio
import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

import click

from tapctl.cli import options
from tapctl.config.schema import auth_methods
from tapctl.errors import ConfigurationError, ExitCode, RefusedError, TapctlError, UsageError
from tapctl.model.desired import Authentication, Cloud, Tenant
from tapctl.model.plan import GraphUsage

if TYPE_CHECKING:
    from tapctl.adopt.declaration import Note
    from tapctl.adopt.inventory import Inventory
    from tapctl.cli.import_check import Checked

_GUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@click.command(name="import", epilog="Example: tapctl import --tenant-id GUID --auth-method azure-cli")
@options.selection_options
@click.option("--tenant-id", metavar="GUID", help="The tenant to import; needs no tenant file.")
@click.option("--cloud", type=click.Choice(get_args(Cloud)), help="The cloud of --tenant-id; global unless given.")
@click.option(
    "--auth-method", type=click.Choice(auth_methods()), help="How to sign in; as auth.method in a tenant file."
)
@click.option("--client-id", metavar="GUID", help="The application that signs in.")
@click.option("--token-variable", metavar="NAME", help="The variable that holds a bearer token; begins with TAPCTL_.")
@click.option("--profile", "profiles", multiple=True, metavar="NAME", help="Only this profile; may be repeated.")
@click.option("--out", metavar="FILE", help="Write the file instead of printing it.")
@click.option("--force", is_flag=True, help="Overwrite the file of --out.")
@options.graph_options
@options.common_options
def import_tenant(
    paths: tuple[str, ...],
    names: tuple[str, ...],
    labels: tuple[str, ...],
    tenant_id: str | None,
    cloud: str | None,
    auth_method: str | None,
    client_id: str | None,
    token_variable: str | None,
    profiles: tuple[str, ...],
    out: str | None,
    force: bool,
    timeout_seconds: float | None,
    no_color: bool,  # noqa: ARG001 - everywhere, and YAML has no colour
    log_level: str,
    log_format: str,
) -> int:
    """Write YAML for what lives in a tenant: policy, groups and web sign-in profiles, pinned by id.

    The plan of the file is empty. What YAML cannot say is warned of, and stands in the file as a comment. Never writes
    to the tenant.
    """
    started = time.monotonic()
    options.configure_logging(log_level, log_format)
    wanted = SignIn(auth_method=auth_method, client_id=client_id, token_variable=token_variable)
    tenant = _tenant(options.selection(paths, names, labels), tenant_id, cloud, wanted)
    target = _target(out, force=force)
    run = Run(tenant=tenant, profiles=profiles, target=target, timeout_seconds=timeout_seconds)
    try:
        result = asyncio.run(run.imported())
        _hand_over(result.text, target, force=force)
        _say_all(result, run.inventory)
        code = ExitCode.DONE
    except TapctlError as error:
        _say_error(error)
        code = error.exit_code
    _say_footer(run.usage, time.monotonic() - started)
    return code


# Which tenant, and who signs in


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """What the options say of signing in."""

    auth_method: str | None = None
    client_id: str | None = None
    token_variable: str | None = None

    def over(self, given: Authentication) -> Authentication:
        """The authentication of a file, with what the options say instead.

        Raises:
            UsageError: the options do not go together.
        """
        method = self.auth_method or ("token" if self.token_variable else given.method)
        own = {"clientId": self.client_id, "tokenVariable": self.token_variable}
        kept = given.options if method == given.method else {}
        merged = {**kept, **{name: value for name, value in own.items() if value is not None}}
        _check_options(method, merged)
        return Authentication(method=method, options=merged)


def _check_options(method: str, given: dict[str, str]) -> None:
    from tapctl.cli.import_check import Grammar

    grammar = Grammar()
    for option, name in (("--client-id", "clientId"), ("--token-variable", "tokenVariable")):
        if name in given and not grammar.can_say(("tenant", "auth", name), given[name]):
            kind = "a GUID" if name == "clientId" else "the name of a variable that begins with TAPCTL_"
            raise UsageError(f"{option} takes {kind}")
    if method == "token" and "tokenVariable" not in given:
        raise UsageError("--auth-method token needs --token-variable", fix="name a variable that begins with TAPCTL_")
    if method != "token" and "tokenVariable" in given:
        raise UsageError(
            f"--token-variable holds a bearer token, and --auth-method {method} reads none",
            fix="leave one of them out",
        )
    if not grammar.can_say(("tenant", "auth"), {"method": method, **given}):
        raise UsageError(f"--auth-method {method} needs --client-id", fix="give the application (client) id")


def _tenant(selection: options.Selection, tenant_id: str | None, cloud: str | None, wanted: SignIn) -> Tenant:
    """The tenant to import, as far as the command line and its file tell.

    Raises:
        UsageError: none or several are meant, or the options contradict each other.
        ConfigurationError: its file cannot be read.
    """
    if tenant_id is None:
        if cloud is not None:
            raise UsageError("--cloud goes with --tenant-id", fix="a tenant file names its own cloud")
        named = _named(selection)
        return replace(named, auth=wanted.over(named.auth))
    if selection.paths or selection.names or selection.labels:
        raise UsageError(
            "--tenant-id names a tenant without a file", fix="give --tenant-id, or the file with PATH or --tenant"
        )
    if not _GUID.fullmatch(tenant_id):
        raise UsageError("--tenant-id takes a GUID", fix="copy the Tenant ID from the overview page of Microsoft Entra")
    return Tenant(
        name="imported",
        source="--tenant-id",
        id=tenant_id.lower(),
        cloud=cast(Cloud, cloud or "global"),
        auth=wanted.over(Authentication()),
    )


def _named(selection: options.Selection) -> Tenant:
    from tapctl.config.load import load

    loaded = load(selection.paths, names=selection.names, labels=selection.labels)
    if len(loaded.tenants) + len(loaded.failed) > 1:
        names = ", ".join(sorted([*(tenant.name for tenant in loaded.tenants), *loaded.failed]))
        raise UsageError(f"import is about one tenant, and these are selected: {names}", fix="choose with --tenant")
    if loaded.failed:
        raise ConfigurationError(loaded.findings)
    return loaded.tenants[0]


# Where the file goes


def _target(out: str | None, *, force: bool) -> Path | None:
    """
    Raises:
        RefusedError: the file exists and may not be overwritten, or it cannot be written.
    """
    if out is None:
        return None
    from tapctl.cli.files import check_target

    path = Path(out)
    if path.exists() and not force:
        raise RefusedError(
            f"{out} exists, so nothing was read or written", fix="choose another file, or overwrite it with --force"
        )
    check_target(path)
    return path


def _hand_over(text: str, target: Path | None, *, force: bool) -> None:
    """Write the file, or print it: also when it cannot be written, so that what was read is not lost.

    Raises:
        RefusedError: the file cannot be written.
    """
    from tapctl.cli.files import cannot_be_written

    if target is None:
        click.echo(text.encode("utf-8"), nl=False)
        return
    try:
        with target.open("w" if force else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except OSError as error:
        click.echo(text.encode("utf-8"), nl=False)
        raise cannot_be_written(target, error.strerror) from None


# The run


@dataclass(slots=True, kw_only=True)
class Run:
    """One import: what was asked for, and what has become known meanwhile."""

    tenant: Tenant
    profiles: Sequence[str]
    target: Path | None
    """The file that will be written; None: it is printed."""
    timeout_seconds: float | None
    usage: GraphUsage = field(default_factory=GraphUsage)
    inventory: Inventory | None = None

    async def imported(self) -> Checked:
        """Read the tenant, with a client that cannot write, and say it as a file.

        Raises:
            RemoteError: something could not be read.
            RefusedError: a profile does not exist, or no valid file can say what lives there.
        """
        from tapctl.adopt.declare import Subject, declare
        from tapctl.cli.import_check import Grammar, checked

        self.inventory = await self._read()
        subject = Subject(id=self.tenant.id, cloud=self.tenant.cloud, auth=self.tenant.auth)
        declaration = declare(self.inventory, subject, Grammar().can_say)
        today = datetime.now(UTC).date()

        def first_lines(differences: Sequence[str]) -> tuple[str, ...]:
            return header(self.tenant, today, differences, schema_beside(self.target))

        return checked(declaration, self.inventory, first_lines, today)

    async def _read(self) -> Inventory:
        from tapctl.adopt.read import read_inventory
        from tapctl.graph.connect import connect
        from tapctl.graph.reading import run_readings

        async with connect(self.tenant, writable=False, timeout_seconds=self.timeout_seconds) as client:
            try:
                await client.authenticate()
                (inventory,) = await run_readings(client, [read_inventory(self.tenant.cloud, self.profiles)])
            finally:
                self.usage = client.usage()
        return inventory


def schema_beside(target: Path | None) -> str:
    """Where editors find the schema, from the file that is written; of what is printed, from a file in `tenants/`."""
    from tapctl.config.schema import FILE
    from tapctl.config.source import repository_of

    if target is None:
        return f"../schemas/{FILE}"
    absolute = Path(os.path.normpath(Path.cwd() / target))
    root = repository_of(absolute)
    top = root.parent if root.name == "tenants" else root
    return Path(os.path.relpath(top / "schemas" / FILE, absolute.parent)).as_posix()


def header(tenant: Tenant, today: date, differences: Sequence[str], schema: str) -> tuple[str, ...]:
    """The first comment lines of an imported file.

    Args:
        differences: what a plan of the file would change, in words.
        schema: where the schema is, from the file.
    """
    from tapctl.output.wording import SANDBOX_LABEL

    plan = "Its plan would still change what `tapctl import` warned of." if differences else "Its plan is empty."
    return (
        f"yaml-language-server: $schema={schema}",
        "",
        f"Tenant {tenant.id}, cloud {tenant.cloud}, as `tapctl import` found it on {today}.",
        *([f"This is a {SANDBOX_LABEL}."] if tenant.cloud == "sandbox" else []),
        f"{plan} What it does not name is not managed; comments say what could not be said here.",
        "Worth adding by hand: tenant.breakGlass, tenant.scenarios and guardrails.",
    )


# Words for people


def _say_all(result: Checked, inventory: Inventory | None) -> None:
    from tapctl.model.words import count_noun

    for note in result.declaration.notes:
        if note.is_warning:
            _say(f"warning: {_place(note)}{note.text}")
    for difference in result.differences:
        _say(f"warning: a plan of this file would still change {difference}")
    if inventory is not None:
        groups, found = count_noun(len(inventory.groups), "group"), count_noun(len(inventory.profiles), "profile")
        others = f"; {inventory.others} other profiles hold no setting that tapctl models" if inventory.others else ""
        _say(f"Imported the TAP policy, {groups} and {found}{others}.")


def _place(note: Note) -> str:
    return f"{'.'.join(note.place)}: " if note.place else ""


def _say_error(error: TapctlError) -> None:
    first, *rest = error.message.splitlines() or [""]
    _say(f"error: {first}")
    for line in rest:
        _say(line)
    if error.fix:
        _say(f"  fix: {error.fix}")


def _say_footer(usage: GraphUsage, seconds: float) -> None:
    from tapctl.output.wording import footer

    _say(footer([usage], seconds))


def _say(line: str) -> None:
    from tapctl.output.safe import plain_line, visible

    click.echo(plain_line(visible(line)), err=True)
