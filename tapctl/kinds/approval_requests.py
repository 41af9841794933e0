"""Intune's multi-admin approval on the wire: a protected write is not carried out; it becomes a request for approval.

Source: what published clients do (graph: `operationApprovalRequests`, beta; single source, checked 2026-11-22): the
refusal names its header in the message, the request's id comes in `x-msft-approval-code`, and after approval the same
write is sent again with that code."""

from __future__ import annotations

import base64
from dataclasses import dataclass, replace

from tapctl.kinds.wire import JSONObject, read_elements
from tapctl.model.requests import Problem, Read, Reading, Write
from tapctl.model.values import JSONValue

CODE_HEADER = "x-msft-approval-code"
JUSTIFICATION_HEADER = "x-msft-approval-justification"
LONGEST_JUSTIFICATION = 1024
"""The most characters that published clients send."""
OPEN, APPROVED, REJECTED = "needsApproval", "approved", "rejected"
"""The statuses of a request that tapctl uses; there are others, such as `completed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest:
    """A request for approval."""

    id: str
    status: str
    justification: str
    """Empty where the list does not contain it."""
    requestor_ids: frozenset[str]
    """Every object and application id that the request names as its author, in lower case."""


def read_requests() -> Reading[tuple[ApprovalRequest, ...] | Problem]:
    """Every request of the tenant, newest first."""
    read = Read(
        purpose="listing requests for approval",
        version="beta",
        path="/deviceManagement/operationApprovalRequests",
        permission="DeviceManagementConfiguration.Read.All",
        paged=True,
    )
    seen = yield from read_elements(read, lambda item: (str(item.get("requestDateTime", "")), _decode(item)))
    if isinstance(seen, Problem):
        return seen
    return tuple(request for _, request in sorted(seen, key=lambda dated: dated[0], reverse=True))


def _decode(item: JSONObject) -> ApprovalRequest:
    return ApprovalRequest(
        id=str(item.get("id", "")),
        status=str(item.get("status", "")),
        justification=str(item.get("requestJustification") or ""),
        requestor_ids=frozenset(_ids(item.get("requestor"))),
    )


def _ids(value: JSONValue) -> set[str]:
    """The ids in an identity set, at any depth."""
    if not isinstance(value, dict):
        return set()
    own = {str(value["id"]).lower()} if isinstance(value.get("id"), str) else set()
    return own.union(*(_ids(item) for item in value.values()))


# A write that needs approval


def is_refusal(problem: Problem) -> bool:
    """Whether a write was refused because a second administrator has to approve it."""
    said = problem.message.lower()
    return CODE_HEADER in problem.headers or JUSTIFICATION_HEADER in said or "approval request" in said


def is_about_code(problem: Problem) -> bool:
    """Whether a write with a code was refused because the code belongs to another write, has expired or was used."""
    return is_refusal(problem) or "approval" in problem.message.lower()


def request_id(refusal: Problem) -> str | None:
    """The id of the request that Graph made from a refused write; None where Graph does not give it."""
    return refusal.headers.get(CODE_HEADER)


def is_requested(refusal: Problem) -> bool:
    """Whether there is already an open request for a refused write."""
    return CODE_HEADER in refusal.headers or "already exists" in refusal.message.lower()


def with_code(write: Write, request: ApprovalRequest) -> Write:
    """The write as it is sent after its request was approved."""
    return _with_header(write, CODE_HEADER, request.id)


def with_justification(write: Write, reason: str) -> Write:
    """The write as it is sent to ask for approval. Graph expects the reason in base64; a long one is shortened."""
    justification = base64.b64encode(reason[:LONGEST_JUSTIFICATION].encode()).decode("ascii")
    return _with_header(write, JUSTIFICATION_HEADER, justification)


def _with_header(write: Write, name: str, value: str) -> Write:
    return replace(write, headers={**write.headers, name: value})
