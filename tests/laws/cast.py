"""Who and what every generated tenant knows: people, devices, foreign groups, filters and scope tags."""

from __future__ import annotations

import uuid
from typing import Any

from tapctl.sandbox.groups import new_group
from tests.support.world import TENANT_ID

MOMENT = "2026-01-15T08:00:00Z"


def id_of(name: str) -> str:
    """The object id of what the tests call so."""
    return str(uuid.uuid5(uuid.UUID(TENANT_ID), f"laws:{name}"))


USERS: dict[str, dict[str, Any]] = {
    name: {
        "@odata.type": "#microsoft.graph.user",
        "id": id_of(name),
        "displayName": name.title(),
        "userPrincipalName": f"{name}@contoso.com",
        "department": department,
        "accountEnabled": True,
        "userType": "Member",
        "onPremisesSyncEnabled": None,
        "createdDateTime": MOMENT,
    }
    for name, department in (
        ("ada", "Research"),
        ("grace", "Research"),
        ("alan", "Sales"),
        ("o'hara", "Sales"),
        ("$mary", None),
        ("jürgen", "Research"),
    )
}
"""Names that need care in an address are among them."""

CROWD: dict[str, dict[str, Any]] = {
    f"crowd{number:02}": {**USERS["alan"], "id": id_of(f"crowd{number:02}"), "userPrincipalName": f"c{number}@x.org"}
    for number in range(45)
}
"""Enough for three calls of 20 members."""

DEVICES: dict[str, dict[str, Any]] = {
    name: {
        "@odata.type": "#microsoft.graph.device",
        "id": id_of(name),
        "deviceId": id_of(f"{name} device id"),
        "displayName": name,
        "operatingSystem": "Windows",
        "trustType": "AzureAd",
        "physicalIds": [],
        "_owners": [],
    }
    for name in ("laptop-1", "laptop-2")
}

SERVICE_PRINCIPAL: dict[str, Any] = {
    "@odata.type": "#microsoft.graph.servicePrincipal",
    "id": id_of("service principal"),
    "appId": id_of("application"),
    "displayName": "A workload",
    "appRoles": [],
    "_appRoleAssignments": [],
}

FOREIGN_GROUPS = ("foreign-1", "foreign-2")
DELETED_GROUPS = ("deleted-1", "deleted-2")
"""Groups that live lists may still name."""

FILTERS = ("Entra joined", "O'Brien's | \"filter\"", "Büro ☃")
SCOPE_TAGS = {"0": "Default", "1": "Pilot", "2": "Tag: #2 'ü'"}


def group(key: str, **properties: Any) -> dict[str, Any]:
    """A security group as the directory keeps it; its id is that of `key`."""
    nickname = "".join(letter for letter in key if letter.isalnum())
    return {**new_group(id_of(key), MOMENT), "displayName": key, "mailNickname": nickname, **properties}


def collections() -> dict[str, dict[str, dict[str, Any]]]:
    """The objects that no generated tenant file may change, by collection and id."""
    foreign = [group(key, displayName=f"Foreign {key}", _members=[id_of("ada")]) for key in FOREIGN_GROUPS]
    filters = [
        {
            "id": id_of(name),
            "displayName": name,
            "platform": "windows10AndLater",
            "rule": f'(device.deviceName -startsWith "{number}")',
        }
        for number, name in enumerate(FILTERS)
    ]
    tags = [{"id": number, "displayName": name, "isBuiltIn": number == "0"} for number, name in SCOPE_TAGS.items()]
    listed: dict[str, list[dict[str, Any]]] = {
        "users": [*USERS.values(), *CROWD.values()],
        "devices": list(DEVICES.values()),
        "servicePrincipals": [SERVICE_PRINCIPAL],
        "groups": foreign,
        "assignmentFilters": filters,
        "roleScopeTags": tags,
    }
    return {name: {str(item["id"]): item for item in items} for name, items in listed.items()}
