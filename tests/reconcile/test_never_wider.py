"""Never wider than declared: whatever does not resolve to exactly one live object stops the tenant before a write."""

from __future__ import annotations

from typing import Any

import pytest

from tapctl.errors import Finding
from tests.support.world import World

WHOLE = """
    groups:
      devices: {displayName: SG-Autopilot-Pilot-Devices, external: true}
      wave: {displayName: SG-Onboarding-Wave-7, external: true}
      excluded: {displayName: SG-Break-Glass, external: true}
      made: {displayName: SG-Made, members: [ada@contoso.com]}
    temporaryAccessPass:
      state: enabled
      include: [wave]
      exclude: [excluded]
    webSignIn:
      one:
        displayName: One
        settings: {enableWebSignIn: true}
        assign:
          include: [{group: all-devices, filter: Corporate devices, mode: include}]
          exclude: [devices]
        scopeTags: [Pilot]
"""
LINES = WHOLE.splitlines()

PARTS = {
    "an included group": ("groups", "SG-Onboarding-Wave-7", "wave: {"),
    "an excluded group of the policy": ("groups", "SG-Break-Glass", "excluded: {"),
    "an excluded group of a profile": ("groups", "SG-Autopilot-Pilot-Devices", "devices: {"),
    "a filter": ("assignmentFilters", "Corporate devices", "{group: all-devices"),
    "a scope tag": ("roleScopeTags", "Pilot", "scopeTags:"),
}


def line_of(text: str) -> int:
    """The line of the tenant file: the head takes the first, and the text begins with an empty one."""
    return next(number for number, line in enumerate(LINES, start=2) if text in line) - 0


def only_error(world: World) -> Finding:
    planned = world.plan()

    assert planned.is_refused
    assert planned.drafts == ()
    assert world.writes == []
    (finding,) = [finding for finding in planned.findings if finding.severity == "error"]
    return finding


def place(finding: Finding) -> int:
    assert finding.position is not None
    assert finding.position.file.endswith("contoso.yaml")
    return finding.position.line


@pytest.mark.parametrize("what", PARTS)
def test_a_name_without_an_object_stops_the_tenant_and_says_where(world: World, what: str) -> None:
    collection, name, line = PARTS[what]
    world.declare(WHOLE)
    world.remove(collection, world.named(collection, name)["id"])

    finding = only_error(world)

    assert finding.rule == "unresolved-name"
    assert repr(name) in finding.message
    assert place(finding) == line_of(line)
    assert finding.why
    assert finding.fix


def test_a_missing_scope_tag_says_what_scope_tags_decide(world: World) -> None:
    world.declare(WHOLE)
    (collection, name, _) = next(part for what, part in PARTS.items() if "tag" in what)
    world.remove(collection, world.named(collection, name)["id"])

    assert only_error(world).why == "scope tags decide which administrators see the profile"


@pytest.mark.parametrize("what", PARTS)
def test_a_name_of_two_objects_stops_the_tenant_and_lists_both(world: World, what: str) -> None:
    collection, name, line = PARTS[what]
    world.declare(WHOLE)
    first = world.named(collection, name)
    second = {**first, "id": twin_of(first)}
    world.add(collection, **second)

    finding = only_error(world)

    assert finding.rule == "ambiguous-name"
    assert str(first["id"]) in finding.message
    assert str(second["id"]) in finding.message
    assert place(finding) == line_of(line)
    assert finding.fix


def twin_of(item: dict[str, Any]) -> str:
    return "7" if len(item["id"]) < 3 else f"ffffffff{item['id'][8:]}"


@pytest.mark.parametrize("what", PARTS)
def test_a_name_that_differs_in_case_alone_is_not_the_object(world: World, what: str) -> None:
    collection, name, line = PARTS[what]
    world.declare(WHOLE)
    found = world.named(collection, name)
    world.change(collection, found["id"], displayName=name.upper())

    finding = only_error(world)

    assert finding.rule == "unresolved-name"
    assert repr(name.upper()) in finding.message
    assert place(finding) == line_of(line)


def test_every_name_that_does_not_resolve_is_reported_at_once(world: World) -> None:
    world.declare(WHOLE)
    for collection, name, _ in PARTS.values():
        world.remove(collection, world.named(collection, name)["id"])

    findings = [finding for finding in world.plan().findings if finding.severity == "error"]

    assert len(findings) == len(PARTS)


def test_an_applied_tenant_whose_filter_was_deleted_is_refused_not_unfiltered(world: World) -> None:
    world.declare(WHOLE)
    world.converge()
    world.forget()
    world.remove("assignmentFilters", world.named("assignmentFilters", "Corporate devices")["id"])

    assert only_error(world).rule == "unresolved-name"


def test_a_member_that_does_not_exist_stops_the_tenant(world: World) -> None:
    world.declare(WHOLE.replace("ada@contoso.com", "nobody@contoso.com"))

    finding = only_error(world)

    assert "'nobody@contoso.com' does not exist" in finding.message
    assert place(finding) == line_of("made: {")


@pytest.mark.parametrize(
    "member", ["device:7d0f6e9c-0000-4000-8000-000000000000", "7d0f6e9c-0000-4000-8000-000000000000"]
)
def test_a_device_or_an_id_that_does_not_exist_stops_the_tenant(world: World, member: str) -> None:
    world.declare(WHOLE.replace("ada@contoso.com", member))

    assert member in only_error(world).message


def test_the_filter_of_an_assignment_is_sent_with_it(world: World) -> None:
    world.declare(WHOLE)

    world.converge()

    (sent,) = [item for item in world.writes if item.path.endswith("/assign")]
    corporate = world.named("assignmentFilters", "Corporate devices")["id"]
    targets = {item["target"]["@odata.type"].rsplit(".", 1)[-1]: item["target"] for item in sent.body["assignments"]}
    assert targets["allDevicesAssignmentTarget"]["deviceAndAppManagementAssignmentFilterId"] == corporate
    assert set(targets) == {"allDevicesAssignmentTarget", "exclusionGroupAssignmentTarget"}


def test_what_only_looks_like_it_is_not_taken_for_missing(world: World) -> None:
    """The other half of every pair above: with everything there the plan stands."""
    world.declare(WHOLE)

    assert not world.plan().is_refused
