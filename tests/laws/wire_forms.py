"""How Intune would hold what YAML says: a second encoder, so that a mistake in tapctl's own cannot hide itself."""

from __future__ import annotations

from typing import Any

from tapctl.sandbox.definitions import TYPE_PREFIX
from tapctl.sandbox.seed import choice, simple

PROVIDER_CLSIDS = {
    "web-sign-in": "{C5D7540A-CD51-453B-B22B-05305BA03F07}",
    "password": "{60B78E88-EAD8-445C-9CFD-0B87F74EA6CD}",
    "pin": "{D6886603-9D2F-4EB2-B667-1971041FA96B}",
}
THREE_WAY = ("enableWebSignIn", "enablePasswordlessExperience", "enableFastFirstSignIn")
HOSTS = ("configureWebSignInAllowedUrls", "configureWebcamAccessDomainNames")
AUTHENTICATION = (*THREE_WAY, *HOSTS, "preferredAadTenantDomainName", "allowAadPasswordReset")
PROVIDERS = ("defaultCredentialProvider", "excludedCredentialProviders")
SETTINGS = (*AUTHENTICATION, *PROVIDERS)


def definition(name: str) -> str:
    """A setting's definition below the prefix that all policy settings share."""
    area = "admx_credentialproviders" if name in PROVIDERS else "authentication"
    return f"{area}_{name.lower()}"


def node(name: str) -> str:
    """The CSP's own spelling of a setting."""
    return name[0].upper() + name[1:]


def instance(name: str, value: Any, *, lists: str) -> dict[str, Any]:
    """The instance of a setting in a settings catalog policy; `lists`: collection or string."""
    identifier = definition(name)
    if name in THREE_WAY:
        return choice(identifier, {"default": 0, True: 1, False: 2}[value])
    if name == "allowAadPasswordReset":
        return choice(identifier, 1 if value is True else 0)
    if name == "preferredAadTenantDomainName":
        return simple(identifier, value)
    if name in HOSTS:
        return simple(identifier, ";".join(value)) if lists == "string" else _collection(identifier, value)
    if value in (False, "default"):
        return choice(identifier, 0)
    listed = [value] if isinstance(value, str) else value
    text = ",".join(PROVIDER_CLSIDS.get(item, item) for item in listed)
    return choice(identifier, 1, [simple(f"{identifier}_{name.lower()}_message", text)])


def _collection(identifier: str, values: list[str]) -> dict[str, Any]:
    single = simple(identifier, "")
    items = [{**single["simpleSettingValue"], "value": value} for value in values]
    return {
        "@odata.type": f"{TYPE_PREFIX}SimpleSettingCollectionInstance",
        "settingDefinitionId": single["settingDefinitionId"],
        "settingInstanceTemplateReference": None,
        "simpleSettingCollectionValue": items,
    }


def oma(name: str, value: Any, *, root: str = "./Device/Vendor/MSFT") -> dict[str, Any]:
    """A setting of a custom profile, as it is sent."""
    address = f"{root}/Policy/Config/Authentication/{node(name)}"
    if name in THREE_WAY:
        return oma_setting("Integer", address, {"default": 0, True: 1, False: 2}[value])
    if name == "allowAadPasswordReset":
        return oma_setting("Integer", address, 1 if value is True else 0)
    return oma_setting("String", address, value if isinstance(value, str) else ";".join(value))


def oma_setting(kind: str, address: str, value: Any) -> dict[str, Any]:
    """A setting of a custom profile as the service keeps it; texts get a secret reference."""
    is_text = kind == "String"
    return {
        "@odata.type": f"#microsoft.graph.omaSetting{kind}",
        "displayName": address.rsplit("/", 1)[-1],
        "description": None,
        "omaUri": address,
        "secretReferenceValueId": f"secret_{address}" if is_text else None,
        "isEncrypted": is_text,
        "value": value,
        **({"isReadOnly": False} if kind == "Integer" else {}),
    }


def marked(description: str, key: str) -> str:
    """A profile's description with the mark of a key below it."""
    return f"{description}\n[tapctl:{key}]" if description else f"[tapctl:{key}]"


def normal(name: str, value: Any) -> Any:
    """A setting's value in the one form in which two values are compared."""
    if name == "allowAadPasswordReset" or (name in PROVIDERS and value == "default"):
        return value is True if value in (True, False, "default") else value
    names = {clsid: known for known, clsid in PROVIDER_CLSIDS.items()}
    if name == "defaultCredentialProvider" and isinstance(value, str):
        return names.get(value.upper(), value.upper() if value.startswith("{") else value)
    if name == "excludedCredentialProviders" and isinstance(value, list):
        return sorted({names.get(item.upper(), item.upper() if item.startswith("{") else item) for item in value})
    if isinstance(value, list):
        return sorted({item.lower() for item in value})
    return value.lower() if name == "preferredAadTenantDomainName" and isinstance(value, str) else value
