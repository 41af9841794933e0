"""What the audit logs of Entra and Intune say about every change."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from tapctl.sandbox.exchange import ZERO_GUID, Exchange, new_id
from tapctl.sandbox.odata import Listing, answer_list
from tapctl.sandbox.wire import JSONObject, Reply

RETAINED_ENTRIES = 2000
"""Older entries are forgotten, so that the state of a long-lived sandbox stays small."""

Modified = Sequence[tuple[str, Any, Any]]
"""Property, old value, new value."""


def differences(before: Mapping[str, Any], after: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any, Any]]:
    """The properties that differ, annotations and time stamps aside."""
    names = sorted(set(before) | set(after))
    return [
        (prefix + name, before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name) and "@" not in name and not name.endswith("DateTime")
    ]


def _properties(modified: Modified) -> list[JSONObject]:
    return [
        {"displayName": name, "oldValue": json.dumps(old), "newValue": json.dumps(new)} for name, old, new in modified
    ]


def record_directory(
    exchange: Exchange,
    activity: str,
    *,
    category: str,
    service: str,
    operation: str,
    targets: Sequence[JSONObject],
) -> None:
    """Write one entry of /auditLogs/directoryAudits."""
    actor = exchange.actor
    user = {"id": actor.id, "displayName": None, "userPrincipalName": actor.name, "ipAddress": "203.0.113.24"}
    app = {
        "appId": actor.app_id,
        "displayName": actor.name,
        "servicePrincipalId": actor.id,
        "servicePrincipalName": None,
    }
    _keep(
        exchange,
        "directoryAudits",
        {
            "id": f"{service}_{new_id()}",
            "category": category,
            "correlationId": exchange.call.client_request_id,
            "result": "success",
            "resultReason": "",
            "activityDisplayName": activity,
            "activityDateTime": exchange.stamp(),
            "loggedByService": service,
            "operationType": operation,
            "initiatedBy": {"app": None if actor.is_user else app, "user": user if actor.is_user else None},
            "targetResources": list(targets),
            "additionalDetails": [],
        },
    )


def target(
    kind: str, identifier: str | None, name: str | None, modified: Modified = (), upn: str | None = None
) -> JSONObject:
    """One element of targetResources."""
    return {
        "id": identifier,
        "displayName": name,
        "type": kind,
        "userPrincipalName": upn,
        "groupType": "azureAD" if kind == "Group" else None,
        "modifiedProperties": _properties(modified),
    }


def record_policy(exchange: Exchange, before: JSONObject, after: JSONObject, *, reset: bool = False) -> None:
    """An edit of the TAP policy: only what changed, or the whole policy, as the switch says."""
    if exchange.behaviour.audit_whole_policy:
        modified: Modified = [("AuthenticationMethodsPolicy", before, after)]
    else:
        modified = differences(before, after, "TemporaryAccessPass.")
    record_directory(
        exchange,
        f"Authentication Methods Policy {'Reset' if reset else 'Update'}",
        category="ApplicationManagement",
        service="Authentication Methods",
        operation="Update",
        targets=[target("Policy", ZERO_GUID, None, modified)],
    )


def record_group(exchange: Exchange, activity: str, group: JSONObject, modified: Modified = ()) -> None:
    """A change of a group."""
    record_directory(
        exchange,
        activity,
        category="GroupManagement",
        service="Core Directory",
        operation=activity.split(" ", 1)[0],
        targets=[target("Group", group["id"], group["displayName"], modified)],
    )


def record_member(exchange: Exchange, group: JSONObject, member: JSONObject, *, added: bool) -> None:
    """A member that came or went."""
    kind = str(member.get("@odata.type", "#microsoft.graph.user")).rsplit(".", 1)[-1].capitalize()
    before, after = (None, group["displayName"]) if added else (group["displayName"], None)
    modified: Modified = [
        ("Group.ObjectID", group["id"] if not added else None, group["id"] if added else None),
        ("Group.DisplayName", before, after),
    ]
    record_directory(
        exchange,
        "Add member to group" if added else "Remove member from group",
        category="GroupManagement",
        service="Core Directory",
        operation="Assign" if added else "Unassign",
        targets=[
            target(kind, member["id"], member.get("displayName"), modified, member.get("userPrincipalName")),
            target("Group", group["id"], group["displayName"]),
        ],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class IntuneChange:
    """What an entry of /deviceManagement/auditEvents is about."""

    operation: Literal["Create", "Patch", "Delete", "Action"]
    kind: str
    """DeviceManagementConfigurationPolicy, DeviceConfiguration, ..."""
    id: str
    name: str
    modified: Modified = ()
    activity: str = ""
    """Unless it is the operation and the kind."""


def record_intune(exchange: Exchange, change: IntuneChange) -> None:
    """Write one entry of /deviceManagement/auditEvents."""
    actor = exchange.actor
    activity = change.activity or f"{change.operation} {change.kind}"
    _keep(
        exchange,
        "auditEvents",
        {
            "id": new_id(),
            "displayName": activity,
            "componentName": "DeviceConfiguration",
            "activity": None,
            "activityDateTime": exchange.stamp(),
            "activityType": activity,
            "activityOperationType": change.operation,
            "activityResult": "Success",
            "correlationId": exchange.call.client_request_id,
            "category": "DeviceConfiguration",
            "actor": {
                "auditActorType": "ItPro" if actor.is_user else "Application",
                "userPermissions": ["*"],
                "applicationId": actor.app_id or None,
                "applicationDisplayName": "Microsoft Intune portal extension" if actor.is_user else actor.name,
                "userPrincipalName": actor.name if actor.is_user else None,
                "servicePrincipalName": None,
                "ipAddress": None,
                "userId": actor.id if actor.is_user else None,
            },
            "resources": [
                {
                    "displayName": change.name,
                    "auditResourceType": change.kind,
                    "resourceId": change.id,
                    "modifiedProperties": _properties(change.modified),
                }
            ],
        },
    )


def _keep(exchange: Exchange, collection: str, entry: JSONObject) -> None:
    entries = exchange.store.collection(collection)
    exchange.store.add(collection, entry)
    while len(entries) > RETAINED_ENTRIES:
        del entries[next(iter(entries))]


def _visible(exchange: Exchange, collection: str) -> list[JSONObject]:
    """Newest first, without what has not come through yet."""
    newest = exchange.now - timedelta(seconds=exchange.behaviour.audit_delay_seconds)
    entries = exchange.store.scan(collection)
    return [entry for entry in reversed(entries) if _moment(entry["activityDateTime"]) <= newest]


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def list_directory_audits(exchange: Exchange) -> Reply:
    listing = Listing(
        fragment="auditLogs/directoryAudits",
        filterable=frozenset(
            {
                "activityDateTime",
                "activityDisplayName",
                "category",
                "correlationId",
                "id",
                "loggedByService",
                "initiatedBy/user/id",
                "initiatedBy/user/userPrincipalName",
                "initiatedBy/app/appId",
                "targetResources",
            }
        ),
        operators=frozenset({"eq", "ge", "le", "startswith", "any"}),
        sortable=frozenset({"activityDateTime"}),
        style="audit",
    )
    return answer_list(exchange, _visible(exchange, "directoryAudits"), listing)


def list_intune_audits(exchange: Exchange) -> Reply:
    listing = Listing(
        fragment="deviceManagement/auditEvents",
        filterable=frozenset(
            {
                "activityDateTime",
                "activityOperationType",
                "activityType",
                "activityResult",
                "category",
                "componentName",
                "id",
            }
        ),
        operators=frozenset({"eq", "ne", "gt", "ge", "lt", "le", "contains"}),
        sortable=frozenset({"activityDateTime"}),
        style="intune",
    )
    return answer_list(exchange, _visible(exchange, "auditEvents"), listing)
