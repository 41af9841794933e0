"""Unknown is not absent: whatever read fails, nothing is claimed of the tenant, and the run fails."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tapctl.errors import ExitCode
from tapctl.graph.retry import Patience
from tapctl.model.plan import GraphUsage
from tapctl.model.requests import ProblemKind
from tapctl.reconcile.summary import unknown
from tapctl.sandbox.faults import Fault
from tapctl.sandbox.wire import JSONObject
from tests.support.world import EXAMPLES, World

READS = {
    "contoso.yaml": 11,
    "fabrikam": 15,
}
"""What planning each example reads, once it has been applied."""

FAULTS = {
    "403": Fault(action="status", status=403, code="Forbidden"),
    "401": Fault(action="status", status=401, code="InvalidAuthenticationToken"),
    "429 for ever": Fault(action="throttle"),
    "500": Fault(action="status", status=500),
    "503": Fault(action="status", status=503),
    "404 without a Graph error": Fault(action="status", status=404, code="UnknownError"),
    "an empty object": Fault(action="status", status=200, body={}),
    "a collection of nothing usable": Fault(action="status", status=200, body={"value": [1]}),
    "an HTML page": Fault(action="html", status=200),
    "an HTML error page": Fault(action="html", status=404),
    "broken JSON": Fault(action="broken-json"),
    "a lost connection": Fault(action="lose-before"),
    "a refused connection": Fault(action="refuse-connection"),
}

MAY_BE_MISSING = re.compile(r"^/groups(\(uniqueName=|/[0-9a-f-]{36}\?)")
"""Reads for which Graph's own 404 is an answer: there is no such object. A group that is not found by its mark is
looked for by its name then."""


def reads_of(example: str, folder: Path) -> tuple[str, ...]:
    world = World(folder)
    world.take(EXAMPLES / example)
    world.converge()
    world.forget()
    world.plan()
    return tuple(sorted({str(item) for item in world.sent}))


def fixed(target: str) -> str:
    """A pattern for one read in any tenant: ids of objects differ from run to run."""
    return "^" + re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "[0-9a-f-]{36}", re.escape(target).replace(r"\-", "-")) + "$"


@pytest.fixture(params=READS)
def applied(request: pytest.FixtureRequest, world: World) -> World:
    """An example that stands as declared."""
    world.take(EXAMPLES / request.param)
    world.converge()
    world.forget()
    return world


@pytest.mark.parametrize(("example", "count"), READS.items())
def test_the_cases_below_strike_every_read(tmp_path: Path, example: str, count: int) -> None:
    assert len(reads_of(example, tmp_path)) == count


@pytest.mark.parametrize("what", FAULTS)
def test_whatever_read_fails_nothing_is_claimed_and_the_run_fails(applied: World, what: str) -> None:
    applied.plan()
    targets = sorted({item.target for item in applied.sent})

    for target in targets:
        applied.fail(replace(FAULTS[what], path=fixed(target)))
        live = applied.look()

        problems = live.problems()
        assert problems, target
        plan = unknown(applied.tenant, problems, (), GraphUsage())
        assert (plan.status, plan.exit_code, plan.changes) == ("failed", ExitCode.FAILED, ())
        assert problems[0].purpose in (plan.error or "")
        assert plan.fix
    assert applied.writes == []


def test_a_404_where_there_must_be_something_is_unknown(applied: World) -> None:
    applied.plan()
    targets = sorted({item.target for item in applied.sent if not MAY_BE_MISSING.match(item.target)})
    assert len(targets) >= 6

    for target in targets:
        applied.fail(Fault(action="status", status=404, code="Request_ResourceNotFound", path=fixed(target)))

        assert applied.look().problems(), target
    assert applied.writes == []


def test_a_missing_mark_is_looked_for_by_name_and_never_planned_as_new(applied: World) -> None:
    targets = [key for key, group in applied.tenant.groups.items() if not group.external]

    for key in targets:
        applied.fail(
            Fault(action="status", status=404, code="Request_ResourceNotFound", path=rf"uniqueName='tapctl-{key}'")
        )
        planned = applied.plan()

        # The list by name still shows the group with its mark: it is the same one.
        assert not [draft for draft in planned.drafts if draft.change.action == "create"], key


def test_a_timeout_of_every_read_is_unknown(applied: World) -> None:
    applied.fail(Fault(action="delay", seconds=0.3))
    applied.patience = Patience(tries=1, answer_seconds=0.05)

    problems = applied.look().problems()

    assert problems
    assert {problem.kind for problem in problems} == {ProblemKind.TIMEOUT}


def test_reads_that_fail_for_a_while_are_tried_again(applied: World) -> None:
    for fault in (Fault(action="throttle", last=2), Fault(action="status", status=503, last=2)):
        applied.fail(fault)

        assert applied.changes() == {}


def test_patience_with_a_read_ends_after_five_tries_or_a_minute(applied: World) -> None:
    applied.fail(Fault(action="throttle", path="temporaryAccessPass"))
    began = applied.clock.elapsed

    applied.look()

    assert len([item for item in applied.sent if "temporaryAccessPass" in item.target]) == 5
    assert applied.clock.elapsed - began <= 60


def test_a_list_that_stops_after_its_first_page_is_unknown(world: World) -> None:
    world.behave(replace(world.sandbox.behaviour, intune_page_size=2, intune_top_maximum=2))
    world.take(EXAMPLES / "contoso.yaml")
    world.converge()
    world.fail(Fault(action="status", status=500, path="configurationPolicies.*skip=4"))

    problems = world.look().problems()

    assert [problem.purpose for problem in problems] == ["listing configurationPolicies"]


def test_a_first_plan_that_cannot_read_the_list_of_profiles_never_says_create(world: World) -> None:
    world.take(EXAMPLES / "contoso.yaml")
    world.fail(Fault(action="status", status=500, path="configurationPolicies"))

    assert world.look().problems()


def test_before_a_profile_counts_as_new_the_list_of_the_other_delivery_is_read_as_well(world: World) -> None:
    world.take(EXAMPLES / "contoso.yaml")
    world.fail(Fault(action="status", status=403, path="deviceConfigurations"))

    (problem,) = world.look().problems()

    assert problem.purpose == "listing deviceConfigurations"


def test_the_definition_of_a_setting_that_cannot_be_read_is_unknown(world: World) -> None:
    world.declare(
        """
        webSignIn:
          one: {displayName: One, settings: {configureWebSignInAllowedUrls: [idp.example.com]}, assign: {include: []}}
        """
    )
    world.fail(Fault(action="status", status=500, path="configurationSettings"))

    (problem,) = world.look().problems()

    assert "configureWebSignInAllowedUrls" in problem.purpose


def test_a_member_that_cannot_be_looked_up_is_unknown_not_missing(world: World) -> None:
    world.declare("groups: {team: {displayName: SG-Team, members: [ada@contoso.com]}}")
    world.fail(Fault(action="status", status=403, path="/users/"))

    (problem,) = world.look().problems()

    assert (problem.kind, problem.permission) == (ProblemKind.DENIED, "User.ReadBasic.All")


def test_an_id_that_stands_for_two_members_is_unknown(world: World) -> None:
    ada = world.named("users", "ada@contoso.com")["id"]
    world.declare(f"groups: {{team: {{displayName: SG-Team, members: [{ada}]}}}}")
    both: JSONObject = {"value": [{"@odata.type": "#microsoft.graph.user", "id": one} for one in (ada, "another")]}
    world.fail(Fault(action="status", status=200, body=both, path="getByIds"))

    (problem,) = world.look().problems()

    assert problem.kind is ProblemKind.MALFORMED


def test_what_still_refers_to_a_group_that_is_to_go_must_be_known(world: World) -> None:
    world.declare("groups: {team: {displayName: SG-Team}}")
    world.converge()
    world.declare("groups: {team: {displayName: SG-Team, ensure: absent}}")

    for path in ("temporaryAccessPass", "configurationPolicies", "deviceConfigurations", "memberOf"):
        world.fail(Fault(action="status", status=403, path=path))
        assert world.look().problems(), path


def test_a_403_names_the_missing_permission(applied: World) -> None:
    applied.fail(Fault(action="status", status=403, code="accessDenied", path="temporaryAccessPass"))

    plan = unknown(applied.tenant, applied.look().problems(), (), GraphUsage())

    assert "reading the TAP policy: HTTP 403 accessDenied" in (plan.error or "")
    assert "request-id" in (plan.error or "")
    assert "Policy.Read.AuthenticationMethod" in plan.fix
