"""Changes as an admin in the portal makes them, past the client and with an audit record.

An address is `temporaryAccessPass`, `groups.NAME`, `webSignIn.NAME`, or one of the plain collections of
`PLAIN_ADDRESSES`; NAME is a display name or an id. A change is FIELD=VALUE, for lists also FIELD+=VALUE and
FIELD-=VALUE, in the field names of the YAML.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote

from tapctl.errors import RefusedError, UsageError
from tapctl.sandbox import audit, custom_profiles, profiles, tap_policy
from tapctl.sandbox.definitions import POLICY_PREFIX, SETTINGS, TYPE_PREFIX, Setting
from tapctl.sandbox.errors import GraphError
from tapctl.sandbox.exchange import Exchange, new_id
from tapctl.sandbox.seed import choice, simple
from tapctl.sandbox.state import Store
from tapctl.sandbox.tenant import Sandbox
from tapctl.sandbox.tokens import Actor
from tapctl.sandbox.wire import Call, JSONObject

ADMINISTRATOR = "admin@contoso.com"
PORTAL_APP_ID = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"

PLAIN_ADDRESSES: Mapping[str, tuple[str, str]] = {
    "users": ("users", "userPrincipalName"),
    "devices": ("devices", "displayName"),
    "managedDevices": ("managedDevices", "deviceName"),
    "assignmentFilters": ("assignmentFilters", "displayName"),
    "roleScopeTags": ("roleScopeTags", "displayName"),
    "domains": ("domains", "id"),
    "approvals": ("operationApprovalRequests", "id"),
}
"""First part of an address, to the collection and the property that names its objects. Fields are Graph's there."""

_CHANGE = re.compile(r"^([A-Za-z][\w.]*)(\+=|-=|=)(.*)$", re.DOTALL)
_DURATION = re.compile(r"^(\d+)([mhd]?)$")
_MOST_NAMES = 10
"""Names that a message lists."""
_MINUTES = {"": 1, "m": 1, "h": 60, "d": 1440}
_PROVIDERS = {
    "web-sign-in": "{C5D7540A-CD51-453B-B22B-05305BA03F07}",
    "password": "{60b78e88-ead8-445c-9cfd-0b87f74ea6cd}",
    "pin": "{D6886603-9D2F-4EB2-B667-1971041FA96B}",
}
_POLICY_FIELDS = {
    "lifetime.minimum": "minimumLifetimeInMinutes",
    "lifetime.default": "defaultLifetimeInMinutes",
    "lifetime.maximum": "maximumLifetimeInMinutes",
    "length": "defaultLength",
}
_PSEUDO_TARGETS = {"all-devices": "allDevicesAssignmentTarget", "all-users": "allLicensedUsersAssignmentTarget"}


@dataclass(frozen=True, slots=True)
class _Change:
    field: str
    operator: Literal["=", "+=", "-="]
    text: str

    def items(self) -> list[str]:
        return [item.strip() for item in self.text.split(",") if item.strip()]

    def applied_to(self, current: Sequence[str], resolve: Callable[[str], str]) -> list[str]:
        """The list that results."""
        named = [resolve(item) for item in self.items()]
        if self.operator == "=":
            return named
        if self.operator == "+=":
            return [*current, *(item for item in named if item not in current)]
        return [item for item in current if item not in named]

    def single(self) -> str:
        if self.operator != "=":
            raise UsageError(f"{self.field} is not a list: write {self.field}=VALUE")
        return self.text


def _parsed(texts: Sequence[str]) -> list[_Change]:
    changes = []
    for text in texts:
        match = _CHANGE.match(text)
        if match is None:
            raise UsageError(f"{text!r} is not FIELD=VALUE", fix="for lists FIELD+=VALUE and FIELD-=VALUE work too")
        operator: Any = match[2]
        changes.append(_Change(match[1], operator, match[3]))
    return changes


