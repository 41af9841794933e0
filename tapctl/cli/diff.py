"""`tapctl diff`: what changed in the desired state between two revisions, offline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from tapctl.cli import options
from tapctl.errors import ExitCode, Finding, UsageError
from tapctl.model.plan import FORMAT_VERSION, Change
from tapctl.model.values import JSONValue

if TYPE_CHECKING:
    from tapctl.cli.options import Selection
    from tapctl.config.load import Failed, Loaded
    from tapctl.model.desired import Tenant

Status = Literal["clean", "changes", "failed", "unknown"]
"""`failed`: the newer revision is invalid. `unknown`: the older one is, so that the two cannot be compared."""

Presence = Literal["kept", "added", "removed", "renamed"]

_SEPARATED = "tapctl.diff.separated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """The two revisions of one command line, and the PATHs to compare."""

    older: str
    newer: str
    older_commit: str
    newer_commit: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantDifference:
    """What changed of one tenant."""

    name: str
    previous_name: str | None = None
    status: Status
    presence: Presence = "kept"
    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def is_invalid(self) -> bool:
        """Whether somebody must edit the newer revision."""
        return self.status == "failed"


class _DiffCommand(click.Command):
    """Remembers what stands behind `--`, which click would forget: there are PATHs alone."""

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
    output_format: str,
    no_color: bool,
    log_level: str,
    log_format: str,
) -> int:
    """Show what changed in the desired state between two Git revisions. Talks to nobody.

    The second REV is HEAD unless given. A...B compares the common ancestor of A and B with B, as a pull request does.
    The second argument is a REV when git knows it as a commit and no such file exists; what stands behind `--` is
    always a PATH. Exits with 3 when the newer revision is invalid.
    """
    options.configure_logging(log_level, log_format)
    compared = _compared(arguments, ctx.meta.get(_SEPARATED))
    found = differences(compared, options.selection((), names, labels))
    color = options.wants_color(no_color=no_color)
    click.echo(_rendered(compared, found, output_format, color=color), nl=False)
    return ExitCode.REFUSED if any(tenant.is_invalid for tenant in found) else ExitCode.DONE


# The command line


def _compared(arguments: Sequence[str], separated: Sequence[str] | None) -> Compared:
    """Which revisions and which PATHs are meant.

    Raises:
        UsageError: a revision is not known.
    """
    from tapctl.cli.revisions import common_ancestor, known_commit, repository

    root = repository()
    older, newer, rest = _revisions(root, arguments, is_separated=separated is not None)
    if "..." in older:
        one, _, other = older.partition("...")
        older, newer = common_ancestor(root, one or "HEAD", other or "HEAD"), other or "HEAD"
    elif ".." in older:
        one, _, other = older.partition("..")
        older, newer = one or "HEAD", other or "HEAD"
    return Compared(
        older=older,
        newer=newer,
        older_commit=known_commit(root, older),
        newer_commit=known_commit(root, newer),
        paths=(*rest, *(separated or ())),
    )


def _revisions(root: Path, arguments: Sequence[str], *, is_separated: bool) -> tuple[str, str, Sequence[str]]:
    """The revisions as typed, and what is left over for PATHs."""
    from tapctl.cli.revisions import commit_of

    first, *rest = arguments
    if ".." in first or not rest:
        newer = "HEAD"
    elif is_separated or (not Path(rest[0]).exists() and commit_of(root, rest[0]) is not None):
        newer, *rest = rest
    else:
        newer = "HEAD"
    if is_separated and rest:
        raise UsageError("more than two revisions before `--`", fix="name two, or put the PATHs behind `--`")
    return first, newer, rest


# Comparing


def differences(compared: Compared, chosen: Selection) -> tuple[TenantDifference, ...]:
    """What changed of every selected tenant, by name.

    Raises:
        UsageError: a PATH is in neither revision, or no tenant is selected.
    """
    from tapctl.cli.revisions import DEFAULT_PATH, holds_tenants, load_at, repository
    from tapctl.config.source import GitTree
    from tapctl.config.words import printable

    root = repository()
    older, newer = GitTree(root, compared.older_commit), GitTree(root, compared.newer_commit)
    for path in compared.paths or (DEFAULT_PATH,):
        if not holds_tenants(older, path) and not holds_tenants(newer, path):
            raise UsageError(
                f"there is no tenant in {printable(path)}, in {_shown(compared.older)} or in {_shown(compared.newer)}",
                fix="name a tenant file or folder of either revision, or a revision that git knows",
            )
    before, after = load_at(older, compared.paths), load_at(newer, compared.paths)
    found = [_difference(one, other, after, compared) for one, other in _pairs(before, after, chosen)]
    if not found:
        raise UsageError("no tenant of either revision is selected", fix="check --tenant and --select")
    return tuple(sorted(found, key=lambda item: item.name))


def _shown(revision: str) -> str:
    return revision[:12] if len(revision) == 40 else revision


def _pairs(
    before: Loaded, after: Loaded, chosen: Selection
) -> list[tuple[Tenant | Failed | None, Tenant | Failed | None]]:
    """Each tenant of both revisions: by name, else by tenant id, so that a renamed file is not two tenants."""
    older: dict[str, Tenant | Failed] = {**before.failed, **{tenant.name: tenant for tenant in before.tenants}}
    newer: dict[str, Tenant | Failed] = {**after.failed, **{tenant.name: tenant for tenant in after.tenants}}
    gone = {item.id: name for name, item in older.items() if name not in newer and item.id}
    pairs: list[tuple[Tenant | Failed | None, Tenant | Failed | None]] = []
    for name, item in newer.items():
        pairs.append((older.pop(name if name in older else gone.get(item.id, ""), None), item))
    pairs += [(item, None) for item in older.values()]
    return [pair for pair in pairs if any(_is_chosen(item, chosen) for item in pair if item is not None)]


def _is_chosen(item: Tenant | Failed, chosen: Selection) -> bool:
    """Whether the options select a tenant; one whose labels could not be read is not passed over."""
    labels: Mapping[str, str] | None = getattr(item, "labels", None)
    is_named = not chosen.names or item.name in chosen.names
    return is_named and (labels is None or chosen.labels.items() <= labels.items())


def _difference(
    older: Tenant | Failed | None, newer: Tenant | Failed | None, after: Loaded, compared: Compared
) -> TenantDifference:
    from tapctl.config.load import Failed
    from tapctl.insight.desired_diff import compare

    name = next(item.name for item in (newer, older) if item is not None)
    presence = _presence(older, newer)
    previous = older.name if older is not None and presence == "renamed" else None
    if isinstance(newer, Failed):
        return TenantDifference(
            name=name, previous_name=previous, presence=presence, status="failed", findings=newer.findings
        )
    findings = _findings(newer, after) if newer is not None else ()
    is_invalid = any(finding.severity == "error" and not finding.suppressed for finding in findings)
    if isinstance(older, Failed):
        unknown = _incomparable(older, compared)
        status: Status = "failed" if is_invalid else "unknown"
        return TenantDifference(
            name=name, previous_name=previous, presence=presence, status=status, findings=(unknown, *findings)
        )
    changes = compare(older, newer)
    return TenantDifference(
        name=name,
        previous_name=previous,
        presence=presence,
        status="failed" if is_invalid else "changes" if changes else "clean",
        changes=changes,
        findings=findings,
    )


def _presence(older: Tenant | Failed | None, newer: Tenant | Failed | None) -> Presence:
    if older is None:
        return "added"
    if newer is None:
        return "removed"
    return "kept" if older.name == newer.name else "renamed"


def _findings(tenant: Tenant, loaded: Loaded) -> tuple[Finding, ...]:
    """Everything that the rules and guardrails say of a tenant of the newer revision."""
    from tapctl.rules.check import check

    own = [item for item in loaded.findings if item.position is None or item.position.file in tenant.lines]
    return tuple(dict.fromkeys([*own, *check(tenant, today=datetime.now(UTC).date())]))


def _incomparable(older: Failed, compared: Compared) -> Finding:
    return Finding(
        rule="older-revision-invalid",
        severity="warning",
        message=f"what changed is unknown: {older.name} is invalid at {_shown(compared.older)}",
        why="a desired state that cannot be read whole cannot be compared",
        fix="read the change of the file itself, or compare with a revision that `tapctl validate` accepts",
    )


# Rendering


def _rendered(compared: Compared, found: Sequence[TenantDifference], output_format: str, *, color: bool) -> str:
    if output_format == "json":
        from tapctl.output.document import dumps

        return dumps(_document(compared, found))
    if output_format == "markdown":
        return _markdown(found)
    return "\n".join([*(_text(tenant, color=color) for tenant in found), _closing(compared, found) + "\n"])


def _document(compared: Compared, found: Sequence[TenantDifference]) -> JSONValue:
    from tapctl.output.document import changes_to_json, findings_to_json

    tenants: list[JSONValue] = []
    for tenant in found:
        document: dict[str, JSONValue] = {
            "name": tenant.name,
            "previousName": tenant.previous_name,
            "status": tenant.status,
            "presence": tenant.presence,
            "changes": changes_to_json(tenant.changes),
        }
        findings = findings_to_json(tenant.findings)
        tenants.append(document | (findings if isinstance(findings, dict) else {}))
    return {
        "formatVersion": FORMAT_VERSION,
        "command": "diff",
        "older": {"revision": compared.older, "commit": compared.older_commit},
        "newer": {"revision": compared.newer, "commit": compared.newer_commit},
        "tenants": tenants,
    }


def _markdown(found: Sequence[TenantDifference]) -> str:
    from tapctl.output.markdown import render_changes

    findings = list(dict.fromkeys(finding for tenant in found for finding in tenant.findings))
    invalid = " The newer revision is invalid." if any(tenant.is_invalid for tenant in found) else ""
    unread = any(tenant.status in ("failed", "unknown") for tenant in found)
    incomplete = " Not every tenant could be compared." if unread and not invalid else ""
    heading = f"tapctl diff{invalid}{incomplete} Desired state"
    return render_changes({_label(tenant): tenant.changes for tenant in found}, heading=heading, findings=findings)


def _text(tenant: TenantDifference, *, color: bool) -> str:
    from tapctl.output.safe import visible
    from tapctl.output.terminal import render_changes, render_findings

    words = f"{visible(_label(tenant))}: {tenant.status}\n"
    shown = render_changes(tenant.changes, color=color, verb="is")
    findings = render_findings(tenant.findings, color=color) if tenant.findings else ""
    return words + "".join(f"  {line}\n" if line else "\n" for line in (shown + findings).splitlines())


def _label(tenant: TenantDifference) -> str:
    match tenant.presence:
        case "renamed":
            return f"{tenant.name} (was {tenant.previous_name})"
        case "added" | "removed":
            return f"{tenant.name} ({tenant.presence})"
        case "kept":
            return tenant.name


def _closing(compared: Compared, found: Sequence[TenantDifference]) -> str:
    from tapctl.model.words import count_noun
    from tapctl.output.safe import visible

    range_ = f"from {visible(_shown(compared.older))} to {visible(_shown(compared.newer))}"
    changes = [change for tenant in found for change in tenant.changes]
    unread = sum(1 for tenant in found if tenant.status in ("failed", "unknown"))
    rest = f"; {count_noun(unread, 'tenant')} could not be compared" if unread else ""
    if found and unread == len(found) and not changes:
        return f"Nothing could be compared {range_}."
    if not changes:
        return f"No changes of the desired state {range_}{rest}."
    actions: list[str] = [change.action for change in changes]
    counts = ", ".join(f"{actions.count(action)} {past}" for action, past in _PAST.items())
    return f"Desired state {range_}: {count_noun(len(changes), 'declaration')}: {counts}{rest}."


_PAST = {"create": "added", "update": "changed", "delete": "removed"}
