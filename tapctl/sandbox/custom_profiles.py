"""Legacy device configurations, custom OMA-URI profiles among them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from tapctl.sandbox import assignments, audit
from tapctl.sandbox.errors import not_found
from tapctl.sandbox.exchange import Exchange, as_kept, new_id, without_annotations
from tapctl.sandbox.odata import Listing, answer_list, expanded, project
from tapctl.sandbox.profiles import check_scope_tags
from tapctl.sandbox.wire import NO_CONTENT, JSONObject, Reply

KIND = "DeviceConfiguration"
COLLECTION = "deviceConfigurations"
CUSTOM_TYPE = "#microsoft.graph.windows10CustomConfiguration"
MASK = "****"
SETTINGS_LIMIT = 1000
CONFIGURATIONS = Listing(
    fragment="deviceManagement/deviceConfigurations",
    filterable=frozenset({"id", "displayName", "lastModifiedDateTime", "createdDateTime"}),
    operators=frozenset({"eq", "ne", "contains", "startswith", "gt", "ge", "lt", "le"}),
    sortable=frozenset({"displayName", "lastModifiedDateTime"}),
    expandable=frozenset({"assignments"}),
    style="intune",
)

_OMA_PREFIX = "#microsoft.graph.omaSetting"
_OMA_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "Integer": int,
    "String": str,
    "Boolean": bool,
    "StringXml": str,
    "Base64": str,
    "FloatingPoint": (int, float),
    "DateTime": str,
}
_ENCRYPTED = frozenset({"String", "StringXml", "Base64"})
_OMA_COMMON = frozenset({"displayName", "description", "omaUri", "value"})
_OMA_READ_ONLY = frozenset({"secretReferenceValueId", "isEncrypted"})
_OMA_BETA_ONLY = _OMA_READ_ONLY | {"isReadOnly"}
_OMA_MORE: Mapping[str, tuple[str, type, Any]] = {
    "Integer": ("isReadOnly", bool, False),
    "StringXml": ("fileName", str, None),
    "Base64": ("fileName", str, None),
}
"""The property that a kind has besides those of every kind, its type, and what it is unless sent: documentation of
the resources omaSettingInteger (beta alone), omaSettingStringXml and omaSettingBase64."""
_BETA_ONLY = frozenset(
    {
        "roleScopeTagIds",
        "supportsScopeTags",
        "deviceManagementApplicabilityRuleOsEdition",
        "deviceManagementApplicabilityRuleOsVersion",
        "deviceManagementApplicabilityRuleDeviceMode",
    }
)
_READ_ONLY = frozenset({"id", "createdDateTime", "lastModifiedDateTime", "version", "supportsScopeTags"})
_WRITABLE = frozenset({"displayName", "description", "roleScopeTagIds", "omaSettings"}) | (
    _BETA_ONLY - {"supportsScopeTags"}
)


def new_configuration(identifier: str, moment: str, type_name: str = CUSTOM_TYPE) -> JSONObject:
    """A configuration about which nothing is said yet."""
    return {
        "@odata.type": type_name,
        "id": identifier,
        "lastModifiedDateTime": moment,
        "roleScopeTagIds": ["0"],
        "supportsScopeTags": True,
        "deviceManagementApplicabilityRuleOsEdition": None,
        "deviceManagementApplicabilityRuleOsVersion": None,
        "deviceManagementApplicabilityRuleDeviceMode": None,
        "createdDateTime": moment,
        "description": None,
        "displayName": "",
        "version": 1,
        "_assignments": [],
    }


def _read(exchange: Exchange) -> JSONObject:
    found = exchange.store.read(COLLECTION, exchange.parameters["configuration"])
    if found is None:
        raise not_found(exchange.parameters["configuration"], "intune")
    return found


def _edit(exchange: Exchange) -> JSONObject:
    found = exchange.store.edit(COLLECTION, exchange.parameters["configuration"])
    if found is None:
        raise not_found(exchange.parameters["configuration"], "intune")
    return found


def _rendered(exchange: Exchange, stored: JSONObject, expand: frozenset[str] = frozenset()) -> JSONObject:
    is_beta = exchange.call.version == "beta"
    shown = {
        name: value
        for name, value in stored.items()
        if not name.startswith("_") and (is_beta or name not in _BETA_ONLY)
    }
    if "omaSettings" in shown:
        shown["omaSettings"] = [_rendered_oma(exchange, setting) for setting in shown["omaSettings"]]
    if exchange.behaviour.extra_keys:
        shown["auditRuleInformation"] = None
    if "assignments" in expand:
        shown["assignments"] = _assignments(exchange, stored)
    return shown


def _assignments(exchange: Exchange, stored: JSONObject) -> list[JSONObject]:
    return assignments.rendered(exchange, stored, type_name="#microsoft.graph.deviceConfigurationAssignment")


def _rendered_oma(exchange: Exchange, setting: JSONObject) -> JSONObject:
    shown = {name: value for name, value in setting.items() if not name.startswith("_")}
    if not exchange.behaviour.encrypt_oma_strings:
        shown |= {"isEncrypted": False, "secretReferenceValueId": None}
    elif shown["isEncrypted"]:
        shown["value"] = MASK
    if exchange.call.version == "v1.0":
        shown = {name: value for name, value in shown.items() if name not in _OMA_BETA_ONLY}
    return shown


def list_configurations(exchange: Exchange) -> Reply:
    expand = expanded(exchange, CONFIGURATIONS.expandable)
    found = [_rendered(exchange, stored, expand) for stored in exchange.store.scan(COLLECTION)]
    return answer_list(exchange, found, CONFIGURATIONS)


def get_configuration(exchange: Exchange) -> Reply:
    expand = expanded(exchange, CONFIGURATIONS.expandable)
    relations = "(assignments())" if expand else ""
    shown = project(exchange, _rendered(exchange, _read(exchange), expand))
    context = exchange.context(f"deviceManagement/deviceConfigurations{relations}/$entity")
    return Reply(body={"@odata.context": context, **shown})


def get_plain_text(exchange: Exchange) -> Reply:
    stored = _read(exchange)
    wanted = exchange.parameters["secret"]
    for setting in stored.get("omaSettings", ()):
        if setting["secretReferenceValueId"] == wanted:
            return Reply(body={"@odata.context": exchange.context("Edm.String"), "value": setting["value"]})
    raise not_found(wanted, "intune")


def create_configuration(exchange: Exchange) -> Reply:
    body = exchange.body()
    if body.get("@odata.type") != CUSTOM_TYPE:
        raise exchange.refuse(f"The @odata.type of the configuration is missing or not emulated; {CUSTOM_TYPE} is.")
    values = _checked_values(exchange, body)
    if "displayName" not in values:
        raise exchange.refuse("The DisplayName field is required.")
    stored = new_configuration(new_id(), exchange.stamp())
    stored.update(values)
    stored["omaSettings"] = _checked_oma(exchange, body.get("omaSettings", []), stored["id"])
    exchange.store.add(COLLECTION, stored)
    _record(exchange, "Create", stored, [("DisplayName", None, stored["displayName"])])
    context = exchange.context("deviceManagement/deviceConfigurations/$entity")
    return Reply(status=201, body={"@odata.context": context, **_rendered(exchange, stored)})


def patch_configuration(exchange: Exchange) -> Reply:
    """omaSettings, when sent, replace the whole list."""
    body = exchange.body()
    stored = _edit(exchange)
    if body.get("@odata.type") != stored["@odata.type"]:
        raise exchange.refuse("The @odata.type of the configuration is missing or differs.")
    before = copy.deepcopy(stored)
    values = _checked_values(exchange, body)
    if "omaSettings" in body:
        values["omaSettings"] = _checked_oma(exchange, body["omaSettings"], stored["id"])
    stored.update(values)
    stored["version"] += 1
    stored["lastModifiedDateTime"] = exchange.stamp()
    _record(exchange, "Patch", stored, _without_values(audit.differences(before, stored)))
    if exchange.behaviour.custom_profile_patch_status == 204:
        return NO_CONTENT
    context = exchange.context("deviceManagement/deviceConfigurations/$entity")
    return Reply(body={"@odata.context": context, **_rendered(exchange, stored)})


def _without_values(modified: audit.Modified) -> audit.Modified:
    """OMA values may be secrets: the log says that they changed, not what they are."""
    return [(name, MASK, MASK) if name == "omaSettings" else (name, old, new) for name, old, new in modified]


def delete_configuration(exchange: Exchange) -> Reply:
    removed = exchange.store.remove(COLLECTION, exchange.parameters["configuration"])
    if removed is None:
        raise not_found(exchange.parameters["configuration"], "intune")
    _record(exchange, "Delete", removed)
    return Reply(status=exchange.behaviour.delete_status)


def list_assignments(exchange: Exchange) -> Reply:
    stored = _read(exchange)
    fragment = f"deviceManagement/deviceConfigurations('{stored['id']}')/assignments"
    return answer_list(exchange, _assignments(exchange, stored), Listing(fragment=fragment, style="intune"))


def assign(exchange: Exchange) -> Reply:
    """Replaces all assignments."""
    stored = _edit(exchange)
    before = stored["_assignments"]
    stored["_assignments"] = assignments.checked(exchange, before)
    modified = [("Assignments", before, stored["_assignments"])]
    _record(exchange, "Action", stored, modified, activity=f"Assign {KIND}")
    if exchange.behaviour.assign_status == 204:
        return NO_CONTENT
    return Reply(body={"value": _assignments(exchange, stored)})


def _checked_values(exchange: Exchange, body: JSONObject) -> JSONObject:
    sent = without_annotations(body).items()
    values = {name: as_kept(value) for name, value in sent if name not in _READ_ONLY and name != "omaSettings"}
    if "assignments" in values:
        raise exchange.refuse("Assignments are set by the action 'assign'.")
    writable = _WRITABLE if exchange.call.version == "beta" else _WRITABLE - _BETA_ONLY
    unknown = sorted(set(values) - writable)
    if unknown:
        raise exchange.refuse(f"The property '{unknown[0]}' does not exist on type 'windows10CustomConfiguration'.")
    name = values.get("displayName", "-")
    if not isinstance(name, str) or not name.strip():
        raise exchange.refuse("The DisplayName field is required.")
    if "roleScopeTagIds" in values:
        check_scope_tags(exchange, values["roleScopeTagIds"])
    return values


def _checked_oma(exchange: Exchange, sent: Any, identifier: str) -> list[JSONObject]:
    if not isinstance(sent, list) or len(sent) > SETTINGS_LIMIT:
        raise exchange.refuse(f"omaSettings is not a collection of at most {SETTINGS_LIMIT}.")
    settings = [oma_setting(exchange, entry, identifier) for entry in sent]
    addresses = [setting["omaUri"] for setting in settings]
    if len(set(addresses)) < len(addresses):
        raise exchange.refuse("An OMA-URI is set twice.")
    return settings


def oma_setting(exchange: Exchange, entry: Any, identifier: str) -> JSONObject:
    """One setting as it is kept: values of text kinds get a secret reference.

    Raises:
        GraphError: 400, for what the service would refuse, the mask sent back as a value among it.
    """
    kind = str(entry.get("@odata.type", "")).removeprefix(_OMA_PREFIX) if isinstance(entry, dict) else ""
    if kind not in _OMA_TYPES:
        raise exchange.refuse("The @odata.type of an OMA setting is missing or wrong.")
    value = entry.get("value")
    is_flag = isinstance(value, bool)
    if not isinstance(value, _OMA_TYPES[kind]) or is_flag is not (kind == "Boolean"):
        raise exchange.refuse(f"An OMA setting of kind {kind} has a value of another kind.")
    if not entry.get("displayName") or not str(entry.get("omaUri", "")).startswith("./"):
        raise exchange.refuse("An OMA setting needs displayName and omaUri.")
    if value == MASK:
        raise exchange.refuse("A masked value cannot be stored.")
    more = _more_of_oma(exchange, entry, kind)
    is_encrypted = kind in _ENCRYPTED
    return {
        "@odata.type": _OMA_PREFIX + kind,
        "displayName": entry["displayName"],
        "description": entry.get("description"),
        "omaUri": entry["omaUri"],
        "secretReferenceValueId": f"{new_id()}_{identifier}_{new_id()}" if is_encrypted else None,
        "isEncrypted": is_encrypted,
        "value": value,
        **more,
    }


def _more_of_oma(exchange: Exchange, entry: JSONObject, kind: str) -> JSONObject:
    """What a setting of this kind has besides the properties that every kind has."""
    name, type_, value = _OMA_MORE.get(kind, ("", object, None))
    unknown = sorted(set(without_annotations(entry)) - _OMA_COMMON - _OMA_READ_ONLY - {name})
    if not unknown and name in _OMA_BETA_ONLY & set(entry) and exchange.call.version == "v1.0":
        unknown = [name]
    if unknown:
        raise exchange.refuse(f"The property '{unknown[0]}' does not exist on type 'omaSetting{kind}'.")
    if not name:
        return {}
    sent = entry.get(name)
    if sent is not None and not isinstance(sent, type_):
        raise exchange.refuse(f"The property '{name}' has a value of the wrong type.")
    return {name: value if sent is None else sent}


def _record(
    exchange: Exchange, operation: Any, stored: JSONObject, modified: audit.Modified = (), activity: str = ""
) -> None:
    change = audit.IntuneChange(
        operation=operation,
        kind=KIND,
        id=stored["id"],
        name=stored["displayName"],
        modified=modified,
        activity=activity,
    )
    audit.record_intune(exchange, change)
