"""Writes that a second administrator must approve: such a write is carried out with an existing approval, or a new
approval is requested and the change waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tapctl.graph.reading import Reader, run_readings
from tapctl.kinds.approval_requests import (
    APPROVED,
    OPEN,
    REJECTED,
    ApprovalRequest,
    is_about_code,
    is_refusal,
    is_requested,
    read_requests,
    request_id,
    with_code,
    with_justification,
)
from tapctl.model.plan import Outcome
from tapctl.model.requests import Answer, Problem, Reply, Write

MOST_CODES = 20
"""How many of our approved requests are tried for one write; Graph refuses the code of another write."""


class Remote(Reader, Protocol):
    """What approvals need of Graph."""

    async def write(self, write: Write) -> Reply: ...


def is_wanted(write: Write, reply: Problem) -> bool:
    """Whether a write was refused because a second administrator must approve it."""
    return write.may_need_approval and is_refusal(reply)


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondAdministrator:
    """What to do when a write needs the approval of a second administrator."""

    remote: Remote
    reason: str | None
    """The text of --reason; it becomes the justification."""
    own_ids: frozenset[str] = frozenset()
    """Object and application ids of the identity that signs in: only its own requests are picked up."""

    async def settle(self, write: Write, refusal: Problem) -> Answer | Outcome | Problem:
        """Carry out the write with an existing approval, or request one.

        Returns:
            The answer when the write was done; the change's outcome when it waits or was rejected; a problem when
            something else went wrong.
        """
        requests = await self._own_requests()
        for request in [item for item in requests if item.status == APPROVED][:MOST_CODES]:
            reply = await self.remote.write(with_code(write, request))
            if isinstance(reply, Answer) or not is_about_code(reply):
                return reply
        if is_requested(refusal):
            return waiting(refusal)
        # This write has no open request: the open ones belong to other writes.
        settled = [item for item in requests if item.status != OPEN and self.reason in (None, item.justification)]
        if settled and settled[0].status == REJECTED:
            return _rejected(settled[0])
        if self.reason is None:
            return _needs_reason()
        reply = await self.remote.write(with_justification(write, self.reason))
        return waiting(reply) if isinstance(reply, Problem) and is_refusal(reply) else reply

    async def _own_requests(self) -> list[ApprovalRequest]:
        """Our requests, newest first; empty when the list cannot be read: then a new approval is requested."""
        (requests,) = await run_readings(self.remote, [read_requests()])
        return [] if isinstance(requests, Problem) else [item for item in requests if self._is_own(item)]

    def _is_own(self, request: ApprovalRequest) -> bool:
        named = request.requestor_ids
        return not named or not self.own_ids or bool(named & self.own_ids)


def waiting(refusal: Problem) -> Outcome:
    """The outcome of a change that waits for approval."""
    code = request_id(refusal)
    named = f" (request {code})" if code else ""
    return Outcome(
        name="waiting",
        message=f"waits for a second administrator's approval{named}",
        fix="have it approved in the Intune admin centre within three days, then apply again",
    )


def _rejected(request: ApprovalRequest) -> Outcome:
    return Outcome(
        name="failed",
        message=f"a second administrator has rejected the request for approval {request.id}",
        fix="discuss it with them; to ask again, apply with another --reason",
        needs_edit=True,
    )


def _needs_reason() -> Outcome:
    return Outcome(
        name="failed",
        message="this tenant requires a second administrator's approval for it, and no justification was given",
        fix="apply again with --reason TEXT: it becomes the justification of the request",
        needs_edit=True,
    )
