"""Files on disk and in revisions, and what lies outside of both."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tapctl.config.load import load
from tapctl.config.source import GitTree, WorkTree, repository_of, to_display_path
from tapctl.errors import UsageError

from .support import Write, tenant


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@contoso.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def repository(write: Write, tmp_path: Path) -> Path:
    """Two commits: in the first the length is 8, in the second 12; the work tree says 16."""
    git(tmp_path, "init", "--quiet")
    write("tenants/_base.yaml", "temporaryAccessPass: {length: 8}\n")
    write("tenants/contoso.yaml", tenant() + "extends: [_base.yaml]\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "first")
    write("tenants/_base.yaml", "temporaryAccessPass: {length: 12}\n")
    write("tenants/fabrikam.yaml", tenant(2))
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "-m", "second")
    write("tenants/_base.yaml", "temporaryAccessPass: {length: 16}\n")
    return tmp_path


def length(tree: GitTree | None) -> int | None:
    loaded = load(["tenants/contoso.yaml"], tree=tree)
    (contoso,) = loaded.tenants
    return contoso.policy.length if contoso.policy else None


def test_a_revision_is_read_from_git_and_not_from_the_work_tree(repository: Path) -> None:
    assert length(GitTree(repository, "HEAD~1")) == 8
    assert length(GitTree(repository, "HEAD")) == 12
    assert length(None) == 16


def test_a_revision_has_the_tenants_that_it_had(repository: Path) -> None:
    assert [one.name for one in load(tree=GitTree(repository, "HEAD~1")).tenants] == ["contoso"]
    assert [one.name for one in load(tree=GitTree(repository, "HEAD")).tenants] == ["contoso", "fabrikam"]


def test_places_in_a_revision_are_named_like_files(repository: Path) -> None:
    (contoso,) = load(["tenants/contoso.yaml"], tree=GitTree(repository, "HEAD~1")).tenants

    assert str(contoso.position("temporaryAccessPass", "length")) == "tenants/_base.yaml:1:23"


@pytest.mark.parametrize("revision", ["no-such-branch", "--output=/tmp/x", "HEAD:tenants", ""])
def test_a_revision_that_is_none_is_wrong_usage(repository: Path, revision: str) -> None:
    with pytest.raises(UsageError):
        GitTree(repository, revision)


def test_a_path_that_a_revision_lacks_is_wrong_usage_and_names_the_revision(repository: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load(["tenants/fabrikam.yaml"], tree=GitTree(repository, "HEAD~1"))

    assert "HEAD~1" in caught.value.message


def test_a_folder_without_git_has_no_revisions(write: Write, tmp_path: Path) -> None:
    write("tenants/contoso.yaml", tenant())

    with pytest.raises(UsageError):
        GitTree(tmp_path, "HEAD")


def test_links_in_a_revision_are_followed_inside_of_it_only(repository: Path) -> None:
    (repository / "tenants/inside.yaml").symlink_to("fabrikam.yaml")
    (repository / "tenants/outside.yaml").symlink_to("/etc/hostname")
    git(repository, "add", ".")
    git(repository, "commit", "--quiet", "-m", "links")

    loaded = load(["tenants/inside.yaml", "tenants/outside.yaml"], tree=GitTree(repository, "HEAD"))

    assert [one.name for one in loaded.tenants] == ["inside"]
    assert [finding.rule for finding in loaded.findings] == ["unreadable-file"]


def test_a_linked_tenant_outside_of_the_repository_is_not_read(write: Write, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside.yaml"
    outside.write_text("content: of another place\n", encoding="utf-8")
    write("tenants/contoso.yaml", tenant())
    (tmp_path / "tenants/leak.yaml").symlink_to(outside)

    loaded = load()

    assert [finding.rule for finding in loaded.findings] == ["outside-repository"]
    assert "another place" not in str(loaded)


def test_a_linked_baseline_outside_of_the_repository_is_not_read(write: Write, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside.yaml"
    outside.write_text("temporaryAccessPass: {length: 8}\n", encoding="utf-8")
    write("tenants/contoso.yaml", tenant() + "extends: [_base.yaml]\n")
    (tmp_path / "tenants/_base.yaml").symlink_to(outside)

    assert [finding.rule for finding in load().findings] == ["outside-repository"]


def test_a_link_inside_of_the_repository_is_an_ordinary_file(write: Write, tmp_path: Path) -> None:
    write("shared/base.yaml", "temporaryAccessPass: {length: 8}\n")
    write("tenants/contoso.yaml", tenant() + "extends: [_base.yaml]\n")
    (tmp_path / "tenants/_base.yaml").symlink_to(tmp_path / "shared/base.yaml")

    assert load().findings == ()


def test_links_that_lead_to_each_other_are_no_file(write: Write, tmp_path: Path) -> None:
    write("tenants/contoso.yaml", tenant() + "extends: [_a.yaml]\n")
    (tmp_path / "tenants/_a.yaml").symlink_to("_b.yaml")
    (tmp_path / "tenants/_b.yaml").symlink_to("_a.yaml")

    assert [finding.rule for finding in load().findings] == ["extends-missing"]


def test_baselines_may_lie_anywhere_in_the_git_repository(write: Write, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    write("shared/base.yaml", "temporaryAccessPass: {length: 8}\n")
    path = write("deep/down/tenants/contoso.yaml", tenant() + "extends: [../../../shared/base.yaml]\n")

    assert load([str(path)]).findings == ()
    assert repository_of(path) == tmp_path


def test_a_tenant_beside_the_current_folder_keeps_its_baselines(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("here/README.md", "")
    write("there/tenants/_base.yaml", "temporaryAccessPass: {length: 8}\n")
    write("there/tenants/contoso/tenant.yaml", tenant() + "extends: [../_base.yaml]\n")
    monkeypatch.chdir(tmp_path / "here")

    assert load(["../there/tenants/contoso"]).findings == ()


def test_paths_are_shown_as_the_user_would_type_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")

    assert to_display_path(Path("tenants/../a.yaml")) == "a.yaml"
    assert to_display_path(tmp_path / "below" / "a.yaml") == "a.yaml"
    assert to_display_path(tmp_path / "a.yaml") == f"{tmp_path.as_posix()}/a.yaml"
    assert to_display_path(Path("evil\x1b[31m.yaml")) == "evil\N{REPLACEMENT CHARACTER}[31m.yaml"


@pytest.mark.parametrize("path", ["..", "../x.yaml", "/etc/hostname", "a/../../x.yaml"])
def test_a_path_that_leaves_the_tree_is_outside(tmp_path: Path, path: str) -> None:
    assert WorkTree(tmp_path).kind(path) == "outside"
