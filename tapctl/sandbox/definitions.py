"""The settings catalog of web sign-in: definitions, and the check of a setting against them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from tapctl.sandbox.behaviour import Behaviour
from tapctl.sandbox.errors import not_found
from tapctl.sandbox.exchange import ZERO_GUID, Exchange
from tapctl.sandbox.odata import Listing, answer_list
from tapctl.sandbox.wire import JSONObject, Reply

TYPE_PREFIX = "#microsoft.graph.deviceManagementConfiguration"
POLICY_PREFIX = "device_vendor_msft_policy_config_"
KNOWN_AREAS = ("authentication_", "admx_credentialproviders_")
"""Areas that the table below covers in full: an id of them that it does not have is an error."""

_THREE = {0: "Default", 1: "Enabled", 2: "Disabled"}
_TWO = {0: "Disabled", 1: "Enabled"}
_ALLOWED = {0: "Block", 1: "Allow"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One definition of the catalog. `list` may be a collection or a string: that is not confirmed."""

    area: str
    name: str
    title: str
    shape: Literal["choice", "string", "list"]
    minimum_version: str
    options: Mapping[int, str] | None = None
    child: str = ""
    """The last part of the id of the text that option 1 needs."""

    @property
    def id(self) -> str:
        return f"{POLICY_PREFIX}{self.area}_{self.name}".lower()

    @property
    def child_id(self) -> str:
        return f"{self.id}_{self.child}".lower() if self.child else ""


SETTINGS: tuple[Setting, ...] = (
    Setting(
        area="Authentication",
        name="EnableWebSignIn",
        title="Enable Web Sign In",
        shape="choice",
        minimum_version="10.0.17763",
        options=_THREE,
    ),
    Setting(
        area="Authentication",
        name="ConfigureWebSignInAllowedUrls",
        title="Configure Web Sign In Allowed Urls",
        shape="list",
        minimum_version="10.0.17134",
    ),
    Setting(
        area="Authentication",
        name="ConfigureWebcamAccessDomainNames",
        title="Configure Webcam Access Domain Names",
        shape="list",
        minimum_version="10.0.22000",
    ),
    Setting(
        area="Authentication",
        name="PreferredAadTenantDomainName",
        title="Preferred Aad Tenant Domain Name",
        shape="string",
        minimum_version="10.0.17763",
    ),
    Setting(
        area="Authentication",
        name="EnablePasswordlessExperience",
        title="Enable Passwordless Experience",
        shape="choice",
        minimum_version="10.0.22631",
        options=_THREE,
    ),
    Setting(
        area="Authentication",
        name="EnableFastFirstSignIn",
        title="Enable Fast First Sign In",
        shape="choice",
        minimum_version="10.0.17763",
        options=_THREE,
    ),
    Setting(
        area="Authentication",
        name="AllowAadPasswordReset",
        title="Allow Aad Password Reset",
        shape="choice",
        minimum_version="10.0.16299",
        options=_ALLOWED,
    ),
    Setting(
        area="Authentication",
        name="AllowFastReconnect",
        title="Allow Fast Reconnect",
        shape="choice",
        minimum_version="10.0.14393",
        options=_ALLOWED,
    ),
    Setting(
        area="Authentication",
        name="AllowSecondaryAuthenticationDevice",
        title="Allow Secondary Authentication Device",
        shape="choice",
        minimum_version="10.0.14393",
        options=_ALLOWED,
    ),
    Setting(
        area="ADMX_CredentialProviders",
        name="DefaultCredentialProvider",
        title="Assign a default credential provider",
        shape="choice",
        minimum_version="10.0.19041",
        options=_TWO,
        child="DefaultCredentialProvider_Message",
    ),
    Setting(
        area="ADMX_CredentialProviders",
        name="ExcludedCredentialProviders",
        title="Exclude credential providers",
        shape="choice",
        minimum_version="10.0.19041",
        options=_TWO,
        child="ExcludedCredentialProviders_Message",
    ),
    Setting(
        area="FederatedAuthentication",
        name="EnableWebSignInForPrimaryUser",
        title="Enable Web Sign In For Primary User",
        shape="choice",
        minimum_version="10.0.22000",
        options=_THREE,
    ),
)

_INSTANCE_OF = {
    "ChoiceSettingDefinition": "ChoiceSettingInstance",
    "SimpleSettingDefinition": "SimpleSettingInstance",
    "SimpleSettingCollectionDefinition": "SimpleSettingCollectionInstance",
}


