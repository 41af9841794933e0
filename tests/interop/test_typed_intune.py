"""The Intune half through typed models: settings catalog (beta alone), custom profiles, filters, scope tags, audit."""

from __future__ import annotations

from typing import Any

import pytest

from tests.interop.conftest import Run
from tests.interop.test_typed_entra import query
from tests.interop.typed_clients import TypedClient

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the SDKs' own

AREA = "device_vendor_msft_policy_config_"
WEB_SIGN_IN = f"{AREA}authentication_enablewebsignin"
ALLOWED_URLS = f"{AREA}authentication_configurewebsigninallowedurls"
OMA_ROOT = "./Device/Vendor/MSFT/Policy/Config/Authentication"


def choice(client: TypedClient, definition: str, option: int) -> Any:
    value = client.model("DeviceManagementConfigurationChoiceSettingValue", children=[])
    value.value = f"{definition}_{option}"
    instance = client.model("DeviceManagementConfigurationChoiceSettingInstance", setting_definition_id=definition)
    instance.choice_setting_value = value
    return client.model("DeviceManagementConfigurationSetting", setting_instance=instance)


def collection(client: TypedClient, definition: str, *texts: str) -> Any:
    values = [client.model("DeviceManagementConfigurationStringSettingValue", value=text) for text in texts]
    instance = client.model(
        "DeviceManagementConfigurationSimpleSettingCollectionInstance",
        setting_definition_id=definition,
        simple_setting_collection_value=values,
    )
    return client.model("DeviceManagementConfigurationSetting", setting_instance=instance)


def new_policy(client: TypedClient, *settings: Any) -> Any:
    return client.model(
        "DeviceManagementConfigurationPolicy",
        name="WIN - Typed",
        description="Made by a typed client",
        platforms=client.option("DeviceManagementConfigurationPlatforms", "Windows10"),
        technologies=client.option("DeviceManagementConfigurationTechnologies", "Mdm"),
        settings=list(settings),
    )


def with_filter(client: TypedClient, target: Any, filter_id: str) -> Any:
    target.device_and_app_management_assignment_filter_id = filter_id
    target.device_and_app_management_assignment_filter_type = client.option(
        "DeviceAndAppManagementAssignmentFilterType", "Include"
    )
    return target


def group_id(client: TypedClient, run: Run, name: str) -> str:
    options = query(client, "groups", filter=f"displayName eq '{name}'")
    (found,) = run(client.graph.groups.get(request_configuration=options)).value
    return str(found.id)


def test_a_settings_catalog_policy_is_made_read_renamed_and_deleted(beta: TypedClient, run: Run) -> None:
    policies = beta.graph.device_management.configuration_policies
    settings = [choice(beta, WEB_SIGN_IN, 1), collection(beta, ALLOWED_URLS, "idp.example.com", "x.example.com")]

    made = run(policies.post(new_policy(beta, *settings)))
    one = policies.by_device_management_configuration_policy_id(made.id)

    first, second = [item.setting_instance for item in run(one.settings.get()).value]
    assert (first.setting_definition_id, first.choice_setting_value.value) == (WEB_SIGN_IN, f"{WEB_SIGN_IN}_1")
    assert [item.value for item in second.simple_setting_collection_value] == ["idp.example.com", "x.example.com"]
    policy = run(one.get())
    assert (policy.name, policy.setting_count, policy.role_scope_tag_ids) == ("WIN - Typed", 2, ["0"])
    assert (policy.template_reference.template_id, policy.created_date_time.tzinfo is not None) == ("", True)
    run(one.patch(beta.model("DeviceManagementConfigurationPolicy", name="WIN - Renamed")))
    assert run(one.get()).name == "WIN - Renamed"
    run(one.delete())
    with pytest.raises(beta.error) as raised:
        run(one.get())
    assert raised.value.response_status_code == 404


def test_settings_cannot_be_patched(beta: TypedClient, run: Run) -> None:
    policies = beta.graph.device_management.configuration_policies
    made = run(policies.post(new_policy(beta, choice(beta, WEB_SIGN_IN, 1))))
    body = beta.model("DeviceManagementConfigurationPolicy", settings=[choice(beta, WEB_SIGN_IN, 2)])

    with pytest.raises(beta.error) as raised:
        run(policies.by_device_management_configuration_policy_id(made.id).patch(body))

    assert (raised.value.response_status_code, raised.value.error.code) == (400, "ModelValidationFailure")


