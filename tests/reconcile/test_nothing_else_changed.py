"""A change is applied when it was written as planned and nothing beside it was lost."""

from __future__ import annotations

from typing import Any

import pytest

from tapctl.model.plan import Outcome
from tapctl.sandbox.behaviour import Behaviour
from tests.support.recorder import Sent
from tests.support.world import World

PROFILE = "webSignIn: {{one: {{displayName: One, settings: {{enablePasswordlessExperience: {}}}{}}}}}"
POLICY = "temporaryAccessPass: {{oneTime: {}}}"


def only_outcome(world: World) -> Outcome:
    (change,) = world.apply()
    assert change.outcome is not None
    return change.outcome


def policy(world: World) -> dict[str, Any]:
    (found,) = [item for item in world.objects("policies").values() if "isUsableOnce" in item]
    return found


def after_writes(world: World, **properties: Any) -> None:
    """The service changes more of the policy than was written."""

    def meddle(sent: Sent) -> None:
        if sent.is_write:
            (key,) = [key for key, item in world.objects("policies").items() if "isUsableOnce" in item]
            world.change("policies", key, **properties)

    world.after_requests(meddle)


def test_assignments_that_no_file_names_and_a_write_of_the_settings_loses_are_missed(world: World) -> None:
    world.behave(Behaviour(put_keeps_assignments=False))
    world.declare(PROFILE.format("true", ", assign: {include: [all-devices]}"))
    world.converge()
    world.declare(PROFILE.format("false", ""))

    outcome = only_outcome(world)

    assert outcome.name == "unverified"
    assert "assign changed as well" in outcome.message


def test_settings_that_tapctl_does_not_model_and_a_write_loses_are_missed(world: World) -> None:
    world.declare(PROFILE.format("true", ""))
    world.converge()
    found = world.named("configurationPolicies", "One")
    foreign = {
        "@odata.type": "#microsoft.graph.deviceManagementConfigurationSimpleSettingInstance",
        "settingDefinitionId": "device_vendor_msft_policy_config_experience_somethingelse",
        "simpleSettingValue": {
            "@odata.type": "#microsoft.graph.deviceManagementConfigurationIntegerSettingValue",
            "value": 7,
        },
    }
    world.change("configurationPolicies", found["id"], _settings=[*found["_settings"], foreign])

    def lose(sent: Sent) -> None:
        if sent.is_write:
            now = world.named("configurationPolicies", "One")
            world.change("configurationPolicies", now["id"], _settings=now["_settings"][:1])

    world.after_requests(lose)
    world.declare(PROFILE.format("false", ""))

    outcome = only_outcome(world)

    assert outcome.name == "unverified"
    assert "settings that tapctl does not model" in outcome.message


@pytest.mark.parametrize(
    ("properties", "field"),
    [({"excludeTargets": []}, "exclude"), ({"state": "disabled"}, "state")],
    ids=["exclusions", "state"],
)
def test_whom_the_policy_reaches_does_not_change_along_unseen(
    world: World, properties: dict[str, Any], field: str
) -> None:
    world.tamper("temporaryAccessPass", "state=enabled", "exclude=SG-Onboarding-Wave-7")
    after_writes(world, **properties)
    world.declare(POLICY.format("true"))

    outcome = only_outcome(world)

    assert outcome.name == "unverified"
    assert f"{field} changed as well" in outcome.message


def test_a_number_that_graph_adjusts_along_is_told_and_no_failure(world: World) -> None:
    """Documented for update: what is not sent keeps its value, or is recalculated."""
    before = policy(world)["defaultLength"]
    after_writes(world, defaultLength=before + 4)
    world.declare(POLICY.format("true"))

    outcome = only_outcome(world)

    assert outcome.name == "applied"
    assert outcome.message == f"Graph adjusted more than was written: length is {before + 4} now, and was {before}"


def test_a_group_that_loses_its_description_with_its_name_is_noticed(world: World) -> None:
    world.declare("groups: {one: {displayName: One, description: Kept}}")
    world.converge()

    def lose(sent: Sent) -> None:
        if sent.is_write:
            (found,) = [item for item in world.objects("groups").values() if item.get("uniqueName") == "tapctl-one"]
            world.change("groups", found["id"], description=None)

    world.after_requests(lose)
    world.declare("groups: {one: {displayName: Two}}")

    outcome = only_outcome(world)

    assert outcome.name == "unverified"
    assert "description changed as well" in outcome.message


def test_a_text_that_intune_masks_once_it_has_received_it_is_not_lost(world: World) -> None:
    text = "webSignIn: {{one: {{displayName: One, delivery: oma-uri, settings: {{enableWebSignIn: {}}}}}}}"
    world.declare(text.format("true"))
    world.converge()
    found = world.named("deviceConfigurations", "One")
    row = {
        "@odata.type": "#microsoft.graph.omaSettingString",
        "displayName": "Banner",
        "description": None,
        "omaUri": "./Device/Vendor/MSFT/Policy/Config/Other/Banner",
        "secretReferenceValueId": None,
        "isEncrypted": False,
        "value": "Hello",
    }
    world.change("deviceConfigurations", found["id"], omaSettings=[*found["omaSettings"], row])

    def mask(sent: Sent) -> None:
        if sent.is_write:
            now = world.named("deviceConfigurations", "One")
            rows = [
                item | ({"isEncrypted": True} if item["displayName"] == "Banner" else {}) for item in now["omaSettings"]
            ]
            world.change("deviceConfigurations", now["id"], omaSettings=rows)

    world.after_requests(mask)
    world.declare(text.format("false"))

    assert only_outcome(world).name == "applied"


def test_a_declared_field_that_a_write_of_another_one_changes_is_named(world: World) -> None:
    world.declare("temporaryAccessPass: {length: 8, lifetime: {minimum: 10m, default: 1h, maximum: 2h}}")
    world.converge()
    after_writes(world, defaultLifetimeInMinutes=30)
    world.declare("temporaryAccessPass: {length: 9, lifetime: {minimum: 10m, default: 1h, maximum: 2h}}")

    outcome = only_outcome(world)

    assert outcome.name == "unverified"
    assert "lifetime.default changed as well" in outcome.message
