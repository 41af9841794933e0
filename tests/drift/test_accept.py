from __future__ import annotations

from pathlib import Path

import pytest

from tapctl.sandbox.connect import open_sandbox
from tests.drift.harness import Repository

ACME_ID = "6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c99"
POLICY = "temporaryAccessPass"
PROFILE = "webSignIn.WIN - Web sign-in"


def _accept(repository: Repository, tenant: str = "acme", *more: str) -> tuple[int, list[str], str]:
    done = repository.run("drift", "--tenant", tenant, "--accept", "--format", "json", *more)
    found = [item for item in done.tenant(tenant)["findings"] if item["rule"] == "not-acceptable"]
    return done.code, [item["message"] for item in found], repository.difference()


def test_without_drift_nothing_is_written(repository: Repository) -> None:
    assert _accept(repository) == (0, [], "")


def test_what_was_written_is_said_with_its_place_and_its_author(repository: Repository) -> None:
    repository.tamper("acme", POLICY, "lifetime.maximum=8h")

    done = repository.run("drift", "--tenant", "acme", "--accept", "--format", "json")

    (note,) = (item for item in done.tenant("acme")["findings"] if item["rule"] == "accepted")
    assert note["file"] == "tenants/acme.yaml"
    assert note["excerpt"] == "  lifetime: {maximum: 8h}   # longer than the baseline"
    assert "changed by admin@contoso.com" in note["message"]


def test_the_baseline_is_never_written(repository: Repository) -> None:
    before = (repository.path / "tenants/_baselines/common.yaml").read_bytes()
    repository.tamper("acme", POLICY, "length=12", "oneTime=false", "lifetime.minimum=30m")
    repository.tamper("globex", POLICY, "length=9")

    assert repository.run("drift", "--accept").code == 0
    assert (repository.path / "tenants/_baselines/common.yaml").read_bytes() == before


def test_a_deleted_object_is_refused_and_nothing_of_the_tenant_is_written(repository: Repository) -> None:
    repository.tamper("acme", "groups.SG-Pilots", "--delete")
    repository.tamper("acme", POLICY, "length=12")

    code, messages, difference = _accept(repository)

    assert code == 3
    assert messages == ["groups.pilots: it does not exist in the tenant, and tapctl takes no declaration out of a file"]
    assert difference == ""


def test_a_refused_tenant_does_not_keep_another_from_being_accepted(repository: Repository) -> None:
    repository.tamper("acme", "groups.SG-Pilots", "--delete")
    repository.tamper("globex", POLICY, "length=12")

    assert repository.run("drift", "--accept").code == 3
    assert repository.difference() == "tenants/globex/policy.yaml\n+  length: 12\n"


def test_live_values_that_break_a_rule_are_refused_with_the_finding(repository: Repository) -> None:
    repository.tamper("acme", POLICY, "exclude-=SG-Break-Glass")

    done = repository.run("drift", "--tenant", "acme", "--accept", "--format", "json")

    assert done.code == 3
    assert {"not-acceptable", "break-glass"} <= set(done.rules("acme"))
    assert repository.difference() == ""


def test_a_value_written_through_an_alias_is_refused(repository: Repository) -> None:
    repository.write("tenants/acme.yaml", "displayName: 'SG-Pass-Users' ", "displayName: &name SG-Pass-Users ")
    repository.write("tenants/acme.yaml", "description: First line", "description: *name")
    repository.commit("An alias")
    assert repository.run("apply", "--yes", "--tenant", "acme").code == 0
    repository.tamper("acme", "groups.SG-Pass-Users", "displayName=SG-Others")

    code, messages, difference = _accept(repository)

    assert code == 3
    assert "cannot be edited" in messages[0]
    assert difference == ""