def tamper(sandbox: Sandbox, address: str, changes: Sequence[str] = (), *, delete: bool = False) -> tuple[str, ...]:
    """Change or delete one object as an admin in the portal would; says what was sent, a line each.

    Raises:
        UsageError: no such address or field, a value that cannot be read.
        RefusedError: no such object, or the service refuses the change.
        TapctlError: the state cannot be read or written.
    """
    if delete is bool(changes):
        raise UsageError("say either what to change (FIELD=VALUE) or --delete")
    parsed = _parsed(changes)
    with sandbox.transaction(writes=True) as store:
        portal = _Portal(sandbox, store)
        kind, _, name = address.partition(".")
        if address == "temporaryAccessPass":
            _tamper_policy(portal, parsed, delete=delete)
        elif kind == "groups" and name:
            _tamper_group(portal, portal.named("groups", name), parsed, delete=delete)
        elif kind == "webSignIn" and name:
            _tamper_profile(portal, name, parsed, delete=delete)
        elif kind in PLAIN_ADDRESSES and name:
            _tamper_plain(portal, kind, name, parsed, delete=delete)
        else:
            known = ", ".join(f"{plain}.NAME" for plain in PLAIN_ADDRESSES)
            raise UsageError(
                f"{address!r} is no address", fix=f"temporaryAccessPass, groups.NAME, webSignIn.NAME, {known}"
            )
    return tuple(portal.sent)


class _Portal:
    """Sends requests as the administrator, without faults and without waiting for approval."""

    def __init__(self, sandbox: Sandbox, store: Store) -> None:
        self.sandbox = sandbox
        self.store = store
        self.sent: list[str] = []
        found = next((user for user in store.scan("users") if user["userPrincipalName"] == ADMINISTRATOR), None)
        identifier = found["id"] if found else new_id()
        self.actor = Actor(is_user=True, id=identifier, name=ADMINISTRATOR, app_id=PORTAL_APP_ID, permissions=None)

    def call(self, method: str, version: str, path: str, body: JSONObject | None = None) -> Call:
        return Call(method=method, version=version, path=path, body=body, request_id=new_id())

    def send(self, method: str, version: str, path: str, body: JSONObject | None = None) -> None:
        try:
            self.sandbox.dispatch(self.call(method, version, path, body), self.store, self.actor, is_approved=True)
        except GraphError as error:
            raise RefusedError(f"{method} {path}: HTTP {error.status} {error.code}: {error.message}") from error
        self.sent.append(f"{method} {path}")

    def exchange(self, path: str) -> Exchange:
        return Exchange(
            call=self.call("PATCH", "beta", path),
            parameters={},
            options={},
            store=self.store,
            behaviour=self.sandbox.behaviour,
            actor=self.actor,
            now=self.sandbox.clock(),
            service="directory",
            tenant_id=self.sandbox.tenant_id,
        )

    def named(self, collection: str, name: str, property_name: str = "displayName") -> JSONObject:
        """The one object of that id or name."""
        objects = self.store.collection(collection)
        if name.lower() in objects:
            return objects[name.lower()]
        found = [item for item in objects.values() if str(item.get(property_name, "")).lower() == name.lower()]
        if not found:
            names = sorted({str(item.get(property_name) or "") for item in objects.values()} - {""})
            raise RefusedError(f"nothing in {collection} is called {name!r}", fix=_near(name, names))
        if len(found) > 1:
            ids = ", ".join(sorted(str(item["id"]) for item in found))
            raise RefusedError(
                f"{len(found)} objects of {collection} are called {name!r}", fix=f"name one by its id: {ids}"
            )
        return found[0]

    def group_id(self, name: str) -> str:
        return str(self.named("groups", name)["id"])

    def member_id(self, text: str) -> str:
        """The id of a member in the spelling of the YAML: UPN, device:DEVICE-ID, group:NAME, or an id."""
        kind, _, rest = text.partition(":")
        if rest and kind == "device":
            return str(self.named("devices", rest, "deviceId")["id"])
        if rest and kind == "group":
            return self.group_id(rest)
        for collection in ("users", "devices", "groups"):
            if text.lower() in self.store.collection(collection):
                return text.lower()
        return str(self.named("users", text, "userPrincipalName")["id"])


def _near(name: str, names: Sequence[str]) -> str:
    """What to do about a name that nothing bears: the near matches, else what there is."""
    from difflib import get_close_matches

    if not names:
        return "there is none to change"
    meant = get_close_matches(name, names, n=3)
    if meant:
        return f"did you mean {' or '.join(repr(item) for item in meant)}?"
    shown = ", ".join(repr(item) for item in names[:_MOST_NAMES])
    return f"there are {shown}{', ...' if len(names) > _MOST_NAMES else ''}"


