"""The README's console blocks are what the tool prints: they are run, in order, in a fresh copy of the examples."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"

VARYING = (
    (re.compile(r"\b[0-9a-f]{64}\b"), "HEX"),
    (re.compile(r"\b\d{8}T\d{4}Z\b"), "STAMP"),
    (re.compile(r"\b\d{8}T\d{6}\.\d{6}Z\b"), "STAMP"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"), "TIME"),
    (re.compile(r"\b\d+\.\d s\b"), "N s"),
    (re.compile(r"\d{4}-\d\d-\d\d(?=[ ;.)]|$)"), "DAY"),
)
"""What differs from run to run, and what is compared in its place."""


def console_blocks() -> list[tuple[str, str]]:
    """Every command of the README's console blocks with the output shown below it."""
    blocks = re.findall(r"^```console\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    commands: list[tuple[str, str]] = []
    for block in blocks:
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = part.partition("\n")
            commands.append((command, output))
    return commands


def settled(text: str, place: Path) -> str:
    text = text.replace(str(place), "PLACE")
    for pattern, word in VARYING:
        text = pattern.sub(word, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines())


def examples_in(folder: Path) -> Path:
    """A Git repository that holds a fresh copy of the examples."""
    shutil.copytree(ROOT / "tenants", folder / "tenants")
    shutil.copytree(ROOT / "schemas", folder / "schemas")
    identity = ["-c", "user.name=somebody", "-c", "user.email=somebody@example.com"]
    for arguments in (["init", "--quiet"], ["add", "--all"], [*identity, "commit", "--quiet", "--message", "examples"]):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return examples_in(tmp_path)


def run(command: str, place: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TAPCTL_")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    finished = subprocess.run(
        ["bash", "-c", command], cwd=place, env=environment, capture_output=True, text=True, timeout=60
    )
    return finished.stdout + finished.stderr


@pytest.mark.skipif(shutil.which("bash") is None, reason="the README's commands are for a POSIX shell")
def test_the_tour_prints_what_the_readme_shows(place: Path) -> None:
    commands = console_blocks()
    assert len(commands) > 8

    for command, shown in commands:
        assert f"$ {command}\n{settled(run(command, place), place)}" == f"$ {command}\n{settled(shown, place)}"


def test_the_permissions_are_those_that_the_requests_name() -> None:
    """A 403 names the permission of its request: the table must lead to it, and to no other."""
    form = re.compile(r"[A-Z]\w+\.(?:Read|ReadBasic|ReadWrite)\.(?:All|AuthenticationMethod|Directory)")
    client = ("kinds", "insight", "reconcile", "adopt")
    code = "".join(path.read_text("utf-8") for name in client for path in (ROOT / "tapctl" / name).rglob("*.py"))
    table = README.read_text("utf-8").partition("| application permission |")[2].partition("\n\n")[0]

    assert set(form.findall(table)) == set(re.findall(rf'"({form.pattern})"', code))


def test_every_package_is_in_the_picture_of_the_architecture() -> None:
    packages = {path.parent.name for path in (ROOT / "tapctl").glob("*/__init__.py")}
    picture = README.read_text("utf-8").partition("## Development")[2].partition("(a test walks them)")[0]

    assert packages <= set(re.findall(r"`(\w+)`", picture))


def rewrite() -> None:
    """Put what the tool prints now below the commands: `python -m tests.test_readme`."""
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        fresh = examples_in(Path(name))
        text, at = README.read_text(encoding="utf-8"), 0
        for command, shown in console_blocks():
            at = text.index(f"$ {command}\n{shown}", at)
            output = run(command, fresh).replace(str(fresh), ".").strip("\n")
            new = f"$ {command}\n{output}\n" if output else f"$ {command}\n"
            text = text[:at] + new + text[at + len(f"$ {command}\n{shown}") :]
            at += len(new)
        README.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    rewrite()
