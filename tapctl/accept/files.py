"""A tenant's own files while they are edited: what they hold, how they would load, and writing all of them or none."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tapctl.accept.marks import Path as TreePath
from tapctl.accept.marks import UneditableError, meaning
from tapctl.config.source import Kind, WorkTree, is_yaml, repository_of
from tapctl.errors import RefusedError


@dataclass(slots=True)
class OwnFiles:
    """The texts of a tenant's own file, or of the files of its folder. Baselines are not among them."""

    originals: Mapping[Path, bytes]
    texts: dict[Path, str] = field(default_factory=dict)

    @classmethod
    def of(cls, source: str) -> OwnFiles:
        """
        Args:
            source: the tenant's file or folder, as the user would type it.

        Raises:
            RefusedError: a file cannot be read.
        """
        place = Path(source)
        found = sorted(path for path in place.iterdir() if _is_own(path)) if place.is_dir() else [place]
        originals: dict[Path, bytes] = {}
        texts: dict[Path, str] = {}
        for path in found:
            try:
                originals[path] = path.read_bytes()
                texts[path] = originals[path].decode("utf-8")
            except (OSError, UnicodeDecodeError):
                raise RefusedError(f"{path} cannot be read as text", fix="check the file and its permissions") from None
        return cls(originals, texts)

    def holding(self, path: TreePath) -> Path | None:
        """The file that names the section of a path."""
        for file, text in self.texts.items():
            named = meaning(text)
            if isinstance(named, dict) and path[0] in named:
                return file
        return None

    def names(self, path: TreePath) -> bool:
        """Whether the tenant's own files name a value, which a baseline may name as well."""
        file = self.holding(path)
        at = meaning(self.texts[file]) if file is not None else None
        for step in path:
            if not isinstance(at, dict) or step not in at:
                return False
            at = at[str(step)]
        return True

    def edit(self, path: TreePath, change: Callable[[str], str]) -> Path:
        """Change the file that names the section of a path; a new section goes to the file that says `tenant`.

        Raises:
            UneditableError: the place cannot be edited alone.
        """
        file = self.holding(path) or self.holding(("tenant",)) or next(iter(self.texts), None)
        if file is None:
            raise UneditableError("the tenant has no file of its own")
        self.texts[file] = change(self.texts[file])
        return file

    @property
    def changed(self) -> dict[Path, bytes]:
        """The new contents of the files that were edited."""
        encoded = {file: text.encode("utf-8") for file, text in self.texts.items()}
        return {file: content for file, content in encoded.items() if content != self.originals[file]}


def _is_own(path: Path) -> bool:
    return is_yaml(path.name) and not path.name.startswith(("_", ".")) and path.is_file()


class EditedTree:
    """The files on disk, as they would be once the edits were written."""

    def __init__(self, source: str, edited: Mapping[Path, bytes]) -> None:
        self._tree = WorkTree(repository_of(Path(os.path.normpath(Path.cwd() / source))))
        self._edited = {os.path.normpath(Path.cwd() / file): content for file, content in edited.items()}

    @property
    def root(self) -> Path:
        return self._tree.root

    def kind(self, path: str) -> Kind | None:
        return self._tree.kind(path)

    def names(self, folder: str) -> tuple[str, ...]:
        return self._tree.names(folder)

    def read(self, path: str) -> bytes:
        """
        Raises:
            UnreadableError: it cannot be read.
        """
        edited = self._edited.get(os.path.normpath(self.root / path))
        return self._tree.read(path) if edited is None else edited


def write_all(contents: Mapping[Path, bytes], originals: Mapping[Path, bytes]) -> None:
    """Replace every file, or none: all new contents are on disk before the first takes its place.

    Raises:
        RefusedError: a file was changed meanwhile, or cannot be written.
    """
    prepared: list[tuple[Path, Path]] = []
    try:
        for file, content in contents.items():
            target = file.resolve()
            if target.read_bytes() != originals[file]:
                raise RefusedError(f"{file} was changed meanwhile; nothing was written", fix="run again")
            prepared.append((_temporary(target, content), target))
        for temporary, target in prepared:
            temporary.replace(target)
    except OSError as error:
        raise RefusedError(f"the files cannot be written: {error.strerror}", fix="check their permissions") from None
    finally:
        for temporary, _ in prepared:
            temporary.unlink(missing_ok=True)


def _temporary(target: Path, content: bytes) -> Path:
    """A file beside the target, with its permissions."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    Path(name).chmod(target.stat().st_mode & 0o777)
    return Path(name)
