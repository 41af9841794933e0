"""How Graph refuses: the error document of the directory, of the authentication methods and of Intune."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from tapctl.sandbox.behaviour import Behaviour
from tapctl.sandbox.wire import Call, JSONObject, Reply

Service = Literal["directory", "authentication", "intune"]

_BAD_REQUEST = {"directory": "Request_BadRequest", "authentication": "badRequest", "intune": "BadRequest"}
_NOT_FOUND = {
    "directory": "Request_ResourceNotFound",
    "authentication": "resourceNotFound",
    "intune": "ResourceNotFound",
}
_DENIED = {"directory": "Authorization_RequestDenied", "authentication": "accessDenied", "intune": "Forbidden"}
_DENIED_TEXT = {
    "directory": "Insufficient privileges to complete the operation.",
    "authentication": "Request Authorization failed",
    "intune": "Application is not authorized to perform this operation. Application must have the required scopes.",
}
_PLAIN_CODES = frozenset({"ModelValidationFailure", "No method match route template"})
"""Intune errors that were reported with a plain message, all others wrap a JSON document."""


class ConnectionLost(Exception):
    """The connection ends without an answer; `connected` is false when it was never made."""

    def __init__(self, *, connected: bool) -> None:
        super().__init__("the connection was lost")
        self.connected = connected


class GraphError(Exception):
    """An answer of 4xx or 5xx, raised by a handler and put into words by `reply`."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        service: Service = "directory",
        headers: Mapping[str, str] | None = None,
        inner: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.service = service
        self.headers = headers or {}
        self.inner = inner or {}


def service_of(path: tuple[str, ...]) -> Service:
    """The service behind a path, which decides on the codes and the form of its errors."""
    lowered = tuple(part.lower() for part in path)
    if lowered[:1] == ("devicemanagement",):
        return "intune"
    if lowered[:2] == ("policies", "authenticationmethodspolicy") or "authentication" in lowered[2:3]:
        return "authentication"
    return "directory"


def bad_request(message: str, service: Service = "directory") -> GraphError:
    return GraphError(400, _BAD_REQUEST[service], message, service=service)


def unsupported_query(message: str) -> GraphError:
    return GraphError(400, "Request_UnsupportedQuery", message)


def not_found(identifier: str, service: Service = "directory") -> GraphError:
    message = (
        f"Resource '{identifier}' does not exist or one of its queried reference-property objects are not present."
        if service == "directory"
        else f"Resource '{identifier}' not found."
    )
    return GraphError(404, _NOT_FOUND[service], message, service=service)


def denied(service: Service) -> GraphError:
    return GraphError(403, _DENIED[service], _DENIED_TEXT[service], service=service)


def not_emulated(what: str) -> GraphError:
    return GraphError(501, "NotImplemented", f"not emulated: {what}")


def throttled(retry_after: int | None, service: Service) -> GraphError:
    """A 429 in the form of the documentation's sample; without Retry-After where that is None."""
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    inner = {"code": "429", "message": "Please retry after", "status": "429"}
    return GraphError(
        429, "TooManyRequests", "Please retry again later.", service=service, headers=headers, inner=inner
    )


def reply(error: GraphError, call: Call, now: datetime, behaviour: Behaviour) -> Reply:
    """The error as Graph's answer to `call`."""
    inner: JSONObject = dict(error.inner)
    if error.service == "authentication" and error.status == 400:
        inner["message"] = error.message
    inner |= {
        "date": now.strftime("%Y-%m-%dT%H:%M:%S"),
        "request-id": call.request_id,
        "client-request-id": call.client_request_id,
    }
    wrapped = behaviour.wrap_intune_errors and error.service == "intune" and error.status < 500
    plain = error.code in _PLAIN_CODES or error.status == 429
    message = _wrapped(error.message, call) if wrapped and not plain else error.message
    document = {"error": {"code": error.code, "message": message, behaviour.inner_error: inner}}
    return Reply(status=error.status, body=document, headers=error.headers)


def _wrapped(message: str, call: Call) -> str:
    return json.dumps(
        {
            "_version": 3,
            "Message": f"{message} - Operation ID (for customer support): {call.request_id} - "
            f"Activity ID: {call.client_request_id}",
            "CustomApiErrorPhrase": "",
            "RetryAfter": None,
            "ErrorSourceService": "",
            "HttpHeaders": "{}",
        }
    )
