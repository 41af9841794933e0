"""Findings as SARIF 2.1.0.

Two witnesses: models that somebody else generated from the published schema (the package pydantic-sarif), which refuse
unknown properties and values, and the demands of the specification that a schema cannot state, asserted here singly.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapctl.errors import Finding, Position
from tapctl.output.render import render_findings

from .sample_plan import ERROR_FINDING, FINDINGS, SUPPRESSED_FINDING
from .strategies import findings


def run_of(*listed: Finding, **options: Any) -> Any:
    return json.loads(render_findings(listed, "sarif", **options))["runs"][0]


def published_model() -> Any:
    return pytest.importorskip(
        "pydantic_sarif.model", reason="the models of the published schema are in the package pydantic-sarif"
    ).StaticAnalysisResultsFormatSarifVersion210JsonSchema


def test_the_sample_satisfies_the_published_schema() -> None:
    published_model().model_validate_json(render_findings(FINDINGS, "sarif"))


def test_the_models_of_the_published_schema_refuse_what_is_wrong() -> None:
    model = published_model()
    for wrong in ('"leveling": "error",', '"level": "fatal",'):
        text = render_findings([ERROR_FINDING], "sarif").replace('"level": "error",', wrong)
        with pytest.raises(ValueError, match="validation error"):
            model.model_validate_json(text)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(findings, max_size=3))
def test_all_findings_satisfy_the_published_schema(listed: list[Finding]) -> None:
    published_model().model_validate_json(render_findings(listed, "sarif"))


def test_no_findings_are_a_run_without_results() -> None:
    run = run_of()

    assert run["results"] == []
    assert run["tool"]["driver"]["rules"] == []


def test_a_result_has_level_place_and_words() -> None:
    (result,) = run_of(ERROR_FINDING)["results"]
    place = result["locations"][0]["physicalLocation"]

    assert result["level"] == "error"
    assert place["artifactLocation"] == {"uri": "tenants/contoso%20west/a%231.yaml", "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {
        "startLine": 14,
        "startColumn": 15,
        "endColumn": 23,
        "snippet": {"text": "    include: [tap-user]"},
    }
    assert result["message"]["text"].split("\n")[1:] == [
        "Why: the policy would have no target, and nobody could sign in",
        'Fix: did you mean "tap-users"?',
    ]


def test_levels_are_those_of_sarif() -> None:
    assert [result["level"] for result in run_of(*FINDINGS)["results"]] == ["error", "warning", "note", "warning"]


def test_the_base_of_relative_uris_is_declared() -> None:
    assert "%SRCROOT%" in run_of(*FINDINGS)["originalUriBaseIds"]


def test_every_result_points_at_its_rule() -> None:
    run = run_of(*FINDINGS, ERROR_FINDING)
    rules = run["tool"]["driver"]["rules"]

    assert len(rules) == 4
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert all(rule["help"]["text"] for rule in rules)


def test_the_help_of_a_catalogue_stands_for_the_words_of_a_finding() -> None:
    run = run_of(ERROR_FINDING, rule_help={"TAP021": ("Fires when a key is not declared.", "Why: nobody.")})
    (rule,) = run["tool"]["driver"]["rules"]

    assert rule["shortDescription"] == {"text": "Fires when a key is not declared."}
    assert rule["help"] == {"text": "Fires when a key is not declared.\nWhy: nobody."}


def test_a_suppressed_finding_is_a_suppressed_result_and_all_others_say_that_they_are_not() -> None:
    suppressions = [result["suppressions"] for result in run_of(ERROR_FINDING, SUPPRESSED_FINDING)["results"]]

    assert suppressions[0] == []
    assert [item["kind"] for item in suppressions[1]] == ["inSource"]
    assert suppressions[1][0]["justification"].startswith("the helpdesk asked for it")


def test_a_finding_without_a_place_has_no_location() -> None:
    (result,) = run_of(FINDINGS[2])["results"]

    assert "locations" not in result


def test_related_places_are_numbered() -> None:
    (related,) = run_of(ERROR_FINDING)["results"][0]["relatedLocations"]

    assert related["id"] == 1
    assert related["physicalLocation"]["region"]["startLine"] == 4


def fingerprint(finding: Finding) -> Any:
    return run_of(finding)["results"][0]["partialFingerprints"]["primaryLocationLineHash"]


def test_a_fingerprint_stays_when_lines_move() -> None:
    moved = replace(
        ERROR_FINDING,
        position=Position("tenants/contoso west/a#1.yaml", 99, 17),
        excerpt="  " + ERROR_FINDING.excerpt,
    )

    assert fingerprint(moved) == fingerprint(ERROR_FINDING)


@pytest.mark.parametrize(
    "other",
    [
        replace(ERROR_FINDING, rule="TAP001"),
        replace(ERROR_FINDING, message="another"),
        replace(ERROR_FINDING, excerpt="    exclude: [tap-user]"),
        replace(ERROR_FINDING, position=Position("tenants/other.yaml", 14, 15)),
    ],
)
def test_a_fingerprint_differs_for_another_problem(other: Finding) -> None:
    assert fingerprint(other) != fingerprint(ERROR_FINDING)


def test_equal_findings_have_different_fingerprints() -> None:
    results = run_of(ERROR_FINDING, ERROR_FINDING)["results"]

    assert len({result["partialFingerprints"]["primaryLocationLineHash"] for result in results}) == 2


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("[click](https://evil.example)", r"\[click\](https://evil.example)"),
        (r"\[click\](x)", r"\\\[click\\\](x)"),
        ("{group: a} {0}", "{{group: a}} {{0}}"),
        ("DOMAIN\\user", "DOMAIN\\user"),
    ],
)
def test_text_makes_neither_links_nor_placeholders(text: str, escaped: str) -> None:
    assert run_of(replace(ERROR_FINDING, message=text))["results"][0]["message"]["text"].split("\n")[0] == escaped


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("../tenants/ä.yaml", "../tenants/%C3%A4.yaml"),
        ("a:b%20c?.yaml", "a%3Ab%2520c%3F.yaml"),
        ("./tenants//x.yaml", "tenants/x.yaml"),
    ],
)
def test_relative_paths_become_percent_encoded_uris(file: str, uri: str) -> None:
    (result,) = run_of(replace(ERROR_FINDING, position=Position(file, 1, 1)))["results"]

    assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == uri


def test_an_absolute_path_is_a_file_uri_without_a_base() -> None:
    (result,) = run_of(replace(ERROR_FINDING, position=Position("/srv/a b.yaml", 1, 1)))["results"]

    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": "file:///srv/a%20b.yaml"}


@settings(max_examples=60, deadline=None)
@given(findings)
def test_a_region_is_never_empty_and_its_uri_is_ascii(finding: Finding) -> None:
    for location in run_of(finding)["results"][0].get("locations", []):
        place = location["physicalLocation"]
        assert place["region"]["endColumn"] > place["region"]["startColumn"] >= 1
        assert place["artifactLocation"]["uri"].isascii()
