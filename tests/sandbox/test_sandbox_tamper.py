"""Changes as an admin in the portal makes them."""

from __future__ import annotations

from typing import Any

import pytest

from tapctl.errors import RefusedError, UsageError
from tapctl.sandbox.faults import Fault
from tapctl.sandbox.tamper import tamper
from tests.sandbox.support import CUSTOM, POLICIES, PREFIX, TAP, Graph, MakeGraph, catalog_policy, choice


def actors(graph: Graph) -> set[str]:
    entra = graph.body("/v1.0/auditLogs/directoryAudits")["value"]
    intune = graph.body("/v1.0/deviceManagement/auditEvents")["value"]
    return {entry["initiatedBy"]["user"]["userPrincipalName"] for entry in entra} | {
        entry["actor"]["userPrincipalName"] for entry in intune
    }


def settings(graph: Graph, name: str) -> dict[str, Any]:
    (policy,) = graph.body(f"{POLICIES}?$filter=name eq '{name}'&$expand=settings")["value"]
    found = {}
    for setting in policy["settings"]:
        instance = setting["settingInstance"]
        key = instance["settingDefinitionId"].removeprefix(PREFIX)
        value = instance.get("choiceSettingValue") or instance.get("simpleSettingValue")
        found[key] = value["value"] if value else [item["value"] for item in instance["simpleSettingCollectionValue"]]
    return found


def test_the_policy_changes_in_the_words_of_the_yaml(graph: Graph) -> None:
    changes = ["state=enabled", "oneTime=true", "lifetime.maximum=4h", "lifetime.minimum=10", "length=12"]

    tamper(graph.sandbox, "temporaryAccessPass", [*changes, "include=SG-Onboarding-Wave-7", "exclude+=SG-Break-Glass"])

    policy = graph.body(TAP)
    assert (policy["state"], policy["isUsableOnce"], policy["defaultLength"]) == ("enabled", True, 12)
    assert (policy["minimumLifetimeInMinutes"], policy["maximumLifetimeInMinutes"]) == (10, 240)
    assert [target["id"] for target in policy["includeTargets"]] == [graph.group_id("SG-Onboarding-Wave-7")]
    assert [target["id"] for target in policy["excludeTargets"]] == [graph.group_id("SG-Break-Glass")]
    assert actors(graph) == {"admin@contoso.com"}


def test_list_items_are_taken_out_one_by_one(graph: Graph) -> None:
    tamper(graph.sandbox, "temporaryAccessPass", ["include=all-users", "exclude=SG-Break-Glass,All staff"])
    tamper(graph.sandbox, "temporaryAccessPass", ["exclude-=All staff"])

    policy = graph.body(TAP)
    assert [target["id"] for target in policy["includeTargets"]] == ["all_users"]
    assert [target["id"] for target in policy["excludeTargets"]] == [graph.group_id("SG-Break-Glass")]


def test_groups_change_their_properties_and_members(graph: Graph) -> None:
    laptop = graph.body("/v1.0/devices?$filter=displayName eq 'LAPTOP-ADA'")["value"][0]
    changes = [
        "description=Changed",
        f"members=grace@contoso.com,device:{laptop['deviceId']},group:SG-Break-Glass,{graph.user_id('alan')}",
    ]

    tamper(graph.sandbox, "groups.SG-Onboarding-Wave-7", changes)

    group = graph.group_id("SG-Onboarding-Wave-7")
    members = graph.body(f"/v1.0/groups/{group}/members")["value"]
    assert {member["displayName"] for member in members} == {
        "Grace Hopper",
        "LAPTOP-ADA",
        "SG-Break-Glass",
        "Alan Turing",
    }
    assert graph.body(f"/v1.0/groups/{group}")["description"] == "Changed"


def test_a_group_gets_a_rule(graph: Graph) -> None:
    tamper(graph.sandbox, "groups.SG-Research-Dynamic", ['rule=(user.department -eq "IT")'])

    group = graph.body(f"/v1.0/groups/{graph.group_id('SG-Research-Dynamic')}")
    assert group["membershipRule"] == '(user.department -eq "IT")'


def test_profiles_change_settings_assignments_and_metadata(graph: Graph) -> None:
    changes = [
        "displayName=Win - Changed",
        "description=by hand",
        "scopeTags=Default,Pilot",
        "settings.enableWebSignIn=false",
        "settings.enablePasswordlessExperience=null",
        "settings.defaultCredentialProvider=web-sign-in",
        "settings.configureWebSignInAllowedUrls=a.example,b.example",
        "settings.preferredAadTenantDomainName=contoso.com",
        "settings.allowAadPasswordReset=true",
        "assign.include=all-devices|Entra joined Windows 11|include,SG-Onboarding-Wave-7",
        "assign.exclude=SG-Break-Glass",
    ]

    tamper(graph.sandbox, "webSignIn.Win - Passwordless", changes)

    (policy,) = graph.body(f"{POLICIES}?$filter=name eq 'Win - Changed'&$expand=assignments")["value"]
    assert (policy["description"], policy["roleScopeTagIds"]) == ("by hand", ["0", "1"])
    assert [entry["target"]["@odata.type"].rsplit(".")[-1] for entry in policy["assignments"]] == [
        "allDevicesAssignmentTarget",
        "groupAssignmentTarget",
        "exclusionGroupAssignmentTarget",
    ]
    found = settings(graph, "Win - Changed")
    assert found["authentication_enablewebsignin"] == f"{PREFIX}authentication_enablewebsignin_2"
    assert "authentication_enablepasswordlessexperience" not in found
    assert found["authentication_configurewebsigninallowedurls"] == ["a.example", "b.example"]
    assert found["authentication_preferredaadtenantdomainname"] == "contoso.com"
    assert found["authentication_allowaadpasswordreset"].endswith("_1")
    assert actors(graph) == {"admin@contoso.com"}


