"""What a sandbox tenant holds, in short, for people and for scripts."""

from __future__ import annotations

from collections.abc import Iterator

from tapctl.sandbox import custom_profiles, profiles, tap_policy
from tapctl.sandbox.state import Store
from tapctl.sandbox.wire import JSONObject


def summarise(store: Store) -> JSONObject:
    """The policy, the groups with their members, the profiles with settings and assignments, users and devices."""
    return {
        "temporaryAccessPass": dict(store.collection("policies")[tap_policy.KEY]),
        "groups": [
            {
                "id": group["id"],
                "displayName": group["displayName"],
                "uniqueName": group["uniqueName"],
                "membershipRule": group["membershipRule"],
                "members": [_member_name(store, member) for member in group["_members"]],
            }
            for group in store.collection("groups").values()
        ],
        "profiles": [
            {
                "id": profile["id"],
                "displayName": profile.get("name") or profile.get("displayName"),
                "kind": collection,
                "settings": len(profile.get("_settings") or profile.get("omaSettings") or ()),
                "assignments": len(profile["_assignments"]),
            }
            for collection in (profiles.COLLECTION, custom_profiles.COLLECTION)
            for profile in store.collection(collection).values()
        ],
        "users": [user["userPrincipalName"] for user in store.collection("users").values()],
        "devices": [
            {name: device[name] for name in ("displayName", "deviceId", "trustType", "operatingSystemVersion")}
            for device in store.collection("devices").values()
        ],
        "passes": len(store.collection("passes")),
    }


def _member_name(store: Store, identifier: str) -> str:
    for collection, prefix, name in (
        ("users", "", "userPrincipalName"),
        ("devices", "device:", "deviceId"),
        ("groups", "group:", "displayName"),
    ):
        found = store.collection(collection).get(identifier)
        if found is not None:
            return prefix + str(found[name])
    return identifier


def lines(summary: JSONObject) -> Iterator[str]:
    """The summary as text, control characters of names made visible."""
    policy = summary["temporaryAccessPass"]
    lifetimes = "/".join(str(policy[f"{name}LifetimeInMinutes"]) for name in ("minimum", "default", "maximum"))
    once = "one-time" if policy["isUsableOnce"] else "multi-use allowed"
    yield f"temporaryAccessPass: {policy['state']}, {lifetimes} minutes, length {policy['defaultLength']}, {once}"
    yield f"  include {len(policy['includeTargets'])}, exclude {len(policy['excludeTargets'])}"
    yield "groups:"
    for group in summary["groups"]:
        kind = "dynamic, " if group["membershipRule"] else ""
        yield f"  {_visible(group['displayName'])}  {group['id']}  {kind}{len(group['members'])} members"
    yield "profiles:"
    for profile in summary["profiles"]:
        counts = f"{profile['settings']} settings, {profile['assignments']} assignments"
        yield f"  {_visible(profile['displayName'])}  {profile['id']}  {counts}"
    yield f"users: {', '.join(map(_visible, summary['users']))}"
    yield "devices:"
    for device in summary["devices"]:
        details = f"{device['deviceId']}  {device['trustType']}, {device['operatingSystemVersion']}"
        yield f"  {_visible(device['displayName'])}  {details}"


def _visible(text: str) -> str:
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
