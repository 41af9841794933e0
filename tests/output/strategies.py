"""Hypothesis strategies for everything that a plan document can hold."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from tapctl.errors import ExitCode, Finding, Position
from tapctl.model.plan import (
    Attribution,
    Change,
    FieldChange,
    GraphUsage,
    Impact,
    ImpactCount,
    Outcome,
    PlanDocument,
    TenantPlan,
    Violation,
)
from tapctl.model.values import JSONValue, Record, Value

from .sample_plan import HOSTILE

texts = st.one_of(
    st.text(st.characters(codec=None), max_size=30),  # lone surrogates included
    st.text(st.sampled_from("`<>[]()!@#|*_~:-+=&$\\\"'{} \n\r\t\x1b\u202e\u200baZ1/."), max_size=30),
    st.just(HOSTILE),
)
values: st.SearchStrategy[Value] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(1 << 62), 1 << 62), texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(tuple),
        st.dictionaries(texts, inner, max_size=3).map(Record),
    ),
    max_leaves=6,
)
json_values: st.SearchStrategy[JSONValue] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=4,
)
optional_texts = st.one_of(st.none(), texts)
counts = st.integers(0, 99_999)

positions = st.builds(Position, file=texts, line=st.integers(1, 1 << 40), column=st.integers(1, 1 << 40))
findings = st.builds(
    Finding,
    rule=texts,
    severity=st.sampled_from(["error", "warning", "info"]),
    message=texts,
    why=texts,
    fix=texts,
    position=st.one_of(st.none(), positions),
    excerpt=texts,
    width=st.integers(0, 200),
    related=st.lists(st.tuples(texts, positions), max_size=2).map(tuple),
    suppressed=st.booleans(),
    suppress_reason=texts,
)
field_changes = st.builds(FieldChange, path=texts, before=values, after=values)
changes = st.builds(
    Change,
    address=texts,
    action=st.sampled_from(["create", "update", "delete"]),
    title=texts,
    fields=st.lists(field_changes, max_size=3).map(tuple),
    widens=st.booleans(),
    irreversible=st.booleans(),
    reason=st.one_of(st.none(), st.sampled_from(["lapsed", "drift", "pending"]), texts),
    notes=st.lists(texts, max_size=2).map(tuple),
    depends_on=st.lists(texts, max_size=2).map(tuple),
    outcome=st.one_of(
        st.none(),
        st.builds(
            Outcome,
            name=st.sampled_from(["applied", "waiting", "unverified", "failed", "skipped"]),
            message=texts,
            fix=texts,
        ),
    ),
    by=st.one_of(st.none(), st.builds(Attribution, who=texts, when=texts, via=texts)),
)
impact_counts = st.builds(
    ImpactCount, count=st.one_of(st.none(), counts), certainty=st.sampled_from(["exact", "upper-bound", "unknown"])
)
tenants = st.builds(
    TenantPlan,
    name=texts,
    tenant_id=texts,
    cloud=st.one_of(st.just("sandbox"), texts),
    status=st.sampled_from(["clean", "changes", "denied", "failed", "applied", "waiting", "partial"]),
    exit_code=st.sampled_from(ExitCode),
    error=optional_texts,
    fix=texts,
    changes=st.lists(changes, max_size=2).map(tuple),
    findings=st.lists(findings, max_size=2).map(tuple),
    impact=st.one_of(
        st.none(),
        st.builds(
            Impact,
            users_gaining=impact_counts,
            users_losing=impact_counts,
            devices_gaining=impact_counts,
            devices_losing=impact_counts,
        ),
    ),
    guardrails=st.lists(
        st.builds(
            Violation,
            rule=texts,
            message=texts,
            address=optional_texts,
            overridden=st.booleans(),
            reason=optional_texts,
        ),
        max_size=2,
    ).map(tuple),
    overrides=st.dictionaries(texts, texts, max_size=2),
    approval=optional_texts,
    definitions=st.dictionaries(texts, json_values, max_size=2),
    journal=optional_texts,
    graph=st.builds(
        GraphUsage,
        requests=counts,
        calls=counts,
        round_trips=counts,
        throttled=counts,
        seconds=st.floats(0, 99_999),
    ),
)
documents = st.builds(
    PlanDocument,
    created_at=st.datetimes(
        min_value=datetime(1, 1, 2),  # noqa: DTZ001  Hypothesis adds the time zone
        max_value=datetime(9999, 12, 30),  # noqa: DTZ001
        timezones=st.just(UTC),
    ).map(lambda moment: moment.replace(microsecond=0)),
    tapctl_version=texts,
    tenants=st.lists(tenants, max_size=2).map(tuple),
    command=st.sampled_from(["plan", "apply", "drift", "rollback"]),
    only_lapsed=st.booleans(),
)
