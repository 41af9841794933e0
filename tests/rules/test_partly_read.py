"""A tenant of which parts are broken: rules judge the rest, and report nothing that only follows from a broken part.

Each case comes as a pair: what must be reported beside the broken part, and what must not be."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tapctl.config.judge import judged_in_part
from tapctl.config.load import load
from tapctl.rules.guardrails import check_schemas

TODAY = date(2026, 11, 22)
HEAD = """\
tenant: {id: 6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11, breakGlass: [bg]EXTRA}
groups:
  bg: {external: true, displayName: BG}
  u: {displayName: U, members: [a@x.com]}
  robots: {displayName: R, rule: (device.deviceOwnership -eq "Company")}
"""
PROFILE = "webSignIn: {w: {displayName: W, settings: {SETTINGS}, assign: {include: [INCLUDE]}PROFILE}}\n"
ENABLED = "enableWebSignIn: true, defaultCredentialProvider: pin"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def rules_of(text: str, *, extra: str = "", head: str = HEAD) -> list[str]:
    """The rules that find something in a tenant with errors, and what makes it one."""
    file = Path("tenants/contoso.yaml")
    file.parent.mkdir(exist_ok=True)
    file.write_text(head.replace("EXTRA", extra) + text, encoding="utf-8")
    loaded = load()
    (failed,) = loaded.failed.values()
    return [finding.rule for finding in judged_in_part(failed, TODAY).findings]


def policy(text: str) -> str:
    return f"temporaryAccessPass: {{{text}}}\n"


def profile(settings: str = ENABLED, include: str = "{group: all-devices, filter: F}", more: str = "") -> str:
    return PROFILE.replace("SETTINGS", settings).replace("INCLUDE", include).replace("PROFILE", more)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "lenght: 9, include: [u], exclude: [u, bg], lifetime: {minimum: 2h, default: 1h, maximum: 3h}",
            ["unknown-key", "TAP004", "TAP001"],
        ),
        ("include: [x], lifetime: {minimum: 2h, default: 1h}", ["unknown-group", "TAP001"]),
        ("include: [u], exclude: [x, u, bg]", ["unknown-group", "TAP004"]),
        ("include: [u, {group: bg, until: never}], exclude: [u]", ["break-glass", "TAP005", "invalid-value", "TAP004"]),
        ("oneTime: false, length: 7", ["TAP007", "TAP001"]),
        ("oneTime: false, oneTime: true, lifetime: {maximum: 2d}", ["duplicate-key", "TAP006"]),
    ],
)
def test_what_is_certain_of_the_policy_is_reported_beside_a_broken_part(text: str, expected: list[str]) -> None:
    assert sorted(rules_of(policy(text))) == sorted(expected)


@pytest.mark.parametrize(
    ("text", "only"),
    [
        ("state: enabled, include: [12]", "invalid-value"),
        ("state: enabled, include: nobody", "wrong-type"),
        ("include: [u], exclude: [x]", "unknown-group"),
        ("include: [all-users], exclude: [12]", "wrong-type"),
        ("include: [u], exclud: [bg]", "unknown-key"),
        ("include: [all-users], exclude: [bg, bgg]", "unknown-group"),
        ("lifetime: {minimum: 2h, default: never, maximum: 3h}", "TAP001"),
        ("lifetime: {minimum: 2h, defalt: 3h, maximum: 3h}", "unknown-key"),
    ],
)
def test_what_may_follow_from_a_broken_part_of_the_policy_is_not_reported(text: str, only: str) -> None:
    assert set(rules_of(policy(text))) == {only}


def test_break_glass_that_cannot_be_read_is_not_missed() -> None:
    head = HEAD.replace("[bg]", "[bg, gone]")

    assert rules_of(policy("include: [u], exclude: [bg]"), head=head) == ["unknown-group"]
    assert sorted(rules_of(policy("include: [u], exclude: []"), head=head)) == ["break-glass", "unknown-group"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (profile(include="all-devices", more=", displayNmae: X"), ["WSI004", "unknown-key"]),
        (profile("enableWebSignIn: true, defaultCredentialProvider: web-sign-in", more=", scopeTags: []"), ["WSI010"]),
        (profile(include="all-users, {group: robots, filter: 12}"), []),
    ],
)
def test_what_is_certain_of_a_profile_is_reported_beside_a_broken_part(text: str, expected: list[str]) -> None:
    found = rules_of(text)

    assert set(expected) <= set(found)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        (profile(include="{group: all-devices, filter: 12}"), "WSI004"),
        (profile(include="{group: all-devices, fliter: F}"), "WSI004"),
        (profile(include="all-users, 12"), "WSI002"),
        (profile(include="12"), "WSI015"),
        (profile("enableWebSignIn: maybe", more="") + policy("state: enabled"), "XRES002"),
        (profile("enableWebSignIn: true, defaultCredentialProvider: 12"), "WSI009"),
        (profile("enableWebSignIn: true, defaultCredentialProvder: pin"), "WSI009"),
        (profile("enablePasswordlessExperience: true", more=", descripton: with LAPS"), "WSI011"),
        (profile("excludedCredentialProviders: [password, 12]"), "XRES004"),
        ("webSignIn: {w: 12}\n" + policy("state: enabled"), "XRES002"),
    ],
)
def test_what_may_follow_from_a_broken_part_of_a_profile_is_not_reported(text: str, rule: str) -> None:
    found = rules_of(text)

    assert found
    assert rule not in found


@pytest.mark.parametrize(
    ("extra", "expected"),
    [(", scenarios: [helpdesk], labls: {}", True), (", scenarios: [helpdesc]", False), (", senarios: [shared]", False)],
)
def test_scenarios_that_cannot_be_read_may_be_any(extra: str, expected: bool) -> None:
    found = rules_of(profile("enableWebSignIn: true"), extra=extra)

    assert ("WSI009" in found) is expected


@pytest.mark.parametrize("group", ["{displayName: R, descrption: x}", "{displayName: R, rule: 12}"])
def test_a_group_with_a_broken_part_is_not_judged_by_what_it_lacks(group: str) -> None:
    text = policy("include: [u], exclude: [bg]")
    head = HEAD.replace("bg: {external: true, displayName: BG}", f"bg: {group}")

    assert "GRP006" not in rules_of(text, head=head)
    assert "GRP006" in rules_of(text + "x: 1\n", head=HEAD.replace("external: true, ", ""))


def test_members_that_cannot_be_read_may_be_people() -> None:
    head = HEAD.replace("[a@x.com]", "[device:6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11, someone]")

    assert set(rules_of(policy("include: [u], exclude: [bg]"), head=head)) == {"invalid-value"}


@pytest.mark.parametrize("groups", ["groups: [bg, u]\n", "group: {bg: {external: true, displayName: BG}}\n"])
def test_groups_that_cannot_be_read_are_not_called_unknown(groups: str) -> None:
    head = HEAD[: HEAD.index("groups:")] + groups

    assert set(rules_of(policy("include: [u], exclude: [bg]"), head=head)) <= {"wrong-type", "unknown-key"}


@pytest.mark.parametrize(
    ("suppress", "expected"),
    [
        ("suppress: [{rule: TAP007, reason: agreed}]\nx: 1\n", {"TAP007", "unknown-key"}),
        ("suppress: [{rule: TAP007, reson: agreed}]\n", {"TAP007", "unknown-key", "missing-key"}),
        ("suppress: [TAP007]\n", {"wrong-type"}),
        ("supress: [{rule: TAP007, reason: agreed}]\n", {"unknown-key"}),
        ("suppress: [{rule: TAP002, reason: agreed}, {rule: TAP099, reason: x}]\nx: 1\n", {"unknown-rule", "TAP007"}),
    ],
)
def test_suppressions_count_as_far_as_they_can_be_read(suppress: str, expected: set[str]) -> None:
    found = set(rules_of(policy("oneTime: false") + suppress))

    assert found - {"unknown-key"} == expected - {"unknown-key"}


def test_a_missing_baseline_leaves_what_the_tenant_itself_says() -> None:
    text = policy("include: [u], exclude: [u], lifetime: {minimum: 2h, default: 1h}") + "suppress: []\n"

    found = rules_of(text + "extends: [_gone.yaml]\n")

    assert set(found) == {"extends-missing", "TAP001", "TAP004", "break-glass"}


def test_values_of_a_baseline_are_not_judged_when_another_one_is_missing() -> None:
    Path("tenants").mkdir()
    Path("tenants/_base.yaml").write_text("temporaryAccessPass: {lifetime: {minimum: 2h}}\n", encoding="utf-8")

    found = rules_of(policy("lifetime: {default: 1h}") + "extends: [_base.yaml, _gone.yaml]\n")

    assert found == ["extends-missing"]


GUARDED = """guardrails:
  schema:
    required: [webSignIn]
    properties:
      temporaryAccessPass:
        required: [length, oneTime]
        properties: {length: {minimum: 12}, oneTime: {const: true}}
"""
CONDITIONAL = """guardrails:
  schema:
    if: {properties: {temporaryAccessPass: {properties: {oneTime: {const: true}}}}}
    then: {properties: {temporaryAccessPass: {properties: {length: {minimum: 12}}}}}
"""


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (policy("length: 8, oneTime: 12") + GUARDED, ["temporaryAccessPass.length: too small"]),
        (policy("lenght: 8, oneTime: false") + GUARDED, ["temporaryAccessPass.oneTime: not the one allowed value"]),
        (policy("length: 8, oneTime: 12") + CONDITIONAL, []),
    ],
)
def test_the_organisations_schema_holds_for_what_could_be_read(text: str, messages: list[str]) -> None:
    rules_of(text)
    (failed,) = load().failed.values()
    ((tenant, broken),) = failed.readable

    found = [finding.message for finding in check_schemas(tenant, broken)]

    assert [message for message in found if not message.startswith("the tenant")] == messages


def test_what_is_wrong_with_the_schema_of_a_guardrail_is_said_once() -> None:
    text = "guardrails: {schema: {properties: {groups: {$ref: 'https://evil.example/s.json'}}}}\n"

    assert rules_of(text) == ["remote-reference"]
