"""Each kind of change in a portal, accepted: the lines of the file that change, and an empty plan behind it."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tests.drift.harness import Json, Repository

CASES = Path(__file__).parents[1] / "cases" / "drift" / "accept"


def _cases() -> list[Json]:
    found = sorted(CASES.glob("*.yaml"))
    return [pytest.param(yaml.safe_load(file.read_text(encoding="utf-8")), id=file.stem) for file in found]


@pytest.mark.parametrize("case", _cases())
def test_accepting_changes_the_lines_in_question_and_the_next_plan_is_empty(case: Json, repository: Repository) -> None:
    for address, *changes in case["tamper"]:
        repository.tamper(case["tenant"], address, *changes)

    accepted = repository.call("drift", "--tenant", case["tenant"], "--accept")

    assert repository.difference() == case["difference"], accepted.out
    assert accepted.code == 0
    assert repository.call("plan", "--tenant", case["tenant"], "--detailed-exitcode").code == 0