def test_a_settings_catalog_policy_is_assigned_with_a_filter(beta: TypedClient, run: Run) -> None:
    policies = beta.graph.device_management.configuration_policies
    made = run(policies.post(new_policy(beta, choice(beta, WEB_SIGN_IN, 1))))
    one = policies.by_device_management_configuration_policy_id(made.id)
    filters = run(beta.graph.device_management.assignment_filters.get()).value
    pilots, wave = group_id(beta, run, "SG-Autopilot-Pilot-Devices"), group_id(beta, run, "SG-Onboarding-Wave-7")
    targets = [
        with_filter(beta, beta.model("AllDevicesAssignmentTarget"), filters[0].id),
        beta.model("GroupAssignmentTarget", group_id=pilots),
        beta.model("ExclusionGroupAssignmentTarget", group_id=wave),
    ]
    module = "device_management.configuration_policies.item.assign.assign_post_request_body"
    body = beta.type(module, "AssignPostRequestBody")()
    body.assignments = [beta.model("DeviceManagementConfigurationPolicyAssignment", target=item) for item in targets]

    answered = run(one.assign.post(body)).value

    listed = run(one.assignments.get()).value
    assert [item.id for item in answered] == [item.id for item in listed]
    shown = {type(item.target).__name__: item for item in listed}
    assert set(shown) == {"AllDevicesAssignmentTarget", "GroupAssignmentTarget", "ExclusionGroupAssignmentTarget"}
    everything = shown["AllDevicesAssignmentTarget"].target
    assert everything.device_and_app_management_assignment_filter_id == filters[0].id
    assert everything.device_and_app_management_assignment_filter_type.value == "include"
    assert shown["GroupAssignmentTarget"].target.group_id == pilots
    assert {item.source.value for item in listed} == {"direct"}


def test_policies_are_listed_with_what_is_expanded(beta: TypedClient, run: Run) -> None:
    module = "device_management.configuration_policies.configuration_policies_request_builder"
    builder = beta.type(module, "ConfigurationPoliciesRequestBuilder")
    options = builder.ConfigurationPoliciesRequestBuilderGetQueryParameters(
        expand=["assignments", "settings"], filter="platforms eq 'windows10'", top=50
    )
    policies = beta.graph.device_management.configuration_policies
    configuration = beta.type(module, "RequestConfiguration")(query_parameters=options)

    found = {item.name: item for item in run(policies.get(request_configuration=configuration)).value}

    assert {"Win - BitLocker", "Win - Passwordless", "Win - Windows Update"} <= set(found)
    assert "macOS - FileVault" not in found
    passwordless, bitlocker = found["Win - Passwordless"], found["Win - BitLocker"]
    children = [
        child.simple_setting_value.value
        for setting in passwordless.settings
        for child in setting.setting_instance.choice_setting_value.children
    ]
    assert children == ["{D6886603-9D2F-4EB2-B667-1971041FA96B}"]
    assert [type(item.target).__name__ for item in bitlocker.assignments] == ["GroupAssignmentTarget"]


def test_a_setting_definition_is_a_typed_model(beta: TypedClient, run: Run) -> None:
    definitions = beta.graph.device_management.configuration_settings

    found = run(definitions.by_device_management_configuration_setting_definition_id(WEB_SIGN_IN).get())

    assert type(found).__name__ == "DeviceManagementConfigurationChoiceSettingDefinition"
    assert [option.item_id for option in found.options] == [f"{WEB_SIGN_IN}_{number}" for number in range(3)]
    assert (found.base_uri, found.applicability.minimum_supported_version) == (
        "./Device/Vendor/MSFT/Policy",
        "10.0.17763",
    )


