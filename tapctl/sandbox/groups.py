"""Groups: create, upsert, change, delete, members and owners."""

from __future__ import annotations

import copy
import re
import uuid
from collections.abc import Iterable
from typing import Any

from tapctl.sandbox import audit, directory, membership_rules
from tapctl.sandbox.errors import GraphError, bad_request, denied, not_found
from tapctl.sandbox.exchange import Exchange, is_guid, new_id, without_annotations
from tapctl.sandbox.odata import DIRECTORY_OPERATORS, Listing, answer_count, answer_list, project
from tapctl.sandbox.permissions import ROLE_ASSIGNABLE_WRITE
from tapctl.sandbox.wire import NO_CONTENT, JSONObject, Reply

RELATIONSHIPS_AT_ONCE = 20
DISPLAY_NAME_LIMIT = 256
DESCRIPTION_LIMIT = 1024
NICKNAME_LIMIT = 64
_NICKNAME = re.compile(r"""^[!-~]+$""")
_NICKNAME_FORBIDDEN = frozenset('@()\\[]";:<>, ')

GROUPS = Listing(
    fragment="groups",
    filterable=frozenset(
        {
            "id",
            "displayName",
            "description",
            "mailNickname",
            "mail",
            "uniqueName",
            "securityEnabled",
            "mailEnabled",
            "groupTypes",
            "isAssignableToRole",
            "membershipRuleProcessingState",
            "onPremisesSyncEnabled",
            "createdDateTime",
        }
    ),
    operators=DIRECTORY_OPERATORS | {"any"},
    sortable=frozenset({"displayName"}),
    style="directory",
)

_WRITABLE = frozenset(
    {
        "displayName",
        "description",
        "mailNickname",
        "mailEnabled",
        "securityEnabled",
        "groupTypes",
        "visibility",
        "membershipRule",
        "membershipRuleProcessingState",
        "isAssignableToRole",
        "uniqueName",
    }
)
_BINDINGS = {"members@odata.bind": "_members", "owners@odata.bind": "_owners"}
_DUPLICATE = "One or more added object references already exist for the following modified properties: 'members'."


def new_group(identifier: str, moment: str) -> JSONObject:
    """A group as the service makes it before anything is said about it. `moment` has whole seconds."""
    parts = uuid.UUID(identifier).bytes_le
    numbers = [int.from_bytes(parts[start : start + 4], "little") for start in range(0, 16, 4)]
    return {
        "@odata.type": "#microsoft.graph.group",
        "id": identifier,
        "deletedDateTime": None,
        "createdDateTime": moment,
        "description": None,
        "displayName": "",
        "groupTypes": [],
        "isAssignableToRole": None,
        "mail": None,
        "mailEnabled": False,
        "mailNickname": "",
        "membershipRule": None,
        "membershipRuleProcessingState": None,
        "onPremisesSyncEnabled": None,
        "proxyAddresses": [],
        "renewedDateTime": moment,
        "securityEnabled": True,
        "securityIdentifier": "S-1-12-1-" + "-".join(map(str, numbers)),
        "uniqueName": None,
        "visibility": None,
        "_members": [],
        "_owners": [],
    }


def _typeless(item: JSONObject) -> JSONObject:
    return {name: value for name, value in item.items() if name != "@odata.type"}


def list_groups(exchange: Exchange) -> Reply:
    return answer_list(exchange, map(_typeless, exchange.store.scan("groups")), GROUPS)


def count_groups(exchange: Exchange) -> Reply:
    return answer_count(exchange, exchange.store.scan("groups"), GROUPS)


def _read(exchange: Exchange) -> JSONObject:
    found = exchange.store.read("groups", exchange.parameters["group"])
    if found is None:
        raise not_found(exchange.parameters["group"])
    return found


def _edit(exchange: Exchange) -> JSONObject:
    """The group of the path for changing it."""
    identifier = exchange.parameters["group"]
    current = exchange.store.collection("groups").get(identifier.lower())
    if current is not None:
        _check_right_to_write(exchange, current)
    found = exchange.store.edit("groups", identifier)
    if found is None:
        raise not_found(identifier)
    return found


def _check_right_to_write(exchange: Exchange, group: JSONObject) -> None:
    permissions = exchange.actor.permissions
    if group["isAssignableToRole"] and permissions is not None and not permissions & ROLE_ASSIGNABLE_WRITE:
        raise denied("directory")
    if group["onPremisesSyncEnabled"]:
        raise bad_request(
            "Unable to update the specified properties for on-premises mastered Directory Sync objects or objects "
            "currently undergoing migration."
        )


