"""Intune's multi-admin approval: writes that wait for a second person."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from datetime import datetime, timedelta

from tapctl.sandbox.errors import GraphError, not_found
from tapctl.sandbox.exchange import Exchange, new_id, stamp
from tapctl.sandbox.odata import Listing, answer_list
from tapctl.sandbox.wire import JSONObject, Reply, segments

COLLECTION = "operationApprovalRequests"
JUSTIFICATION_HEADER = "x-msft-approval-justification"
CODE_HEADER = "x-msft-approval-code"
LIFETIME = timedelta(days=3)
_OPEN = "needsApproval"


def gate(exchange: Exchange) -> None:
    """Let a write pass, or refuse it and register a request for approval.

    Raises:
        GraphError: the write is not to be carried out now.
    """
    path = segments(exchange.call.path)
    protected = {name.lower() for name in exchange.behaviour.approval_for}
    if not exchange.call.is_write or len(path) < 2 or path[1].lower() not in protected:
        return
    code = exchange.call.headers.get(CODE_HEADER)
    if code:
        _redeem(exchange, code)
        return
    fingerprint = _fingerprint(exchange)
    for request in exchange.store.collection(COLLECTION).values():
        if request["_fingerprint"] == fingerprint and _status(exchange, request) == _OPEN:
            raise _refusal(exchange, "An active Approval Request already exists.", request["id"])
    justification = _decoded(exchange.call.headers.get(JUSTIFICATION_HEADER, ""))
    if not justification:
        raise _refusal(exchange, f"Header '{JUSTIFICATION_HEADER}' is required to request approval.")
    request = _register(exchange, fingerprint, justification)
    raise _refusal(exchange, "The operation needs approval; an Approval Request was created.", request["id"])


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8").strip()
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _fingerprint(exchange: Exchange) -> str:
    """The same request again has the same fingerprint."""
    content = [exchange.call.method, exchange.call.path.lower(), exchange.call.body]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _status(exchange: Exchange, request: JSONObject) -> str:
    expired = datetime.fromisoformat(request["expirationDateTime"]) <= exchange.now
    return "expired" if expired and request["status"] in {_OPEN, "approved"} else str(request["status"])


def _redeem(exchange: Exchange, code: str) -> None:
    request = exchange.store.collection(COLLECTION).get(code.lower())
    if request is None or request["_fingerprint"] != _fingerprint(exchange):
        raise _refusal(exchange, "The approval code does not belong to this request.")
    status = _status(exchange, request)
    if status != "approved":
        raise _refusal(exchange, f"The Approval Request has the status {status}.", request["id"])
    exchange.store.edit(COLLECTION, code)
    request.update({"status": "completed", "lastModifiedDateTime": exchange.stamp()})


def _register(exchange: Exchange, fingerprint: str, justification: str) -> JSONObject:
    actor = exchange.actor
    request: JSONObject = {
        "id": new_id(),
        "requestDateTime": exchange.stamp(),
        "expirationDateTime": stamp(exchange.now + LIFETIME),
        "lastModifiedDateTime": exchange.stamp(),
        "requestor": {
            "application": None if actor.is_user else {"id": actor.app_id, "displayName": actor.name},
            "user": {"id": actor.id, "displayName": actor.name} if actor.is_user else None,
        },
        "approver": None,
        "status": _OPEN,
        "requestJustification": justification,
        "approvalJustification": "",
        "requiredOperationApprovalPolicyTypes": ["unknownFutureValue"],
        "_fingerprint": fingerprint,
    }
    exchange.store.add(COLLECTION, request)
    return request


def _refusal(exchange: Exchange, message: str, code: str = "") -> GraphError:
    headers = {CODE_HEADER: code} if code else {}
    text = f"{message} {CODE_HEADER}: {code}" if code else message
    return GraphError(exchange.behaviour.approval_status, "Forbidden", text, service="intune", headers=headers)


def _rendered(exchange: Exchange, request: JSONObject) -> JSONObject:
    shown = {name: value for name, value in request.items() if not name.startswith("_")}
    return {**shown, "status": _status(exchange, request)}


def list_requests(exchange: Exchange) -> Reply:
    listing = Listing(
        fragment="deviceManagement/operationApprovalRequests",
        filterable=frozenset({"id", "status", "requestDateTime"}),
        operators=frozenset({"eq", "ne", "ge", "le"}),
        style="intune",
    )
    found = [_rendered(exchange, request) for request in exchange.store.scan(COLLECTION)]
    return answer_list(exchange, found, listing)


def get_request(exchange: Exchange) -> Reply:
    request = exchange.store.read(COLLECTION, exchange.parameters["request"])
    if request is None:
        raise not_found(exchange.parameters["request"], "intune")
    context = exchange.context("deviceManagement/operationApprovalRequests/$entity")
    return Reply(body={"@odata.context": context, **_rendered(exchange, request)})


def list_policies(exchange: Exchange) -> Reply:
    """The access policies that protect something, one for each protected collection."""
    found = [
        {"id": name, "displayName": f"Approval for {name}", "policyType": "deviceConfiguration", "approverGroupIds": []}
        for name in exchange.behaviour.approval_for
    ]
    return answer_list(exchange, found, Listing(fragment="deviceManagement/operationApprovalPolicies", style="intune"))
