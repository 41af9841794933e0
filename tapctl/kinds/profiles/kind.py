"""Web sign-in profiles as a kind of resource."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date

from tapctl.errors import Finding
from tapctl.kinds import assignments, audit
from tapctl.kinds.canonical import as_text, as_texts
from tapctl.kinds.effects import Effect
from tapctl.kinds.findings import adopted
from tapctl.kinds.kind import Fields, Kind, Role
from tapctl.kinds.naming import Names
from tapctl.kinds.profiles import comparing, finding
from tapctl.kinds.profiles.wanted import effect
from tapctl.kinds.steps import Draft
from tapctl.kinds.untils import untils_and_reasons
from tapctl.model.desired import Assignment, Delivery, FilterMode, Identity, Profile, SettingValue, Tenant
from tapctl.model.live import Found, LiveProfile, LiveTenant, Referrer
from tapctl.model.plan import FieldChange
from tapctl.model.requests import Reading
from tapctl.model.settings import canonical
from tapctl.model.values import Record, Value, as_set

LISTS: Mapping[str, Role] = {"assign.include": "include", "assign.exclude": "exclude"}


class ProfileKind(Kind[Profile]):
    section = "webSignIn"
    lists_of_groups = LISTS
    audit_log = audit.PROFILES_LOG

    def declared(self, tenant: Tenant) -> Mapping[str, Profile]:
        return {profile.address: profile for profile in tenant.profiles.values()}

    def declare(self, tenant: Tenant, resource: Profile) -> Tenant:
        return replace(tenant, profiles={**tenant.profiles, resource.identity.key: resource})

    def identity(self, resource: Profile) -> Identity | None:
        return resource.identity

    def fields(self, resource: Profile, today: date) -> dict[str, Value]:
        lists = {"assign.include": resource.include, "assign.exclude": resource.exclude}
        assigned = {path: listed for path, listed in lists.items() if listed is not None}
        values: dict[str, Value] = {
            "displayName": resource.identity.display_name,
            "description": resource.description,
            "scopeTags": as_set(resource.scope_tags) if resource.scope_tags is not None else None,
            **{path: assignments.wanted_labels(listed, today) for path, listed in assigned.items()},
        }
        named = {path: value for path, value in values.items() if value is not None}
        # A setting's null is a value: it takes the setting out of the policy.
        return named | {f"settings.{name}": canonical(name, value) for name, value in resource.settings.items()}

    def remarks(self, resource: Profile) -> dict[str, Value]:
        identity = resource.identity
        values: dict[str, Value] = {
            "id": identity.id,
            "adopt": identity.adopt or None,
            "ensure": identity.ensure if identity.ensure == "absent" else None,
            "delivery": resource.delivery if resource.delivery != "settings-catalog" else None,
        }
        return {
            **{path: value for path, value in values.items() if value is not None},
            **untils_and_reasons("assign.include", resource.include),
            **untils_and_reasons("assign.exclude", resource.exclude),
        }

    def restore(self, identity: Identity, fields: Fields, traits: Mapping[str, str]) -> Profile:
        delivery: Delivery = "oma-uri" if traits.get("delivery") == "oma-uri" else "settings-catalog"
        return Profile(
            identity=identity._replace(display_name=as_text(fields.get("displayName"))),
            description=as_text(fields.get("description")),
            delivery=delivery,
            settings={
                path.removeprefix("settings."): _setting(value)
                for path, value in fields.items()
                if path.startswith("settings.")
            },
            include=_assignments(fields.get("assign.include")),
            exclude=_assignments(fields.get("assign.exclude")),
            scope_tags=as_texts(fields.get("scopeTags")),
        )

    def created(self, fields: Fields) -> Fields:
        return {**dict.fromkeys(LISTS, ()), **fields}

    def reads(self, tenant: Tenant) -> Mapping[str, Reading[object]]:
        wanted: dict[str, Reading[object]] = {"profiles": finding.read_all(tenant.profiles.values())}
        present = [profile for profile in tenant.profiles.values() if profile.identity.ensure == "present"]
        if any(profile.include is not None or profile.exclude is not None for profile in present):
            wanted["filters"] = finding.read_filters()
        if any(profile.scope_tags is not None for profile in present):
            wanted["scope_tags"] = finding.read_scope_tags()
        return wanted

    def further_reads(self, tenant: Tenant, seen: LiveTenant) -> Mapping[str, Reading[object]]:
        shapes = [finding.wanted_shapes(item, seen.profiles[key]) for key, item in tenant.profiles.items()]
        return {"shapes": finding.read_shapes(name for names in shapes for name in names)}

    def ids(self, live: LiveTenant) -> Mapping[str, str]:
        return {f"webSignIn.{key}": profile.id for key, profile in _found(live).items()}

    def live_lists(self, live: LiveTenant, names: Names) -> Mapping[str, Fields]:
        return {
            f"webSignIn.{key}": dict(zip(LISTS, assignments.live_labels(profile.assignments, names), strict=True))
            for key, profile in _found(live).items()
        }

    def referred_groups(self, live: LiveTenant) -> frozenset[str]:
        return frozenset().union(*(finding.referred_groups(profile) for profile in _found(live).values()))

    def beyond(self, live: LiveTenant, address: str, fields: Fields) -> list[str]:
        profile = _found(live).get(address.partition(".")[2])
        if profile is None:
            return []
        added = [f"settings.{name}" for name in sorted(profile.settings) if f"settings.{name}" not in fields]
        return [*added, *(["settings that tapctl does not model"] if profile.unmodelled else [])]

    def describe_referrer(self, referrer: Referrer) -> str:
        return f"the assignments of profile {referrer.name!r} (id {referrer.id})"

    def plan(
        self, tenant: Tenant, live: LiveTenant, names: Names, today: date, *, only_lapsed: bool = False
    ) -> Iterator[Draft | Finding]:
        for key in sorted(tenant.profiles):
            planned = comparing.plan(tenant, tenant.profiles[key], live, names, today, only_lapsed=only_lapsed)
            if isinstance(planned, list):
                yield from planned
            elif planned is not None:
                yield planned

    def observe(self, tenant: Tenant, live: LiveTenant, names: Names, _changing: frozenset[str]) -> Iterable[Finding]:
        found = _found(live)
        for key in sorted(set(found) & set(tenant.profiles)):
            profile, seen = tenant.profiles[key], found[key]
            yield from comparing.kept_targets(tenant, profile, seen, names)
            if profile.identity.is_taken_over and seen.mark != key:
                yield adopted(tenant, ("webSignIn", key), f"profile {seen.name!r}", seen.id)

    def effect(self, item: FieldChange) -> Effect:
        return effect(item)


def _found(live: LiveTenant) -> dict[str, LiveProfile]:
    return {key: seen.object for key, seen in live.profiles.items() if isinstance(seen, Found)}


def _setting(value: Value) -> SettingValue:
    if isinstance(value, tuple):
        return as_texts(value)
    return value if isinstance(value, bool | str) else None


def _assignments(value: Value) -> tuple[Assignment, ...] | None:
    return tuple(_assignment(item) for item in value) if isinstance(value, tuple) else None


def _assignment(item: Value) -> Assignment:
    if not isinstance(item, Record):
        return Assignment(group=str(item))
    mode: FilterMode = "exclude" if item["mode"] == "exclude" else "include"
    return Assignment(group=str(item["group"]), filter=str(item["filter"]), mode=mode)
