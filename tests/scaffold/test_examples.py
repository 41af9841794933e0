"""The example tenants of `tenants/`: what they promise about themselves without any tool."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tapctl.scaffold.write import repository

EXAMPLES = Path(__file__).parents[2] / "tenants"
"""The examples belong to the checkout; an installed tapctl does not bring them."""

SEEDED = {
    "groups": {"SG-Onboarding-Wave-7", "SG-Break-Glass"},
    "filters": {"Entra joined Windows 11"},
    "tags": {"Default", "Pilot"},
}
"""What a new sandbox holds beside what tapctl makes there itself."""


def sections() -> list[dict[str, object]]:
    """Every file of every example."""
    return [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(EXAMPLES.rglob("*.yaml"))]


def named(part: object, key: str) -> list[object]:
    """Everything below `part` that stands under `key`."""
    if isinstance(part, list):
        return [found for entry in part for found in named(entry, key)]
    if not isinstance(part, dict):
        return []
    own = [part[key]] if key in part else []
    return own + [found for value in part.values() for found in named(value, key)]


def test_the_baseline_is_the_one_that_init_writes() -> None:
    example = (EXAMPLES / "_baselines" / "secure.yaml").read_text(encoding="utf-8")

    assert example == repository(())["tenants/_baselines/secure.yaml"]


def test_every_example_lives_on_the_sandbox_under_an_id_of_its_own() -> None:
    tenants = [section["tenant"] for section in sections() if "id" in str(section.get("tenant", ""))]

    assert named(tenants, "cloud") == ["sandbox"] * 3
    assert len(set(map(str, named(tenants, "id")))) == 3


def test_external_objects_are_those_of_a_new_sandbox() -> None:
    groups = [group for section in named(sections(), "groups") for group in parts(section)]
    external = {named(group, "displayName")[0] for group in groups if named(group, "external") == [True]}

    assert external == SEEDED["groups"]
    assert set(named(sections(), "filter")) == SEEDED["filters"]
    assert {tag for tags in named(sections(), "scopeTags") for tag in parts(tags)} == SEEDED["tags"]


def parts(section: object) -> list[object]:
    assert isinstance(section, dict | list)
    return list(section.values()) if isinstance(section, dict) else section


@pytest.mark.parametrize(
    "path", sorted(EXAMPLES.rglob("*.yaml")), ids=lambda path: path.relative_to(EXAMPLES).as_posix()
)
def test_the_first_line_points_editors_to_the_schema(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    schema = path.parent / first.removeprefix("# yaml-language-server: $schema=")

    assert schema.resolve() == EXAMPLES.parent / "schemas" / "tenant.schema.json"
    assert schema.is_file()
