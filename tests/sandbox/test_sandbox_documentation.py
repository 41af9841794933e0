"""README.md beside the sandbox says what is true."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

from tapctl.sandbox.behaviour import Behaviour
from tapctl.sandbox.documentation import README, render, switch_meanings


def test_the_readme_is_the_one_that_the_code_writes() -> None:
    assert README.read_text(encoding="utf-8") == render(), "run python -m tapctl.sandbox.documentation"


def test_every_switch_says_what_it_stands_for() -> None:
    meanings = switch_meanings()

    assert set(meanings) == {field.name for field in dataclasses.fields(Behaviour)}
    assert all(meaning.endswith(".") for meaning in meanings.values())


def test_the_sandbox_knows_nothing_of_the_client() -> None:
    program = (
        "import sys, tapctl.sandbox.transport, tapctl.sandbox.server, tapctl.sandbox.tamper\n"
        "print([name for name in sys.modules if name.startswith('tapctl.') and "
        "name.split('.')[1] not in {'sandbox', 'errors'}])"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert finished.stdout.strip() == "[]"


def test_opening_the_way_in_imports_no_http_client() -> None:
    program = "import sys, tapctl.sandbox.connect\nprint({'httpx', 'asyncio', 'uvicorn'} & set(sys.modules))"
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert finished.stdout.strip() == "set()"
