"""Classifying replies: answer or problem, the kind of problem, and whether a write may have been carried out."""

from __future__ import annotations

from collections.abc import Mapping

from tapctl.graph.graph_errors import GraphError, parse_error, request_id
from tapctl.graph.replies import HttpReply
from tapctl.model.requests import Answer, Problem, ProblemKind, Read, Reply, Write

_PRIVATE_HEADERS = frozenset({"set-cookie", "authorization", "proxy-authenticate"})
_SAYS_NOTHING = frozenset({"unknownerror"})
"""The code of Graph's front end for an unknown failure: it does not show whether an object exists."""


def read_outcome(read: Read, reply: HttpReply) -> Reply:
    """The outcome of a read."""
    if not 200 <= reply.status < 300:
        return problem_of(read, reply)
    complaint = _complaint(read, reply)
    if complaint:
        return malformed(read, complaint, reply)
    return Answer(reply.status, reply.body, _shown(reply.headers))


def write_outcome(write: Write, reply: HttpReply) -> Reply:
    """The outcome of a write. Only after a 4xx is it certain that nothing was changed."""
    if 200 <= reply.status < 300 and (reply.form == "empty" or isinstance(reply.body, dict)):
        return Answer(reply.status, reply.body, _shown(reply.headers))
    if reply.status < 400:
        return malformed(write, "the answer to this write is not what Graph sends", reply, ambiguous=True)
    return problem_of(write, reply, ambiguous=reply.status >= 500 or reply.status == 408)


def problem_of(request: Read | Write, reply: HttpReply, *, ambiguous: bool = False) -> Problem:
    """The problem for a reply that is not a success."""
    error = parse_error(reply)
    return Problem(
        kind=_kind(reply.status, error),
        purpose=request.purpose,
        message=(error.message or error.code) if error else _without_error(reply),
        status=reply.status,
        code=error.code if error else "",
        request_id=request_id(reply),
        permission=request.permission,
        ambiguous=ambiguous,
        headers=_shown(reply.headers),
    )


def malformed(
    request: Read | Write, message: str, reply: HttpReply | None = None, *, ambiguous: bool = False
) -> Problem:
    """An answer that is not what Graph sends."""
    return Problem(
        kind=ProblemKind.MALFORMED,
        purpose=request.purpose,
        message=message,
        status=reply.status if reply else 0,
        request_id=request_id(reply) if reply else "",
        permission=request.permission,
        ambiguous=ambiguous,
        headers=_shown(reply.headers) if reply else {},
    )


def unanswered(request: Read | Write, kind: ProblemKind, message: str, *, ambiguous: bool) -> Problem:
    """A request that got no answer."""
    return Problem(
        kind=kind, purpose=request.purpose, message=message, permission=request.permission, ambiguous=ambiguous
    )


def _kind(status: int, error: GraphError | None) -> ProblemKind:
    match status:
        case 401:
            return ProblemKind.AUTHENTICATION
        case 403:
            return ProblemKind.DENIED
        case 404 if error is None or error.code.lower() in _SAYS_NOTHING:
            return ProblemKind.MALFORMED
        case 404:
            return ProblemKind.NOT_FOUND
        case 408:
            return ProblemKind.TIMEOUT
        case 409 | 412 | 423:
            return ProblemKind.CONFLICT
        case 429:
            return ProblemKind.THROTTLED
        case _ if status >= 500:
            return ProblemKind.SERVER
        case _ if status >= 400:
            return ProblemKind.REFUSED
        case _:
            return ProblemKind.MALFORMED


def _without_error(reply: HttpReply) -> str:
    if 300 <= reply.status < 400:
        return "the answer is a redirect, which is not followed: the token is for Graph alone"
    return "the answer contains no Graph error"


def _complaint(read: Read, reply: HttpReply) -> str:
    """Why a 2xx is not an answer to this read; empty when it is one."""
    if reply.form == "broken":
        return "the answer is not JSON"
    if reply.form == "empty":
        return "" if reply.status == 204 and not read.paged else "the answer is empty"
    if reply.form == "text" or isinstance(reply.body, int):
        return "" if read.path.partition("?")[0].lower().endswith("/$count") else "the answer is plain text"
    if not isinstance(reply.body, dict):
        return "the answer is not a JSON object"
    if read.paged and not isinstance(reply.body.get("value"), list):
        return "the answer is not a collection"
    return ""


def _shown(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in _PRIVATE_HEADERS}
