"""The web sign-in settings in both forms in which Intune holds them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapctl.kinds.settings import PREFIX, SETTINGS, decode_instance, decode_oma, encode_instance, encode_oma, oma_node
from tapctl.kinds.wire import JSONObject, Malformed
from tapctl.model.desired import SettingValue
from tapctl.model.live import SettingShape
from tapctl.model.settings import canonical
from tapctl.model.values import JSONValue

HOSTS = st.lists(st.from_regex(r"[a-z0-9]{1,8}(\.[a-z]{2,5}){1,2}", fullmatch=True), min_size=1, max_size=4).map(tuple)
PROVIDERS = st.sampled_from(["web-sign-in", "password", "pin", "{8AF662BF-65A0-4D0A-A540-A338A999D36F}"])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "three-way": st.sampled_from([True, False, "default"]),
    "two-way": st.sampled_from([True, False, "default"]),
    "hosts": HOSTS,
    "text": st.from_regex(r"[a-z]{1,8}\.[a-z]{2,4}", fullmatch=True),
    "provider": PROVIDERS,
    "providers": st.lists(PROVIDERS, min_size=1, max_size=3).map(tuple),
}
IN_BOTH_FORMS = [name for name, setting in SETTINGS.items() if setting.node is not None]


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.parametrize("shape", ["collection", "text"])
@given(data=st.data())
def test_a_value_survives_the_settings_catalog(name: str, shape: SettingShape, data: st.DataObject) -> None:
    value = canonical(name, data.draw(VALUES[SETTINGS[name].kind]))

    assert decode_instance(encode_instance(name, value, shape)) == (name, value)


@pytest.mark.parametrize("name", IN_BOTH_FORMS)
@given(data=st.data())
def test_a_value_survives_a_custom_profile(name: str, data: st.DataObject) -> None:
    value = canonical(name, data.draw(VALUES[SETTINGS[name].kind]))

    encoded = encode_oma(name, value)

    assert oma_node(str(encoded["omaUri"])) is SETTINGS[name]
    assert decode_oma(SETTINGS[name], encoded["value"]) == value


@pytest.mark.parametrize("name", SETTINGS)
@given(data=st.data())
def test_the_canonical_form_is_canonical(name: str, data: st.DataObject) -> None:
    value = canonical(name, data.draw(VALUES[SETTINGS[name].kind]))

    assert canonical(name, value) == value


SAME: list[tuple[str, SettingValue, SettingValue]] = [
    ("allowAadPasswordReset", "default", False),
    ("configureWebSignInAllowedUrls", ("b.example", "a.example"), ("a.example", "B.example")),
    ("configureWebSignInAllowedUrls", ("a.example", "a.example"), ("a.example",)),
    ("preferredAadTenantDomainName", "Contoso.com", "contoso.com"),
    ("defaultCredentialProvider", "{d6886603-9d2f-4eb2-b667-1971041fa96b}", "pin"),
    ("excludedCredentialProviders", ("pin", "password"), ("password", "{D6886603-9D2F-4EB2-B667-1971041FA96B}")),
]
DIFFERENT: list[tuple[str, SettingValue, SettingValue]] = [
    ("enableWebSignIn", "default", False),
    ("enableWebSignIn", True, False),
    ("allowAadPasswordReset", "default", True),
    ("configureWebSignInAllowedUrls", ("a.example",), ("a.example", "b.example")),
    ("preferredAadTenantDomainName", "contoso.com", "fabrikam.com"),
    ("defaultCredentialProvider", "pin", "web-sign-in"),
    ("excludedCredentialProviders", ("pin",), ("password",)),
]


@pytest.mark.parametrize(("name", "one", "other"), SAME)
def test_what_must_not_differ(name: str, one: SettingValue, other: SettingValue) -> None:
    assert canonical(name, one) == canonical(name, other)


@pytest.mark.parametrize(("name", "one", "other"), DIFFERENT)
def test_what_must_differ(name: str, one: SettingValue, other: SettingValue) -> None:
    assert canonical(name, one) != canonical(name, other)


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("./Device/Vendor/MSFT/Policy/Config/Authentication/EnableWebSignIn", "enableWebSignIn"),
        ("./Vendor/MSFT/Policy/Config/Authentication/EnableWebSignIn", "enableWebSignIn"),
        (
            "./vendor/msft/policy/config/authentication/configurewebcamaccessdomainnames ",
            "configureWebcamAccessDomainNames",
        ),
    ],
)
def test_both_spellings_of_a_node_are_the_same_setting(uri: str, name: str) -> None:
    assert oma_node(uri) is SETTINGS[name]


@pytest.mark.parametrize(
    "uri",
    [
        "./Device/Vendor/MSFT/Policy/Config/Authentication/EnableWebSignInForPrimaryUser",
        "./User/Vendor/MSFT/Policy/Config/Authentication/EnableWebSignIn",
        "./Device/Vendor/MSFT/Policy/Config/FederatedAuthentication/EnableWebSignIn",
        "",
    ],
)
def test_what_only_looks_like_a_node_is_none_of_ours(uri: str) -> None:
    assert oma_node(uri) is None


def _choice(value: object) -> JSONObject:
    definition = f"{PREFIX}authentication_enablewebsignin"
    return {"settingDefinitionId": definition, "choiceSettingValue": value}  # type: ignore[dict-item]  # wrong on purpose


def test_an_option_that_nobody_documents_differs_from_everything_declared() -> None:
    decoded = decode_instance(_choice({"value": f"{PREFIX}authentication_enablewebsignin_7", "children": []}))

    assert decoded is not None
    assert decoded[1] not in (True, False, "default", None)


def test_a_setting_that_tapctl_does_not_model_is_not_decoded() -> None:
    assert decode_instance({"settingDefinitionId": f"{PREFIX}bitlocker_requiredeviceencryption"}) is None


@pytest.mark.parametrize("value", [None, 1, "text", []])
def test_a_modelled_setting_of_another_shape_is_malformed(value: object) -> None:
    with pytest.raises(Malformed):
        decode_instance(_choice(value))


@pytest.mark.parametrize("children", [None, [], [{"settingDefinitionId": "another"}]])
def test_a_provider_that_is_switched_on_without_saying_which_is_malformed(children: object) -> None:
    definition = f"{PREFIX}admx_credentialproviders_defaultcredentialprovider"
    choice = {"value": f"{definition}_1", "children": children}

    with pytest.raises(Malformed):
        decode_instance({"settingDefinitionId": definition, "choiceSettingValue": choice})  # type: ignore[dict-item]


@pytest.mark.parametrize("value", [None, 1, ["a"]])
def test_a_text_that_is_none_is_malformed(value: JSONValue) -> None:
    definition = f"{PREFIX}authentication_preferredaadtenantdomainname"

    with pytest.raises(Malformed):
        decode_instance({"settingDefinitionId": definition, "simpleSettingValue": {"value": value}})
