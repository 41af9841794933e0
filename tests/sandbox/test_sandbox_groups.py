"""Groups, members, and what refers to them."""

from __future__ import annotations

from typing import Any

import pytest

from tapctl.sandbox.tokens import mint_token
from tests.sandbox.support import TENANT, Graph, MakeGraph, error_code, security_group

UNKNOWN = "00000000-0000-0000-0000-00000000dead"
EVENTUAL = {"ConsistencyLevel": "eventual"}


def refer(identifier: str) -> str:
    return f"https://graph.microsoft.com/v1.0/directoryObjects/{identifier}"


def create(graph: Graph, display_name: str = "New", /, **more: Any) -> str:
    created = graph.post("/v1.0/groups", security_group(display_name, **more))
    assert created.status_code == 201, created.text
    return str(created.json()["id"])


def member_ids(graph: Graph, group: str) -> set[str]:
    return {member["id"] for member in graph.body(f"/v1.0/groups/{group}/members")["value"]}


def test_an_upsert_creates_once_and_then_updates(graph: Graph) -> None:
    address = "/v1.0/groups(uniqueName='tapctl-pilot')"
    prefer = {"Prefer": "create-if-missing"}

    first = graph.patch(address, security_group("TAP pilot"), headers=prefer)
    second = graph.patch(address, security_group("TAP pilot 2"), headers=prefer)

    assert (first.status_code, second.status_code, second.text) == (201, 204, "")
    assert first.json()["uniqueName"] == "tapctl-pilot"
    assert graph.body(address)["displayName"] == "TAP pilot 2"
    assert graph.body(f"/beta/groups/{first.json()['id']}")["displayName"] == "TAP pilot 2"


def test_without_the_preference_an_upsert_is_a_plain_update(graph: Graph) -> None:
    response = graph.patch("/v1.0/groups(uniqueName='nobody')", security_group("Nobody"))

    assert error_code(response) == (404, "Request_ResourceNotFound")


def test_a_unique_name_is_unique_and_stays(graph: Graph) -> None:
    identifier = create(graph, uniqueName="tapctl-a")

    assert graph.post("/v1.0/groups", security_group("Other", uniqueName="tapctl-a")).status_code == 400
    assert graph.patch(f"/v1.0/groups/{identifier}", {"uniqueName": "tapctl-b"}).status_code == 400


@pytest.mark.parametrize("missing", ["displayName", "mailEnabled", "mailNickname", "securityEnabled"])
def test_a_group_needs_four_properties(graph: Graph, missing: str) -> None:
    body = security_group("Incomplete")
    del body[missing]

    assert error_code(graph.post("/v1.0/groups", body)) == (400, "Request_BadRequest")


@pytest.mark.parametrize(
    "changes",
    [
        {"displayName": "x" * 257},
        {"mailNickname": "x" * 65},
        {"mailNickname": "with space"},
        {"mailNickname": "umläut"},
        {"mailNickname": "semi;colon"},
        {"description": ""},
        {"members": []},
        {"membershipRule": "(user.department -eq 'x')"},
        {"groupTypes": ["DynamicMembership"]},
        {"groupTypes": ["DynamicMembership"], "membershipRule": '(user.a -eq "', "membershipRuleProcessingState": "On"},
        {"groupTypes": ["Distribution"]},
        {"members@odata.bind": ["not an address"]},
    ],
)
def test_impossible_groups_are_refused(graph: Graph, changes: dict[str, Any]) -> None:
    assert error_code(graph.post("/v1.0/groups", {**security_group("Odd"), **changes})) == (400, "Request_BadRequest")


def test_a_role_assignable_group_is_private_static_and_needs_a_permission(graph: Graph) -> None:
    body = security_group("Admins", isAssignableToRole=True)
    lesser = mint_token(TENANT, roles=["Group.ReadWrite.All"])
    rule = {"groupTypes": ["DynamicMembership"], "membershipRule": "x", "membershipRuleProcessingState": "On"}

    assert error_code(graph.post("/v1.0/groups", body, token=lesser)) == (403, "Authorization_RequestDenied")
    assert graph.post("/v1.0/groups", {**body, **rule}).status_code == 400
    created = graph.post("/v1.0/groups", body).json()
    assert created["visibility"] == "Private"
    assert graph.patch(f"/v1.0/groups/{created['id']}", {"isAssignableToRole": False}).status_code == 400
    assert graph.patch(f"/v1.0/groups/{created['id']}", {"description": "x"}, token=lesser).status_code == 403


