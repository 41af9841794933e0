"""The exact text of every format, as files that a reviewer reads.

`TAPCTL_WRITE_GOLDEN=1 pytest tests/output/test_golden_output.py` writes them anew; review the difference.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tapctl.output import markdown
from tapctl.output.render import render_findings, render_plan
from tapctl.rules.catalogue import rule_help

from .sample_plan import APPLY, CONTOSO, FINDINGS, PLAN

GOLDEN = Path(__file__).parent / "golden"

CASES: dict[str, Callable[[], str]] = {
    "plan.txt": lambda: render_plan(PLAN, "text", seconds=0.84),
    "plan-color.txt": lambda: render_plan(PLAN, "text", color=True, seconds=0.84),
    "plan.json": lambda: render_plan(PLAN, "json"),
    "plan.md": lambda: render_plan(PLAN, "markdown", seconds=0.84),
    "plan.github": lambda: render_plan(PLAN, "github", seconds=0.84),
    "apply.txt": lambda: render_plan(APPLY, "text"),
    "apply.json": lambda: render_plan(APPLY, "json"),
    "apply.md": lambda: render_plan(APPLY, "markdown"),
    "apply.github": lambda: render_plan(APPLY, "github"),
    "changes.md": lambda: markdown.render_changes(
        {"contoso": CONTOSO.changes}, heading="tapctl diff", findings=FINDINGS
    ),
    "findings.txt": lambda: render_findings(FINDINGS, "text"),
    "findings.json": lambda: render_findings(FINDINGS, "json"),
    "findings.sarif": lambda: render_findings(FINDINGS, "sarif", rule_help=rule_help()),
    "findings.github": lambda: render_findings(FINDINGS, "github"),
}


@pytest.mark.parametrize("name", CASES)
def test_the_output_is_exactly_the_golden_file(name: str) -> None:
    rendered = CASES[name]()
    path = GOLDEN / name
    if os.environ.get("TAPCTL_WRITE_GOLDEN"):
        path.write_text(rendered, encoding="utf-8", newline="")

    assert rendered == path.read_text(encoding="utf-8")


def test_every_golden_file_belongs_to_a_case() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == set(CASES)
