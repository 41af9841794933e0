"""Every kind of resource that tapctl manages. A new kind is added here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from tapctl.kinds.groups.kind import GroupKind
from tapctl.kinds.kind import EVER, AnyKind
from tapctl.kinds.policy.kind import PolicyKind
from tapctl.kinds.profiles.kind import ProfileKind
from tapctl.model.desired import Tenant
from tapctl.model.values import Value

KINDS: tuple[AnyKind, ...] = (GroupKind(), PolicyKind(), ProfileKind())
"""In the order of their findings in the output."""

BY_SECTION: Mapping[str, AnyKind] = MappingProxyType({kind.section: kind for kind in KINDS})


def kind_of(address: str) -> AnyKind:
    """The kind of the object that has this address.

    Raises:
        KeyError: no kind has such an address.
    """
    section, dot, key = address.partition(".")
    kind = BY_SECTION[section]
    if kind.is_singleton == bool(key) or kind.is_singleton == bool(dot):
        raise KeyError(address)
    return kind


def declared_fields(tenant: Tenant, *, today: date = EVER) -> dict[str, dict[str, Value]]:
    """The managed fields of all declarations, by address and path, in the form that a plan compares.

    Args:
        today: entries that have lapsed by this day are left out, as in a plan.
    """
    return {
        address: kind.fields(resource, today) for kind in KINDS for address, resource in kind.declared(tenant).items()
    }
