"""An approval is of exactly one plan: equal plans have one digest, and no difference that counts goes unseen."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from tapctl.model.plan import Change, FieldChange, GraphUsage, PlanDocument, TenantPlan
from tapctl.model.values import Record, Value
from tapctl.output.document import from_json, to_json
from tapctl.reconcile.approval import approve, digest, essence, parse
from tests.output.strategies import json_values, texts, values
from tests.support.clock import START

_addresses = st.sampled_from(["temporaryAccessPass", "groups.a", "groups.b", "webSignIn.c"])
_paths = st.sampled_from(["include", "members", "displayName", "settings.enableWebSignIn"])
_fields = st.builds(FieldChange, path=_paths, before=values, after=values)
_changes = st.builds(
    Change,
    address=_addresses,
    action=st.sampled_from(["create", "update", "delete"]),
    fields=st.lists(_fields, min_size=1, max_size=3).map(tuple),
)
plans = st.builds(
    TenantPlan,
    name=st.just("contoso"),
    tenant_id=st.sampled_from(["6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11", "6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c12"]),
    cloud=st.sampled_from(["global", "sandbox"]),
    status=st.just("changes"),
    changes=st.lists(_changes, min_size=1, max_size=3, unique_by=lambda change: change.address).map(tuple),
    overrides=st.dictionaries(st.sampled_from(["delete", "widen"]), texts, max_size=2),
    definitions=st.dictionaries(texts, json_values, max_size=3),
)


@given(plans, texts, st.integers(0, 2**16))
def test_what_is_only_for_people_and_the_order_of_things_leave_the_digest_alone(
    plan: TenantPlan, wording: str, seed: int
) -> None:
    order = random.Random(seed)  # noqa: S311 - an order, no secret
    reworded = [replace(change, title=wording, reason=wording, notes=(wording,)) for change in plan.changes]
    other = replace(
        plan,
        changes=tuple(order.sample(reworded, len(reworded))),
        definitions=dict(order.sample(list(plan.definitions.items()), len(plan.definitions))),
        graph=GraphUsage(requests=7),
        error=wording,
    )

    assert digest(other, START) == digest(plan, START)


@given(plans, plans)
def test_plans_that_differ_in_what_is_agreed_to_have_different_digests(one: TenantPlan, other: TenantPlan) -> None:
    assume(subject(one) != subject(other))

    assert digest(one, START) != digest(other, START)


def subject(plan: TenantPlan) -> Any:
    """What an approval is about, in a form that tells true from 1 and text from numbers."""
    changes = [typed(essence(change)) for change in sorted(plan.changes, key=lambda change: change.address)]
    definitions, overrides = typed(dict(plan.definitions)), typed(dict(plan.overrides))
    return plan.tenant_id, plan.cloud, changes, definitions, overrides


def typed(value: Any) -> Any:
    if isinstance(value, dict):
        return sorted((key, typed(item)) for key, item in value.items()) if value else "{}"
    if isinstance(value, list):
        return [typed(item) for item in value]
    return f"{type(value).__name__} {value!r}"


def changed(value: Value) -> Value:
    """Another value."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, tuple):
        return (*value, "more")
    if isinstance(value, Record):
        return Record({**value, "filter": "another"}) if value.get("filter") != "another" else Record({})
    return f"{value} more"


def altered(plan: TenantPlan, part: str) -> TenantPlan:
    """The plan with one thing changed."""
    first, *rest = plan.changes
    item, *others = first.fields
    match part:
        case "tenant":
            return replace(plan, tenant_id="00000000-0c55-4c0e-9b1f-0a4f4f0f3c11")
        case "cloud":
            return replace(plan, cloud="china")
        case "address":
            first = replace(first, address=f"{first.address}-2")
        case "action":
            first = replace(first, action="update" if first.action != "update" else "delete")
        case "path":
            first = replace(first, fields=(replace(item, path=f"{item.path}.more"), *others))
        case "before":
            first = replace(first, fields=(replace(item, before=changed(item.before)), *others))
        case "after":
            first = replace(first, fields=(replace(item, after=changed(item.after)), *others))
        case "one field less":
            first = replace(first, fields=tuple(others))
        case "one change less":
            return replace(plan, changes=tuple(rest))
        case "definition":
            return replace(plan, definitions={**plan.definitions, "filter:x": {"id": "1", "rule": "(true)"}})
        case "override":
            return replace(plan, overrides={**plan.overrides, "impact": "because"})
    return replace(plan, changes=(first, *rest))


PARTS = (
    *("tenant", "cloud", "address", "action", "path", "before", "after"),
    *("one field less", "one change less", "definition", "override"),
)


@given(plans, st.sampled_from(PARTS))
def test_any_one_thing_that_is_agreed_to_changes_the_digest(plan: TenantPlan, part: str) -> None:
    assert digest(altered(plan, part), START) != digest(plan, START)


@given(plans, st.integers(1, 10_000))
def test_the_stamp_is_inside_the_digest(plan: TenantPlan, minutes: int) -> None:
    assert digest(plan, START + timedelta(minutes=minutes)) != digest(plan, START)


@given(plans, st.integers(0, 10**6))
def test_an_approval_reads_back_as_it_was_printed(plan: TenantPlan, seconds: int) -> None:
    approval = approve(plan, START + timedelta(seconds=seconds))

    assert parse(str(approval)) == approval


@given(plans)
def test_a_plan_that_went_through_a_file_has_the_digest_that_it_had(plan: TenantPlan) -> None:
    document = PlanDocument(created_at=START, tapctl_version="0", tenants=(plan,))

    (read,) = from_json(to_json(document)).tenants

    assert digest(read, START) == digest(plan, START)
