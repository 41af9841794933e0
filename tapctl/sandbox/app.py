"""The sandbox as an ASGI application."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from email.utils import format_datetime
from typing import Any, TypeAlias

from tapctl.sandbox.errors import ConnectionLost
from tapctl.sandbox.exchange import new_id
from tapctl.sandbox.tenant import Sandbox
from tapctl.sandbox.wire import Call, Reply

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

MAXIMUM_BODY_BYTES = 4_000_000
_VERSIONS = frozenset({"v1.0", "beta"})


def create_app(sandbox: Sandbox) -> ASGIApp:
    """The application. Where a fault wants the connection lost it raises `ConnectionLost`, which no client may see:
    who runs the application turns it into a lost connection."""

    async def app(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            raise ConnectionLost(connected=False)
        call, reply = await _answer(sandbox, scope, receive)
        if reply.delay_seconds:
            await asyncio.sleep(reply.delay_seconds)
        await _send(sandbox, call, reply, send)

    return app


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _answer(sandbox: Sandbox, scope: MutableMapping[str, Any], receive: Receive) -> tuple[Call, Reply]:
    content = await _read(receive)
    raw_path: str = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
    version, _, path = raw_path.lstrip("/").partition("/")
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    host = headers.get("host", "127.0.0.1")
    body, is_json = _parsed(content)
    call = Call(
        method=scope["method"],
        version=version.lower(),
        path=f"/{path}",
        query=scope["query_string"].decode("latin-1"),
        headers=headers,
        body=body,
        base=f"{scope.get('scheme', 'http')}://{host}",
        request_id=new_id(),
    )
    if call.version not in _VERSIONS:
        return call, _error(400, "BadRequest", f"Invalid version: {version[:50]}")
    if not is_json or len(content) > MAXIMUM_BODY_BYTES:
        return call, _error(400, "BadRequest", "Unable to read JSON request payload.")
    return call, sandbox.answer(call)


def _error(status: int, code: str, message: str) -> Reply:
    return Reply(status=status, body={"error": {"code": code, "message": message}})


async def _read(receive: Receive) -> bytes:
    content = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionLost(connected=True)
        content += message.get("body", b"")
        if not message.get("more_body") or len(content) > MAXIMUM_BODY_BYTES:
            return bytes(content)


def _parsed(content: bytes) -> tuple[Any, bool]:
    """The JSON value, and whether it was one: an empty body is."""
    if not content:
        return None, True
    try:
        return json.loads(content), True
    except (ValueError, RecursionError):
        return None, False


async def _send(sandbox: Sandbox, call: Call, reply: Reply, send: Send) -> None:
    content, content_type = _content(call, reply)
    headers = {
        "date": format_datetime(sandbox.clock(), usegmt=True),
        "request-id": call.request_id,
        "client-request-id": call.client_request_id,
        "x-ms-ags-diagnostic": '{"ServerInfo":{"DataCenter":"Sandbox","Slice":"E","Ring":"0"}}',
    }
    if reply.status != 204:
        headers["content-length"] = str(len(content))
    if content_type:
        headers |= {"content-type": content_type, "odata-version": "4.0", "cache-control": "no-cache"}
    headers |= {name.lower(): value for name, value in reply.headers.items()}
    encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": encoded})
    await send({"type": "http.response.body", "body": content})


def _content(call: Call, reply: Reply) -> tuple[bytes, str]:
    if reply.text is not None:
        content, content_type = reply.text.encode(), reply.content_type
    elif reply.body is not None:
        content = json.dumps(reply.body, separators=(",", ":")).encode()
        content_type = "application/json;odata.metadata=minimal;odata.streaming=true;IEEE754Compatible=false"
    else:
        return b"", ""
    if call.method == "HEAD":
        return b"", content_type
    return (content[: max(1, len(content) // 2)] if reply.cut_off else content), content_type
