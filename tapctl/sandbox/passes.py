"""The Temporary Access Pass of one user. Its secret is answered once and kept nowhere."""

from __future__ import annotations

import secrets
import string
from datetime import datetime, timedelta
from typing import Any

from tapctl.sandbox import audit, directory, tap_policy
from tapctl.sandbox.errors import denied, not_found
from tapctl.sandbox.exchange import Exchange, new_id
from tapctl.sandbox.odata import Listing, answer_list
from tapctl.sandbox.wire import NO_CONTENT, JSONObject, Reply

_ALPHABET = string.ascii_letters + string.digits + "+*#!"
_BODY_KEYS = frozenset({"lifetimeInMinutes", "isUsableOnce", "startDateTime"})
_SHOWN = ("id", "createdDateTime", "startDateTime", "lifetimeInMinutes", "isUsableOnce")


def list_passes(exchange: Exchange) -> Reply:
    user = directory.require_user(exchange)
    options = sorted(name for name in exchange.options if name.startswith("$"))
    if options:
        raise exchange.refuse(f"The query option {options[0]} is not supported.")
    fragment = f"users('{user['id']}')/authentication/temporaryAccessPassMethods"
    found = [_rendered(exchange, entry) for entry in _passes_of(exchange, user)]
    return answer_list(exchange, found, Listing(fragment=fragment))


def get_pass(exchange: Exchange) -> Reply:
    user = directory.require_user(exchange)
    for entry in _passes_of(exchange, user):
        if entry["id"] == exchange.parameters["pass"].lower():
            fragment = f"users('{user['id']}')/authentication/temporaryAccessPassMethods/$entity"
            return Reply(body={"@odata.context": exchange.context(fragment), **_rendered(exchange, entry)})
    raise not_found(exchange.parameters["pass"], "authentication")


def create_pass(exchange: Exchange) -> Reply:
    user = directory.require_user(exchange)
    policy = exchange.store.read("policies", tap_policy.KEY) or tap_policy.default_policy()
    if exchange.actor.is_user and exchange.actor.id == user["id"]:
        raise denied("authentication")
    if user.get("userType") == "Guest":
        raise exchange.refuse("Temporary Access Pass cannot be added to an external guest user.")
    if policy["state"] != "enabled" and exchange.behaviour.tap_while_disabled == "refuse":
        raise exchange.refuse("Temporary Access Pass is not enabled in the authentication methods policy.")
    entry = _new_pass(exchange, user, policy)
    existing = _passes_of(exchange, user)
    valid = [found for found in existing if _usability(exchange, found) not in {"Expired", "OneTimeUsed"}]
    if valid and exchange.behaviour.second_tap == "refuse":
        raise exchange.refuse("The user already has a valid Temporary Access Pass. Delete it first.")
    for found in existing:
        exchange.store.remove("passes", found["id"])
    exchange.store.add("passes", entry)
    _record(exchange, "Admin registered security info", user)
    secret = "".join(secrets.choice(_ALPHABET) for _ in range(policy["defaultLength"]))
    body = {
        "@odata.context": exchange.context(f"users('{user['id']}')/authentication/temporaryAccessPassMethods/$entity"),
        "@odata.type": "#microsoft.graph.temporaryAccessPassAuthenticationMethod",
        **_rendered(exchange, entry),
        "temporaryAccessPass": secret,
    }
    return Reply(status=201, body=body)


def delete_pass(exchange: Exchange) -> Reply:
    user = directory.require_user(exchange)
    for entry in _passes_of(exchange, user):
        if entry["id"] == exchange.parameters["pass"].lower():
            exchange.store.remove("passes", entry["id"])
            _record(exchange, "Admin deleted security info", user)
            return NO_CONTENT
    raise not_found(exchange.parameters["pass"], "authentication")


def _passes_of(exchange: Exchange, user: JSONObject) -> list[JSONObject]:
    return [entry for entry in exchange.store.scan("passes") if entry["_user"] == user["id"]]


def _new_pass(exchange: Exchange, user: JSONObject, policy: JSONObject) -> JSONObject:
    body = {name: value for name, value in exchange.body().items() if "@" not in name}
    unknown = sorted(set(body) - _BODY_KEYS)
    if unknown:
        raise exchange.refuse(f"The property '{unknown[0]}' cannot be set on a Temporary Access Pass.")
    low, high = policy["minimumLifetimeInMinutes"], policy["maximumLifetimeInMinutes"]
    lifetime = body.get("lifetimeInMinutes")
    lifetime = policy["defaultLifetimeInMinutes"] if lifetime is None else lifetime
    if not isinstance(lifetime, int) or isinstance(lifetime, bool) or not low <= lifetime <= high:
        raise exchange.refuse(f"Invalid LifetimeInMinutes specified. The valid range between {low} and {high}.")
    once = body.get("isUsableOnce")
    once = policy["isUsableOnce"] if once is None else once
    if policy["isUsableOnce"] and not once:
        raise exchange.refuse("The policy allows Temporary Access Passes for one-time use only.")
    start = body.get("startDateTime")
    return {
        "id": new_id(),
        "_user": user["id"],
        "_reads": 0,
        "createdDateTime": exchange.stamp(),
        "startDateTime": exchange.stamp() if start is None else _checked_start(exchange, start),
        "lifetimeInMinutes": lifetime,
        "isUsableOnce": bool(once),
    }


def _checked_start(exchange: Exchange, text: Any) -> str:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError as error:
        raise exchange.refuse("Invalid StartDateTime specified.") from error
    if moment.tzinfo is None:
        raise exchange.refuse("Invalid StartDateTime specified: it has no offset.")
    return str(text)


def _rendered(exchange: Exchange, entry: JSONObject) -> JSONObject:
    reason = _usability(exchange, entry)
    entry["_reads"] += 1
    usable = reason == "EnabledByPolicy" and entry["_reads"] > exchange.behaviour.tap_usable_after_reads
    shown: JSONObject = {name: entry[name] for name in _SHOWN}
    return {**shown, "temporaryAccessPass": None, "isUsable": usable, "methodUsabilityReason": reason}


def _usability(exchange: Exchange, entry: JSONObject) -> str:
    start = datetime.fromisoformat(entry["startDateTime"])
    if entry.get("_used") and entry["isUsableOnce"]:
        return "OneTimeUsed"
    if start + timedelta(minutes=entry["lifetimeInMinutes"]) <= exchange.now:
        return "Expired"
    policy = exchange.store.read("policies", tap_policy.KEY) or tap_policy.default_policy()
    outlawed = policy["isUsableOnce"] and not entry["isUsableOnce"]
    if policy["state"] != "enabled" or outlawed or not tap_policy.is_in_scope(exchange, policy, entry["_user"]):
        return "DisabledByPolicy"
    return "NotYetValid" if start > exchange.now else "EnabledByPolicy"


def _record(exchange: Exchange, activity: str, user: JSONObject) -> None:
    audit.record_directory(
        exchange,
        activity,
        category="UserManagement",
        service="Authentication Methods",
        operation="Update",
        targets=[
            audit.target("User", user["id"], user.get("displayName"), upn=user["userPrincipalName"]),
        ],
    )
