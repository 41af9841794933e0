"""The order of changes in an apply: narrowing first, widening last, each after the changes it depends on."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping

from tapctl.errors import RefusedError
from tapctl.kinds.steps import Draft


def phase(draft: Draft) -> int:
    """0: only removes the ability from somebody; 1: neither; 2: may give it to somebody."""
    if draft.change.widens:
        return 2
    return 0 if draft.narrows else 1


def in_safe_order(drafts: Iterable[Draft]) -> tuple[Draft, ...]:
    """Topological order of the dependencies among the drafts; among those that are ready, by phase and address.

    Raises:
        RefusedError: when the changes depend on each other in a circle.
    """
    by_address: Mapping[str, Draft] = {draft.change.address: draft for draft in drafts}
    open_needs = {
        address: {need for need in draft.change.depends_on if need in by_address and need != address}
        for address, draft in by_address.items()
    }
    ready = [(phase(by_address[address]), address) for address, needs in open_needs.items() if not needs]
    heapq.heapify(ready)
    ordered: list[Draft] = []
    while ready:
        _, address = heapq.heappop(ready)
        ordered.append(by_address[address])
        for other, needs in open_needs.items():
            if address in needs:
                needs.discard(address)
                if not needs:
                    heapq.heappush(ready, (phase(by_address[other]), other))
    if len(ordered) < len(by_address):
        stuck = ", ".join(sorted(address for address, needs in open_needs.items() if needs))
        raise RefusedError(
            f"these changes depend on each other in a circle: {stuck}", fix="remove one of these members"
        )
    return tuple(ordered)
