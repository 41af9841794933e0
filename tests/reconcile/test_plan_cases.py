"""Plans as files: what was applied, what somebody did to it, what is declared now, and the changes that come of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tapctl.model.plan import Change
from tapctl.model.values import to_json
from tests.support.world import World

CASES = Path(__file__).parents[1] / "cases" / "plan"
KEYS = {"about", "applied", "tampered", "desired", "expected", "refused", "findings", "writes"}


def case_of(path: Path) -> dict[str, Any]:
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert set(case) <= KEYS, set(case) - KEYS
    assert isinstance(case, dict)
    return case


def shown(change: Change) -> dict[str, Any]:
    """A change in the terms of a case."""
    entry: dict[str, Any] = {
        "address": change.address,
        "action": change.action,
        "fields": {item.path: [to_json(item.before), to_json(item.after)] for item in change.fields},
    }
    return {**entry, "widens": True} if change.widens else entry


@pytest.mark.parametrize("path", sorted(CASES.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_plan_is_as_the_case_says_and_applying_it_leaves_nothing(world: World, path: Path) -> None:
    case = case_of(path)
    if "applied" in case:
        world.declare(case["applied"])
        world.converge()
    for address, *changes in case.get("tampered", []):
        world.tamper(address, *changes)
    world.forget()
    world.declare(case["desired"])

    planned = world.plan()

    assert [shown(draft.change) for draft in planned.drafts] == case["expected"]
    rules = [finding.rule for finding in planned.findings]
    assert rules == case.get("refused", case.get("findings", []))
    assert planned.is_refused == ("refused" in case)
    if not planned.is_refused:
        world.converge()
        if "writes" in case:
            assert [sent.method for sent in world.writes] == case["writes"]