def _boolean(text: str) -> bool:
    if text.lower() not in {"true", "false"}:
        raise UsageError(f"{text!r} is neither true nor false", fix="write true or false")
    return text.lower() == "true"


def _number(text: str) -> int:
    match = _DURATION.match(text)
    if match is None:
        raise UsageError(f"{text!r} is no number, and no duration", fix="write a number, or a duration such as 8h")
    return int(match[1]) * _MINUTES[match[2]]


def _unknown(change: _Change, address: str) -> UsageError:
    return UsageError(f"{address} has no field {change.field!r} that can be changed here")


def _tamper_policy(portal: _Portal, changes: Sequence[_Change], *, delete: bool) -> None:
    path = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/TemporaryAccessPass"
    if delete:
        portal.send("DELETE", "v1.0", path)
        return
    policy = portal.store.collection("policies")[tap_policy.KEY]
    body: JSONObject = {"@odata.type": tap_policy.TYPE}
    for change in changes:
        if change.field in _POLICY_FIELDS:
            body[_POLICY_FIELDS[change.field]] = _number(change.single())
        elif change.field == "state":
            body["state"] = change.single()
        elif change.field == "oneTime":
            body["isUsableOnce"] = _boolean(change.single())
        elif change.field in {"include", "exclude"}:
            _set_targets(portal, policy, body, change)
        else:
            raise _unknown(change, "temporaryAccessPass")
    portal.send("PATCH", "v1.0", path, body)


def _set_targets(portal: _Portal, policy: JSONObject, body: JSONObject, change: _Change) -> None:
    name = f"{change.field}Targets"
    current = [target["id"] for target in (body if name in body else policy)[name]]

    def resolve(item: str) -> str:
        return "all_users" if item == "all-users" else portal.group_id(item)

    body[name] = [{"targetType": "group", "id": identifier} for identifier in change.applied_to(current, resolve)]


def _tamper_group(portal: _Portal, group: JSONObject, changes: Sequence[_Change], *, delete: bool) -> None:
    path = f"/groups/{group['id']}"
    if delete:
        portal.send("DELETE", "v1.0", path)
        return
    body: JSONObject = {}
    for change in changes:
        if change.field in {"displayName", "description"}:
            body[change.field] = change.single() or None
        elif change.field == "rule":
            body |= {"membershipRule": change.single(), "membershipRuleProcessingState": "On"}
            body["groupTypes"] = sorted({*group["groupTypes"], "DynamicMembership"})
        elif change.field == "members":
            _set_members(portal, group, change.applied_to(group["_members"], portal.member_id))
        else:
            raise _unknown(change, "a group")
    if body:
        portal.send("PATCH", "v1.0", path, body)


def _set_members(portal: _Portal, group: JSONObject, wanted: Sequence[str]) -> None:
    path = f"/groups/{group['id']}/members"
    current = list(group["_members"])
    for identifier in (member for member in wanted if member not in current):
        reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{identifier}"}
        portal.send("POST", "v1.0", f"{path}/$ref", reference)
    for identifier in (member for member in current if member not in wanted):
        portal.send("DELETE", "v1.0", f"{path}/{identifier}/$ref")


def _tamper_profile(portal: _Portal, name: str, changes: Sequence[_Change], *, delete: bool) -> None:
    legacy = portal.store.collection(custom_profiles.COLLECTION)
    is_legacy = name.lower() in legacy or any(item["displayName"].lower() == name.lower() for item in legacy.values())
    collection = custom_profiles.COLLECTION if is_legacy else profiles.COLLECTION
    profile = portal.named(collection, name, "displayName" if is_legacy else "name")
    path = f"/deviceManagement/{collection}/{profile['id']}"
    if delete:
        portal.send("DELETE", "beta", path)
        return
    metadata: JSONObject = {}
    settings = [change for change in changes if change.field.startswith("settings.")]
    targets = [change for change in changes if change.field in {"assign.include", "assign.exclude"}]
    for change in changes:
        if change in settings or change in targets:
            continue
        if change.field == "displayName":
            metadata["displayName" if is_legacy else "name"] = change.single()
        elif change.field == "description":
            metadata["description"] = _edited(str(profile["description"] or ""), change)
        elif change.field == "scopeTags":
            tags = change.applied_to(profile["roleScopeTagIds"], lambda tag: portal.named("roleScopeTags", tag)["id"])
            metadata["roleScopeTagIds"] = tags
        else:
            raise _unknown(change, "a profile")
    if is_legacy and (metadata or settings):
        _patch_custom(portal, path, profile, metadata, settings)
    elif not is_legacy:
        _change_catalog(portal, path, profile, metadata, settings)
    if targets:
        portal.send("POST", "beta", f"{path}/assign", {"assignments": _assigned(portal, profile, targets)})


