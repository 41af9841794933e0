"""Tokens: unsigned, made here, and checked for the tenant they name. Nobody's credentials are involved."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tapctl.sandbox.errors import GraphError
from tapctl.sandbox.permissions import ALL_PERMISSIONS
from tapctl.sandbox.wire import Call, JSONObject

APP_ID = "5a4dbc01-7a0c-4c7e-9a53-7a9c1d5a0b0e"
"""The application as whom `mint_token` signs in unless told otherwise."""
APP_NAME = "tapctl"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Whom the token speaks for, and what it may do."""

    is_user: bool
    id: str
    """Object id of the user or of the service principal."""
    name: str
    """User principal name, or the application's display name."""
    app_id: str
    permissions: frozenset[str] | None
    """None: the token says nothing about permissions, so none is asked for."""


def mint_token(tenant_id: str, *, roles: Sequence[str] | None = None, **claims: Any) -> str:
    """A bearer token for `tenant_id`: an application with all `roles` that the sandbox knows unless they are given.

    `claims` are added or replace others; a claim that is None is left out. With `scp` the token is a user's.
    """
    now = int(time.time())
    payload: JSONObject = {
        "aud": "https://graph.microsoft.com",
        "tid": tenant_id,
        "appid": APP_ID,
        "app_displayname": APP_NAME,
        "oid": str(uuid.uuid5(uuid.UUID(APP_ID), tenant_id)),
        "idtyp": "app",
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "uti": uuid.uuid4().hex,
        "roles": sorted(ALL_PERMISSIONS if roles is None else roles),
    }
    if "scp" in claims:
        payload |= {"idtyp": "user", "roles": None}
    payload |= claims
    payload = {name: value for name, value in payload.items() if value is not None}
    return ".".join((_encoded({"alg": "none", "typ": "JWT"}), _encoded(payload), ""))


def _encoded(document: JSONObject) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def claims_of(token: str) -> JSONObject | None:
    """The claims of a JWT, its signature not looked at; None when it is not one."""
    parts = token.split(".")
    if len(parts) != 3:
        return None
    try:
        payload = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return None
    return payload if isinstance(payload, dict) else None


def authenticate(call: Call, tenant_id: str, now_seconds: float) -> Actor:
    """Whom `call` speaks for.

    Raises:
        GraphError: 401, no token, no JWT, expired, or of another tenant.
    """
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise _unauthenticated("Access token is empty.")
    claims = claims_of(token.strip())
    if claims is None:
        raise _unauthenticated("CompactToken parsing failed with error code: 80049217")
    expires = claims.get("exp")
    if isinstance(expires, int | float) and expires <= now_seconds:
        raise _unauthenticated("Lifetime validation failed, the token is expired.")
    if str(claims.get("tid", "")).lower() != tenant_id:
        raise _unauthenticated("Access token validation failure. Invalid tenant.")
    return _actor(claims)


def _actor(claims: JSONObject) -> Actor:
    scopes, roles = claims.get("scp"), claims.get("roles")
    is_user = isinstance(scopes, str) or claims.get("idtyp") == "user"
    granted = scopes.split() if isinstance(scopes, str) else roles
    name = claims.get("upn" if is_user else "app_displayname")
    return Actor(
        is_user=is_user,
        id=str(claims.get("oid", "00000000-0000-0000-0000-000000000000")),
        name=str(name or claims.get("appid", "")),
        app_id=str(claims.get("appid", "")),
        permissions=frozenset(map(str, granted)) if isinstance(granted, list) else None,
    )


def _unauthenticated(message: str) -> GraphError:
    return GraphError(401, "InvalidAuthenticationToken", message, headers={"WWW-Authenticate": 'Bearer realm=""'})


def claims_challenge(now_seconds: float) -> GraphError:
    """The 401 of continuous access evaluation: come back with a token that meets these claims."""
    wanted = {"access_token": {"nbf": {"essential": True, "value": str(int(now_seconds))}}}
    claims = base64.b64encode(json.dumps(wanted, separators=(",", ":")).encode()).decode()
    challenge = (
        'Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/oauth2/authorize", '
        'client_id="00000003-0000-0000-c000-000000000000", error="insufficient_claims", '
        f'claims="{claims}"'
    )
    message = "Continuous access evaluation resulted in challenge."
    return GraphError(401, "InvalidAuthenticationToken", message, headers={"WWW-Authenticate": challenge})
