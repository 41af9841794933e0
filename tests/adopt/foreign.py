"""A sandbox tenant that somebody else filled, described in few words; ids are made of kind and name."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tapctl.sandbox import custom_profiles, groups, profiles, tap_policy
from tapctl.sandbox.seed import MOMENT, WHOLE_SECONDS, choice, seed, simple

TENANT = "6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11"
COLLECTION = "#microsoft.graph.deviceManagementConfigurationSimpleSettingCollectionInstance"
NODES = "./Device/Vendor/MSFT/Policy/Config/Authentication/"
PSEUDO = {"all-devices": "allDevicesAssignmentTarget", "all-users": "allLicensedUsersAssignmentTarget"}
SEEDED_USERS = ("ada", "grace", "alan", "admin")

Object = dict[str, Any]


class Foreign:
    """A tenant to be imported. References are KIND:NAME, such as group:Wave 7 or user:ada."""

    def __init__(self, *, keep_seeded_profiles: bool = False) -> None:
        self.state: Object = seed(TENANT)
        if not keep_seeded_profiles:
            self.objects(profiles.COLLECTION).clear()
            self.objects(custom_profiles.COLLECTION).clear()

    def objects(self, collection: str) -> Object:
        found: Object = self.state["objects"].setdefault(collection, {})
        return found

    def id(self, reference: str) -> str:
        """The id of KIND:NAME; something that was never made has one too."""
        return str(uuid.uuid5(uuid.UUID(TENANT), reference))

    def tap(self, include: Iterable[str] = (), exclude: Iterable[str] = (), **more: Any) -> None:
        """The TAP policy; targets are references or all_users."""
        policy = self.objects("policies")[tap_policy.KEY]
        policy |= more
        policy["includeTargets"] = [{**self._target(item), "isRegistrationRequired": False} for item in include]
        policy["excludeTargets"] = [self._target(item) for item in exclude]

    def _target(self, reference: str) -> Object:
        kind = reference.partition(":")[0]
        if reference == "all_users":
            return {"targetType": "group", "id": "all_users"}
        return {"targetType": "user" if kind == "user" else "group", "id": self.id(reference)}

    def group(self, name: str, members: Iterable[str] = (), **more: Any) -> str:
        made = groups.new_group(self.id(f"group:{name}"), WHOLE_SECONDS)
        made |= {"displayName": name, "mailNickname": "n", "_members": [self.id(item) for item in members]}
        self.objects("groups")[made["id"]] = made | more
        return str(made["id"])

    def principal(self, name: str) -> str:
        """A member that is neither person, device nor group."""
        made = {"@odata.type": "#microsoft.graph.servicePrincipal", "id": self.id(f"principal:{name}")}
        self.objects("servicePrincipals")[made["id"]] = made | {"appId": self.id(name), "displayName": name}
        return made["id"]

    def people(self, count: int) -> list[str]:
        """References to so many new people."""
        known = self.objects("users")
        pattern = known[self.id("user:ada")]
        for number in range(count):
            user = f"user:crowd{number:04}"
            principal_name = f"crowd{number:04}@contoso.com"
            known[self.id(user)] = {**pattern, "id": self.id(user), "userPrincipalName": principal_name}
        return [f"user:crowd{number:04}" for number in range(count)]

    def filter(self, name: str, rule: str = '(device.deviceOwnership -eq "Corporate")', *, twin: str = "") -> str:
        made = {"id": self.id(f"filter:{name}{twin}"), "displayName": name, "platform": "windows10AndLater"}
        self.objects("assignmentFilters")[made["id"]] = made | {"rule": rule, "roleScopeTags": ["0"]}
        return made["id"]

    def scope_tag(self, identifier: str, name: str) -> None:
        self.objects("roleScopeTags")[identifier] = {"id": identifier, "displayName": name, "isBuiltIn": False}

    def policy(
        self,
        name: str,
        settings: Mapping[str, Any],
        assign: Sequence[Object | str] = (),
        twin: str = "",
        **more: Any,
    ) -> str:
        """A settings catalog policy; settings as in `instance`."""
        made = profiles.new_policy(self.id(f"policy:{name}{twin}"), MOMENT)
        made |= {"name": name, "_settings": [instance(key, value) for key, value in settings.items()]}
        made |= {"_assignments": [self.target(item) for item in assign]}
        self.objects(profiles.COLLECTION)[made["id"]] = made | more
        return str(made["id"])

    def custom(self, name: str, nodes: Mapping[str, Any], assign: Sequence[Object | str] = (), **more: Any) -> str:
        """A custom OMA-URI profile; nodes by their name below Authentication, or whole."""
        made = custom_profiles.new_configuration(self.id(f"custom:{name}"), MOMENT)
        omas = [_oma(node, value, made["id"]) for node, value in nodes.items()]
        made |= {"displayName": name, "omaSettings": omas, "_assignments": [self.target(item) for item in assign]}
        self.objects(custom_profiles.COLLECTION)[made["id"]] = made | more
        return str(made["id"])

    def target(self, described: Object | str) -> Object:
        """An assignment: KIND:NAME, all-devices, all-users, or {to, filter, mode, exclude}."""
        entry = {"to": described} if isinstance(described, str) else described
        place, name = entry["to"], entry.get("filter")
        kind = "exclusionGroupAssignmentTarget" if entry.get("exclude") else "groupAssignmentTarget"
        target = {"@odata.type": "#microsoft.graph." + PSEUDO.get(place, kind)}
        if place not in PSEUDO:
            target["groupId"] = self.id(place)
        mode = entry.get("mode", "include") if name else "none"
        filter_id = self.id(f"filter:{name}") if name else None
        return target | {
            "deviceAndAppManagementAssignmentFilterId": filter_id,
            "deviceAndAppManagementAssignmentFilterType": mode,
        }

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{TENANT}.json").write_text(json.dumps(self.state), encoding="utf-8")


def instance(name: str, value: Any) -> Object:
    """A setting by the end of its definition: a number is an option, text and lists are values, a map is a provider.

    `{option: 1, provider: TEXT}` is an ADMX choice with its text, `{secret: TEXT}` a masked one."""
    if isinstance(value, int):
        return choice(name, value)
    if isinstance(value, str):
        return simple(name, value)
    if isinstance(value, list):
        made = simple(name, "")
        inner = made.pop("simpleSettingValue")
        return made | {
            "@odata.type": COLLECTION,
            "simpleSettingCollectionValue": [{**inner, "value": item} for item in value],
        }
    if "secret" in value:
        made = simple(name, value["secret"], "Secret")
        made["simpleSettingValue"]["valueState"] = "encryptedValueToken"
        return made
    child = f"{name}_{name.rpartition('_')[2]}_message"
    return choice(name, value["option"], [simple(child, value["provider"])])


def _oma(node: str, value: Any, profile_id: str) -> Object:
    is_text = isinstance(value, str)
    return {
        "@odata.type": f"#microsoft.graph.omaSetting{'String' if is_text else 'Integer'}",
        "displayName": node.rpartition("/")[2],
        "description": None,
        "omaUri": node if node.startswith("./") else NODES + node,
        "secretReferenceValueId": f"{node.rpartition('/')[2]}_{profile_id}" if is_text else None,
        "isEncrypted": is_text,
        "value": value,
    }
