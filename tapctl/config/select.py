"""From the PATHs of a command line to the tenants that they mean."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from tapctl.config.source import GitTree, Tree, WorkTree, is_yaml, repository_of, to_display_path
from tapctl.config.words import choice, printable
from tapctl.errors import UsageError

DEFAULT_PATH = "tenants"
DEEPEST = 4
"""Levels below a PATH that are searched for files that nothing reads."""

HasTenant = Callable[[Tree, str], bool]
"""Whether a file has a top-level `tenant`."""


class TenantSource(NamedTuple):
    """One tenant that was selected, not yet read."""

    name: str
    tree: Tree
    files: tuple[str, ...]
    """One file, or those of the tenant's folder."""
    display: str
    """The file or folder, as the user would type it."""


def select(paths: Sequence[str], tree: Tree | None, has_tenant: HasTenant) -> list[TenantSource]:
    """The tenants that the PATHs mean, each once.

    Raises:
        UsageError: a PATH does not exist or is a baseline, or there is no tenant in any of them.
    """
    found: dict[tuple[Path, tuple[str, ...]], TenantSource] = {}
    for typed in paths or (DEFAULT_PATH,):
        for source in _tenants_at(typed, tree, has_tenant, is_default=not paths):
            found.setdefault((source.tree.root, source.files), source)
    if not found:
        shown = ", ".join(printable(path) for path in paths) or f"{DEFAULT_PATH}/"
        raise UsageError(f"there is no tenant in {shown}", fix="name a tenant file or folder, or make one: tapctl init")
    return list(found.values())


def _tenants_at(typed: str, tree: Tree | None, has_tenant: HasTenant, *, is_default: bool) -> list[TenantSource]:
    tree, path = _located(typed, tree)
    kind = tree.kind(path)
    name = posixpath.basename(path)
    if kind == "outside":
        raise UsageError(
            f"{printable(typed)} is a link that leaves the repository", fix="name the file that it leads to"
        )
    if kind is None:
        raise _missing(typed, tree, path, is_default=is_default)
    if name.startswith("_") or _is_set_aside(path):
        raise UsageError(f"{printable(typed)} is a baseline, not a tenant", fix="name a tenant that extends it")
    if kind == "file":
        if not is_yaml(path):
            raise UsageError(
                f"{printable(typed)} is no tenant: its name does not end in .yaml or .yml",
                fix="name a tenant file or folder",
            )
        return [_single(tree, path)]
    files = _files(tree, path)
    return [_folder(tree, path, files)] if _is_tenant(tree, path, files, has_tenant) else _expand(tree, path, files)


def _is_set_aside(path: str) -> bool:
    """Whether something between the folder of the tenants and this is no tenant: so is nothing in it."""
    parts = path.split("/")
    below = parts[parts.index(DEFAULT_PATH) + 1 :] if DEFAULT_PATH in parts else []
    return any(part.startswith("_") for part in below)


def _located(typed: str, tree: Tree | None) -> tuple[Tree, str]:
    """The tree that holds a PATH, and the path in it."""
    absolute = Path(os.path.normpath(Path.cwd() / typed))
    if tree is None:
        tree = WorkTree(repository_of(absolute))
    if not absolute.is_relative_to(tree.root):
        raise UsageError(f"{printable(typed)} is not in the repository", fix=f"name a path below {tree.root}")
    return tree, absolute.relative_to(tree.root).as_posix()


def _missing(typed: str, tree: Tree, path: str, *, is_default: bool) -> UsageError:
    if is_default:
        fix = "name a tenant file or folder, or make a first one: tapctl init"
        return UsageError(f"there is no folder {DEFAULT_PATH}/ here", fix=fix)
    folder, name = posixpath.split(path)
    where = f" in revision {tree.revision}" if isinstance(tree, GitTree) else ""
    names = [other for other in tree.names(folder or ".") if not other.startswith(".")]
    return UsageError(f"there is no file or folder {printable(typed)}{where}", fix=choice(name, names, "beside it are"))


