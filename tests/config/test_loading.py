"""From files to desired states: the example of the documentation, canonical values, baselines, failures."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from tapctl.config.load import load, load_guardrails, stricter
from tapctl.errors import ConfigurationError, UsageError
from tapctl.model.desired import Assignment, Guardrails, ImpactLimits, Target, Tenant

from .rendering import render
from .support import TENANT_ID, Write, tenant

EXAMPLE = f"""\
tenant:
  id: {TENANT_ID}
  cloud: global
  auth: {{method: workload-identity}}
  labels: {{ring: pilot, region: eu}}
  scenarios: [helpdesk]
  breakGlass: [break-glass]

extends: [_baselines/secure.yaml]

groups:
  tap-users:
    displayName: SG-TAP-Users
    description: People who may use a Temporary Access Pass
    members: [ada@contoso.com, grace@contoso.com]
  onboarding-wave-7: {{displayName: SG-Onboarding-Wave-7, external: true}}
  autopilot-devices:
    displayName: SG-Autopilot-Devices
    rule: (device.devicePhysicalIds -any (_ -contains "[ZTDId]"))
  break-glass:
    external: true
    displayName: SG-Break-Glass

temporaryAccessPass:
  state: enabled
  lifetime: {{minimum: 10m, default: 1h, maximum: 2h}}
  length: 8
  oneTime: true
  include:
    - tap-users
    - {{group: onboarding-wave-7, until: 2026-12-15, reason: New office}}
  exclude: [break-glass]

webSignIn:
  windows-11:
    displayName: WIN - Web sign-in
    description: Web sign-in for passwordless onboarding
    delivery: settings-catalog
    settings:
      enableWebSignIn: true
      defaultCredentialProvider: pin
    assign:
      include: [{{group: all-devices, filter: Entra joined Windows 11, mode: include}}]
      exclude: []
    scopeTags: [Default]

guardrails:
  schema: {{}}
  impact: {{maxUsersGaining: 500, maxUsersLosing: 50, maxDevicesGaining: 1000, maxDevicesLosing: 100}}
  deny: [delete]
  approvalMaxAge: 72h
