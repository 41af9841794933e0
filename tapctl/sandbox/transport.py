"""The sandbox beneath httpx, in process."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

import httpx

from tapctl.sandbox.app import Message, create_app
from tapctl.sandbox.errors import ConnectionLost
from tapctl.sandbox.tenant import Sandbox


class SandboxTransport(httpx.AsyncBaseTransport):
    """Answers every request from one sandbox, and fails as a network would where a fault says so."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._app = create_app(sandbox)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = await request.aread()
        patience = request.extensions.get("timeout", {}).get("read")
        collected: list[Message] = []
        sent = False

        async def receive() -> Message:
            nonlocal sent
            if sent:
                return {"type": "http.disconnect"}
            sent = True
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Message) -> None:
            collected.append(message)

        try:
            async with asyncio.timeout(patience):
                await self._app(_scope(request), receive, send)
        except TimeoutError as error:
            raise httpx.ReadTimeout("the sandbox took too long", request=request) from error
        except ConnectionLost as error:
            if error.connected:
                raise httpx.ReadError("the connection was lost", request=request) from error
            raise httpx.ConnectError("the connection was refused", request=request) from error
        start, body = collected
        return httpx.Response(start["status"], headers=start["headers"], content=body["body"], request=request)


def _scope(request: httpx.Request) -> MutableMapping[str, Any]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.split(b"?")[0],
        "query_string": request.url.query,
        "server": (request.url.host, request.url.port),
        "client": ("127.0.0.1", 0),
        "root_path": "",
    }
