"""What of an account decides whether it can have the ability: said, denied, or left open."""

from __future__ import annotations

from typing import Any

import pytest

from tapctl.insight.directory import may_hold_a_pass, takes_web_sign_in
from tapctl.kinds import directory
from tapctl.model.requests import Answer, Problem

GUEST = {"id": "U", "accountEnabled": True, "userType": "Guest", "userPrincipalName": "ada@contoso.example"}
MEMBER = {**GUEST, "userType": "Member"}
DEVICE = {"id": "D", "accountEnabled": True, "trustType": "AzureAd", "operatingSystem": "Windows"}


def members(*items: dict[str, Any]) -> directory.DirectMembers | Problem:
    reading = directory.read_direct_members("g")
    next(reading)
    with pytest.raises(StopIteration) as finished:
        reading.send([Answer(200, {"value": list(items)})])
    result: directory.DirectMembers | Problem = finished.value.value
    return result


@pytest.mark.parametrize(
    ("item", "is_able"),
    [
        (MEMBER, True),
        (GUEST, True),
        ({**GUEST, "userPrincipalName": "ada_fabrikam#EXT#@contoso.example"}, False),
        ({**GUEST, "externalUserState": "Accepted"}, False),
        ({**MEMBER, "externalUserState": "Accepted"}, True),
        ({**MEMBER, "accountEnabled": False}, False),
        ({"id": "U", "userPrincipalName": "ada@contoso.example"}, None),
    ],
)
def test_who_may_hold_a_pass(item: dict[str, Any], is_able: bool | None) -> None:
    seen = members({"@odata.type": "#microsoft.graph.user", **item})

    assert isinstance(seen, directory.DirectMembers)
    assert [(user.id, may_hold_a_pass(user)) for user in seen.users] == [("u", is_able)]


@pytest.mark.parametrize(
    ("item", "is_able"),
    [
        (DEVICE, True),
        ({**DEVICE, "trustType": "ServerAd"}, False),
        ({**DEVICE, "trustType": "Workplace"}, False),
        ({**DEVICE, "operatingSystem": "macOS"}, False),
        ({**DEVICE, "accountEnabled": False}, False),
        ({**DEVICE, "operatingSystem": None}, None),
        ({**DEVICE, "trustType": None, "operatingSystem": "iOS"}, False),
    ],
)
def test_which_device_takes_web_sign_in(item: dict[str, Any], is_able: bool | None) -> None:
    seen = members({"@odata.type": "#microsoft.graph.device", **item})

    assert isinstance(seen, directory.DirectMembers)
    assert [(device.id, takes_web_sign_in(device)) for device in seen.devices] == [("d", is_able)]


def test_groups_are_members_and_contacts_are_not() -> None:
    group, contact = ({"@odata.type": f"#microsoft.graph.{kind}", "id": kind} for kind in ("group", "orgContact"))

    assert members(group, contact) == directory.DirectMembers(groups=frozenset({"group"}))


def test_a_member_of_the_wrong_shape_leaves_the_whole_group_unknown() -> None:
    assert isinstance(members({"@odata.type": "#microsoft.graph.user", **MEMBER, "accountEnabled": "yes"}), Problem)
