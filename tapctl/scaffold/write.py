"""Writes a first tenants repository from the templates: all of its files or, where that would overwrite one, none."""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Literal

from tapctl import __version__
from tapctl.config.schema import FILE, schema_folder
from tapctl.errors import RefusedError
from tapctl.model.words import count_noun

ContinuousIntegration = Literal["github", "gitlab", "azure"]


@dataclass(frozen=True, slots=True)
class Template:
    """One file of the repository: where its text lies below `templates/`, and what it is called once written."""

    source: str
    target: str


REPOSITORY = (
    Template("repository/README.md", "README.md"),
    Template("repository/contoso.yaml", "tenants/contoso.yaml"),
    Template("repository/secure.yaml", "tenants/_baselines/secure.yaml"),
    # Without the dots that would make Git, editors and packagers take the templates for their own settings.
    Template("repository/gitignore", ".gitignore"),
    Template("repository/editorconfig", ".editorconfig"),
    Template("repository/vscode-settings.json", ".vscode/settings.json"),
    Template("repository/vscode-extensions.json", ".vscode/extensions.json"),
)

EVERY_CI = (
    Template("ci/requirements-tapctl.txt", "requirements-tapctl.txt"),
    Template("ci/list_tenants.py", "ci/list_tenants.py"),
)

CI: dict[ContinuousIntegration, tuple[Template, ...]] = {
    "github": (
        Template("github/github.md", "ci/github.md"),
        Template("github/dependabot.yml", ".github/dependabot.yml"),
        Template("github/tapctl-pull-request.yaml", ".github/workflows/tapctl-pull-request.yaml"),
        Template("github/tapctl-apply.yaml", ".github/workflows/tapctl-apply.yaml"),
        Template("github/tapctl-drift.yaml", ".github/workflows/tapctl-drift.yaml"),
    ),
    "gitlab": (
        Template("gitlab/gitlab.md", "ci/gitlab.md"),
        Template("gitlab/gitlab-ci.yml", ".gitlab-ci.yml"),
        Template("gitlab/gitlab-apply.yml", "ci/gitlab-apply.yml"),
        Template("gitlab/gitlab_apply_jobs.py", "ci/gitlab_apply_jobs.py"),
    ),
    "azure": (
        Template("azure/azure.md", "ci/azure.md"),
        Template("azure/azure-pipelines.yml", "azure-pipelines.yml"),
    ),
}

SCHEMA = f"schemas/{FILE}"
"""A copy of tapctl's own, so that editors complete without network and as of the version in use."""


def repository(systems: tuple[ContinuousIntegration, ...]) -> dict[str, str]:
    """The files of a first repository: their text by path, relative to it, sorted by path."""
    templates = list(REPOSITORY)
    if systems:
        templates.extend(EVERY_CI)
    for system in systems:
        templates.extend(CI[system])
    contents = {template.target: _text(template.source) for template in templates}
    contents[SCHEMA] = (schema_folder() / FILE).read_text(encoding="utf-8")
    return dict(sorted(contents.items()))


def write(directory: Path, contents: dict[str, str], *, force: bool) -> None:
    """Write `contents` below `directory`, which is made where it is missing.

    Raises:
        RefusedError: a file is there already and `force` is not given (nothing was written), a path leads out of
            `directory` through a link (nothing was written), or the file system refuses.
    """
    try:
        present = [path for path in contents if os.path.lexists(directory / path)]
        if present and not force:
            raise RefusedError(
                f"{count_noun(len(present), 'file')} in {directory} would be overwritten, so nothing was written: "
                f"{', '.join(present)}",
                fix="choose another folder, or overwrite them with --force",
            )
        _refuse_links(directory, contents)
        for path, text in contents.items():
            target = directory / path
            target.parent.mkdir(parents=True, exist_ok=True)
            # Without --force exclusively: a file that came into being since the look above stays as it is.
            with target.open("w" if force else "x", encoding="utf-8", newline="\n") as file:
                file.write(text)
    except OSError as error:
        raise RefusedError(
            f"cannot write {error.filename or directory}: {error.strerror}",
            fix="choose a folder in which you may write",
        ) from error


def _text(source: str) -> str:
    text = (files("tapctl.scaffold") / "templates" / source).read_text(encoding="utf-8")
    return text.replace("@TAPCTL_VERSION@", __version__)


def _refuse_links(directory: Path, contents: dict[str, str]) -> None:
    """A folder of somebody else may hold links: what is written must stay below the folder that was named."""
    root = directory.resolve()
    astray = [path for path in contents if not (directory / path).resolve().is_relative_to(root)]
    if astray:
        raise RefusedError(
            f"links lead out of {directory}, so nothing was written: {', '.join(astray)}",
            fix="remove the links, or choose another folder",
        )
