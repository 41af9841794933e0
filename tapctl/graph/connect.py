"""From a tenant to its Graph client: cloud, credentials, address and transport."""

from __future__ import annotations

import os
import ssl
import urllib.request
from collections.abc import Mapping
from urllib.parse import urlsplit

import httpx

from tapctl.errors import RefusedError
from tapctl.graph.address import OVERRIDE_VARIABLE, Address, address_of
from tapctl.graph.client import GraphClient, Limits
from tapctl.graph.clock import Clock
from tapctl.graph.clouds import CLOUDS
from tapctl.graph.credentials import credential_for
from tapctl.graph.tokens import TokenSource
from tapctl.model.desired import Authentication, Tenant


def connect(
    tenant: Tenant,
    *,
    writable: bool,
    authentication: Authentication | None = None,
    environ: Mapping[str, str] = os.environ,
    clock: Clock | None = None,
    timeout_seconds: float | None = None,
) -> GraphClient:
    """The client of a tenant. Nothing is sent yet; the run's time limit starts now.

    Args:
        authentication: how to sign in; `tenant.auth` unless given.
        timeout_seconds: limits everything that the client does.

    Raises:
        RefusedError: TAPCTL_GRAPH_URL would send a token where it must not go.
        RemoteError: the method of signing in is not known.
    """
    identity = authentication or tenant.auth
    cloud = CLOUDS[tenant.cloud]
    override = environ.get(OVERRIDE_VARIABLE)
    address = address_of(cloud, override, method=identity.method)
    embedded = tenant.cloud == "sandbox"
    source: TokenSource
    if embedded and identity.method != "token":
        source = SandboxToken(tenant.id)
    else:
        source = credential_for(identity, tenant_id=tenant.id, cloud=cloud, environ=environ)
    return GraphClient(
        address=address,
        source=source,
        transport=_sandbox_transport(tenant.id) if embedded and not override else open_transport(address),
        tenant_id=tenant.id,
        writable=writable,
        clock=clock,
        limits=Limits(total_seconds=timeout_seconds),
    )


class SandboxToken:
    """Signs in to the embedded tenant, which needs no credentials."""

    renewable = True

    def __init__(self, tenant_id: str) -> None:
        self._tenant_id = tenant_id

    async def fetch(self, *, claims: str | None = None, renew: bool = False) -> str:  # noqa: ARG002 - a protocol
        from tapctl.sandbox.connect import mint_token

        return mint_token(self._tenant_id)

    async def close(self) -> None:
        """Nothing to close."""


def _sandbox_transport(tenant_id: str) -> httpx.AsyncBaseTransport:
    from tapctl.sandbox import connect as sandbox

    return sandbox.open_transport(tenant_id)


def open_transport(address: Address) -> httpx.AsyncHTTPTransport:
    """A transport to a real host, through the environment's proxy unless the host is this machine.

    httpx reads the proxy variables only for a transport that it creates itself; ours is wrapped by the guard.

    Raises:
        RefusedError: the proxy variable does not name a usable proxy.
    """
    if address.is_loopback and address.root.startswith("http://"):
        # This transport never checks a certificate: loading the authorities would take a tenth of the start time.
        return httpx.AsyncHTTPTransport(verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    try:
        return httpx.AsyncHTTPTransport(proxy=proxy_for(address))
    except (ImportError, ValueError):
        raise RefusedError(
            "the proxy that the environment names cannot be used", fix="set HTTPS_PROXY to an http:// address"
        ) from None


def proxy_for(address: Address) -> str | None:
    """The proxy that HTTPS_PROXY, ALL_PROXY and NO_PROXY (or the system's settings) name for an address, if any."""
    url = urlsplit(address.root)
    if address.is_loopback or urllib.request.proxy_bypass(url.hostname or ""):
        return None
    proxies = urllib.request.getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"
