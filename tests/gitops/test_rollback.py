"""The way back from an apply: what still holds what it wrote returns, what somebody else has changed stays."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tapctl.reconcile import past_run
from tests.gitops.repository import FABRIKAM, Repository

BEFORE = """
    groups:
      team: {displayName: SG-Team, description: The team, members: [ada@contoso.com, alan@contoso.com]}
      research: {displayName: SG-Research, rule: (user.department -eq "Research")}
      machines: {displayName: SG-Machines, members: [DEVICE]}
      wave: {displayName: SG-Onboarding-Wave-7, external: true}
      break-glass: {displayName: SG-Break-Glass, external: true}
    temporaryAccessPass:
      state: enabled
      lifetime: {minimum: 10m, default: 30m, maximum: 1h}
      length: 8
      oneTime: true
      include: [team]
      exclude: [break-glass]
    webSignIn:
      office:
        displayName: WIN - Office
        description: For the office
        settings: {enableWebSignIn: true, defaultCredentialProvider: pin, enableFastFirstSignIn: default}
        assign: {include: [{group: machines, filter: Entra joined Windows 11, mode: include}], exclude: []}
        scopeTags: [Default]
      floor:
        displayName: WIN - Floor
        delivery: oma-uri
        settings: {enableWebSignIn: true, preferredAadTenantDomainName: contoso.com}
        assign: {include: [machines]}
        scopeTags: [Default]
"""
AFTER = """
    groups:
      team: {displayName: SG-The-Team, description: Renamed, members: [grace@contoso.com, alan@contoso.com]}
      research: {displayName: SG-Research, rule: (user.department -eq "Sales")}
      machines: {displayName: SG-Machines, members: ["group:team", DEVICE]}
      wave: {displayName: SG-Onboarding-Wave-7, external: true}
      break-glass: {displayName: SG-Break-Glass, external: true}
    temporaryAccessPass:
      state: disabled
      lifetime: {minimum: 20m, default: 1h, maximum: 4h}
      length: 12
      oneTime: false
      include: [research, wave]
      exclude: [break-glass, team]
    webSignIn:
      office:
        displayName: WIN - The office
        description: Renamed
        settings:
          enableWebSignIn: false
          defaultCredentialProvider: null
          excludedCredentialProviders: [password]
          enableFastFirstSignIn: true
        assign: {include: [{group: all-devices, filter: Corporate devices, mode: exclude}], exclude: [machines]}
        scopeTags: [Default, Pilot]
      floor:
        displayName: WIN - The floor
        delivery: oma-uri
        settings: {enableWebSignIn: false, preferredAadTenantDomainName: fabrikam.com, allowAadPasswordReset: true}
        assign: {include: [all-devices]}
        scopeTags: [Pilot]