def _edited(description: str, change: _Change) -> str:
    """A description as a careful admin edits it: a last line in brackets is some tool's mark, and stays."""
    last = description.rpartition("\n")[2]
    is_mark = last.startswith("[") and last.endswith("]")
    text = change.single()
    return "\n".join(filter(None, [text, last])) if is_mark and not text.endswith(last) else text


def _change_catalog(
    portal: _Portal, path: str, profile: JSONObject, metadata: JSONObject, settings: Sequence[_Change]
) -> None:
    if not settings:
        if metadata:
            portal.send("PATCH", "beta", path, metadata)
        return
    instances = copy.deepcopy(profile["_settings"])
    for change in settings:
        setting = _setting(change)
        instances = [item for item in instances if item["settingDefinitionId"] != setting.id]
        if change.single() != "null":
            instances.append(_instance(portal, setting, change))
    kept = ("name", "description", "platforms", "technologies", "roleScopeTagIds", "templateReference")
    body = {name: copy.deepcopy(profile[name]) for name in kept}
    body |= metadata | {"settings": [{"settingInstance": instance} for instance in instances]}
    portal.send("PUT", "beta", path, body)


def _setting(change: _Change) -> Setting:
    name = change.field.removeprefix("settings.")
    found = next((setting for setting in SETTINGS if setting.name.lower() == name.lower()), None)
    if found is None:
        known = ", ".join(setting.name[0].lower() + setting.name[1:] for setting in SETTINGS)
        raise UsageError(f"there is no setting {name!r}", fix=f"settings: {known}")
    return found


def _option(setting: Setting, text: str) -> int:
    """true is option 1; false is 2 where the setting has three options, else 0; default is 0."""
    if text == "default":
        return 0
    if _boolean(text):
        return 1
    return 2 if len(setting.options or ()) == 3 else 0


def _instance(portal: _Portal, setting: Setting, change: _Change) -> JSONObject:
    suffix = setting.id.removeprefix(POLICY_PREFIX)
    if setting.child and change.text not in {"true", "false"}:
        value = ",".join(_PROVIDERS.get(item, item) for item in change.items())
        return choice(suffix, 1, [simple(setting.child_id.removeprefix(POLICY_PREFIX), value)])
    if setting.shape == "choice":
        return choice(suffix, _option(setting, change.text))
    if setting.shape == "string" or portal.sandbox.behaviour.list_settings == "string":
        return simple(suffix, change.text.replace(",", ";") if setting.shape == "list" else change.text)
    values = [{"@odata.type": f"{TYPE_PREFIX}StringSettingValue", "value": item} for item in change.items()]
    return {
        "@odata.type": f"{TYPE_PREFIX}SimpleSettingCollectionInstance",
        "settingDefinitionId": setting.id,
        "settingInstanceTemplateReference": None,
        "simpleSettingCollectionValue": values,
    }


def _patch_custom(
    portal: _Portal, path: str, profile: JSONObject, metadata: JSONObject, settings: Sequence[_Change]
) -> None:
    body: JSONObject = {"@odata.type": profile["@odata.type"], **metadata}
    if settings:
        oma = [copy.deepcopy(setting) for setting in profile["omaSettings"]]
        for change in settings:
            oma = _with_oma(oma, _setting(change), change.single())
        body["omaSettings"] = oma
    portal.send("PATCH", "beta", path, body)


