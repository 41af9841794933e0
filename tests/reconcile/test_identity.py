"""Which live object a declared one is: by pin, else by mark, never in silence by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tapctl.errors import Finding
from tapctl.reconcile.planner import Planned
from tests.support.world import World

GROUP = "groups: {{team: {{displayName: {name}, description: {description}{more}}}}}"
PROFILE = (
    "webSignIn: {{team: {{displayName: {name}, description: {description}, delivery: {delivery}, "
    "settings: {{enableWebSignIn: true}}{more}}}}}"
)
CATALOG, CUSTOM = "settings-catalog", "oma-uri"
KINDS = ("group", CATALOG, CUSTOM)
COLLECTIONS = {"group": "groups", CATALOG: "configurationPolicies", CUSTOM: "deviceConfigurations"}
MARKS = {"group": "uniqueName", CATALOG: "description", CUSTOM: "description"}


def declare(world: World, kind: str, *, name: str = "Team", description: str = "the team", more: str = "") -> None:
    more = f", {more}" if more else ""
    template = GROUP if kind == "group" else PROFILE
    world.declare(template.format(name=name, description=description, delivery=kind, more=more))


def errors(planned: Planned) -> list[Finding]:
    return [finding for finding in planned.findings if finding.severity == "error"]


def the_error(world: World) -> Finding:
    planned = world.plan()
    assert planned.drafts == ()
    (finding,) = errors(planned)
    return finding


def made(world: World, kind: str) -> str:
    """An object that tapctl made; returns its id."""
    declare(world, kind)
    world.converge()
    world.forget()
    return str(world.named(COLLECTIONS[kind], "Team")["id"])


def found(world: World, kind: str) -> str:
    """An object that somebody else made in the portal: it bears no mark."""
    object_id = made(world, kind)
    world.change(COLLECTIONS[kind], object_id, **{MARKS[kind]: None if kind == "group" else "theirs"})
    return object_id


@pytest.mark.parametrize("kind", KINDS)
def test_what_tapctl_makes_bears_its_mark(world: World, kind: str) -> None:
    object_id = made(world, kind)

    live = world.objects(COLLECTIONS[kind])[object_id]

    assert live[MARKS[kind]] == ("tapctl-team" if kind == "group" else "the team\n[tapctl:team]")


@pytest.mark.parametrize("kind", KINDS)
def test_a_rename_in_yaml_of_a_marked_object_is_an_update(world: World, kind: str) -> None:
    object_id = made(world, kind)
    declare(world, kind, name="Crew")

    (draft,) = world.plan().drafts
    assert (draft.change.action, [item.path for item in draft.change.fields]) == ("update", ["displayName"])
    world.converge()

    assert world.named(COLLECTIONS[kind], "Crew")["id"] == object_id


@pytest.mark.parametrize("kind", KINDS)
def test_a_marked_object_that_was_renamed_in_the_portal_is_renamed_back(world: World, kind: str) -> None:
    object_id = made(world, kind)
    world.change(COLLECTIONS[kind], object_id, **{"name" if kind == CATALOG else "displayName": "Theirs"})

    (fields,) = world.changes().values()

    assert fields == {"displayName": ("Theirs", "Team")}


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_of_the_name_without_our_mark_is_an_error_that_gives_its_id_and_the_ways_out(
    world: World, kind: str
) -> None:
    object_id = found(world, kind)

    finding = the_error(world)

    assert finding.rule == "unmarked-object"
    assert object_id in finding.message
    assert f"id: {object_id}" in finding.fix
    assert "adopt: true" in finding.fix
    assert ("external: true" in finding.fix) == (kind == "group")
    assert finding.position is not None


@pytest.mark.parametrize("kind", KINDS)
def test_adopt_takes_the_one_object_of_exactly_this_name_and_prints_the_id_to_commit(world: World, kind: str) -> None:
    object_id = found(world, kind)
    declare(world, kind, description="ours", more="adopt: true")

    planned = world.plan()

    (finding,) = planned.findings
    assert finding.severity == "info"
    assert f"id: {object_id}" in finding.fix
    (draft,) = planned.drafts
    assert (draft.change.action, [item.path for item in draft.change.fields]) == ("update", ["description"])


@pytest.mark.parametrize("kind", KINDS)
def test_adoption_and_pins_write_no_mark(world: World, kind: str) -> None:
    object_id = found(world, kind)
    for more, description in (("adopt: true", "ours"), (f"id: {object_id}", "still ours")):
        declare(world, kind, description=description, more=more)
        world.converge()

        live = world.objects(COLLECTIONS[kind])[object_id]
        assert live["description"] == description
        assert live.get("uniqueName") is None


@pytest.mark.parametrize("kind", KINDS)
def test_adoption_alone_changes_nothing(world: World, kind: str) -> None:
    found(world, kind)
    declare(world, kind, description="the team" if kind == "group" else "theirs", more="adopt: true")

    assert world.changes() == {}


@pytest.mark.parametrize("kind", KINDS)
def test_adopt_does_not_take_an_object_whose_name_differs_in_case(world: World, kind: str) -> None:
    found(world, kind)
    declare(world, kind, name="TEAM", more="adopt: true")

    assert the_error(world).rule == "unmarked-object"


@pytest.mark.parametrize("kind", KINDS)
def test_a_pinned_object_is_found_whatever_its_name(world: World, kind: str) -> None:
    object_id = found(world, kind)
    declare(world, kind, name="Crew", more=f"id: {object_id.upper()}")

    planned = world.plan()

    (draft,) = planned.drafts
    assert (draft.change.action, draft.change.address.rsplit(".", 1)[-1]) == ("update", "team")
    assert draft.change.fields[-1].before == "Team"


@pytest.mark.parametrize("kind", KINDS)
def test_a_pin_that_does_not_exist_is_an_error_never_a_create(world: World, kind: str) -> None:
    declare(world, kind, more="id: 7d0f6e9c-0000-4000-8000-000000000000")

    finding = the_error(world)

    assert finding.rule == "unresolved-name"
    assert "7d0f6e9c-0000-4000-8000-000000000000" in finding.message


def test_an_external_pin_that_does_not_exist_is_an_error(world: World) -> None:
    world.declare("groups: {team: {id: 7d0f6e9c-0000-4000-8000-000000000000, external: true}}")

    assert the_error(world).rule == "unresolved-name"


@pytest.mark.parametrize("kind", KINDS)
def test_two_objects_of_the_name_are_an_error_that_lists_both(world: World, kind: str) -> None:
    object_id = found(world, kind)
    twin = {**world.objects(COLLECTIONS[kind])[object_id], "id": "00000000-1111-4000-8000-000000000000"}
    world.add(COLLECTIONS[kind], **twin)

    for more in ("", "adopt: true"):
        declare(world, kind, more=more)
        finding = the_error(world)

        assert finding.rule == "ambiguous-name"
        assert object_id in finding.message
        assert "00000000-1111-4000-8000-000000000000" in finding.message


@pytest.mark.parametrize("kind", [CATALOG, CUSTOM])
def test_two_profiles_that_bear_our_mark_are_an_error(world: World, kind: str) -> None:
    object_id = made(world, kind)
    twin = {**world.objects(COLLECTIONS[kind])[object_id], "id": "00000000-1111-4000-8000-000000000000"}
    world.add(COLLECTIONS[kind], **twin)

    assert the_error(world).rule == "ambiguous-name"


@pytest.mark.parametrize("kind", KINDS)
def test_an_unmarked_object_of_the_name_beside_ours_is_none_of_our_business(world: World, kind: str) -> None:
    object_id = made(world, kind)
    name = "uniqueName" if kind == "group" else "description"
    world.add(
        COLLECTIONS[kind],
        **{**world.objects(COLLECTIONS[kind])[object_id], "id": "00000000-1111-4000-8000-000000000000", name: None},
    )

    assert world.changes() == {}


def test_a_mark_of_another_key_is_not_ours(world: World) -> None:
    object_id = made(world, CATALOG)
    world.change("configurationPolicies", object_id, description="x\n[tapctl:other]")

    assert the_error(world).rule == "unmarked-object"


def test_a_mark_survives_what_the_portal_does_to_line_ends(world: World) -> None:
    object_id = made(world, CATALOG)
    world.change("configurationPolicies", object_id, description="the team\r\n[tapctl:team]\r\n")

    assert world.changes() == {}


@pytest.mark.parametrize(("before", "after"), [(CATALOG, CUSTOM), (CUSTOM, CATALOG)])
def test_changing_the_delivery_of_an_existing_profile_is_an_error(world: World, before: str, after: str) -> None:
    object_id = made(world, before)
    declare(world, after)

    finding = the_error(world)

    assert finding.rule == "delivery-changed"
    assert object_id in finding.message
    assert "new key" in finding.fix
    assert "ensure: absent" in finding.fix


def test_two_keys_for_one_live_object_are_an_error(world: World) -> None:
    object_id = made(world, "group")
    world.declare(
        f"""
        groups:
          team: {{displayName: Team, description: the team}}
          twin: {{id: {object_id}, description: the twin}}
        """
    )

    finding = the_error(world)

    assert finding.rule == "same-object"
    assert object_id in finding.message


# ensure: absent


@pytest.mark.parametrize("kind", KINDS)
def test_absent_plans_the_deletion_of_a_marked_object(world: World, kind: str) -> None:
    object_id = made(world, kind)
    declare(world, kind, more="ensure: absent")

    (draft,) = world.plan().drafts
    assert (draft.change.action, draft.change.irreversible) == ("delete", True)
    assert all(item.after is None for item in draft.change.fields)
    world.converge()

    (sent,) = world.writes
    assert sent.method == "DELETE"
    assert object_id not in world.objects(COLLECTIONS[kind])


@pytest.mark.parametrize("kind", KINDS)
def test_absent_plans_the_deletion_of_a_pinned_object(world: World, kind: str) -> None:
    object_id = found(world, kind)
    declare(world, kind, more=f"ensure: absent, id: {object_id}")

    assert [draft.change.action for draft in world.plan().drafts] == ["delete"]


@pytest.mark.parametrize("kind", KINDS)
def test_absent_of_an_unmarked_object_is_the_same_error_as_ever(world: World, kind: str) -> None:
    found(world, kind)
    declare(world, kind, more="ensure: absent")

    assert the_error(world).rule == "unmarked-object"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("pin", ["", ", id: 7d0f6e9c-0000-4000-8000-000000000000"])
def test_absent_of_what_is_not_there_is_nothing_to_do(world: World, kind: str, pin: str) -> None:
    declare(world, kind, more=f"ensure: absent{pin}")

    planned = world.plan()

    assert (planned.drafts, planned.findings) == ((), ())


REFERRING = {
    "the TAP policy": ("temporaryAccessPass", "include+=Team"),
    "the exclusions of the TAP policy": ("temporaryAccessPass", "exclude+=Team"),
    "a settings catalog policy": ("webSignIn.Win - BitLocker", "assign.include+=Team"),
    "an exclusion of a settings catalog policy": ("webSignIn.Win - BitLocker", "assign.exclude+=Team"),
    "a device configuration": ("webSignIn.Win - Device restrictions (legacy)", "assign.include+=Team"),
    "another group": ("groups.All staff", "members+=group:Team"),
}


@pytest.mark.parametrize("what", REFERRING)
def test_a_group_that_something_live_still_refers_to_is_not_deleted(world: World, what: str) -> None:
    made(world, "group")
    world.tamper(REFERRING[what][0], REFERRING[what][1])
    declare(world, "group", more="ensure: absent")

    finding = the_error(world)

    assert finding.rule == "still-referenced"
    assert finding.position is not None


def test_a_group_goes_after_everything_of_the_same_plan_that_referred_to_it(world: World) -> None:
    world.declare(
        """
        groups:
          team: {displayName: Team}
          outer: {displayName: Outer, members: ["group:team"]}
          other: {displayName: Other}
        temporaryAccessPass: {include: [team, other], exclude: []}
        webSignIn: {one: {displayName: One, settings: {enableWebSignIn: true}, assign: {include: [team, other]}}}
        """
    )
    world.converge()
    world.declare(
        """
        groups:
          team: {displayName: Team, ensure: absent}
          outer: {displayName: Outer, members: [ada@contoso.com], membersExact: true}
          other: {displayName: Other}
        temporaryAccessPass: {include: [other], exclude: []}
        webSignIn: {one: {displayName: One, settings: {enableWebSignIn: true}, assign: {include: [other]}}}
        """
    )

    addresses = [draft.change.address for draft in world.plan().drafts]
    assert addresses[-1] == "groups.team"
    world.converge()

    assert world.all_named("groups", "Team") == []


# Groups that may not be changed as asked


def test_a_synchronised_group_may_be_declared_but_not_changed(world: World) -> None:
    group = world.named("groups", "SG-Synchronised")
    world.declare(f"groups: {{sync: {{id: {group['id']}, displayName: SG-Synchronised}}}}")
    assert world.changes() == {}
    world.declare(f"groups: {{sync: {{id: {group['id']}, displayName: Renamed}}}}")

    finding = the_error(world)

    assert finding.rule == "synchronised-group"
    assert "external: true" in finding.fix


def test_a_synchronised_group_is_not_deleted(world: World) -> None:
    group = world.named("groups", "SG-Synchronised")
    world.declare(f"groups: {{sync: {{id: {group['id']}, ensure: absent}}}}")

    assert the_error(world).rule == "synchronised-group"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("members: [ada@contoso.com]", "rule: (user.accountEnabled -eq true)"),
        ("rule: (user.accountEnabled -eq true)", "members: [ada@contoso.com]"),
        ("rule: (user.accountEnabled -eq true)", "members: []"),
    ],
)
def test_turning_members_into_a_rule_or_back_is_an_error(world: World, before: str, after: str) -> None:
    world.declare(f"groups: {{team: {{displayName: Team, {before}}}}}")
    world.converge()
    world.declare(f"groups: {{team: {{displayName: Team, {after}}}}}")

    assert the_error(world).rule == "membership-kind"


def test_members_declared_for_a_dynamic_group_are_an_error_even_when_they_happen_to_be_the_same(world: World) -> None:
    group = world.named("groups", "SG-Research-Dynamic")
    world.declare(f"groups: {{team: {{id: {group['id']}, members: [ada@contoso.com, grace@contoso.com]}}}}")

    assert the_error(world).rule == "membership-kind"


@pytest.mark.parametrize(("before", "after"), [("true", "false"), ("false", "true")])
def test_role_assignable_holds_at_creation_only(world: World, before: str, after: str) -> None:
    world.declare(f"groups: {{team: {{displayName: Team, roleAssignable: {before}}}}}")
    world.converge()
    assert bool(world.named("groups", "Team")["isAssignableToRole"]) == (before == "true")
    world.declare(f"groups: {{team: {{displayName: Team, roleAssignable: {after}}}}}")

    assert the_error(world).rule == "immutable-field"


# Members


def test_live_members_of_kinds_that_the_list_does_not_use_are_kept_and_counted(world: World) -> None:
    laptop = world.named("devices", "LAPTOP-ADA")
    world.declare("groups: {team: {displayName: Team, members: [ada@contoso.com]}}")
    world.converge()
    world.tamper("groups.Team", f"members+=device:{laptop['deviceId']},group:All staff,grace@contoso.com")

    (draft,) = world.plan().drafts

    (field,) = draft.change.fields
    assert (field.before, field.after) == (("ada@contoso.com", "grace@contoso.com"), ("ada@contoso.com",))
    assert draft.change.notes == ("keeps 2 live members of kinds that the list does not use",)
    world.converge()
    assert len(world.named("groups", "Team")["_members"]) == 3


def test_members_exact_removes_them_all(world: World) -> None:
    laptop = world.named("devices", "LAPTOP-ADA")
    world.declare("groups: {team: {displayName: Team, members: [ada@contoso.com], membersExact: true}}")
    world.converge()
    world.tamper("groups.Team", f"members+=device:{laptop['deviceId']},group:All staff")

    (draft,) = world.plan().drafts
    assert draft.change.notes == ()
    world.converge()

    assert len(world.named("groups", "Team")["_members"]) == 1


def test_a_group_without_members_in_yaml_keeps_its_live_ones(world: World) -> None:
    world.declare("groups: {team: {displayName: Team}}")
    world.converge()
    world.tamper("groups.Team", "members+=ada@contoso.com")

    assert world.changes() == {}


def test_members_may_be_spelled_in_any_way(world: World) -> None:
    ada, laptop = world.named("users", "ada@contoso.com"), world.named("devices", "LAPTOP-ADA")
    world.declare(
        f"""
        groups:
          inner: {{displayName: Inner}}
          team:
            displayName: Team
            members: [{ada["id"].upper()}, GRACE@contoso.com, "device:{laptop["deviceId"].upper()}", "group:inner"]
        """
    )
    world.converge()

    assert len(world.named("groups", "Team")["_members"]) == 4


def test_a_declared_group_is_one_member_however_lists_spell_it(world: World) -> None:
    world.declare("groups: {inner: {displayName: Inner}, team: {displayName: Team, members: ['group:inner']}}")
    world.converge()
    inner = world.named("groups", "Inner")["id"]
    world.declare(
        f"""
        groups:
          inner: {{displayName: Inner}}
          another: {{displayName: Another, members: [{inner}]}}
          team: {{displayName: Team, members: ["group:inner"]}}
        """
    )
    world.converge()

    assert world.changes() == {}


def test_the_order_of_two_spellings_of_one_member_does_not_change_the_plan(world: World) -> None:
    ada = world.named("users", "ada@contoso.com")["id"]
    one = "groups: {{a: {{displayName: A, members: [{}]}}, b: {{displayName: B, members: [{}]}}}}"
    world.declare(one.format(ada, "ada@contoso.com"))
    first = world.changes()
    world.declare(
        "groups: {{b: {{displayName: B, members: [{}]}}, a: {{displayName: A, members: [{}]}}}}".format(
            "ada@contoso.com", ada
        )
    )

    assert world.changes() == first


# Live lists that name what is no longer there


def test_targets_of_deleted_groups_are_a_finding_and_later_writes_keep_them(world: World) -> None:
    world.declare("groups: {team: {displayName: Team}}\ntemporaryAccessPass: {include: [team], exclude: []}")
    world.converge()
    gone = "7d0f6e9c-0000-4000-8000-000000000000"
    live = world.objects("policies")["temporaryaccesspass"]
    for name in ("includeTargets", "excludeTargets"):
        world.change("policies", "temporaryaccesspass", **{name: [*live[name], {"targetType": "group", "id": gone}]})

    planned = world.plan()
    assert planned.drafts == ()
    assert [finding.rule for finding in planned.findings] == ["deleted-target", "deleted-target"]
    assert not planned.is_refused
    assert all(gone in finding.message for finding in planned.findings)

    world.declare("groups: {team: {displayName: Team}}\ntemporaryAccessPass: {include: [all-users], exclude: [team]}")
    world.apply()
    after = world.objects("policies")["temporaryaccesspass"]
    assert gone in [target["id"] for target in after["includeTargets"]]
    assert gone in [target["id"] for target in after["excludeTargets"]]


def test_assignments_of_deleted_groups_are_a_finding_and_later_writes_keep_them(world: World) -> None:
    world.declare("webSignIn: {one: {displayName: One, settings: {}, assign: {include: [all-devices], exclude: []}}}")
    world.converge()
    gone = "7d0f6e9c-0000-4000-8000-000000000000"
    profile = world.named("configurationPolicies", "One")
    targets = [
        {"@odata.type": f"#microsoft.graph.{name}", "groupId": gone}
        for name in ("groupAssignmentTarget", "exclusionGroupAssignmentTarget")
    ]
    world.change("configurationPolicies", profile["id"], _assignments=[*profile["_assignments"], *targets[:1]])

    planned = world.plan()
    assert planned.drafts == ()
    assert [finding.rule for finding in planned.findings] == ["deleted-target"]

    world.declare("webSignIn: {one: {displayName: One, settings: {}, assign: {include: [all-users], exclude: []}}}")
    world.apply()
    assert gone in [target.get("groupId") for target in world.named("configurationPolicies", "One")["_assignments"]]


def test_a_live_group_that_the_file_does_not_declare_is_named_by_its_id(world: World) -> None:
    staff = world.named("groups", "All staff")["id"]
    world.declare("temporaryAccessPass: {include: [all-users]}")
    world.tamper("temporaryAccessPass", "include=All staff")

    assert world.changes() == {"temporaryAccessPass": {"include": ((staff,), ("all-users",))}}


# Replication


def test_a_group_whose_mark_is_not_seen_yet_is_made_once_however_often_it_is_planned(world: World) -> None:
    world.behave(replace(world.sandbox.behaviour, lag_list_seconds=600.0))
    world.declare("groups: {team: {displayName: Team, description: the team}}")

    for _ in range(3):
        world.apply()

    assert len(world.all_named("groups", "Team")) == 1
    world.clock.elapsed += 600
    assert world.changes() == {}
