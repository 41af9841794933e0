"""Conflicts with other live profiles: what differs on the same devices is said, and so is what could not be read."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from tapctl.errors import Finding
from tapctl.insight.conflicts import find_conflicts
from tapctl.reconcile.planner import plan_tenant
from tapctl.sandbox.custom_profiles import new_configuration
from tapctl.sandbox.faults import Fault
from tapctl.sandbox.profiles import new_policy
from tapctl.sandbox.seed import choice, group_target
from tests.support.world import World

MOMENT = "2026-01-15T08:00:00.0000000Z"
ALL_DEVICES = {
    "@odata.type": "#microsoft.graph.allDevicesAssignmentTarget",
    "deviceAndAppManagementAssignmentFilterId": None,
    "deviceAndAppManagementAssignmentFilterType": "none",
}
OURS = """
groups:
  wave: {displayName: SG-Onboarding-Wave-7, external: true}
  pilots: {displayName: SG-Autopilot-Pilot-Devices, external: true}
webSignIn:
  laptops:
    displayName: WIN - Web sign-in
    settings: {SETTINGS}
    assign: {include: [INCLUDE], exclude: [EXCLUDE]}
"""


def ours(include: str = "all-devices", exclude: str = "", settings: str = "enableWebSignIn: true") -> str:
    return OURS.replace("INCLUDE", include).replace("EXCLUDE", exclude).replace("SETTINGS", settings)


def conflicts(world: World) -> tuple[Finding, ...]:
    """What is found; afterwards `world.sent` holds what that alone has asked."""
    live = world.look()
    assert not live.problems()
    planned = plan_tenant(world.tenant, live, world.today)
    assert not planned.is_refused, planned.findings
    world.forget()

    async def run() -> tuple[Finding, ...]:
        async with world.client(writable=False) as client:
            return await find_conflicts(client, world.tenant, live, planned)

    return asyncio.run(run())


def said(findings: tuple[Finding, ...]) -> list[tuple[str, str]]:
    return [(finding.severity, finding.message) for finding in findings]


def put_policy(world: World, option: int, *targets: dict[str, Any], **more: Any) -> str:
    """Somebody else's settings catalog policy that sets web sign-in."""
    policy = new_policy(str(uuid.uuid4()), MOMENT)
    policy |= {"name": "Foreign", "_settings": [choice("authentication_enablewebsignin", option)]}
    return world.add("configurationPolicies", **(policy | {"_assignments": [*targets]} | more))


def put_configuration(world: World, kind: str, **more: Any) -> str:
    """Somebody else's legacy profile, assigned to all devices."""
    item = new_configuration(str(uuid.uuid4()), MOMENT, f"#microsoft.graph.{kind}")
    return world.add(
        "deviceConfigurations", **(item | {"displayName": "Foreign", "_assignments": [ALL_DEVICES]} | more)
    )


def oma(value: Any, kind: str = "Integer", node: str = "EnableWebSignIn", **more: Any) -> dict[str, Any]:
    shown = {"isEncrypted": False, "secretReferenceValueId": None}
    return {
        "@odata.type": f"#microsoft.graph.omaSetting{kind}",
        "displayName": node,
        "description": None,
        "omaUri": f"./Vendor/MSFT/Policy/Config/Authentication/{node}",
        "value": value,
        **shown,
        **more,
    }


def target(world: World, name: str) -> dict[str, Any]:
    return group_target(world.named("groups", name)["id"])


def test_a_policy_that_sets_another_value_on_the_same_devices_is_an_error(world: World) -> None:
    found = put_policy(world, 2, ALL_DEVICES)
    world.declare(ours())

    (finding,) = conflicts(world)

    assert (finding.rule, finding.severity) == ("XRES003", "error")
    assert finding.message == (
        f"laptops sets enableWebSignIn to true, and settings catalog policy 'Foreign' (id {found}) "
        "sets it to false on the same devices"
    )
    assert finding.position is not None
    assert "enableWebSignIn" in finding.excerpt


