"""A Graph at the transport: scripted answers, a clock that nobody waits for, tokens that nobody signed."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from tapctl.graph.address import Address
from tapctl.graph.client import GraphClient, Limits
from tapctl.graph.retry import Patience
from tapctl.model.requests import Read, Version, Write
from tapctl.model.values import JSONValue

TENANT = "6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11"
GRAPH = "https://graph.microsoft.com"
NOW = 1_795_334_400.0
"""2026-11-22T08:00:00Z."""


class FakeClock:
    """Time moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return 1000.0 + self.elapsed

    def wall(self) -> float:
        return NOW + self.elapsed

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.elapsed += seconds
        await asyncio.sleep(0)


def jwt(**claims: Any) -> str:
    """An unsigned token for TENANT that lives an hour, unless the claims say otherwise; None leaves a claim out."""
    payload = {"tid": TENANT, "exp": int(NOW) + 3600, "appid": "app", "oid": "someone"} | claims
    payload = {name: value for name, value in payload.items() if value is not None}
    return ".".join((_segment({"alg": "none"}), _segment(payload), ""))


def _segment(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@dataclass
class Tokens:
    """A source that hands out tokens in turn, the last one for ever."""

    tokens: Sequence[str] = (jwt(),)
    renewable: bool = True
    asked: list[tuple[str | None, bool]] = field(default_factory=list)
    closed: bool = False

    async def fetch(self, *, claims: str | None = None, renew: bool = False) -> str:
        self.asked.append((claims, renew))
        return self.tokens[min(len(self.asked), len(self.tokens)) - 1]

    async def close(self) -> None:
        self.closed = True


Responder = Callable[[httpx.Request], httpx.Response | Exception]


class ScriptedGraph(httpx.AsyncBaseTransport):
    """Answers every request by a function, and remembers what was sent."""

    def __init__(self, respond: Responder, *, clock: FakeClock | None = None, seconds: float = 0.0) -> None:
        self._respond = respond
        self._clock = clock
        self._seconds = seconds
        self.sent: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        if self._clock is not None:
            self._clock.elapsed += self._seconds
        answer = self._respond(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    @property
    def lines(self) -> list[str]:
        """Method and path of everything that was sent."""
        return [f"{request.method} {request.url.raw_path.decode()}" for request in self.sent]


def in_turn(*answers: httpx.Response | Exception) -> Responder:
    """Answer the first request by the first answer, and so on."""
    rest = iter(answers)
    return lambda _: next(rest)


def ok(body: object = None, **headers: str) -> httpx.Response:
    return httpx.Response(200, json={"id": "x"} if body is None else body, headers=headers)


def failed(status: int, code: str = "Code", message: str = "words", **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.Response(status, json=error_body(code, message), headers=named)


def error_body(code: str, message: str = "words") -> dict[str, JSONValue]:
    return {"error": {"code": code, "message": message, "innerError": {"request-id": "inner-id"}}}


def batch_parts(request: httpx.Request) -> list[dict[str, Any]]:
    """What a batch asks for."""
    parts: list[dict[str, Any]] = json.loads(request.content)["requests"]
    return parts


def batch_answer(parts: Iterable[Mapping[str, Any]]) -> httpx.Response:
    return httpx.Response(200, json={"responses": list(parts)})


def part(name: str, body: object = None, status: int = 200, **headers: str) -> dict[str, Any]:
    named = {key.replace("_", "-"): value for key, value in headers.items()}
    return {"id": name, "status": status, "headers": {"Content-Type": "application/json"} | named, "body": body}


def get(path: str = "/groups/1", *, version: Version = "v1.0", paged: bool = False, **more: Any) -> Read:
    return Read(purpose=f"reading {path}", version=version, path=path, paged=paged, permission="Group.Read.All", **more)


def patch(path: str = "/groups/1", **more: Any) -> Write:
    fields: dict[str, Any] = {"method": "PATCH", "body": {"displayName": "x"}} | more
    return Write(purpose="renaming a group", version="v1.0", path=path, permission="Group.ReadWrite.All", **fields)


def client_of(
    graph: httpx.AsyncBaseTransport,
    *,
    clock: FakeClock | None = None,
    source: Tokens | None = None,
    writable: bool = False,
    root: str = GRAPH,
    answer_seconds: float = 60.0,
    total_seconds: float | None = None,
) -> GraphClient:
    return GraphClient(
        address=Address(root=root, graph=GRAPH),
        source=source or Tokens(),
        transport=graph,
        tenant_id=TENANT,
        writable=writable,
        clock=clock or FakeClock(),
        jitter=lambda: 1.0,
        limits=Limits(patience=Patience(answer_seconds=answer_seconds), total_seconds=total_seconds),
    )
