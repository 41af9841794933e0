"""Both audit logs: every change is there, with who made it."""

from __future__ import annotations

import json
from typing import Any

from tapctl.sandbox.tokens import mint_token
from tests.sandbox.support import (
    CUSTOM,
    POLICIES,
    TAP,
    TAP_TYPE,
    TENANT,
    Graph,
    MakeGraph,
    catalog_policy,
    choice,
    security_group,
)

ENTRA = "/v1.0/auditLogs/directoryAudits"
INTUNE = "/v1.0/deviceManagement/auditEvents"


def entra(graph: Graph, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = graph.body(f"{ENTRA}?{query}")["value"]
    return found


def test_reading_leaves_no_trace(graph: Graph) -> None:
    graph.body(TAP)
    graph.post("/v1.0/directoryObjects/getByIds", {"ids": []})

    assert entra(graph) == []


def test_a_policy_change_names_what_changed_and_who(graph: Graph) -> None:
    graph.patch(TAP, {"@odata.type": TAP_TYPE, "isUsableOnce": True})

    (entry,) = entra(graph, "$filter=activityDisplayName eq 'Authentication Methods Policy Update'")

    assert (entry["category"], entry["loggedByService"]) == ("ApplicationManagement", "Authentication Methods")
    assert entry["initiatedBy"]["user"] is None
    assert entry["initiatedBy"]["app"]["displayName"] == "tapctl"
    (modified,) = entry["targetResources"][0]["modifiedProperties"]
    assert modified == {"displayName": "TemporaryAccessPass.isUsableOnce", "oldValue": "false", "newValue": "true"}


def test_a_policy_entry_may_carry_the_whole_policy(make_graph: MakeGraph) -> None:
    graph = make_graph(audit_whole_policy=True)
    graph.delete(TAP)

    (entry,) = entra(graph)

    assert entry["activityDisplayName"] == "Authentication Methods Policy Reset"
    (modified,) = entry["targetResources"][0]["modifiedProperties"]
    assert json.loads(modified["newValue"])["state"] == "disabled"


def test_a_user_is_named_where_a_user_acted(graph: Graph) -> None:
    scopes = "Policy.ReadWrite.AuthenticationMethod"
    token = mint_token(TENANT, scp=scopes, upn="admin@contoso.com", oid="728309ae-1a37-4937-9afe-e35d964db09b")
    graph.patch(TAP, {"@odata.type": TAP_TYPE, "state": "enabled"}, token=token)

    (entry,) = entra(graph, "$filter=initiatedBy/user/id eq '728309ae-1a37-4937-9afe-e35d964db09b'")

    assert entry["initiatedBy"]["app"] is None
    assert entry["initiatedBy"]["user"]["userPrincipalName"] == "admin@contoso.com"


def test_groups_and_members_are_logged(graph: Graph) -> None:
    group = graph.post("/v1.0/groups", security_group("New")).json()["id"]
    ada = graph.user_id("ada")
    graph.post(f"/v1.0/groups/{group}/members/$ref", {"@odata.id": f"https://x/directoryObjects/{ada}"})
    graph.patch(f"/v1.0/groups/{group}", {"description": "x"})
    graph.delete(f"/v1.0/groups/{group}/members/{ada}/$ref")
    graph.delete(f"/v1.0/groups/{group}")

    activities = [entry["activityDisplayName"] for entry in entra(graph, "$filter=category eq 'GroupManagement'")]

    assert activities == [
        "Delete group",
        "Remove member from group",
        "Update group",
        "Add member to group",
        "Add group",
    ]
    about_ada = entra(graph, f"$filter=targetResources/any(t:t/id eq '{ada}')")
    assert len(about_ada) == 2


def test_profiles_are_logged_by_intune(graph: Graph) -> None:
    policy = graph.post(POLICIES, catalog_policy("WIN", choice("enablewebsignin", 1))).json()["id"]
    graph.clock.forward(seconds=1)
    graph.patch(f"{POLICIES}/{policy}", {"name": "WIN 2"})
    graph.post(f"{POLICIES}/{policy}/assign", {"assignments": []})
    graph.delete(f"{POLICIES}/{policy}")

    query = (
        "$filter=componentName eq 'DeviceConfiguration' and activityDateTime gt 2026-11-20T00:00:00.000Z "
        "and activityDateTime le 2027-01-01T00:00:00Z and activityOperationType ne 'Get'"
        "&$orderby=activityDateTime desc&$select=actor,activityType,activityOperationType,resources"
    )
    entries = graph.body(f"{INTUNE}?{query}")["value"]

    assert sorted(entry["activityType"] for entry in entries) == [
        "Assign DeviceManagementConfigurationPolicy",
        "Create DeviceManagementConfigurationPolicy",
        "Delete DeviceManagementConfigurationPolicy",
        "Patch DeviceManagementConfigurationPolicy",
    ]
    assert {entry["resources"][0]["resourceId"] for entry in entries} == {policy}
    assert entries[0]["actor"]["auditActorType"] == "Application"
    patched = next(entry for entry in entries if entry["activityOperationType"] == "Patch")
    assert patched["resources"][0]["modifiedProperties"] == [
        {"displayName": "Name", "oldValue": '"WIN"', "newValue": '"WIN 2"'}
    ]


def test_oma_values_stay_out_of_the_log(graph: Graph) -> None:
    body = {"@odata.type": "#microsoft.graph.windows10CustomConfiguration", "displayName": "Legacy"}
    profile = graph.post(CUSTOM, body).json()["id"]
    setting = {
        "@odata.type": "#microsoft.graph.omaSettingString",
        "displayName": "x",
        "omaUri": "./x",
        "value": "confidential",
    }
    graph.patch(f"{CUSTOM}/{profile}", {"@odata.type": body["@odata.type"], "omaSettings": [setting]})

    assert "confidential" not in graph.get(INTUNE).text


def test_entries_may_be_late(make_graph: MakeGraph) -> None:
    graph = make_graph(audit_delay_seconds=120)
    graph.patch(TAP, {"@odata.type": TAP_TYPE, "state": "enabled"})

    assert entra(graph) == []
    graph.clock.forward(minutes=2)
    assert len(entra(graph)) == 1


def test_operators_that_are_not_documented_are_refused(graph: Graph) -> None:
    response = graph.get(f"{ENTRA}?$filter=activityDateTime gt 2026-01-01T00:00:00Z")

    assert response.status_code == 400