def test_a_synchronised_group_is_not_written(graph: Graph) -> None:
    group = graph.group_id("SG-Synchronised")

    assert graph.patch(f"/v1.0/groups/{group}", {"description": "x"}).status_code == 400
    assert graph.post(f"/v1.0/groups/{group}/members/$ref", {"@odata.id": refer(UNKNOWN)}).status_code == 400


def test_a_patch_changes_what_it_names(graph: Graph) -> None:
    identifier = create(graph, description="before")

    assert graph.patch(f"/v1.0/groups/{identifier}", {"displayName": "Renamed"}).status_code == 204

    group = graph.body(f"/v1.0/groups/{identifier}?$select=displayName,description")
    assert (group["displayName"], group["description"]) == ("Renamed", "before")
    assert "id" not in group


# members


def test_members_come_and_go_one_by_one(graph: Graph) -> None:
    group, ada = create(graph), graph.user_id("ada")
    path = f"/v1.0/groups/{group}/members"

    assert graph.post(f"{path}/$ref", {"@odata.id": refer(ada)}).status_code == 204
    assert member_ids(graph, group) == {ada}
    assert graph.delete(f"{path}/{ada}/$ref").status_code == 204
    assert member_ids(graph, group) == set()
    assert graph.delete(f"{path}/{ada}/$ref").status_code == 404


def test_a_duplicate_member_is_400_and_an_unknown_one_404(graph: Graph) -> None:
    group = graph.group_id("SG-Onboarding-Wave-7")
    path = f"/v1.0/groups/{group}/members/$ref"

    duplicate = graph.post(path, {"@odata.id": refer(graph.user_id("ada"))})

    assert error_code(duplicate) == (400, "Request_BadRequest")
    assert "already exist" in duplicate.json()["error"]["message"]
    assert error_code(graph.post(path, {"@odata.id": refer(UNKNOWN)})) == (404, "Request_ResourceNotFound")


def test_many_members_are_added_together_or_not_at_all(graph: Graph) -> None:
    group = create(graph)
    ada, grace = graph.user_id("ada"), graph.user_id("grace")

    failed = graph.patch(f"/v1.0/groups/{group}", {"members@odata.bind": [refer(ada), refer(UNKNOWN)]})
    assert failed.status_code == 404
    assert member_ids(graph, group) == set()
    assert graph.patch(f"/v1.0/groups/{group}", {"members@odata.bind": [refer(ada), refer(grace)]}).status_code == 204
    assert member_ids(graph, group) == {ada, grace}
    assert graph.patch(f"/v1.0/groups/{group}", {"members@odata.bind": [refer(ada)] * 21}).status_code == 400


def test_a_group_is_made_with_at_most_twenty_relationships(graph: Graph) -> None:
    people = [user["id"] for user in graph.body("/v1.0/users")["value"]]
    owner = {"owners@odata.bind": [refer(people[0])]}

    identifier = create(graph, **{"members@odata.bind": [refer(person) for person in people[:5]]}, **owner)
    assert len(member_ids(graph, identifier)) == 5
    assert [user["id"] for user in graph.body(f"/v1.0/groups/{identifier}/owners")["value"]] == [people[0]]
    too_many = security_group("Many", **{"members@odata.bind": [refer(people[0])] * 20}, **owner)
    assert graph.post("/v1.0/groups", too_many).status_code == 400


def test_deleting_a_member_without_ref_deletes_the_user(graph: Graph) -> None:
    group, ada = graph.group_id("SG-Onboarding-Wave-7"), graph.user_id("ada")

    assert graph.delete(f"/v1.0/groups/{group}/members/{ada}").status_code == 204

    assert graph.get(f"/v1.0/users/{ada}").status_code == 404


def test_a_dynamic_group_follows_its_rule_and_has_no_members_of_its_own(graph: Graph) -> None:
    rule = '(device.devicePhysicalIds -any (_ -contains "[ZTDId]"))'
    dynamic = {"groupTypes": ["DynamicMembership"], "membershipRule": rule, "membershipRuleProcessingState": "On"}
    group = create(graph, "Autopilot", **dynamic)

    names = [member["displayName"] for member in graph.body(f"/v1.0/groups/{group}/members")["value"]]

    assert names == ["LAPTOP-ADA"]
    member = {"@odata.id": refer(graph.user_id("ada"))}
    assert graph.post(f"/v1.0/groups/{group}/members/$ref", member).status_code == 400


