"""A file that looks like a tenant's and is read for none is never passed over in silence."""

from __future__ import annotations

import pytest

from tapctl.config.load import load

from .support import Write, tenant

LENGTH = "temporaryAccessPass: {length: 12}\n"


def ignored(*paths: str, names: tuple[str, ...] = ()) -> list[str]:
    loaded = load(paths, names=names)
    assert {finding.rule for finding in loaded.ignored} <= {"ignored-file"}
    assert all(finding.severity == "warning" and finding.why and finding.fix for finding in loaded.ignored)
    assert set(loaded.ignored) <= set(loaded.findings)
    return [finding.position.file for finding in loaded.ignored if finding.position]


@pytest.mark.parametrize(
    "name",
    [
        "tenants/c/sub/b.yaml",
        "tenants/c/sub/deep/b.yml",
        "tenants/UP.YAML",
        "tenants/c/UP.Yml",
        "tenants/eu/west/x.yaml",
    ],
)
def test_a_file_that_nobody_reads_is_a_warning(write: Write, name: str) -> None:
    write("tenants/c/a.yaml", tenant())
    write(name, LENGTH)

    assert ignored() == [name]
    assert [one.name for one in load().tenants] == ["c"]


@pytest.mark.parametrize(
    "name",
    [
        "tenants/README.md",
        "tenants/c/notes.txt",
        "tenants/c/b.yaml.bak",
        "tenants/c/.hidden.yaml",
        "tenants/c/.idea/x.yaml",
        "tenants/c/_parts/x.yaml",
        "tenants/c/sub/_x.yaml",
        "tenants/_baselines/deep/x.YAML",
        "tenants/_x.YML",
        "other/x.YAML",
    ],
)
def test_what_is_set_aside_or_no_yaml_is_no_warning(write: Write, name: str) -> None:
    write("tenants/c/a.yaml", tenant())
    write(name, LENGTH)

    assert ignored() == []
    assert ignored("tenants/c") == []


def test_a_file_that_a_tenant_extends_is_read(write: Write) -> None:
    write("tenants/c/a.yaml", tenant() + "extends: [shared/base.yaml]\n")
    write("tenants/c/shared/base.yaml", LENGTH)

    assert ignored() == []


def test_only_the_chosen_tenants_are_searched(write: Write) -> None:
    for number, name in enumerate("cd"):
        write(f"tenants/{name}/a.yaml", tenant(number))
        write(f"tenants/{name}/sub/b.yaml", LENGTH)
    write("tenants/UP.YAML", LENGTH)

    assert ignored(names=("c",)) == ["tenants/c/sub/b.yaml"]
    assert ignored("tenants/d") == ["tenants/d/sub/b.yaml"]
    assert ignored("tenants/d/a.yaml") == []