"""
MANAGED = ("policies", "groups", "configurationPolicies", "deviceConfigurations")
VOLATILE = {"lastModifiedDateTime", "renewedDateTime", "version", "secretReferenceValueId", "isAssigned"}


def live(repository: Repository) -> dict[str, Any]:
    """Everything of the tenant that a run could change, without what every write moves along."""
    return {name: _plain(repository.objects(name)) for name in MANAGED}


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items() if key not in VOLATILE}
    if isinstance(value, list):
        return sorted((_plain(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))
    return value


def device(repository: Repository) -> str:
    return f"device:{repository.named('devices', 'LAPTOP-ADA')['deviceId']}"


@pytest.fixture(scope="module")
def changing(initialised: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """BEFORE is applied, AFTER is declared."""
    made = initialised.copied_to(tmp_path_factory.mktemp("changing"))
    made.declare(BEFORE.replace("DEVICE", device(made)))
    made.succeed("apply", "--yes", "--override", "members", "--reason", "setting up")
    made.declare(AFTER.replace("DEVICE", device(made)))
    return made


@pytest.fixture
def before(changing: Repository, tmp_path: Path) -> Repository:
    return changing.copied_to(tmp_path)


@pytest.fixture
def after(before: Repository) -> tuple[Repository, dict[str, Any]]:
    """AFTER is applied; with what lived before."""
    state = live(before)
    before.succeed("apply", "--yes")
    before.forget()
    return before, state


def roll_back(repository: Repository, *arguments: str, journal: str | None = None) -> Any:
    return repository.run("rollback", journal or repository.journal, "--yes", *arguments)


def test_every_field_of_every_kind_returns(after: tuple[Repository, dict[str, Any]]) -> None:
    repository, state = after
    assert live(repository) != state

    back = roll_back(repository)

    assert back.code == 0, back.out + back.err
    assert set(back.outcomes.values()) == {"applied"}
    assert live(repository) == state
    assert repository.run("plan").tenant["status"] == "changes"


def test_a_way_back_can_itself_be_taken_back(after: tuple[Repository, dict[str, Any]]) -> None:
    repository, _ = after
    wanted = live(repository)

    assert roll_back(repository).code == 0
    again = roll_back(repository)

    assert again.code == 0, again.errors
    assert live(repository) == wanted
    assert repository.run("plan").tenant["status"] == "clean"


def test_taking_back_twice_writes_once(after: tuple[Repository, dict[str, Any]]) -> None:
    repository, _ = after
    journal = repository.journal
    roll_back(repository)
    repository.forget()

    again = roll_back(repository, journal=journal)

    assert (again.code, again.tenant["status"], repository.writes()) == (0, "clean", [])


# Runs that did not come to their end

AFTER_WRITES = 10


def test_the_cases_below_strike_every_write(after: tuple[Repository, dict[str, Any]], before: Repository) -> None:
    repository, _ = after
    entries = [json.loads(line) for line in (repository.folder / repository.journal).read_text().splitlines()]

    assert [entry["entry"] for entry in entries].count("write") == AFTER_WRITES


@pytest.mark.parametrize("number", range(1, AFTER_WRITES + 1))
def test_a_run_that_was_killed_is_taken_back_whole(before: Repository, number: int) -> None:
    state = live(before)
    killed = before.run(
        "apply", "--yes", faults=[{"action": "exit-after", "writes": True, "first": number, "last": number}]
    )
    assert killed.code == 137

    back = roll_back(before)

    assert back.code == 0, back.errors
    assert live(before) == state


@pytest.mark.parametrize("number", [2, 4, 7, 10])
def test_a_run_of_which_a_write_was_refused_is_taken_back_whole(before: Repository, number: int) -> None:
    state = live(before)
    fault = {"action": "status", "status": 403, "writes": True, "first": number, "last": number}
    partial = before.run("apply", "--yes", faults=[fault])
    assert (partial.code, partial.tenant["status"]) == (1, "partial")

    back = roll_back(before)

    assert back.code == 0, back.errors
    assert live(before) == state


# What somebody else has changed since


def test_what_was_changed_since_is_left_alone_and_named_and_the_rest_returns(
    after: tuple[Repository, dict[str, Any]],
) -> None:
    repository, _ = after
    repository.tamper("temporaryAccessPass", "length=30", "include+=SG-Synchronised")
    repository.tamper("groups.SG-The-Team", "members+=helpdesk@contoso.com", "description=Theirs")
    repository.tamper("webSignIn.WIN - The office", "settings.enableFastFirstSignIn=false", "scopeTags=Pilot")
    repository.tamper("webSignIn.WIN - The floor", "assign.include=All staff")

    back = roll_back(repository)

    assert back.code == 0, back.errors
    assert sorted(note.split(" was changed")[0] for note in back.notes["changed-since"]) == [
        "groups.team: description",
        "groups.team: members",
        "temporaryAccessPass: include",
        "temporaryAccessPass: length",
        "webSignIn.floor: assign.include",
        "webSignIn.office: scopeTags",
        "webSignIn.office: settings.enableFastFirstSignIn",
    ]
    policy, team = repository.policy(), repository.named("groups", "SG-Team")
    assert (policy["defaultLength"], len(policy["includeTargets"])) == (30, 3)
    assert (policy["isUsableOnce"], policy["maximumLifetimeInMinutes"]) == (True, 60)
    assert team["description"] == "Theirs"
    assert "helpdesk@contoso.com" in repository.member_names("SG-Team")
    assert repository.named("configurationPolicies", "WIN - Office")["roleScopeTagIds"] == ["1"]


def test_members_of_a_kind_that_the_run_did_not_deal_with_are_not_in_the_way(fresh: Repository) -> None:
    """The list was empty, so going back empties it again, but for what is none of its kind."""
    fresh.declare("groups: {team: {displayName: SG-Team}}")
    fresh.succeed("apply", "--yes")
    fresh.tamper("groups.SG-Team", f"members+={device(fresh)}")
    fresh.declare("groups: {team: {displayName: SG-Team, members: [ada@contoso.com]}}")
    fresh.succeed("apply", "--yes")

    back = roll_back(fresh, "--override", "members", "--reason", "test")

    assert back.code == 0, back.errors
    assert fresh.member_names("SG-Team") == {"LAPTOP-ADA"}


# What no longer exists


def test_an_object_that_is_gone_is_named_and_the_rest_returns(after: tuple[Repository, dict[str, Any]]) -> None:
    repository, _ = after
    repository.tamper("webSignIn.WIN - The office", delete=True)

    back = roll_back(repository)

    assert back.code == 0, back.errors
    (note,) = back.notes["not-restorable"]
    assert note.startswith("webSignIn.office: ")
    assert "no settings-catalog profile has the pinned id" in note
    assert repository.policy()["defaultLength"] == 8
    assert repository.named("deviceConfigurations", "WIN - Floor")["roleScopeTagIds"] == ["0"]


def test_a_filter_that_is_gone_keeps_one_field_from_returning_and_no_other(
    after: tuple[Repository, dict[str, Any]],
) -> None:
    repository, _ = after
    repository.tamper("assignmentFilters.Entra joined Windows 11", delete=True)

    back = roll_back(repository)

    assert back.code == 0, back.errors
    (note,) = back.notes["not-restorable"]
    assert note.startswith("webSignIn.office: assign.include cannot be restored")
    assert "Entra joined Windows 11" in note
    assert repository.named("configurationPolicies", "WIN - Office")["roleScopeTagIds"] == ["0"]


def test_a_member_who_is_gone_is_named_and_the_others_return(after: tuple[Repository, dict[str, Any]]) -> None:
    repository, _ = after
    repository.tamper("users.ada@contoso.com", delete=True)

    back = roll_back(repository)

    assert back.code == 0, back.errors
    assert back.notes["not-restorable"] == [
        "groups.team: members cannot hold ada@contoso.com again, which no longer exists"
    ]
    assert repository.member_names("SG-Team") == {"alan@contoso.com"}


def test_a_target_group_that_is_gone_is_named_and_the_others_return(fresh: Repository) -> None:
    groups = "groups: {one: {displayName: SG-One}, wave: {displayName: SG-Onboarding-Wave-7, external: true}}\n"
    fresh.declare(f"{groups}temporaryAccessPass: {{include: [one, wave], length: 9}}")
    fresh.succeed("apply", "--yes")
    fresh.declare(f"{groups}temporaryAccessPass: {{include: [one], length: 10}}")
    fresh.succeed("apply", "--yes")
    fresh.tamper("temporaryAccessPass", "include=all-users")
    fresh.tamper("temporaryAccessPass", "include=SG-One")
    fresh.tamper("groups.SG-Onboarding-Wave-7", delete=True)

    back = roll_back(fresh)

    assert back.code == 0, back.errors
    assert back.notes["not-restorable"] == [
        "temporaryAccessPass: include cannot hold wave again, which no longer exists"
    ]
    assert (fresh.policy()["defaultLength"], len(fresh.policy()["includeTargets"])) == (9, 1)


def test_what_the_run_deleted_is_named_as_lost(repository: Repository) -> None:
    repository.edit("  windows-11:\n", "  windows-11:\n    ensure: absent\n")
    repository.edit("  include: [tap-users]\n", "  include: [tap-users]\n  length: 12\n")
    repository.succeed("apply", "--yes", "--override", "delete", "--reason", "replaced")

    back = roll_back(repository)

    assert back.code == 0, back.errors
    assert back.notes["not-restorable"] == [
        "webSignIn.windows-11 was deleted; Graph has no way back to the same object"
    ]
    assert repository.policy()["defaultLength"] == 8


# What the run made


def test_what_the_run_made_stays_unless_its_removal_is_asked_for(fresh: Repository) -> None:
    fresh.succeed("apply", "--yes")

    back = roll_back(fresh)

    assert back.code == 0, back.errors
    assert [note.partition(" ")[0] for note in back.notes["created-stays"]] == [
        "groups.tap-users",
        "webSignIn.windows-11",
    ]
    assert fresh.named("groups", "SG-TAP-Users")
    assert fresh.policy()["state"] == "disabled"


def test_with_an_override_everything_is_as_before_but_for_break_glass(fresh: Repository) -> None:
    fresh.succeed("sandbox", "show")
    state = live(fresh)
    fresh.succeed("apply", "--yes")

    back = roll_back(fresh, "--override", "delete", "--reason", "wrong tenant")

    assert back.code == 0, back.errors
    assert [note for note in back.notes["not-restorable"] if "break-glass" in note] == [
        "temporaryAccessPass: break-glass stays excluded (break-glass)"
    ]
    fresh.tamper("temporaryAccessPass", "exclude=")
    assert live(fresh) == state


def test_the_removal_wants_a_reason(repository: Repository) -> None:
    assert roll_back(repository, "--override", "delete").code == 64


CONTOSO_WRITES = 5


@pytest.mark.parametrize("number", range(1, CONTOSO_WRITES + 1))
def test_what_a_killed_run_left_half_made_is_removed(fresh: Repository, number: int) -> None:
    state = live(fresh)
    fault = {"action": "exit-after", "writes": True, "first": number, "last": number}
    assert fresh.run("apply", "--yes", faults=[fault]).code == 137

    back = roll_back(fresh, "--override", "delete", "--reason", "test")

    assert back.code == 0, back.errors
    if fresh.policy()["excludeTargets"]:
        fresh.tamper("temporaryAccessPass", "exclude=")
    assert live(fresh) == state


@pytest.mark.parametrize(
    ("address", "change"),
    [
        ("groups.SG-TAP-Users", "members+=helpdesk@contoso.com"),
        ("groups.SG-TAP-Users", "members+=DEVICE"),
        ("groups.SG-TAP-Users", "description=Ours now"),
        ("webSignIn.WIN - Web sign-in", "assign.exclude=SG-Synchronised"),
        ("webSignIn.WIN - Web sign-in", "settings.enablePasswordlessExperience=true"),
        ("webSignIn.WIN - Web sign-in", "displayName=Ours now"),
    ],
)
def test_what_the_run_made_and_somebody_has_changed_since_is_left_alone(
    repository: Repository, address: str, change: str
) -> None:
    repository.tamper(address, change.replace("DEVICE", device(repository)))

    back = roll_back(repository, "--override", "delete", "--reason", "test")

    assert back.code == 0, back.errors
    (note,) = back.notes["changed-since"]
    key = "groups.tap-users" if address.startswith("groups.") else "webSignIn.windows-11"
    assert note.startswith(f"{key} was created by that apply and has been changed since")
    assert key not in back.changes
    assert len(back.changes) == 2


def test_a_group_that_was_made_empty_and_has_members_since_is_left_alone(fresh: Repository) -> None:
    fresh.declare("groups: {team: {displayName: SG-New-Team}}")
    fresh.succeed("apply", "--yes")
    fresh.tamper("groups.SG-New-Team", "members+=helpdesk@contoso.com")

    back = roll_back(fresh, "--override", "delete", "--reason", "test")

    assert back.code == 0, back.errors
    assert "(members)" in back.notes["changed-since"][0]
    assert fresh.member_names("SG-New-Team") == {"helpdesk@contoso.com"}


def test_what_a_killed_run_left_half_made_and_somebody_has_renamed_since_is_left_alone(fresh: Repository) -> None:
    fault = {"action": "exit-after", "method": "POST", "path": "configurationPolicies$"}
    assert fresh.run("apply", "--yes", faults=[fault]).code == 137
    fresh.tamper("webSignIn.WIN - Web sign-in", "displayName=Ours now")

    back = roll_back(fresh, "--override", "delete", "--reason", "test")

    assert back.code == 0, back.errors
    (note,) = back.notes["changed-since"]
    assert "(displayName)" in note
    assert fresh.named("configurationPolicies", "Ours now")


def test_a_group_that_something_else_has_come_to_need_stays_and_the_rest_goes_back(repository: Repository) -> None:
    repository.tamper("webSignIn.Win - BitLocker", "assign.include+=SG-TAP-Users")

    back = roll_back(repository, "--override", "delete", "--reason", "test")

    assert back.code == 0, back.errors
    (note,) = back.notes["created-stays"]
    assert note.startswith("groups.tap-users stays: ")
    assert "Win - BitLocker" in note
    assert set(back.outcomes) == {"temporaryAccessPass", "webSignIn.windows-11"}


# Guardrails hold on the way back


def test_a_break_glass_group_that_was_named_after_the_run_is_excluded_all_the_same(fresh: Repository) -> None:
    wave = "wave: {displayName: SG-Onboarding-Wave-7, external: true}"
    rescue = "rescue: {displayName: SG-Break-Glass, external: true}"
    fresh.declare(f"groups: {{{wave}}}\ntemporaryAccessPass: {{exclude: [wave]}}")
    fresh.succeed("apply", "--yes")
    fresh.declare(
        f"groups: {{{wave}, {rescue}}}\ntemporaryAccessPass: {{exclude: [wave, rescue]}}", more="breakGlass: [rescue]"
    )

    back = roll_back(fresh, "--override", "widen", "--reason", "test")

    assert back.code == 0, back.errors
    (target,) = fresh.policy()["excludeTargets"]
    assert target["id"] == fresh.named("groups", "SG-Break-Glass")["id"]


def test_a_way_back_that_widens_needs_the_override_that_the_guardrails_ask_for(
    after: tuple[Repository, dict[str, Any]],
) -> None:
    repository, _ = after
    rules = repository.write("rules.yaml", "guardrails: {deny: [widen]}\n")

    denied = roll_back(repository, "--guardrails", str(rules))
    writes = repository.writes()
    overridden = roll_back(
        repository, "--guardrails", str(rules), "--override", "widen", "--reason", "back", journal=repository.journal
    )

    assert (denied.code, denied.tenant["status"], writes) == (3, "denied", [])
    assert overridden.code == 0


def test_the_way_back_offers_no_approval_that_apply_would_not_take(repository: Repository) -> None:
    shown = repository.run("rollback", repository.journal, "--yes", text=True)

    assert "will be updated" in shown.out
    assert "approval:" not in shown.out


def test_the_way_back_asks_like_apply(repository: Repository) -> None:
    assert repository.run("rollback", repository.journal).code == 64


# Journals


def test_a_journal_lies_at_the_top_of_the_repository_and_is_for_its_owner_alone(repository: Repository) -> None:
    (journal,) = repository.journals()

    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.parent.stat().st_mode) == 0o700
    assert journal.name.endswith("-contoso.jsonl")


def test_a_journal_holds_no_secret_of_settings_that_tapctl_does_not_model(before: Repository) -> None:
    clear = {"encrypt_oma_strings": False}
    office = before.named("configurationPolicies", "WIN - Office")
    floor = before.named("deviceConfigurations", "WIN - Floor")
    wifi = {
        "@odata.type": "#microsoft.graph.deviceManagementConfigurationSimpleSettingInstance",
        "settingDefinitionId": "device_vendor_msft_wifi_key",
        "simpleSettingValue": {
            "@odata.type": "#microsoft.graph.deviceManagementConfigurationStringSettingValue",
            "value": "wifi-secret-3141",
        },
    }
    before.put("configurationPolicies", {**office, "_settings": [*office["_settings"], wifi]})
    texts = [{**item, "isEncrypted": False} for item in floor["omaSettings"]]
    texts = [{**item, "value": "contoso.com"} if "String" in item["@odata.type"] else item for item in texts]
    (domain,) = [item for item in texts if item["value"] == "contoso.com"]
    vpn = {**domain, "omaUri": "./Device/Vendor/MSFT/VPNv2/Key", "value": "vpn-secret-2718"}
    before.put("deviceConfigurations", {**floor, "omaSettings": [*texts, vpn]})

    applied = before.run("apply", "--yes", behaviour=clear)
    back = before.run("rollback", before.journal, "--yes", behaviour=clear)

    assert (applied.code, back.code) == (0, 0), applied.errors
    written = "".join(path.read_text() for path in before.journals())
    assert len(before.journals()) == 3
    for secret in ("wifi-secret-3141", "vpn-secret-2718", "Bearer", "eyJ"):
        assert secret not in written
    stored = json.dumps(live(before))
    assert "wifi-secret-3141" in stored
    assert "vpn-secret-2718" in stored


def test_a_journal_of_several_tenants_wants_to_know_which_one(repository: Repository) -> None:
    repository.edit("  include: [tap-users]\n", "  include: [tap-users]\n  length: 12\n")
    repository.declare("temporaryAccessPass: {length: 9}", name="fabrikam", tenant_id=FABRIKAM)
    repository.succeed("apply", "--yes", "--journal", "both.jsonl")
    repository.forget()

    unclear = roll_back(repository, journal="both.jsonl")
    writes = repository.writes()
    back = roll_back(repository, "--tenant", "contoso", journal="both.jsonl")

    assert (unclear.code, writes) == (3, [])
    assert "contoso, fabrikam" in unclear.err
    assert (back.code, back.statuses) == (0, {"contoso": "applied"})
    assert repository.policy()["defaultLength"] == 8


def test_of_several_runs_in_one_file_the_last_is_taken_back(repository: Repository) -> None:
    for length in (12, 14):
        repository.declare(f"temporaryAccessPass: {{length: {length}}}")
        repository.succeed("apply", "--yes", "--journal", "run.jsonl")

    assert roll_back(repository, journal="run.jsonl").code == 0
    assert repository.policy()["defaultLength"] == 12


def test_a_journal_of_another_tenant_or_cloud_is_refused(repository: Repository) -> None:
    journal = (repository.folder / repository.journal).read_text()
    repository.write("other-cloud.jsonl", journal.replace('"cloud": "sandbox"', '"cloud": "global"'))
    repository.edit("6f1d7a3e-", "7f1d7a3e-")
    repository.forget()

    other_tenant = roll_back(repository)
    other_cloud = roll_back(repository, journal="other-cloud.jsonl")

    assert (other_tenant.code, other_cloud.code, repository.writes()) == (3, 3, [])
    assert "6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11" in other_tenant.err


def test_the_tenant_of_a_journal_is_found_by_its_id_when_its_file_was_renamed(repository: Repository) -> None:
    (repository.folder / "tenants" / "contoso.yaml").rename(repository.folder / "tenants" / "contoso-berlin.yaml")

    assert roll_back(repository).code == 0


RUN = '{"run": "1", "entry": "run", "formatVersion": 2, "name": "contoso", "groups": {}, "cloud": "sandbox"'
RUN += ', "tenantId": "6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11"}\n'
CHANGE = '{"run": "1", "entry": "change", "address": "%s", "action": "update", "id": null, "fields": [%s]}\n'


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null\n",
        b"{}\n{}\n",
        b"not a journal\nat all\n",
        b"\xff\xfe",
        b"[" * 100_000,
        RUN.replace('"formatVersion": 2', '"formatVersion": 1').encode(),
        RUN.replace('"groups": {}', '"groups": {"a": {}}').encode(),
        (RUN + '{"run": "1"}\n').encode(),
        (RUN + CHANGE % ("users.ada", "")).encode(),
        (RUN + CHANGE % ("webSignIn.x", '{"path": "settings.other", "before": 1, "after": 2}')).encode(),
        (RUN + CHANGE % ("webSignIn.x", '{"path": "assign.include", "before": [{}], "after": []}')).encode(),
        (RUN + CHANGE % ("temporaryAccessPass", '{"path": "length", "before": 1.5, "after": 2}')).encode(),
        (RUN + CHANGE % ("temporaryAccessPass", '"length"')).encode(),
    ],
    ids=range(14),
)
def test_a_file_that_is_no_journal_is_refused(repository: Repository, content: bytes) -> None:
    (repository.folder / "run.jsonl").write_bytes(content)
    repository.forget()

    done = roll_back(repository, journal="run.jsonl")

    assert (done.code, repository.requests()) == (3, [])


def test_a_file_that_is_too_large_for_a_journal_is_refused_unread(repository: Repository) -> None:
    with (repository.folder / "run.jsonl").open("wb") as file:
        file.truncate(past_run.MOST_BYTES + 1)

    done = roll_back(repository, journal="run.jsonl")

    assert done.code == 3
    assert "too large" in "".join(done.errors)


def test_a_journal_that_is_not_there_is_wrong_usage(repository: Repository) -> None:
    assert roll_back(repository, journal="nowhere.jsonl").code == 64
