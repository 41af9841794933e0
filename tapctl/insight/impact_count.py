"""Upper bounds from counts alone: no member is listed. Source: Graph reference `group-list-transitivemembers`,
`user-list` and `device-list`, `$count` with ConsistencyLevel (checked 2026-11-22)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tapctl.insight.reach import Bound, Side, Term, Terms
from tapctl.kinds.groups import READ_PERMISSION as READ_GROUPS
from tapctl.kinds.wire import segment
from tapctl.model.plan import ImpactCount
from tapctl.model.requests import Answer, Problem, ProblemKind, Read, Reading
from tapctl.model.together import together

EVENTUAL = {"ConsistencyLevel": "eventual"}
"""Graph counts directory objects only for those who do not insist on the latest state."""

NONE = ImpactCount(count=0, certainty="exact")
UNKNOWN = ImpactCount()

MemberType = Literal["user", "device"]
Quantity = tuple[MemberType, str]
"""What is counted: the users or devices of one group, of the whole tenant where the id is empty."""


def at_most(bounds: Sequence[tuple[Side, Bound]]) -> Reading[list[ImpactCount]]:
    """One figure for each bound. A count that cannot be read makes its figure unknown, never a failed run."""
    wanted: set[Quantity] = set()
    for side, bound in bounds:
        wanted |= _quantities(side, bound.terms)
        wanted |= _quantities(side, bound.cap or frozenset())
    counts = yield from together({quantity: _count(quantity) for quantity in sorted(wanted)})
    tally = _Tally({quantity: count for quantity, count in counts.items() if count is not None})
    return [tally.figure(side, bound) for side, bound in bounds]


@dataclass(frozen=True, slots=True)
class _Tally:
    counts: dict[Quantity, int]
    """What could be counted."""

    def figure(self, side: Side, bound: Bound) -> ImpactCount:
        sizes = [self._size(side, bound.terms)]
        if bound.cap is not None:
            sizes.append(self._size(side, bound.cap))
        known = [size for size in sizes if size is not None]
        if not known:
            return UNKNOWN
        fewest = min(known)
        return ImpactCount(count=fewest, certainty="upper-bound") if fewest else NONE

    def _size(self, side: Side, terms: Terms) -> int | None:
        everybody = self.counts.get(_everybody(side))
        listed = None if any(_is_anybody(term, side) for term in terms) else self._listed(side, terms)
        known = [size for size in (everybody, listed) if size is not None]
        return min(known) if known else None

    def _listed(self, side: Side, terms: Terms) -> int | None:
        """The sum of single members and of groups; None where one of them could not be counted."""
        total = 0
        for term in terms:
            if term.kind != "group":
                total += 1
                continue
            people = self.counts.get(("user", term.id))
            size = people if side == "users" else self.counts.get(("device", term.id))
            # Which devices the people of a group have is not known to the directory: it may be all of them.
            if size is None or (side == "devices" and people != 0):
                return None
            total += size
        return total


def _is_anybody(term: Term, side: Side) -> bool:
    """Whether a term may stand for everybody there is on its side."""
    return term.kind in ("all-users", "all-devices", "other", "rule") or (side == "devices" and term.kind == "user")


def _everybody(side: Side) -> Quantity:
    return ("user", "") if side == "users" else ("device", "")


def _quantities(side: Side, terms: Iterable[Term]) -> set[Quantity]:
    """What has to be counted for these terms; where they may be everybody, nothing else matters."""
    listed = list(terms)
    groups = [term.id for term in listed if term.kind == "group"]
    if any(_is_anybody(term, side) for term in listed):
        return {_everybody(side)}
    if side == "users":
        return {("user", ref) for ref in groups}
    # Should a group turn out to hold people, all devices are the bound; asking at once saves a round trip.
    devices: set[Quantity] = {_everybody(side)} if groups else set()
    return devices | {(kind, ref) for ref in groups for kind in _BOTH}


_BOTH: tuple[MemberType, ...] = ("device", "user")


def _count(quantity: Quantity) -> Reading[int | None]:
    """A count, or None where it could not be read."""
    kind, group_id = quantity
    if group_id:
        return (yield from _number(_group_count(kind, group_id)))
    if kind == "user":
        path, permission = "/users/$count", "User.ReadBasic.All"
        return (yield from _number(_read(path, "counting users", permission)))
    return (yield from _device_count())


def _device_count() -> Reading[int | None]:
    """The Entra joined devices, which alone web sign-in works on; all devices where Graph cannot count those."""
    joined, every = "/devices/$count?$filter=trustType%20eq%20'AzureAd'", "/devices/$count"
    (outcome,) = yield [_read(joined, "counting Entra joined devices", "Device.Read.All")]
    if isinstance(outcome, Problem) and outcome.kind is ProblemKind.REFUSED:
        (outcome,) = yield [_read(every, "counting devices", "Device.Read.All")]
    return _integer(outcome)


def _group_count(kind: MemberType, group_id: str) -> Read:
    path = f"/groups/{segment(group_id)}/transitiveMembers/microsoft.graph.{kind}/$count"
    return _read(path, f"counting the {kind}s of group {group_id}", READ_GROUPS)


def _read(path: str, purpose: str, permission: str) -> Read:
    return Read(purpose=purpose, version="v1.0", path=path, headers=EVENTUAL, permission=permission)


def _number(read: Read) -> Reading[int | None]:
    (outcome,) = yield [read]
    return _integer(outcome)


def _integer(outcome: Answer | Problem) -> int | None:
    if isinstance(outcome, Answer) and isinstance(outcome.body, int) and not isinstance(outcome.body, bool):
        return outcome.body
    return None
