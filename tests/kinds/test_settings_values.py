"""Which values tapctl can write: what it cannot is refused, never written as something that resembles it."""

from __future__ import annotations

import pytest

from tapctl.kinds.settings import SETTINGS
from tapctl.model.desired import SettingValue
from tapctl.model.settings import is_known

KNOWN: list[tuple[str, SettingValue]] = [
    ("enableWebSignIn", True),
    ("enableWebSignIn", "default"),
    ("allowAadPasswordReset", False),
    ("configureWebSignInAllowedUrls", ("idp.example.com",)),
    ("preferredAadTenantDomainName", "contoso.com"),
    ("defaultCredentialProvider", "pin"),
    ("defaultCredentialProvider", False),
    ("excludedCredentialProviders", ("password",)),
]
UNKNOWN: list[tuple[str, SettingValue]] = [
    ("enableWebSignIn", "3"),
    ("allowAadPasswordReset", "default"),
    ("configureWebSignInAllowedUrls", "idp.example.com"),
    ("preferredAadTenantDomainName", True),
    ("defaultCredentialProvider", True),
    ("excludedCredentialProviders", "password"),
]


@pytest.mark.parametrize(("name", "value"), KNOWN)
def test_a_value_that_the_setting_has_can_be_written(name: str, value: SettingValue) -> None:
    assert is_known(name, value)


@pytest.mark.parametrize(("name", "value"), UNKNOWN)
def test_a_value_that_the_setting_does_not_have_is_not_guessed_at(name: str, value: SettingValue) -> None:
    assert not is_known(name, value)


@pytest.mark.parametrize("name", SETTINGS)
def test_taking_a_setting_out_can_always_be_written(name: str) -> None:
    assert is_known(name, None)
