"""What holds for every tenant: order, positions, the schema of the organisation, and that unknown is not absent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from tapctl.errors import Finding, Position
from tapctl.model.desired import (
    Assignment,
    Group,
    Guardrails,
    Identity,
    Policy,
    Profile,
    SettingValue,
    Suppression,
    Target,
    Tenant,
)
from tapctl.model.values import JSONValue
from tapctl.rules.catalogue import BY_ID, RULES
from tapctl.rules.check import check, in_order
from tapctl.rules.suppressions import apply_suppressions

TODAY = date(2026, 11, 22)
ID = "6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11"
PIN = "33333333-3333-3333-3333-333333333333"
KEYS = ("one", "two", "three")

maybe_minutes = st.none() | st.integers(10, 43200)
groups = st.builds(
    Group,
    identity=st.builds(Identity, key=st.just("one"), id=st.none() | st.just(PIN)),
    external=st.booleans(),
    members=st.none()
    | st.lists(st.sampled_from(("ada@contoso.com", "device:1", "group:two", PIN)), max_size=3).map(tuple),
    rule=st.none() | st.sampled_from(('(device.deviceTrustType -eq "AzureAD")', "(user.objectId -ne null)", "((")),
    role_assignable=st.none() | st.booleans(),
)
policies = st.builds(
    Policy,
    state=st.sampled_from((None, "enabled", "disabled")),
    minimum=maybe_minutes,
    default=maybe_minutes,
    maximum=maybe_minutes,
    length=st.none() | st.integers(8, 48),
    one_time=st.none() | st.booleans(),
    include=st.none()
    | st.lists(st.builds(Target, group=st.sampled_from((*KEYS, "all-users"))), max_size=3, unique=True).map(tuple),
    exclude=st.none() | st.lists(st.sampled_from(KEYS), max_size=3, unique=True).map(tuple),
)
assignments = st.builds(
    Assignment,
    group=st.sampled_from((*KEYS, "all-users", "all-devices")),
    filter=st.none() | st.just("Joined"),
    mode=st.sampled_from(("include", "exclude")),
)
choices: st.SearchStrategy[SettingValue] = st.sampled_from((True, False, "default", None))
settings: st.SearchStrategy[Mapping[str, SettingValue]] = st.fixed_dictionaries(
    {},
    optional={
        "enableWebSignIn": choices,
        "enablePasswordlessExperience": choices,
        "defaultCredentialProvider": st.sampled_from(("pin", "password", "web-sign-in", False, None)),
        "excludedCredentialProviders": st.sampled_from((("web-sign-in",), ("password",), None)),
        "configureWebSignInAllowedUrls": st.just(("idp.example.com",)),
        "preferredAadTenantDomainName": st.just("contoso.com"),
    },
)
profiles = st.builds(
    Profile,
    identity=st.builds(Identity, key=st.just("one"), id=st.just(PIN), ensure=st.sampled_from(("present", "absent"))),
    settings=settings,
    include=st.none() | st.lists(assignments, max_size=2).map(tuple),
    exclude=st.none() | st.lists(st.builds(Assignment, group=st.sampled_from(KEYS)), max_size=2).map(tuple),
)
tenants = st.builds(
    Tenant,
    name=st.just("contoso"),
    source=st.just("tenants/contoso.yaml"),
    id=st.just(ID),
    scenarios=st.frozensets(st.sampled_from(("helpdesk", "autopilot", "shared"))),
    break_glass=st.lists(st.sampled_from(KEYS), max_size=1).map(tuple),
    groups=st.fixed_dictionaries({}, optional=dict.fromkeys(KEYS, groups)).map(
        lambda found: {key: replace(group, identity=group.identity._replace(key=key)) for key, group in found.items()}
    ),
    policy=st.none() | policies,
    profiles=st.fixed_dictionaries({}, optional={"a": profiles, "b": profiles}),
)


def rules_of(tenant: Tenant) -> set[str]:
    return {finding.rule for finding in check(tenant, today=TODAY)}


@given(tenants)
def test_any_tenant_is_judged_and_twice_in_the_same_way(tenant: Tenant) -> None:
    assert check(tenant, today=TODAY) == check(tenant, today=TODAY)


@given(tenants, st.data())
def test_naming_less_of_the_policy_never_makes_another_rule_fire(tenant: Tenant, data: st.DataObject) -> None:
    if tenant.policy is None:
        return
    name = data.draw(st.sampled_from([field.name for field in fields(Policy)]))
    unmanaged = replace(tenant, policy=replace(tenant.policy, **{name: None}))

    assert rules_of(unmanaged) <= rules_of(tenant)


@given(tenants, st.data())
def test_naming_less_of_a_pinned_profile_never_makes_another_rule_fire(tenant: Tenant, data: st.DataObject) -> None:
    if not tenant.profiles:
        return
    key = data.draw(st.sampled_from(sorted(tenant.profiles)))
    profile = tenant.profiles[key]
    gone = data.draw(st.sampled_from(("include", "exclude", *profile.settings)))
    less = replace(
        profile,
        settings={name: value for name, value in profile.settings.items() if name != gone},
        include=None if gone == "include" else profile.include,
        exclude=None if gone == "exclude" else profile.exclude,
    )

    assert rules_of(replace(tenant, profiles={**tenant.profiles, key: less})) <= rules_of(tenant)


@given(tenants)
def test_making_groups_external_silences_every_claim_about_their_members(tenant: Tenant) -> None:
    unknown = {key: Group(identity=Identity(key=key), external=True) for key in tenant.groups}

    assert not rules_of(replace(tenant, groups=unknown)) & {
        "GRP003", "GRP004", "GRP005", "GRP006", "GRP007", "GRP008", "GRP009", "GRP010", "WSI003", "WSI014",
    }  # fmt: skip


def test_a_tenant_that_names_nothing_has_no_finding() -> None:
    assert check(Tenant(name="contoso", source="contoso.yaml", id=ID), today=TODAY) == ()


def test_findings_come_in_the_order_of_the_files_and_those_without_a_place_last() -> None:
    placed = [
        Finding(rule="B", severity="info", message="", position=Position("a.yaml", 2, 1)),
        Finding(rule="A", severity="info", message="", position=Position("a.yaml", 10, 1)),
        Finding(rule="A", severity="info", message="", position=Position("b.yaml", 1, 1)),
        Finding(rule="A", severity="info", message=""),
    ]

    assert in_order(reversed(placed)) == tuple(placed)


def test_a_schema_from_elsewhere_is_never_fetched() -> None:
    findings = check(with_schema({"$ref": "https://example.com/schema.json"}), today=TODAY)

    assert [finding.rule for finding in findings] == ["guardrail-schema"]
    assert "https://example.com/schema.json" in findings[0].message


def test_a_schema_explains_itself_by_its_own_description_and_the_offending_value_is_not_quoted() -> None:
    schema: JSONValue = {"properties": {"name": {"not": {"const": "hunter2"}, "description": "Names are public"}}}

    (finding,) = check(with_schema(schema, {"name": "hunter2"}), today=TODAY)

    assert finding.why == "Names are public"
    assert finding.message == "name: what the schema forbids"


def with_schema(schema: JSONValue, document: JSONValue = None) -> Tenant:
    return Tenant(
        name="contoso",
        source="contoso.yaml",
        id=ID,
        guardrails=Guardrails(schemas=(schema,)),
        document=document if document is not None else {},
    )


def test_suppressions_mark_suppressible_rules_alone() -> None:
    place = Position("contoso.yaml", 1, 1)
    tenant = Tenant(
        name="contoso",
        source="contoso.yaml",
        id=ID,
        suppressions=tuple(Suppression(rule=rule.id, reason="known", position=place) for rule in RULES),
    )
    findings = [Finding(rule=rule.id, severity="error", message="x") for rule in RULES]
    findings.append(Finding(rule="break-glass", severity="error", message="x"))

    marked = apply_suppressions(tenant, findings, today=TODAY)

    assert [finding.rule for finding in marked if not finding.suppressed] == [
        "TAP001",
        "GRP002",
        "WSI012",
        "break-glass",
    ]
    assert {finding.rule for finding in marked} == {*BY_ID, "break-glass"}
