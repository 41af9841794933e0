"""The reply to one request, before it is classified: one type for whole answers and for parts of a batch."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from tapctl.graph.untrusted import parse_json
from tapctl.model.values import JSONValue

Form = Literal["empty", "json", "text", "broken"]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpReply:
    """Status, headers and body of one answer."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: JSONValue = None
    form: Form = "empty"
    """The type of the body as received; `broken` has no body."""


def decode_response(status: int, headers: Mapping[str, str], content: bytes) -> HttpReply:
    """The reply from an HTTP answer."""
    lowered = {name.lower(): value for name, value in headers.items()}
    if not content.strip():
        return HttpReply(status=status, headers=lowered)
    if _is_text(lowered):
        return HttpReply(status=status, headers=lowered, body=_plain(content.decode("utf-8", "replace")), form="text")
    try:
        return HttpReply(status=status, headers=lowered, body=parse_json(content), form="json")
    except ValueError:
        return HttpReply(status=status, headers=lowered, form="broken")


def decode_part(part: Mapping[str, JSONValue]) -> HttpReply | None:
    """The reply from one entry of a batch's `responses`, or None when the entry is not valid.

    Bodies that are not JSON arrive as strings, sometimes in base64.
    Source: https://learn.microsoft.com/graph/json-batching (2026-11-22).
    """
    status = part.get("status")
    if isinstance(status, str) and status.isascii() and status.isdecimal() and len(status) == 3:
        status = int(status)
    if not isinstance(status, int) or isinstance(status, bool):
        return None
    given = part.get("headers")
    headers = {name.lower(): str(value) for name, value in given.items()} if isinstance(given, dict) else {}
    body = part.get("body")
    if body is None or body == "":
        return HttpReply(status=status, headers=headers)
    if _is_text(headers):
        return HttpReply(status=status, headers=headers, body=_plain(_unwrapped_text(str(body))), form="text")
    if isinstance(body, str):
        return _decode_string_body(status, headers, body)
    return HttpReply(status=status, headers=headers, body=body, form="json")


def _decode_string_body(status: int, headers: Mapping[str, str], body: str) -> HttpReply:
    """JSON inside a string, as it is or in base64; no answer of Graph is a single JSON string."""
    for text in (body, _from_base64(body)):
        if text is None:
            continue
        try:
            value = parse_json(text)
        except ValueError:
            continue
        if isinstance(value, dict | list):
            return HttpReply(status=status, headers=headers, body=value, form="json")
    return HttpReply(status=status, headers=headers, form="broken")


def _is_text(headers: Mapping[str, str]) -> bool:
    return headers.get("content-type", "").partition(";")[0].strip().lower() == "text/plain"


def _unwrapped_text(text: str) -> str:
    """A count consists only of digits; the base64 form of digits never does, so the two cannot be confused."""
    bare = text.lstrip("\ufeff").strip()
    return text if bare.isdecimal() else (_from_base64(text) or text)


def _from_base64(text: str) -> str | None:
    try:
        return base64.b64decode(text, altchars=b"-_" if "-" in text or "_" in text else None, validate=True).decode()
    except (binascii.Error, ValueError):
        return None


def _plain(text: str) -> JSONValue:
    """A plain-text body: the number from `$count` (after a byte order mark), else the text."""
    bare = text.lstrip("\ufeff").strip()
    return int(bare) if bare.isascii() and bare.isdecimal() and len(bare) < 19 else bare
