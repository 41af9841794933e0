"""Finding declared profiles: by pin, else by mark in the complete list; and reading what assignments refer to."""

from __future__ import annotations

from collections.abc import Iterable

from tapctl.kinds.catalog import read_shape
from tapctl.kinds.deliveries import READ_PERMISSION, Summary, read_summaries
from tapctl.kinds.profiles.forms import DELIVERY_FORMS, other_form
from tapctl.kinds.wire import JSONObject, identifier, is_missing, read_elements, text_or_none
from tapctl.model.desired import Profile
from tapctl.model.gather import gather
from tapctl.model.live import (
    Absent,
    Ambiguous,
    AssignmentFilter,
    Candidate,
    Found,
    LiveProfile,
    Lookup,
    OtherDelivery,
    PinMissing,
    ScopeTag,
    SettingShape,
    Unmarked,
)
from tapctl.model.requests import Problem, Read, Reading


def read_all(profiles: Iterable[Profile]) -> Reading[dict[str, Lookup[LiveProfile]]]:
    """Look up every declared profile, by key."""
    return gather({profile.identity.key: read(profile) for profile in profiles})


def read(profile: Profile) -> Reading[Lookup[LiveProfile]]:
    """Find one declared profile: by pin, else by its mark in the complete list."""
    form, identity = DELIVERY_FORMS[profile.delivery], profile.identity
    purpose = f"reading profile {identity.key}"
    if identity.id is not None:
        whole = yield from form.read_whole(identity.id, purpose)
        if isinstance(whole, Problem) and is_missing(whole):
            return (yield from _read_pinned_elsewhere(profile, identity.id, purpose))
        return whole if isinstance(whole, Problem) else Found(whole)
    seen = yield from read_summaries(form)
    if isinstance(seen, Problem):
        return seen
    fitting = _fitting(profile, seen)
    if isinstance(fitting, Summary):
        whole = yield from form.read_listed(fitting, purpose)
        return whole if isinstance(whole, Problem) else Found(whole)
    return (yield from _read_elsewhere(profile, fitting))


def _fitting(profile: Profile, seen: list[Summary]) -> Summary | Absent | Ambiguous | Unmarked:
    identity = profile.identity
    marked = [item for item in seen if item.mark == identity.key]
    named = [item for item in seen if item.name.casefold() == (identity.display_name or "").casefold()]
    fitting = marked or (named if identity.display_name is not None else [])
    candidates = tuple(Candidate(item.id, item.name) for item in sorted(fitting, key=lambda item: item.id))
    if not fitting:
        return Absent()
    if len(fitting) > 1:
        return Ambiguous(candidates)
    taken = bool(marked) or (identity.takes_over and fitting[0].name == identity.display_name)
    return fitting[0] if taken else Unmarked(candidates)


def _read_pinned_elsewhere(profile: Profile, profile_id: str, purpose: str) -> Reading[Lookup[LiveProfile]]:
    """Before a pinned id counts as missing, it is also looked up in the other delivery."""
    other = other_form(profile.delivery)
    whole = yield from other.read_whole(profile_id, purpose)
    if not isinstance(whole, Problem):
        return OtherDelivery(whole.id, other.delivery)
    if not is_missing(whole):
        return whole
    return Absent() if profile.identity.ensure == "absent" else PinMissing()


def _read_elsewhere(profile: Profile, lookup: Absent | Ambiguous | Unmarked) -> Reading[Lookup[LiveProfile]]:
    """Before a profile counts as absent, the list of the other delivery is searched for its mark."""
    if not isinstance(lookup, Absent):
        return lookup
    other = other_form(profile.delivery)
    seen = yield from read_summaries(other)
    if isinstance(seen, Problem):
        return seen
    for item in seen:
        if item.mark == profile.identity.key:
            return OtherDelivery(item.id, other.delivery)
    return lookup


def read_filters() -> Reading[tuple[AssignmentFilter, ...] | Problem]:
    """Every assignment filter of the tenant."""
    read = Read(
        purpose="listing assignment filters",
        version="beta",
        path="/deviceManagement/assignmentFilters",
        permission=READ_PERMISSION,
        paged=True,
    )
    return (yield from read_elements(read, _decode_filter))


def _decode_filter(item: JSONObject) -> AssignmentFilter:
    return AssignmentFilter(
        id=identifier(item),
        display_name=text_or_none(item, "displayName") or "",
        rule=text_or_none(item, "rule") or "",
        platform=text_or_none(item, "platform") or "",
    )


def read_scope_tags() -> Reading[tuple[ScopeTag, ...] | Problem]:
    """Every Intune scope tag of the tenant."""
    read = Read(
        purpose="listing scope tags",
        version="beta",
        path="/deviceManagement/roleScopeTags",
        permission="DeviceManagementRBAC.Read.All",
        paged=True,
    )
    return (yield from read_elements(read, _decode_scope_tag))


def _decode_scope_tag(item: JSONObject) -> ScopeTag:
    return ScopeTag(identifier(item), text_or_none(item, "displayName") or "")


def wanted_shapes(profile: Profile, lookup: Lookup[LiveProfile]) -> frozenset[str]:
    """The settings whose instance type must be read from the tenant, because the live policy does not show it."""
    if profile.identity.ensure == "absent":
        return frozenset()
    present = lookup.object.settings if isinstance(lookup, Found) else {}
    named = (name for name, value in profile.settings.items() if value is not None and name not in present)
    return DELIVERY_FORMS[profile.delivery].undocumented(named)


def read_shapes(names: Iterable[str]) -> Reading[dict[str, SettingShape | Problem]]:
    return gather({name: read_shape(name) for name in sorted(set(names))})


def referred_groups(live: LiveProfile) -> frozenset[str]:
    """The ids of the groups that the assignments name."""
    return frozenset(item.group_id for item in live.assignments if item.kind != "other" and item.group_id is not None)