@cache
def catalog(list_settings: Literal["collection", "string"]) -> Mapping[str, JSONObject]:
    """Every definition by id, children included."""
    found: dict[str, JSONObject] = {}
    for setting in SETTINGS:
        definition = _definition(setting, list_settings)
        found[definition["id"]] = definition
        if setting.child:
            child = _child_definition(setting)
            found[child["id"]] = child
    return found


def _common(setting: Setting, identifier: str, name: str, title: str) -> JSONObject:
    is_policy = setting.area != "FederatedAuthentication"
    return {
        "id": identifier,
        "name": name,
        "displayName": title,
        "description": title,
        "helpText": None,
        "baseUri": "./Device/Vendor/MSFT/Policy" if is_policy else "./Device/Vendor/MSFT",
        "offsetUri": f"/Config/{setting.area}/{setting.name}",
        "rootDefinitionId": setting.id,
        "categoryId": ZERO_GUID,
        "settingUsage": "configuration",
        "accessTypes": "add,delete,get,replace",
        "uxBehavior": "default",
        "visibility": "settingsCatalog,template",
        "riskLevel": "low",
        "keywords": [],
        "infoUrls": [],
        "version": "1",
        "occurrence": {"minDeviceOccurrence": 0, "maxDeviceOccurrence": 1},
        "applicability": {
            "@odata.type": f"{TYPE_PREFIX}WindowsSettingApplicability",
            "description": None,
            "platform": "windows10",
            "technologies": "mdm",
            "minimumSupportedVersion": setting.minimum_version,
            "maximumSupportedVersion": None,
            "deviceMode": "none",
            "windowsSkus": [],
            "requiresAzureAd": False,
            "requiredAzureAdTrustType": "none",
        },
    }


def _definition(setting: Setting, list_settings: str) -> JSONObject:
    common = _common(setting, setting.id, setting.name, setting.title)
    if setting.options is not None:
        return {
            "@odata.type": f"{TYPE_PREFIX}ChoiceSettingDefinition",
            **common,
            "defaultOptionId": f"{setting.id}_0",
            "options": [_option(setting, value, title) for value, title in setting.options.items()],
        }
    is_collection = setting.shape == "list" and list_settings == "collection"
    kind = "SimpleSettingCollectionDefinition" if is_collection else "SimpleSettingDefinition"
    bounds = {"maximumCount": 600, "minimumCount": 0} if is_collection else {}
    return {"@odata.type": f"{TYPE_PREFIX}{kind}", **common, **_text_value(), **bounds}


def _text_value() -> JSONObject:
    return {
        "defaultValue": None,
        "dependentOn": [],
        "dependedOnBy": [],
        "valueDefinition": {
            "@odata.type": f"{TYPE_PREFIX}StringSettingValueDefinition",
            "format": "none",
            "minimumLength": 0,
            "maximumLength": 87516,
            "isSecret": False,
        },
    }


def _option(setting: Setting, value: int, title: str) -> JSONObject:
    needs_child = value == 1 and setting.child_id
    return {
        "itemId": f"{setting.id}_{value}",
        "name": title,
        "displayName": title,
        "description": title,
        "helpText": None,
        "dependentOn": [],
        "dependedOnBy": [{"dependedOnBy": setting.child_id, "required": True}] if needs_child else [],
        "optionValue": {
            "@odata.type": f"{TYPE_PREFIX}IntegerSettingValue",
            "settingValueTemplateReference": None,
            "value": value,
        },
    }


def _child_definition(setting: Setting) -> JSONObject:
    return {
        "@odata.type": f"{TYPE_PREFIX}SimpleSettingDefinition",
        **_common(setting, setting.child_id, setting.child, setting.title),
        **_text_value(),
        "dependentOn": [{"dependentOn": f"{setting.id}_1", "parentSettingId": setting.id}],
    }


def get_definition(exchange: Exchange) -> Reply:
    found = catalog(exchange.behaviour.list_settings).get(exchange.parameters["definition"].lower())
    if found is None:
        raise not_found(exchange.parameters["definition"], "intune")
    return Reply(body={"@odata.context": exchange.context("deviceManagement/configurationSettings/$entity"), **found})


def list_definitions(exchange: Exchange) -> Reply:
    listing = Listing(
        fragment="deviceManagement/configurationSettings",
        filterable=frozenset({"id", "name", "displayName", "baseUri", "offsetUri", "rootDefinitionId"}),
        operators=frozenset({"eq", "in", "startswith", "contains"}),
        style="intune",
    )
    return answer_list(exchange, catalog(exchange.behaviour.list_settings).values(), listing)


