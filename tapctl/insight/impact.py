"""How many people and devices a plan gives the ability to, or takes it from: exact, an upper bound, or unknown."""

from __future__ import annotations

from tapctl.graph.reading import Reader
from tapctl.model.desired import Tenant
from tapctl.model.live import LiveTenant
from tapctl.model.plan import Change, Impact, ImpactCount
from tapctl.reconcile.planner import Planned

NOBODY = ImpactCount(count=0, certainty="exact")
UNKNOWN = ImpactCount()

_INERT = frozenset({"displayName", "description", "scopeTags", "length", "oneTime"})
"""Fields that change who is called what, never who may do what."""


async def assess(reader: Reader, tenant: Tenant, planned: Planned, live: LiveTenant, *, mode: str) -> Impact:
    """Count what can be counted; a plan that touches nobody's ability says zero, exactly."""
    if all(is_inert(draft.change) for draft in planned.drafts):
        return Impact(users_gaining=NOBODY, users_losing=NOBODY, devices_gaining=NOBODY, devices_losing=NOBODY)
    return Impact()


def is_inert(change: Change) -> bool:
    """Whether a change can neither give nor take the ability."""
    paths = {item.path for item in change.fields}
    inert = {path for path in paths if path in _INERT or path.startswith("lifetime.")}
    inert |= {path for path in paths if path.startswith("settings.") and path != "settings.enableWebSignIn"}
    return change.action == "update" and paths == inert
