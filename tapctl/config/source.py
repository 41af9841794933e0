"""Where files come from: a folder on disk, or a revision of a Git repository. Nothing outside is ever read."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Literal, Protocol

from tapctl.config.words import printable
from tapctl.config.yaml_tree import MOST_BYTES
from tapctl.errors import UsageError

if TYPE_CHECKING:
    import subprocess

Kind = Literal["file", "folder", "outside"]
"""`outside`: a link, or a path with `..`, that leaves the repository."""


class UnreadableError(Exception):
    """A file is there but cannot be read; the message says why."""


class Tree(Protocol):
    """Files of one repository. Paths are relative to `root`, with slashes; the root itself is `.`."""

    @property
    def root(self) -> Path:
        """The folder on disk that the paths are relative to."""

    def kind(self, path: str) -> Kind | None:
        """What is at a path, links followed; None where nothing is."""

    def names(self, folder: str) -> tuple[str, ...]:
        """The names in a folder, sorted; none where there is no folder."""

    def read(self, path: str) -> bytes:
        """The content of a file; of a file that is too large, enough to see that it is.

        Raises:
            UnreadableError: it cannot be read.
        """


def to_display_path(path: Path) -> str:
    """A path as the user would type it: relative to the current folder when below it, else absolute."""
    current = Path.cwd()
    absolute = Path(os.path.normpath(current / path))
    shown = absolute.relative_to(current) if absolute.is_relative_to(current) else absolute
    return printable(shown.as_posix())


def repository_of(path: Path) -> Path:
    """The Git top level that contains an absolute path; else the current folder when the path is below it.

    A path that is neither is a repository of its own: nothing but its folder (that of all tenants, where there is one)
    can be read from it.
    """
    for folder in path.parents if not path.is_dir() else (path, *path.parents):
        if (folder / ".git").exists():
            return folder
    current = Path.cwd()
    if path.is_relative_to(current):
        return current
    own = path if path.is_dir() else path.parent
    return next((folder for folder in (own, *own.parents) if folder.name == "tenants"), own)


class WorkTree:
    """The files on disk below a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._real = root.resolve()

    @property
    def root(self) -> Path:
        return self._root

    def kind(self, path: str) -> Kind | None:
        if escapes(path):
            return "outside"
        try:
            real = (self._root / path).resolve()
        except (OSError, RuntimeError):  # links that lead to themselves; RuntimeError until Python 3.13
            return None
        if not real.is_relative_to(self._real):
            return "outside"
        if real.is_file():
            return "file"
        return "folder" if real.is_dir() else None

    def names(self, folder: str) -> tuple[str, ...]:
        if self.kind(folder) != "folder":
            return ()
        try:
            return tuple(sorted(entry.name for entry in (self._root / folder).iterdir()))
        except OSError:
            return ()

    def read(self, path: str) -> bytes:
        try:
            with (self._root / path).open("rb") as file:
                return file.read(MOST_BYTES + 1)
        except OSError as error:
            raise UnreadableError(error.strerror or "it cannot be opened") from None


def run_git(root: Path, *arguments: str, standard_input: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    """Run git to read: a repository's own configuration starts nothing, and nothing is fetched.

    Raises:
        UsageError: git is not installed.
    """
    import subprocess  # costs start-up time, and only `diff` and `drift --base` need it

    command = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=", "-C", str(root), *arguments]
    environment = os.environ | {"GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
    try:
        return subprocess.run(command, input=standard_input, capture_output=True, check=False, env=environment)  # noqa: S603 no shell; revisions come after --end-of-options
    except FileNotFoundError:
        raise UsageError("git is not installed", fix="install git, or compare the files otherwise") from None


class GitTree:
    """The files of one revision, read from Git's objects: the work tree is neither read nor touched."""

    def __init__(self, root: Path, revision: str) -> None:
        """
        Raises:
            UsageError: there is no Git repository, or no such revision in it.
        """
        self._root = root
        self.revision = revision
        commit = self._git("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}").strip()
        if not commit:
            raise UsageError(
                f"there is no revision {printable(revision)!r} in this repository",
                fix="name a branch, a tag or a commit; in a pipeline, fetch the history that it is in (fetch-depth: 0)",
            )
        self._commit = commit.decode("ascii", "replace")
        self._files, self._folders = self._listing()
        self._contents: dict[str, bytes] | None = None

    @property
    def root(self) -> Path:
        return self._root

    def kind(self, path: str) -> Kind | None:
        if escapes(path):
            return "outside"
        clean = posixpath.normpath(path)
        if clean in self._folders:
            return "folder"
        return "file" if clean in self._files else None

    def names(self, folder: str) -> tuple[str, ...]:
        return tuple(sorted(self._folders.get(posixpath.normpath(folder), ())))

    def read(self, path: str) -> bytes:
        if self._contents is None:
            self._contents = self._read_all()
        content = self._contents.get(posixpath.normpath(path))
        if content is None:
            raise UnreadableError("it is too large, or a link that leaves the repository")
        return content

    def _listing(self) -> tuple[set[str], dict[str, set[str]]]:
        """The YAML files of the revision, and the names in each folder that leads to one."""
        files: set[str] = set()
        folders: dict[str, set[str]] = {".": set()}
        for record in self._git("ls-tree", "-r", "-z", "--long", "--full-tree", self._commit).split(b"\0"):
            about, _, name = record.partition(b"\t")
            path = name.decode("utf-8", "replace")
            size = about.split()[-1] if about else b"-"
            if not is_yaml(path) or "\n" in path or not size.isdigit() or int(size) > MOST_BYTES:
                continue
            files.add(path)
            parts = PurePosixPath(path).parts
            for depth, part in enumerate(parts):
                folders.setdefault("/".join(parts[:depth]) or ".", set()).add(part)
        return files, folders

    def _read_all(self) -> dict[str, bytes]:
        """Every YAML file by one process, however many there are."""
        paths = sorted(self._files)
        request = "".join(f"{self._commit}:{path}\n" for path in paths).encode("utf-8")
        answer = self._git("cat-file", "--batch", "--follow-symlinks", standard_input=request)
        contents: dict[str, bytes] = {}
        at = 0
        for path in paths:
            end = answer.index(b"\n", at)
            header = answer[at:end].split(b" ")
            at = end + 1
            if header[-1] in (b"missing", b"ambiguous"):
                continue
            size = int(header[-1])
            if header[-2] == b"blob":
                contents[path] = answer[at : at + size]
            at += size + 1
        return contents

    def _git(self, *arguments: str, standard_input: bytes = b"") -> bytes:
        done = run_git(self._root, *arguments, standard_input=standard_input)
        if done.returncode and arguments[0] != "rev-parse":
            raise UsageError("git could not read the revision", fix="run git fsck, or fetch the missing history")
        if done.returncode and b"not a git repository" in done.stderr:
            raise UsageError("this is not a Git repository", fix="run inside the repository that holds the tenants")
        return done.stdout


def escapes(path: str) -> bool:
    """Whether a path, taken at its word, leaves the folder that it is relative to."""
    return path.startswith("/") or posixpath.normpath(path).split("/")[0] == ".."


def is_baseline(path: str) -> bool:
    """Whether a file is set aside from the tenants by `_`: its own name, or that of a folder it is in."""
    return any(part.startswith("_") for part in path.split("/"))


def is_yaml(name: str) -> bool:
    return name.endswith((".yaml", ".yml"))
