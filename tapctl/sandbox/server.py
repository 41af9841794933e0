"""The sandbox on a loopback port, for clients outside this process."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Callable, MutableMapping
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from tapctl.errors import RemoteError
from tapctl.sandbox.app import ASGIApp, Receive, Send, create_app
from tapctl.sandbox.errors import ConnectionLost
from tapctl.sandbox.tenant import Sandbox

HOST = "127.0.0.1"


class _Connections:
    """The open connections by the client's address, so that one can be cut."""

    def __init__(self) -> None:
        self._open: dict[Any, asyncio.Transport] = {}

    def protocol(self) -> type[asyncio.Protocol]:
        connections = self._open

        class Protocol(H11Protocol):
            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
                connections[transport.get_extra_info("peername")] = transport
                super().connection_made(transport)

            def connection_lost(self, exc: Exception | None) -> None:
                connections.pop(self.transport.get_extra_info("peername"), None)
                super().connection_lost(exc)

        return Protocol

    def cut(self, client: Any) -> None:
        transport = self._open.get(tuple(client))
        if transport is not None:
            transport.abort()


def _losing(app: ASGIApp, connections: _Connections) -> ASGIApp:
    """Cut the connection where the application wants it lost."""

    async def wrapper(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        try:
            await app(scope, receive, send)
        except ConnectionLost:
            connections.cut(scope["client"])
            while (await receive())["type"] != "http.disconnect":
                continue

    return wrapper


class _Announcing(uvicorn.Server):
    """A server that says when it is up."""

    def __init__(self, config: uvicorn.Config, is_up: Callable[[], None]) -> None:
        super().__init__(config)
        self._is_up = is_up

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._is_up()


class LoopbackServer:
    """A uvicorn server on 127.0.0.1: its port is taken, and `ready` is told the URL once connections are accepted.

    Raises:
        RemoteError: the port is taken by somebody else.
    """

    def __init__(self, sandbox: Sandbox, port: int = 0, ready: Callable[[str], None] | None = None) -> None:
        self._socket = _listening(port)
        connections = _Connections()
        config = uvicorn.Config(
            _losing(create_app(sandbox), connections),
            http=connections.protocol(),
            loop="asyncio",
            log_level="error",
            access_log=False,
            server_header=False,
            date_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = _Announcing(config, lambda: ready(self.url) if ready is not None else None)

    @property
    def url(self) -> str:
        """The root without version."""
        return f"http://{HOST}:{self._socket.getsockname()[1]}"

    @property
    def is_up(self) -> bool:
        """Whether requests are answered."""
        return self._server.started

    def run(self) -> None:
        """Serve until stopped or interrupted."""
        self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Have `run` return soon; may be called from another thread."""
        self._server.should_exit = True


def _listening(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError as error:
        listener.close()
        raise RemoteError(f"port {port} of {HOST} cannot be used: {error.strerror}") from error
    return listener


def serve(sandbox: Sandbox, *, port: int = 0, ready: Callable[[str], None] | None = None) -> None:
    """Serve until interrupted. `ready` is told the URL once it answers; unless given, it is printed to stderr.

    Raises:
        RemoteError: the port is taken.
    """
    LoopbackServer(sandbox, port, ready or _print).run()


def _print(url: str) -> None:
    sys.stderr.write(f"{url}\n")
    sys.stderr.flush()
