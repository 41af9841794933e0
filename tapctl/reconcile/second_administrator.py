"""Intune's multi-admin approval: a protected write is not done but becomes a request, which a second administrator
approves or rejects. Source: what published clients do (graph: `operationApprovalRequests`, beta; single source,
checked 2026-11-22): the refusal names its header in the message, the request's id comes in `x-msft-approval-code`,
and after approval the same write is sent again with that code."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from tapctl.kinds.wire import JSONObject, Malformed, as_object, objects
from tapctl.model.plan import Outcome
from tapctl.model.requests import Answer, Problem, Read, Write
from tapctl.model.requests import Outcome as Reply
from tapctl.model.values import JSONValue

CODE_HEADER = "x-msft-approval-code"
JUSTIFICATION_HEADER = "x-msft-approval-justification"
LONGEST_JUSTIFICATION = 1024
"""Characters that published clients send at most."""
OPEN = "needsApproval"
MOST_CODES = 20
"""How many approved requests of ours are tried for one write; Graph refuses a code of another write."""


class Remote(Protocol):
    """Graph, as far as approvals need it."""

    async def read(self, reads: Sequence[Read]) -> list[Reply]: ...

    async def write(self, write: Write) -> Reply: ...


@dataclass(frozen=True, slots=True)
class Request:
    """A request for approval."""

    id: str
    status: str
    justification: str


def is_refusal(problem: Problem) -> bool:
    """Whether a write was refused for want of a second administrator's approval."""
    said = problem.message.lower()
    return CODE_HEADER in problem.headers or JUSTIFICATION_HEADER in said or "approval request" in said


def _is_about_approval(problem: Problem) -> bool:
    """Whether a write with a code was refused because the code is of another write, expired or used up."""
    return is_refusal(problem) or "approval" in problem.message.lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondAdministrator:
    """What to do when a write needs one."""

    remote: Remote
    reason: str | None
    """--reason; it becomes the justification."""
    own_ids: frozenset[str] = frozenset()
    """Object and application ids of the identity that signs in: only its own requests are picked up."""

    async def settle(self, write: Write, refusal: Problem) -> Answer | Outcome | Problem:
        """Carry the write through with an approval that was given, or ask for one.

        Returns:
            The answer when the write was done; the change's outcome when it waits or was rejected; a problem when
            something else went wrong.
        """
        requests = await self._requests()
        for request in [item for item in requests if item.status == "approved"][:MOST_CODES]:
            reply = await self.remote.write(_with_header(write, CODE_HEADER, request.id))
            if isinstance(reply, Answer) or not _is_about_approval(reply):
                return reply
        if CODE_HEADER in refusal.headers or "already exists" in refusal.message.lower():
            return waiting(refusal)
        # This write has no open request: those that are open are of other writes.
        settled = [item for item in requests if item.status != OPEN and self.reason in (None, item.justification)]
        if settled and settled[0].status == "rejected":
            return _rejected(settled[0])
        if self.reason is None:
            return _needs_reason()
        justification = base64.b64encode(self.reason[:LONGEST_JUSTIFICATION].encode()).decode("ascii")
        reply = await self.remote.write(_with_header(write, JUSTIFICATION_HEADER, justification))
        return waiting(reply) if isinstance(reply, Problem) and is_refusal(reply) else reply

    async def _requests(self) -> list[Request]:
        """Our requests, newest first; none where the list cannot be read, which only means asking once more."""
        (reply,) = await self.remote.read(
            [
                Read(
                    purpose="listing requests for approval",
                    version="beta",
                    path="/deviceManagement/operationApprovalRequests",
                    permission="DeviceManagementConfiguration.Read.All",
                    paged=True,
                )
            ]
        )
        if isinstance(reply, Problem):
            return []
        try:
            items = objects(as_object(reply.body, "the answer").get("value"), "value")
        except Malformed:
            return []
        own = [item for item in items if self._is_own(item)]
        own.sort(key=lambda item: str(item.get("requestDateTime", "")), reverse=True)
        return [
            Request(str(item.get("id", "")), str(item.get("status", "")), str(item.get("requestJustification") or ""))
            for item in own
        ]

    def _is_own(self, item: JSONObject) -> bool:
        named = _ids(item.get("requestor"))
        return not named or not self.own_ids or bool(named & self.own_ids)


def _ids(value: JSONValue) -> set[str]:
    if not isinstance(value, dict):
        return set()
    own = {str(value["id"]).lower()} if isinstance(value.get("id"), str) else set()
    return own.union(*(_ids(item) for item in value.values()))


def _with_header(write: Write, name: str, value: str) -> Write:
    return replace(write, headers={**write.headers, name: value})


def waiting(refusal: Problem) -> Outcome:
    """The outcome of a change that waits for approval."""
    code = refusal.headers.get(CODE_HEADER)
    named = f" (request {code})" if code else ""
    return Outcome(
        name="waiting",
        message=f"waits for a second administrator's approval{named}",
        fix="have it approved in the Intune admin centre within three days, then apply again",
    )


def _rejected(request: Request) -> Outcome:
    return Outcome(
        name="failed",
        message=f"a second administrator has rejected the request for approval {request.id}",
        fix="settle it with them; to ask again, apply with another --reason",
        needs_edit=True,
    )


def _needs_reason() -> Outcome:
    return Outcome(
        name="failed",
        message="this tenant wants a second administrator's approval for it, and no justification was given",
        fix="apply again with --reason TEXT: it becomes the justification of the request",
        needs_edit=True,
    )
