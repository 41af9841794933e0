"""Requests to Graph and their outcomes, as plain values: kinds describe requests, the client sends them."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, TypeAlias, TypeVar

from tapctl.model.values import JSONValue

Version = Literal["v1.0", "beta"]
WriteMethod = Literal["POST", "PATCH", "PUT", "DELETE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A request that changes nothing: a GET, or one of the reading POSTs in the client's fixed list."""

    purpose: str
    """What is being done, for error messages: `reading the TAP policy`."""
    version: Version
    path: str
    """Path and query below the version, beginning with a slash, percent-encoded."""
    method: Literal["GET", "POST"] = "GET"
    body: JSONValue = None
    headers: Mapping[str, str] = field(default_factory=dict)
    permission: str = ""
    """The least permission that allows it, for the error message of a 403."""
    paged: bool = False
    """The answer is a collection: every page is fetched, and `value` holds all of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """A request that changes the tenant."""

    purpose: str
    version: Version
    method: WriteMethod
    path: str
    body: JSONValue = None
    headers: Mapping[str, str] = field(default_factory=dict)
    permission: str = ""
    creates: bool = False
    """Sending it twice creates two objects: it is never sent again when it is unknown whether it was carried out."""
    may_need_approval: bool = False
    """A second administrator may have to approve it: then Graph refuses it and creates a request for approval."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A success: a 2xx with a body that is JSON (None where the body is empty)."""

    status: int
    body: JSONValue
    headers: Mapping[str, str] = field(default_factory=dict)
    """Names in lower case."""


class ProblemKind(Enum):
    """Why a request did not succeed, as far as it decides what may be done next."""

    NOT_FOUND = "not found"
    """404 with a well-formed Graph error: the object is absent. Any other 404 is MALFORMED."""
    DENIED = "denied"
    AUTHENTICATION = "authentication"
    THROTTLED = "throttled"
    REFUSED = "refused"
    """Another 4xx: Graph understood the request and will not do it."""
    CONFLICT = "conflict"
    """409, 412 or 423: not carried out, somebody else is changing the object."""
    SERVER = "server"
    CONNECTION = "connection"
    TIMEOUT = "timeout"
    MALFORMED = "malformed"
    """An answer that is not what Graph sends: broken JSON, an HTML page, a missing collection, a foreign nextLink."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A request that did not succeed, after all retries."""

    kind: ProblemKind
    purpose: str
    message: str
    """Graph's message, or what happened to the connection. Untrusted text, never a secret."""
    status: int = 0
    code: str = ""
    request_id: str = ""
    permission: str = ""
    ambiguous: bool = False
    """The request may have been carried out, although the answer does not say so."""
    headers: Mapping[str, str] = field(default_factory=dict, compare=False)

    def describe(self) -> str:
        """One line: what was being done, Graph's code and message, the request id."""
        parts = [f"{self.purpose}: "]
        if self.status:
            parts.append(f"HTTP {self.status} ")
        if self.code:
            parts.append(f"{self.code}: ")
        parts.append(self.message or self.kind.value)
        if self.request_id:
            parts.append(f" (request-id {self.request_id})")
        if self.kind is ProblemKind.DENIED and self.permission:
            parts.append(f"; it needs the permission {self.permission}")
        return "".join(parts)

    def advice(self) -> str:
        """What the user can do about it."""
        match self.kind:
            case ProblemKind.DENIED if self.permission:
                return f"grant the application {self.permission} (admin consent), then run again"
            case ProblemKind.DENIED:
                return "check the permissions and roles of the identity that signs in, then run again"
            case ProblemKind.AUTHENTICATION:
                return "check the credentials of tenant.auth, then run again"
            case ProblemKind.THROTTLED:
                return "Graph is throttling this application; run again later"
            case ProblemKind.SERVER | ProblemKind.CONNECTION | ProblemKind.TIMEOUT:
                return "run again; if the problem stays, check the network and the Microsoft 365 service health"
            case ProblemKind.CONFLICT:
                return "somebody else is changing this object; run again in a minute"
            case ProblemKind.MALFORMED:
                return (
                    "if a proxy or TAPCTL_GRAPH_URL stands between here and Graph, check it; "
                    "else look at the object in the admin centre, and report the message"
                )
            case _:
                return "read the message of Graph; if the files look right, report it with the request-id"


Reply: TypeAlias = Answer | Problem

ResultT = TypeVar("ResultT")
Reading: TypeAlias = Generator[Sequence[Read], Sequence[Reply], ResultT]
"""A procedure that does no input or output itself: it yields reads that may be sent together, is resumed with their
outcomes in the same order, and returns its result. When several run in step, each step is one round trip."""
