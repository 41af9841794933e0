"""The reader of dynamic membership rules and assignment filters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapctl.rules.membership_rules import MAXIMUM_DEPTH, Comparison, parse

FACTS = {
    "device.devicetrusttype": "Azure AD joined",
    "device.operatingsystemversion": "10.0.22631.3007",
    "user.usertype": "Member",
    "user.objectid": "1",
}

TRUE = [
    'device.deviceTrustType -eq "Azure AD joined"',
    "(device.deviceTrustType -EQ 'azure ad JOINED')",
    'device.deviceTrustType eq "Azure AD joined"',
    'device.deviceTrustType -in ["Azure AD joined","Unknown"]',
    'device.deviceTrustType -notIn ["Unknown", "Azure AD registered"]',
    'device.deviceTrustType -ne "Unknown"',
    'device.deviceTrustType -contains "AD"',
    'device.deviceTrustType -notContains "Hybrid"',
    'device.deviceTrustType -startsWith "Azure"',
    'device.deviceTrustType -notStartsWith "Hybrid"',
    'device.deviceTrustType -endsWith "joined"',
    "device.operatingSystemVersion -ge 10.0.22621.2361",
    'device.operatingSystemVersion -gt "10.0.9999.1"',
    "device.operatingSystemVersion -lt 10.0.100000",
    "device.operatingSystemVersion -le 10.0.22631.3007.0",
    "user.objectId -ne null",
    'not (user.userType -eq "Guest")',
    '-not user.userType -eq "Guest"',
    '(user.department -eq "Sales") or (user.userType -eq "Member")',
    'user.userType -eq "Guest" -and user.x -eq "y" -or user.userType -eq "Member"',
]
FALSE = [
    'user.userType -eq "Guest"',
    "user.objectId -eq null",
    'user.userType -in ["Guest"]',
    '(user.department -eq "Sales") and (user.userType -eq "Guest")',
    '-not (user.userType -eq "Member" or user.department -eq "Sales")',
    "device.operatingSystemVersion -ge 10.0.26100",
    "user.userType -in []",
]
UNKNOWN = [
    "",
    'user.department -eq "Sales"',
    '(user.department -eq "Sales") or (user.userType -eq "Guest")',
    'user.userType -match "M.*"',
    "device.operatingSystemVersion -ge newest",
    'Direct Reports for "62e19b97-8b3d-4d4a-a106-4ce66896a863"',
    'device.devicePhysicalIds -any (_ -contains "[ZTDId]")',
    'user.userType -eq "Member") or (user.userType -eq "Guest"',
    '(user.userType -eq "Member"',
    'user.userType -eq "Member" and',
    'user.userType -eq "Member" "Guest"',
    'user.userType "Member"',
    "(" * (MAXIMUM_DEPTH + 1) + 'user.userType -eq "Member"' + ")" * (MAXIMUM_DEPTH + 1),
]


@pytest.mark.parametrize("text", TRUE)
def test_a_rule_admits_what_it_certainly_describes(text: str) -> None:
    assert parse(text).evaluate(FACTS) is True


@pytest.mark.parametrize("text", FALSE)
def test_a_rule_does_not_admit_what_it_certainly_keeps_out(text: str) -> None:
    assert parse(text).evaluate(FACTS) is False


@pytest.mark.parametrize("text", UNKNOWN)
def test_nothing_is_claimed_where_facts_or_understanding_end(text: str) -> None:
    assert parse(text).evaluate(FACTS) is None


@pytest.mark.parametrize("text", [*TRUE, *FALSE])
def test_a_filter_that_excludes_admits_the_opposite(text: str) -> None:
    rule = parse(text)

    assert rule.inverted().evaluate(FACTS) is not rule.evaluate(FACTS)
    assert rule.inverted().inverted().evaluate(FACTS) is rule.evaluate(FACTS)


def test_comparisons_are_found_with_their_negation_and_in_the_order_of_the_text() -> None:
    rule = parse('-not (user.a -eq "1" or -not (user.b -in ["2", null])) and user.c -any (_ -contains "3")')

    assert rule.comparisons == (
        Comparison("user.a", "eq", ("1",), is_negated=True),
        Comparison("user.b", "in", ("2", None), is_negated=False),
        Comparison("user.c", "contains", ("3",), is_negated=False),
    )


def test_quotes_inside_literals_are_understood() -> None:
    (first, second) = parse('user.a -eq "say `"hi`"" and user.b -eq "say ""ho"""').comparisons

    assert first.literals == ('say "hi"',)
    assert second.literals == ('say "ho"',)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('user.userType -eq "Member" and user.department -eq "Sales"', True),
        ('user.userType -ne "Guest"', True),
        ('user.userType -notIn ["Other"]', False),
        ("user.userType -ne null", False),
        ('user.department -eq "Sales"', False),
        ('user.userType -eq "Member" and user.objectId -eq null', False),
        ('(user.userType -eq "Member"', False),
    ],
)
def test_a_rule_names_a_value_when_a_comparison_of_it_lets_it_in(text: str, names: bool) -> None:
    assert parse(text).names(FACTS, "user.usertype", ordinary={"user.usertype": "Guest"}) is names


PIECES = st.sampled_from(
    [
        "(",
        ")",
        "[",
        "]",
        ",",
        '"',
        "'",
        "`",
        "null",
        " ",
        "-eq",
        "-not",
        "-and",
        "or",
        "-any",
        "-in",
        "_",
        "user.x",
        '"a"',
    ]
)


@given(st.one_of(st.text(), st.lists(PIECES, max_size=400).map(" ".join), st.lists(PIECES, max_size=400).map("".join)))
def test_any_text_is_read_without_failing(text: str) -> None:
    rule = parse(text)

    assert rule.evaluate(FACTS) in (True, False, None)
    assert rule.inverted().names(FACTS, "user.x", ordinary={}) in (True, False)


def test_deep_nesting_is_given_up_instead_of_followed() -> None:
    assert parse("(" * 100_000).evaluate(FACTS) is None
    assert parse("-not " * 100_000 + 'user.userType -eq "Member"').evaluate(FACTS) is True


@given(st.sampled_from([*TRUE, *FALSE, *UNKNOWN[1:6]]), st.sampled_from([*TRUE, *FALSE, *UNKNOWN[1:6]]))
def test_and_and_or_agree_with_their_parts(one: str, other: str) -> None:
    left, right = parse(one).evaluate(FACTS), parse(other).evaluate(FACTS)

    both = parse(f"({one}) and ({other})").evaluate(FACTS)
    either = parse(f"({one}) or ({other})").evaluate(FACTS)

    assert (both is True) == (left is True and right is True)
    assert (both is False) == (left is False or right is False)
    assert (either is True) == (left is True or right is True)
    assert (either is False) == (left is False and right is False)
