"""`apply --only lapsed`: takes out entries whose day has passed, and does nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.gitops.repository import Repository

TODAY = datetime.now(UTC).date()
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)

TENANT = """
    groups:
      team: {{displayName: SG-Team, members: [{members}]}}
      wave: {{displayName: SG-Onboarding-Wave-7, external: true}}
    temporaryAccessPass:
      state: enabled
      lifetime: {{minimum: 10m, default: 1h, maximum: 2h}}
      length: {length}
      oneTime: true
      include: [{include}]
    webSignIn:
      office:
        displayName: WIN - Office
        settings: {{enableWebSignIn: true, defaultCredentialProvider: pin}}
        assign: {{include: [{assign}], exclude: []}}
"""
FILTER = "filter: Entra joined Windows 11, mode: include"


def declare(
    repository: Repository,
    *,
    include: str = "team, wave",
    assign: str = f"{{group: all-devices, {FILTER}}}, wave",
    members: str = "ada@contoso.com",
    length: int = 8,
) -> None:
    repository.declare(TENANT.format(members=members, length=length, include=include, assign=assign))


def until(day: object, group: str = "wave") -> str:
    return f"{{group: {group}, until: {day}, reason: New office}}"


@pytest.fixture
def settled(fresh: Repository) -> Repository:
    """Everything is applied, and nothing has lapsed yet."""
    declare(fresh)
    fresh.succeed("apply", "--yes")
    fresh.forget()
    return fresh


def test_it_makes_those_removals_and_no_other_change(settled: Repository) -> None:
    lapsed = until(YESTERDAY)
    declare(settled, include=f"team, {lapsed}", assign=f"all-devices, {lapsed}", members="grace@contoso.com", length=12)

    done = settled.run("apply", "--only", "lapsed")

    assert done.code == 0, done.errors
    assert done.changes == {
        "temporaryAccessPass": {"include": (["team", "wave"], ["team"])},
        "webSignIn.office": {
            "assign.include": (
                [{"filter": "Entra joined Windows 11", "group": "all-devices", "mode": "include"}, "wave"],
                [{"filter": "Entra joined Windows 11", "group": "all-devices", "mode": "include"}],
            )
        },
    }
    assert {change["reason"] for change in done.tenant["changes"]} == {"lapsed"}
    assert settled.policy()["defaultLength"] == 8
    assert settled.member_names("SG-Team") == {"ada@contoso.com"}
    assert len(settled.writes()) == 2


def test_it_implies_yes_and_is_not_subject_to_deny(settled: Repository) -> None:
    declare(settled, include=f"team, {until(YESTERDAY)}")
    rules = settled.write("rules.yaml", "guardrails: {deny: [delete, widen, enable]}\n")

    done = settled.run("apply", "--only", "lapsed", "--guardrails", str(rules))

    assert (done.code, done.tenant["guardrails"]) == (0, [])


def test_nothing_has_lapsed_nothing_is_done(settled: Repository) -> None:
    declare(settled, include=f"team, {until(TOMORROW)}", length=12)

    done = settled.run("apply", "--only", "lapsed")

    assert (done.code, done.tenant["status"], settled.writes()) == (0, "clean", [])


def test_an_entry_is_valid_to_the_end_of_its_day(settled: Repository) -> None:
    declare(settled, include=f"team, {until(TODAY)}", assign=f"{{group: all-devices, {FILTER}}}, {until(TODAY)}")

    assert settled.run("plan").tenant["status"] == "clean"


def test_the_plan_gives_the_reason(settled: Repository) -> None:
    declare(settled, include=f"team, {until(YESTERDAY)}")

    planned = settled.run("plan")

    assert [change["reason"] for change in planned.tenant["changes"]] == ["lapsed"]


def test_with_the_last_include_the_policy_is_disabled(settled: Repository) -> None:
    declare(settled, include=f"{until(YESTERDAY)}, {until(YESTERDAY, 'team')}", assign="all-devices")

    planned = settled.run("plan", "--tenant", "contoso")
    done = settled.run("apply", "--only", "lapsed")

    assert planned.changes["temporaryAccessPass"]["state"] == ("enabled", "disabled")
    assert done.code == 0, done.errors
    assert done.changes["temporaryAccessPass"] == {
        "include": (["team", "wave"], []),
        "state": ("enabled", "disabled"),
    }
    assert (settled.policy()["state"], settled.policy()["includeTargets"]) == ("disabled", [])


def test_its_removals_can_be_taken_back_by_nobody_but_the_file(settled: Repository) -> None:
    """A second run finds nothing, and the file still says when the entry ended."""
    declare(settled, include=f"team, {until(YESTERDAY)}")
    settled.succeed("apply", "--only", "lapsed")
    settled.forget()

    again = settled.run("apply", "--only", "lapsed")

    assert (again.code, again.tenant["status"], settled.writes()) == (0, "clean", [])


@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_nothing_lapsed_is_not_taken_for_nothing_to_do(settled: Repository, form: str) -> None:
    declare(settled, length=12)

    done = settled.run("apply", "--only", "lapsed", "--format", form, text=True)

    assert done.code == 0
    assert "as declared" not in done.out
    if form == "json":
        assert (done.document["onlyLapsed"], done.tenant["status"]) == (True, "clean")
    else:
        assert "Nothing has lapsed." in done.out
