"""Objects of the directory whatever their kind: finding, membership, deleted items."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tapctl.sandbox import audit
from tapctl.sandbox.errors import bad_request, not_found
from tapctl.sandbox.exchange import Exchange
from tapctl.sandbox.odata import Listing, answer_count, answer_list, project
from tapctl.sandbox.wire import NO_CONTENT, JSONObject, Reply

COLLECTIONS = ("groups", "users", "devices", "servicePrincipals")
IDS_AT_ONCE = 1000
CHECKED_AT_ONCE = 20


def find(exchange: Exchange, identifier: str) -> JSONObject | None:
    """The object of that id as GET by id sees it."""
    for collection in COLLECTIONS:
        found = exchange.store.read(collection, identifier)
        if found is not None:
            return found
    return None


def find_user(exchange: Exchange, key: str) -> JSONObject | None:
    """The user of that id or user principal name."""
    by_id = exchange.store.read("users", key)
    if by_id is not None:
        return by_id
    wanted = key.lower()
    return next((user for user in exchange.store.scan("users") if user["userPrincipalName"].lower() == wanted), None)


def require_user(exchange: Exchange) -> JSONObject:
    """The user of the path.

    Raises:
        GraphError: 404.
    """
    found = find_user(exchange, exchange.parameters["user"])
    if found is None:
        raise not_found(exchange.parameters["user"], exchange.service)
    return found


def kind_of(item: JSONObject) -> str:
    """user, group, device or servicePrincipal."""
    return str(item["@odata.type"]).rsplit(".", 1)[-1]


def members_of(exchange: Exchange, group: JSONObject, *, transitive: bool) -> list[JSONObject]:
    """The members, each once; transitively also those of groups inside, and these groups themselves."""
    found: dict[str, JSONObject] = {}
    waiting = list(group["_members"])
    while waiting:
        identifier = waiting.pop(0)
        member = None if identifier in found else _current(exchange, identifier)
        if member is None:
            continue
        found[identifier] = member
        if transitive and kind_of(member) == "group":
            waiting += member["_members"]
    return list(found.values())


def _current(exchange: Exchange, identifier: str) -> JSONObject | None:
    """The object itself: a membership is shown together with its group, it does not lag on its own."""
    for collection in COLLECTIONS:
        found = exchange.store.collection(collection).get(identifier)
        if found is not None:
            return found
    return None


def groups_of(exchange: Exchange, identifier: str, *, transitive: bool) -> list[JSONObject]:
    """The groups that hold the object, each once."""
    holders: dict[str, list[JSONObject]] = {}
    for group in exchange.store.collection("groups").values():
        for member in group["_members"]:
            holders.setdefault(member, []).append(group)
    found: dict[str, JSONObject] = {}
    waiting = [identifier.lower()]
    while waiting:
        for group in holders.get(waiting.pop(0), ()):
            if group["id"] not in found:
                found[group["id"]] = group
                if transitive:
                    waiting.append(group["id"])
    return list(found.values())


def cast(exchange: Exchange, items: Iterable[JSONObject]) -> list[JSONObject]:
    """Only the objects of the type that the path names, all where it names none."""
    wanted = exchange.parameters.get("cast", "").lower().removeprefix("microsoft.graph.")
    return [item for item in items if not wanted or kind_of(item).lower() == wanted]


def answer_members(exchange: Exchange, items: Iterable[JSONObject]) -> Reply:
    """A list, or a count, of directory objects of mixed kinds."""
    listing = Listing(fragment="directoryObjects", style="directory")
    found = cast(exchange, items)
    if exchange.call.path.lower().endswith("/$count"):
        return answer_count(exchange, found, listing)
    return answer_list(exchange, found, listing)


def _subject(exchange: Exchange) -> JSONObject:
    """The user, group, device or object that the path names."""
    if "user" in exchange.parameters:
        return require_user(exchange)
    identifier = next(
        exchange.parameters[name] for name in ("group", "device", "object") if name in exchange.parameters
    )
    found = find(exchange, identifier)
    if found is None:
        raise not_found(identifier)
    return found


def member_of(exchange: Exchange) -> Reply:
    return answer_members(exchange, groups_of(exchange, _subject(exchange)["id"], transitive=False))


def transitive_member_of(exchange: Exchange) -> Reply:
    return answer_members(exchange, groups_of(exchange, _subject(exchange)["id"], transitive=True))


def _strings(exchange: Exchange, name: str, limit: int) -> list[str]:
    values = exchange.body().get(name)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise bad_request(f"The parameter '{name}' is not a collection of strings.")
    if len(values) > limit:
        raise bad_request(f"The number of values of '{name}' is {len(values)}. Max allowed: {limit}.")
    return values


def _collection_of_strings(exchange: Exchange, values: list[str]) -> Reply:
    return Reply(body={"@odata.context": exchange.context("Collection(Edm.String)"), "value": values})


def check_member_groups(exchange: Exchange) -> Reply:
    return _check_membership(exchange, "groupIds")


def check_member_objects(exchange: Exchange) -> Reply:
    return _check_membership(exchange, "ids")


def _check_membership(exchange: Exchange, parameter: str) -> Reply:
    asked = _strings(exchange, parameter, CHECKED_AT_ONCE)
    held = {group["id"] for group in groups_of(exchange, _subject(exchange)["id"], transitive=True)}
    return _collection_of_strings(exchange, [identifier for identifier in asked if identifier.lower() in held])


def get_member_groups(exchange: Exchange) -> Reply:
    security_only = exchange.body().get("securityEnabledOnly")
    held = groups_of(exchange, _subject(exchange)["id"], transitive=True)
    return _collection_of_strings(
        exchange, [group["id"] for group in held if group["securityEnabled"] or not security_only]
    )


def get_object(exchange: Exchange) -> Reply:
    found = _subject(exchange)
    body = {"@odata.context": exchange.context("directoryObjects/$entity"), **project(exchange, found)}
    return Reply(body=body)


def get_by_ids(exchange: Exchange) -> Reply:
    """Those of the ids that exist, in any order; the others are left out without a word."""
    asked = _strings(exchange, "ids", IDS_AT_ONCE)
    kinds: Any = exchange.body().get("types")
    wanted = {str(kind).lower() for kind in kinds} if isinstance(kinds, list) else set()
    found = [find(exchange, identifier) for identifier in dict.fromkeys(value.lower() for value in asked)]
    items = [
        project(exchange, item)
        for item in found
        if item is not None and (not wanted or "directoryobject" in wanted or kind_of(item).lower() in wanted)
    ]
    return Reply(body={"@odata.context": exchange.context("directoryObjects"), "value": items})


def forget_membership(exchange: Exchange, identifier: str) -> None:
    """Take a deleted object out of every group; policies and assignments keep its id, as Graph does."""
    for group in exchange.store.collection("groups").values():
        if identifier in group["_members"]:
            group["_members"].remove(identifier)


def list_deleted(exchange: Exchange) -> Reply:
    listing = Listing(
        fragment="directoryObjects",
        filterable=frozenset({"id", "displayName"}),
        operators=frozenset({"eq", "startswith", "in"}),
        style="directory",
    )
    return answer_list(exchange, cast(exchange, exchange.store.scan("deletedItems")), listing)


def get_deleted(exchange: Exchange) -> Reply:
    found = exchange.store.read("deletedItems", exchange.parameters["object"])
    if found is None:
        raise not_found(exchange.parameters["object"])
    body = {"@odata.context": exchange.context("directoryObjects/$entity"), **project(exchange, found)}
    return Reply(body=body)


def restore_deleted(exchange: Exchange) -> Reply:
    found = exchange.store.remove("deletedItems", exchange.parameters["object"])
    if found is None:
        raise not_found(exchange.parameters["object"])
    found["deletedDateTime"] = None
    exchange.store.add(f"{kind_of(found)}s", found)
    if kind_of(found) == "group":
        audit.record_group(exchange, "Restore Group", found)
    return Reply(body={"@odata.context": exchange.context("directoryObjects/$entity"), **project(exchange, found)})


def purge_deleted(exchange: Exchange) -> Reply:
    found = exchange.store.remove("deletedItems", exchange.parameters["object"])
    if found is None:
        raise not_found(exchange.parameters["object"])
    if kind_of(found) == "group":
        audit.record_group(exchange, "Hard Delete group", found)
    return NO_CONTENT
