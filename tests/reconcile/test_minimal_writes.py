"""The fewest writes, only what differs: asserted on the requests that leave."""

from __future__ import annotations

from typing import Any

import pytest

from tapctl.kinds.policy import ODATA_TYPE, PATH
from tests.support.world import World

POLICY = """
    temporaryAccessPass:
      state: disabled
      lifetime: {{minimum: 10m, default: 1h, maximum: {maximum}}}
      length: {length}
"""
PREFIX = "device_vendor_msft_policy_config_"


def test_one_changed_lifetime_is_one_patch_with_the_three_lifetimes_and_the_type(world: World) -> None:
    world.declare(POLICY.format(maximum="2h", length=8))
    world.converge()
    world.forget()
    world.declare(POLICY.format(maximum="4h", length=8))

    assert world.changes() == {"temporaryAccessPass": {"lifetime.maximum": (120, 240)}}
    world.converge()

    (sent,) = world.writes
    assert (sent.method, sent.version, sent.target) == ("PATCH", "v1.0", PATH)
    assert sent.body == {
        "@odata.type": ODATA_TYPE,
        "minimumLifetimeInMinutes": 10,
        "defaultLifetimeInMinutes": 60,
        "maximumLifetimeInMinutes": 240,
    }


def test_another_changed_field_of_the_policy_sends_no_lifetime(world: World) -> None:
    world.declare(POLICY.format(maximum="2h", length=8))
    world.converge()
    world.forget()
    world.declare(POLICY.format(maximum="2h", length=12))

    world.converge()

    (sent,) = world.writes
    assert sent.body == {"@odata.type": ODATA_TYPE, "defaultLength": 12}


