"""Every switch of the sandbox, each alone: what Graph might do otherwise does not keep a tenant from converging."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from tapctl.sandbox.behaviour import Behaviour
from tests.support.world import EXAMPLES, Unread, World

SWITCHES: dict[str, tuple[Any, ...]] = {
    "odata_type_required": (False,),
    "recalculate_lifetimes": (True,),
    "unknown_policy_targets": ("refuse", "refuse-new"),
    "exclude_targets_missing": (True,),
    "reverse_targets": (True,),
    "target_annotations": (False,),
    "reset_keeps_targets": (True,),
    "nested_targets_count": (False,),
    "settings_page_size": (1,),
    "intune_page_size": (1,),
    "intune_top_maximum": (2,),
    "top_over_maximum": ("refuse",),
    "expand_settings_limit": (1,),
    "delete_status": (200,),
    "assign_status": (204,),
    "custom_profile_patch_status": (204,),
    "put_without_scope_tags": ("keep",),
    "put_refuses_creation_source": (True,),
    "profile_type_changes": ("store",),
    "duplicate_settings": ("store",),
    "null_descriptions": (True,),
    "list_settings": ("string",),
    "unknown_assignment_groups": ("refuse",),
    "filter_on_exclusion": ("store",),
    "contradicting_assignments": ("refuse",),
    "zero_guid_filters": (True,),
    "unknown_scope_tags": ("store",),
    "extra_keys": (True,),
    "encrypt_oma_strings": (False,),
    "soft_delete_groups": ("all",),
    "directory_page_size": (1,),
    "lag_get_seconds": (3.0, 30.0),
    "lag_get_reads": (1,),
    "lag_list_seconds": (3.0, 40.0),
    "lag_list_reads": (2,),
    "lag_updates": (True,),
    "lag_refuses_writes": (False,),
    "audit_whole_policy": (True,),
    "audit_delay_seconds": (10.0,),
    "retry_after_seconds": (None, 0),
    "shuffle_batch": (False,),
    "inner_error": ("innererror",),
    "wrap_intune_errors": (False,),
    "revoke_tokens": (1, 2),
    "include_targets": ("null-when-empty",),
    "target_display_names": ("refuse",),
    "is_registration_required_kept": (True,),
    "put_needs_creation_source": (True,),
    "pages_overlap": (True,),
}

TOGETHER: tuple[dict[str, Any], ...] = (
    {"lag_get_seconds": 3.0, "lag_list_seconds": 5.0, "lag_updates": True},
    {"lag_list_seconds": 30.0, "lag_updates": True},
    {"lag_get_seconds": 30.0, "lag_updates": True},
    {"lag_get_seconds": 10.0, "lag_list_seconds": 20.0},
    {"lag_get_seconds": 5.0, "lag_list_seconds": 5.0, "lag_refuses_writes": False},
)

ELSEWHERE = {
    "second_tap": "passes of a user: no part of an apply",
    "tap_while_disabled": "passes of a user: no part of an apply",
    "tap_usable_after_reads": "passes of a user: no part of an apply",
    "put_keeps_assignments": "has a test of its own below: it takes a second run",
    "approval_for": "multi-admin approval waits for a second person",
    "approval_status": "only with approval_for",
}

CASES = [{name: value} for name, values in SWITCHES.items() for value in values] + list(TOGETHER)
COUNTED_READS = {"lag_get_reads": 1}
"""A group that nobody reads by its id stays unseen for ever under this switch: no delay of Graph is like that."""
LAGGING = [case for case in CASES if any(name.startswith("lag_") for name in case)]

FIRST = """
    groups:
      people: {displayName: SG-People, description: old, members: [ada@contoso.com, grace@contoso.com]}
      others: {displayName: SG-Others, members: ["group:people"]}
      dynamic: {displayName: SG-Dynamic, rule: (user.department -eq "Sales")}
      leaving: {displayName: SG-Leaving}
      devices: {displayName: SG-Devices}
    temporaryAccessPass:
      state: disabled
      lifetime: {minimum: 10m, default: 1h, maximum: 2h}
      length: 8
      oneTime: true
      include: [people]
      exclude: [leaving]
    webSignIn:
      catalog:
        displayName: Catalog
        description: old
        settings:
          enableWebSignIn: true
          configureWebSignInAllowedUrls: [a.example.com, b.example.com]
          preferredAadTenantDomainName: contoso.com
          excludedCredentialProviders: [password]
        assign: {include: [{group: all-devices, filter: Corporate devices, mode: include}], exclude: [leaving]}
        scopeTags: [Default]
      custom:
        displayName: Custom
        description: old
        delivery: oma-uri
        settings: {enableWebSignIn: true, configureWebSignInAllowedUrls: [a.example.com]}
        assign: {include: [devices]}
        scopeTags: [Default]
      doomed: {displayName: Doomed, settings: {enableWebSignIn: false}}
      doomed-too: {displayName: Doomed too, delivery: oma-uri, settings: {enableWebSignIn: false}}
