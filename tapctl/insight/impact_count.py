"""Upper bounds from counts only: no member is listed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tapctl.insight.reach import Bound, Side, Term, Terms
from tapctl.kinds import counts
from tapctl.kinds.counts import MemberType
from tapctl.model.gather import gather
from tapctl.model.plan import ImpactCount
from tapctl.model.requests import Reading

NONE = ImpactCount(count=0, certainty="exact")
UNKNOWN = ImpactCount()

Quantity = tuple[MemberType, str]
"""What is counted: the users or devices of one group, of the whole tenant where the id is empty."""


def at_most(bounds: Sequence[tuple[Side, Bound]]) -> Reading[list[ImpactCount]]:
    """One figure for each bound. A count that cannot be read makes its figure unknown, never a failed run."""
    wanted: set[Quantity] = set()
    for side, bound in bounds:
        wanted |= _quantities(side, bound.terms)
        wanted |= _quantities(side, bound.cap or frozenset())
    counted = yield from gather({quantity: _count(quantity) for quantity in sorted(wanted)})
    tally = _Tally({quantity: count for quantity, count in counted.items() if count is not None})
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
        return counts.count_members(group_id, kind)
    return counts.count_users() if kind == "user" else counts.count_devices()
