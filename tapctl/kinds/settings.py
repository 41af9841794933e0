"""The web sign-in settings: one table, and both forms in which Intune holds a value.

Sources: Policy CSP Authentication and ADMX_CredentialProviders; ids and options as the settings catalog shows them
(checked 2026-11-22). Every definition id begins with `device_vendor_msft_policy_config_`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tapctl.kinds.wire import JSONObject, Malformed, as_object, objects
from tapctl.model.desired import SettingValue
from tapctl.model.live import SettingShape
from tapctl.model.settings import ENABLE, SETTING_KINDS, SettingKind, canonical, provider_clsid
from tapctl.model.values import JSONValue

PREFIX = "device_vendor_msft_policy_config_"
GRAPH = "#microsoft.graph.deviceManagementConfiguration"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its name in YAML, its definition in the settings catalog, its node in the CSP."""

    name: str
    definition: str
    node: str | None
    """Below ./Device/Vendor/MSFT/Policy/Config/Authentication/; None: not a node of that CSP."""

    @property
    def kind(self) -> SettingKind:
        return SETTING_KINDS[self.name]

    @property
    def child(self) -> str:
        """The definition of the text below an ADMX choice."""
        return f"{self.definition}_{self.definition.rsplit('_', 1)[-1]}_message"


def _authentication(name: str) -> Setting:
    node = name[0].upper() + name[1:]
    return Setting(name, f"{PREFIX}authentication_{node.lower()}", node)


def _provider(name: str) -> Setting:
    return Setting(name, f"{PREFIX}admx_credentialproviders_{name.lower()}", None)


SETTINGS: Mapping[str, Setting] = {
    name: _provider(name) if kind in ("provider", "providers") else _authentication(name)
    for name, kind in SETTING_KINDS.items()
}
BY_DEFINITION: Mapping[str, Setting] = {setting.definition: setting for setting in SETTINGS.values()}
BY_NODE: Mapping[str, Setting] = {
    setting.node.lower(): setting for setting in SETTINGS.values() if setting.node is not None
}


# The settings catalog


def modelled_name(instance: JSONObject) -> str:
    """The name of the setting of an instance; empty for a setting that tapctl does not model."""
    setting = BY_DEFINITION.get(str(instance.get("settingDefinitionId", "")).lower())
    return setting.name if setting is not None else ""


def decode_instance(instance: JSONObject) -> tuple[str, SettingValue] | None:
    """A modelled setting's name and canonical value; None for a setting that tapctl does not model.

    Raises:
        Malformed: when a modelled setting has a shape that Graph does not document.
    """
    name = modelled_name(instance)
    return (name, decode_value(instance)) if name else None


def decode_value(instance: JSONObject) -> SettingValue:
    """The canonical value of an instance of a modelled setting.

    Raises:
        Malformed: when it has a shape that Graph does not document.
    """
    setting = SETTINGS[modelled_name(instance)]
    return canonical(setting.name, _decode_value(setting, instance))


def read_each(
    by_name: Mapping[str, Sequence[JSONObject]], decode: Callable[[JSONObject], SettingValue]
) -> tuple[dict[str, SettingValue], dict[str, str]]:
    """The value of each readable setting, and for each unreadable one the reason.

    Raises:
        Malformed: when web sign-in itself cannot be read: whom the profile reaches would be unknown.
    """
    values: dict[str, SettingValue] = {}
    unreadable: dict[str, str] = {}
    for name, found in by_name.items():
        try:
            if len(found) > 1:
                raise Malformed(f"{name} occurs twice")
            values[name] = decode(found[0])
        except Malformed as error:
            if name == ENABLE:
                raise
            unreadable[name] = str(error)
    return values, unreadable


def _decode_value(setting: Setting, instance: JSONObject) -> SettingValue:
    if setting.kind in ("hosts", "text"):
        values = _simple_values(instance)
        if setting.kind == "text":
            return ";".join(values)
        return tuple(part for value in values for part in value.split(";") if part.strip())
    choice = as_object(instance.get("choiceSettingValue"), "choiceSettingValue")
    option = str(choice.get("value", "")).lower().removeprefix(f"{setting.definition}_")
    if setting.kind in ("provider", "providers"):
        return _decode_provider(setting, choice) if option == "1" else False
    options: dict[str, SettingValue]
    options = {"0": "default", "1": True, "2": False} if setting.kind == "three-way" else {"0": False, "1": True}
    # An option that is not documented is shown as it is, and differs from every declared value.
    return options.get(option, option)