def _answer(exchange: Exchange, group: JSONObject, status: int = 200) -> Reply:
    body = {"@odata.context": exchange.context("groups/$entity"), **project(exchange, _typeless(group))}
    return Reply(status=status, body=body)


def get_group(exchange: Exchange) -> Reply:
    return _answer(exchange, _read(exchange))


def _by_unique_name(exchange: Exchange) -> JSONObject | None:
    wanted = exchange.parameters["uniqueName"]
    return next((group for group in exchange.store.scan("groups") if group["uniqueName"] == wanted), None)


def get_group_by_unique_name(exchange: Exchange) -> Reply:
    found = _by_unique_name(exchange)
    if found is None:
        raise not_found(exchange.parameters["uniqueName"])
    return _answer(exchange, found)


def upsert_group(exchange: Exchange) -> Reply:
    """PATCH by uniqueName: with `Prefer: create-if-missing` 201 or 204, without it a plain update."""
    unique_name = exchange.parameters["uniqueName"]
    body = exchange.body()
    if body.get("uniqueName", unique_name) != unique_name:
        raise bad_request("The uniqueName of the body is not that of the address.")
    groups = exchange.store.collection("groups")
    existing = next((group for group in groups.values() if group["uniqueName"] == unique_name), None)
    if existing is not None:
        _check_right_to_write(exchange, existing)
        found = exchange.store.edit("groups", existing["id"])
        if found is None:
            raise not_found(unique_name)
        return _change(exchange, found, body)
    if "create-if-missing" not in exchange.call.headers.get("prefer", "").lower():
        raise not_found(unique_name)
    return _create(exchange, {**body, "uniqueName": unique_name})


def create_group(exchange: Exchange) -> Reply:
    return _create(exchange, exchange.body())


def _create(exchange: Exchange, body: JSONObject) -> Reply:
    for required in ("displayName", "mailEnabled", "mailNickname", "securityEnabled"):
        if body.get(required) is None:
            raise bad_request(f"A value is required for property '{required}' of resource 'Group'.")
    group = new_group(new_id(), exchange.now.strftime("%Y-%m-%dT%H:%M:%SZ"))
    group.update(_checked_values(body))
    _check_as_a_whole(group)
    _check_role_assignable(exchange, group)
    unique_name = group["uniqueName"]
    if unique_name is not None and any(
        other["uniqueName"] == unique_name for other in exchange.store.collection("groups").values()
    ):
        raise bad_request("Another object with the same value for property uniqueName already exists.")
    bound = {name: _bound(exchange, body, name) for name in _BINDINGS}
    if sum(map(len, bound.values())) > RELATIONSHIPS_AT_ONCE:
        raise bad_request(f"At most {RELATIONSHIPS_AT_ONCE} relationships can be made in one request.")
    for name, identifiers in bound.items():
        if len(set(identifiers)) < len(identifiers):
            raise bad_request(_DUPLICATE)
        group[_BINDINGS[name]] = identifiers
    if "Unified" in group["groupTypes"]:
        group["mail"] = f"{group['mailNickname']}@contoso.com"
    apply_rule(exchange, group)
    exchange.store.add("groups", group)
    audit.record_group(exchange, "Add group", group, [("DisplayName", None, group["displayName"])])
    for identifier in group["_members"]:
        _record_member(exchange, group, identifier, added=True)
    return _answer(exchange, group, 201)


def _check_role_assignable(exchange: Exchange, group: JSONObject) -> None:
    if not group["isAssignableToRole"]:
        return
    permissions = exchange.actor.permissions
    if permissions is not None and not permissions & ROLE_ASSIGNABLE_WRITE:
        raise denied("directory")
    if "DynamicMembership" in group["groupTypes"]:
        raise bad_request("A group that can be assigned to roles cannot have dynamic membership.")
    if group["visibility"] not in (None, "Private"):
        raise bad_request("A group that can be assigned to roles must be private.")
    group["visibility"] = "Private"


def patch_group(exchange: Exchange) -> Reply:
    return _change(exchange, _edit(exchange), exchange.body())