@pytest.mark.parametrize(
    ("include", "exclude", "severity"),
    [
        ("all-devices", "", "error"),
        ("all-users", "", "error"),
        ("pilots", "", "error"),
        ("wave", "", "warning"),
        ("all-devices", "wave", "warning"),
        ("pilots", "wave", "warning"),
        ("all-devices", "pilots", None),
        ("{group: all-devices, filter: Corporate devices}", "", "error"),
    ],
)
def test_how_sure_an_overlap_is(world: World, include: str, exclude: str, severity: str | None) -> None:
    put_policy(world, 2, target(world, "SG-Autopilot-Pilot-Devices"))
    world.declare(ours(include, exclude))

    assert [finding.severity for finding in conflicts(world)] == ([severity] if severity else [])


@pytest.mark.parametrize(
    ("name", "mode", "severity"),
    [
        ("Corporate devices", "include", "error"),
        ("Corporate devices", "exclude", None),
        ("Entra joined Windows 11", "include", "warning"),
    ],
)
def test_filters_may_part_the_devices(world: World, name: str, mode: str, severity: str | None) -> None:
    filter_id = world.named("assignmentFilters", name)["id"]
    filtered = ALL_DEVICES | {
        "deviceAndAppManagementAssignmentFilterId": filter_id,
        "deviceAndAppManagementAssignmentFilterType": mode,
    }
    put_policy(world, 2, filtered)
    world.declare(ours("{group: all-devices, filter: Corporate devices}"))

    assert [finding.severity for finding in conflicts(world)] == ([severity] if severity else [])


def test_what_is_no_conflict_is_not_mentioned(world: World) -> None:
    put_policy(world, 1, ALL_DEVICES)
    put_policy(world, 2)
    put_policy(world, 2, ALL_DEVICES, platforms="macOS")
    put_configuration(world, "windows10GeneralConfiguration", authenticationWebSignIn="enabled")
    put_configuration(world, "windows10CustomConfiguration", omaSettings=[oma(1), oma(0, node="AllowAadPasswordReset")])
    world.declare(ours())

    assert conflicts(world) == ()


def test_our_own_profile_never_conflicts_with_itself(world: World) -> None:
    world.declare(ours())
    world.converge()
    world.declare(ours(settings="enableWebSignIn: false"))

    assert conflicts(world) == ()


def test_a_profile_that_reaches_nobody_conflicts_with_nobody_and_asks_nothing(world: World) -> None:
    put_policy(world, 2, ALL_DEVICES)
    world.declare(ours(include=""))

    assert conflicts(world) == ()
    assert world.sent == []


def test_legacy_profiles_conflict_too(world: World) -> None:
    restrictions = put_configuration(
        world, "windows10GeneralConfiguration", authenticationWebSignIn="disabled", displayName="Restrictions"
    )
    custom = put_configuration(world, "windows10CustomConfiguration", omaSettings=[oma(2)], displayName="Custom")
    world.declare(ours())

    sets = "laptops sets enableWebSignIn to true, and"
    differently = "sets it to false on the same devices"
    assert said(conflicts(world)) == [
        ("error", f"{sets} custom profile 'Custom' (id {custom}) {differently}"),
        ("error", f"{sets} device restrictions profile 'Restrictions' (id {restrictions}) {differently}"),
    ]


def test_encrypted_values_of_custom_profiles_are_read_in_plain(world: World) -> None:
    secret = oma(
        "fabrikam.com", "String", "PreferredAadTenantDomainName", isEncrypted=True, secretReferenceValueId="secret-1"
    )
    put_configuration(world, "windows10CustomConfiguration", omaSettings=[secret])
    world.declare(ours(settings="preferredAadTenantDomainName: contoso.com"))

    (finding,) = conflicts(world)

    assert "sets preferredAadTenantDomainName to contoso.com, and" in finding.message
    assert "sets it to fabrikam.com on the same devices" in finding.message