def test_one_added_member_is_one_call_with_one_member(world: World) -> None:
    world.declare("groups: {team: {displayName: SG-Team, members: [ada@contoso.com]}}")
    world.converge()
    world.forget()
    world.declare("groups: {team: {displayName: SG-Team, members: [ada@contoso.com, grace@contoso.com]}}")

    world.converge()

    team, grace = world.named("groups", "SG-Team"), world.named("users", "grace@contoso.com")
    (sent,) = world.writes
    assert str(sent) == f"POST /groups/{team['id']}/members/$ref"
    assert sent.body == {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{grace['id']}"}


def test_a_removed_member_is_removed_by_reference_never_without_it(world: World) -> None:
    world.declare("groups: {team: {displayName: SG-Team, members: [ada@contoso.com, grace@contoso.com]}}")
    world.converge()
    world.forget()
    world.declare("groups: {team: {displayName: SG-Team, members: [ada@contoso.com]}}")

    world.converge()

    team, grace = world.named("groups", "SG-Team"), world.named("users", "grace@contoso.com")
    (sent,) = world.writes
    assert str(sent) == f"DELETE /groups/{team['id']}/members/{grace['id']}/$ref"
    assert world.all_named("users", "grace@contoso.com")


def test_more_than_twenty_new_members_go_in_calls_of_at_most_twenty(world: World) -> None:
    for number in range(45):
        user = {**world.named("users", "ada@contoso.com"), "id": f"00000000-0000-4000-8000-{number:012}"}
        world.add("users", **{**user, "userPrincipalName": f"user{number}@contoso.com"})
    names = ", ".join(f"user{number}@contoso.com" for number in range(45))
    world.declare(f"groups: {{team: {{displayName: SG-Team, members: [{names}]}}}}")

    world.converge()

    sizes = [len(sent.body["members@odata.bind"]) for sent in world.writes if "members@odata.bind" in sent.body]
    assert sizes == [20, 20, 5]
    assert len(world.named("groups", "SG-Team")["_members"]) == 45


def test_a_renamed_group_sends_the_name_alone(world: World) -> None:
    world.declare("groups: {team: {displayName: SG-Team, description: The team, members: [ada@contoso.com]}}")
    world.converge()
    world.forget()
    world.declare("groups: {team: {displayName: SG-Team-2, description: The team, members: [ada@contoso.com]}}")

    world.converge()

    (sent,) = world.writes
    assert (sent.method, sent.body) == ("PATCH", {"displayName": "SG-Team-2"})


def test_a_changed_rule_sends_the_rule_alone(world: World) -> None:
    world.declare("""groups: {team: {displayName: SG-Team, rule: '(user.department -eq "Sales")'}}""")
    world.converge()
    world.forget()
    world.declare("""groups: {team: {displayName: SG-Team, rule: '(user.department -eq "Research")'}}""")

    world.converge()

    (sent,) = world.writes
    assert (sent.method, sent.body) == ("PATCH", {"membershipRule": '(user.department -eq "Research")'})


def test_a_group_without_a_rule_is_never_sent_one(world: World) -> None:
    world.declare("groups: {team: {displayName: SG-Team, members: [ada@contoso.com]}}")
    world.converge()
    world.declare("groups: {team: {displayName: SG-Team-2, members: [grace@contoso.com]}}")
    world.converge()

    assert not [sent for sent in world.writes if "membershipRule" in (sent.body or {})]


PROFILE = """
    groups: {{devices: {{displayName: SG-Autopilot-Pilot-Devices, external: true}}}}
    webSignIn:
      windows:
        displayName: {name}
        description: {description}
        delivery: {delivery}
        settings: {settings}
        assign:
          include: {include}
          exclude: {exclude}
        scopeTags: {tags}
"""


def declare_profile(world: World, **changes: str) -> None:
    values = {
        "name": "WIN - Web sign-in",
        "description": "first",
        "delivery": "settings-catalog",
        "settings": "{enableWebSignIn: true}",
        "include": "[{group: all-devices, filter: Corporate devices, mode: include}]",
        "exclude": "[]",
        "tags": "[Default]",
    }
    world.declare(PROFILE.format(**(values | changes)))


COLLECTIONS = {"settings-catalog": "configurationPolicies", "oma-uri": "deviceConfigurations"}
DELIVERIES = tuple(COLLECTIONS)


def prepared(world: World, delivery: str) -> str:
    """A profile that stands as declared; returns its address below beta."""
    declare_profile(world, delivery=delivery)
    world.converge()
    world.forget()
    found = world.named(COLLECTIONS[delivery], "WIN - Web sign-in")
    return f"/deviceManagement/{COLLECTIONS[delivery]}/{found['id']}"


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_a_changed_description_sends_no_settings_and_no_assignments(world: World, delivery: str) -> None:
    address = prepared(world, delivery)
    declare_profile(world, delivery=delivery, description="second")

    world.converge()

    (sent,) = world.writes
    assert (sent.method, sent.version, sent.target) == ("PATCH", "beta", address)
    body = dict(sent.body)
    body.pop("@odata.type", None)
    assert body == {"description": "second\n[tapctl:windows]"}


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_changed_scope_tags_send_the_tags_alone(world: World, delivery: str) -> None:
    address = prepared(world, delivery)
    declare_profile(world, delivery=delivery, tags="[Default, Pilot]")

    world.converge()

    (sent,) = world.writes
    assert (sent.method, sent.target) == ("PATCH", address)
    body = dict(sent.body)
    body.pop("@odata.type", None)
    assert body == {"roleScopeTagIds": ["0", "1"]}


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_a_changed_assignment_is_one_assign_with_the_whole_list(world: World, delivery: str) -> None:
    address = prepared(world, delivery)
    declare_profile(
        world,
        delivery=delivery,
        include="[{group: all-devices, filter: Corporate devices, mode: include}]",
        exclude="[devices]",
    )

    world.converge()

    corporate = world.named("assignmentFilters", "Corporate devices")["id"]
    pilots = world.named("groups", "SG-Autopilot-Pilot-Devices")["id"]
    (sent,) = world.writes
    assert str(sent) == f"POST {address}/assign"
    assert sent.body == {
        "assignments": [
            {
                "target": {
                    "@odata.type": "#microsoft.graph.allDevicesAssignmentTarget",
                    "deviceAndAppManagementAssignmentFilterId": corporate,
                    "deviceAndAppManagementAssignmentFilterType": "include",
                }
            },
            {"target": {"@odata.type": "#microsoft.graph.exclusionGroupAssignmentTarget", "groupId": pilots}},
        ]
    }


def test_a_changed_setting_is_one_put_that_keeps_every_other_setting_and_the_assignments(world: World) -> None:
    address = prepared(world, "settings-catalog")
    policy = world.named("configurationPolicies", "WIN - Web sign-in")
    foreign: list[dict[str, Any]] = [
        {
            "@odata.type": "#microsoft.graph.deviceManagementConfigurationChoiceSettingInstance",
            "settingDefinitionId": f"{PREFIX}bitlocker_requiredeviceencryption",
            "settingInstanceTemplateReference": None,
            "choiceSettingValue": {
                "settingValueTemplateReference": None,
                "value": f"{PREFIX}bitlocker_requiredeviceencryption_1",
                "children": [],
            },
        }
    ]
    world.change("configurationPolicies", policy["id"], _settings=[*foreign, *policy["_settings"]])
    assert world.changes() == {}
    declare_profile(world, settings="{enableWebSignIn: false}")

    world.converge()

    (sent,) = world.writes
    assert (sent.method, sent.target) == ("PUT", address)
    instances = [element["settingInstance"] for element in sent.body["settings"]]
    assert instances[0] == foreign[0]
    assert instances[1]["choiceSettingValue"]["value"] == f"{PREFIX}authentication_enablewebsignin_2"
    after = world.named("configurationPolicies", "WIN - Web sign-in")
    assert after["_assignments"] == policy["_assignments"]
    assert after["_settings"][0]["settingDefinitionId"] == foreign[0]["settingDefinitionId"]
    assert after["roleScopeTagIds"] == policy["roleScopeTagIds"]
    assert after["description"] == policy["description"]


def test_a_changed_setting_of_a_custom_profile_is_one_patch_that_keeps_every_other_setting(world: World) -> None:
    address = prepared(world, "oma-uri")
    profile = world.named("deviceConfigurations", "WIN - Web sign-in")
    foreign = {
        "@odata.type": "#microsoft.graph.omaSettingInteger",
        "displayName": "Something else",
        "description": "of somebody else",
        "omaUri": "./Device/Vendor/MSFT/Policy/Config/Experience/AllowCortana",
        "value": 0,
    }
    stored = {**foreign, "isEncrypted": False, "secretReferenceValueId": None}
    world.change("deviceConfigurations", profile["id"], omaSettings=[stored, *profile["omaSettings"]])
    assert world.changes() == {}
    declare_profile(world, delivery="oma-uri", settings="{enableWebSignIn: false}")

    world.converge()

    (sent,) = world.writes
    assert (sent.method, sent.target) == ("PATCH", address)
    assert set(sent.body) == {"@odata.type", "omaSettings"}
    others = [item for item in sent.body["omaSettings"] if item["omaUri"] == foreign["omaUri"]]
    assert others == [foreign]
    after = world.named("deviceConfigurations", "WIN - Web sign-in")
    assert after["_assignments"] == profile["_assignments"]


def test_a_setting_that_is_null_is_taken_out_and_the_others_stay(world: World) -> None:
    declare_profile(world, settings="{enableWebSignIn: true, enablePasswordlessExperience: true}")
    world.converge()
    world.forget()
    declare_profile(world, settings="{enablePasswordlessExperience: null}")

    assert world.changes() == {"webSignIn.windows": {"settings.enablePasswordlessExperience": (True, None)}}
    world.converge()

    (sent,) = world.writes
    held = [element["settingInstance"]["settingDefinitionId"] for element in sent.body["settings"]]
    assert held == [f"{PREFIX}authentication_enablewebsignin"]


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_settings_and_assignments_that_change_together_are_two_writes(world: World, delivery: str) -> None:
    prepared(world, delivery)
    declare_profile(world, delivery=delivery, settings="{enableWebSignIn: false}", include="[devices]")

    world.converge()

    assert len(world.writes) == 2


def test_what_only_narrows_is_unassigned_before_its_settings_change(world: World) -> None:
    declare_profile(world, include="[devices]")
    world.converge()
    world.forget()
    declare_profile(world, include="[]", settings="{enableWebSignIn: false}")

    world.converge()

    assert [sent.method for sent in world.writes] == ["POST", "PUT"]


def test_what_widens_is_assigned_after_its_settings_have_changed(world: World) -> None:
    declare_profile(world, include="[]")
    world.converge()
    world.forget()
    declare_profile(world, include="[devices]", settings="{enableWebSignIn: false}")

    world.converge()

    assert [sent.method for sent in world.writes] == ["PUT", "POST"]


@pytest.mark.parametrize("delivery", DELIVERIES)
def test_a_run_without_changes_writes_nothing(world: World, delivery: str) -> None:
    prepared(world, delivery)

    assert world.apply() == ()
    assert world.writes == []


def test_fields_that_the_file_does_not_name_are_neither_compared_nor_sent(world: World) -> None:
    prepared(world, "settings-catalog")
    world.tamper("webSignIn.WIN - Web sign-in", "settings.enablePasswordlessExperience=true", "description=theirs")
    world.declare("webSignIn: {windows: {displayName: WIN - Web sign-in, settings: {enableWebSignIn: true}}}")

    assert world.changes() == {}


def test_targets_of_kinds_that_tapctl_does_not_know_are_sent_back_with_a_changed_list(world: World) -> None:
    address = prepared(world, "settings-catalog")
    profile = world.named("configurationPolicies", "WIN - Web sign-in")
    foreign = {"@odata.type": "#microsoft.graph.unheardOfAssignmentTarget", "groupId": "somebody", "more": "unknown"}
    world.change("configurationPolicies", profile["id"], _assignments=[*profile["_assignments"], foreign])
    assert world.changes() == {}
    declare_profile(world, include="[all-users]")

    world.apply()

    sent = next(item for item in world.writes if str(item) == f"POST {address}/assign")
    assert foreign in [item["target"] for item in sent.body["assignments"]]