def definitions_of(instance: JSONObject, behaviour: Behaviour) -> list[JSONObject]:
    """The definitions that a setting and its children use, as far as the catalog has them."""
    known = catalog(behaviour.list_settings)
    used = (str(each.get("settingDefinitionId")) for each in _instances(instance))
    return [known[identifier] for identifier in used if identifier in known]


def _instances(instance: JSONObject) -> Iterator[JSONObject]:
    yield instance
    for child in (instance.get("choiceSettingValue") or {}).get("children") or ():
        yield from _instances(child)


class InvalidSetting(Exception):
    """What the service would refuse about a setting."""


def check_instance(instance: Any, behaviour: Behaviour) -> None:
    """Check a settingInstance for its shape, and against its definition where the catalog has it.

    Raises:
        InvalidSetting: the service would refuse it.
    """
    if not isinstance(instance, dict):
        raise InvalidSetting("A setting has no settingInstance.")
    identifier, kind = instance.get("settingDefinitionId"), instance.get("@odata.type")
    if not isinstance(identifier, str) or not identifier:
        raise InvalidSetting("A settingInstance has no settingDefinitionId.")
    if not isinstance(kind, str) or not kind.startswith(TYPE_PREFIX) or not kind.endswith("Instance"):
        raise InvalidSetting(f"The @odata.type of setting {identifier} is missing or wrong.")
    definition = catalog(behaviour.list_settings).get(identifier)
    if definition is None and identifier.removeprefix(POLICY_PREFIX).startswith(KNOWN_AREAS):
        raise InvalidSetting(f"Setting definition {identifier} does not exist.")
    shape = kind.removeprefix(TYPE_PREFIX)
    if definition is not None and _INSTANCE_OF[definition["@odata.type"].removeprefix(TYPE_PREFIX)] != shape:
        raise InvalidSetting(f"Setting {identifier} has an unexpected instance type {shape}.")
    if shape == "ChoiceSettingInstance":
        _check_choice(identifier, instance.get("choiceSettingValue"), definition, behaviour)
    elif shape == "SimpleSettingInstance":
        _check_simple(identifier, instance.get("simpleSettingValue"), definition)
    elif shape == "SimpleSettingCollectionInstance":
        values = instance.get("simpleSettingCollectionValue")
        if not isinstance(values, list):
            raise InvalidSetting(f"Setting {identifier} has no simpleSettingCollectionValue.")
        for value in values:
            _check_simple(identifier, value, definition)


def _check_choice(identifier: str, value: Any, definition: JSONObject | None, behaviour: Behaviour) -> None:
    if not isinstance(value, dict) or not isinstance(value.get("value"), str):
        raise InvalidSetting(f"Setting {identifier} has no choiceSettingValue.")
    children = value.get("children")
    if not isinstance(children, list):
        raise InvalidSetting(f"Setting {identifier} has no children collection.")
    for child in children:
        check_instance(child, behaviour)
    if definition is None:
        return
    options = {option["itemId"]: option for option in definition["options"]}
    chosen = options.get(value["value"])
    if chosen is None:
        raise InvalidSetting(f"Setting {identifier} has no option {value['value']}.")
    allowed = {dependent["dependedOnBy"] for dependent in chosen["dependedOnBy"]}
    given = [child["settingDefinitionId"] for child in children]
    if sorted(given) != sorted(allowed):
        raise InvalidSetting(f"Setting {identifier} needs exactly these children: {sorted(allowed)}.")


def _check_simple(identifier: str, value: Any, definition: JSONObject | None) -> None:
    kind = value.get("@odata.type") if isinstance(value, dict) else None
    shape = str(kind).removeprefix(TYPE_PREFIX).removesuffix("SettingValue")
    types: Mapping[str, type] = {"String": str, "Integer": int, "Secret": str, "Reference": str}
    if shape not in types or not str(kind).startswith(TYPE_PREFIX):
        raise InvalidSetting(f"A value of setting {identifier} has no valid @odata.type.")
    if not isinstance(value.get("value"), types[shape]) or isinstance(value.get("value"), bool):
        raise InvalidSetting(f"Setting {identifier} has a value of the wrong type.")
    if definition is not None and shape != "String":
        raise InvalidSetting(
            f"Simple Setting has unexpected value. Expected value type String does not match actual value type {shape}."
        )
