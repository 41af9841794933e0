"""A settings catalog policy that cannot be written back whole is not written: nothing unmodelled is lost."""

from __future__ import annotations

import pytest

from tapctl.kinds.catalog import SettingsCatalog
from tapctl.kinds.settings import encode_instance
from tapctl.kinds.wire import JSONObject
from tapctl.model.live import LiveProfile
from tapctl.model.values import JSONValue

ENABLE = "enableWebSignIn"
PROVIDER = "defaultCredentialProvider"


def policy(instance: JSONObject) -> LiveProfile:
    item: JSONObject = {"id": "19b03e97-aa42-4438-bf58-d3d20ff76067", "name": "WIN", "roleScopeTagIds": ["0"]}
    return SettingsCatalog().decode(item, [instance], {"value": []})


def with_foreign_child(**child: JSONValue) -> JSONObject:
    instance = encode_instance(ENABLE, True, "text")
    choice = instance["choiceSettingValue"]
    assert isinstance(choice, dict)
    children: list[JSONValue] = [{"settingDefinitionId": "something_else", **child}]
    return {**instance, "choiceSettingValue": {**choice, "children": children}}


def test_a_change_that_would_lose_what_is_beneath_a_setting_is_refused() -> None:
    assert (
        SettingsCatalog().why_not_writable(policy(with_foreign_child()), frozenset({f"settings.{ENABLE}"})) is not None
    )


@pytest.mark.parametrize("path", ["description", "settings.enablePasswordlessExperience"])
def test_a_change_of_anything_else_is_not(path: str) -> None:
    assert SettingsCatalog().why_not_writable(policy(with_foreign_child()), frozenset({path})) is None


def test_the_text_of_a_credential_provider_is_modelled() -> None:
    live = policy(encode_instance(PROVIDER, "pin", "text"))

    assert SettingsCatalog().why_not_writable(live, frozenset({f"settings.{PROVIDER}"})) is None


def test_a_masked_secret_beneath_a_setting_protects_every_setting_of_the_policy() -> None:
    secret: JSONObject = {"@odata.type": "#microsoft.graph.deviceManagementConfigurationSecretSettingValue"}
    live = policy(with_foreign_child(simpleSettingValue=secret))

    assert live.masked == 1
    assert SettingsCatalog().why_not_writable(live, frozenset({"settings.enablePasswordlessExperience"})) is not None


def test_a_policy_differs_when_only_what_is_beneath_a_setting_differs() -> None:
    assert policy(with_foreign_child(value="a")) != policy(with_foreign_child(value="b"))
    assert policy(with_foreign_child(value="a")) == policy(with_foreign_child(value="a"))
