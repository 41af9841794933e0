"""The Temporary Access Pass policy as a kind of resource."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import ClassVar

from tapctl.errors import Finding
from tapctl.kinds import audit
from tapctl.kinds.canonical import as_number, as_texts
from tapctl.kinds.effects import Effect
from tapctl.kinds.kind import Fields, Kind, Role
from tapctl.kinds.naming import Names
from tapctl.kinds.policy import comparing, fields, reading
from tapctl.kinds.policy.labels import labels
from tapctl.kinds.steps import Draft
from tapctl.kinds.untils import untils_and_reasons
from tapctl.model.desired import Identity, Policy, Target, Tenant
from tapctl.model.live import LivePolicy, LiveTenant, Referrer
from tapctl.model.plan import FieldChange
from tapctl.model.requests import Reading
from tapctl.model.values import Value


class PolicyKind(Kind[Policy]):
    section = "temporaryAccessPass"
    lists_of_groups: ClassVar[Mapping[str, Role]] = {"include": "include", "exclude": "exclude"}
    inseparable = frozenset(item.path for item in reading.LIFETIMES)
    is_singleton = True
    title = fields.TITLE
    audit_log = audit.POLICY_LOG

    def declared(self, tenant: Tenant) -> Mapping[str, Policy]:
        return {} if tenant.policy is None else {self.section: tenant.policy}

    def declare(self, tenant: Tenant, resource: Policy) -> Tenant:
        return replace(tenant, policy=resource)

    def identity(self, _resource: Policy) -> Identity | None:
        return None

    def fields(self, resource: Policy, today: date) -> dict[str, Value]:
        return fields.wanted_fields(resource, today)

    def remarks(self, resource: Policy) -> dict[str, Value]:
        return untils_and_reasons("include", resource.include)

    def restore(self, _identity: Identity, wanted: Fields, _traits: Mapping[str, str]) -> Policy:
        include, one_time, state = _groups(wanted.get("include")), wanted.get("oneTime"), wanted.get("state")
        return Policy(
            state="enabled" if state == "enabled" else "disabled" if state == "disabled" else None,
            minimum=as_number(wanted.get("lifetime.minimum")),
            default=as_number(wanted.get("lifetime.default")),
            maximum=as_number(wanted.get("lifetime.maximum")),
            length=as_number(wanted.get("length")),
            one_time=one_time if isinstance(one_time, bool) else None,
            include=tuple(Target(group=item) for item in include) if include is not None else None,
            exclude=_groups(wanted.get("exclude")),
        )

    def reads(self, tenant: Tenant) -> Mapping[str, Reading[object]]:
        return {} if tenant.policy is None else {"policy": reading.read(tenant.cloud)}

    def ids(self, live: LiveTenant) -> Mapping[str, str]:
        return {self.section: ""} if isinstance(live.policy, LivePolicy) else {}

    def live_lists(self, live: LiveTenant, names: Names) -> Mapping[str, Fields]:
        if not isinstance(live.policy, LivePolicy):
            return {}
        include, exclude = labels(live.policy.include, names), labels(live.policy.exclude, names)
        return {self.section: {"include": include, "exclude": exclude}}

    def referred_groups(self, live: LiveTenant) -> frozenset[str]:
        return reading.referred_groups(live.policy) if isinstance(live.policy, LivePolicy) else frozenset()

    def describe_referrer(self, _referrer: Referrer) -> str:
        return "the TAP policy"

    def plan(
        self, tenant: Tenant, live: LiveTenant, names: Names, today: date, *, only_lapsed: bool = False
    ) -> Iterator[Draft | Finding]:
        if tenant.policy is None or not isinstance(live.policy, LivePolicy):
            return
        wrong = comparing.range_finding(tenant, tenant.policy, live.policy)
        if wrong is not None:
            yield wrong
        draft = comparing.plan(tenant, tenant.policy, live.policy, names, today, only_lapsed=only_lapsed)
        if draft is not None:
            yield draft

    def observe(self, tenant: Tenant, live: LiveTenant, names: Names, _changing: frozenset[str]) -> Iterable[Finding]:
        if tenant.policy is not None and isinstance(live.policy, LivePolicy):
            yield from comparing.kept_targets(tenant, live.policy, names)

    def effect(self, item: FieldChange) -> Effect:
        return fields.effect(item)


def _groups(value: Value) -> tuple[str, ...] | None:
    """A list of targets, without those of a single person: tapctl does not create such targets."""
    listed = as_texts(value)
    return None if listed is None else tuple(item for item in listed if not item.startswith("user:"))
