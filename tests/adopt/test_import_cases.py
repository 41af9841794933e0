"""What lives in a tenant against the file and the warnings of its import, one case a file in tests/cases/adopt.

`live` is how somebody filled the tenant; `{KIND:NAME}` stands for an id, `{short:KIND:NAME}` for its beginning. `file`
is a part of the document, `absent` what is not in it, `warnings` are all warnings. Every file must have an empty plan.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.adopt.foreign import Foreign
from tests.adopt.running import Place

CASES = sorted((Path(__file__).parents[1] / "cases" / "adopt").glob("*.yaml"))
_REFERENCE = re.compile(r"\{((?:short:)?)((?:group|user|device|deviceId|filter|policy|custom):[^{}]+)\}")


def filled(steps: list[dict[str, Any]]) -> Foreign:
    tenant = Foreign()
    for step in steps:
        ((what, arguments),) = step.items()
        getattr(tenant, what)(**arguments)
    return tenant


def with_ids(value: Any, tenant: Foreign) -> Any:
    """The value with every reference replaced by the id that it stands for."""
    if isinstance(value, dict):
        return {with_ids(key, tenant): with_ids(inner, tenant) for key, inner in value.items()}
    if isinstance(value, list):
        return [with_ids(item, tenant) for item in value]
    if not isinstance(value, str):
        return value
    return _REFERENCE.sub(lambda found: tenant.id(found[2])[: 8 if found[1] else None], value)


def part_of(document: Any, expected: Any) -> Any:
    """As much of the document as `expected` speaks of."""
    if isinstance(expected, dict) and isinstance(document, dict):
        return {key: part_of(document.get(key), inner) for key, inner in expected.items()}
    return document


def reached(document: Any, path: str) -> bool:
    for key in path.split("."):
        if not isinstance(document, dict) or key not in document:
            return False
        document = document[key]
    return True


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_an_import_says_what_lives_there_and_warns_of_the_rest(path: Path, tmp_path: Path) -> None:
    case = yaml.safe_load(path.read_text(encoding="utf-8"))
    tenant = filled(case["live"])
    done = Place(tmp_path, tenant).imported()

    expected = with_ids(case.get("file", {}), tenant)

    assert part_of(done.document, expected) == expected
    assert sorted(done.warnings) == sorted(with_ids(case["warnings"], tenant))
    assert [gone for gone in case.get("absent", []) if reached(done.document, gone)] == []
    assert [entry["rule"] for entry in done.document.get("suppress", [])] == case.get("suppressed", [])


def test_there_are_cases() -> None:
    assert len(CASES) > 10
