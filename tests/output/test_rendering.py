"""What holds for all renderers: the same every time, and nothing loaded that is not needed."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from tapctl.model.plan import PlanDocument
from tapctl.output.render import PlanFormat, render_plan

from .sample_plan import PLAN
from .strategies import documents

FORMATS: list[PlanFormat] = ["text", "json", "markdown", "github"]

_RENDER = """
import hashlib, sys
from tapctl.output.document import loads
from tapctl.output.render import render_plan
document = loads(sys.stdin.buffer.read())
text = "".join(render_plan(document, name) for name in ("text", "json", "markdown", "github"))
print(hashlib.sha256(text.encode()).hexdigest())
"""

_HEAVY = ("json", "deepdiff", "httpx", "msgraph", "azure", "jsonschema", "yaml", "numpy", "asyncio", "unicodedata")


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_every_run_renders_the_same_text(seed: str) -> None:
    expected = hashlib.sha256("".join(render_plan(PLAN, name) for name in FORMATS).encode()).hexdigest()

    done = subprocess.run(
        [sys.executable, "-c", _RENDER],
        input=render_plan(PLAN, "json").encode(),
        env={"PYTHONHASHSEED": seed},
        capture_output=True,
        check=True,
    )

    assert done.stdout.decode().strip() == expected


def test_rendering_findings_as_text_imports_nothing_heavy() -> None:
    script = (
        "import sys\n"
        "from tapctl.errors import Finding, Position\n"
        "from tapctl.output.render import render_findings\n"
        "render_findings([Finding(rule='x', severity='error', message='m', position=Position('a', 1, 1), excerpt='b')],"
        " 'text')\n"
        f"print([name for name in {_HEAVY!r} if name in sys.modules])\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_no_module_of_the_output_loads_anything_heavy_by_itself() -> None:
    modules = sorted(path.stem for path in (Path(__file__).parents[2] / "tapctl" / "output").glob("[a-z]*.py"))
    script = (
        "import importlib, sys\n"
        f"for name in {modules!r}: importlib.import_module('tapctl.output.' + name)\n"
        f"print([name for name in {_HEAVY!r} if name in sys.modules])\n"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("name", FORMATS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(document=documents)
def test_any_document_is_valid_utf8_and_ends_with_one_newline(name: PlanFormat, document: PlanDocument) -> None:
    text = render_plan(document, name)

    assert text.encode("utf-8")
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
