"""Reads generated pipelines for the tests: the parsed file, its jobs, and the shell script of a step."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, TypeAlias

import yaml

from tapctl.scaffold.write import ContinuousIntegration, repository, write

Node: TypeAlias = Any
"""A part of somebody else's format, as PyYAML reads it."""

PULL_REQUEST: Final = ".github/workflows/tapctl-pull-request.yaml"
APPLY: Final = ".github/workflows/tapctl-apply.yaml"
DRIFT: Final = ".github/workflows/tapctl-drift.yaml"
WORKFLOWS: Final = (PULL_REQUEST, APPLY, DRIFT)


def make_repository(directory: Path, *systems: ContinuousIntegration) -> Path:
    """A repository as `tapctl init` writes it."""
    write(directory, repository(systems), force=False)
    return directory


def text(path: str) -> str:
    """The text of a generated file, whichever system it belongs to."""
    return repository(("github", "gitlab", "azure"))[path]


def parsed(path: str) -> Node:
    return yaml.safe_load(text(path))


def triggers(workflow: Node) -> Node:
    """YAML 1.1 reads the key `on` as true."""
    return workflow[True]


def script(path: str, job: str, step: str) -> str:
    """The shell script of a named step of a GitHub workflow."""
    (found,) = (entry["run"] for entry in parsed(path)["jobs"][job]["steps"] if entry.get("name") == step)
    assert isinstance(found, str)
    return found


def scripts(node: Node) -> list[str]:
    """Every shell script of a pipeline, of any of the three systems."""
    if isinstance(node, list):
        return [found for part in node for found in scripts(part)]
    if not isinstance(node, dict):
        return []
    own = [
        line
        for key in ("run", "bash", "script", "before_script")
        for line in ([node[key]] if isinstance(node.get(key), str) else node.get(key, []))
        if isinstance(line, str)
    ]
    return own + [found for part in node.values() for found in scripts(part)]
