"""Plans as Markdown: rendered by a real Markdown library, nothing untrusted is active."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from markdown_it import MarkdownIt
from markdown_it.token import Token

from tapctl.model.plan import Change, FieldChange, PlanDocument, TenantPlan
from tapctl.output import markdown
from tapctl.output.render import render_plan

from .sample_plan import APPLY, CLEAN, CONTOSO, CREATED_AT, FINDINGS, HOSTILE, PLAN
from .strategies import documents

_PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
_OWN_HTML = re.compile(
    r"<!-- tapctl:plan -->|</details>|"
    r"<details><summary>(Fields before and after \(\d+ fields?\)|Suppressed findings \(\d+\))</summary>"
)
_ACTIVE_ON_GITHUB = re.compile(r"@\w|#\d|\bGH-\d|://|www\.|\b[0-9a-f]{7,40}\b|:\w+:|\$")


def tokens(text: str) -> Iterator[Token]:
    def walk(level: Sequence[Token]) -> Iterator[Token]:
        for token in level:
            yield token
            yield from walk(token.children or [])

    return walk(_PARSER.parse(text))


def assert_nothing_is_active(text: str) -> None:
    opened = closed = 0
    for token in tokens(text):
        assert token.type not in ("link_open", "image", "em_open", "s_open", "heading_open") or token.markup == "###"
        if token.type in ("html_block", "html_inline"):
            for part in filter(None, token.content.strip().split("\n")):
                assert _OWN_HTML.fullmatch(part), part
            opened += token.content.count("<details>")
            closed += token.content.count("</details>")
        if token.type == "text":
            assert not _ACTIVE_ON_GITHUB.search(token.content), token.content
    assert opened == closed
    assert text.replace("\n", "").isprintable()
    assert not any(line.lstrip().startswith("::") for line in text.splitlines())


@pytest.mark.parametrize("document", [PLAN, APPLY], ids=["plan", "apply"])
def test_hostile_text_is_never_active(document: PlanDocument) -> None:
    text = render_plan(document, "markdown")

    assert_nothing_is_active(text)
    assert r"SG\x1b[31m" in text


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents)
def test_no_text_in_any_part_of_a_plan_is_active(document: PlanDocument) -> None:
    assert_nothing_is_active(render_plan(document, "markdown"))


def test_the_check_finds_what_is_active() -> None:
    for active in ("[a](b)", "<img src=x>", "ask @octocat", "see #12", "*it*", "</details>", "$x$", "www.example.com"):
        with pytest.raises(AssertionError):
            assert_nothing_is_active(active)


def test_the_marker_is_the_first_line_and_the_summary_the_second() -> None:
    lines = render_plan(replace(PLAN, tenants=(CONTOSO,)), "markdown").splitlines()

    assert lines[0] == "<!-- tapctl:plan -->"
    assert lines[1] == "**tapctl plan** Plan: 1 to create, 2 to update, 1 to delete. Something widens."


def test_several_tenants_begin_with_a_table_of_all() -> None:
    rendered = _PARSER.render(render_plan(PLAN, "markdown"))

    assert rendered.count("<tr>") == 5
    assert rendered.index("</table>") < rendered.index("<h3>")


def test_details_are_folded_and_the_rest_is_not() -> None:
    text = render_plan(replace(PLAN, tenants=(CONTOSO,)), "markdown")
    unfolded = re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)

    assert "120 (minutes)" in text
    assert "120 (minutes)" not in unfolded
    for part in ("`groups.tap-users`", "(widens)", "at most 340 gain", "`TAP011`", "--approve contoso@", "Graph: "):
        assert part in unfolded


def test_a_path_that_is_named_like_a_command_does_not_begin_a_line_as_one() -> None:
    change = Change(
        address="groups.g", action="update", fields=(FieldChange(path="::error::x", before=(), after=("a",)),)
    )

    assert_nothing_is_active(markdown.render_changes({"contoso": (change,)}, heading="tapctl diff"))


def test_a_diff_has_the_signs_that_github_colours_at_the_beginning_of_lines() -> None:
    text = render_plan(replace(PLAN, tenants=(CONTOSO,)), "markdown")

    assert "\n-   lifetime.maximum: 60 (minutes)\n+   lifetime.maximum: 120 (minutes)\n" in text


def large(tenants: int, members: int) -> PlanDocument:
    names = tuple(f"user{number:05}@contoso.com" for number in range(members))
    change = Change(
        address="groups.tap-users",
        action="update",
        title=HOSTILE,
        fields=(FieldChange(path="members", before=names[::2], after=names[1::2]),),
    )
    tenant = replace(CONTOSO, changes=(change,))
    return PlanDocument(
        created_at=CREATED_AT,
        tapctl_version="0.1.0",
        tenants=tuple(replace(tenant, name=f"tenant-{number}") for number in range(tenants)),
    )


@pytest.mark.parametrize(("tenants", "members"), [(1, 5_000), (5, 2_000), (100, 10), (2_000, 1)])
def test_a_comment_is_cut_safely_and_says_so(tenants: int, members: int) -> None:
    text = render_plan(large(tenants, members), "markdown")

    assert len(text.encode("utf-16-le")) // 2 <= 65_000
    assert_nothing_is_active(text)
    assert re.search(r"\*\*Cut:\*\* \d+ lines did not fit into a comment\.", text)
    assert "`tapctl show`" in text
    assert text.splitlines()[-1].startswith("Graph: ")


def test_what_decides_stays_when_details_are_cut() -> None:
    text = render_plan(large(5, 2_000), "markdown")

    assert text.count("--approve contoso@") == 5
    assert text.count("at most 340 gain") == 5


def test_a_plan_that_fits_is_not_cut() -> None:
    assert "**Cut:**" not in render_plan(PLAN, "markdown")


@pytest.mark.parametrize("limit", range(1_500, 9_000, 250))
def test_wherever_a_comment_is_cut_all_tags_and_fences_are_closed(limit: int) -> None:
    text = markdown.render_plan(PLAN, limit=limit)

    assert len(text) <= limit
    assert_nothing_is_active(text)
    assert text.count("```") % 2 == 0


def test_changes_alone_have_a_heading_and_no_footer() -> None:
    text = markdown.render_changes({"contoso": CONTOSO.changes, "clean": ()}, heading="tapctl diff", findings=FINDINGS)

    assert text.splitlines()[1] == "**tapctl diff:** 1 to create, 2 to update, 1 to delete."
    assert "Graph:" not in text
    assert "`TAP021`" in text
    assert "clean" not in text
    assert_nothing_is_active(text)
    assert "**tapctl diff:** no changes." in markdown.render_changes({"clean": ()}, heading="tapctl diff")


def test_a_sandbox_tenant_is_labelled_everywhere() -> None:
    sandbox: TenantPlan = replace(CLEAN, cloud="sandbox")

    one = render_plan(replace(PLAN, tenants=(sandbox,)), "markdown")
    two = render_plan(replace(PLAN, tenants=(sandbox, CLEAN)), "markdown")

    assert "Contains a sandbox tenant." in one
    assert "sandbox: embedded in tapctl, not a Microsoft tenant" in one
    assert "| `northwind` | **sandbox** | clean |" in two
