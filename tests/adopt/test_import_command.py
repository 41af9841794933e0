"""`tapctl import` as people call it: what it reads, prints, refuses, and that it never writes."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tapctl.cli.import_tenant import header
from tapctl.config.schema import auth_methods
from tapctl.model.desired import Tenant
from tapctl.sandbox.connect import mint_token
from tests.adopt.foreign import TENANT, Foreign
from tests.adopt.running import SANDBOX, Done, Place
from tests.support.large_tenant import seed_large

WEB = {"authentication_enablewebsignin": 1}


def ordinary() -> Foreign:
    tenant = Foreign(keep_seeded_profiles=True)
    tenant.group("SG-TAP", ["user:ada", "group:Inner"], description="Pilots")
    tenant.group("Inner", ["user:grace"])
    tenant.tap(["group:SG-TAP"], ["group:SG-Break-Glass"], state="enabled", isUsableOnce=True)
    tenant.policy("WIN - Web", {**WEB, "experience_unknown": 1}, [{"to": "all-devices", "filter": "Corporate devices"}])
    tenant.custom("OMA", {"PreferredAadTenantDomainName": "contoso.com"}, ["group:SG-TAP"])
    return tenant


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path, ordinary())


def filled_by_somebody_else() -> Foreign:
    """200 policies, people in nested groups, unknown settings, targets of deleted groups; and a little of ours."""
    tenant = Foreign(keep_seeded_profiles=True)
    seed_large(tenant.state)
    tenant.group("Dynamic", groupTypes=["DynamicMembership"], membershipRule='(user.department -eq "Crowd")')
    include = ["group:SG-Crowd-3", "group:SG-Crowd-0", "group:SG-Synchronised", "group:Dynamic", "group:Deleted"]
    tenant.tap(include, ["group:SG-Break-Glass"], state="enabled")
    unknown = {f"experience_unknown_{number}": 1 for number in range(30)}
    tenant.policy("Baseline", {**unknown, **WEB}, ["group:SG-Crowd-2", "group:deleted long ago"])
    return tenant


def test_a_large_tenant_that_somebody_else_filled_imports_to_an_empty_plan(tmp_path: Path) -> None:
    place = Place(tmp_path, filled_by_somebody_else())
    done = place.subprocess("import", *SANDBOX, "--out", "contoso.yaml")
    plan = place.subprocess("plan", "contoso.yaml", "--format", "json", "--detailed-exitcode")
    (tenant,) = json.loads(plan.out)["tenants"]

    assert (done.code, done.out) == (0, "")
    assert (plan.code, tenant["status"], tenant["changes"]) == (0, "clean", [])
    nobody = "which matches nobody and stays as it is"
    gone, long_gone = (Foreign().id(f"group:{name}") for name in ("Deleted", "deleted long ago"))
    assert done.warnings == [
        "groups.sg-crowd-0: it has more than 100 members: its membership is left out and not managed",
        f"temporaryAccessPass: `include` names the deleted group {gone}, {nobody}",
        "webSignIn.baseline: it holds 30 settings that tapctl does not model: kept as found",
        f"webSignIn.baseline: an assignment names the deleted group {long_gone}, {nobody}",
        "webSignIn: 2 profiles set enableWebSignIn: baseline, win-passwordless; one owner a setting is safer",
    ]


def test_an_import_sends_no_write(tmp_path: Path) -> None:
    place = Place(tmp_path, filled_by_somebody_else())
    done = place.imported()

    assert done.document["groups"]["sg-crowd-3"]["members"] == ["group:sg-crowd-2", "user0003@contoso.com"]
    assert len(place.requests()) > 200
    assert [entry for entry in place.requests() if entry["write"]] == []


def test_a_large_tenant_costs_few_round_trips(tmp_path: Path) -> None:
    footer = Place(tmp_path, filled_by_somebody_else()).imported().err.splitlines()[-1]
    calls, round_trips = (int(footer.split(word)[0].split()[-1]) for word in (" calls", " round trips"))

    assert round_trips <= 7
    assert calls <= 20


def test_the_last_line_says_what_it_cost(place: Place) -> None:
    assert place.imported().err.splitlines()[-1].startswith("Graph: ")


def test_every_output_says_that_a_sandbox_is_one(place: Place) -> None:
    assert "# This is a sandbox" in place.imported().out


def test_neither_time_nor_the_order_of_answers_changes_the_file(tmp_path: Path) -> None:
    first, second = Place(tmp_path / "one", _reversed()), Place(tmp_path / "two", ordinary())

    one = first.run("import", *SANDBOX, TAPCTL_SANDBOX_BEHAVIOUR='{"reverse_targets": true, "extra_keys": true}')

    assert one.out == second.imported().out


def _reversed() -> Foreign:
    tenant = ordinary()
    for collection, objects in tenant.state["objects"].items():
        tenant.state["objects"][collection] = dict(reversed(objects.items()))
    return tenant


# Unknown is not absent


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("temporaryAccessPass", 403),
        ("temporaryAccessPass", 404),
        ("configurationPolicies\\?", 403),
        ("configurationPolicies/.*/settings", 403),
        ("configurationPolicies/.*/settings", 404),
        ("configurationPolicies/.*/assignments", 404),
        ("deviceConfigurations\\?", 403),
        ("deviceConfigurations/[^/]*$", 404),
        ("getOmaSettingPlainTextValue", 403),
        ("assignmentFilters", 403),
        ("roleScopeTags", 403),
        ("/groups/[^/]*\\?", 403),
        ("/members", 404),
    ],
)
def test_what_could_not_be_read_ends_the_import_before_a_line_is_printed(path: str, status: int, place: Place) -> None:
    fault = {"path": path, "action": "status", "status": status, "code": "Forbidden", "message": "Not yours"}
    done = place.run("import", *SANDBOX, TAPCTL_SANDBOX_FAULTS=json.dumps([fault]))

    assert (done.code, done.out) == (1, "")
    assert "Not yours" in done.err
    assert done.err.splitlines()[-1].startswith("Graph: ")


@pytest.mark.parametrize("action", ["html", "broken-json", "lose-before", "throttle"])
def test_an_answer_that_is_none_ends_the_import(action: str, place: Place) -> None:
    faults = json.dumps([{"path": "/settings", "action": action}])
    done = place.run("import", *SANDBOX, "--timeout", "1", TAPCTL_SANDBOX_FAULTS=faults)

    assert (done.code, done.out) == (1, "")


def test_a_missing_permission_is_named(place: Place) -> None:
    fault = {"path": "roleScopeTags", "action": "status", "status": 403, "code": "Forbidden", "message": "No"}
    done = place.run("import", *SANDBOX, TAPCTL_SANDBOX_FAULTS=json.dumps([fault]))

    assert "DeviceManagementRBAC.Read.All" in done.err


# Which profiles


def test_only_the_profiles_that_are_named_are_imported(place: Place) -> None:
    done = place.imported("--profile", "OMA", "--profile", "Win - Passwordless")

    assert list(done.document["webSignIn"]) == ["oma", "win-passwordless"]


@pytest.mark.parametrize(
    ("name", "words"),
    [("WIN - Wed", "there is 'WIN - Web'"), ("Win - BitLocker", "holds no setting that tapctl models")],
)
def test_a_profile_that_is_not_there_to_import_is_refused(name: str, words: str, place: Place) -> None:
    done = place.run("import", *SANDBOX, "--profile", name)

    assert (done.code, done.out) == (3, "")
    assert words in done.err


# Where the file goes


def test_a_file_is_written_where_out_says(place: Place) -> None:
    done = place.run("import", *SANDBOX, "--out", "mine.yaml")
    written = place.folder / "mine.yaml"

    assert (done.code, done.out) == (0, "")
    place.check(written.read_text(encoding="utf-8"))
    assert written.stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


@pytest.mark.parametrize(
    ("out", "schema"),
    [
        ("mine.yaml", "schemas/tenant.schema.json"),
        ("tenants/mine.yaml", "../schemas/tenant.schema.json"),
        ("tenants/mine/policy.yaml", "../../schemas/tenant.schema.json"),
    ],
)
def test_the_file_names_the_schema_of_the_repository_from_where_it_is(out: str, schema: str, place: Place) -> None:
    target = place.folder / out
    target.parent.mkdir(parents=True, exist_ok=True)
    done = place.run("import", *SANDBOX, "--out", out)

    assert done.code == 0, done.err
    assert target.read_text(encoding="utf-8").splitlines()[0] == f"# yaml-language-server: $schema={schema}"


def test_the_file_says_that_its_plan_is_empty_only_when_it_is(place: Place) -> None:
    tenant = Tenant(name="imported", source="--tenant-id", id=TENANT, cloud="sandbox")
    today = date(2026, 11, 22)

    empty, other = (
        "\n".join(header(tenant, today, differences, "schema.json")) for differences in ((), ("groups.a: members",))
    )

    assert "Its plan is empty." in empty
    assert "# Its plan is empty. " in place.imported().out
    assert "is empty" not in other
    assert "Its plan would still change" in other


def test_a_file_that_is_there_is_overwritten_only_by_force(place: Place) -> None:
    there = place.folder / "mine.yaml"
    there.write_text("precious", encoding="utf-8")
    refused = place.run("import", *SANDBOX, "--out", "mine.yaml")
    kept, asked = there.read_text(encoding="utf-8"), len(place.requests())
    forced = place.run("import", *SANDBOX, "--out", "mine.yaml", "--force")

    assert (refused.code, kept, asked) == (3, "precious", 0)
    assert forced.code == 0
    assert there.read_text(encoding="utf-8") != "precious"


def test_a_file_that_cannot_be_written_is_said(place: Place) -> None:
    done = place.run("import", *SANDBOX, "--out", "nowhere/mine.yaml")

    assert done.code == 3
    assert "cannot be written" in done.err


# Which tenant, and who signs in


def tenant_file(place: Place, name: str, **about: Any) -> None:
    folder = place.folder / "tenants"
    folder.mkdir(exist_ok=True)
    document = {"tenant": {"id": TENANT, "cloud": "sandbox", **about}}
    (folder / f"{name}.yaml").write_text(json.dumps(document), encoding="utf-8")


def test_id_cloud_and_auth_come_from_the_file_of_a_tenant(place: Place) -> None:
    tenant_file(place, "contoso", auth={"method": "token", "tokenVariable": "TAPCTL_T"})
    by_name = place.run("import", "--tenant", "contoso", TAPCTL_T=mint_token(TENANT))
    by_path = place.run("import", "tenants/contoso.yaml", TAPCTL_T=mint_token(TENANT))
    alone = place.run("import", TAPCTL_T=mint_token(TENANT))

    assert (by_name.code, by_path.code, alone.code) == (0, 0, 0)
    assert by_name.out == by_path.out == alone.out
    assert by_name.document["tenant"] == {
        "id": TENANT,
        "cloud": "sandbox",
        "auth": {"method": "token", "tokenVariable": "TAPCTL_T"},
    }


def test_options_say_how_to_sign_in_instead(place: Place) -> None:
    token = mint_token(TENANT)
    tenant_file(place, "contoso", auth={"method": "client-secret", "clientId": TENANT})
    done = place.run("import", "--tenant", "contoso", "--token-variable", "TAPCTL_T", TAPCTL_T=token)

    assert done.code == 0, done.err
    assert done.document["tenant"]["auth"] == {"method": "token", "tokenVariable": "TAPCTL_T"}
    assert token not in done.out + done.err


def test_a_token_for_another_tenant_is_sent_nowhere(place: Place) -> None:
    other = mint_token("11111111-2222-3333-4444-555555555555")
    done = place.run("import", *SANDBOX, "--auth-method", "token", "--token-variable", "TAPCTL_T", TAPCTL_T=other)

    assert (done.code, done.out, place.requests()) == (1, "", [])


@pytest.mark.parametrize(
    "arguments",
    [
        ("--tenant-id", "no-guid", "--cloud", "sandbox"),
        ("--cloud", "sandbox"),
        (*SANDBOX, "--tenant", "contoso"),
        (*SANDBOX, "tenants/contoso.yaml"),
        (*SANDBOX, "--auth-method", "token"),
        (*SANDBOX, "--auth-method", "token", "--token-variable", "AZURE_CLIENT_SECRET"),
        (*SANDBOX, "--auth-method", "azure-cli", "--token-variable", "TAPCTL_T"),
        (*SANDBOX, "--auth-method", "client-secret", "--client-id", "no-guid"),
        ("--tenant", "nobody"),
        (),
    ],
)
def test_wrong_usage_ends_with_64_and_asks_nobody(arguments: tuple[str, ...], place: Place) -> None:
    tenant_file(place, "contoso")
    tenant_file(place, "fabrikam", id="11111111-2222-3333-4444-555555555555")
    done = place.run("import", *arguments)

    assert (done.code, done.out, place.requests()) == (64, "", [])


def test_the_options_say_all_that_any_way_of_signing_in_needs(place: Place) -> None:
    """Otherwise what `import` says of a way that needs more would be untrue."""
    client = ("--client-id", TENANT)
    for method in auth_methods():
        if method != "token":
            assert place.run("import", *SANDBOX, "--auth-method", method, *client).code == 0, method


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("token",), "--auth-method token needs --token-variable"),
        (("azure-cli", "--token-variable", "TAPCTL_T"), "--auth-method azure-cli reads none"),
        (("device-code",), "--auth-method device-code needs --client-id"),
    ],
)
def test_options_that_do_not_go_together_are_said_in_the_words_of_options(
    arguments: tuple[str, ...], words: str, place: Place
) -> None:
    done = place.run("import", *SANDBOX, "--auth-method", *arguments)

    assert (done.code, done.out) == (64, "")
    assert words in done.err
    assert "fix: " in done.err


def test_without_any_tenant_file_the_tenant_id_is_enough(place: Place) -> None:
    done = place.subprocess("import", *SANDBOX)

    assert (place.folder / "tenants").exists() is False
    assert done.code == 0, done.err
    place.check(done.out)


def test_a_broken_tenant_file_is_reported_as_validate_would(place: Place) -> None:
    tenant_file(place, "contoso", oops=True)
    done = place.run("import")

    assert (done.code, done.out) == (3, "")
    assert "oops" in done.err


# Harmless


def test_hostile_names_are_harmless_on_the_screen_and_in_the_log(tmp_path: Path) -> None:
    done = _hostile(tmp_path)
    everything = done.out + done.err

    assert not any(character in everything for character in "\x1b\r\x07\u202e")
    assert "##vso[" not in everything
    assert not any(line.lstrip().startswith("::") for line in everything.splitlines())
    assert set(done.document) == {"tenant", "temporaryAccessPass", "webSignIn"}


def _hostile(folder: Path) -> Done:
    tenant = Foreign()
    tenant.tap(["all_users"], state="enabled")
    for name in ("\x1b[31m\nevil: true", "::error::x", "a ##vso[task.x] b", "\u202eevil", "x\r\n::warning::y"):
        tenant.filter(name)
        tenant.policy(name, WEB, [{"to": "all-devices", "filter": name}], description=name)
    return Place(folder, tenant).imported()
