"""The plan document as JSON and back."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapctl.errors import RefusedError
from tapctl.model.plan import PlanDocument
from tapctl.model.values import JSONValue
from tapctl.output import document as plan_document
from tapctl.output.document import dumps, findings_to_json, from_json, loads, to_json

from .sample_plan import APPLY, CLEAN, CREATED_AT, FINDINGS, HOSTILE, PLAN, SUPPRESSED_FINDING
from .strategies import documents, json_values

SCHEMA = json.loads((Path(__file__).parents[2] / "schemas" / "plan.schema.json").read_text(encoding="utf-8"))


def plain(document: PlanDocument) -> Any:
    """The document as JSON that a test may take apart."""
    return json.loads(dumps(to_json(document)))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents)
def test_decoding_what_was_encoded_gives_the_same_document(document: PlanDocument) -> None:
    assert from_json(to_json(document)) == document


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents)
def test_a_saved_file_gives_the_same_document(document: PlanDocument) -> None:
    assert loads(dumps(to_json(document)).encode()) == document


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents)
def test_json_text_is_printable_ascii_without_log_commands(document: PlanDocument) -> None:
    text = dumps(to_json(document))

    assert text.replace("\n", "").isascii()
    assert text.replace("\n", "").isprintable()
    assert "##[" not in text
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())


def test_the_schema_is_a_schema_and_everything_in_it_is_described() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    for name, part in [("document", SCHEMA), *SCHEMA["$defs"].items()]:
        for key, value in part.get("properties", {}).items():
            assert "description" in value or "$ref" in value, (name, key)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents)
def test_every_document_satisfies_the_schema(document: PlanDocument) -> None:
    jsonschema.Draft202012Validator(SCHEMA).validate(to_json(document))


@pytest.mark.parametrize("document", [PLAN, APPLY], ids=["plan", "apply"])
def test_the_samples_satisfy_the_schema_and_come_back(document: PlanDocument) -> None:
    data = plain(document)

    jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(data)
    assert from_json(data) == document


def test_the_schema_and_the_reader_agree_on_what_is_unknown() -> None:
    data = plain(PLAN)
    data["tenants"][0]["changes"][0]["extra"] = 1

    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(data)


def test_the_names_are_those_of_the_contract() -> None:
    data = plain(APPLY)
    tenant = data["tenants"][0]
    change = tenant["changes"][1]

    assert (data["formatVersion"], data["tapctlVersion"], data["createdAt"]) == (1, "0.1.0", "2026-11-22T07:29:00Z")
    assert {"name", "tenantId", "cloud", "status", "error", "changes", "findings", "impact", "guardrails"} <= set(
        tenant
    )
    assert tenant["graph"] == {"requests": 17, "calls": 9, "roundTrips": 6, "throttled": 2, "seconds": 3.21}
    assert (change["outcome"], change["outcomeFix"]) == ("failed", "run plan again")
    assert change["fields"][1] == {"path": "lifetime.maximum", "before": 60, "after": 120}


def test_a_plan_has_no_outcome_and_a_finding_without_a_place_has_nulls() -> None:
    tenant = plain(PLAN)["tenants"][0]

    assert "outcome" not in tenant["changes"][0]
    assert [tenant["findings"][1][key] for key in ("file", "line", "column")] == [None, None, None]


def test_findings_alone_say_whether_they_are_suppressed_and_why() -> None:
    data = json.loads(dumps(findings_to_json(FINDINGS)))

    assert [finding["suppressed"] for finding in data["findings"]] == [False, False, False, True]
    assert data["findings"][3]["suppressReason"] == SUPPRESSED_FINDING.suppress_reason
    assert "suppressReason" not in data["findings"][0]
    assert data["findings"][1]["message"].startswith(f'"{HOSTILE}"')


BREAKING: dict[str, tuple[tuple[str | int, ...], JSONValue, str]] = {
    "newer version": (("formatVersion",), 2, "its formatVersion is 2"),
    "version as text": (("formatVersion",), "1", 'formatVersion is "1"'),
    "version as boolean": (("formatVersion",), True, "formatVersion is true"),
    "version as fraction": (("formatVersion",), 1.0, "must be a whole number"),
    "unknown key": (("surprise",), 1, 'the document has the unknown key "surprise"'),
    "unknown key of a change": (("tenants", 0, "changes", 0, "run"), "rm", "tenants[0].changes[0] has the unknown key"),
    "time without zone": (("createdAt",), "2026-11-22T07:29:00", "createdAt must be a time"),
    "time that never was": (("createdAt",), "2026-02-30T07:29:00Z", "createdAt must be a time that exists"),
    "year that never was": (("createdAt",), "0000-01-01T00:00:00Z", "createdAt must be a time that exists"),
    "tenants as object": (("tenants",), {}, "tenants must be a list, not an object"),
    "tenant as text": (("tenants", 0), "contoso", 'tenants[0] must be an object, not "contoso"'),
    "unknown status": (("tenants", 0, "status"), "great", "status must be one of clean, changes"),
    "unknown action": (("tenants", 0, "changes", 0, "action"), "run", "action must be one of create, update, delete"),
    "list as action": (("tenants", 0, "changes", 0, "action"), [], "action must be a text, not a list"),
    "number as boolean": (("tenants", 0, "changes", 0, "widens"), 1, "widens must be true or false, not 1"),
    "boolean as count": (("tenants", 0, "graph", "calls"), True, "calls must be a whole number"),
    "huge count": (
        ("tenants", 0, "graph", "calls"),
        10**5000,
        "whole number from 0, not a very large number",
    ),
    "negative count": (("tenants", 0, "graph", "calls"), -1, "must be a whole number from 0, not -1"),
    "line zero": (("tenants", 0, "findings", 0, "line"), 0, "line must be a whole number from 1, not 0"),
    "negative seconds": (("tenants", 0, "graph", "seconds"), -1, "must be a number of seconds"),
    "fraction as value": (("tenants", 0, "changes", 0, "fields", 0, "after"), 0.5, "a value without fractions"),
    "notes as text": (("tenants", 0, "changes", 0, "notes"), "x", "notes must be a list"),
    "notes of numbers": (("tenants", 0, "changes", 0, "notes"), [1], "notes must be a list of texts"),
    "overrides of lists": (("tenants", 0, "overrides"), {"delete": []}, "overrides must be an object of texts"),
    "half a place": (("tenants", 0, "findings", 0, "line"), None, "line must be a whole number from 1, not null"),
    "place without file": (("tenants", 0, "findings", 0, "file"), None, "line must be null"),
    "unknown exit code": (("tenants", 0, "exitCode"), 7, "exitCode must be an exit code"),
    "long text instead of a number": (("tenants", 0, "graph", "calls"), "x" * 10**6, "…"),
}


@pytest.mark.parametrize("name", BREAKING)
def test_a_document_of_another_form_is_refused_with_the_place(name: str) -> None:
    path, value, message = BREAKING[name]
    data = copy.deepcopy(plain(PLAN))
    parent = data
    for step in path[:-1]:
        parent = parent[step]
    parent[path[-1]] = value

    with pytest.raises(RefusedError) as refused:
        from_json(data)

    assert message in refused.value.message
    assert len(refused.value.message) < 300
    assert refused.value.fix


REQUIRED = ["name", "tenantId", "cloud", "status", "changes", "findings", "guardrails", "graph"]


@pytest.mark.parametrize("key", REQUIRED)
def test_a_missing_key_is_refused(key: str) -> None:
    data = plain(PLAN)
    del data["tenants"][0][key]

    with pytest.raises(RefusedError, match=rf"tenants\[0\]\.{key} is missing"):
        from_json(data)


FILES = {
    "nothing": b"",
    "no JSON": b"#!/bin/sh\nrm -rf /",
    "binary": b"\xff\xfe\x00\x01",
    "deep list": b"[" * 200_000,
    "deep and closed": b"[" * 500 + b"]" * 500,
    "not a number": b'{"formatVersion": NaN}',
    "infinite": b'{"formatVersion": -Infinity}',
    "too many digits": b'{"formatVersion": ' + b"9" * 10_000 + b"}",
    "repeated key": b'{"formatVersion": 1, "formatVersion": 1}',
    "a list": b"[1]",
    "a word": b"true",
    "another document": b'{"findings": []}',
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_plan_is_refused(name: str) -> None:
    with pytest.raises(RefusedError, match="this is not a plan that can be used"):
        loads(FILES[name])


def test_an_overflowing_number_in_the_definitions_is_refused() -> None:
    text = dumps(to_json(PLAN)).replace("0.5", "1e999")

    with pytest.raises(RefusedError, match="too large"):
        loads(text.encode())


def test_a_file_beyond_the_size_limit_is_refused_before_it_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan_document, "MAXIMUM_SIZE", 100)

    with pytest.raises(RefusedError, match="more than 100"):
        loads(dumps(to_json(PLAN)).encode())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_are_refused_and_never_a_traceback(content: bytes) -> None:
    with pytest.raises(RefusedError):
        loads(content)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_a_plan_with_any_part_replaced_is_read_or_refused(data: st.DataObject) -> None:
    content = plain(PLAN)
    parent, step = content, data.draw(st.sampled_from(sorted(content)))
    while isinstance(parent[step], list | dict) and parent[step] and data.draw(st.booleans()):
        parent = parent[step]
        steps = sorted(parent) if isinstance(parent, dict) else list(range(len(parent)))
        step = data.draw(st.sampled_from(steps))
    parent[step] = data.draw(json_values)

    try:
        document = from_json(content)
    except RefusedError:
        return
    assert from_json(to_json(document)) == document


def test_a_document_without_tenants_is_a_document() -> None:
    empty = PlanDocument(created_at=CREATED_AT, tapctl_version="0.1.0", tenants=())

    assert from_json(to_json(empty)) == empty
    assert from_json(to_json(PlanDocument(created_at=CREATED_AT, tapctl_version="0", tenants=(CLEAN,))))
