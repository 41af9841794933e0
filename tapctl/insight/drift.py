"""Why a tenant is not as declared: Git is ahead, somebody changed it, or an entry's day has passed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from tapctl.insight.desired_diff import same_value
from tapctl.kinds.kind import Fields
from tapctl.kinds.registry import declared_fields, kind_of
from tapctl.model.desired import Tenant
from tapctl.model.plan import Change, FieldChange

Reason = Literal["pending", "drift", "lapsed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The desired state at the revision that was applied last; `tenant` is None where it did not declare the tenant."""

    tenant: Tenant | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A change with the reason of each of its fields."""

    change: Change
    """Its `reason` is `drift` when any field drifted, else `pending` when any is, else `lapsed`."""
    reasons: Mapping[str, Reason]
    """By the path of each field."""

    @property
    def drifted(self) -> tuple[FieldChange, ...]:
        """The fields that somebody changed."""
        return tuple(item for item in self.change.fields if self.reasons[item.path] == "drift")


def gravest(reasons: Iterable[Reason]) -> Reason:
    """What a change is called whose fields have these reasons: drift before pending before lapsed."""
    found = set(reasons)
    return "drift" if "drift" in found or not found else "pending" if "pending" in found else "lapsed"


class DriftJudge:
    """Tells the reasons of one tenant's changes.

    Args:
        tenant: as declared now.
        base: as declared at the revision that was applied last; None: not asked for, so that nothing is pending.
        today: the day, UTC, by which entries lapse.
    """

    def __init__(self, tenant: Tenant, base: Base | None, today: date) -> None:
        self._now = declared_fields(tenant, today=today)
        self._ever = declared_fields(tenant)
        self._base = base.tenant if base is not None else None
        self._has_base = base is not None
        declared = self._base
        # What had lapsed by today may still be live, or may have been taken out already: neither is drift.
        self._bases: tuple[Mapping[str, Fields], ...] = (
            (declared_fields(declared, today=today), declared_fields(declared)) if declared is not None else ()
        )

    def judge(self, change: Change) -> Judged:
        """The change with its reason, and that of each field."""
        reasons = {item.path: self._reason(change, item) for item in change.fields}
        return Judged(change=replace(change, reason=gravest(reasons.values())), reasons=reasons)

    def _reason(self, change: Change, item: FieldChange) -> Reason:
        if change.reason == "lapsed" or self._is_lapse(change, item):
            return "lapsed"
        return "pending" if self._has_base and self._is_pending(change, item) else "drift"

    def _is_lapse(self, change: Change, item: FieldChange) -> bool:
        """Whether the live value is what the file says but for entries whose day has passed."""
        now, ever = self._now.get(change.address, {}), self._ever.get(change.address, {})
        if change.action != "update" or item.path not in ever or now.get(item.path) == ever[item.path]:
            return False
        return same_value(item.path, item.before, ever[item.path])

    def _is_pending(self, change: Change, item: FieldChange) -> bool:
        """Whether the live value is what the base declared, or the base did not manage it."""
        present = self._base_presence(change.address)
        match change.action:
            case "create":
                return present is not True
            case "delete":
                return present is not False
            case "update":
                named = [fields.get(change.address, {}) for fields in self._bases]
                managed = [fields for fields in named if item.path in fields]
                return not managed or any(same_value(item.path, item.before, fields[item.path]) for fields in managed)

    def _base_presence(self, address: str) -> bool | None:
        """Whether the base wanted the object to exist; None where it did not declare it."""
        if self._base is None:
            return None
        kind = kind_of(address)
        declared = kind.declared(self._base).get(address)
        identity = kind.identity(declared) if declared is not None else None
        return None if identity is None else identity.ensure == "present"


def tree_path(address: str, path: str | None) -> tuple[str, ...]:
    """Where a field of a change stands in the tenant; None: the object itself."""
    section, _, key = address.partition(".")
    return (section, *((key,) if key else ()), *(path.split(".") if path else ()))