def _decode_provider(setting: Setting, choice: JSONObject) -> SettingValue:
    for child in objects(choice.get("children"), "children"):
        if str(child.get("settingDefinitionId", "")).lower() == setting.child:
            value = ",".join(_simple_values(child))
            if setting.kind == "provider":
                return value
            return tuple(part.strip() for part in value.replace(";", ",").split(",") if part.strip())
    raise Malformed(f"{setting.name} is enabled without a credential provider")


def _simple_values(instance: JSONObject) -> list[str]:
    if instance.get("simpleSettingCollectionValue") is not None:
        items = objects(instance["simpleSettingCollectionValue"], "simpleSettingCollectionValue")
    else:
        items = [as_object(instance.get("simpleSettingValue"), "simpleSettingValue")]
    values = [item.get("value") for item in items]
    if not all(isinstance(value, str) for value in values):
        raise Malformed("the value of a setting is not a string")
    return [str(value) for value in values]


def shape_of(instance: JSONObject) -> SettingShape:
    return "collection" if "collection" in str(instance.get("@odata.type", "")).lower() else "text"


def encode_instance(name: str, value: SettingValue, shape: SettingShape) -> JSONObject:
    """The settingInstance that holds a value; `shape` matters only for lists of hosts and for text."""
    setting = SETTINGS[name]
    match setting.kind:
        case "hosts" | "text":
            parts = list(value) if isinstance(value, tuple) else [str(value)]
            return _encode_simple(setting.definition, parts if shape == "collection" else [";".join(parts)], shape)
        case "provider" | "providers" if value is not False:
            listed = value if isinstance(value, tuple) else (str(value),)
            message = ",".join(provider_clsid(item) for item in listed)
            return _encode_choice(setting.definition, "1", [_encode_simple(setting.child, [message], "text")])
        case "three-way":
            option = "0" if value == "default" else "1" if value is True else "2"
            return _encode_choice(setting.definition, option, [])
        case _:
            return _encode_choice(setting.definition, "1" if value is True else "0", [])


def _encode_choice(definition: str, option: str, children: list[JSONValue]) -> JSONObject:
    return {
        "@odata.type": f"{GRAPH}ChoiceSettingInstance",
        "settingDefinitionId": definition,
        "settingInstanceTemplateReference": None,
        "choiceSettingValue": {
            "settingValueTemplateReference": None,
            "value": f"{definition}_{option}",
            "children": children,
        },
    }


def _encode_simple(definition: str, values: list[str], shape: SettingShape) -> JSONObject:
    encoded: list[JSONValue] = [
        {"@odata.type": f"{GRAPH}StringSettingValue", "settingValueTemplateReference": None, "value": value}
        for value in values
    ]
    collection = shape == "collection"
    return {
        "@odata.type": f"{GRAPH}SimpleSetting{'Collection' if collection else ''}Instance",
        "settingDefinitionId": definition,
        "settingInstanceTemplateReference": None,
        ("simpleSettingCollectionValue" if collection else "simpleSettingValue"): encoded if collection else encoded[0],
    }


# Custom OMA-URI profiles


def oma_node(uri: str) -> Setting | None:
    """The setting of an OMA-URI; both spellings of the root address the same node."""
    lowered = uri.strip().lower()
    for root in ("./device/vendor/msft/policy/config/authentication/", "./vendor/msft/policy/config/authentication/"):
        if lowered.startswith(root):
            return BY_NODE.get(lowered.removeprefix(root))
    return None


def decode_oma(setting: Setting, value: JSONValue) -> SettingValue:
    """The canonical value of an OMA setting whose value is in plain text."""
    if setting.kind == "hosts":
        return canonical(setting.name, tuple(part for part in str(value).split(";") if part.strip()))
    if setting.kind == "text":
        return canonical(setting.name, str(value))
    options: dict[JSONValue, SettingValue]
    options = {0: "default", 1: True, 2: False} if setting.kind == "three-way" else {0: False, 1: True}
    return options.get(value, str(value)) if isinstance(value, int) else str(value)


def encode_oma(name: str, value: SettingValue) -> JSONObject:
    """The OMA setting for a value, in plain text: Intune encrypts it when it receives it."""
    setting = SETTINGS[name]
    item: JSONObject = {
        "displayName": setting.node,
        "omaUri": f"./Device/Vendor/MSFT/Policy/Config/Authentication/{setting.node}",
    }
    if setting.kind in ("hosts", "text"):
        joined = ";".join(value) if isinstance(value, tuple) else str(value)
        return {"@odata.type": "#microsoft.graph.omaSettingString", **item, "value": joined}
    number = 1 if value is True else 0 if value == "default" or setting.kind == "two-way" else 2
    return {"@odata.type": "#microsoft.graph.omaSettingInteger", **item, "value": number}
