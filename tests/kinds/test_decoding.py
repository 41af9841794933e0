"""Wire JSON ends in the kinds: what Graph documents is decoded, what it does not is malformed and never guessed."""

from __future__ import annotations

from typing import Any

import pytest

from tapctl.kinds import assignments, groups, policy
from tapctl.kinds.catalog import SettingsCatalog
from tapctl.kinds.custom import CustomProfile
from tapctl.kinds.settings import encode_instance
from tapctl.kinds.wire import JSONObject, Malformed
from tapctl.model.live import DirectoryTarget, LiveAssignment

POLICY: dict[str, Any] = {
    "@odata.type": policy.ODATA_TYPE,
    "id": "TemporaryAccessPass",
    "state": "enabled",
    "defaultLifetimeInMinutes": 60,
    "defaultLength": 8,
    "minimumLifetimeInMinutes": 60,
    "maximumLifetimeInMinutes": 480,
    "isUsableOnce": False,
    "includeTargets": [{"targetType": "group", "id": "all_users", "isRegistrationRequired": False}],
    "excludeTargets": [],
}
GROUP: dict[str, Any] = {"id": "A0", "displayName": "Team", "groupTypes": [], "securityEnabled": True}
ASSIGNMENT: dict[str, Any] = {
    "id": "p_g",
    "source": "direct",
    "target": {"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": "G1"},
}


def test_all_users_is_known_by_its_literal_id() -> None:
    assert policy.decode(POLICY).include == {DirectoryTarget("all-users", "all_users")}


def test_excluded_targets_that_are_left_out_are_none_at_all() -> None:
    without = {name: value for name, value in POLICY.items() if name != "excludeTargets"}

    assert policy.decode(without) == policy.decode(POLICY)


def test_ids_and_target_types_know_no_case() -> None:
    one = {**POLICY, "includeTargets": [{"targetType": "Group", "id": "ABC"}]}
    other = {**POLICY, "includeTargets": [{"targetType": "group", "id": "abc"}]}

    assert policy.decode(one) == policy.decode(other)


