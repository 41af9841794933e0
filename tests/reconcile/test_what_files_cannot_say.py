"""What lives beside what a file names stays as it is, is told, and is not guessed at."""

from __future__ import annotations

from typing import Any

import pytest

from tapctl.kinds.settings import encode_instance
from tapctl.sandbox.behaviour import Behaviour
from tests.support.world import World, messages

GROUPS = """
    groups:
      wave: {displayName: SG-Onboarding-Wave-7, external: true}
      staff: {displayName: All staff, external: true}
"""
WAVE = f"{GROUPS}    temporaryAccessPass: {{include: [wave]}}\n"
BOTH = f"{GROUPS}    temporaryAccessPass: {{include: [wave, staff]}}\n"
PROFILE = "webSignIn: {{one: {{displayName: One, settings: {{{}}}}}}}"
PREFIX = "device_vendor_msft_policy_config_"


def policy(world: World) -> tuple[str, dict[str, Any]]:
    ((key, found),) = [(key, item) for key, item in world.objects("policies").items() if "isUsableOnce" in item]
    return key, found


def targets(world: World) -> dict[str, dict[str, Any]]:
    return {item["id"]: item for item in policy(world)[1]["includeTargets"]}


@pytest.fixture
def wave(world: World) -> str:
    """The policy includes one group; its id."""
    world.declare(WAVE)
    world.converge()
    world.forget()
    return str(world.named("groups", "SG-Onboarding-Wave-7")["id"])


def test_a_target_that_stays_keeps_that_registration_is_required(world: World, wave: str) -> None:
    key, _ = policy(world)
    required = {"targetType": "group", "id": wave, "isRegistrationRequired": True}
    world.change("policies", key, includeTargets=[required])
    world.declare(BOTH)
    world.converge()

    staff = world.named("groups", "All staff")["id"]

    assert targets(world)[wave]["isRegistrationRequired"] is True
    assert targets(world)[staff]["isRegistrationRequired"] is False


def test_a_changed_target_is_seen_right_before_the_write(world: World, wave: str) -> None:
    world.declare(BOTH)
    planned = world.plan()
    key, _ = policy(world)
    required = {"targetType": "group", "id": wave, "isRegistrationRequired": True}
    world.change("policies", key, includeTargets=[required])

    (change,) = world.apply(planned)

    assert change.outcome is not None
    assert change.outcome.name == "failed"
    assert world.writes == []


def test_a_target_of_an_unknown_type_is_sent_back_as_it_was_read_and_told(world: World, wave: str) -> None:
    key, _ = policy(world)
    unknown = {"targetType": "unknownFutureValue", "id": "00000000-0000-4000-8000-00000000000f"}
    known = {"targetType": "group", "id": wave}
    world.change("policies", key, includeTargets=[known, unknown])
    world.declare(BOTH)

    planned = world.plan()
    world.apply(planned)

    assert "unknown-target" in [item.rule for item in planned.findings]
    (sent,) = world.writes
    assert unknown in sent.body["includeTargets"]
    assert len(sent.body["includeTargets"]) == 3


def test_an_assignment_of_an_unknown_type_is_told(world: World) -> None:
    world.declare("webSignIn: {one: {displayName: One, settings: {}, assign: {include: [all-devices], exclude: []}}}")
    world.converge()
    found = world.named("configurationPolicies", "One")
    odd = {"@odata.type": "#microsoft.graph.unheardOfAssignmentTarget", "groupId": "somebody"}
    world.change("configurationPolicies", found["id"], _assignments=[*found["_assignments"], odd])

    planned = world.plan()

    assert planned.drafts == ()
    assert [item.rule for item in planned.findings] == ["unknown-target"]


@pytest.fixture
def twice(world: World) -> str:
    """A profile that holds one setting twice, beside another one; its id."""
    world.declare(PROFILE.format("enableWebSignIn: true"))
    world.converge()
    found = world.named("configurationPolicies", "One")
    doubled = [encode_instance("enablePasswordlessExperience", value, "text") for value in (True, False)]
    world.change("configurationPolicies", found["id"], _settings=[*found["_settings"], *doubled])
    world.behave(Behaviour(duplicate_settings="store"))
    world.forget()
    return str(found["id"])


