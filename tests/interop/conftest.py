"""One sandbox over HTTP on loopback for all tests of this folder, fresh for each."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest

from tapctl.sandbox.tenant import Sandbox
from tapctl.sandbox.tokens import mint_token
from tests.interop.typed_clients import TypedClient
from tests.sandbox.support import TENANT, loopback

Run = Callable[[Awaitable[Any]], Any]


@pytest.fixture(scope="session")
def served() -> Iterator[tuple[Sandbox, str]]:
    """The sandbox and the root of its loopback port."""
    sandbox = Sandbox(TENANT, None)
    with loopback(sandbox) as url:
        yield sandbox, url


@pytest.fixture(scope="session")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(scope="session")
def http(runner: asyncio.Runner) -> Iterator[httpx.AsyncClient]:
    client = httpx.AsyncClient(timeout=30)
    yield client
    runner.run(client.aclose())


@pytest.fixture
def run(runner: asyncio.Runner) -> Run:
    """Waits for what a typed client does."""

    async def awaited(call: Awaitable[Any]) -> Any:
        return await call

    return lambda call: runner.run(awaited(call))


def client_of(package: str, served: tuple[Sandbox, str], http: httpx.AsyncClient) -> TypedClient:
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed: `pip install tapctl[interop]` (676 MB) brings it")
    sandbox, url = served
    sandbox.reset()
    return TypedClient(package, url, mint_token(TENANT), http)


@pytest.fixture(params=["msgraph", "msgraph_beta"])
def client(request: pytest.FixtureRequest, served: tuple[Sandbox, str], http: httpx.AsyncClient) -> TypedClient:
    """Each SDK in turn, over a fresh tenant."""
    return client_of(request.param, served, http)


@pytest.fixture
def beta(served: tuple[Sandbox, str], http: httpx.AsyncClient) -> TypedClient:
    """The beta SDK alone, over a fresh tenant: only Graph beta has the settings catalog."""
    return client_of("msgraph_beta", served, http)
