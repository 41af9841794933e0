"""What an import says of a tenant: the tree of the file, and what the file cannot say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from tapctl.model.values import JSONValue

Tree: TypeAlias = "dict[str, JSONValue]"
Place: TypeAlias = tuple[str, ...]
"""Keys from the top of the file: ("groups", "tap-users", "description")."""

CanSay: TypeAlias = Callable[[Place, JSONValue], bool]
"""Whether a file may hold this value at this place, and reads back as the same value."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that a reader of the file should know: a comment above the place, and usually a warning."""

    place: Place
    text: str
    """A sentence about the place, without a full stop; names in it are those that a file can say."""
    is_warning: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    document: Tree
    notes: tuple[Note, ...] = ()


@dataclass(slots=True)
class Writer:
    """Puts values that a file can say into a tree, and notes those that it cannot."""

    can_say: CanSay
    notes: list[Note] = field(default_factory=list)

    def warn(self, place: Place, text: str) -> None:
        self.notes.append(Note(place, text))

    def remark(self, place: Place, text: str) -> None:
        self.notes.append(Note(place, text, is_warning=False))

    def put(self, tree: Tree, place: Place, value: JSONValue, at: Place) -> bool:
        """Put a value into the tree of the object at `at`, or warn that it is not managed; whether it was put."""
        if self.can_say(place, value):
            tree[place[-1]] = value
            return True
        name = ".".join(place[len(at) :])
        self.warn(at, f"`{name}` has a live value that a file cannot say: it is left out and not managed")
        return False

    def named(self, place: Place, name: str, object_id: str) -> str:
        """How a message names an object: by display name where a file can say it, and by id."""
        return f"{name!r} ({object_id})" if self.can_say(place, name) else object_id
