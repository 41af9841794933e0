"""Laws that hold for every filter and every request, however odd."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tapctl.sandbox.membership_rules import members_of_rule
from tapctl.sandbox.odata import FilterSyntax, parse_filter
from tapctl.sandbox.routes import ROUTES
from tapctl.sandbox.wire import segments
from tests.sandbox.support import CUSTOM, POLICIES, TAP, TAP_TYPE, Graph, catalog_policy

text = st.text(max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)


@given(text)
def test_a_quoted_name_finds_exactly_itself_whatever_its_case(name: str) -> None:
    quoted = name.replace("'", "''")

    assert parse_filter(f"displayName eq '{quoted}'").matches({"displayName": name})
    assert not parse_filter(f"displayName eq '{quoted}'").matches({"displayName": name + "x"})


@given(st.text(max_size=40))
def test_any_text_is_a_filter_or_a_syntax_error(content: str) -> None:
    try:
        parse_filter(content)
    except FilterSyntax:
        return


@given(st.text(max_size=40))
def test_any_text_is_a_rule_or_not_understood(content: str) -> None:
    members = members_of_rule(content, [{"id": "u", "department": "x"}], [])

    assert members is None or set(members) <= {"u"}


@given(st.integers(0, 5), st.integers(0, 5))
def test_clauses_joined_by_or_are_counted(left: int, right: int) -> None:
    ids = ",".join(["'x'"] * (left + 1))
    clauses = " or ".join(["id eq 'x'"] * (right + 1))

    assert parse_filter(f"id in ({ids}) or ({clauses})").joined_by_or == left + right + 2


@given(st.text(alphabet=st.characters(exclude_characters="/()'%", exclude_categories=["Cs"]), min_size=1, max_size=12))
def test_a_key_in_parentheses_is_the_key_in_a_segment(key: str) -> None:
    assert segments(f"/policies('{key}')") == ("policies", key)


@given(
    st.sampled_from(["PATCH TAP", "POST group", "POST policy", "PUT policy", "POST assign", "POST oma"]), json_values
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_body_upsets_the_service(graph: Graph, request: str, body: Any) -> None:
    policy = graph.body(f"{POLICIES}?$filter=name eq 'Win - BitLocker'")["value"][0]["id"]
    wrapped: dict[str, tuple[str, str, Any]] = {
        "PATCH TAP": ("PATCH", TAP, {"@odata.type": TAP_TYPE, "includeTargets": body, "excludeTargets": body}),
        "POST group": ("POST", "/v1.0/groups", {"displayName": body, "mailEnabled": body, "mailNickname": body}),
        "POST policy": ("POST", POLICIES, {**catalog_policy("x"), "settings": body, "templateReference": body}),
        "PUT policy": ("PUT", f"{POLICIES}/{policy}", {**catalog_policy("x"), "settings": [{"settingInstance": body}]}),
        "POST assign": ("POST", f"{POLICIES}/{policy}/assign", {"assignments": [{"target": body}]}),
        "POST oma": ("POST", CUSTOM, {"displayName": body, "omaSettings": [body]}),
    }
    method, path, content = wrapped[request]

    for each in (content, body):
        assert 200 <= graph.request(method, path, each).status_code < 500


def test_every_listed_call_is_answered(graph: Graph) -> None:
    """A GET of every route, with made-up keys where it has braces: never 501."""
    for route in ROUTES:
        if route.method != "GET":
            continue
        for version in route.versions:
            named = re.sub(r"\((\w+)\)/\{\w+\}", r"(\1='x')", route.template)
            path = re.sub(r"\{\w+\}", "x", named.replace("{cast}", "microsoft.graph.user"))
            response = graph.get(f"/{version}{path}", headers={"ConsistencyLevel": "eventual"})
            assert response.status_code in {200, 400, 404}, (path, response.text)