"""


def only(*paths: str) -> Tenant:
    loaded = load(paths)
    assert render(loaded.findings) == ""
    (loaded_tenant,) = loaded.tenants
    return loaded_tenant


def test_the_example_of_the_design_loads_without_a_finding(write: Write) -> None:
    write("tenants/contoso.yaml", EXAMPLE)
    write("tenants/_baselines/secure.yaml", "guardrails: {deny: [delete]}\n")

    contoso = only()

    assert contoso.name == "contoso"
    assert contoso.source == "tenants/contoso.yaml"
    assert contoso.policy is not None
    assert (contoso.policy.minimum, contoso.policy.default, contoso.policy.maximum) == (10, 60, 120)
    assert contoso.policy.include == (
        Target(group="tap-users"),
        Target(group="onboarding-wave-7", until=date(2026, 12, 15), reason="New office"),
    )
    profile = contoso.profiles["windows-11"]
    assert profile.settings == {"enableWebSignIn": True, "defaultCredentialProvider": "pin"}
    assert profile.include == (Assignment(group="all-devices", filter="Entra joined Windows 11"),)
    assert profile.exclude == ()
    assert contoso.groups["tap-users"].unique_name == "tapctl-tap-users"
    assert contoso.guardrails.impact == ImpactLimits(
        max_users_gaining=500, max_users_losing=50, max_devices_gaining=1000, max_devices_losing=100
    )
    assert contoso.guardrails.schemas == ()


def test_what_a_file_does_not_name_is_not_managed(write: Write) -> None:
    write("tenants/contoso.yaml", tenant() + "temporaryAccessPass: {length: 8}\nwebSignIn: {a: {displayName: A}}\n")

    contoso = only()

    assert contoso.policy is not None
    assert contoso.policy.include is None
    assert contoso.policy.state is None
    assert contoso.profiles["a"].include is None
    assert contoso.profiles["a"].settings == {}
    assert contoso.profiles["a"].scope_tags is None
    assert contoso.groups == {}


def test_positions_name_the_key_and_values_their_beginning(write: Write) -> None:
    write("tenants/contoso.yaml", tenant() + "temporaryAccessPass:\n  length: 8\n  include: [all-users]\n")

    contoso = only()
    length = contoso.position("temporaryAccessPass", "length")

    assert str(length) == "tenants/contoso.yaml:3:3"
    assert str(contoso.value_positions["temporaryAccessPass", "length"]) == "tenants/contoso.yaml:3:11"
    assert str(contoso.position("temporaryAccessPass", "include", 0)) == "tenants/contoso.yaml:4:13"
    assert contoso.excerpt(length) == "  length: 8"


def test_positions_are_those_of_the_file_that_wrote_the_value(write: Write) -> None:
    write("tenants/_base.yaml", "temporaryAccessPass:\n  length: 8\n  oneTime: true\n")
    write("tenants/contoso.yaml", tenant() + "extends: [_base.yaml]\ntemporaryAccessPass:\n  oneTime: false\n")

    contoso = only()

    assert str(contoso.position("temporaryAccessPass", "length")) == "tenants/_base.yaml:2:3"
    assert str(contoso.position("temporaryAccessPass", "oneTime")) == "tenants/contoso.yaml:4:3"


def test_extends_merges_maps_replaces_lists_and_removes_with_null(write: Write) -> None:
    write("tenants/_one.yaml", "temporaryAccessPass: {length: 8, oneTime: true, include: [all-users], exclude: []}\n")
    write("tenants/_two.yaml", "temporaryAccessPass: {length: 12}\ngroups: {a: {displayName: A}}\n")
    text = "extends: [_one.yaml, _two.yaml]\ntemporaryAccessPass: {include: [a], oneTime: null}\n"
    write("tenants/contoso.yaml", tenant() + text)

    policy = only().policy

    assert policy is not None
    assert policy.length == 12
    assert policy.one_time is None
    assert policy.include == (Target(group="a"),)
    assert policy.exclude == ()


def test_null_takes_a_setting_out_of_the_policy_instead_of_the_baseline(write: Write) -> None:
    write("tenants/_base.yaml", "webSignIn: {a: {displayName: A, settings: {enableWebSignIn: true}}}\n")
    text = "extends: [_base.yaml]\nwebSignIn: {a: {settings: {enableWebSignIn: null}}}\n"
    write("tenants/contoso.yaml", tenant() + text)

    assert only().profiles["a"].settings == {"enableWebSignIn": None}


def test_a_baseline_is_merged_once_however_many_extend_it(write: Write) -> None:
    write("tenants/_root.yaml", "temporaryAccessPass: {length: 8}\n")
    write("tenants/_one.yaml", "extends: [_root.yaml]\ntemporaryAccessPass: {length: 12}\n")
    write("tenants/_two.yaml", "extends: [_root.yaml]\ntemporaryAccessPass: {oneTime: true}\n")
    write("tenants/contoso.yaml", tenant() + "extends: [_one.yaml, _two.yaml]\n")

    policy = only().policy

    assert policy is not None
    assert policy.length == 12


def test_guardrails_along_extends_are_the_strictest_of_all(write: Write) -> None:
    write(
        "tenants/_one.yaml",
        "guardrails: {deny: [delete], impact: {maxUsersGaining: 9}, schema: {required: [groups]}}\n",
    )
    write("tenants/_two.yaml", "guardrails: {deny: [widen], impact: {maxUsersGaining: 99}, approvalMaxAge: 1h}\n")
    text = "extends: [_one.yaml, _two.yaml]\nguardrails: {deny: [enable], schema: {title: own}}\n"
    write("tenants/contoso.yaml", tenant() + text)

    guardrails = only().guardrails

    assert guardrails.deny == {"delete", "widen", "enable"}
    assert guardrails.impact.max_users_gaining == 9
    assert guardrails.approval_max_age == timedelta(hours=1)
    assert guardrails.schemas == ({"required": ["groups"]}, {"title": "own"})


def test_break_glass_groups_of_a_baseline_hold_for_the_tenant(write: Write) -> None:
    write("tenants/_base.yaml", "tenant: {breakGlass: [bg]}\ngroups: {bg: {displayName: BG, external: true}}\n")
    write("tenants/contoso.yaml", tenant() + "extends: [_base.yaml]\n")

    assert only().break_glass == ("bg",)


def test_without_guardrails_only_deletions_are_denied(write: Write) -> None:
    write("tenants/contoso.yaml", tenant())

    assert only().guardrails == Guardrails()


def test_one_thing_written_in_two_ways_is_one_value(write: Write) -> None:
    write(
        "tenants/one.yaml",
        tenant().upper().replace("TENANT", "tenant").replace("ID:", "id:")
        + "temporaryAccessPass: {lifetime: {minimum: 60m, default: 1d, maximum: 48h}}\n"
        + "groups: {a: {id: 7C1D7A3E-0C55-4C0E-9B1F-0A4F4F0F3C11}}\n"
        + "webSignIn: {w: {displayName: W, settings: {allowAadPasswordReset: default, "
        + 'defaultCredentialProvider: "{d6886603-9d2f-4eb2-b667-1971041fa96b}"}}}\n',
    )
    write(
        "tenants/two.yaml",
        tenant()
        + "temporaryAccessPass: {lifetime: {minimum: 1h, default: 1440, maximum: 2d}}\n"
        + "groups: {a: {id: 7c1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11}}\n"
        + "webSignIn: {w: {displayName: W, settings: {allowAadPasswordReset: false, "
        + "defaultCredentialProvider: pin}}}\n",
    )

    one, two = only("tenants/one.yaml"), only("tenants/two.yaml")

    assert one.id == two.id
    assert one.policy == two.policy
    assert one.groups == two.groups
    assert one.profiles == two.profiles


def test_an_unknown_credential_provider_keeps_its_class_id_in_capitals(write: Write) -> None:
    listed = '["{1b283861-754f-4022-ad47-a5eaaa618894}"]'
    text = f"webSignIn: {{w: {{displayName: W, settings: {{excludedCredentialProviders: {listed}}}}}}}"
    write("tenants/contoso.yaml", tenant() + text)

    settings = only().profiles["w"].settings

    assert settings == {"excludedCredentialProviders": ("{1B283861-754F-4022-AD47-A5EAAA618894}",)}


def test_labels_are_text_as_written(write: Write) -> None:
    write("tenants/contoso.yaml", f"tenant: {{id: {TENANT_ID}, labels: {{tier: 010, pilot: true, ring: one}}}}\n")

    assert only().labels == {"tier": "010", "pilot": "true", "ring": "one"}


def test_the_document_is_the_merged_tenant_as_written(write: Write) -> None:
    write("tenants/_base.yaml", "temporaryAccessPass: {lifetime: {maximum: 2h}}\n")
    write("tenants/contoso.yaml", tenant() + "extends: [_base.yaml]\ntemporaryAccessPass: {length: 8}\n")

    assert only().document == {
        "tenant": {"id": TENANT_ID.replace("c11", "c01")},
        "temporaryAccessPass": {"lifetime": {"maximum": "2h"}, "length": 8},
    }


def test_a_broken_tenant_does_not_keep_the_others_from_loading(write: Write) -> None:
    write("tenants/contoso.yaml", tenant(1) + "temporaryAccessPass: {length: 4}\n")
    write("tenants/fabrikam.yaml", tenant(2))

    loaded = load()

    assert [one.name for one in loaded.tenants] == ["fabrikam"]
    assert list(loaded.failed) == ["contoso"]
    assert loaded.failed["contoso"].id.endswith("c01")
    assert loaded.failed["contoso"].cloud == "global"
    assert [finding.rule for finding in loaded.failed["contoso"].findings] == ["TAP001"]


def test_a_problem_of_a_shared_baseline_is_reported_once_and_fails_every_tenant(write: Write) -> None:
    write("tenants/_base.yaml", "temporaryAccessPass: {length: 4}\n")
    for number in range(3):
        write(f"tenants/t{number}.yaml", tenant(number) + "extends: [_base.yaml]\n")

    loaded = load()

    assert len(loaded.findings) == 1
    assert sorted(loaded.failed) == ["t0", "t1", "t2"]


def test_a_file_of_nothing_but_problems_shows_a_bounded_number_and_still_fails(write: Write) -> None:
    keys = "\n".join(f"  key{number}:" for number in range(400))
    write("tenants/contoso.yaml", tenant() + f"temporaryAccessPass:\n{keys}\n  wrong: 5\n")

    loaded = load()

    assert len(loaded.findings) == 300
    assert list(loaded.failed) == ["contoso"]


def test_no_line_of_a_secret_is_kept_for_later_excerpts(write: Write) -> None:
    write("tenants/contoso.yaml", tenant() + "# clientSecret: hunter2\n")

    assert "hunter2" not in str(only().lines)


def test_guardrails_from_outside_add_to_those_of_the_tenant(write: Write) -> None:
    write("strict.yaml", "guardrails: {impact: {maxUsersGaining: 5}, schema: {required: [groups]}}\n")

    outside = load_guardrails("strict.yaml")
    both = stricter(Guardrails(deny=frozenset()), outside)

    assert both.deny == frozenset()
    assert both.impact == ImpactLimits(max_users_gaining=5)
    assert both.approval_max_age == Guardrails().approval_max_age
    assert both.schemas == ({"required": ["groups"]},)


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("guardrails: {deny: [deletes]}\n", "invalid-value"),
        ("tenant: {cloud: global}\n", "unknown-key"),
        ("guardrails: {schema: {$ref: 'https://contoso.com'}}\n", "remote-reference"),
        ("guardrails: [\n", "yaml-syntax"),
        ("# guardrails: {deny: [widen]}\n", "schema"),
    ],
)
def test_a_broken_guardrails_file_is_refused(write: Write, text: str, rule: str) -> None:
    write("strict.yaml", text)

    with pytest.raises(ConfigurationError) as caught:
        load_guardrails("strict.yaml")

    assert [finding.rule for finding in caught.value.findings] == [rule]


def test_a_guardrails_file_that_is_not_there_is_wrong_usage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageError):
        load_guardrails("strict.yaml")


@pytest.mark.parametrize("typed", ["../strict.yaml", "{absolute}", "../here/../strict.yaml"])
def test_guardrails_from_outside_the_branch_are_read_however_their_path_is_typed(
    typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / ".git").mkdir()
    strict = tmp_path / "strict.yaml"
    strict.write_text("guardrails: {deny: [widen]}\n")
    monkeypatch.chdir(tmp_path / "here")

    assert load_guardrails(typed.format(absolute=strict)).deny == frozenset({"widen"})


def test_a_guardrails_file_that_is_a_link_to_another_place_is_said_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "elsewhere.yaml").write_text("guardrails: {deny: [widen]}\n")
    (tmp_path / "here" / "strict.yaml").symlink_to("../elsewhere.yaml")
    monkeypatch.chdir(tmp_path / "here")

    with pytest.raises(UsageError, match="is a link that leaves") as caught:
        load_guardrails("strict.yaml")

    assert caught.value.fix == "name the file that it leads to"


def test_indexes_in_messages_count_the_entries_that_cannot_be_used(write: Write) -> None:
    members = "[not a upn, device:xyz, group:nope, 12, a@b.c, A@b.C]"
    write("tenants/contoso.yaml", tenant() + f"groups: {{dup: {{displayName: A, members: {members}}}}}\n")

    found = {finding.rule: finding.message for finding in load().findings}

    assert found["unknown-group"].startswith('groups.dup.members[2] names "nope"')
    assert found["duplicate-entry"].startswith('groups.dup.members[5] names "A@b.C"')


def test_an_entry_of_a_list_that_was_united_has_no_index_of_the_union(write: Write) -> None:
    write("tenants/_base.yaml", "tenant: {breakGlass: [nope]}\nguardrails: {deny: [widden]}\n")
    own = f"tenant: {{id: {TENANT_ID}, breakGlass: [bg, gone]}}\nguardrails: {{deny: [delete, enabel]}}\n"
    write("tenants/contoso.yaml", own + "extends: [_base.yaml]\ngroups: {bg: {displayName: B}}\n")

    found = [item for item in load().findings if item.rule != "looser-than-baseline"]

    assert [f"{item.position}".split(":")[0] + ": " + item.message.split('"')[0] for item in found] == [
        "tenants/_base.yaml: tenant.breakGlass names ",
        "tenants/_base.yaml: guardrails.deny must be delete, widen or enable, not the text ",
        "tenants/contoso.yaml: tenant.breakGlass[1] names ",
        "tenants/contoso.yaml: guardrails.deny[1] must be delete, widen or enable, not the text ",
    ]
