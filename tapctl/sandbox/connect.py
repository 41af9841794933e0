"""How the client reaches a sandbox tenant in its own process: a transport for httpx, and a token.

Importing this module costs nothing; httpx is imported when a transport is opened.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import EllipsisType
from typing import TYPE_CHECKING, Any

from tapctl.errors import UsageError

if TYPE_CHECKING:
    import httpx

    from tapctl.sandbox.behaviour import Behaviour
    from tapctl.sandbox.faults import Faults
    from tapctl.sandbox.tenant import Sandbox

FAULTS_VARIABLE = "TAPCTL_SANDBOX_FAULTS"
BEHAVIOUR_VARIABLE = "TAPCTL_SANDBOX_BEHAVIOUR"
LOG_VARIABLE = "TAPCTL_SANDBOX_LOG"
"""JSON text, or @file; the log is the path of a file that gets one JSON line for every request."""


def open_transport(
    tenant_id: str,
    *,
    state_path: Path | None | EllipsisType = ...,
    behaviour: Behaviour | None = None,
    faults: Faults | None = None,
    log: Path | None = None,
) -> httpx.AsyncBaseTransport:
    """A transport whose every request is answered by the sandbox of `tenant_id`, whatever host it names.

    Takes what `open_sandbox` takes. Use it under asyncio, from one event loop. A connection that a fault loses raises
    httpx.ConnectError or httpx.ReadError, an answer that is later than the client's read timeout httpx.ReadTimeout.

    Raises:
        TapctlError: as `open_sandbox`.
    """
    from tapctl.sandbox.transport import SandboxTransport

    return SandboxTransport(open_sandbox(tenant_id, state_path=state_path, behaviour=behaviour, faults=faults, log=log))


def open_sandbox(
    tenant_id: str,
    *,
    state_path: Path | None | EllipsisType = ...,
    behaviour: Behaviour | None = None,
    faults: Faults | None = None,
    log: Path | None = None,
) -> Sandbox:
    """The embedded tenant. What is not given comes from the environment.

    `state_path`: its file; None keeps it in memory; left out, the usual place. Faults of the environment keep one
    count of occurrences for the whole process.

    Raises:
        UsageError: `tenant_id` is no GUID, or a variable of the environment cannot be used.
    """
    from tapctl.sandbox.state import default_path
    from tapctl.sandbox.tenant import Sandbox

    identifier = _checked(tenant_id)
    path = default_path(identifier) if isinstance(state_path, EllipsisType) else state_path
    log_text = os.environ.get(LOG_VARIABLE)
    return Sandbox(
        identifier,
        path,
        behaviour=behaviour or _behaviour(os.environ.get(BEHAVIOUR_VARIABLE) or "{}"),
        faults=faults or _faults(os.environ.get(FAULTS_VARIABLE) or "[]"),
        log=log or (Path(log_text) if log_text else None),
    )


def _checked(tenant_id: str) -> str:
    try:
        return str(uuid.UUID(tenant_id))
    except ValueError as error:
        raise UsageError(f"the sandbox tenant id {tenant_id!r} is not a GUID") from error


def _behaviour(text: str) -> Behaviour:
    from tapctl.sandbox.behaviour import Behaviour

    return Behaviour.parse(text)


@cache
def _faults(text: str) -> Faults:
    from tapctl.sandbox.faults import parse

    return parse(text)


def mint_token(tenant_id: str, *, roles: Sequence[str] | None = None, **claims: Any) -> str:
    """A bearer token that the sandbox of `tenant_id` takes; see tapctl.sandbox.tokens.mint_token."""
    from tapctl.sandbox.tokens import mint_token as mint

    return mint(tenant_id, roles=roles, **claims)
