"""`tapctl sandbox`."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from tapctl.cli.sandbox import sandbox
from tapctl.errors import UsageError
from tests.sandbox.support import TAP, TENANT


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TAPCTL_SANDBOX_DIR", str(tmp_path / "state"))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(sandbox, arguments)


def succeed(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.output


def test_tampering_shows_and_reset_forgets(elsewhere: Path) -> None:
    tenant = ("--tenant-id", TENANT)

    assert "changed as admin@contoso.com" in succeed("tamper", *tenant, "temporaryAccessPass", "state=enabled")
    assert "temporaryAccessPass: enabled, 60/60/480 minutes" in succeed("show", *tenant)
    assert f"sandbox {TENANT}: reset" in succeed("reset", *tenant)
    assert "temporaryAccessPass: disabled" in succeed("show", *tenant)
    assert "nothing to reset" in succeed("reset", *tenant)


def test_json_is_printed_where_asked_for(elsewhere: Path) -> None:
    tenant = ("--tenant-id", TENANT, "--format", "json")

    tampered = json.loads(succeed("tamper", *tenant, "groups.All staff", "--delete"))
    shown = json.loads(succeed("show", *tenant))

    assert tampered["actor"] == "admin@contoso.com"
    assert tampered["requests"][0].startswith("DELETE /groups/")
    assert "All staff" not in [group["displayName"] for group in shown["groups"]]
    assert shown["temporaryAccessPass"]["state"] == "disabled"


def test_a_tenant_is_chosen_from_the_files(elsewhere: Path) -> None:
    folder = elsewhere / "tenants"
    folder.mkdir()
    for name, number in (("one", 1), ("two", 2)):
        identifier = f"00000000-0000-4000-8000-00000000000{number}"
        (folder / f"{name}.yaml").write_text(f"tenant: {{id: {identifier}, cloud: sandbox}}\n")

    assert "00000000-0000-4000-8000-000000000002" in succeed("show", "--tenant", "two")
    ambiguous = run("show")
    assert isinstance(ambiguous.exception, UsageError)
    assert "one, two" in str(ambiguous.exception)


def test_a_corrupt_state_can_be_reset(elsewhere: Path) -> None:
    path = elsewhere / "state" / f"{TENANT}.json"
    path.parent.mkdir()
    path.write_text("{")

    assert run("show", "--tenant-id", TENANT).exit_code == 1
    succeed("reset", "--tenant-id", TENANT)
    succeed("show", "--tenant-id", TENANT)


def test_names_cannot_steer_a_terminal(elsewhere: Path) -> None:
    succeed("tamper", "--tenant-id", TENANT, "groups.All staff", "displayName=\x1b[31mred")

    assert "\x1b" not in succeed("show", "--tenant-id", TENANT)


def test_serve_prints_where_and_with_which_token(elsewhere: Path) -> None:
    import subprocess
    import sys

    program = "from tapctl.cli.sandbox import sandbox; sandbox()"
    command = [sys.executable, "-c", program, "serve", "--tenant-id", TENANT, "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            document = json.loads(process.stdout.readline())
            headers = {"Authorization": f"Bearer {document['token']}"}
            policy = httpx.get(document["url"] + TAP, headers=headers, trust_env=False).json()
        finally:
            process.terminate()

    assert policy["id"] == "TemporaryAccessPass"