def _files(tree: Tree, folder: str) -> list[str]:
    """The YAML files directly in a folder that are not set aside by `_` or `.`."""
    names = [name for name in tree.names(folder) if is_yaml(name) and not name.startswith(("_", "."))]
    return [
        path for path in (posixpath.normpath(posixpath.join(folder, name)) for name in names) if _is_file(tree, path)
    ]


def _is_file(tree: Tree, path: str) -> bool:
    return tree.kind(path) in ("file", "outside")  # a link that leaves the repository is reported when it is read


def _is_tenant(tree: Tree, folder: str, files: Sequence[str], has_tenant: HasTenant) -> bool:
    """Whether a folder is one tenant rather than a folder of tenants."""
    full = tree.root / folder
    if full.name == DEFAULT_PATH or not files:
        return False
    if full.parent.name == DEFAULT_PATH:
        return True
    if len(files) == 1:
        return posixpath.splitext(posixpath.basename(files[0]))[0] == "tenant"
    return sum(has_tenant(tree, file) for file in files) == 1


def _expand(tree: Tree, folder: str, files: Sequence[str]) -> list[TenantSource]:
    """A folder of tenants: each file is one, and so is each folder directly in it that has files."""
    found = [_single(tree, file) for file in files]
    for name in tree.names(folder):
        path = posixpath.normpath(posixpath.join(folder, name))
        if name.startswith(("_", ".")) or tree.kind(path) != "folder":
            continue
        inner = _files(tree, path)
        if name == DEFAULT_PATH:
            found.extend(_expand(tree, path, inner))
        elif inner:
            found.append(_folder(tree, path, inner))
    return found


def _single(tree: Tree, path: str) -> TenantSource:
    stem = posixpath.splitext(posixpath.basename(path))[0]
    return TenantSource(printable(stem), tree, (path,), to_display_path(tree.root / path))


def _folder(tree: Tree, path: str, files: Sequence[str]) -> TenantSource:
    full = tree.root / path
    return TenantSource(printable(full.name), tree, tuple(files), to_display_path(full))


class Ignored(NamedTuple):
    """A file that looks like a part of some tenant and is read for none."""

    tree: Tree
    path: str
    folder: str
    """The folder of the tenant that it is in; empty where it is in none."""

    @property
    def is_misnamed(self) -> bool:
        return not is_yaml(self.path)


def ignored(paths: Sequence[str], sources: Sequence[TenantSource]) -> list[Ignored]:
    """The files in the folders that the PATHs name which are neither a tenant's nor set aside by `_` or `.`."""
    taken = {(source.tree.root, file) for source in sources for file in source.files}
    folders = {source.display for source in sources}
    found: dict[tuple[Path, str], Ignored] = {}
    for typed in paths or (DEFAULT_PATH,):
        tree, top = _located(typed, None)
        for path in _yaml_below(tree, top, DEEPEST) if tree.kind(top) == "folder" else ():
            if (tree.root, path) in taken or tree.kind(path) != "file":
                continue
            above = [to_display_path(tree.root / parent) for parent in PurePosixPath(path).parents]
            owner = next((folder for folder in above if folder in folders), "")
            is_near = posixpath.dirname(path) in (top, "" if top == "." else top) or DEFAULT_PATH in path.split("/")
            if owner or is_near:
                found.setdefault((tree.root, path), Ignored(tree, path, owner))
    return list(found.values())


def _yaml_below(tree: Tree, folder: str, deepest: int) -> Iterator[str]:
    for name in tree.names(folder):
        path = posixpath.normpath(posixpath.join(folder, name))
        if name.startswith(("_", ".")):
            continue
        if is_yaml(name.lower()):
            yield path
        elif deepest and tree.kind(path) == "folder":
            yield from _yaml_below(tree, path, deepest - 1)
