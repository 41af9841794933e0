"""Settings catalog policies: /deviceManagement/configurationPolicies, beta only."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from tapctl.sandbox import assignments, audit, definitions
from tapctl.sandbox.errors import GraphError, not_found
from tapctl.sandbox.exchange import Exchange, as_kept, new_id, without_annotations
from tapctl.sandbox.odata import Listing, answer_list, expanded, project
from tapctl.sandbox.wire import NO_CONTENT, JSONObject, Reply

KIND = "DeviceManagementConfigurationPolicy"
COLLECTION = "configurationPolicies"
DESCRIPTION_LIMIT = 1000
PLATFORMS = frozenset(
    {
        "none",
        "android",
        "iOS",
        "macOS",
        "windows10X",
        "windows10",
        "linux",
        "androidEnterprise",
        "aosp",
        "visionOS",
        "tvOS",
    }
)
NO_TEMPLATE: Mapping[str, Any] = {
    "templateId": "",
    "templateFamily": "none",
    "templateDisplayName": None,
    "templateDisplayVersion": None,
}
POLICIES = Listing(
    fragment="deviceManagement/configurationPolicies",
    filterable=frozenset(
        {
            "id",
            "name",
            "platforms",
            "technologies",
            "templateReference/templateFamily",
            "templateReference/templateId",
            "lastModifiedDateTime",
            "createdDateTime",
        }
    ),
    operators=frozenset({"eq", "ne", "contains", "startswith", "gt", "ge", "lt", "le"}),
    sortable=frozenset({"name", "lastModifiedDateTime", "createdDateTime"}),
    expandable=frozenset({"assignments", "settings"}),
    style="intune",
)

_METADATA = frozenset({"name", "description", "roleScopeTagIds", "platforms", "technologies", "templateReference"})
_READ_ONLY = frozenset(
    {
        "id",
        "createdDateTime",
        "lastModifiedDateTime",
        "settingCount",
        "creationSource",
        "priorityMetaData",
        "isAssigned",
        "disableEntraGroupPolicyAssignment",
    }
)
_FIXED = "Platform, PolicyType, and CreationSource cannot be changed once created."
"""Seen as the answer to a PUT (KelvinTegelaar/CIPP issue 3744); which of the three differed is not said there."""
_SECRET = f"{definitions.TYPE_PREFIX}SecretSettingValue"


def new_policy(identifier: str, moment: str) -> JSONObject:
    """A policy without settings, nothing said about it yet."""
    return {
        "createdDateTime": moment,
        "creationSource": None,
        "description": "",
        "lastModifiedDateTime": moment,
        "name": "",
        "platforms": "windows10",
        "priorityMetaData": None,
        "roleScopeTagIds": ["0"],
        "technologies": "mdm",
        "id": identifier,
        "templateReference": dict(NO_TEMPLATE),
        "_settings": [],
        "_assignments": [],
    }


def _read(exchange: Exchange) -> JSONObject:
    found = exchange.store.read(COLLECTION, exchange.parameters["policy"])
    if found is None:
        raise not_found(exchange.parameters["policy"], "intune")
    return found


def _edit(exchange: Exchange) -> JSONObject:
    found = exchange.store.edit(COLLECTION, exchange.parameters["policy"])
    if found is None:
        raise not_found(exchange.parameters["policy"], "intune")
    return found


def _rendered(exchange: Exchange, policy: JSONObject, expand: frozenset[str] = frozenset()) -> JSONObject:
    shown = {name: value for name, value in policy.items() if not name.startswith("_")}
    shown["settingCount"] = len(policy["_settings"])
    if exchange.behaviour.null_descriptions and shown["description"] == "":
        shown["description"] = None
    if exchange.behaviour.extra_keys:
        shown |= {"isAssigned": bool(policy["_assignments"]), "disableEntraGroupPolicyAssignment": None}
    address = f"deviceManagement/configurationPolicies('{policy['id']}')"
    if "assignments" in expand:
        shown["assignments@odata.context"] = exchange.context(f"{address}/assignments")
        shown["assignments"] = assignments.rendered(exchange, policy)
    if "settings" in expand:
        shown["settings@odata.context"] = exchange.context(f"{address}/settings")
        shown["settings"] = _settings(exchange, policy)[: exchange.behaviour.expand_settings_limit]
    return shown


def _settings(exchange: Exchange, policy: JSONObject) -> list[JSONObject]:
    """The settings as they are read: ids are positions, whatever was sent."""
    extra: JSONObject = {"auditRuleInformation": None} if exchange.behaviour.extra_keys else {}
    return [
        {"id": str(position), "settingInstance": {**instance, **extra}}
        for position, instance in enumerate(policy["_settings"])
    ]


def list_policies(exchange: Exchange) -> Reply:
    expand = expanded(exchange, POLICIES.expandable)
    found = [_rendered(exchange, policy, expand) for policy in exchange.store.scan(COLLECTION)]
    return answer_list(exchange, found, POLICIES)


def get_policy(exchange: Exchange) -> Reply:
    expand = expanded(exchange, POLICIES.expandable)
    relations = ",".join(f"{name}()" for name in sorted(expand))
    fragment = f"deviceManagement/configurationPolicies{f'({relations})' if relations else ''}/$entity"
    shown = project(exchange, _rendered(exchange, _read(exchange), expand))
    return Reply(body={"@odata.context": exchange.context(fragment), **shown})


def list_settings(exchange: Exchange) -> Reply:
    policy = _read(exchange)
    expand = expanded(exchange, frozenset({"settingDefinitions"}))
    found = _settings(exchange, policy)
    if expand:
        for setting in found:
            setting["settingDefinitions"] = definitions.definitions_of(setting["settingInstance"], exchange.behaviour)
    listing = Listing(
        fragment=f"deviceManagement/configurationPolicies('{policy['id']}')/settings",
        expandable=frozenset({"settingDefinitions"}),
        page_size=exchange.behaviour.settings_page_size,
        style="intune",
    )
    return answer_list(exchange, found, listing)


def get_setting(exchange: Exchange) -> Reply:
    policy = _read(exchange)
    for setting in _settings(exchange, policy):
        if setting["id"] == exchange.parameters["setting"]:
            fragment = f"deviceManagement/configurationPolicies('{policy['id']}')/settings/$entity"
            return Reply(body={"@odata.context": exchange.context(fragment), **setting})
    raise not_found(exchange.parameters["setting"], "intune")


def patch_setting(exchange: Exchange) -> Reply:
    """Documented by Microsoft, refused by the service: settings change by PUT of the whole policy."""
    raise GraphError(
        400,
        "No method match route template",
        "No OData route exists that match template ~/singleton/navigation/key/navigation/key with http verb "
        f"{exchange.call.method} for request /DeviceConfigV2/StatelessDeviceConfigV2Service"
        f"{exchange.call.path}.",
        service="intune",
    )


def create_policy(exchange: Exchange) -> Reply:
    body = exchange.body()
    if body.get("assignments"):
        raise _navigation_refused("POST", "assignments")
    values = _checked_metadata(exchange, body)
    for required in ("name", "platforms", "technologies"):
        if required not in values:
            raise exchange.refuse(f"dCV2Policy.{required.capitalize()} : The {required} field is required.")
    policy = new_policy(new_id(), exchange.stamp())
    policy.update(values)
    policy["creationSource"] = body.get("creationSource")
    if not isinstance(policy["creationSource"], str | None):
        raise exchange.refuse("The property 'creationSource' has a value of the wrong type.")
    policy["_settings"] = _checked_settings(exchange, body.get("settings", []), [])
    exchange.store.add(COLLECTION, policy)
    _record(exchange, "Create", policy, [("Name", None, policy["name"])])
    body = {
        "@odata.context": exchange.context("deviceManagement/configurationPolicies/$entity"),
        **_rendered(exchange, policy),
    }
    return Reply(status=201, body=body)


def put_policy(exchange: Exchange) -> Reply:
    """Full replacement of metadata and settings; assignments stay."""
    body = exchange.body()
    if "assignments" in body:
        raise _navigation_refused("PUT", "assignments")
    if exchange.behaviour.put_refuses_creation_source and "creationSource" in body:
        raise exchange.refuse(_FIXED)
    policy = _edit(exchange)
    if exchange.behaviour.put_needs_creation_source and body.get("creationSource") != policy["creationSource"]:
        raise exchange.refuse(_FIXED)
    before = copy.deepcopy(policy)
    values = _checked_metadata(exchange, body)
    for required in ("name", "platforms", "technologies"):
        if required not in values:
            raise exchange.refuse(f"dCV2Policy.{required.capitalize()} : The {required} field is required.")
    values.setdefault("description", "")
    if "roleScopeTagIds" not in values and exchange.behaviour.put_without_scope_tags == "reset":
        values["roleScopeTagIds"] = ["0"]
    _check_type(exchange, before, values)
    settings = _checked_settings(exchange, body.get("settings", []), before["_settings"])
    policy.update(values)
    policy["_settings"] = settings
    if not exchange.behaviour.put_keeps_assignments:
        policy["_assignments"] = []
    _finish(exchange, before, policy)
    return NO_CONTENT


def patch_policy(exchange: Exchange) -> Reply:
    """Metadata alone: a body with settings is refused."""
    body = exchange.body()
    for relation in ("settings", "assignments"):
        if relation in body:
            raise _navigation_refused("PATCH", relation)
    policy = _edit(exchange)
    before = copy.deepcopy(policy)
    values = _checked_metadata(exchange, body)
    _check_type(exchange, before, values)
    policy.update(values)
    _finish(exchange, before, policy)
    shown = _rendered(exchange, policy)
    context = exchange.context("deviceManagement/configurationPolicies/$entity")
    return Reply(body={"@odata.context": context, **shown})


def delete_policy(exchange: Exchange) -> Reply:
    removed = exchange.store.remove(COLLECTION, exchange.parameters["policy"])
    if removed is None:
        raise not_found(exchange.parameters["policy"], "intune")
    _record(exchange, "Delete", removed)
    return Reply(status=exchange.behaviour.delete_status)


def list_assignments(exchange: Exchange) -> Reply:
    policy = _read(exchange)
    fragment = f"deviceManagement/configurationPolicies('{policy['id']}')/assignments"
    return answer_list(exchange, assignments.rendered(exchange, policy), Listing(fragment=fragment, style="intune"))


def assign(exchange: Exchange) -> Reply:
    """Replaces all assignments."""
    policy = _edit(exchange)
    before = policy["_assignments"]
    policy["_assignments"] = assignments.checked(exchange, before)
    policy["lastModifiedDateTime"] = exchange.stamp()
    modified = [("Assignments", before, policy["_assignments"])]
    _record(exchange, "Action", policy, modified, activity=f"Assign {KIND}")
    if exchange.behaviour.assign_status == 204:
        return NO_CONTENT
    return Reply(body={"value": assignments.rendered(exchange, policy)})


def _navigation_refused(method: str, relation: str) -> GraphError:
    return GraphError(
        400,
        "ModelValidationFailure",
        f"Cannot apply {method} to navigation property '{relation}' on entity type "
        "'microsoft.management.services.api.deviceManagementConfigurationPolicy'.",
        service="intune",
    )


def _checked_metadata(exchange: Exchange, body: JSONObject) -> JSONObject:
    values = {name: value for name, value in without_annotations(body).items() if name not in _READ_ONLY}
    values.pop("settings", None)
    values.pop("assignments", None)
    unknown = sorted(set(values) - _METADATA)
    if unknown:
        raise exchange.refuse(
            f"The property '{unknown[0]}' does not exist on type 'deviceManagementConfigurationPolicy'."
        )
    name = values.get("name", "-")
    if not isinstance(name, str) or not name.strip():
        raise exchange.refuse("dCV2Policy.Name : The Name field is required.")
    description = values.get("description")
    if "description" in values:
        values["description"] = description or ""
    if isinstance(description, str) and len(description) > DESCRIPTION_LIMIT:
        raise exchange.refuse(
            "dCV2Policy.Description : The field Description must be a string with a maximum length of "
            f"{DESCRIPTION_LIMIT}."
        )
    if values.get("platforms", "none") not in PLATFORMS:
        raise exchange.refuse("dCV2Policy.Platforms : The value is not valid.")
    if "roleScopeTagIds" in values:
        check_scope_tags(exchange, values["roleScopeTagIds"])
    if "templateReference" in values:
        template = values["templateReference"] or {}
        if not isinstance(template, dict):
            raise exchange.refuse("templateReference is not an object.")
        values["templateReference"] = {**NO_TEMPLATE, **without_annotations(template)}
    return values


def check_scope_tags(exchange: Exchange, tags: Any) -> None:
    """Raises: GraphError: 400, not a list of texts, or a tag that does not exist."""
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise exchange.refuse("roleScopeTagIds is not a collection of strings.")
    known = exchange.store.collection("roleScopeTags")
    unknown = [tag for tag in tags if tag not in known]
    if unknown and exchange.behaviour.unknown_scope_tags == "refuse":
        raise exchange.refuse(f"The scope tag {unknown[0]} does not exist.")


def _check_type(exchange: Exchange, before: JSONObject, values: JSONObject) -> None:
    if exchange.behaviour.profile_type_changes == "store":
        return
    for name in ("platforms", "technologies"):
        if values.get(name, before[name]) != before[name]:
            raise exchange.refuse(f"The property '{name}' of an existing policy cannot be changed.")
    template = values.pop("templateReference", before["templateReference"])
    if template["templateId"] != before["templateReference"]["templateId"]:
        raise exchange.refuse("The template of an existing policy cannot be changed.")


def _checked_settings(exchange: Exchange, sent: Any, known: list[JSONObject]) -> list[JSONObject]:
    """The instances to keep, in the order in which they were sent."""
    if not isinstance(sent, list):
        raise exchange.refuse("settings is not a collection.")
    instances: list[JSONObject] = []
    for setting in sent:
        instance: Any = setting.get("settingInstance") if isinstance(setting, dict) else None
        try:
            definitions.check_instance(instance, exchange.behaviour)
        except definitions.InvalidSetting as error:
            raise exchange.refuse(str(error)) from error
        instances.append(as_kept(instance))
    identifiers = [instance["settingDefinitionId"] for instance in instances]
    if exchange.behaviour.duplicate_settings == "refuse" and len(set(identifiers)) < len(identifiers):
        raise exchange.refuse("A setting definition is used twice.")
    tokens = {value["value"] for instance in known for value in _secrets(instance)}
    for instance in instances:
        for value in _secrets(instance):
            _hide(exchange, value, tokens)
    return instances


def _secrets(instance: Any) -> list[JSONObject]:
    """Every secret value inside an instance, at any depth."""
    if isinstance(instance, list):
        return [value for item in instance for value in _secrets(item)]
    if not isinstance(instance, dict):
        return []
    own = [instance] if instance.get("@odata.type") == _SECRET else []
    return own + [value for item in instance.values() for value in _secrets(item)]


def _hide(exchange: Exchange, value: JSONObject, tokens: set[str]) -> None:
    """A secret is kept nowhere: a token stands for it, and only a known token may be sent back."""
    if value.get("valueState") == "encryptedValueToken":
        if value["value"] not in tokens:
            raise exchange.refuse("An encrypted value token is not known.")
        return
    value.update({"value": new_id(), "valueState": "encryptedValueToken"})


def _finish(exchange: Exchange, before: JSONObject, policy: JSONObject) -> None:
    policy["lastModifiedDateTime"] = exchange.stamp()
    modified = [(name.lstrip("_"), old, new) for name, old, new in audit.differences(before, policy)]
    _record(exchange, "Patch", policy, [(name[:1].upper() + name[1:], old, new) for name, old, new in modified])


def _record(
    exchange: Exchange, operation: Any, policy: JSONObject, modified: audit.Modified = (), activity: str = ""
) -> None:
    change = audit.IntuneChange(
        operation=operation, kind=KIND, id=policy["id"], name=policy["name"], modified=modified, activity=activity
    )
    audit.record_intune(exchange, change)
