"""POST /$batch: up to twenty requests in one."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from tapctl.sandbox.errors import GraphError
from tapctl.sandbox.exchange import new_id
from tapctl.sandbox.wire import Call, JSONObject, Reply

PARTS_AT_ONCE = 20
_METHODS = frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"})

Part = tuple[str, tuple[str, ...], Call]
"""Its id, the ids that it depends on, and the request itself."""


def _refused(message: str) -> GraphError:
    return GraphError(400, "BadRequest", message)


def parts_of(envelope: Call) -> list[Part]:
    """The requests of a batch.

    Raises:
        GraphError: 400, the batch is malformed: then none of them is carried out.
    """
    body = envelope.body if isinstance(envelope.body, dict) else {}
    requests = body.get("requests")
    if envelope.method != "POST" or not isinstance(requests, list) or not requests:
        raise _refused("Invalid batch payload format.")
    if len(requests) > PARTS_AT_ONCE:
        raise _refused(f"Number of batch request steps exceeds the maximum value of {PARTS_AT_ONCE}.")
    parts: list[Part] = []
    for request in requests:
        part = _part(envelope, request)
        known = {identifier.lower() for identifier, _, _ in parts}
        if part[0].lower() in known:
            raise _refused(f"Request Id '{part[0]}' is used more than once.")
        if not {name.lower() for name in part[1]} <= known:
            raise _refused(f"Request Id '{part[0]}' depends on a request that does not come before it.")
        parts.append(part)
    return parts


def _part(envelope: Call, request: Any) -> Part:
    if not isinstance(request, dict):
        raise _refused("Invalid batch payload format.")
    identifier, method, url = request.get("id"), request.get("method"), request.get("url")
    if not isinstance(identifier, str) or not identifier:
        raise _refused("A batch request has no id.")
    if not isinstance(method, str) or method.upper() not in _METHODS or not isinstance(url, str) or not url:
        raise _refused(f"Batch request '{identifier}' has no method or no url.")
    address = urlsplit(url)
    if address.scheme or address.netloc:
        raise _refused(f"The url of batch request '{identifier}' is not relative.")
    headers = {str(name).lower(): str(value) for name, value in (request.get("headers") or {}).items()}
    if "body" in request and "content-type" not in headers:
        raise _refused(f"Batch request '{identifier}' has a body but no Content-Type header.")
    inherited = {name: envelope.headers[name] for name in ("authorization",) if name in envelope.headers}
    depends_on = request.get("dependsOn") or []
    if not isinstance(depends_on, list):
        raise _refused(f"dependsOn of batch request '{identifier}' is not a list.")
    call = Call(
        method=method.upper(),
        version=envelope.version,
        path="/" + address.path.lstrip("/"),
        query=address.query,
        headers=inherited | headers,
        body=request.get("body"),
        base=envelope.base,
        request_id=new_id(),
        is_part=True,
    )
    return identifier, tuple(map(str, depends_on)), call


def answer(parts: list[Part], carry_out: Callable[[Call], Reply], *, shuffle: bool) -> Reply:
    """Carry out every part whose predecessors succeeded; 424 for the others."""
    answered: dict[str, Reply] = {}
    for identifier, depends_on, call in parts:
        failed = any(answered[name.lower()].status >= 400 for name in depends_on)
        answered[identifier.lower()] = _dependency_failed() if failed else carry_out(call)
    responses = [_response(identifier, answered[identifier.lower()]) for identifier, _, _ in parts]
    if shuffle:
        responses = responses[1::2][::-1] + responses[::2]
    return Reply(body={"responses": responses})


def _dependency_failed() -> Reply:
    error = {"code": "FailedDependency", "message": "A dependency of this request failed."}
    return Reply(status=424, body={"error": error})


def _response(identifier: str, reply: Reply) -> JSONObject:
    headers: Mapping[str, str] = dict(reply.headers)
    response: JSONObject = {"id": identifier, "status": reply.status, "headers": headers}
    if reply.body is not None:
        response["headers"] = {"Cache-Control": "no-cache", "OData-Version": "4.0", **headers}
        response["headers"]["Content-Type"] = "application/json"
        response["body"] = reply.body
    elif reply.text is not None:
        response["headers"] = {**headers, "Content-Type": reply.content_type}
        is_number = reply.content_type == "text/plain" and reply.text.isdecimal()
        response["body"] = reply.text if is_number else base64.b64encode(reply.text.encode()).decode()
    return response
