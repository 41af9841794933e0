"""Settings catalog policies, their settings and assignments."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.support import (
    POLICIES,
    PREFIX,
    TYPES,
    Graph,
    MakeGraph,
    catalog_policy,
    choice,
    error_code,
    text,
)

ALL_USERS = "acacacac-9df4-4c7d-9d50-4ef0226f57a9"
ALL_DEVICES = "adadadad-808e-44e2-905a-0b7873a8a531"
UNKNOWN = "00000000-0000-0000-0000-00000000dead"
PROVIDER = "admx_credentialproviders_defaultcredentialprovider"


def create(graph: Graph, *settings: dict[str, Any], **more: Any) -> str:
    created = graph.post(POLICIES, catalog_policy("WIN - Web sign-in", *settings, **more))
    assert created.status_code == 201, created.text
    return str(created.json()["id"])


def put_body(graph: Graph, policy: str, *settings: dict[str, Any]) -> dict[str, Any]:
    """What clients put: the policy as it is read, with other settings."""
    shown = graph.body(f"{POLICIES}/{policy}")
    kept = ("name", "description", "platforms", "technologies", "roleScopeTagIds", "templateReference")
    return {**{name: shown[name] for name in kept}, "settings": list(settings)}


def definition_ids(graph: Graph, policy: str) -> list[str]:
    settings = graph.body(f"{POLICIES}/{policy}/settings")["value"]
    return [setting["settingInstance"]["settingDefinitionId"].removeprefix(PREFIX) for setting in settings]


def target(kind: str, **more: Any) -> dict[str, Any]:
    return {"target": {"@odata.type": f"#microsoft.graph.{kind}AssignmentTarget", **more}}


def filter_id(graph: Graph) -> str:
    return str(graph.body("/beta/deviceManagement/assignmentFilters")["value"][0]["id"])


def test_a_created_policy_reads_back_with_the_fields_of_real_exports(graph: Graph) -> None:
    policy = graph.body(f"{POLICIES}('{create(graph, choice('enablewebsignin', 1))}')")

    assert set(policy) == {
        "@odata.context",
        "createdDateTime",
        "creationSource",
        "description",
        "id",
        "lastModifiedDateTime",
        "name",
        "platforms",
        "priorityMetaData",
        "roleScopeTagIds",
        "settingCount",
        "technologies",
        "templateReference",
    }
    assert (policy["settingCount"], policy["description"], policy["roleScopeTagIds"]) == (1, "", ["0"])
    assert policy["templateReference"]["templateFamily"] == "none"
    assert policy["@odata.context"].endswith("configurationPolicies/$entity")
    assert policy["createdDateTime"] == "2026-11-22T07:30:00.0000000Z"


def test_two_policies_may_share_a_name(graph: Graph) -> None:
    assert create(graph) != create(graph)


def test_it_lives_in_beta_alone(graph: Graph) -> None:
    response = graph.get("/v1.0/deviceManagement/configurationPolicies")

    assert error_code(response) == (400, "BadRequest")
    assert "segment 'configurationPolicies'" in response.text


def test_setting_ids_are_positions(graph: Graph) -> None:
    policy = create(graph, {**choice("enablewebsignin", 1), "id": "7"}, choice("allowaadpasswordreset", 0))

    settings = graph.body(f"{POLICIES}/{policy}/settings")["value"]

    assert [setting["id"] for setting in settings] == ["0", "1"]


def test_settings_come_in_pages_of_25_unless_asked_otherwise(graph: Graph) -> None:
    policy = create(graph, *(choice(f"experience_unknown{number}", 1) for number in range(60)))

    first = graph.body(f"{POLICIES}/{policy}/settings")
    second = graph.body(first["@odata.nextLink"])

    assert (len(first["value"]), len(second["value"])) == (25, 25)
    assert len(graph.body(f"{POLICIES}/{policy}/settings?top=1000")["value"]) == 60
    assert len(graph.body(f"{POLICIES}('{policy}')?$expand=settings")["settings"]) == 60


def test_settings_are_expanded_with_their_definitions(graph: Graph) -> None:
    child = text(f"{PROVIDER}_defaultcredentialprovider_message", "{D6886603-9D2F-4EB2-B667-1971041FA96B}")
    policy = create(graph, choice(PROVIDER, 1, child))

    (setting,) = graph.body(f"{POLICIES}/{policy}/settings?$expand=settingDefinitions&$top=1000")["value"]

    assert [definition["name"] for definition in setting["settingDefinitions"]] == [
        "DefaultCredentialProvider",
        "DefaultCredentialProvider_Message",
    ]


def test_put_replaces_the_settings_and_keeps_the_assignments(graph: Graph) -> None:
    policy = create(graph, choice("enablewebsignin", 1), choice("allowaadpasswordreset", 1))
    graph.post(f"{POLICIES}/{policy}/assign", {"assignments": [target("allDevices")]})

    replaced = graph.put(f"{POLICIES}('{policy}')", put_body(graph, policy, choice("enablewebsignin", 2)))

    assert (replaced.status_code, replaced.text) == (204, "")
    assert definition_ids(graph, policy) == ["authentication_enablewebsignin"]
    assert len(graph.body(f"{POLICIES}/{policy}/assignments")["value"]) == 1


def test_patch_changes_metadata_and_refuses_settings(graph: Graph) -> None:
    policy = create(graph, choice("enablewebsignin", 1))

    changed = graph.patch(f"{POLICIES}/{policy}", {"name": "Renamed"})
    refused = graph.patch(f"{POLICIES}/{policy}", {"settings": []})

    assert (changed.status_code, changed.json()["name"]) == (200, "Renamed")
    assert error_code(refused) == (400, "ModelValidationFailure")
    assert refused.json()["error"]["message"].startswith("Cannot apply PATCH to navigation property 'settings'")
    assert definition_ids(graph, policy) == ["authentication_enablewebsignin"]


def test_a_single_setting_cannot_be_patched(graph: Graph) -> None:
    policy = create(graph, choice("enablewebsignin", 1))

    response = graph.patch(f"{POLICIES}/{policy}/settings/0", choice("enablewebsignin", 2))

    assert error_code(response) == (400, "No method match route template")


def test_a_description_has_at_most_1000_characters(graph: Graph) -> None:
    policy = create(graph, description="x" * 1000)

    refused = graph.patch(f"{POLICIES}/{policy}", {"description": "x" * 1001})

    assert refused.status_code == 400
    assert "maximum length of 1000" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": None},
        {"platforms": "windows11"},
        {"technologies": None, "displayName": "x"},
        {"roleScopeTagIds": ["7"]},
        {"roleScopeTagIds": "0"},
        {"assignments": [target("allDevices")]},
        {"settings": {}},
    ],
)
def test_impossible_policies_are_refused(graph: Graph, changes: dict[str, Any]) -> None:
    assert graph.post(POLICIES, {**catalog_policy("Odd"), **changes}).status_code == 400


def malformed_settings() -> dict[str, dict[str, Any]]:
    web_sign_in = choice("enablewebsignin", 1)["settingInstance"]
    value = web_sign_in["choiceSettingValue"]
    urls = f"{PREFIX}authentication_configurewebsigninallowedurls"
    collection = {"@odata.type": f"{TYPES}SimpleSettingCollectionInstance", "settingDefinitionId": urls}
    return {
        "no instance": {},
        "no definition": {**web_sign_in, "settingDefinitionId": ""},
        "no type": {key: item for key, item in web_sign_in.items() if key != "@odata.type"},
        "unknown definition of a known area": choice("enablewebsignon", 1)["settingInstance"],
        "unknown option": {**web_sign_in, "choiceSettingValue": {**value, "value": f"{PREFIX}nonsense_1"}},
        "no children": {**web_sign_in, "choiceSettingValue": {"value": value["value"]}},
        "a choice sent as text": text("authentication_enablewebsignin", "1"),
        "text without type": {
            **text("authentication_preferredaadtenantdomainname", "x"),
            "simpleSettingValue": {"value": "x"},
        },
        "a number for a text": text("authentication_preferredaadtenantdomainname", 1, "Integer"),
        "a list sent as text": text("authentication_configurewebsigninallowedurls", "a;b"),
        "a list without list": collection,
        "a missing child": choice(PROVIDER, 1)["settingInstance"],
        "a child too many": choice(PROVIDER, 0, text(f"{PROVIDER}_defaultcredentialprovider_message", "x"))[
            "settingInstance"
        ],
    }


@pytest.mark.parametrize("name", malformed_settings())
def test_malformed_settings_are_refused(graph: Graph, name: str) -> None:
    instance = malformed_settings()[name]

    assert graph.post(POLICIES, catalog_policy("Odd", {"settingInstance": instance})).status_code == 400


def test_lists_may_be_collections_or_strings(make_graph: MakeGraph) -> None:
    identifier = f"{PREFIX}authentication_configurewebsigninallowedurls"
    as_text = {"settingInstance": text("authentication_configurewebsigninallowedurls", "a.example;b.example")}
    types = {}
    for mode in ("collection", "string"):
        graph = make_graph(list_settings=mode)
        definition = graph.body(f"/beta/deviceManagement/configurationSettings/{identifier}")
        accepted = graph.post(POLICIES, catalog_policy("Text", as_text)).status_code
        types[mode] = (definition["@odata.type"].removeprefix(TYPES), accepted)

    assert types == {
        "collection": ("SimpleSettingCollectionDefinition", 400),
        "string": ("SimpleSettingDefinition", 201),
    }


def test_a_definition_looks_like_the_real_one(graph: Graph) -> None:
    definition = graph.body(f"/beta/deviceManagement/configurationSettings/{PREFIX}authentication_enablewebsignin")

    assert definition["@odata.type"] == f"{TYPES}ChoiceSettingDefinition"
    assert definition["offsetUri"] == "/Config/Authentication/EnableWebSignIn"
    assert [option["optionValue"]["value"] for option in definition["options"]] == [0, 1, 2]
    assert definition["applicability"]["minimumSupportedVersion"] == "10.0.17763"


def test_a_secret_is_replaced_by_a_token_that_may_be_sent_back(graph: Graph) -> None:
    secret = {"settingInstance": text("networkproxy_other", "hunter2", "Secret")}
    policy = create(graph, secret)

    (setting,) = graph.body(f"{POLICIES}/{policy}/settings")["value"]
    value = setting["settingInstance"]["simpleSettingValue"]

    assert value["valueState"] == "encryptedValueToken"
    assert value["value"] != "hunter2"
    assert graph.put(f"{POLICIES}/{policy}", put_body(graph, policy, setting)).status_code == 204
    value["value"] = UNKNOWN
    assert graph.put(f"{POLICIES}/{policy}", put_body(graph, policy, setting)).status_code == 400


# lists


def test_the_list_filters_sorts_selects_and_expands(graph: Graph) -> None:
    def names(query: str) -> list[str]:
        return [policy["name"] for policy in graph.body(f"{POLICIES}?{query}")["value"]]

    assert names("$filter=templateReference/templateFamily eq 'endpointSecurityAntivirus'") == ["Defender Antivirus"]
    assert names("$filter=contains(name,'bit') and platforms eq 'windows10'") == ["Win - BitLocker"]
    assert names("$filter=technologies eq 'mdm,appleRemoteManagement'") == ["macOS - FileVault"]
    (policy,) = graph.body(f"{POLICIES}?$filter=name eq 'Win - BitLocker'&$expand=assignments,settings")["value"]
    assert (len(policy["assignments"]), len(policy["settings"])) == (1, 2)
    selected = graph.body(f"{POLICIES}?$select=id,name&$expand=assignments&$orderby=name desc&top=1")["value"]
    assert {"id", "name", "assignments"} <= set(selected[0])
    assert "settingCount" not in selected[0]


def test_the_list_is_paged_with_opaque_links(make_graph: MakeGraph) -> None:
    graph = make_graph(intune_page_size=4)

    url: str | None = f"{POLICIES}?$filter=platforms eq 'windows10'"
    names: list[str] = []
    while url:
        page = graph.body(url)
        names += [policy["name"] for policy in page["value"]]
        url = page.get("@odata.nextLink")

    assert len(names) == len(set(names)) == 5


def test_a_top_above_the_maximum_is_capped_or_refused(make_graph: MakeGraph) -> None:
    capped = make_graph(intune_top_maximum=2)
    strict = make_graph(intune_top_maximum=2, top_over_maximum="refuse")

    assert len(capped.body(f"{POLICIES}?$top=3")["value"]) == 2
    assert strict.get(f"{POLICIES}?$top=3").status_code == 400


# assignments


def test_assign_replaces_everything_and_answers_the_list(graph: Graph) -> None:
    policy, wave = create(graph), graph.group_id("SG-Onboarding-Wave-7")
    chosen = {
        "deviceAndAppManagementAssignmentFilterId": filter_id(graph),
        "deviceAndAppManagementAssignmentFilterType": "include",
    }

    graph.post(f"{POLICIES}/{policy}/assign", {"assignments": [target("exclusionGroup", groupId=wave)]})
    answer = graph.post(
        f"{POLICIES}/{policy}/assign",
        {"assignments": [target("allLicensedUsers"), target("allDevices", **chosen), target("group", groupId=wave)]},
    )

    assert answer.status_code == 200
    read = graph.body(f"{POLICIES}/{policy}/assignments")["value"]
    assert read == answer.json()["value"]
    assert [entry["id"].partition("_")[2] for entry in read] == [ALL_USERS, ALL_DEVICES, wave]
    assert {(entry["source"], entry["sourceId"]) for entry in read} == {("direct", policy)}
    assert [entry["target"]["deviceAndAppManagementAssignmentFilterType"] for entry in read] == [
        "none",
        "include",
        "none",
    ]
    assert read[0]["target"]["deviceAndAppManagementAssignmentFilterId"] is None
    assert graph.post(f"{POLICIES}/{policy}/assign", {"assignments": []}).json()["value"] == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"assignments": None},
        {"assignments": [{}]},
        {"assignments": [target("group")]},
        {"assignments": [target("group", groupId="SG-Break-Glass")]},
        {"assignments": [target("allDevices", groupId=UNKNOWN)]},
        {"assignments": [target("allDevices"), target("allDevices")]},
        {"assignments": [{"target": {"@odata.type": "allDevicesAssignmentTarget2"}}]},
        {"assignments": [target("allDevices", deviceAndAppManagementAssignmentFilterType="include")]},
        {
            "assignments": [
                target(
                    "allDevices",
                    deviceAndAppManagementAssignmentFilterId=UNKNOWN,
                    deviceAndAppManagementAssignmentFilterType="include",
                )
            ]
        },
    ],
)
def test_impossible_assignments_are_refused_and_the_old_ones_stay(graph: Graph, body: dict[str, Any]) -> None:
    policy = create(graph)
    graph.post(f"{POLICIES}/{policy}/assign", {"assignments": [target("allLicensedUsers")]})

    assert graph.post(f"{POLICIES}/{policy}/assign", body).status_code == 400

    assert len(graph.body(f"{POLICIES}/{policy}/assignments")["value"]) == 1


@pytest.mark.parametrize(
    ("switch", "value", "expected"),
    [
        ("unknown_assignment_groups", "store", 200),
        ("unknown_assignment_groups", "refuse", 400),
        ("assign_status", 204, 204),
    ],
)
def test_what_assign_answers_is_a_switch(make_graph: MakeGraph, switch: str, value: object, expected: int) -> None:
    graph = make_graph(**{switch: value})

    body = {"assignments": [target("group", groupId=UNKNOWN)]}
    assert graph.post(f"{POLICIES}/{create(graph)}/assign", body).status_code == expected


def test_contradictions_and_filtered_exclusions_are_switches(make_graph: MakeGraph) -> None:
    strict = make_graph(contradicting_assignments="refuse")
    lenient = make_graph(filter_on_exclusion="store")
    statuses = []
    for graph in (strict, lenient):
        wave = graph.group_id("SG-Onboarding-Wave-7")
        both = [target("group", groupId=wave), target("exclusionGroup", groupId=wave)]
        filtered = target(
            "exclusionGroup",
            groupId=wave,
            deviceAndAppManagementAssignmentFilterId=filter_id(graph),
            deviceAndAppManagementAssignmentFilterType="exclude",
        )
        path = f"{POLICIES}/{create(graph)}/assign"
        statuses += [graph.post(path, {"assignments": each}).status_code for each in (both, [filtered])]

    assert statuses == [400, 400, 200, 200]


def test_a_deleted_group_stays_assigned(graph: Graph) -> None:
    policy, wave = create(graph), graph.group_id("SG-Onboarding-Wave-7")
    graph.post(f"{POLICIES}/{policy}/assign", {"assignments": [target("group", groupId=wave)]})

    graph.delete(f"/v1.0/groups/{wave}")

    assert graph.body(f"{POLICIES}/{policy}/assignments")["value"][0]["target"]["groupId"] == wave


# switches


def test_reads_may_look_different(make_graph: MakeGraph) -> None:
    graph = make_graph(
        null_descriptions=True, extra_keys=True, zero_guid_filters=True, expand_settings_limit=1, settings_page_size=1
    )
    policy = create(graph, choice("enablewebsignin", 1), choice("allowaadpasswordreset", 1))
    graph.post(f"{POLICIES}/{policy}/assign", {"assignments": [target("allDevices")]})

    shown = graph.body(f"{POLICIES}/{policy}?$expand=settings,assignments")

    assert shown["description"] is None
    assert "isAssigned" in shown
    assert len(shown["settings"]) == 1
    assert "auditRuleInformation" in shown["settings"][0]["settingInstance"]
    zero = "00000000-0000-0000-0000-000000000000"
    assert shown["assignments"][0]["target"]["deviceAndAppManagementAssignmentFilterId"] == zero
    assert len(graph.body(f"{POLICIES}/{policy}/settings")["value"]) == 1


def test_writes_may_behave_differently(make_graph: MakeGraph) -> None:
    graph = make_graph(
        put_keeps_assignments=False,
        put_without_scope_tags="keep",
        profile_type_changes="store",
        duplicate_settings="store",
        delete_status=200,
        unknown_scope_tags="store",
    )
    policy = create(graph, roleScopeTagIds=["1", "7"])
    graph.post(f"{POLICIES}/{policy}/assign", {"assignments": [target("allDevices")]})
    body = put_body(graph, policy, choice("enablewebsignin", 1), choice("enablewebsignin", 2))
    del body["roleScopeTagIds"]

    assert graph.put(f"{POLICIES}/{policy}", {**body, "platforms": "macOS"}).status_code == 204

    shown = graph.body(f"{POLICIES}/{policy}?$expand=assignments")
    assert (shown["platforms"], shown["roleScopeTagIds"], shown["assignments"]) == ("macOS", ["1", "7"], [])
    assert shown["settingCount"] == 2
    assert graph.delete(f"{POLICIES}/{policy}").status_code == 200


def test_by_default_those_writes_are_strict(graph: Graph) -> None:
    policy = create(graph, roleScopeTagIds=["1"])
    body = put_body(graph, policy)
    path = f"{POLICIES}/{policy}"

    assert graph.put(path, {**body, "platforms": "macOS"}).status_code == 400
    assert graph.put(path, {**body, "templateReference": {"templateId": "x_1"}}).status_code == 400
    assert graph.put(path, {**body, "settings": [choice("enablewebsignin", 1)] * 2}).status_code == 400
    del body["roleScopeTagIds"]
    assert graph.put(path, {**body, "creationSource": None}).status_code == 204
    assert graph.body(path)["roleScopeTagIds"] == ["0"]
    assert graph.delete(path).status_code == 204
    assert error_code(graph.get(path)) == (404, "ResourceNotFound")


def test_the_observed_export_is_seeded_in_its_shape(graph: Graph) -> None:
    (policy,) = graph.body(f"{POLICIES}?$filter=name eq 'Win - Passwordless'&$expand=settings")["value"]

    first, *others = (setting["settingInstance"] for setting in policy["settings"])
    (child,) = first["choiceSettingValue"]["children"]
    assert child["simpleSettingValue"]["value"] == "{D6886603-9D2F-4EB2-B667-1971041FA96B}"
    assert all(setting["choiceSettingValue"]["children"] == [] for setting in others)


def _annotated() -> dict[str, Any]:
    """A setting as clients send it that were generated from the model: with hints of types and links."""
    setting = choice(PROVIDER, 1, text(f"{PROVIDER}_defaultcredentialprovider_message", "{X}"))
    instance = setting["settingInstance"]
    instance["choiceSettingValue"] |= {
        "@odata.type": f"{TYPES}ChoiceSettingValue",
        "children@odata.type": f"#Collection({TYPES}SettingInstance)",
        "children@odata.context": "https://graph.microsoft.com/beta/$metadata#children",
    }
    instance["choiceSettingValue"]["children"][0]["simpleSettingValue@odata.navigationLink"] = "https://x"
    instance["settingDefinitionId@odata.type"] = "#String"
    return {**setting, "settingDefinitions@odata.navigationLink": "https://x"}


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_annotations_of_what_is_sent_are_not_kept(graph: Graph, method: str) -> None:
    policy = create(graph, *([_annotated()] if method == "POST" else []))
    if method == "PUT":
        assert graph.put(f"{POLICIES}/{policy}", put_body(graph, policy, _annotated())).status_code == 204

    (setting,) = graph.body(f"{POLICIES}/{policy}/settings")["value"]

    plain = choice(PROVIDER, 1, text(f"{PROVIDER}_defaultcredentialprovider_message", "{X}"))["settingInstance"]
    plain["choiceSettingValue"]["@odata.type"] = f"{TYPES}ChoiceSettingValue"
    assert setting == {"id": "0", "settingInstance": plain}


@pytest.mark.parametrize(("needs", "status"), [(False, 204), (True, 400)])
def test_a_creation_source_may_have_to_be_put_as_it_is(make_graph: MakeGraph, needs: bool, status: int) -> None:
    graph = make_graph(put_needs_creation_source=needs)
    policy = create(graph, creationSource="Imported")
    body = put_body(graph, policy, choice("enablewebsignin", 1))

    assert graph.put(f"{POLICIES}/{policy}", body).status_code == status
    assert graph.put(f"{POLICIES}/{policy}", {**body, "creationSource": "Other"}).status_code == status
    assert graph.put(f"{POLICIES}/{policy}", {**body, "creationSource": "Imported"}).status_code == 204
    assert graph.body(f"{POLICIES}/{policy}")["creationSource"] == "Imported"


@pytest.mark.parametrize("address", [POLICIES, "/v1.0/groups"])
@pytest.mark.parametrize("size", [1, 2])
def test_pages_may_overlap_in_one_item(make_graph: MakeGraph, address: str, size: int) -> None:
    graph = make_graph(pages_overlap=True)
    whole = [item["id"] for item in graph.body(address)["value"]]

    seen = []
    url: str | None = f"{address}?$top={size}"
    while url:
        page = graph.body(url)
        assert len(page["value"]) <= size
        seen += [item["id"] for item in page["value"]]
        url = page.get("@odata.nextLink")

    assert seen == [*whole[:size], *whole[size - 1 :]]
