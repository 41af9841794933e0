"""Canonical values: the one form in which everything after parsing knows a thing that YAML can say in several."""

from __future__ import annotations

import re

from tapctl.model.desired import SettingValue
from tapctl.model.settings import canonical
from tapctl.model.values import JSONValue

_GUID = "[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_IS_GUID = re.compile(_GUID)
_IS_DEVICE = re.compile(f"device:{_GUID}")


def canonical_member(text: str) -> str:
    """Object and device ids in lower case; names as written, for people to recognise."""
    return text.lower() if _IS_GUID.fullmatch(text) or _IS_DEVICE.fullmatch(text) else text


def canonical_setting(name: str, value: JSONValue) -> SettingValue:
    """The value of a setting of webSignIn.

    Raises:
        ValueError: the schema does not allow it.
    """
    if isinstance(value, list):
        return canonical(name, tuple(str(item) for item in value))
    if value is not None and not isinstance(value, bool | str):
        raise ValueError(f"{name} cannot be a number or a map")
    return canonical(name, value)
