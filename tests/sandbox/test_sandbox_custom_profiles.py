"""Custom OMA-URI profiles."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sandbox.support import CUSTOM, Graph, MakeGraph, error_code

TYPE = "#microsoft.graph.windows10CustomConfiguration"
AREA = "./Device/Vendor/MSFT/Policy/Config/Authentication"


def oma(name: str, value: Any, kind: str) -> dict[str, Any]:
    return {
        "@odata.type": f"#microsoft.graph.omaSetting{kind}",
        "displayName": name,
        "omaUri": f"{AREA}/{name}",
        "value": value,
    }


WEB_SIGN_IN = oma("EnableWebSignIn", 1, "Integer")
URLS = oma("ConfigureWebSignInAllowedUrls", "idp.example.com;example.com", "String")


def create(graph: Graph, *settings: dict[str, Any]) -> str:
    body = {"@odata.type": TYPE, "displayName": "Legacy", "omaSettings": list(settings)}
    created = graph.post(CUSTOM, body)
    assert created.status_code == 201, created.text
    return str(created.json()["id"])


def test_text_values_are_masked_and_numbers_are_not(graph: Graph) -> None:
    number, masked = graph.body(f"{CUSTOM}/{create(graph, WEB_SIGN_IN, URLS)}")["omaSettings"]

    assert (number["value"], number["isEncrypted"], number["secretReferenceValueId"]) == (1, False, None)
    assert (masked["value"], masked["isEncrypted"]) == ("****", True)


def test_the_plain_text_is_read_by_its_reference(graph: Graph) -> None:
    profile = create(graph, URLS)
    reference = graph.body(f"{CUSTOM}/{profile}")["omaSettings"][0]["secretReferenceValueId"]

    def read(secret: str) -> Any:
        return graph.get(f"{CUSTOM}/{profile}/getOmaSettingPlainTextValue(secretReferenceValueId='{secret}')")

    assert read(reference).json()["value"] == "idp.example.com;example.com"
    assert read("x").status_code == 404


def test_encryption_may_be_off(make_graph: MakeGraph) -> None:
    graph = make_graph(encrypt_oma_strings=False)

    (setting,) = graph.body(f"{CUSTOM}/{create(graph, URLS)}")["omaSettings"]

    assert (setting["value"], setting["isEncrypted"]) == ("idp.example.com;example.com", False)


def test_a_patch_replaces_the_settings_and_counts_the_version(graph: Graph) -> None:
    profile = create(graph, WEB_SIGN_IN, URLS)

    changed = graph.patch(f"{CUSTOM}/{profile}", {"@odata.type": TYPE, "omaSettings": [WEB_SIGN_IN]})

    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert len(graph.body(f"{CUSTOM}/{profile}")["omaSettings"]) == 1


def test_a_patch_may_answer_204(make_graph: MakeGraph) -> None:
    graph = make_graph(custom_profile_patch_status=204)

    changed = graph.patch(f"{CUSTOM}/{create(graph)}", {"@odata.type": TYPE, "displayName": "Other"})

    assert (changed.status_code, changed.text) == (204, "")


@pytest.mark.parametrize(
    "setting",
    [
        {},
        {**WEB_SIGN_IN, "@odata.type": "#microsoft.graph.omaSettingNumber"},
        {**WEB_SIGN_IN, "value": "1"},
        {**WEB_SIGN_IN, "value": True},
        {**WEB_SIGN_IN, "displayName": ""},
        {**WEB_SIGN_IN, "omaUri": "Vendor"},
        {**URLS, "value": "****"},
        oma("X", 1, "Boolean"),
    ],
)
def test_malformed_settings_are_refused(graph: Graph, setting: dict[str, Any]) -> None:
    body = {"@odata.type": TYPE, "displayName": "Odd", "omaSettings": [setting]}

    assert error_code(graph.post(CUSTOM, body)) == (400, "BadRequest")


def test_one_node_is_set_once(graph: Graph) -> None:
    body = {"@odata.type": TYPE, "displayName": "Odd", "omaSettings": [WEB_SIGN_IN, WEB_SIGN_IN]}

    assert graph.post(CUSTOM, body).status_code == 400


def test_a_patch_needs_the_type(graph: Graph) -> None:
    assert graph.patch(f"{CUSTOM}/{create(graph)}", {"displayName": "x"}).status_code == 400


def test_v1_knows_neither_scope_tags_nor_encryption(graph: Graph) -> None:
    profile = create(graph, URLS)

    shown = graph.body(f"/v1.0/deviceManagement/deviceConfigurations/{profile}")

    assert "roleScopeTagIds" not in shown
    assert "isEncrypted" not in shown["omaSettings"][0]


def test_assignments_are_expanded(graph: Graph) -> None:
    profile = create(graph)
    target = {"@odata.type": "#microsoft.graph.allDevicesAssignmentTarget"}

    assert graph.post(f"{CUSTOM}/{profile}/assign", {"assignments": [{"target": target}]}).status_code == 200

    (assignment,) = graph.body(f"{CUSTOM}/{profile}?$expand=assignments")["assignments"]
    assert assignment["@odata.type"] == "#microsoft.graph.deviceConfigurationAssignment"
    assert assignment["target"]["@odata.type"] == target["@odata.type"]


def test_other_types_are_listed_and_not_created(graph: Graph) -> None:
    types = {item["@odata.type"] for item in graph.body(CUSTOM)["value"]}

    assert types == {"#microsoft.graph.windows10GeneralConfiguration"}
    assert graph.post(CUSTOM, {"@odata.type": types.pop(), "displayName": "x"}).status_code == 400


def test_a_deleted_profile_is_gone(graph: Graph) -> None:
    profile = create(graph)

    assert graph.delete(f"{CUSTOM}/{profile}").status_code == 204
    assert graph.get(f"{CUSTOM}/{profile}").status_code == 404


def test_a_read_only_row_and_a_file_name_are_kept(graph: Graph) -> None:
    probe = {**WEB_SIGN_IN, "isReadOnly": True}
    xml = {**oma("Menu", "PHhtbC8+", "StringXml"), "fileName": "menu.xml"}
    root = {**oma("Root", "AAAA", "Base64"), "fileName": "root.cer"}
    profile = create(graph, probe, xml, root, URLS, oma("EnableFastFirstSignIn", 1, "Integer"))

    shown = graph.body(f"{CUSTOM}/{profile}")["omaSettings"]

    kept = ("isReadOnly", "fileName")
    assert [{name: row[name] for name in kept if name in row} for row in shown] == [
        {"isReadOnly": True},
        {"fileName": "menu.xml"},
        {"fileName": "root.cer"},
        {},
        {"isReadOnly": False},
    ]


def test_v1_knows_file_names_and_no_read_only_rows(graph: Graph) -> None:
    profile = create(graph, {**WEB_SIGN_IN, "isReadOnly": True}, oma("Menu", "PHhtbC8+", "StringXml"))

    number, xml = graph.body(f"/v1.0/deviceManagement/deviceConfigurations/{profile}")["omaSettings"]

    assert "isReadOnly" not in number
    assert xml["fileName"] is None


@pytest.mark.parametrize(
    "setting",
    [
        {**WEB_SIGN_IN, "isReadOnly": "yes"},
        {**URLS, "isReadOnly": True},
        {**URLS, "fileName": "urls.txt"},
        {**oma("Menu", "PHhtbC8+", "StringXml"), "fileName": 1},
        {**WEB_SIGN_IN, "nonsense": 1},
    ],
)
def test_a_row_has_only_the_properties_of_its_type(graph: Graph, setting: dict[str, Any]) -> None:
    body = {"@odata.type": TYPE, "displayName": "Odd", "omaSettings": [setting]}

    assert error_code(graph.post(CUSTOM, body)) == (400, "BadRequest")


def test_rows_may_be_sent_back_as_they_were_read(graph: Graph) -> None:
    profile = create(graph, {**WEB_SIGN_IN, "isReadOnly": True, "value@odata.type": "#Int32"})
    rows = graph.body(f"{CUSTOM}/{profile}")["omaSettings"]

    assert graph.patch(f"{CUSTOM}/{profile}", {"@odata.type": TYPE, "omaSettings": rows}).status_code == 200

    assert graph.body(f"{CUSTOM}/{profile}")["omaSettings"] == rows
