"""What `drift` tells others than its caller: a webhook, and Prometheus."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tapctl.errors import UsageError
from tapctl.model.plan import Change, TenantPlan

if TYPE_CHECKING:
    from tapctl.model.plan import PlanDocument

REASONS = ("drift", "pending", "lapsed")
KINDS = ("groups", "temporaryAccessPass", "webSignIn")
NOTIFY_SECONDS = 10.0

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_MOST_LINES = 40
_COSTS = {
    "requests": "Requests to Graph, batch parts counted.",
    "calls": "HTTP exchanges with Graph.",
    "throttled": "Answers 429 of Graph.",
    "seconds": "How long the tenant took.",
}
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


# A webhook


def webhook(text: str, environ: Mapping[str, str] = os.environ) -> str:
    """The address of --notify: an https address, or the name of the environment variable that holds it.

    Raises:
        UsageError: it is neither. The message never quotes an address: whoever knows it can post.
    """
    if _VARIABLE.fullmatch(text):
        address = environ.get(text, "")
        if not address:
            raise UsageError(f"--notify names the variable {text}, which is not set", fix="set it to the address")
    else:
        address = text
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        host = None
    if host is None or not (parts.scheme == "https" or (parts.scheme == "http" and host in _LOOPBACK)):
        raise UsageError(
            "--notify takes an https address (http on this machine), or the name of a variable that holds one",
            fix="for instance --notify TEAMS_WEBHOOK, with the address in that variable",
        )
    return address


def notify(address: str, document: PlanDocument) -> str | None:
    """POST the summary; says in words why that failed, without the address. The run does not depend on it."""
    import httpx

    try:
        answer = httpx.post(address, json={"text": message(document)}, timeout=NOTIFY_SECONDS, follow_redirects=False)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return type(error).__name__
    return None if answer.is_success else f"HTTP {answer.status_code}"


def message(document: PlanDocument) -> str:
    """The summary that chat tools show: plain lines, in which no name of a tenant can act."""
    from tapctl.output.wording import closing

    lines = [f"tapctl drift: {closing(document)}"]
    for tenant in document.tenants:
        if tenant.status != "clean":
            sandbox = " [sandbox]" if tenant.is_sandbox else ""
            lines.append(f"{_harmless(tenant.name)}{sandbox}: {tenant.status}")
            lines += [f"- {_summary(change)}" for change in tenant.changes]
    more = len(lines) - _MOST_LINES
    return "\n".join([*lines[:_MOST_LINES], f"and {more} lines more"] if more > 0 else lines)


def _summary(change: Change) -> str:
    paths = ", ".join(_harmless(item.path) for item in change.fields) if change.action == "update" else ""
    by = f", by {_harmless(change.by.who)} at {_harmless(change.by.when)}" if change.by is not None else ""
    fields = f" ({paths})" if paths else ""
    return f"{change.reason or 'drift'}: {change.action} {_harmless(change.address)}{fields}{by}"


def _harmless(text: str) -> str:
    """Text without what Slack, Teams and their Markdown would act on."""
    from tapctl.output.safe import shorten, visible

    plain = shorten(visible(text), 120)
    for character, written in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        plain = plain.replace(character, written)
    return re.sub(r"[`*~|\[\]\\]", "?", plain)


# Prometheus. Source: the text exposition format 0.0.4


def metrics(document: PlanDocument) -> str:
    """The run as metrics. A tenant that could not be read has no count of changes: unknown is not none."""
    return "".join(line + "\n" for family in _families(document.tenants, document) for line in family)


def _families(tenants: Sequence[TenantPlan], document: PlanDocument) -> Iterator[list[str]]:
    known = [tenant for tenant in tenants if tenant.status != "failed"]
    yield _family(
        "tapctl_drift_changes",
        "Objects that are not as declared, by kind and reason.",
        (
            ({"tenant": tenant.name, "kind": kind, "reason": reason}, _count(tenant, kind, reason))
            for tenant in known
            for kind in KINDS
            for reason in REASONS
        ),
    )
    yield _family(
        "tapctl_run_success",
        "Whether the tenant was read and compared.",
        (({"tenant": tenant.name}, int(tenant.status != "failed")) for tenant in tenants),
    )
    for name, text in _COSTS.items():
        samples = (({"tenant": tenant.name}, getattr(tenant.graph, name)) for tenant in tenants)
        yield _family(f"tapctl_graph_{name}", text, samples)
    moment = int(document.created_at.timestamp())
    yield _family("tapctl_run_timestamp_seconds", "When the run was, as Unix time.", [({}, moment)])


def _count(tenant: TenantPlan, kind: str, reason: str) -> int:
    return sum(change.address.partition(".")[0] == kind and change.reason == reason for change in tenant.changes)


def _family(name: str, text: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> list[str]:
    lines = [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
    for labels, value in samples:
        listed = ",".join(f'{label}="{_escaped(content)}"' for label, content in labels.items())
        lines.append(f"{name}{{{listed}}} {value}" if listed else f"{name} {value}")
    return lines


def _escaped(content: str) -> str:
    return content.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
