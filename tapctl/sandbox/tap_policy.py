"""The authentication methods policy and the TAP configuration in it."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any

from tapctl.sandbox import audit, directory
from tapctl.sandbox.behaviour import Behaviour
from tapctl.sandbox.errors import GraphError, not_found
from tapctl.sandbox.exchange import Exchange, as_kept, is_guid, without_annotations
from tapctl.sandbox.odata import project
from tapctl.sandbox.wire import NO_CONTENT, JSONObject, Reply

TYPE = "#microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration"
KEY = "temporaryaccesspass"
"""The object's key in the collection `policies`; its id on the wire is TemporaryAccessPass."""
WHOLE = "authenticationmethodspolicy"
SIZE_LIMIT_BYTES = 20_000

_RANGES: Mapping[str, tuple[int, int]] = {
    "defaultLength": (8, 48),
    "defaultLifetimeInMinutes": (10, 43200),
    "minimumLifetimeInMinutes": (10, 43200),
    "maximumLifetimeInMinutes": (10, 43200),
}
_INCLUDE_KEYS = frozenset({"id", "targetType", "isRegistrationRequired"})
_EXCLUDE_KEYS = frozenset({"id", "targetType"})


def default_policy() -> JSONObject:
    """The TAP configuration of a fresh tenant, and what DELETE brings back."""
    return {
        "@odata.type": TYPE,
        "id": "TemporaryAccessPass",
        "state": "disabled",
        "defaultLifetimeInMinutes": 60,
        "defaultLength": 8,
        "minimumLifetimeInMinutes": 60,
        "maximumLifetimeInMinutes": 480,
        "isUsableOnce": False,
        "includeTargets": [{"targetType": "group", "id": "all_users", "isRegistrationRequired": False}],
        "excludeTargets": [],
    }


def get_whole(exchange: Exchange) -> Reply:
    whole = exchange.store.read("policies", WHOLE) or {}
    methods = [_rendered(exchange), *whole["_otherMethods"]]
    body = {
        "@odata.context": exchange.context("authenticationMethodsPolicy"),
        **whole,
        "authenticationMethodConfigurations": methods,
    }
    return Reply(body=project(exchange, body))


def patch_whole(exchange: Exchange) -> Reply:
    body = without_annotations(exchange.body())
    whole = exchange.store.edit("policies", WHOLE) or {}
    unknown = sorted(set(body) - {name for name in whole if not name.startswith("_")})
    if unknown:
        raise exchange.refuse(f"The property '{unknown[0]}' cannot be changed here.")
    before = dict(whole)
    whole.update({name: as_kept(value) for name, value in body.items() if name not in {"id", "policyVersion"}})
    whole["lastModifiedDateTime"] = exchange.stamp()
    audit.record_policy(exchange, before, whole)
    return NO_CONTENT


def get_method(exchange: Exchange) -> Reply:
    context = exchange.context("authenticationMethodConfigurations/$entity")
    name = exchange.parameters["method"]
    if name.lower() == KEY:
        return Reply(body={"@odata.context": context, **project(exchange, _rendered(exchange))})
    whole = exchange.store.read("policies", WHOLE) or {}
    for method in whole["_otherMethods"]:
        if method["id"].lower() == name.lower():
            return Reply(body={"@odata.context": context, **project(exchange, method)})
    raise not_found(name, "authentication")


def _rendered(exchange: Exchange) -> JSONObject:
    stored = exchange.store.read("policies", KEY)
    if stored is None:
        raise not_found("TemporaryAccessPass", "authentication")
    behaviour = exchange.behaviour
    policy: JSONObject = {}
    for name, value in stored.items():
        if name == "includeTargets" and behaviour.include_targets == "missing":
            continue
        if name == "includeTargets" and behaviour.target_annotations:
            policy["includeTargets@odata.context"] = exchange.context(
                "policies/authenticationMethodsPolicy/authenticationMethodConfigurations('TemporaryAccessPass')/"
                "microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration/includeTargets"
            )
        if name == "excludeTargets" and not value and behaviour.exclude_targets_missing:
            continue
        if name == "includeTargets" and _is_include_hidden(value, behaviour):
            value = None
        policy[name] = value[::-1] if isinstance(value, list) and behaviour.reverse_targets else value
    if behaviour.extra_keys:
        policy["auditRuleInformation"] = None
    return policy


def _is_include_hidden(targets: list[JSONObject], behaviour: Behaviour) -> bool:
    return behaviour.include_targets == "null" or (behaviour.include_targets == "null-when-empty" and not targets)


def patch_method(exchange: Exchange) -> Reply:
    _require_tap(exchange)
    body = exchange.body()
    declared = body.get("@odata.type")
    if declared != TYPE and (declared is not None or exchange.behaviour.odata_type_required):
        raise exchange.refuse("The @odata.type of the authentication method configuration is missing or wrong.")
    changes = _checked_changes(exchange, without_annotations(body))
    policy = exchange.store.edit("policies", KEY)
    if policy is None:
        raise not_found("TemporaryAccessPass", "authentication")
    before = copy.deepcopy(policy)
    _fill_registration(changes, before if exchange.behaviour.is_registration_required_kept else {})
    after = {**before, **changes}
    if exchange.behaviour.recalculate_lifetimes:
        after = _recalculated(after, changes)
    _check_as_a_whole(exchange, before, after)
    policy.update(after)
    _touch(exchange)
    audit.record_policy(exchange, before, policy)
    return NO_CONTENT


