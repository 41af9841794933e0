"""Two selected files with one tenant.id: neither is planned, each says why, and the others are planned as usual."""

from __future__ import annotations

import pytest

from tapctl.reconcile.summary import describe_first
from tests.support.cli import CommandLine

ID = "6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c0"
CLASH = "tenants/b.yaml and tenants/a.yaml have one tenant.id (tenants/a.yaml:1:14)"


def _tenant(number: int) -> str:
    return f"tenant: {{id: {ID}{number}, cloud: sandbox}}\ntemporaryAccessPass: {{length: 12}}\n"


@pytest.fixture
def clashing(cli: CommandLine) -> CommandLine:
    for name, number in (("a", 1), ("b", 1), ("c", 2)):
        cli.write(_tenant(number), name=name)
    return cli


@pytest.mark.parametrize(("command", "status"), [("plan", "changes"), ("apply", "applied"), ("drift", "changes")])
def test_both_of_a_clash_fail_with_their_error_and_a_third_tenant_goes_on(
    clashing: CommandLine, command: str, status: str
) -> None:
    arguments = (command, "--yes") if command == "apply" else (command,)

    done = clashing.run(*arguments, "--format", "json")

    assert done.code == 3
    tenants = {tenant["name"]: tenant for tenant in done.json["tenants"]}
    assert {name: tenant["status"] for name, tenant in tenants.items()} == {"a": "failed", "b": "failed", "c": status}
    for name in ("a", "b"):
        assert CLASH in tenants[name]["error"]
        assert tenants[name]["error"].startswith("tenants/b.yaml:1:14: ")
        assert [finding["rule"] for finding in tenants[name]["findings"]] == ["duplicate-tenant-id"]


def test_a_clash_is_one_finding_of_validate(clashing: CommandLine) -> None:
    done = clashing.run("validate", "--format", "json")

    assert done.code == 3
    assert [finding["message"] for finding in done.json["findings"]] == [CLASH]


def test_every_further_file_of_one_id_says_so(clashing: CommandLine) -> None:
    clashing.write(_tenant(1), name="c")

    done = clashing.run("plan", "--format", "json")

    assert [len(tenant["findings"]) for tenant in done.json["tenants"]] == [2, 1, 1]
    assert all(tenant["error"] for tenant in done.json["tenants"])


def test_a_clash_of_names_is_said_of_the_one_tenant_that_both_files_name(clashing: CommandLine) -> None:
    (clashing.folder / "tenants/c.yml").write_text(_tenant(3), encoding="utf-8")

    done = clashing.run("plan", "--format", "json")

    named = next(tenant for tenant in done.json["tenants"] if tenant["name"] == "c")
    assert "are both named c" in named["error"]
    assert [finding["rule"] for finding in named["findings"]] == ["duplicate-name"]


def test_a_failure_without_an_error_is_still_described() -> None:
    message, fix = describe_first(())

    assert message
    assert fix