def test_pending_changes_stay_pending_and_are_not_accepted(repository: Repository) -> None:
    base = repository.git("rev-parse", "HEAD").strip()
    repository.write("tenants/acme.yaml", "description: First line", "description: Second line")
    repository.write("tenants/acme.yaml", "maximum: 4h", "maximum: 5h")
    repository.commit("Ahead")
    repository.tamper("acme", POLICY, "length=12")

    done = repository.run("drift", "--tenant", "acme", "--accept", "--base", base, "--format", "json")

    assert done.code == 2
    assert repository.difference() == "tenants/acme.yaml\n+  length: 12\n"
    assert {change["reason"] for change in done.tenant("acme")["changes"]} == {"pending"}


def test_a_lapsed_entry_stays_in_the_file(repository: Repository) -> None:
    repository.write("tenants/acme.yaml", "until: 2031-12-15", "until: 2020-12-15")
    repository.commit("Long ago")
    repository.tamper("acme", POLICY, "include+=SG-Research-Dynamic")

    done = repository.run("drift", "--tenant", "acme", "--accept", "--format", "json")

    assert done.code == 2
    assert repository.difference() == "tenants/acme.yaml\n+    - research\n"
    assert done.change("acme", POLICY)["reason"] == "lapsed"


@pytest.mark.parametrize("line_break", ["\r\n", "\n"])
def test_line_breaks_and_a_missing_one_at_the_end_stay(repository: Repository, line_break: str) -> None:
    file = repository.path / "tenants/globex/policy.yaml"
    content = file.read_bytes().rstrip(b"\n").replace(b"\n", line_break.encode())
    file.write_bytes(content)
    repository.tamper("globex", POLICY, "length=12")

    assert repository.run("drift", "--tenant", "globex", "--accept").code == 0
    assert file.read_bytes() == content + f"{line_break}  length: 12".encode()


def test_permissions_of_the_file_stay_and_nothing_is_left_beside_it(repository: Repository) -> None:
    file = repository.path / "tenants/acme.yaml"
    file.chmod(0o640)
    beside = sorted(file.parent.iterdir())
    repository.tamper("acme", POLICY, "lifetime.maximum=8h")

    assert repository.run("drift", "--tenant", "acme", "--accept").code == 0
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(file.parent.iterdir()) == beside


def test_accepting_sends_nothing_that_writes(repository: Repository) -> None:
    repository.tamper("acme", PROFILE, "settings.enableWebSignIn=false")

    done = repository.run("drift", "--tenant", "acme", "--accept", "--log-level", "debug")

    sent = [line.split()[2] for line in done.err.splitlines() if line.startswith("DEBUG tapctl.graph")]
    assert sent
    assert set(sent) <= {"GET", "POST"}
    assert not [line for line in done.err.splitlines() if " POST " in line and "$batch" not in line]


def test_a_symbolic_link_stays_a_link(repository: Repository) -> None:
    shared = repository.path / "shared"
    shared.mkdir()
    file = repository.path / "tenants/globex/policy.yaml"
    Path(file).rename(shared / "policy.yaml")
    file.symlink_to("../../shared/policy.yaml")
    repository.tamper("globex", POLICY, "length=12")

    assert repository.run("drift", "--tenant", "globex", "--accept").code == 0
    assert file.is_symlink()
    assert "length: 12" in (shared / "policy.yaml").read_text(encoding="utf-8")


def test_what_yaml_cannot_say_is_refused_with_a_way_out(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TAPCTL_SANDBOX_DIR", str(repository.root / "sandbox"))
    with open_sandbox(ACME_ID).transaction(writes=True) as store:
        (user, *_) = store.scan("users")
        edited = store.edit("policies", "temporaryaccesspass")
        assert edited is not None
        edited["includeTargets"].append({"targetType": "user", "id": user["id"]})
        (profile,) = (item for item in store.scan("configurationPolicies") if item["name"] == "WIN - Web sign-in")
        changed = store.edit("configurationPolicies", profile["id"])
        assert changed is not None
        for setting in changed["_settings"]:
            choice = setting.get("choiceSettingValue", {"value": ""})
            if "enablewebsignin" in choice["value"]:
                choice["value"] = choice["value"][:-1] + "7"

    code, messages, difference = _accept(repository)

    assert code == 3
    assert ["names the single user" in messages[0], "does not model" in messages[1]] == [True, True]
    assert difference == ""
