"""Reading the live state for one tenant's files: two round trips, a third only when those leave something open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from tapctl.kinds import groups, referrers
from tapctl.kinds.kind import EVER
from tapctl.kinds.registry import KINDS, kind_of
from tapctl.kinds.roles import groups_named
from tapctl.model.desired import Tenant
from tapctl.model.gather import gather
from tapctl.model.live import Found, LiveTenant
from tapctl.model.requests import Reading


def read_tenant(tenant: Tenant) -> Reading[LiveTenant]:
    """Everything that planning this tenant needs; parts that could not be read are Problems in the result."""
    wanted = {name: reading for kind in KINDS for name, reading in kind.reads(tenant).items()}
    seen = yield from _filled(LiveTenant(), wanted)
    further = {name: reading for kind in KINDS for name, reading in kind.further_reads(tenant, seen).items()}
    return (yield from _filled(seen, {**further, **_read_references(tenant, seen)}))


def _filled(live: LiveTenant, readings: Mapping[str, Reading[object]]) -> Reading[LiveTenant]:
    """A live state with more of its fields read."""
    parts = yield from gather(readings)
    return replace(live, **cast("dict[str, Any]", parts))


def _read_references(tenant: Tenant, seen: LiveTenant) -> dict[str, Reading[object]]:
    """The groups in live lists, and the objects that refer to groups that will be deleted."""
    found = {key: lookup.object.id for key, lookup in seen.groups.items() if isinstance(lookup, Found)}
    referred = frozenset().union(*(kind.referred_groups(seen) for kind in KINDS))
    wanted: dict[str, Reading[object]] = {"group_names": groups.read_names(referred - set(found.values()))}
    leaving = {key: found[key] for key in found if tenant.groups[key].identity.ensure == "absent"}
    if leaving:
        wanted["referrers"] = referrers.read(tenant.cloud, leaving)
    return wanted


def focus(tenant: Tenant, address: str) -> Tenant:
    """The part of a tenant that one address needs, to read back an applied change without reading everything."""
    kind = kind_of(address)
    alone = tenant.without_resources()
    resource = kind.declared(tenant).get(address)
    if resource is None:
        return alone
    keys = {key for _, key in groups_named(kind.lists_of_groups, kind.fields(resource, EVER))}
    named = {key: tenant.groups[key] for key in keys if key in tenant.groups}
    looked_up = {key: replace(group, members=None, rule=None, description=None) for key, group in named.items()}
    return kind.declare(replace(alone, groups=looked_up), resource)
