"""An approval and a saved plan cover what a change leans on, also where no field of the change shows it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.cli import CommandLine

Consent = Callable[[CommandLine], tuple[str, ...]]


def by_approval(cli: CommandLine) -> tuple[str, ...]:
    return ("--approve", str(cli.plan().tenant["approval"]))


def by_saved_plan(cli: CommandLine) -> tuple[str, ...]:
    cli.plan("--out", "plan.json")
    return ("--plan", "plan.json")


both_ways = pytest.mark.parametrize("consent", [by_approval, by_saved_plan])

NESTED = """
    groups:
      team: {displayName: SG-Team, members: ["group:wave"]}
      wave: {displayName: SG-Onboarding-Wave-7, external: true}
"""


@both_ways
def test_a_nested_group_that_is_another_object_meanwhile_was_not_agreed_to(cli: CommandLine, consent: Consent) -> None:
    cli.write(NESTED)
    agreed = consent(cli)
    cli.tamper("groups.SG-Onboarding-Wave-7", "displayName=Old wave")
    cli.tamper("groups.All staff", "displayName=SG-Onboarding-Wave-7")
    cli.forget()

    ran = cli.apply(*agreed)

    assert ran.code == 4
    assert cli.writes == []


@both_ways
def test_an_unchanged_nested_group_stays_agreed_to(cli: CommandLine, consent: Consent) -> None:
    cli.write(NESTED)

    assert cli.apply(*consent(cli)).code == 0


SWITCHED_ON = "temporaryAccessPass: {state: enabled}"


@both_ways
@pytest.mark.parametrize("change", ["include=all-users", "exclude="])
def test_enabling_leans_on_the_targets_that_no_file_names(cli: CommandLine, consent: Consent, change: str) -> None:
    cli.write("temporaryAccessPass: {state: disabled}")
    cli.converge()
    cli.tamper("temporaryAccessPass", "include=SG-Onboarding-Wave-7", "exclude=SG-Break-Glass")
    cli.write(SWITCHED_ON)
    agreed = consent(cli)
    cli.tamper("temporaryAccessPass", change)
    cli.forget()

    ran = cli.apply(*agreed)

    assert ran.code == 4, ran.out
    assert cli.writes == []


@both_ways
def test_what_enabling_does_not_lean_on_may_change_meanwhile(cli: CommandLine, consent: Consent) -> None:
    cli.write("temporaryAccessPass: {state: disabled}")
    cli.converge()
    cli.tamper("temporaryAccessPass", "include=SG-Onboarding-Wave-7")
    cli.write(SWITCHED_ON)
    agreed = consent(cli)
    cli.tamper("temporaryAccessPass", "length=12")

    assert cli.apply(*agreed).code == 0


PROFILE = """
    webSignIn:
      one:
        displayName: One
        settings: {enableWebSignIn: %s}
"""


@both_ways
def test_switching_a_profile_on_leans_on_the_assignments_that_no_file_names(cli: CommandLine, consent: Consent) -> None:
    cli.write(PROFILE % "false")
    cli.converge()
    cli.tamper("webSignIn.One", "assign.include=SG-Autopilot-Pilot-Devices")
    cli.write(PROFILE % "true")
    agreed = consent(cli)
    cli.tamper("webSignIn.One", "assign.include=all-devices")
    cli.forget()

    ran = cli.apply(*agreed)

    assert ran.code == 4, ran.out
    assert cli.writes == []


@both_ways
def test_the_rule_of_a_dynamic_group_counts_although_the_group_changes_as_well(
    cli: CommandLine, consent: Consent
) -> None:
    cli.write(
        """
        groups:
          dynamic: {displayName: SG-Research-Dynamic, adopt: true, description: Research}
          wave: {displayName: SG-Onboarding-Wave-7, external: true}
        temporaryAccessPass: {include: [dynamic]}
        """
    )
    cli.tamper("temporaryAccessPass", "include=SG-Research-Dynamic,SG-Onboarding-Wave-7")
    agreed = consent(cli)
    cli.tamper("groups.SG-Research-Dynamic", "rule=(user.accountEnabled -eq true)")
    cli.forget()

    ran = cli.apply(*agreed)

    assert ran.code == 4, ran.out
    assert cli.writes == []


DYNAMIC = """
    groups:
      dynamic: {displayName: SG-Dynamic, rule: (user.department -eq "%s")}
    temporaryAccessPass: {include: [%s]}
"""
FAILING = {"action": "status", "method": "PATCH", "path": "temporaryAccessPass", "status": 403}


def test_a_rule_that_has_come_true_meanwhile_is_what_was_agreed_to(cli: CommandLine) -> None:
    cli.write(DYNAMIC % ("Sales", ""))
    cli.converge()
    cli.write(DYNAMIC % ("Research", "dynamic"))
    agreed = by_saved_plan(cli)
    cli.fail(FAILING)
    assert cli.apply(*agreed).tenant["status"] == "partial"
    cli.fail()

    assert cli.apply(*agreed).code == 0


def test_a_rule_that_has_become_another_than_agreed_to_is_not(cli: CommandLine) -> None:
    cli.write(DYNAMIC % ("Sales", ""))
    cli.converge()
    cli.write(DYNAMIC % ("Research", "dynamic"))
    agreed = by_saved_plan(cli)
    cli.tamper("groups.SG-Dynamic", "rule=(user.accountEnabled -eq true)")

    assert cli.apply(*agreed).code == 4