def test_a_setting_of_an_unknown_form_that_no_file_names_stays_and_hinders_nothing(world: World, twice: str) -> None:
    world.declare(PROFILE.format("enableWebSignIn: false"))
    world.converge()

    ids = [item["settingDefinitionId"] for item in world.objects("configurationPolicies")[twice]["_settings"]]

    assert len([item for item in ids if item.endswith("enablepasswordlessexperience")]) == 2


@pytest.mark.parametrize("value", ["true", "null"])
def test_a_setting_of_an_unknown_form_that_a_file_names_is_refused(world: World, twice: str, value: str) -> None:
    world.declare(PROFILE.format(f"enablePasswordlessExperience: {value}"))

    planned = world.plan()

    assert [item.rule for item in planned.findings if item.severity == "error"] == ["unreadable-setting"], messages(
        planned.findings
    )
    assert twice in messages(planned.findings)[0]


def test_a_row_that_devices_only_read_sets_nothing(world: World) -> None:
    text = "webSignIn: {one: {displayName: One, delivery: oma-uri, settings: {enableWebSignIn: true}}}"
    world.declare(text)
    world.converge()
    found = world.named("deviceConfigurations", "One")
    rows = [{**row, "isReadOnly": True} for row in found["omaSettings"]]
    world.change("deviceConfigurations", found["id"], omaSettings=rows)

    planned = world.plan()

    assert [item.rule for item in planned.findings if item.severity == "error"] == ["unreadable-setting"]
    assert "read-only" in planned.findings[0].message


@pytest.mark.parametrize(("delivery", "other"), [("settings-catalog", "oma-uri"), ("oma-uri", "settings-catalog")])
@pytest.mark.parametrize("ensure", ["", ", ensure: absent"])
def test_a_pinned_profile_of_the_other_delivery_is_not_called_missing(
    world: World, delivery: str, other: str, ensure: str
) -> None:
    text = "webSignIn: {{one: {{{}, delivery: {}, settings: {{enableWebSignIn: true}}}}}}"
    world.declare(text.format("displayName: One", delivery))
    world.converge()
    collection = "configurationPolicies" if delivery == "settings-catalog" else "deviceConfigurations"
    world.declare(text.format(f"id: {world.named(collection, 'One')['id']}{ensure}", other))

    planned = world.plan()

    assert [item.rule for item in planned.findings if item.severity == "error"] == ["delivery-changed"]


def test_what_a_write_of_settings_carries_along_is_seen_right_before_it(world: World) -> None:
    world.declare(PROFILE.format("enableWebSignIn: true"))
    world.converge()
    world.declare(PROFILE.format("enableWebSignIn: false"))
    planned = world.plan()
    found = world.named("configurationPolicies", "One")
    world.change("configurationPolicies", found["id"], technologies="mdm,microsoftSense")
    world.forget()

    (change,) = world.apply(planned)

    assert change.outcome is not None
    assert change.outcome.name == "failed"
    assert world.writes == []


def test_the_words_of_a_custom_row_are_seen_right_before_the_rows_are_written(world: World) -> None:
    text = "webSignIn: {{one: {{displayName: One, delivery: oma-uri, settings: {{enableWebSignIn: {}}}}}}}"
    world.declare(text.format("true"))
    world.converge()
    world.declare(text.format("false"))
    planned = world.plan()
    found = world.named("deviceConfigurations", "One")
    rows = [{**row, "description": "Ask Ada"} for row in found["omaSettings"]]
    world.change("deviceConfigurations", found["id"], omaSettings=rows)
    world.forget()

    (change,) = world.apply(planned)

    assert change.outcome is not None
    assert change.outcome.name == "failed"
    assert world.writes == []


@pytest.mark.parametrize("maximum", [100, 999])
def test_a_page_size_that_graph_refuses_is_not_insisted_on(world: World, maximum: int) -> None:
    world.behave(Behaviour(top_over_maximum="refuse", intune_top_maximum=maximum))
    world.declare(PROFILE.format("enableWebSignIn: true"))

    world.converge()
