"""Workflow annotations, read back the way the runner does."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapctl.errors import Finding, Position
from tapctl.model.plan import PlanDocument
from tapctl.output.render import render_findings, render_plan

from .sample_plan import APPLY, FINDINGS, HOSTILE, PLAN
from .strategies import documents, findings

_COMMAND = re.compile(r"::(?P<name>[^ :]+) (?P<properties>.*?)::(?P<data>.*)")


@dataclass(frozen=True)
class Command:
    name: str
    properties: dict[str, str]
    message: str


def read(line: str) -> Command:
    """A workflow command as actions/runner parses it: properties end at the first `::` after the name."""
    found = _COMMAND.fullmatch(line)
    assert found is not None, line
    pairs = (pair.split("=", 1) for pair in found["properties"].split(","))
    return Command(
        name=found["name"],
        properties={key: unescape(value) for key, value in pairs},
        message=unescape(found["data"]),
    )


def unescape(text: str) -> str:
    for escape, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(escape, character)
    return text


def commands(text: str) -> list[Command]:
    return [read(line) for line in text.splitlines() if line.startswith("::")]


def test_a_finding_is_an_annotation_at_its_place() -> None:
    first = commands(render_findings(FINDINGS, "github"))[0]

    assert first.name == "error"
    assert first.properties == {
        "file": "tenants/contoso west/a#1.yaml",
        "line": "14",
        "col": "15",
        "endColumn": "23",
        "title": "TAP021",
    }
    assert first.message.split("\n")[0] == 'group key "tap-user" is not declared under `groups:`'


def test_a_finding_without_a_place_and_a_suppressed_one() -> None:
    found = commands(render_findings(FINDINGS, "github"))

    assert [(command.name, command.properties["title"]) for command in found] == [
        ("error", "TAP021"),
        ("warning", "TAP011"),
        ("notice", "TAP030"),
    ]
    assert set(found[2].properties) == {"title"}


def test_properties_with_separators_come_back_whole() -> None:
    finding = Finding(
        rule="a,b::c=d%0A", severity="error", message="100%0A %25 done", position=Position("a,b:c%.yaml", 1, 2)
    )

    (command,) = commands(render_findings([finding], "github"))

    assert command.properties["file"] == "a,b:c%.yaml"
    assert command.properties["title"] == "a,b::c=d%0A"
    assert command.message == "100%0A %25 done"


def test_a_plan_annotates_what_stops_it_and_what_widens() -> None:
    found = commands(render_plan(PLAN, "github"))
    titles = [(command.name, command.properties["title"]) for command in found]

    assert ("error", "fabrikam: failed") in titles
    assert ("error", "denied-$(reboot): guardrail delete") in titles
    assert ("warning", "contoso: guardrail delete") in titles
    assert ("warning", "contoso: 1 to create, 2 to update, 1 to delete") in titles


def test_an_apply_annotates_what_did_not_succeed() -> None:
    found = commands(render_plan(APPLY, "github"))

    assert [(command.name, command.properties["title"]) for command in found][:4] == [
        ("error", "contoso: partial"),
        ("error", "contoso: failed"),
        ("warning", "contoso: skipped"),
        ("warning", "contoso: waiting"),
    ]


def test_every_sandbox_tenant_is_labelled_and_no_other() -> None:
    labelled = [line for line in render_plan(PLAN, "github").splitlines() if line.startswith("Tenant ")]

    assert labelled == [
        "Tenant contoso: changes",
        "Tenant denied-$(reboot): denied [sandbox: embedded in tapctl, not a Microsoft tenant]",
        "Tenant fabrikam: failed",
        "Tenant northwind: clean",
    ]


def test_the_last_line_is_the_footer() -> None:
    last = render_plan(PLAN, "github", seconds=0.84).splitlines()[-1]

    assert last == "Graph: 23 requests in 9 calls, 2 round trips, throttled 1 times, 0.8 s"


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents)
def test_every_command_is_one_of_ours(document: PlanDocument) -> None:
    text = render_plan(document, "github")

    assert "##[" not in text
    assert text.replace("\n", "").isprintable()
    for line in text.splitlines():
        if line.lstrip().startswith("::"):
            command = read(line)
            assert command.name in ("error", "warning", "notice")
            assert set(command.properties) <= {"file", "line", "col", "endColumn", "title"}
        else:
            assert line.startswith(
                (
                    *("Tenant ", "Nothing goes back: ", "Plan: ", "Apply: ", "Drift: ", "Graph: "),
                    *("No changes. ", "No drift: ", "No plan: ", "Nothing has lapsed.", "Nothing was applied: "),
                )
            )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(findings, max_size=3))
def test_a_finding_is_one_line(listed: list[Finding]) -> None:
    lines = render_findings(listed, "github").split("\n")

    assert len(commands("\n".join(lines))) == sum(not finding.suppressed for finding in listed)
    assert len(lines) == sum(not finding.suppressed for finding in listed) + 2


def test_the_hostile_name_adds_no_line() -> None:
    finding = Finding(rule="x", severity="error", message=HOSTILE)

    assert len(render_findings([finding], "github").splitlines()) == 2
