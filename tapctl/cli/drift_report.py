"""The webhook of `drift --notify`."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tapctl.errors import UsageError
from tapctl.model.plan import Change

if TYPE_CHECKING:
    from tapctl.model.plan import PlanDocument

NOTIFY_SECONDS = 10.0

_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")
_MOST_LINES = 40
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