def delete_method(exchange: Exchange) -> Reply:
    """Not a deletion: back to the default configuration."""
    _require_tap(exchange)
    policy = exchange.store.edit("policies", KEY)
    if policy is None:
        raise not_found("TemporaryAccessPass", "authentication")
    before = copy.deepcopy(policy)
    fresh = default_policy()
    if exchange.behaviour.reset_keeps_targets:
        fresh |= {name: before[name] for name in ("state", "includeTargets", "excludeTargets")}
    policy.update(fresh)
    _touch(exchange)
    audit.record_policy(exchange, before, policy, reset=True)
    return NO_CONTENT


def _require_tap(exchange: Exchange) -> None:
    name = exchange.parameters["method"]
    if name.lower() != KEY:
        raise GraphError(501, "NotImplemented", f"not emulated: {exchange.call.method} {exchange.call.path}")


def _touch(exchange: Exchange) -> None:
    whole = exchange.store.edit("policies", WHOLE)
    if whole is not None:
        whole["lastModifiedDateTime"] = exchange.stamp()


def _checked_changes(exchange: Exchange, body: JSONObject) -> JSONObject:
    changes: JSONObject = {}
    for name, value in body.items():
        if name == "id":
            continue
        if name in _RANGES:
            low, high = _RANGES[name]
            if not _is_integer(value) or not low <= value <= high:
                raise exchange.refuse(f"Invalid {name} specified. The valid range between {low} and {high}.")
        elif name == "isUsableOnce":
            if not isinstance(value, bool):
                raise exchange.refuse("Invalid isUsableOnce specified.")
        elif name == "state":
            if value not in ("enabled", "disabled"):
                raise exchange.refuse("Invalid state specified.")
        elif name in ("includeTargets", "excludeTargets"):
            value = _checked_targets(exchange, name, value)
        else:
            raise exchange.refuse(f"The property '{name}' does not exist on type '{TYPE.lstrip('#')}'.")
        changes[name] = value
    return changes


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _checked_targets(exchange: Exchange, name: str, value: Any) -> list[JSONObject]:
    """The collection that replaces the old one as a whole."""
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        raise exchange.refuse(f"{name} is not a collection.")
    is_include = name == "includeTargets"
    targets = []
    for entry in value:
        entry = without_annotations(entry)
        identifier = entry.get("id")
        if exchange.behaviour.target_display_names == "drop":
            entry.pop("displayName", None)
        if not set(entry) <= (_INCLUDE_KEYS if is_include else _EXCLUDE_KEYS):
            raise exchange.refuse(f"A target of {name} has a property that its type does not have.")
        if entry.get("targetType") not in ("group", "user"):
            raise exchange.refuse(f"A target of {name} has no valid targetType.")
        if not (is_guid(identifier) or (is_include and identifier == "all_users")):
            raise exchange.refuse(f"A target of {name} has no valid id.")
        if not isinstance(entry.get("isRegistrationRequired", False), bool):
            raise exchange.refuse(f"A target of {name} has no valid isRegistrationRequired.")
        targets.append(entry)
    identifiers = [target["id"].lower() for target in targets]
    if len(set(identifiers)) < len(identifiers):
        raise exchange.refuse(f"{name} names a target twice.")
    return targets


def _fill_registration(changes: JSONObject, before: JSONObject) -> None:
    """Give include targets without isRegistrationRequired the value that they had `before`, else false."""
    had = {target["id"].lower(): target["isRegistrationRequired"] for target in before.get("includeTargets", ())}
    for target in changes.get("includeTargets", ()):
        target.setdefault("isRegistrationRequired", had.get(target["id"].lower(), False))


def _recalculated(after: JSONObject, changes: JSONObject) -> JSONObject:
    """Lifetimes that were not sent give way to those that were."""
    low, mid, high = "minimumLifetimeInMinutes", "defaultLifetimeInMinutes", "maximumLifetimeInMinutes"
    if low not in changes:
        after[low] = min(after[low], after[high])
    if high not in changes:
        after[high] = max(after[high], after[low])
    if mid not in changes:
        after[mid] = min(max(after[mid], after[low]), after[high])
    return after


def _check_as_a_whole(exchange: Exchange, before: JSONObject, after: JSONObject) -> None:
    lifetimes = [after[f"{name}LifetimeInMinutes"] for name in ("minimum", "default", "maximum")]
    if lifetimes != sorted(lifetimes):
        raise exchange.refuse("Invalid lifetime configuration.")
    if len(json.dumps(after)) > SIZE_LIMIT_BYTES:
        raise exchange.refuse("The policy is larger than 20 KB.")
    if exchange.behaviour.unknown_policy_targets == "store":
        return
    known = {target["id"].lower() for name in ("includeTargets", "excludeTargets") for target in before[name]}
    for name in ("includeTargets", "excludeTargets"):
        for target in after[name]:
            identifier = target["id"].lower()
            tolerated = exchange.behaviour.unknown_policy_targets == "refuse-new" and identifier in known
            is_found = identifier == "all_users" or directory.find(exchange, identifier) is not None
            if not tolerated and not is_found:
                raise exchange.refuse(f"The target '{target['id']}' of {name} does not exist.")


def is_in_scope(exchange: Exchange, policy: JSONObject, user_id: str) -> bool:
    """Whether the policy lets this user sign in with a pass: included, and not excluded."""
    holders = directory.groups_of(exchange, user_id, transitive=exchange.behaviour.nested_targets_count)
    reached = {str(group["id"]).lower() for group in holders} | {user_id.lower(), "all_users"}
    included = any(target["id"].lower() in reached for target in policy["includeTargets"])
    excluded = any(target["id"].lower() in reached for target in policy["excludeTargets"])
    return included and not excluded
