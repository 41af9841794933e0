"""Requests and answers as plain values, and how a Graph path is taken apart."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote

JSONObject: TypeAlias = dict[str, Any]
"""Wire JSON. The sandbox is wire all through: it has no other form of its objects."""

READING_ACTIONS = frozenset(
    {"$batch", "getbyids", "checkmembergroups", "checkmemberobjects", "getmembergroups", "getmemberobjects"}
)
"""Last segments, in lower case, of POSTs that change nothing."""

_OPTIONS = frozenset({"filter", "select", "expand", "orderby", "top", "skip", "count", "search", "skiptoken"})
_KEYED = re.compile(r"^([A-Za-z$][\w.]*)\((.*)\)$", re.DOTALL)
_NAMED_KEY = re.compile(r"^([A-Za-z]\w*)=(.*)$", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request: sent alone, or a part of a batch."""

    method: str
    version: str
    """v1.0 or beta."""
    path: str
    """Below the version, still percent-encoded, beginning with a slash."""
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""
    body: Any = None
    """JSON, or None where there was none."""
    base: str = "https://graph.microsoft.com"
    """Scheme and host as the client used them."""
    request_id: str = ""
    is_part: bool = False

    @property
    def target(self) -> str:
        return f"{self.path}?{self.query}" if self.query else self.path

    @property
    def is_batch(self) -> bool:
        return self.path.lower() == "/$batch"

    @property
    def is_write(self) -> bool:
        last = self.path.rstrip("/").rsplit("/", 1)[-1].lower()
        return self.method not in {"GET", "HEAD"} and last not in READING_ACTIONS

    @property
    def client_request_id(self) -> str:
        return self.headers.get("client-request-id") or self.request_id

    def options(self) -> dict[str, str]:
        """The query options; those that OData knows bear their `$` even when the client left it out."""
        found = {}
        for name, value in parse_qsl(self.query, keep_blank_values=True):
            bare = name.lstrip("$").lower()
            found[f"${bare}" if bare in _OPTIONS else name] = value
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """One answer. `text` is sent instead of `body` where the answer is not JSON."""

    status: int = 200
    body: JSONObject | None = None
    text: str | None = None
    content_type: str = "text/plain"
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0
    cut_off: bool = False
    """Only the first half of the body is sent."""


NO_CONTENT = Reply(status=204)


def segments(path: str) -> tuple[str, ...]:
    """Take a path apart: `policies('x')` is `policies`, `x`; `groups(uniqueName='x')` is `groups(uniqueName)`, `x`."""
    found: list[str] = []
    for piece in path.strip("/").split("/"):
        text = unquote(piece)
        keyed = _KEYED.match(text)
        if keyed is None:
            found.append(text)
            continue
        name, key = keyed.groups()
        named = _NAMED_KEY.match(key)
        if named:
            found += [f"{name}({named[1]})", _literal(named[2])]
        elif key:
            found += [name, _literal(key)]
        else:
            found.append(name)
    return tuple(found)


def _literal(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return text[1:-1].replace("''", "'")
    return text
