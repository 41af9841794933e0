"""What a first repository consists of, and that writing it destroys nothing."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import pytest

import tapctl
from tapctl.config.schema import editor_schema
from tapctl.errors import ExitCode, RefusedError
from tapctl.scaffold.write import CI, EVERY_CI, REPOSITORY, repository, write

from .pipelines import WORKFLOWS, make_repository, text


def written(directory: Path) -> dict[str, str]:
    return {
        path.relative_to(directory).as_posix(): path.read_text(encoding="utf-8")
        for path in directory.rglob("*")
        if path.is_file()
    }


def test_a_repository_without_pipelines_holds_a_tenant_a_baseline_the_schema_and_editor_settings() -> None:
    assert list(repository(())) == [
        ".editorconfig",
        ".gitignore",
        ".vscode/extensions.json",
        ".vscode/settings.json",
        "README.md",
        "schemas/tenant.schema.json",
        "tenants/_baselines/secure.yaml",
        "tenants/contoso.yaml",
    ]


def test_pipelines_for_github_come_with_what_they_run() -> None:
    added = repository(("github",)).keys() - repository(()).keys()

    assert added == {
        *WORKFLOWS,
        ".github/dependabot.yml",
        "ci/github.md",
        "ci/list_tenants.py",
        "requirements-tapctl.txt",
    }


def test_a_repository_may_have_the_pipelines_of_several_systems() -> None:
    together = repository(("github", "gitlab", "azure")).keys()

    assert together == repository(("github",)).keys() | repository(("gitlab",)).keys() | repository(("azure",)).keys()


def test_no_two_templates_write_the_same_file() -> None:
    targets = [template.target for group in (REPOSITORY, EVERY_CI, *CI.values()) for template in group]

    assert len(targets) == len(set(targets))


def test_every_template_in_the_package_is_written_by_some_choice_of_options() -> None:
    templates = Path(str(files("tapctl.scaffold") / "templates"))
    present = {
        path.relative_to(templates).as_posix()
        for path in templates.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert present == {template.source for group in (REPOSITORY, EVERY_CI, *CI.values()) for template in group}


def test_pipelines_install_exactly_the_version_that_wrote_them() -> None:
    requirements = [line for line in text("requirements-tapctl.txt").splitlines() if not line.startswith("#")]

    assert requirements == [f"tapctl=={tapctl.__version__}"]


def test_the_schema_is_a_copy_of_the_one_that_tapctl_itself_uses() -> None:
    assert json.loads(repository(())["schemas/tenant.schema.json"]) == editor_schema()


def test_the_editor_settings_name_a_schema_that_is_there() -> None:
    contents = repository(())
    (schema,) = json.loads(contents[".vscode/settings.json"])["yaml.schemas"]

    assert schema.removeprefix("./") in contents


@pytest.mark.parametrize("path", ["tenants/contoso.yaml", "tenants/_baselines/secure.yaml"])
def test_the_first_line_of_a_tenant_file_points_editors_to_the_schema(path: str, tmp_path: Path) -> None:
    make_repository(tmp_path)
    first = text(path).splitlines()[0]
    schema = (tmp_path / path).parent / first.removeprefix("# yaml-language-server: $schema=")

    assert schema.resolve() == tmp_path / "schemas" / "tenant.schema.json"


def test_the_sandbox_and_the_journals_stay_out_of_git() -> None:
    assert ".tapctl/" in text(".gitignore").splitlines()


def test_a_missing_folder_is_made(tmp_path: Path) -> None:
    directory = tmp_path / "new" / "repository"

    write(directory, repository(()), force=False)

    assert written(directory) == repository(())


def test_files_in_the_way_are_all_listed_and_nothing_at_all_is_written(tmp_path: Path) -> None:
    (tmp_path / "tenants").mkdir()
    (tmp_path / "tenants" / "contoso.yaml").write_text("mine\n", encoding="utf-8")
    (tmp_path / "README.md").write_text("mine too\n", encoding="utf-8")
    before = written(tmp_path)

    with pytest.raises(RefusedError) as refusal:
        write(tmp_path, repository(()), force=False)

    assert refusal.value.exit_code == ExitCode.REFUSED
    assert "2 files" in refusal.value.message
    assert "README.md, tenants/contoso.yaml" in refusal.value.message
    assert "--force" in refusal.value.fix
    assert written(tmp_path) == before


def test_other_files_are_not_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine\n", encoding="utf-8")

    write(tmp_path, repository(()), force=False)

    assert written(tmp_path) == {**repository(()), "notes.txt": "mine\n"}


def test_force_overwrites_its_own_files_and_leaves_the_others(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("old\n", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("mine\n", encoding="utf-8")

    write(tmp_path, repository(()), force=True)

    assert written(tmp_path) == {**repository(()), "notes.txt": "mine\n"}


def test_a_dangling_link_counts_as_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "README.md").symlink_to(tmp_path / "nowhere")

    with pytest.raises(RefusedError, match=r"README\.md"):
        write(tmp_path, repository(()), force=False)

    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("force", [False, True])
def test_nothing_is_written_through_a_link_that_leads_elsewhere(force: bool, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    directory = tmp_path / "repository"
    directory.mkdir()
    (directory / "tenants").symlink_to(elsewhere)

    with pytest.raises(RefusedError, match="links lead out"):
        write(directory, repository(()), force=force)

    assert list(elsewhere.iterdir()) == []
    assert [path.name for path in directory.iterdir()] == ["tenants"]


def test_a_file_where_the_folder_should_be_is_said_in_words(tmp_path: Path) -> None:
    in_the_way = tmp_path / "repository"
    in_the_way.write_text("", encoding="utf-8")

    with pytest.raises(RefusedError, match="cannot write"):
        write(in_the_way, repository(()), force=False)