def test_a_changed_rule_changes_the_members(graph: Graph) -> None:
    group = graph.group_id("SG-Research-Dynamic")

    graph.patch(f"/v1.0/groups/{group}", {"membershipRule": '(user.department -eq "Sales")'})

    upns = [member["userPrincipalName"] for member in graph.body(f"/v1.0/groups/{group}/members")["value"]]
    assert upns == ["alan@contoso.com", "former@contoso.com"]


def test_transitive_members_flatten_nesting_and_can_be_cast_and_counted(graph: Graph) -> None:
    staff = graph.group_id("All staff")
    path = f"/v1.0/groups/{staff}"

    direct = graph.body(f"{path}/members?$select=id")["value"]
    users = graph.body(f"{path}/transitiveMembers/microsoft.graph.user")["value"]
    groups = graph.body(f"{path}/transitiveMembers/microsoft.graph.group")["value"]
    count = graph.get(f"{path}/transitiveMembers/microsoft.graph.user/$count", headers=EVENTUAL)

    assert (len(direct), len(users), len(groups)) == (5, 4, 1)
    assert (count.text, count.headers["content-type"]) == ("4", "text/plain")
    assert graph.get(f"{path}/members/$count").status_code == 400


def test_members_are_paged(make_graph: MakeGraph) -> None:
    graph = make_graph(directory_page_size=2)
    staff = graph.group_id("All staff")

    url: str | None = f"/v1.0/groups/{staff}/members?$select=id"
    sizes = []
    while url:
        page = graph.body(url)
        sizes.append(len(page["value"]))
        url = page.get("@odata.nextLink")

    assert sizes == [2, 2, 1]


def test_membership_is_checked_transitively(graph: Graph) -> None:
    staff, rescue = graph.group_id("All staff"), graph.group_id("SG-Break-Glass")
    path = "/v1.0/users/alan@contoso.com"

    checked = graph.post(f"{path}/checkMemberGroups", {"groupIds": [staff, rescue]}).json()["value"]
    held = graph.post(f"{path}/getMemberGroups", {"securityEnabledOnly": True}).json()["value"]

    assert checked == [staff]
    assert staff in held
    assert graph.post(f"{path}/checkMemberGroups", {"groupIds": [staff] * 21}).status_code == 400
    names = graph.body(f"{path}/transitiveMemberOf/microsoft.graph.group?$select=displayName")["value"]
    assert {"All staff", "SG-Onboarding-Wave-7"} <= {group["displayName"] for group in names}


def test_ids_are_resolved_together_and_unknown_ones_left_out(graph: Graph) -> None:
    ada, staff = graph.user_id("ada"), graph.group_id("All staff")

    def found(**body: Any) -> set[str]:
        return {item["id"] for item in graph.post("/v1.0/directoryObjects/getByIds", body).json()["value"]}

    assert found(ids=[ada, staff, UNKNOWN]) == {ada, staff}
    assert found(ids=[ada, staff], types=["group"]) == {staff}


# deletion


def test_which_deleted_groups_can_be_restored_is_a_switch(make_graph: MakeGraph) -> None:
    for mode, expected in (("microsoft365", 404), ("all", 200)):
        graph = make_graph(soft_delete_groups=mode)
        group = graph.group_id("SG-Onboarding-Wave-7")
        assert graph.delete(f"/v1.0/groups/{group}").status_code == 204

        assert graph.get(f"/v1.0/groups/{group}").status_code == 404
        assert graph.post(f"/v1.0/directory/deletedItems/{group}/restore", None).status_code == expected
        assert graph.get(f"/v1.0/groups/{group}").status_code == expected


def test_a_deleted_microsoft_365_group_waits_to_be_restored_or_purged(graph: Graph) -> None:
    group = graph.group_id("Project Analytical Engine")
    graph.delete(f"/v1.0/groups/{group}")

    listed = graph.body("/v1.0/directory/deletedItems/microsoft.graph.group")["value"]
    assert [item["id"] for item in listed] == [group]
    assert graph.delete(f"/v1.0/directory/deletedItems/{group}").status_code == 204
    assert graph.get(f"/v1.0/directory/deletedItems/{group}").status_code == 404


# lists


def test_names_are_found_and_quotes_are_doubled(graph: Graph) -> None:
    identifier = create(graph, "Ada's group")

    found = graph.body("/v1.0/groups?$filter=displayName eq 'ada''s group'&$select=id")["value"]

    assert found == [{"id": identifier}]


