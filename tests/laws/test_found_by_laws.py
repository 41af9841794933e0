"""What the laws found once, each as the one tenant that shows it: found again whatever is drawn."""

from __future__ import annotations

from typing import Any

from tapctl.sandbox.behaviour import Behaviour
from tapctl.sandbox.custom_profiles import new_configuration
from tapctl.sandbox.profiles import new_policy
from tests.laws import cast, wire_forms
from tests.laws.cast import id_of
from tests.laws.scenarios import MOMENT, Scenario
from tests.laws.tenant_run import world_of
from tests.support.world import TENANT_ID


def scenario(document: dict[str, Any], collection: str, live: dict[str, Any]) -> Scenario:
    objects = cast.collections()
    objects.setdefault(collection, {})[live["id"]] = live
    tenant = {"tenant": {"id": TENANT_ID, "cloud": "sandbox"}}
    return Scenario(document=tenant | document, objects=objects, behaviour=Behaviour())


def test_a_changed_setting_leaves_the_line_breaks_of_an_undeclared_description() -> None:
    live = new_policy(id_of("p"), MOMENT) | {"name": "Web", "description": "one\r\ntwo\n[tapctl:first]"}
    document = {"webSignIn": {"first": {"displayName": "Web", "settings": {"enableWebSignIn": True}}}}

    with world_of(scenario(document, "configurationPolicies", live)) as world:
        world.converge()

        assert world.state()["configurationPolicies"][live["id"]]["description"] == live["description"]


def test_a_changed_oma_setting_leaves_the_spelling_of_the_others() -> None:
    hosts = wire_forms.oma("configureWebSignInAllowedUrls", ["IDP.Example.com", "a.example.com"])
    live = new_configuration(id_of("p"), MOMENT)
    live |= {"displayName": "Web", "description": "[tapctl:first]", "omaSettings": [hosts]}
    said = {"displayName": "Web", "delivery": "oma-uri", "settings": {"enableWebSignIn": True}}

    with world_of(scenario({"webSignIn": {"first": said}}, "deviceConfigurations", live)) as world:
        world.converge()

        kept, made = world.state()["deviceConfigurations"][live["id"]]["omaSettings"]
        assert kept["value"] == "IDP.Example.com;a.example.com"
        assert made["omaUri"].endswith("/EnableWebSignIn")


def test_a_kept_member_of_another_kind_is_not_taken_for_a_later_change_on_the_way_back() -> None:
    members = [id_of("ada"), cast.SERVICE_PRINCIPAL["id"]]
    live = cast.group("alpha", uniqueName="tapctl-alpha", displayName="Alpha", _members=members)
    said = {"displayName": "Alpha", "members": ["grace@contoso.com", id_of("foreign-1")]}

    with world_of(scenario({"groups": {"alpha": said}}, "groups", live)) as world:
        world.converge()
        world.settle()
        world.apply(world.plan_back(remove=False))

        assert sorted(world.state()["groups"][live["id"]]["_members"]) == sorted(members)
