"""One HTTP exchange with Graph through msgraph-sdk's request adapter.

Used parts of the SDK: `GraphRequestAdapter` (the one without typed models), kiota's bearer authentication with its
host check, and its handling of claims challenges (a 401 with claims is answered with one new token, once). Parts
that are not used, and why:

* its HTTP client with middlewares: the retry handler would send POST and PATCH again, the redirect handler would carry
  the token elsewhere. The adapter is given a plain httpx client instead; the retry policy is `tapctl.graph.retry`.
* `AzureIdentityAccessTokenProvider`: over http it allows the hosts localhost, ::1 and 127.0.0.1 alone (loopback is
  127.0.0.0/8), compares hosts without port or scheme, and fails with a bare binascii.Error on a challenge that is not
  base64. `_AccessTokens` implements the same interface on the token that was checked before anything was sent.
* its answers' models: `NativeResponseHandler` hands out the plain httpx response.

Measured (msgraph-sdk 1.65, one machine): importing all of the client 0.20 s, of which httpx is 0.13 s; a request costs
0.3 ms here, 0.1 ms on httpx alone.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from kiota_abstractions.authentication import (
    AccessTokenProvider,
    AllowedHostsValidator,
    BaseBearerTokenAuthenticationProvider,
)
from kiota_abstractions.method import Method
from kiota_abstractions.native_response_handler import NativeResponseHandler
from kiota_abstractions.request_information import RequestInformation
from kiota_http.middleware.options import ResponseHandlerOption
from msgraph.graph_request_adapter import GraphRequestAdapter

from tapctl import __version__
from tapctl.graph.address import Address
from tapctl.graph.replies import HttpReply, decode_response
from tapctl.graph.tokens import TokenKeeper
from tapctl.graph.untrusted import clean
from tapctl.graph.usage import Meter
from tapctl.model.requests import ProblemKind
from tapctl.model.values import JSONValue

CONNECT_SECONDS = 15.0

# Their INFO lines contain every address with its query, which names people.
for _chatty in ("httpx", "httpcore"):
    logging.getLogger(_chatty).setLevel(logging.WARNING)


@dataclass(frozen=True, slots=True)
class Lost:
    """An exchange without an answer."""

    kind: ProblemKind
    message: str
    maybe_sent: bool
    """Whether the request may have reached Graph."""


class Wire:
    """Sends single requests with the token, and returns the replies as values."""

    def __init__(
        self, *, address: Address, tokens: TokenKeeper, transport: httpx.AsyncBaseTransport, meter: Meter
    ) -> None:
        self._http = httpx.AsyncClient(
            transport=transport,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
            follow_redirects=False,
            trust_env=False,
            headers={"User-Agent": f"tapctl/{__version__}", "SdkVersion": f"tapctl/{__version__}"},
        )
        provider = BaseBearerTokenAuthenticationProvider(_AccessTokens(address, tokens, meter))
        self._adapter = GraphRequestAdapter(provider, client=self._http)

    async def exchange(
        self, method: str, url: str, *, headers: Mapping[str, str], body: JSONValue, seconds: float
    ) -> HttpReply | Lost:
        """Send one request and wait for its answer, at most `seconds`.

        Raises:
            RemoteError: Graph asked for a new token, and signing in failed.
        """
        request = _request_information(method, url, headers, body)
        try:
            async with asyncio.timeout(seconds):
                # Through the native handler the "no content" call returns the response itself.
                response: Any = await self._adapter.send_no_response_content_async(request, None)
        except TimeoutError:
            return Lost(ProblemKind.TIMEOUT, f"no answer within {seconds:.0f} s", maybe_sent=True)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            return Lost(ProblemKind.CONNECTION, _words("no connection", error), maybe_sent=False)
        except httpx.TimeoutException:
            return Lost(ProblemKind.TIMEOUT, "the connection timed out", maybe_sent=True)
        except httpx.DecodingError as error:
            return Lost(ProblemKind.MALFORMED, _words("the answer cannot be unpacked", error), maybe_sent=True)
        except httpx.RequestError as error:
            return Lost(ProblemKind.CONNECTION, _words("the connection was lost", error), maybe_sent=True)
        return decode_response(response.status_code, response.headers, response.content)

    async def close(self) -> None:
        await self._http.aclose()


def _request_information(method: str, url: str, headers: Mapping[str, str], body: JSONValue) -> RequestInformation:
    request = RequestInformation()
    request.http_method = Method(method)
    request.url = url
    for name, value in headers.items():
        request.headers.add(name, value)
    request.headers.try_add("Accept", "application/json")
    request.headers.try_add("client-request-id", str(uuid.uuid4()))
    if body is not None:
        request.headers.try_add("Content-Type", "application/json")
        request.content = json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
    request.add_request_options([ResponseHandlerOption(NativeResponseHandler())])
    return request


def _words(what: str, error: httpx.RequestError) -> str:
    return f"{what} ({clean(str(error), 200) or type(error).__name__})"


class _AccessTokens(AccessTokenProvider):
    """The token keeper behind the interface that kiota expects."""

    def __init__(self, address: Address, tokens: TokenKeeper, meter: Meter) -> None:
        self._address = address
        self._tokens = tokens
        self._meter = meter

    async def get_authorization_token(
        self,
        uri: str,
        additional_authentication_context: dict[str, Any] = {},  # noqa: B006 - the signature is kiota's
    ) -> str:
        """The token for a URL below Graph's address; empty for any other, which the guard then refuses."""
        if not self._address.holds(uri):
            return ""
        challenge = additional_authentication_context.get("claims")
        if challenge is None and self._tokens.is_fresh:
            return await self._tokens.current()
        with self._meter.signing_in():
            if challenge is None:
                return await self._tokens.current()
            refused = await self._tokens.current()
            return await self._tokens.renewed(refused, claims=decode_challenge(challenge))

    def get_allowed_hosts_validator(self) -> AllowedHostsValidator:
        return AllowedHostsValidator([httpx.URL(self._address.root).host])


def decode_challenge(challenge: str) -> str | None:
    """The claims (JSON) of a challenge, or None when it cannot be read: then only a new token can be tried."""
    try:
        claims = base64.b64decode(challenge + "=" * (-len(challenge) % 4)).decode()
        return claims if isinstance(json.loads(claims), dict) else None
    except (binascii.Error, ValueError, RecursionError):
        return None