def test_filters_join_and_or_in_and_startswith(graph: Graph) -> None:
    first, second = graph.group_id("SG-Break-Glass"), graph.group_id("SG-Onboarding-Wave-7")

    def names(text: str) -> set[str]:
        return {group["displayName"] for group in graph.body(f"/v1.0/groups?$filter={text}")["value"]}

    assert names(f"id in ('{first}','{second}')") == {"SG-Break-Glass", "SG-Onboarding-Wave-7"}
    assert names(f"id eq '{first}' or displayName eq 'All staff'") == {"SG-Break-Glass", "All staff"}
    assert names("startswith(displayName,'SG-O') and securityEnabled eq true") == {"SG-Onboarding-Wave-7"}
    assert names("groupTypes/any(t:t eq 'Unified')") == {"Project Analytical Engine"}


@pytest.mark.parametrize("form", ["or", "in"])
def test_sixteen_clauses_are_one_too_many(graph: Graph, form: str) -> None:
    def ask(count: int) -> tuple[int, str]:
        if form == "in":
            values = ",".join(f"'{number}'" for number in range(count))
            response = graph.get(f"/v1.0/groups?$filter=id in ({values})")
        else:
            response = graph.get("/v1.0/groups?$filter=" + " or ".join(f"id eq '{number}'" for number in range(count)))
        return (200, "") if response.status_code == 200 else error_code(response)

    assert ask(15) == (200, "")
    assert ask(16) == (400, "Request_UnsupportedQuery")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("$top=1000", "Request_BadRequest"),
        ("$top=0", "Request_BadRequest"),
        ("$filter=nope eq 'x'", "Request_BadRequest"),
        ("$filter=displayName eq", "Request_BadRequest"),
        ("$filter=displayName ne 'x'", "Request_UnsupportedQuery"),
        ("$filter=contains(displayName,'x')", "Request_UnsupportedQuery"),
        ("$filter=displayName eq 'x'&$orderby=displayName", "Request_UnsupportedQuery"),
        ("$count=true", "Request_UnsupportedQuery"),
    ],
)
def test_what_directory_lists_do_not_take(graph: Graph, query: str, code: str) -> None:
    assert error_code(graph.get(f"/v1.0/groups?{query}")) == (400, code)


def test_advanced_queries_work_with_their_header(graph: Graph) -> None:
    page = graph.body(
        "/v1.0/groups?$count=true&$filter=displayName ne 'All staff'&$orderby=displayName desc&$top=1", headers=EVENTUAL
    )

    assert page["@odata.count"] == 6
    assert len(page["value"]) == 1
    assert page["value"][0]["displayName"].startswith("SG-S")


def test_next_links_are_absolute_and_name_the_host_that_was_used(graph: Graph) -> None:
    page = graph.body("/v1.0/groups?$select=id&$top=2&$filter=startswith(displayName,'SG')")

    assert page["@odata.nextLink"].startswith("https://graph.microsoft.com/v1.0/groups?")
    following = graph.body(page["@odata.nextLink"])
    assert not {item["id"] for item in page["value"]} & {item["id"] for item in following["value"]}


# users and devices


def test_a_user_is_found_by_upn_and_answers_the_default_properties(graph: Graph) -> None:
    user = graph.body("/v1.0/users/ADA@contoso.com")

    assert user["userPrincipalName"] == "ada@contoso.com"
    assert "accountEnabled" not in user
    selected = graph.body("/v1.0/users/former@contoso.com?$select=id,accountEnabled,userType")
    assert (selected["accountEnabled"], selected["userType"]) == (False, "Member")


def test_a_device_has_two_ids(graph: Graph) -> None:
    (device,) = graph.body("/v1.0/devices?$filter=displayName eq 'LAPTOP-ADA'")["value"]

    assert device["id"] != device["deviceId"]
    assert graph.body(f"/v1.0/devices(deviceId='{device['deviceId']}')")["id"] == device["id"]
    assert graph.body(f"/v1.0/devices/{device['id']}")["trustType"] == "AzureAd"
    assert graph.get(f"/v1.0/devices/{device['deviceId']}").status_code == 404
    managed = graph.body(f"/v1.0/deviceManagement/managedDevices?$filter=azureADDeviceId eq '{device['deviceId']}'")
    assert "joinType" not in managed["value"][0]