def test_a_setting_that_the_file_does_not_name_but_the_profile_holds_is_compared(world: World) -> None:
    world.declare(ours(settings="enableWebSignIn: true, enablePasswordlessExperience: true"))
    world.converge()
    put_policy(world, 1, ALL_DEVICES, _settings=[choice("authentication_enablepasswordlessexperience", 2)])
    world.declare(ours())

    assert [finding.severity for finding in conflicts(world)] == ["error"]


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("configurationPolicies[?]", "the settings catalog policies"),
        ("deviceConfigurations[?]", "the legacy device configurations"),
        ("ID/settings", "settings catalog policy 'Foreign' (id ID)"),
        ("ID/assignments", "settings catalog policy 'Foreign' (id ID)"),
    ],
)
def test_what_cannot_be_read_is_said_and_never_passed_over(world: World, path: str, what: str) -> None:
    found = put_policy(world, 2, ALL_DEVICES)
    world.declare(ours())
    live = world.look()
    planned = plan_tenant(world.tenant, live, world.today)
    world.fail(Fault(action="status", status=403, code="Forbidden", message="no", path=path.replace("ID", found)))

    async def run() -> tuple[Finding, ...]:
        async with world.client(writable=False) as client:
            return await find_conflicts(client, world.tenant, live, planned)

    findings = asyncio.run(run())

    (finding,) = (item for item in findings if "unknown" in item.message)
    assert (finding.rule, finding.severity) == ("XRES003", "warning")
    assert finding.message.startswith(
        f"whether {what.replace('ID', found)} conflicts with a declared profile is unknown"
    )
    assert "DeviceManagementConfiguration.Read.All" in finding.fix


def test_a_setting_of_no_known_shape_is_unknown(world: World) -> None:
    broken = choice("authentication_enablewebsignin", 1) | {"choiceSettingValue": None}
    found = put_policy(world, 1, ALL_DEVICES, _settings=[broken])
    world.declare(ours())

    ((severity, message),) = said(conflicts(world))

    assert severity == "warning"
    assert f"(id {found}) conflicts with a declared profile is unknown" in message


# The whole tool

TENANT = "tenant: {id: 6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11, cloud: sandbox}\n"
CLASH = """
webSignIn:
  laptops:
    displayName: WIN - Web sign-in
    settings: {enablePasswordlessExperience: false}
    assign: {include: [all-devices], exclude: []}
"""


def tapctl(folder: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    run = subprocess.run(
        [sys.executable, "-m", "tapctl", *arguments, "--format", "json"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(run.stdout)
    assert isinstance(found, dict)
    return run.returncode, found


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two tenants' worth of files for one sandbox: `other` plays the colleague whose profile is in the way."""
    (tmp_path / ".git").mkdir()
    (tmp_path / "other").mkdir()
    (tmp_path / "tenants").mkdir()
    other = CLASH.replace("laptops", "colleague").replace("WIN - Web sign-in", "Colleague").replace("false", "true")
    (tmp_path / "other" / "contoso.yaml").write_text(TENANT + other, encoding="utf-8")
    (tmp_path / "tenants" / "contoso.yaml").write_text(TENANT + CLASH, encoding="utf-8")
    assert tapctl(tmp_path, "apply", "other/contoso.yaml", "--yes")[0] == 0
    return tmp_path


def test_plan_looks_for_conflicts_only_when_asked(repository: Path) -> None:
    code, silent = tapctl(repository, "plan")
    asked_code, asked = tapctl(repository, "plan", "--conflicts")

    assert (code, silent["tenants"][0]["status"]) == (0, "changes")
    (tenant,) = asked["tenants"]
    assert (asked_code, tenant["status"]) == (3, "failed")
    (finding,) = (item for item in tenant["findings"] if item["rule"] == "XRES003")
    assert (finding["severity"], finding["suppressed"]) == ("error", False)


def test_a_conflict_that_was_considered_stays_visible_and_stops_nothing(repository: Path) -> None:
    file = repository / "tenants" / "contoso.yaml"
    suppression = "suppress: [{rule: XRES003, reason: The colleague leaves on Friday}]\n"
    file.write_text(TENANT + CLASH + suppression, encoding="utf-8")

    code, document = tapctl(repository, "plan", "--conflicts")

    assert (code, document["tenants"][0]["status"]) == (0, "changes")
    assert [item["suppressed"] for item in document["tenants"][0]["findings"] if item["rule"] == "XRES003"] == [True]
