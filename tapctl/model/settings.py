"""The web sign-in settings that tapctl models: names, values, and the one form in which values are compared.

Source: Policy CSP Authentication and ADMX_CredentialProviders (checked 2026-11-22)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from tapctl.model.desired import SettingValue
from tapctl.model.values import as_set

SettingKind = Literal["three-way", "two-way", "hosts", "text", "provider", "providers"]
"""three-way: enabled, disabled or the platform's default; two-way: enabled or not; hosts: a list of host names;
text: one text; provider, providers: a credential provider, a list of them."""

SETTING_KINDS: Mapping[str, SettingKind] = {
    "enableWebSignIn": "three-way",
    "configureWebSignInAllowedUrls": "hosts",
    "configureWebcamAccessDomainNames": "hosts",
    "preferredAadTenantDomainName": "text",
    "enablePasswordlessExperience": "three-way",
    "enableFastFirstSignIn": "three-way",
    "allowAadPasswordReset": "two-way",
    "defaultCredentialProvider": "provider",
    "excludedCredentialProviders": "providers",
}
"""By the name in YAML, which is the CSP's name in camelCase."""

ENABLE = "enableWebSignIn"
"""The setting that gives the devices of a profile the ability."""

PROVIDERS = {
    "web-sign-in": "{C5D7540A-CD51-453B-B22B-05305BA03F07}",
    "password": "{60B78E88-EAD8-445C-9CFD-0B87F74EA6CD}",
    "pin": "{D6886603-9D2F-4EB2-B667-1971041FA96B}",
}
"""Credential providers by their names in YAML."""

_PROVIDER_NAMES = {clsid: name for name, clsid in PROVIDERS.items()}


def canonical(name: str, value: SettingValue) -> SettingValue:
    """A value in its canonical form: lists sorted, hosts in lower case, known providers by name.

    For all but three-way choices `default` and false are the same option (`_0`)."""
    match SETTING_KINDS[name]:
        case "two-way" | "provider" | "providers" if value == "default":
            return False
        case "hosts" if isinstance(value, tuple):
            return tuple(str(item) for item in as_set(item.strip().lower() for item in value))
        case "text" if isinstance(value, str):
            return value.strip().lower()
        case "provider" if isinstance(value, str):
            return provider_name(value)
        case "providers" if isinstance(value, tuple):
            return tuple(str(item) for item in as_set(provider_name(item) for item in value))
        case _:
            return value


def is_known(name: str, value: SettingValue) -> bool:
    """Whether tapctl can write a canonical value. An undocumented live option cannot be written."""
    match SETTING_KINDS[name]:
        case "three-way":
            return value in (None, True, False, "default")
        case "two-way":
            return value in (None, True, False)
        case "hosts":
            return value is None or isinstance(value, tuple)
        case "text":
            return value is None or isinstance(value, str)
        case "provider":
            return value in (None, False) or isinstance(value, str)
        case "providers":
            return value in (None, False) or isinstance(value, tuple)


def provider_name(value: str) -> str:
    """The YAML name of a credential provider, else its CLSID in braces and upper case."""
    clsid = value.strip().upper()
    return _PROVIDER_NAMES.get(clsid, clsid) if clsid.startswith("{") else value


def provider_clsid(value: str) -> str:
    return PROVIDERS.get(value, value)
