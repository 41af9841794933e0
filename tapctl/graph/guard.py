"""The innermost layer: it stops requests that are not allowed, and counts and logs all others.

A client that only reads sends GET, `$batch` whose parts it may send itself, and the reading POSTs listed here.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re

import httpx

from tapctl.errors import TapctlError
from tapctl.graph.address import VERSIONS, Address
from tapctl.graph.clock import Clock
from tapctl.graph.usage import Meter

_LOG = logging.getLogger("tapctl.graph")

_OBJECT = r"(?:/me|/(?:users|groups|devices|servicePrincipals|directoryObjects)(?:/[^/?]+|\('[^/?]+'\)))"
_READING_POSTS = re.compile(
    rf"""(?ix)
      /directoryObjects/(?:microsoft\.graph\.)?getByIds
    | {_OBJECT}/(?:microsoft\.graph\.)?(?:check|get)Member(?:Groups|Objects)
    | /deviceManagement/(?:microsoft\.graph\.)?evaluateAssignmentFilter
    | /deviceManagement/assignmentFilters/(?:microsoft\.graph\.)?validateFilter
    | /deviceManagement/reports/(?:microsoft\.graph\.)?get[A-Za-z]+
    | /identity/conditionalAccess/evaluate
    """
)
"""POSTs that change nothing. Source: these actions' pages on https://learn.microsoft.com/graph/api (2026-11-22)."""

_METHOD_OVERRIDES = frozenset({"x-http-method", "x-http-method-override", "x-method-override"})
"""Headers that can turn a GET into another method."""


class ForbiddenRequestError(TapctlError):
    """A request that the code must never try to send: a bug. Nothing was sent."""


def is_reading_post(path: str) -> bool:
    """Whether a POST to this path below the version changes nothing."""
    return _READING_POSTS.fullmatch(path.partition("?")[0]) is not None


def reads_only(method: str, path: str) -> bool:
    """Whether a request, alone or as a part of a batch, changes nothing."""
    return method == "GET" or (method == "POST" and is_reading_post(path))


class GuardedTransport(httpx.AsyncBaseTransport):
    """Forwards to another transport only the requests that this client may send: by address, and reads or writes."""

    def __init__(
        self, inner: httpx.AsyncBaseTransport, *, address: Address, writable: bool, meter: Meter, clock: Clock
    ) -> None:
        self._inner = inner
        self._address = address
        self._writable = writable
        self._meter = meter
        self._clock = clock

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request.

        Raises:
            ForbiddenRequestError: it goes to another host, or would write from a client that only reads.
            httpx.TransportError: the exchange failed.
        """
        requests = self._checked(request)
        place = self._meter.begin(requests)
        began = self._clock.now()
        # Calls that are started together must all have begun before the first of them ends, however fast it is.
        await asyncio.sleep(0)
        try:
            response = await self._inner.handle_async_request(request)
            # Read the body here, so that the call ends only when the whole answer has arrived.
            await response.aread()
        except BaseException as error:
            self._log(request, f"failed ({type(error).__name__})", began)
            raise
        finally:
            self._meter.end(place)
        if response.status_code == 429:
            self._meter.throttled()
        named = response.headers.get("request-id", "-")
        self._log(request, f"{response.status_code} request-id {named!r}", began)
        return response

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _checked(self, request: httpx.Request) -> int:
        """The number of Graph requests inside, after checking that each is allowed."""
        if not self._address.holds(str(request.url)):
            raise ForbiddenRequestError("a request to another host than Graph was not sent")
        overrides = _METHOD_OVERRIDES.intersection(name.lower() for name in request.headers)
        path = self._path(request)
        if request.method == "POST" and path.lower() == "/$batch":
            return self._checked_batch(request.content)
        if overrides or not (self._writable or reads_only(request.method, path)):
            raise ForbiddenRequestError(f"{request.method} {path} was not sent: this run only reads")
        return 1

    def _checked_batch(self, content: bytes) -> int:
        """Batches contain only reads, also those of a client that may write: a write is sent in its own call."""
        parts = json.loads(content)["requests"]
        for part in parts:
            overrides = _METHOD_OVERRIDES.intersection(name.lower() for name in part.get("headers", {}))
            if overrides or not reads_only(part["method"], part["url"]):
                raise ForbiddenRequestError(f"a batch with {part['method']} was not sent: batches only read")
        return len(parts)

    def _path(self, request: httpx.Request) -> str:
        """The path below the version, without query."""
        followed = self._address.follow(str(request.url))
        if followed is None:
            raise ForbiddenRequestError(f"a request outside {' and '.join(VERSIONS)} was not sent")
        return followed[1].partition("?")[0]

    def _log(self, request: httpx.Request, ending: str, began: float) -> None:
        """One line: no query (it may name people), no header, no body, no token."""
        milliseconds = (self._clock.now() - began) * 1000
        _LOG.debug("%s %s: %s, %.0f ms", request.method, request.url.path, ending, milliseconds)
