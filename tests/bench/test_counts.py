"""What speed rests on, counted: requests at Graph, modules that are loaded. `python -m tests.bench` has the seconds."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tapctl.cli.main import COMMANDS
from tests.bench.stage import EXAMPLE, Stage, timed

OFFLINE = {
    "--version": ("--version",),
    "--help": ("--help",),
    "validate": ("validate", EXAMPLE),
    "validate-as-sarif": ("validate", EXAMPLE, "--format", "sarif"),
    "show": ("show", "plan.json"),
    "show-as-markdown": ("show", "plan.json", "--format", "markdown"),
    "init": ("init", "new", "--ci", "github"),
    "diff": ("diff", "HEAD"),
    "explain-symptom": ("explain", "--symptom", "AADSTS130506"),
}
NOTHING_OF_GRAPH = re.compile(
    r"tapctl\.(graph|sandbox|reconcile\.(applier|read|journal)|cli\.session)(\.|$)"
    r"|(httpx|httpcore|anyio|h11|aiohttp|uvicorn|msgraph\w*|kiota\w*|azure|msal|opentelemetry)(\.|$)"
    r"|(asyncio|ssl|_ssl|socket|http\.client|urllib\.request|email|multiprocessing|concurrent\.futures)(\.|$)"
)
HEAVY = re.compile(r"(jsonschema|deepdiff|ruamel|attrs?|logging|difflib|subprocess|importlib\.metadata)(\.|$)")
"""What `validate` needs only when something is wrong, or not at all; `jsonschema` alone is a third of its time."""

SLOW_PARTS_OF_THE_SDK = re.compile(r"(msgraph\.generated\.models|msgraph_beta|azure\.identity|msal|cryptography)(\.|$)")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The example tenant in a repository, and a saved plan; nothing is applied."""
    made = Stage(tmp_path_factory.mktemp("offline"))
    made.example()
    made.run("plan", "--out", "plan.json")
    for arguments in (("init", "-q"), ("add", "tenants"), ("commit", "-qm", "Example")):
        author = ("-c", "user.name=Ada", "-c", "user.email=ada@contoso.com")
        subprocess.run(["git", *author, *arguments], cwd=made.folder, check=True)
    return made


@pytest.fixture(scope="module")
def converged(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    """The example tenant, applied to a sandbox that holds 200 other policies."""
    made = Stage(tmp_path_factory.mktemp("converged"))
    made.example(policies=200)
    made.converge()
    return made


def loaded(stage: Stage, *arguments: str) -> set[str]:
    """Every module that a command imports, of which Python itself keeps the list."""
    command = [sys.executable, "-X", "importtime", "-m", "tapctl", *arguments]
    done = timed(command, folder=stage.folder, environment=stage.environment)
    assert done.code == 0, done.err
    names = {line.rpartition("|")[2].strip() for line in done.err.splitlines() if line.startswith("import time:")}
    assert "click" in names
    return names


@pytest.mark.parametrize(
    "arguments",
    [pytest.param(words, id=name) for name, words in OFFLINE.items() if words[0] in COMMANDS or words[0][0] == "-"],
)
def test_an_offline_command_loads_nothing_of_graph(stage: Stage, arguments: tuple[str, ...]) -> None:
    assert {name for name in loaded(stage, *arguments) if NOTHING_OF_GRAPH.match(name)} == set()


def test_plan_is_a_command_that_does_load_it(stage: Stage) -> None:
    names = loaded(stage, "plan", EXAMPLE)

    assert {"tapctl.graph.client", "httpx", "asyncio"} <= {name for name in names if NOTHING_OF_GRAPH.match(name)}


@pytest.mark.parametrize("command", ["plan", "apply"])
def test_the_embedded_tenant_is_read_without_typed_models_and_without_credentials(stage: Stage, command: str) -> None:
    arguments = (command, EXAMPLE, *(("--yes",) if command == "apply" else ()))

    assert {name for name in loaded(stage, *arguments) if SLOW_PARTS_OF_THE_SDK.match(name)} == set()


def test_validating_the_example_loads_nothing_that_only_problems_need(stage: Stage) -> None:
    assert {name for name in loaded(stage, "validate", EXAMPLE) if HEAVY.match(name)} == set()


def test_the_version_is_said_without_loading_anything_that_tapctl_does(stage: Stage) -> None:
    own = {name for name in loaded(stage, "--version") if name.startswith("tapctl.")}

    assert own == {"tapctl.cli", "tapctl.cli.main", "tapctl.errors"}


def test_the_example_without_changes_costs_at_most_12_requests_in_4_calls_and_2_round_trips(converged: Stage) -> None:
    done = converged.run("plan", "--detailed-exitcode")

    assert done.code == 0, done.out + done.err
    assert 0 < done.cost.requests <= 12
    assert 0 < done.cost.calls <= 4
    assert 0 < done.cost.round_trips <= 2
    assert done.cost.throttled == 0


def test_the_json_of_that_plan_says_the_same(converged: Stage) -> None:
    said = converged.run("plan", EXAMPLE).cost
    (tenant,) = converged.run("plan", EXAMPLE, "--format", "json").json["tenants"]

    assert (tenant["status"], tenant["changes"]) == ("clean", [])
    graph = tenant["graph"]
    assert (graph["requests"], graph["calls"], graph["roundTrips"], graph["throttled"]) == (
        said.requests,
        said.calls,
        said.round_trips,
        said.throttled,
    )


def test_over_loopback_the_plan_costs_the_same_as_in_process(converged: Stage) -> None:
    within = converged.run("plan", "--detailed-exitcode")
    with converged.served() as url:
        over_loopback = converged.run("plan", "--detailed-exitcode", TAPCTL_GRAPH_URL=url)

    assert over_loopback.code == 0, over_loopback.err
    assert over_loopback.cost == within.cost


def test_an_apply_without_changes_costs_no_more_than_the_plan(converged: Stage) -> None:
    assert converged.run("apply", "--yes").cost == converged.run("plan").cost


def test_two_tenants_cost_twice_the_requests_in_the_round_trips_of_one(tmp_path: Path, converged: Stage) -> None:
    fleet = Stage(tmp_path)
    fleet.fleet(2)
    fleet.converge()

    one, two = converged.run("plan").cost, fleet.run("plan").cost

    assert (two.requests, two.calls, two.round_trips) == (2 * one.requests, 2 * one.calls, one.round_trips)
