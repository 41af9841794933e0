"""Live values that the sandbox never shows, and the check of a file before it is handed over."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import click
import pytest

from tapctl.adopt.declaration import Declaration
from tapctl.adopt.declare import Subject, declare
from tapctl.adopt.inventory import Inventory
from tapctl.cli.import_check import Grammar, checked
from tapctl.cli.import_tenant import import_tenant
from tapctl.errors import RefusedError
from tapctl.graph.credentials import METHODS
from tapctl.model.desired import Authentication
from tapctl.model.live import DirectoryTarget, LiveAssignment, LiveGroup, LivePolicy, LiveProfile, Member, ScopeTag
from tapctl.model.values import JSONValue

TODAY = date(2026, 11, 22)
GROUP = "00000000-0000-4000-8000-00000000000a"
SUBJECT = Subject(id="6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11", cloud="sandbox", auth=Authentication())
PROFILE = LiveProfile(
    id="00000000-0000-4000-8000-00000000000b",
    name="Web",
    description="",
    mark=None,
    delivery="settings-catalog",
    settings={"enableWebSignIn": True},
    scope_tag_ids=frozenset({"0"}),
)
PEOPLE = LiveGroup(
    id=GROUP,
    display_name="People",
    description="",
    unique_name=None,
    rule=None,
    role_assignable=False,
    security_enabled=True,
    mail_enabled=False,
    is_microsoft_365=False,
    is_synchronised=False,
    members=frozenset(),
)
INVENTORY = Inventory(
    policy=LivePolicy(
        state="enabled",
        minimum=60,
        default=60,
        maximum=480,
        length=8,
        one_time=True,
        include=frozenset({DirectoryTarget("group", GROUP)}),
        exclude=frozenset(),
    ),
    profiles=(PROFILE,),
    groups={GROUP: PEOPLE},
    scope_tags=(ScopeTag("0", "Default"),),
)


def declared(inventory: Inventory, subject: Subject = SUBJECT) -> Declaration:
    """The declaration, which must stand the check."""
    declaration = declare(inventory, subject, Grammar().can_say)
    assert checked(declaration, inventory, lambda _: (), TODAY).differences == ()
    return declaration


def with_assignments(*assignments: LiveAssignment) -> Inventory:
    return replace(INVENTORY, profiles=(replace(PROFILE, assignments=frozenset(assignments)),))


def with_members(*members: Member) -> Inventory:
    return replace(INVENTORY, groups={GROUP: replace(PEOPLE, members=frozenset(members))})


def inside(document: JSONValue, *keys: str) -> Any:
    for key in keys:
        assert isinstance(document, dict)
        document = document.get(key)
    return document


def texts(declaration: Declaration) -> list[str]:
    return [note.text for note in declaration.notes if note.is_warning]


@pytest.mark.parametrize(
    ("kept", "words"),
    [
        (
            LiveAssignment("all-devices", is_direct=False),
            "1 assignment through policy sets: kept, and tapctl will not write the others",
        ),
        (LiveAssignment("other", "x_y"), "1 assignment of a kind that tapctl does not know: kept as found"),
    ],
)
def test_assignments_that_a_file_cannot_say_are_kept_beside_the_others(kept: LiveAssignment, words: str) -> None:
    declaration = declared(with_assignments(kept, LiveAssignment("all-users")))

    assert texts(declaration) == [words]
    assert inside(declaration.document, "webSignIn", "web", "assign", "include") == ["all-users"]


def test_members_without_a_name_that_a_file_can_say_are_listed_by_id() -> None:
    unnamed, odd, unseen, here = (f"00000000-0000-4000-8000-0000000000c{number}" for number in range(4))
    declaration = declared(
        with_members(
            Member(unnamed, "user"),
            Member(odd, "user", "a b@contoso.com"),
            Member(unseen, "group"),
            Member(here, "user", "ada@contoso.com"),
        )
    )

    assert inside(declaration.document, "groups", "people", "members") == [unnamed, odd, unseen, "ada@contoso.com"]


def test_a_policy_property_that_graph_leaves_out_is_not_managed() -> None:
    policy = replace(INVENTORY.policy, minimum=None, length=None, one_time=None)
    section = inside(declared(replace(INVENTORY, policy=policy)).document, "temporaryAccessPass")

    assert section == {
        "state": "enabled",
        "lifetime": {"default": "1h", "maximum": "8h"},
        "include": ["people"],
        "exclude": [],
    }


@pytest.mark.parametrize(
    ("minutes", "written"), [(10, "10m"), (60, "1h"), (90, "90m"), (1440, "1d"), (2880, "2d"), (43200, "30d")]
)
def test_lifetimes_are_written_as_people_say_them(minutes: int, written: str) -> None:
    policy = replace(INVENTORY.policy, maximum=43200, default=minutes, minimum=10)
    section = inside(declared(replace(INVENTORY, policy=policy)).document, "temporaryAccessPass", "lifetime")

    assert section["default"] == written


def test_names_of_secrets_are_written_and_nothing_else_of_signing_in() -> None:
    options = {"clientId": GROUP, "certificatePath": "a.pem", "sendCertificateChain": "true"}
    subject = replace(SUBJECT, auth=Authentication(method="certificate", options=options))

    assert inside(declared(INVENTORY, subject).document, "tenant", "auth") == {
        "method": "certificate",
        "certificatePath": "a.pem",
        "clientId": GROUP,
        "sendCertificateChain": True,
    }


def test_a_profile_without_a_guid_is_left_out() -> None:
    declaration = declared(replace(INVENTORY, profiles=(replace(PROFILE, id="odd"),)))

    assert "webSignIn" not in declaration.document
    assert texts(declaration) == ["profile web is left out: its id is not a GUID"]


# The check of a file before it is handed over


def test_a_file_that_does_not_say_what_lives_there_is_found_out() -> None:
    other = replace(INVENTORY, policy=replace(INVENTORY.policy, state="disabled"))

    found = checked(declare(INVENTORY, SUBJECT, Grammar().can_say), other, lambda _: (), TODAY)

    assert found.differences == ("temporaryAccessPass: state",)


def test_a_file_that_would_be_refused_is_not_handed_over() -> None:
    declaration = declare(INVENTORY, replace(SUBJECT, id="no-guid"), Grammar().can_say)

    with pytest.raises(RefusedError, match="cannot be said in one valid file"):
        checked(declaration, INVENTORY, lambda _: (), TODAY)


def test_errors_that_may_be_suppressed_are_marked_with_the_day() -> None:
    nobody = replace(INVENTORY, policy=replace(INVENTORY.policy, include=frozenset()), groups={})

    found = checked(declare(nobody, SUBJECT, Grammar().can_say), nobody, lambda _: (), TODAY)

    assert found.declaration.document["suppress"] == [
        {"rule": "TAP002", "reason": "Imported as it was on 2026-11-22; review"}
    ]


def test_every_way_of_signing_in_of_a_file_is_one_of_the_command_line() -> None:
    choices = next(option for option in import_tenant.params if option.name == "auth_method").type

    assert isinstance(choices, click.Choice)
    assert tuple(choices.choices) == tuple(METHODS)
