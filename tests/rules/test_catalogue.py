"""The catalogue as a whole, and the documentation that it writes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tapctl.rules
from tapctl.rules.catalogue import BY_ID, EVIDENCE, RULES, SOURCES, markdown
from tapctl.rules.rule import Rule

README = Path(tapctl.rules.__file__).parent / "README.md"


def test_the_readme_is_what_the_catalogue_writes() -> None:
    assert README.read_text(encoding="utf-8") == markdown()


def test_the_catalogue_has_every_rule_once_and_in_order() -> None:
    counts = {"TAP": 13, "GRP": 10, "WSI": 16, "XRES": 11}

    assert [rule.id for rule in RULES] == [
        f"{area}{n:03}" for area, count in counts.items() for n in range(1, count + 1)
    ]
    assert list(BY_ID.values()) == list(RULES)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_what_why_and_what_to_do_with_its_sources(rule: Rule) -> None:
    for text in (rule.condition, rule.why, rule.fix, rule.coverage):
        assert text
        assert not text.endswith(".")
    assert rule.sources
    assert set(rule.sources) <= set(SOURCES)
    assert rule.evidence
    assert set(rule.evidence) <= set(EVIDENCE)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_only_rules_that_need_the_files_have_an_offline_check(rule: Rule) -> None:
    if rule.check is not None:
        assert "off" in rule.modes


def test_every_source_is_used() -> None:
    used = {key for rule in RULES for key in rule.sources}

    assert used == set(SOURCES)


def test_every_rule_has_a_section_that_its_table_row_leads_to() -> None:
    text = README.read_text(encoding="utf-8")

    assert re.findall(r"^\| \[([A-Z0-9]+)\]", text, re.MULTILINE) == [rule.id for rule in RULES]
    assert re.findall(r"^## ([A-Z]+[0-9]+)$", text, re.MULTILINE) == [rule.id for rule in RULES]