"""

SECOND = """
    groups:
      people: {displayName: SG-People-New, description: new, members: [ada@contoso.com, alan@contoso.com]}
      others: {displayName: SG-Others, members: ["group:people", "group:dynamic"]}
      dynamic: {displayName: SG-Dynamic, rule: (user.department -eq "Research")}
      leaving: {displayName: SG-Leaving, ensure: absent}
      devices: {displayName: SG-Devices}
    temporaryAccessPass:
      state: enabled
      lifetime: {minimum: 20m, default: 3h, maximum: 4h}
      length: 12
      oneTime: false
      include: [people, dynamic]
      exclude: [others]
    webSignIn:
      catalog:
        displayName: Catalog New
        description: new
        settings:
          enableWebSignIn: default
          configureWebSignInAllowedUrls: [c.example.com]
          preferredAadTenantDomainName: null
          excludedCredentialProviders: [password, web-sign-in]
          enablePasswordlessExperience: false
        assign: {include: [devices], exclude: [others]}
        scopeTags: [Pilot]
      custom:
        displayName: Custom New
        description: new
        delivery: oma-uri
        settings:
          enableWebSignIn: false
          configureWebSignInAllowedUrls: [c.example.com, d.example.com]
          enableFastFirstSignIn: true
        assign: {include: [{group: devices, filter: Corporate devices, mode: exclude}], exclude: [people]}
        scopeTags: [Default, Pilot]
      doomed: {displayName: Doomed, ensure: absent}
      doomed-too: {displayName: Doomed too, delivery: oma-uri, ensure: absent}
"""
"""Every field of FIRST changes."""


def test_every_switch_is_turned_here_or_has_a_reason_not_to_be() -> None:
    assert {field.name for field in fields(Behaviour)} == set(SWITCHES) | set(ELSEWHERE)


@pytest.mark.parametrize("name", SWITCHES)
def test_the_values_here_are_not_the_defaults(name: str) -> None:
    assert getattr(Behaviour(), name) not in SWITCHES[name]


@pytest.mark.parametrize("switches", LAGGING, ids=str)
def test_an_example_converges_however_long_replication_takes(world: World, switches: dict[str, Any]) -> None:
    world.behave(Behaviour.from_mapping(switches))
    world.take(EXAMPLES / "fabrikam")

    world.converge()

    count = len(world.writes)
    assert world.apply() == ()
    assert len(world.writes) == count


@pytest.mark.parametrize("switches", [case for case in CASES if case != COUNTED_READS], ids=str)
def test_every_field_can_be_changed_and_everything_taken_away(world: World, switches: dict[str, Any]) -> None:
    world.behave(Behaviour.from_mapping(switches))
    for text in (FIRST, SECOND):
        world.declare(text)
        world.converge()
        world.clock.elapsed += 600.0

    count = len(world.writes)
    assert world.apply() == ()
    assert len(world.writes) == count


def test_a_service_that_drops_assignments_with_the_settings_is_noticed_and_made_good_by_a_second_run(
    world: World,
) -> None:
    world.behave(Behaviour(put_keeps_assignments=False))
    text = "webSignIn: {{one: {{displayName: One, settings: {{enableWebSignIn: {}}}, assign: {{include: {}}}}}}}"
    world.declare(text.format("true", "[all-devices]"))
    world.converge()
    world.declare(text.format("false", "[all-devices]"))

    (change,) = world.apply()

    assert change.outcome is not None
    assert change.outcome.name == "unverified"
    assert world.changes() == {"webSignIn.one": {"assign.include": ((), ("all-devices",))}}
    world.converge()


@pytest.mark.parametrize("shown", ["null", "missing"])
def test_a_policy_without_include_targets_is_not_taken_for_one_that_includes_nobody(world: World, shown: Any) -> None:
    world.behave(Behaviour(include_targets=shown))
    world.declare("temporaryAccessPass: {include: [all-users]}")

    with pytest.raises(Unread, match="includeTargets"):
        world.plan()


@pytest.mark.parametrize("switch", ["put_needs_creation_source", "put_refuses_creation_source"])
def test_a_creation_source_is_put_where_it_has_to_be_and_nowhere_else(world: World, switch: str) -> None:
    world.behave(Behaviour.from_mapping({switch: True}))
    text = "webSignIn: {{one: {{displayName: One, settings: {{enableWebSignIn: {}}}}}}}"
    world.declare(text.format("true"))
    world.converge()
    world.change("configurationPolicies", world.named("configurationPolicies", "One")["id"], creationSource="Imported")
    world.declare(text.format("false"))

    world.converge()


def test_an_object_that_two_pages_show_is_one_object(world: World) -> None:
    sizes = {"intune_page_size": 1, "directory_page_size": 1, "settings_page_size": 1}
    world.behave(Behaviour.from_mapping({"pages_overlap": True, **sizes}))
    for text in (FIRST, SECOND):
        world.declare(text)
        world.converge()