def _change(exchange: Exchange, group: JSONObject, body: JSONObject) -> Reply:
    values = _checked_values(body)
    before = copy.deepcopy(group)
    for immutable in ("isAssignableToRole", "uniqueName"):
        if immutable in values and (values[immutable] or None) != (before[immutable] or None):
            raise bad_request(f"Property '{immutable}' is read-only and cannot be set.")
    after = {**before, **values}
    _check_as_a_whole(after)
    added = _added(exchange, before, body)
    after["_members"] = before["_members"] + added["members@odata.bind"]
    after["_owners"] = before["_owners"] + added["owners@odata.bind"]
    if after["_members"] != before["_members"]:
        _require_static(after)
    apply_rule(exchange, after)
    group.update(after)
    modified = audit.differences(before, {**group, "_members": before["_members"], "_owners": before["_owners"]})
    if modified:
        audit.record_group(exchange, "Update group", group, modified)
    for identifier in added["members@odata.bind"]:
        _record_member(exchange, group, identifier, added=True)
    return NO_CONTENT


def _added(exchange: Exchange, group: JSONObject, body: JSONObject) -> dict[str, list[str]]:
    """What the bindings add: all of it is possible, or nothing is done."""
    added = {name: _bound(exchange, body, name) for name in _BINDINGS}
    for name, identifiers in added.items():
        if len(identifiers) > RELATIONSHIPS_AT_ONCE:
            raise bad_request(f"At most {RELATIONSHIPS_AT_ONCE} relationships can be made in one request.")
        if len({*identifiers, *group[_BINDINGS[name]]}) < len(identifiers) + len(group[_BINDINGS[name]]):
            raise bad_request(_DUPLICATE.replace("members", name.partition("@")[0]))
    return added


def _checked_values(body: JSONObject) -> JSONObject:
    values = {name: value for name, value in without_annotations(body).items() if name not in _BINDINGS}
    unknown = sorted(set(values) - _WRITABLE)
    if unknown:
        raise bad_request(f"Property '{unknown[0]}' does not exist as a declared property or is read-only.")
    _check_text(values, "displayName", DISPLAY_NAME_LIMIT, required=True)
    _check_text(values, "description", DESCRIPTION_LIMIT)
    _check_text(values, "mailNickname", NICKNAME_LIMIT, required=True)
    nickname = values.get("mailNickname")
    if nickname is not None and (not _NICKNAME.match(nickname) or set(nickname) & _NICKNAME_FORBIDDEN):
        raise bad_request("Invalid value specified for property 'mailNickname' of resource 'Group'.")
    if values.get("description") == "":
        raise bad_request("Invalid value specified for property 'description' of resource 'Group'.")
    return values


def _check_text(values: JSONObject, name: str, limit: int, *, required: bool = False) -> None:
    if name not in values or (values[name] is None and not required):
        return
    value: Any = values[name]
    if not isinstance(value, str) or len(value) > limit or (required and not value):
        raise bad_request(f"Invalid value specified for property '{name}' of resource 'Group'.")


def _check_as_a_whole(group: JSONObject) -> None:
    is_dynamic = "DynamicMembership" in group["groupTypes"]
    rule, processing = group["membershipRule"], group["membershipRuleProcessingState"]
    if set(group["groupTypes"]) - {"DynamicMembership", "Unified"}:
        raise bad_request("Invalid value specified for property 'groupTypes' of resource 'Group'.")
    if is_dynamic and (not rule or processing not in ("On", "Paused")):
        raise bad_request("A dynamic group needs membershipRule and membershipRuleProcessingState.")
    if not is_dynamic and rule:
        raise bad_request("Property membershipRule is only supported on dynamic groups.")
    if rule and not _is_balanced(rule):
        raise bad_request("Invalid value specified for property 'membershipRule' of resource 'Group'.")
    if group["mailEnabled"] and "Unified" not in group["groupTypes"]:
        raise bad_request("The service does not currently support writes of mail-enabled groups.")
    if not group["securityEnabled"] and "Unified" not in group["groupTypes"]:
        raise bad_request("A group must be security enabled, or a Microsoft 365 group.")


def _is_balanced(rule: str) -> bool:
    bare = re.sub(r'"[^"]*"', "", rule)
    return '"' not in bare and bare.count("(") == bare.count(")") and bare.count("[") == bare.count("]")


def apply_rule(exchange: Exchange, group: JSONObject) -> None:
    """Fill a dynamic group by its rule; a paused one, or a rule beyond the evaluator, keeps its members."""
    if group["membershipRuleProcessingState"] != "On" or "DynamicMembership" not in group["groupTypes"]:
        return
    users = list(exchange.store.collection("users").values())
    devices = list(exchange.store.collection("devices").values())
    members = membership_rules.members_of_rule(group["membershipRule"], users, devices)
    if members is not None:
        group["_members"] = members


