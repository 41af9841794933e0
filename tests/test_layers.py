"""The arrows between the packages: read from every import statement, lazy ones and those for types alone included."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"__main__"}),
    frozenset({"cli"}),
    frozenset({"output", "scaffold", "accept"}),
    frozenset({"config"}),
    frozenset({"rules"}),
    frozenset({"insight", "adopt"}),
    frozenset({"reconcile"}),
    frozenset({"kinds"}),
    frozenset({"graph"}),
    frozenset({"model"}),
    frozenset({"errors"}),
)
"""From the top down: a package may import what stands below it, nothing beside or above it."""
DEPTH = {package: depth for depth, layer in enumerate(LAYERS) for package in layer}

SANDBOX_MAY_IMPORT = {"sandbox", "errors", "model"}
"""It shares no code with the client, so that it cannot agree with the client's mistakes."""
MAY_IMPORT_THE_SANDBOX = {"tapctl.graph.connect", "tapctl.cli.sandbox"}

PURE = ("planner", "order", "guardrails", "summary", "approval")
"""Modules of `reconcile` that only compute, as does all that they import."""
IMPURE = re.compile(
    r"(asyncio|click|concurrent|ctypes|getpass|http|httpx|importlib|io|logging|multiprocessing|os|pathlib|random|secrets"
    r"|select|shutil|signal|socket|sqlite3|ssl|subprocess|sys|tempfile|threading|time|urllib\.request|uuid)(\.|$)"
)
IMPURE_CALLS = frozenset({"print", "input", "open", "exec", "eval", "now", "utcnow", "today"})

THIRD_PARTY = {
    "azure": {"graph"},
    "click": {"cli"},
    "cryptography": {"graph"},
    "deepdiff": {"output"},
    "filelock": {"sandbox"},
    "httpx": {"graph", "sandbox", "cli"},  # cli: the webhook of `drift --notify` is no Graph
    "jsonschema": {"rules"},
    "kiota_abstractions": {"graph"},
    "kiota_http": {"graph"},
    "msgraph": {"graph"},
    "referencing": {"rules"},
    "uvicorn": {"sandbox"},
    "yaml": {"accept", "adopt", "config"},
}
"""Which packages may know which library: the rest of tapctl does not notice when one is exchanged."""


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of tapctl by its dotted name; templates are text for other repositories."""
    found: dict[str, ast.Module] = {}
    for path in sorted((ROOT / "tapctl").rglob("*.py")):
        relative = path.relative_to(ROOT)
        if "templates" not in relative.parts:
            name = ".".join(relative.with_suffix("").parts).removesuffix(".__init__")
            found[name] = ast.parse(path.read_text(encoding="utf-8"), filename=str(relative))
    return found


def imported(tree: ast.AST) -> Iterator[str]:
    """The dotted names that a tree imports; `from package import name` counts as the module `name` if it is one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            module = node.module or ""
            submodules = {f"{module}.{alias.name}" for alias in node.names} & set(modules())
            yield from submodules
            if not submodules:
                yield module


def package_of(module: str) -> str:
    """`tapctl.graph.client` is of `graph`."""
    return module.split(".")[1] if "." in module else ""


@cache
def arrows() -> tuple[tuple[str, str], ...]:
    """Every import of tapctl by tapctl: the importing and the imported module."""
    return tuple(
        (name, other) for name, tree in modules().items() for other in imported(tree) if other.split(".")[0] == "tapctl"
    )


def test_every_package_has_its_place() -> None:
    packages = {package_of(name) for name in modules()} - {""}

    assert packages == set(DEPTH) | {"sandbox"}


def test_arrows_point_downward_only() -> None:
    wrong = [
        f"{name} imports {other}"
        for name, other in arrows()
        if package_of(name) in DEPTH
        and package_of(other) in DEPTH
        and package_of(name) != package_of(other)
        and DEPTH[package_of(other)] <= DEPTH[package_of(name)]
    ]

    assert wrong == []


def test_wire_json_ends_in_kinds() -> None:
    reading = {package_of(name) for name, other in arrows() if other == "tapctl.kinds.wire"}

    assert reading == {"kinds"}


def test_requests_are_described_by_kinds_alone() -> None:
    describing = {package_of(name) for name, tree in modules().items() if {"Read", "Write"} & set(called(tree))}

    assert describing == {"kinds"}


def test_the_sandbox_stands_alone() -> None:
    wrong = [
        f"{name} imports {other}"
        for name, other in arrows()
        if package_of(name) == "sandbox" and package_of(other) not in SANDBOX_MAY_IMPORT
    ]

    assert wrong == []


def test_only_the_way_in_knows_the_sandbox() -> None:
    knowing = {
        name for name, other in arrows() if package_of(other) == "sandbox" and package_of(name) not in ("sandbox", "")
    }

    assert knowing == MAY_IMPORT_THE_SANDBOX


def test_the_client_loads_the_sandbox_only_when_it_connects_to_one() -> None:
    at_import = [node for node in modules()["tapctl.graph.connect"].body if not isinstance(node, ast.FunctionDef)]
    statements = [node for node in at_import if isinstance(node, ast.Import | ast.ImportFrom)]

    assert statements
    assert not any(package_of(other) == "sandbox" for node in statements for other in imported(node))


@pytest.mark.parametrize("package", ["model", "errors"])
def test_values_need_nothing_but_the_standard_library(package: str) -> None:
    needed = {
        other.split(".")[0]
        for name, tree in modules().items()
        if package_of(name) == package
        for other in imported(tree)
    }

    assert needed - sys.stdlib_module_names <= {"tapctl"}


@pytest.mark.parametrize("name", PURE)
def test_planning_knows_no_clock_no_network_and_no_terminal(name: str) -> None:
    for module in with_all_it_imports(f"tapctl.reconcile.{name}"):
        tree = modules()[module]

        assert {other for other in imported(tree) if IMPURE.match(other)} == set(), module
        assert set(called(tree)) & IMPURE_CALLS == set(), module


def with_all_it_imports(name: str) -> set[str]:
    """A module, and all of tapctl that it leads to."""
    seen: set[str] = set()
    pending = [name]
    while pending:
        module = pending.pop()
        if module not in seen:
            seen.add(module)
            pending += [other for one, other in arrows() if one == module and other != "tapctl"]
    return seen


def called(tree: ast.AST) -> Iterator[str]:
    """The last names of everything that is called: `datetime.now()` is `now`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute):
                yield node.func.attr


def test_a_library_is_known_only_to_the_packages_that_are_about_it() -> None:
    wrong = {
        f"{name} imports {library}"
        for name, tree in modules().items()
        for library in {other.split(".")[0] for other in imported(tree)} - sys.stdlib_module_names - {"tapctl"}
        if package_of(name) not in THIRD_PARTY.get(library, ())
    }

    assert wrong == set()
