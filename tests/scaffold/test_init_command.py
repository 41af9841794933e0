"""The command line of `tapctl init`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tapctl.cli.init import init
from tapctl.errors import RefusedError
from tapctl.scaffold.write import repository


def run(*arguments: str) -> str:
    result = CliRunner().invoke(init, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    return result.output


def test_it_says_what_it_wrote_and_the_next_three_commands(tmp_path: Path) -> None:
    directory = tmp_path / "repo"

    assert run(str(directory)) == (
        f"Wrote 8 files in {directory}:\n"
        "\n"
        "  .editorconfig\n"
        "  .gitignore\n"
        "  .vscode/extensions.json\n"
        "  .vscode/settings.json\n"
        "  README.md\n"
        "  schemas/tenant.schema.json\n"
        "  tenants/_baselines/secure.yaml\n"
        "  tenants/contoso.yaml\n"
        "\n"
        f"Next in {directory}:\n"
        "\n"
        "  tapctl validate\n"
        "  tapctl plan\n"
        "  tapctl apply\n"
    )


def test_without_a_folder_it_writes_into_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    output = run()

    assert output.startswith("Wrote 8 files:\n")
    assert (tmp_path / "tenants" / "contoso.yaml").is_file()


def test_json_says_the_same(tmp_path: Path) -> None:
    document = json.loads(run(str(tmp_path), "--ci", "azure", "--format", "json"))

    assert document == {
        "directory": str(tmp_path),
        "written": list(repository(("azure",))),
        "next": ["tapctl validate", "tapctl plan", "tapctl apply"],
    }


def test_pipelines_may_be_asked_for_twice_without_harm(tmp_path: Path) -> None:
    document = json.loads(run(str(tmp_path), "--ci", "gitlab", "--ci", "github", "--ci", "gitlab", "--format", "json"))

    assert document["written"] == list(repository(("gitlab", "github")))


def test_a_second_run_is_refused_and_with_force_is_not(tmp_path: Path) -> None:
    run(str(tmp_path))

    with pytest.raises(RefusedError):
        run(str(tmp_path))

    assert "Wrote 8 files" in run(str(tmp_path), "--force")


def test_an_unknown_system_is_wrong_usage(tmp_path: Path) -> None:
    result = CliRunner().invoke(init, [str(tmp_path), "--ci", "jenkins"])

    assert "github" in result.output
    assert list(tmp_path.iterdir()) == []
