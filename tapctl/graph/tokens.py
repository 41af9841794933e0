"""Access tokens: reading the claims, checking the tenant, and keeping a token until it must be renewed."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
from dataclasses import dataclass
from typing import Protocol

from tapctl.errors import RemoteError
from tapctl.graph.clock import Clock
from tapctl.graph.untrusted import clean, parse_json
from tapctl.model.values import JSONValue

RENEWAL_MARGIN_SECONDS = 300.0
"""Seconds: a token that expires sooner than this is renewed, as azure-identity does."""
_JWT = re.compile(r"[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]*")


class TokenSource(Protocol):
    """A way of signing in that returns access tokens."""

    @property
    def renewable(self) -> bool:
        """Whether another fetch can give a new token without a person."""

    async def fetch(self, *, claims: str | None = None, renew: bool = False) -> str:
        """An access token for Graph.

        Args:
            claims: a claims challenge (JSON) that the token must meet.
            renew: Graph refused the cached token; do not return it again.

        Raises:
            RemoteError: signing in failed. The message contains no secret.
        """

    async def close(self) -> None:
        """Close the connections that signing in opened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFacts:
    """The claims of an access token. They are read, not verified: only Graph verifies the token."""

    tenant_id: str
    """`tid`, in lower case."""
    application_id: str = ""
    """`appid`, or `azp` in newer tokens."""
    object_id: str = ""
    """`oid`: the user or service principal."""
    audience: str = ""
    roles: frozenset[str] = frozenset()
    """Application permissions."""
    scopes: frozenset[str] = frozenset()
    """Delegated permissions (`scp`)."""
    role_templates: frozenset[str] = frozenset()
    """Directory roles of a user (`wids`)."""
    expires: float | None = None
    """Seconds since the epoch."""

    @property
    def permissions(self) -> frozenset[str]:
        """All permissions in the token, application and delegated."""
        return self.roles | self.scopes

    @property
    def is_delegated(self) -> bool:
        """Whether it is the token of a person, not of an application."""
        return bool(self.scopes)


def token_facts(token: str) -> TokenFacts:
    """Read the claims of a JWT.

    Raises:
        ValueError: it is not a JWT, or its `tid` or `exp` cannot be read. The token is not quoted.
    """
    match = _JWT.fullmatch(token)
    if match is None:
        raise ValueError("it is not a JWT")
    payload = match.group(1)
    try:
        claims = parse_json(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (binascii.Error, ValueError):
        raise ValueError("its claims cannot be read") from None
    if not isinstance(claims, dict):
        raise ValueError("its claims cannot be read")
    tenant_id = _text(claims.get("tid"))
    if not tenant_id:
        raise ValueError("it does not say which tenant it is for (tid)")
    expires = claims.get("exp")
    if expires is not None and (isinstance(expires, bool) or not isinstance(expires, int | float)):
        raise ValueError("it does not say when it expires (exp)")
    return TokenFacts(
        tenant_id=tenant_id.lower(),
        application_id=_text(claims.get("appid")) or _text(claims.get("azp")),
        object_id=_text(claims.get("oid")),
        audience=_text(claims.get("aud")),
        roles=_texts(claims.get("roles")),
        scopes=frozenset(_text(claims.get("scp"), 5_000).split()),
        role_templates=_texts(claims.get("wids")),
        expires=None if expires is None else float(expires),
    )


def _text(value: JSONValue, limit: int = 200) -> str:
    return clean(value, limit) if isinstance(value, str) else ""


def _texts(value: JSONValue) -> frozenset[str]:
    return frozenset(_text(item) for item in value) - {""} if isinstance(value, list) else frozenset()


class TokenKeeper:
    """Keeps one token of one tenant; never returns a token of another or an unknown tenant."""

    def __init__(self, source: TokenSource, *, tenant_id: str, clock: Clock) -> None:
        self._source = source
        self._tenant_id = tenant_id.lower()
        self._clock = clock
        self._token = ""
        self._facts: TokenFacts | None = None
        self._lock = asyncio.Lock()

    @property
    def facts(self) -> TokenFacts | None:
        """The claims of the kept token; None before the first sign-in."""
        return self._facts

    @property
    def renewable(self) -> bool:
        return self._source.renewable

    @property
    def is_fresh(self) -> bool:
        """Whether `current` would return without signing in."""
        if self._facts is None:
            return False
        expires = self._facts.expires
        return not self.renewable or expires is None or expires - self._clock.wall() > RENEWAL_MARGIN_SECONDS

    async def current(self) -> str:
        """The token; a new one is fetched when it is about to expire.

        Raises:
            RemoteError: signing in failed, or the token is not for this tenant.
        """
        async with self._lock:
            if not self.is_fresh:
                self._keep(await self._source.fetch())
            return self._token

    async def renewed(self, refused: str, *, claims: str | None = None) -> str:
        """A new token instead of the one that Graph refused; requests that were refused together share it.

        Raises:
            RemoteError: there is no other token, signing in failed, or the token is not for this tenant.
        """
        async with self._lock:
            if self._token != refused:
                return self._token
            if not self.renewable:
                raise RemoteError(
                    "Graph refused the token, and this way of signing in cannot get another one",
                    fix="put a fresh token into the variable, or sign in again, then run again",
                )
            self._keep(await self._source.fetch(claims=claims, renew=True))
            return self._token

    async def close(self) -> None:
        await self._source.close()

    def _keep(self, token: str) -> None:
        try:
            facts = token_facts(token)
        except ValueError as error:
            raise RemoteError(
                f"the access token cannot be used: {error}", fix="check how tenant.auth signs in; nothing was sent"
            ) from None
        if facts.tenant_id != self._tenant_id:
            raise RemoteError(
                f"the access token is for tenant {facts.tenant_id}, but tenant.id is {self._tenant_id}",
                fix="sign in to the tenant that the file names, or correct tenant.id; nothing was sent",
            )
        if facts.expires is not None and facts.expires <= self._clock.wall():
            raise RemoteError("the access token has expired", fix="get a fresh token, then run again")
        self._token, self._facts = token, facts