def _with_oma(oma: Sequence[JSONObject], setting: Setting, text: str) -> list[JSONObject]:
    ending = f"/Config/{setting.area}/{setting.name}"
    kept = [item for item in oma if not item["omaUri"].lower().endswith(ending.lower())]
    if text == "null":
        return kept
    is_choice = setting.shape == "choice"
    entry = {
        "@odata.type": f"#microsoft.graph.omaSetting{'Integer' if is_choice else 'String'}",
        "displayName": setting.name,
        "omaUri": f"./Device/Vendor/MSFT/Policy{ending}",
        "value": _option(setting, text) if is_choice else text.replace(",", ";"),
    }
    return [*kept, entry]


def _assigned(portal: _Portal, profile: JSONObject, changes: Sequence[_Change]) -> list[JSONObject]:
    """The assignments that result. An item is a group, all-devices or all-users, with `|FILTER|MODE` where wanted."""
    exclusion = "#microsoft.graph.exclusionGroupAssignmentTarget"
    targets = {
        "include": [target for target in profile["_assignments"] if target["@odata.type"] != exclusion],
        "exclude": [target for target in profile["_assignments"] if target["@odata.type"] == exclusion],
    }
    for change in changes:
        side = change.field.removeprefix("assign.")
        encoded = [json.dumps(target, sort_keys=True) for target in targets[side]]

        def resolve(item: str, side: str = side) -> str:
            return json.dumps(_target(portal, item, is_exclusion=side == "exclude"), sort_keys=True)

        targets[side] = [json.loads(text) for text in change.applied_to(encoded, resolve)]
    return [{"target": target} for target in (*targets["include"], *targets["exclude"])]


def _target(portal: _Portal, item: str, *, is_exclusion: bool) -> JSONObject:
    name, filter_name, mode = [*item.split("|"), "", ""][:3]
    filter_id = portal.named("assignmentFilters", filter_name)["id"] if filter_name else None
    target: JSONObject = {
        "deviceAndAppManagementAssignmentFilterId": filter_id,
        "deviceAndAppManagementAssignmentFilterType": (mode or "include") if filter_id else "none",
    }
    if name in _PSEUDO_TARGETS and not is_exclusion:
        return {"@odata.type": f"#microsoft.graph.{_PSEUDO_TARGETS[name]}", **target}
    kind = "exclusionGroupAssignmentTarget" if is_exclusion else "groupAssignmentTarget"
    return {"@odata.type": f"#microsoft.graph.{kind}", **target, "groupId": portal.group_id(name)}


def _tamper_plain(portal: _Portal, kind: str, name: str, changes: Sequence[_Change], *, delete: bool) -> None:
    collection, property_name = PLAIN_ADDRESSES[kind]
    identifier = portal.named(collection, name, property_name)["id"]
    path = f"/{collection}/{quote(identifier)}"
    exchange = portal.exchange(path)
    if delete:
        removed = portal.store.remove(collection, identifier)
        _record_plain(exchange, collection, removed or {"id": identifier}, "Delete", [])
        portal.sent.append(f"DELETE {path}")
        return
    item = portal.store.edit(collection, identifier)
    if item is None:
        raise RefusedError(f"{kind}.{name} cannot be reached yet")
    before = dict(item)
    for change in changes:
        if change.field not in item or change.field == "id":
            raise _unknown(change, f"{kind}.{name}")
        item[change.field] = _json_or_text(change.single())
    _record_plain(exchange, collection, item, "Update", audit.differences(before, item))
    portal.sent.append(f"PATCH {path}")


def _json_or_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _record_plain(
    exchange: Exchange, collection: str, item: JSONObject, operation: str, modified: audit.Modified
) -> None:
    name = str(item.get("displayName") or item["id"])
    if collection in {"users", "devices", "domains"}:
        kind = collection.removesuffix("s")
        target = audit.target(kind.capitalize(), item["id"], name, modified, item.get("userPrincipalName"))
        audit.record_directory(
            exchange,
            f"{operation} {kind}",
            category=f"{kind.capitalize()}Management",
            service="Core Directory",
            operation=operation,
            targets=[target],
        )
        return
    kind = f"{collection[0].upper()}{collection[1:].removesuffix('s')}"
    intune_operation: Any = "Delete" if operation == "Delete" else "Patch"
    audit.record_intune(
        exchange,
        audit.IntuneChange(operation=intune_operation, kind=kind, id=item["id"], name=name, modified=modified),
    )
