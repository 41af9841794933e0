"""What changed of the desired state between two revisions, as text, JSON and Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, assert_never

from tapctl.model.plan import FORMAT_VERSION
from tapctl.model.values import JSONValue
from tapctl.model.words import count_noun
from tapctl.output.safe import visible

if TYPE_CHECKING:
    from tapctl.config.differences import Revision, TenantDifference

DiffFormat = Literal["text", "json", "markdown"]

_PAST = {"create": "added", "update": "changed", "delete": "removed"}


def render_differences(
    found: Sequence[TenantDifference],
    older: Revision,
    newer: Revision,
    format: DiffFormat,  # noqa: A002  the name of the option
    *,
    color: bool = False,
) -> str:
    """The differences, ready for standard output.

    Args:
        color: for text alone.
    """
    match format:
        case "text":
            return "\n".join([*(_text(tenant, color=color) for tenant in found), _closing(found, older, newer) + "\n"])
        case "json":
            from tapctl.output.document import dumps

            return dumps(_document(found, older, newer))
        case "markdown":
            return _markdown(found)
        case _:
            assert_never(format)


def _document(found: Sequence[TenantDifference], older: Revision, newer: Revision) -> JSONValue:
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
        "older": {"revision": older.name, "commit": older.commit},
        "newer": {"revision": newer.name, "commit": newer.commit},
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


def _closing(found: Sequence[TenantDifference], older: Revision, newer: Revision) -> str:
    range_ = f"from {visible(str(older))} to {visible(str(newer))}"
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
