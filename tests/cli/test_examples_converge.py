"""Each example tenant: applied, it stays as it is; tampered with, the plan shows exactly that."""

from __future__ import annotations

import pytest

from tests.support.cli import CommandLine

EXAMPLES = ("contoso", "walkthrough", "fabrikam")
IDS = {
    "contoso": "6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11",
    "walkthrough": "1d8e4b60-93f7-4c25-b5aa-e07c6f218d94",
    "fabrikam": "c2f5a1d4-7b38-4e0f-8a46-5d9be0c7f2a3",
}

TAMPERED = [
    ("contoso", "temporaryAccessPass", "lifetime.maximum=8h", "lifetime.maximum", 480, 120),
    ("contoso", "temporaryAccessPass", "oneTime=false", "oneTime", False, True),
    ("contoso", "temporaryAccessPass", "length=20", "length", 20, 8),
    ("contoso", "temporaryAccessPass", "state=disabled", "state", "disabled", "enabled"),
    (
        "contoso",
        "temporaryAccessPass",
        "include=all-users",
        "include",
        ["all-users"],
        ["onboarding-wave-7", "tap-users"],
    ),
    ("contoso", "temporaryAccessPass", "exclude-=SG-Break-Glass", "exclude", [], ["break-glass"]),
    ("contoso", "groups.SG-TAP-Users", "displayName=Theirs", "displayName", "Theirs", "SG-TAP-Users"),
    ("contoso", "groups.SG-TAP-Users", "description=theirs", "description", "theirs", None),
    (
        "contoso",
        "groups.SG-TAP-Users",
        "members+=alan@contoso.com",
        "members",
        ["ada@contoso.com", "alan@contoso.com", "grace@contoso.com"],
        ["ada@contoso.com", "grace@contoso.com"],
    ),
    ("contoso", "groups.SG-Autopilot-Devices", 'rule=(device.deviceOSType -eq "Windows")', "rule", None, None),
    (
        "contoso",
        "webSignIn.WIN - Web sign-in",
        "settings.enableWebSignIn=false",
        "settings.enableWebSignIn",
        False,
        True,
    ),
    (
        "contoso",
        "webSignIn.WIN - Web sign-in",
        "settings.defaultCredentialProvider=web-sign-in",
        "settings.defaultCredentialProvider",
        "web-sign-in",
        "pin",
    ),
    ("contoso", "webSignIn.WIN - Web sign-in", "scopeTags+=Pilot", "scopeTags", ["Default", "Pilot"], ["Default"]),
    ("contoso", "webSignIn.WIN - Web sign-in", "assign.exclude+=All staff", "assign.exclude", None, []),
    (
        "contoso",
        "webSignIn.WIN - Web sign-in",
        "assign.include=all-devices",
        "assign.include",
        ["all-devices"],
        [{"group": "all-devices", "filter": "Entra joined Windows 11", "mode": "include"}],
    ),
    ("walkthrough", "temporaryAccessPass", "length=8", "length", 8, 12),
    (
        "fabrikam",
        "webSignIn.WIN - Web sign-in - Frontline",
        "settings.enableWebSignIn=false",
        "settings.enableWebSignIn",
        False,
        True,
    ),
    (
        "fabrikam",
        "webSignIn.WIN - Web sign-in - Frontline",
        "settings.preferredAadTenantDomainName=fabrikam.com",
        "settings.preferredAadTenantDomainName",
        "fabrikam.com",
        "contoso.com",
    ),
    ("fabrikam", "webSignIn.WIN - Web sign-in - Frontline", "scopeTags=Default", "scopeTags", ["Default"], ["Pilot"]),
]
FROM_FILE = {"description", "rule"}
"""Long texts, which are compared with what the plan says they are to become."""


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_converges_and_a_second_apply_sends_no_write(cli: CommandLine, name: str) -> None:
    cli.examples()

    first = cli.apply("--yes", "--tenant", name)
    assert first.code == 0
    assert first.tenant["status"] == "applied"
    assert {change["outcome"] for change in first.tenant["changes"]} == {"applied"}
    assert cli.writes

    cli.forget()
    second = cli.plan("--tenant", name, "--detailed-exitcode")
    assert (second.code, second.tenant["status"], second.tenant["changes"]) == (0, "clean", [])
    assert second.tenant["approval"] is None

    third = cli.apply("--yes", "--tenant", name)
    assert (third.code, third.tenant["status"]) == (0, "clean")
    assert cli.writes == []


def test_all_examples_at_once_converge(cli: CommandLine) -> None:
    cli.examples()

    assert cli.apply("--yes").code == 0
    ran = cli.plan("--detailed-exitcode")

    assert ran.code == 0
    assert [tenant["name"] for tenant in ran.json["tenants"]] == sorted(EXAMPLES)


@pytest.mark.parametrize(("name", "address", "change", "path", "before", "after"), TAMPERED)
def test_a_tampered_field_is_shown_and_nothing_else(
    cli: CommandLine, name: str, address: str, change: str, path: str, before: object, after: object
) -> None:
    cli.examples()
    cli.converge("--tenant", name)
    cli.tamper(address, change, tenant_id=IDS[name])

    ran = cli.plan("--tenant", name, "--detailed-exitcode")

    assert ran.code == 2
    (changed,) = ran.tenant["changes"]
    (field,) = changed["fields"]
    assert (changed["action"], field["path"]) == ("update", path)
    if path in FROM_FILE:
        assert field["before"] == change.partition("=")[2]
        assert field["after"] != field["before"]
    elif before is not None:
        assert (field["before"], field["after"]) == (before, after)
    assert cli.writes == []

    cli.converge("--tenant", name)
    assert cli.plan("--tenant", name, "--detailed-exitcode").code == 0


def test_tampering_from_the_command_line_is_seen_by_the_plan(cli: CommandLine) -> None:
    cli.examples()
    cli.converge("--tenant", "contoso")

    assert cli.run("sandbox", "tamper", "temporaryAccessPass", "oneTime=false", "--tenant", "contoso").code == 0

    assert cli.plan("--tenant", "contoso", "--detailed-exitcode").code == 2
