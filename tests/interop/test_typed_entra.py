"""The directory half through typed models: TAP policy, groups, users, devices, passes, audit, errors, batches."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from kiota_abstractions.base_request_configuration import RequestConfiguration
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation

from tests.interop.conftest import Run
from tests.interop.typed_clients import TypedClient
from tests.sandbox.support import TAP_TYPE

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the SDKs' own


def tap_policy(client: TypedClient) -> Any:
    methods = client.graph.policies.authentication_methods_policy.authentication_method_configurations
    return methods.by_authentication_method_configuration_id("temporaryAccessPass")


def query(client: TypedClient, collection: str, **options: Any) -> Any:
    """The configuration of a GET of a collection with query options."""
    owner = "".join(part.title() for part in collection.split("_"))
    builder = client.type(f"{collection}.{collection}_request_builder", f"{owner}RequestBuilder")
    return RequestConfiguration(
        query_parameters=getattr(builder, f"{owner}RequestBuilderGetQueryParameters")(**options)
    )


def named(client: TypedClient, run: Run, collection: str, name: str, value: str) -> Any:
    """The one object of a collection whose property has a value."""
    options = query(client, collection, filter=f"{name} eq '{value}'")
    (found,) = run(getattr(client.graph, collection).get(request_configuration=options)).value
    return found


def test_the_tap_policy_of_a_fresh_tenant_is_a_typed_model(client: TypedClient, run: Run) -> None:
    policy = run(tap_policy(client).get())

    assert type(policy).__name__ == "TemporaryAccessPassAuthenticationMethodConfiguration"
    assert (policy.id, policy.odata_type, policy.state.value) == ("TemporaryAccessPass", TAP_TYPE, "disabled")
    assert (policy.minimum_lifetime_in_minutes, policy.maximum_lifetime_in_minutes) == (60, 480)
    assert (policy.default_lifetime_in_minutes, policy.default_length, policy.is_usable_once) == (60, 8, False)
    assert [(target.id, target.target_type.value) for target in policy.include_targets] == [("all_users", "group")]
    assert policy.exclude_targets == []
    assert not policy.additional_data.keys() - {"@odata.context", "includeTargets@odata.context"}


def test_lifetimes_and_targets_of_the_tap_policy_are_written(client: TypedClient, run: Run) -> None:
    group = named(client, run, "groups", "displayName", "SG-Onboarding-Wave-7")
    rescue = named(client, run, "groups", "displayName", "SG-Break-Glass")
    kind = client.option("AuthenticationMethodTargetType", "Group")
    body = client.model(
        "TemporaryAccessPassAuthenticationMethodConfiguration",
        odata_type=TAP_TYPE,
        state=client.option("AuthenticationMethodState", "Enabled"),
        minimum_lifetime_in_minutes=10,
        default_lifetime_in_minutes=30,
        maximum_lifetime_in_minutes=120,
        include_targets=[client.model("AuthenticationMethodTarget", id=group.id, target_type=kind)],
        exclude_targets=[client.model("ExcludeTarget", id=rescue.id, target_type=kind)],
    )

    run(tap_policy(client).patch(body))

    policy = run(tap_policy(client).get())
    assert (policy.minimum_lifetime_in_minutes, policy.default_lifetime_in_minutes) == (10, 30)
    assert (policy.maximum_lifetime_in_minutes, policy.default_length, policy.state.value) == (120, 8, "enabled")
    assert [target.id for target in policy.include_targets] == [group.id]
    assert [(target.id, target.target_type.value) for target in policy.exclude_targets] == [(rescue.id, "group")]


def test_lifetimes_that_contradict_each_other_are_a_typed_error(client: TypedClient, run: Run) -> None:
    body = client.model(
        "TemporaryAccessPassAuthenticationMethodConfiguration", odata_type=TAP_TYPE, minimum_lifetime_in_minutes=481
    )

    with pytest.raises(client.error) as raised:
        run(tap_policy(client).patch(body))

    assert raised.value.response_status_code == 400
    assert raised.value.error.code == "badRequest"
    assert raised.value.error.inner_error.request_id


def test_the_whole_policy_holds_the_tap_configuration(client: TypedClient, run: Run) -> None:
    whole = run(client.graph.policies.authentication_methods_policy.get())

    kinds = {type(method).__name__ for method in whole.authentication_method_configurations}
    assert "TemporaryAccessPassAuthenticationMethodConfiguration" in kinds
    assert whole.policy_migration_state.value == "migrationComplete"


def new_group(client: TypedClient, name: str, **more: Any) -> Any:
    return client.model(
        "Group",
        display_name=name,
        mail_enabled=False,
        mail_nickname=uuid.uuid4().hex,
        security_enabled=True,
        group_types=[],
        **more,
    )


def test_a_group_is_made_filled_emptied_and_deleted(client: TypedClient, run: Run) -> None:
    ada = named(client, run, "users", "userPrincipalName", "ada@contoso.com")
    laptop = named(client, run, "devices", "displayName", "LAPTOP-ADA")
    made = run(client.graph.groups.post(new_group(client, "SG-Typed", description="Made by a typed client")))
    one = client.graph.groups.by_group_id(made.id)

    for member in (ada, laptop):
        address = f"https://graph.microsoft.com/v1.0/directoryObjects/{member.id}"
        run(one.members.ref.post(client.model("ReferenceCreate", odata_id=address)))
    members = run(one.members.get()).value
    run(one.members.by_directory_object_id(ada.id).ref.delete())

    assert {type(member).__name__ for member in members} == {"User", "Device"}
    assert [member.id for member in run(one.members.get()).value] == [laptop.id]
    assert run(one.get()).description == "Made by a typed client"
    run(one.patch(client.model("Group", display_name="SG-Typed-Renamed")))
    assert run(one.get()).display_name == "SG-Typed-Renamed"
    run(one.delete())
    with pytest.raises(client.error) as raised:
        run(one.get())
    assert (raised.value.response_status_code, raised.value.error.code) == (404, "Request_ResourceNotFound")


def test_members_are_bound_when_a_group_is_made(client: TypedClient, run: Run) -> None:
    grace = named(client, run, "users", "userPrincipalName", "grace@contoso.com")
    body = new_group(client, "SG-Bound")
    body.additional_data = {"members@odata.bind": [f"https://graph.microsoft.com/v1.0/users/{grace.id}"]}

    made = run(client.graph.groups.post(body))

    assert [member.id for member in run(client.graph.groups.by_group_id(made.id).members.get()).value] == [grace.id]


def test_a_dynamic_group_fills_itself(client: TypedClient, run: Run) -> None:
    rule = '(user.department -eq "Research")'
    body = new_group(client, "SG-Dynamic", membership_rule=rule, membership_rule_processing_state="On")
    body.group_types = ["DynamicMembership"]

    made = run(client.graph.groups.post(body))

    assert made.membership_rule == rule
    members = run(client.graph.groups.by_group_id(made.id).members.get()).value
    assert {member.display_name for member in members} == {"Ada Lovelace", "Grace Hopper"}


def test_a_group_is_found_by_its_unique_name(client: TypedClient, run: Run) -> None:
    by_name = client.graph.groups_with_unique_name("tapctl-typed")
    configuration: Any = RequestConfiguration()
    configuration.headers.add("Prefer", "create-if-missing")

    run(by_name.patch(new_group(client, "SG-Upserted"), request_configuration=configuration))

    assert run(by_name.get()).display_name == "SG-Upserted"


def test_users_come_in_pages(client: TypedClient, run: Run) -> None:
    page = run(client.graph.users.get(request_configuration=query(client, "users", top=3)))
    names = [user.user_principal_name for user in page.value]
    while page.odata_next_link:
        page = run(client.graph.users.with_url(page.odata_next_link).get())
        names += [user.user_principal_name for user in page.value]

    assert len(names) == len(set(names)) == 8
    assert "guest_fabrikam.com#EXT#@contoso.onmicrosoft.com" in names


def test_users_and_devices_are_typed_models(client: TypedClient, run: Run) -> None:
    user = run(client.graph.users.by_user_id("ada@contoso.com").get())
    device = named(client, run, "devices", "displayName", "LAPTOP-ADA")
    groups = run(client.graph.users.by_user_id(user.id).transitive_member_of.get()).value

    assert (user.display_name, user.user_principal_name) == ("Ada Lovelace", "ada@contoso.com")
    assert (device.trust_type, device.operating_system_version) == ("AzureAd", "10.0.22631.4317")
    assert {"SG-Onboarding-Wave-7", "All staff"} <= {group.display_name for group in groups}


def test_membership_is_checked(client: TypedClient, run: Run) -> None:
    user = run(client.graph.users.by_user_id("ada@contoso.com").get())
    wave = named(client, run, "groups", "displayName", "SG-Onboarding-Wave-7")
    module = "users.item.check_member_groups.check_member_groups_post_request_body"
    body = client.type(module, "CheckMemberGroupsPostRequestBody")(group_ids=[wave.id, str(uuid.uuid4())])

    found = run(client.graph.users.by_user_id(user.id).check_member_groups.post(body))

    assert found.value == [wave.id]


def test_a_pass_is_issued_listed_and_revoked(client: TypedClient, run: Run) -> None:
    enabled = client.model(
        "TemporaryAccessPassAuthenticationMethodConfiguration",
        odata_type=TAP_TYPE,
        state=client.option("AuthenticationMethodState", "Enabled"),
    )
    run(tap_policy(client).patch(enabled))
    passes = client.graph.users.by_user_id("ada@contoso.com").authentication.temporary_access_pass_methods

    made = run(passes.post(client.model("TemporaryAccessPassAuthenticationMethod", lifetime_in_minutes=90)))

    assert len(made.temporary_access_pass) == 8
    (listed,) = run(passes.get()).value
    assert (listed.id, listed.lifetime_in_minutes, listed.temporary_access_pass) == (made.id, 90, None)
    # The beta models lack this property; the SDK keeps what it does not know.
    reason = listed.additional_data.get("methodUsabilityReason") or listed.method_usability_reason
    assert reason == "EnabledByPolicy"
    assert listed.start_date_time == made.start_date_time
    run(passes.by_temporary_access_pass_authentication_method_id(made.id).delete())
    assert run(passes.get()).value == []


def test_a_lifetime_outside_the_policy_is_refused(client: TypedClient, run: Run) -> None:
    enabled = client.model(
        "TemporaryAccessPassAuthenticationMethodConfiguration",
        odata_type=TAP_TYPE,
        state=client.option("AuthenticationMethodState", "Enabled"),
    )
    run(tap_policy(client).patch(enabled))
    passes = client.graph.users.by_user_id("ada@contoso.com").authentication.temporary_access_pass_methods

    with pytest.raises(client.error) as raised:
        run(passes.post(client.model("TemporaryAccessPassAuthenticationMethod", lifetime_in_minutes=10)))

    assert (raised.value.response_status_code, raised.value.error.code) == (400, "badRequest")


def test_the_directory_log_tells_of_every_change(client: TypedClient, run: Run) -> None:
    body = client.model(
        "TemporaryAccessPassAuthenticationMethodConfiguration", odata_type=TAP_TYPE, is_usable_once=True
    )
    run(tap_policy(client).patch(body))

    entries = run(client.graph.audit_logs.directory_audits.get()).value

    entry = next(item for item in entries if item.activity_display_name == "Authentication Methods Policy Update")
    assert entry.result.value == "success"
    assert entry.initiated_by.app.display_name == "tapctl"
    assert entry.target_resources[0].modified_properties[0].new_value
    assert entry.activity_date_time.tzinfo is not None


def test_a_batch_answers_every_part(client: TypedClient, run: Run) -> None:
    parts = [
        {"id": "a", "method": "GET", "url": "/users/ada@contoso.com"},
        {"id": "b", "method": "GET", "url": f"/groups/{uuid.uuid4()}"},
    ]
    request = RequestInformation(Method.POST, "{+baseurl}/$batch", {})
    request.set_stream_content(json.dumps({"requests": parts}).encode(), "application/json")

    answer = run(client.adapter.send_primitive_async(request, "bytes", {}))

    statuses = {part["id"]: part["status"] for part in json.loads(answer)["responses"]}
    assert statuses == {"a": 200, "b": 404}