@pytest.mark.parametrize(
    "wrong",
    [
        {"id": "Fido2"},
        {"id": None},
        {"includeTargets": None},
        {"includeTargets": "all"},
        {"includeTargets": [None]},
        {"includeTargets": [{"targetType": "group"}]},
        {"excludeTargets": {}},
        {"defaultLength": "8"},
        {"defaultLength": True},
        {"minimumLifetimeInMinutes": 1.5},
        {"isUsableOnce": "false"},
        {"state": 1},
    ],
    ids=str,
)
def test_a_policy_of_another_shape_is_malformed(wrong: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        policy.decode({**POLICY, **wrong})


def test_an_include_list_that_is_left_out_is_malformed_not_empty() -> None:
    with pytest.raises(Malformed):
        policy.decode({name: value for name, value in POLICY.items() if name != "includeTargets"})


@pytest.mark.parametrize(
    ("more", "attribute", "expected"),
    [
        ({"description": None}, "description", ""),
        ({"groupTypes": ["DynamicMembership"], "membershipRule": "x"}, "rule", "x"),
        ({"groupTypes": [], "membershipRule": "left over"}, "rule", None),
        ({"groupTypes": ["Unified"]}, "is_microsoft_365", True),
        ({"onPremisesSyncEnabled": True}, "is_synchronised", True),
        ({"onPremisesSyncEnabled": None}, "is_synchronised", False),
        ({"isAssignableToRole": None}, "role_assignable", False),
        ({}, "id", "a0"),
    ],
)
def test_a_group_is_decoded(more: dict[str, Any], attribute: str, expected: object) -> None:
    assert getattr(groups.decode({**GROUP, **more}), attribute) == expected


@pytest.mark.parametrize("wrong", [{"id": ""}, {"displayName": 1}, {"groupTypes": "x"}, {"securityEnabled": "yes"}])
def test_a_group_of_another_shape_is_malformed(wrong: dict[str, Any]) -> None:
    with pytest.raises(Malformed):
        groups.decode({**GROUP, **wrong})


@pytest.mark.parametrize(
    ("item", "kind", "name"),
    [
        ({"@odata.type": "#microsoft.graph.user", "userPrincipalName": "a@b.c"}, "user", "a@b.c"),
        ({"@odata.type": "#microsoft.graph.device", "deviceId": "d"}, "device", "d"),
        ({"@odata.type": "#microsoft.graph.group", "displayName": "x"}, "group", ""),
        ({"@odata.type": "#microsoft.graph.servicePrincipal"}, "other", ""),
        ({"@odata.type": "#microsoft.graph.orgContact"}, "other", ""),
        ({"userPrincipalName": "a@b.c"}, "user", "a@b.c"),
        ({"deviceId": "d"}, "device", "d"),
        ({}, "other", ""),
    ],
)
def test_a_member_is_of_the_kind_that_graph_says(item: dict[str, Any], kind: str, name: str) -> None:
    member = groups.decode_member({"id": "X", **item})

    assert (member.id, member.kind, member.name) == ("x", kind, name)


@pytest.mark.parametrize(
    "filtered",
    [
        {},
        {assignments.FILTER_ID: None, assignments.FILTER_TYPE: "none"},
        {assignments.FILTER_ID: assignments.NO_FILTER, assignments.FILTER_TYPE: "none"},
        {assignments.FILTER_ID: assignments.NO_FILTER, assignments.FILTER_TYPE: "include"},
    ],
)
def test_every_way_to_say_that_there_is_no_filter_is_the_same(filtered: dict[str, Any]) -> None:
    decoded = assignments.decode({**ASSIGNMENT, "target": {**ASSIGNMENT["target"], **filtered}})

    assert decoded == LiveAssignment("group", "g1")


@pytest.mark.parametrize(
    "assignment",
    [
        LiveAssignment("group", "g1"),
        LiveAssignment("group", "g1", "f1", "exclude"),
        LiveAssignment("exclusion", "g1"),
        LiveAssignment("all-devices", None, "f1", "include"),
        LiveAssignment("all-users"),
    ],
)
def test_an_assignment_is_read_back_as_it_was_written(assignment: LiveAssignment) -> None:
    assert assignments.decode(assignments.encode(assignment)) == assignment


def test_a_target_of_an_unknown_kind_is_neither_lost_nor_taken_for_another() -> None:
    kind = "#microsoft.graph.configurationManagerCollectionAssignmentTarget"
    one, other, again = (
        assignments.decode({"id": name, "target": {"@odata.type": kind, "collectionId": collection}})
        for name, collection in (("1", "c"), ("2", "d"), ("3", "c"))
    )

    assert one.kind == other.kind == "other"
    assert one != other
    assert one == again, "its id may be new after every assign"


def test_a_setting_that_a_policy_holds_twice_is_malformed() -> None:
    instances = [encode_instance("enableWebSignIn", value, "text") for value in (True, False)]

    with pytest.raises(Malformed, match="twice"):
        SettingsCatalog().decode({"id": "p"}, instances, {"value": []})


@pytest.mark.parametrize("shown", [{"isEncrypted": True, "value": None}, {"isEncrypted": False, "value": "****"}])
def test_either_sign_of_a_mask_is_enough_to_protect_a_custom_profile(shown: JSONObject) -> None:
    foreign: JSONObject = {"omaUri": "./Vendor/MSFT/Foreign", **shown}
    live = CustomProfile().decode({"id": "p"}, [foreign], {}, {"value": []})

    assert CustomProfile().why_not_writable(live, frozenset({"settings.enableWebSignIn"})) is not None


def test_an_assignment_of_a_policy_set_is_not_direct() -> None:
    assert not assignments.decode({**ASSIGNMENT, "source": "policySets"}).is_direct
