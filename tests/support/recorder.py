"""A transport that remembers every request that left, parts of batches one by one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

from tapctl.sandbox.wire import READING_ACTIONS


@dataclass(frozen=True, slots=True)
class Sent:
    """One request as it left: path and query below the version, still percent-encoded."""

    method: str
    version: str
    target: str
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def is_write(self) -> bool:
        last = self.path.rstrip("/").rsplit("/", 1)[-1].lower()
        return self.method not in {"GET", "HEAD"} and last not in READING_ACTIONS

    def __str__(self) -> str:
        return f"{self.method} {self.target}"


class Recorder(httpx.AsyncBaseTransport):
    """Passes requests on, and keeps what they were in `sent`."""

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        sent: list[Sent],
        after: Callable[[Sent], None] = lambda _: None,
    ) -> None:
        """
        Args:
            after: what happens right after a request was carried out, before its answer arrives.
        """
        self._inner = inner
        self._sent = sent
        self._after = after

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        taken = list(_taken_apart(request, await request.aread()))
        self._sent.extend(taken)
        response = await self._inner.handle_async_request(request)
        for item in taken:
            self._after(item)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()


def _taken_apart(request: httpx.Request, content: bytes) -> Iterator[Sent]:
    version, _, path = request.url.raw_path.decode("ascii").lstrip("/").partition("/")
    body: Any = json.loads(content) if content else None
    if path == "$batch":
        for part in body["requests"]:
            yield Sent(part["method"], version, part["url"], part.get("body"))
    else:
        yield Sent(request.method, version, f"/{path}", body, tuple(request.headers.items()))
