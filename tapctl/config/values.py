"""Canonical values: the one form in which everything after parsing knows a thing that YAML can say in several."""

from __future__ import annotations

import re

from tapctl.model.desired import SettingValue
from tapctl.model.values import JSONValue

_GUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_IS_GUID = re.compile(_GUID)
_IS_DEVICE = re.compile(f"device:{_GUID}")

PROVIDERS = {
    "{C5D7540A-CD51-453B-B22B-05305BA03F07}": "web-sign-in",
    "{60B78E88-EAD8-445C-9CFD-0B87F74EA6CD}": "password",
    "{D6886603-9D2F-4EB2-B667-1971041FA96B}": "pin",
}
"""The class ids of Windows' own credential providers that have a name in YAML."""

TWO_VALUED = frozenset({"allowAadPasswordReset", "defaultCredentialProvider", "excludedCredentialProviders"})
"""Settings whose option `_0` is both disabled and the platform's default: `default` and false are one value."""


def canonical_member(text: str) -> str:
    """Object and device ids in lower case; names as written, for people to recognise."""
    return text.lower() if _IS_GUID.fullmatch(text) or _IS_DEVICE.fullmatch(text) else text


def canonical_setting(name: str, value: JSONValue) -> SettingValue:
    """The value of a setting of webSignIn.

    Raises:
        ValueError: the schema does not allow it.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, list):
        is_provider = name == "excludedCredentialProviders"
        texts = [str(item) for item in value]
        return tuple(canonical_provider(text) if is_provider else text.lower() for text in texts)
    if not isinstance(value, str):
        raise ValueError(f"{name} cannot be a number or a map")
    if value == "default":
        return False if name in TWO_VALUED else value
    if name == "defaultCredentialProvider":
        return canonical_provider(value)
    return value.lower() if name == "preferredAadTenantDomainName" else value


def canonical_provider(text: str) -> str:
    """A credential provider by name where it has one, else its braced class id in capitals."""
    return PROVIDERS.get(text.upper(), text.upper() if text.startswith("{") else text)