def delete_group(exchange: Exchange) -> Reply:
    """Policies and assignments keep the id: Graph does not clean up after a group."""
    current = _edit(exchange)
    exchange.store.remove("groups", current["id"])
    directory.forget_membership(exchange, current["id"])
    if exchange.behaviour.soft_delete_groups == "all" or "Unified" in current["groupTypes"]:
        current["deletedDateTime"] = exchange.now.strftime("%Y-%m-%dT%H:%M:%SZ")
        exchange.store.add("deletedItems", current)
    audit.record_group(exchange, "Delete group", current)
    return NO_CONTENT


# members and owners


def list_members(exchange: Exchange) -> Reply:
    return directory.answer_members(exchange, directory.members_of(exchange, _read(exchange), transitive=False))


def list_transitive_members(exchange: Exchange) -> Reply:
    return directory.answer_members(exchange, directory.members_of(exchange, _read(exchange), transitive=True))


def list_owners(exchange: Exchange) -> Reply:
    owners = (directory.find(exchange, identifier) for identifier in _read(exchange)["_owners"])
    return directory.answer_members(exchange, [owner for owner in owners if owner is not None])


def _bound(exchange: Exchange, body: JSONObject, name: str) -> list[str]:
    references = body.get(name, [])
    if not isinstance(references, list):
        raise bad_request(f"The value of '{name}' is not a collection.")
    return [_referred(exchange, reference) for reference in references]


def _referred(exchange: Exchange, reference: Any) -> str:
    """The id that an address of a directory object ends in.

    Raises:
        GraphError: 400, no such address; 404, no such object.
    """
    identifier = str(reference).rstrip("/").rsplit("/", 1)[-1].lower()
    if not isinstance(reference, str) or "/" not in reference or not is_guid(identifier):
        raise bad_request("Invalid URL format specified in payload.")
    if directory.find(exchange, identifier) is None:
        raise not_found(identifier)
    return identifier


def _require_static(group: JSONObject) -> None:
    if "DynamicMembership" in group["groupTypes"]:
        raise bad_request("Insufficient privileges to update membership: the group has dynamic membership.")


def add_member(exchange: Exchange) -> Reply:
    return _add_reference(exchange, "_members")


def add_owner(exchange: Exchange) -> Reply:
    return _add_reference(exchange, "_owners")


def _add_reference(exchange: Exchange, relation: str) -> Reply:
    group = _edit(exchange)
    identifier = _referred(exchange, exchange.body().get("@odata.id"))
    if relation == "_members":
        _require_static(group)
    if identifier in group[relation]:
        raise bad_request(_DUPLICATE.replace("members", relation.lstrip("_")))
    if identifier == group["id"]:
        raise bad_request("A group cannot be a member of itself.")
    group[relation].append(identifier)
    if relation == "_members":
        _record_member(exchange, group, identifier, added=True)
    return NO_CONTENT


def remove_member(exchange: Exchange) -> Reply:
    return _remove_reference(exchange, "_members")


def remove_owner(exchange: Exchange) -> Reply:
    return _remove_reference(exchange, "_owners")


def _remove_reference(exchange: Exchange, relation: str) -> Reply:
    group = _edit(exchange)
    identifier = exchange.parameters["member"].lower()
    if identifier not in group[relation]:
        raise not_found(identifier)
    if relation == "_members":
        _require_static(group)
    group[relation].remove(identifier)
    if relation == "_members":
        _record_member(exchange, group, identifier, added=False)
    return NO_CONTENT


def delete_member_object(exchange: Exchange) -> Reply:
    """DELETE of a member without `/$ref`: not the membership goes but the user, as in Graph."""
    identifier = exchange.parameters["member"].lower()
    if identifier not in _read(exchange)["_members"]:
        raise not_found(identifier)
    user = exchange.store.remove("users", identifier)
    if user is None:
        raise GraphError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")
    directory.forget_membership(exchange, identifier)
    exchange.store.add("deletedItems", user)
    audit.record_directory(
        exchange,
        "Delete user",
        category="UserManagement",
        service="Core Directory",
        operation="Delete",
        targets=[audit.target("User", identifier, user["displayName"], upn=user["userPrincipalName"])],
    )
    return NO_CONTENT


def _record_member(exchange: Exchange, group: JSONObject, identifier: str, *, added: bool) -> None:
    members: Iterable[JSONObject | None] = (
        exchange.store.collection(name).get(identifier) for name in directory.COLLECTIONS
    )
    member = next((found for found in members if found is not None), {"id": identifier})
    audit.record_member(exchange, group, member, added=added)
