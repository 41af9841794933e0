"""Files that a command writes beside what it prints: looked at before Graph is asked, so that no result is lost."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

from tapctl.errors import RefusedError, TapctlError


def check_target(path: Path, *, is_replaced: bool = False) -> None:
    """Refuse a file that could not be written later.

    Args:
        is_replaced: the file is made anew beside its place and moved there, so that what is there does not matter.

    Raises:
        RefusedError: the file, or the folder that it would be in, cannot be written.
    """
    number = _obstacle(path, is_replaced=is_replaced)
    if number is not None:
        raise cannot_be_written(path, os.strerror(number))


def _obstacle(path: Path, *, is_replaced: bool) -> int | None:
    if path.is_dir():
        return errno.EISDIR
    if not is_replaced and path.is_symlink():
        return errno.ELOOP
    if not is_replaced and path.exists():
        return None if os.access(path, os.W_OK) else errno.EACCES
    if not path.parent.exists():
        return errno.ENOENT
    if not path.parent.is_dir():
        return errno.ENOTDIR
    return None if os.access(path.parent, os.W_OK | os.X_OK) else errno.EACCES


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read: a plan names people.

    Raises:
        RefusedError: it cannot be written.
    """
    import stat

    # A link may be part of the pull request that is planned, and lead anywhere.
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(path, flags, 0o600), "w", encoding="utf-8") as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                os.fchmod(file.fileno(), 0o600)
            file.write(text)
    except OSError as error:
        raise cannot_be_written(path, error.strerror) from None


def replace_whole(path: Path, text: str) -> None:
    """Replace a file that everybody may read as a whole: nobody ever reads half of it.

    A link stays a link, and a pipe or a device is written to, because it cannot be replaced.

    Raises:
        RefusedError: it cannot be written.
    """
    import tempfile

    try:
        path = path.resolve()
        if path.exists() and not path.is_file():
            path.write_text(text, encoding="utf-8")
            return
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise cannot_be_written(path, error.strerror) from None


def trouble(write: Callable[[], None]) -> TapctlError | None:
    """Write, and what went wrong: the result is printed all the same."""
    try:
        write()
    except TapctlError as error:
        return error
    return None


def cannot_be_written(path: Path, why: str | None) -> RefusedError:
    return RefusedError(
        f"{path} cannot be written: {why}", fix="name a file in a folder that exists and may be written"
    )
