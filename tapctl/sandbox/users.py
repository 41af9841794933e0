"""Users and devices."""

from __future__ import annotations

from tapctl.sandbox import directory
from tapctl.sandbox.errors import not_found
from tapctl.sandbox.exchange import Exchange
from tapctl.sandbox.odata import DIRECTORY_OPERATORS, Listing, answer_count, answer_list, project
from tapctl.sandbox.wire import JSONObject, Reply

DEFAULT_PROPERTIES = (
    "businessPhones",
    "displayName",
    "givenName",
    "jobTitle",
    "mail",
    "mobilePhone",
    "officeLocation",
    "preferredLanguage",
    "surname",
    "userPrincipalName",
    "id",
)
"""All that v1.0 answers about a user without $select: accountEnabled and userType are not among them."""

USERS = Listing(
    fragment="users",
    filterable=frozenset(
        {
            "id",
            "userPrincipalName",
            "displayName",
            "mail",
            "accountEnabled",
            "userType",
            "department",
            "onPremisesSyncEnabled",
        }
    ),
    operators=DIRECTORY_OPERATORS,
    sortable=frozenset({"displayName", "userPrincipalName"}),
    default_select=DEFAULT_PROPERTIES,
    style="directory",
)
DEVICES = Listing(
    fragment="devices",
    filterable=frozenset(
        {
            "id",
            "deviceId",
            "displayName",
            "trustType",
            "operatingSystem",
            "operatingSystemVersion",
            "accountEnabled",
            "isManaged",
            "isCompliant",
        }
    ),
    operators=DIRECTORY_OPERATORS,
    sortable=frozenset({"displayName"}),
    style="directory",
)


def _typeless(item: JSONObject) -> JSONObject:
    return {name: value for name, value in item.items() if name != "@odata.type"}


def list_users(exchange: Exchange) -> Reply:
    return answer_list(exchange, map(_typeless, exchange.store.scan("users")), USERS)


def count_users(exchange: Exchange) -> Reply:
    return answer_count(exchange, exchange.store.scan("users"), USERS)


def get_user(exchange: Exchange) -> Reply:
    default = DEFAULT_PROPERTIES if exchange.call.version == "v1.0" else None
    user = project(exchange, _typeless(directory.require_user(exchange)), default)
    return Reply(body={"@odata.context": exchange.context("users/$entity"), **user})


def list_devices(exchange: Exchange) -> Reply:
    return answer_list(exchange, map(_typeless, exchange.store.scan("devices")), DEVICES)


def count_devices(exchange: Exchange) -> Reply:
    return answer_count(exchange, exchange.store.scan("devices"), DEVICES)


def get_device(exchange: Exchange) -> Reply:
    found = exchange.store.read("devices", exchange.parameters["device"])
    return _device(exchange, found, exchange.parameters["device"])


def get_device_by_device_id(exchange: Exchange) -> Reply:
    wanted = exchange.parameters["deviceId"]
    devices = exchange.store.scan("devices")
    found = next((device for device in devices if device["deviceId"] == wanted.lower()), None)
    return _device(exchange, found, wanted)


def _device(exchange: Exchange, found: JSONObject | None, asked: str) -> Reply:
    if found is None:
        raise not_found(asked)
    device = project(exchange, _typeless(found))
    return Reply(body={"@odata.context": exchange.context("devices/$entity"), **device})


def registered_owners(exchange: Exchange) -> Reply:
    """The users who registered a device."""
    found = exchange.store.read("devices", exchange.parameters["device"])
    if found is None:
        raise not_found(exchange.parameters["device"])
    owners = [directory.find(exchange, identifier) for identifier in found["_owners"]]
    return directory.answer_members(exchange, [owner for owner in owners if owner is not None])


def owned_devices(exchange: Exchange) -> Reply:
    """The devices that a user registered."""
    user = directory.require_user(exchange)
    devices = exchange.store.scan("devices")
    return directory.answer_members(exchange, [device for device in devices if user["id"] in device["_owners"]])