def test_custom_profiles_change_too(graph: Graph) -> None:
    body = {"@odata.type": "#microsoft.graph.windows10CustomConfiguration", "displayName": "Legacy"}
    profile = graph.post(CUSTOM, body).json()["id"]

    tamper(graph.sandbox, "webSignIn.Legacy", ["settings.enableWebSignIn=true", "description=x"])

    shown = graph.body(f"{CUSTOM}/{profile}")
    (setting,) = shown["omaSettings"]
    assert (setting["omaUri"].rsplit("/")[-1], setting["value"], shown["description"]) == ("EnableWebSignIn", 1, "x")


def test_objects_are_deleted(graph: Graph) -> None:
    group = graph.group_id("SG-Onboarding-Wave-7")
    tamper(graph.sandbox, "temporaryAccessPass", ["state=enabled"])

    for address in ("groups.SG-Onboarding-Wave-7", "webSignIn.Win - BitLocker", "temporaryAccessPass"):
        tamper(graph.sandbox, address, delete=True)
    tamper(graph.sandbox, "assignmentFilters.Entra joined Windows 11", delete=True)

    assert graph.get(f"/v1.0/groups/{group}").status_code == 404
    assert not graph.body(f"{POLICIES}?$filter=name eq 'Win - BitLocker'")["value"]
    assert graph.body(TAP)["state"] == "disabled"
    assert len(graph.body("/beta/deviceManagement/assignmentFilters")["value"]) == 1


def test_users_devices_and_filters_change_in_graphs_words(graph: Graph) -> None:
    tamper(graph.sandbox, "users.ada@contoso.com", ["accountEnabled=false"])
    tamper(graph.sandbox, "devices.LAPTOP-ADA", ["trustType=ServerAd"])
    tamper(graph.sandbox, "assignmentFilters.Corporate devices", ['rule=(device.model -eq "x")'])

    assert graph.body("/v1.0/users/ada@contoso.com?$select=accountEnabled")["accountEnabled"] is False
    hybrid = graph.body("/v1.0/devices?$filter=trustType eq 'ServerAd'")["value"]
    assert {device["displayName"] for device in hybrid} == {"LAPTOP-ADA", "LAPTOP-GRACE"}
    rules = [item["rule"] for item in graph.body("/beta/deviceManagement/assignmentFilters")["value"]]
    assert '(device.model -eq "x")' in rules
    assert actors(graph) == {"admin@contoso.com"}


def test_faults_and_approval_do_not_hold_an_admin_up(make_graph: MakeGraph) -> None:
    graph = make_graph(faults=(Fault(action="throttle"),), approval_for=("configurationPolicies",))

    sent = tamper(graph.sandbox, "webSignIn.Win - BitLocker", ["description=x"])

    assert len(sent) == 1


@pytest.mark.parametrize(
    ("address", "changes", "error"),
    [
        ("nothing", ["a=b"], UsageError),
        ("groups.", ["a=b"], UsageError),
        ("temporaryAccessPass", ["oneTime"], UsageError),
        ("temporaryAccessPass", ["oneTime=perhaps"], UsageError),
        ("temporaryAccessPass", ["lifetime.maximum=soon"], UsageError),
        ("temporaryAccessPass", ["state+=enabled"], UsageError),
        ("temporaryAccessPass", ["colour=red"], UsageError),
        ("temporaryAccessPass", [], UsageError),
        ("temporaryAccessPass", ["length=99"], RefusedError),
        ("temporaryAccessPass", ["include=Nobody"], RefusedError),
        ("groups.Nobody", ["description=x"], RefusedError),
        ("groups.All staff", ["colour=red"], UsageError),
        ("webSignIn.Win - BitLocker", ["settings.nope=true"], UsageError),
        ("webSignIn.Win - BitLocker", ["colour=red"], UsageError),
        ("users.ada@contoso.com", ["colour=red"], UsageError),
    ],
)
def test_what_cannot_be_done_is_a_clear_error(
    graph: Graph, address: str, changes: list[str], error: type[Exception]
) -> None:
    with pytest.raises(error):
        tamper(graph.sandbox, address, changes)


def test_two_objects_of_one_name_are_not_guessed_between(graph: Graph) -> None:
    for _ in range(2):
        graph.post(POLICIES, catalog_policy("Twin", choice("enablewebsignin", 1)))

    with pytest.raises(RefusedError, match="2 objects"):
        tamper(graph.sandbox, "webSignIn.Twin", delete=True)


@pytest.mark.parametrize(
    ("address", "fix"),
    [
        ("groups.SG-Break-Gloss", "did you mean 'SG-Break-Glass'"),
        ("groups.zzzzzz", "there are '"),
        ("webSignIn.Win - Paswordless", "did you mean 'Win - Passwordless'"),
    ],
)
def test_a_name_that_nothing_bears_leads_to_those_that_are_borne(graph: Graph, address: str, fix: str) -> None:
    with pytest.raises(RefusedError) as caught:
        tamper(graph.sandbox, address, ["description=x"])

    assert "is called" in caught.value.message
    assert fix in caught.value.fix
