"""Revisions of the Git repository that the tenants are in: named on the command line, read from Git's objects."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tapctl.config.source import is_yaml, repository_of, run_git
from tapctl.config.words import printable
from tapctl.errors import UsageError

if TYPE_CHECKING:
    from tapctl.config.load import Loaded
    from tapctl.config.source import GitTree, Tree

DEFAULT_PATH = "tenants"


def repository() -> Path:
    """The top level of the repository that the current folder is in."""
    return repository_of(Path.cwd())


def commit_of(root: Path, revision: str) -> str | None:
    """The id of the commit that a revision names; None where it names none.

    Raises:
        UsageError: git is not installed.
    """
    if not revision or revision.startswith("-"):
        return None
    found = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    return found or None


def known_commit(root: Path, revision: str) -> str:
    """The id of the commit that a revision names.

    Raises:
        UsageError: there is no Git repository, or no such revision in it.
    """
    commit = commit_of(root, revision)
    if commit is not None:
        return commit
    if not _git(root, "rev-parse", "--git-dir"):
        raise UsageError("this is not a Git repository", fix="run inside the repository that holds the tenants")
    raise UsageError(
        f"there is no revision {printable(revision)!r} in this repository",
        fix="name a branch, a tag or a commit; in a pipeline, fetch the history that it is in (fetch-depth: 0)",
    )


def common_ancestor(root: Path, one: str, other: str) -> str:
    """The id of the commit from which two revisions went apart (`git merge-base`).

    Raises:
        UsageError: a revision is not known, or the two have nothing in common.
    """
    found = _git(root, "merge-base", known_commit(root, one), known_commit(root, other))
    if not found:
        raise UsageError(
            f"{printable(one)!r} and {printable(other)!r} have no common ancestor here",
            fix="in a pipeline, fetch the whole history (fetch-depth: 0)",
        )
    return found


def _git(root: Path, *arguments: str) -> str:
    """The output of a git command that only reads objects; empty where it fails."""
    done = run_git(root, *arguments)
    return done.stdout.decode("utf-8", "replace").strip() if done.returncode == 0 else ""


def load_at(tree: GitTree, paths: Sequence[str]) -> Loaded:
    """The tenants that a revision holds at the PATHs; none where it does not have them.

    Raises:
        UsageError: a PATH leads out of the repository, or cannot contain tenants.
    """
    from tapctl.config.load import Loaded, load

    present = [path for path in paths or (DEFAULT_PATH,) if holds_tenants(tree, path)]
    return load(present, tree=tree) if present else Loaded(tenants=(), findings=(), failed={})


def holds_tenants(tree: Tree, typed: str) -> bool:
    """Whether there is a YAML file at or below a PATH that is not set aside as a baseline."""
    absolute = Path(os.path.normpath(Path.cwd() / typed))
    if not absolute.is_relative_to(tree.root):
        raise UsageError(f"{printable(typed)} is not in the repository", fix=f"name a path below {tree.root}")
    return _holds_tenants(tree, absolute.relative_to(tree.root).as_posix())


def _holds_tenants(tree: Tree, path: str) -> bool:
    if tree.kind(path) == "file":
        return is_yaml(path)
    inner = [name for name in tree.names(path) if not name.startswith(("_", "."))]
    return any(_holds_tenants(tree, posixpath.normpath(posixpath.join(path, name))) for name in inner)