def test_filters_and_scope_tags_are_typed_models(beta: TypedClient, run: Run) -> None:
    filters = run(beta.graph.device_management.assignment_filters.get()).value
    tags = run(beta.graph.device_management.role_scope_tags.get()).value

    assert {item.display_name for item in filters} == {"Entra joined Windows 11", "Corporate devices"}
    assert {item.platform.value for item in filters} == {"windows10AndLater"}
    assert {(item.id, item.display_name, item.is_built_in) for item in tags} == {
        ("0", "Default", True),
        ("1", "Pilot", False),
    }


def new_custom_profile(client: TypedClient) -> Any:
    enabled = client.model("OmaSettingInteger", display_name="On", oma_uri=f"{OMA_ROOT}/EnableWebSignIn", value=1)
    hosts = client.model(
        "OmaSettingString",
        display_name="Hosts",
        oma_uri=f"{OMA_ROOT}/ConfigureWebSignInAllowedUrls",
        value="idp.example.com",
    )
    profile = client.model("Windows10CustomConfiguration", display_name="WIN - Custom", oma_settings=[enabled, hosts])
    # v1.0 does not say that the profile's type must be sent; the service asks for it.
    profile.odata_type = "#microsoft.graph.windows10CustomConfiguration"
    return profile


def test_a_custom_profile_is_made_read_changed_and_deleted(client: TypedClient, run: Run) -> None:
    profiles = client.graph.device_management.device_configurations

    made = run(profiles.post(new_custom_profile(client)))
    one = profiles.by_device_configuration_id(made.id)

    read = run(one.get())
    assert type(read).__name__ == "Windows10CustomConfiguration"
    number, text = read.oma_settings
    assert (type(number).__name__, number.value) == ("OmaSettingInteger", 1)
    assert (type(text).__name__, text.value) == ("OmaSettingString", "****")
    renamed = client.model("Windows10CustomConfiguration", display_name="WIN - Renamed")
    renamed.odata_type = "#microsoft.graph.windows10CustomConfiguration"
    run(one.patch(renamed))
    assert (run(one.get()).display_name, run(one.get()).version) == ("WIN - Renamed", 2)
    run(one.delete())
    assert made.id not in [item.id for item in run(profiles.get()).value]


def test_the_plain_text_of_an_encrypted_setting_is_read(beta: TypedClient, run: Run) -> None:
    profiles = beta.graph.device_management.device_configurations
    made = run(profiles.post(new_custom_profile(beta)))
    one = profiles.by_device_configuration_id(made.id)
    secret = run(one.get()).oma_settings[1].secret_reference_value_id

    plain = run(one.get_oma_setting_plain_text_value_with_secret_reference_value_id(secret).get())

    assert plain.value == "idp.example.com"


def test_a_custom_profile_is_assigned(client: TypedClient, run: Run) -> None:
    profiles = client.graph.device_management.device_configurations
    made = run(profiles.post(new_custom_profile(client)))
    one = profiles.by_device_configuration_id(made.id)
    pilots = group_id(client, run, "SG-Autopilot-Pilot-Devices")
    module = "device_management.device_configurations.item.assign.assign_post_request_body"
    body = client.type(module, "AssignPostRequestBody")()
    body.assignments = [
        client.model("DeviceConfigurationAssignment", target=client.model("GroupAssignmentTarget", group_id=pilots))
    ]

    run(one.assign.post(body))

    (assignment,) = run(one.assignments.get()).value
    assert (type(assignment.target).__name__, assignment.target.group_id) == ("GroupAssignmentTarget", pilots)


def test_managed_devices_are_typed_models(client: TypedClient, run: Run) -> None:
    devices = run(client.graph.device_management.managed_devices.get()).value

    laptop = next(item for item in devices if item.device_name == "LAPTOP-ADA")
    assert (laptop.operating_system, laptop.os_version) == ("Windows", "10.0.22631.4317")
    assert laptop.compliance_state.value == "compliant"


def test_the_intune_log_tells_of_every_change(client: TypedClient, run: Run) -> None:
    made = run(client.graph.device_management.device_configurations.post(new_custom_profile(client)))

    events = run(client.graph.device_management.audit_events.get()).value

    event = next(item for item in events if item.resources[0].resource_id == made.id)
    assert (event.activity_type, event.activity_operation_type) == ("Create DeviceConfiguration", "Create")
    assert event.actor.application_display_name == "tapctl"
    assert event.correlation_id is not None
