"""How a change is carried out: writes one after another, each with the look that goes before and after it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from tapctl.model.plan import Change
from tapctl.model.requests import Answer, Problem, Reading, Write
from tapctl.model.values import JSONValue


class ObjectState(Enum):
    """What a look at the object showed."""

    BEFORE = "as planned from"
    AFTER = "as it is to become"
    FOREIGN = "neither"


@dataclass(frozen=True, slots=True)
class Observation:
    state: ObjectState
    id: str | None = None
    """The object's id, where the look found one."""
    detail: str = ""
    """For FOREIGN: what is different."""
    unasked: tuple[str, ...] = ()
    """For AFTER: the fields that were not written and do not hold what they held before."""
    recalculated: tuple[str, ...] = ()
    """For AFTER: the same, where Graph is documented to adjust a field to another one; in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One write. `look` reads the object again: it must stand as planned from before the write is sent, and as it is
    to become afterwards; when the answer was lost it decides whether the write was carried out."""

    write: Write
    look: Callable[[], Reading[Observation | Problem]]
    alternative: Write | None = None
    """What to send where Graph refuses the write, and it is unknown which of the two it takes."""
    before: JSONValue = None
    """What the journal keeps of the state before."""
    looks_around: bool = False
    """The look also reads other objects. Those that this run has just changed may be shown as they were for a while."""


Steps: TypeAlias = Generator[Step, str | None, None]
"""Yields each write in order and is resumed with the object's id once it was seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyContext:
    """What steps need to know that is settled only while applying."""

    ids: Mapping[str, str]
    """Group address to object id, those included that were made in this run."""
    graph_root: str
    """The cloud's own Graph address with version, for `@odata.id` references."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A change together with how to carry it out."""

    change: Change
    steps: Callable[[ApplyContext], Steps]
    narrows: bool = False
    """Somebody may lose the ability through it: such changes go first."""
    definitions: Mapping[str, JSONValue] = field(default_factory=dict)
    """The live definitions that the change leans on; part of the approval's hash."""
    object_id: str | None = None
    """The live object's id; None for what is to be created, and for a singleton."""
    traits: Mapping[str, str] = field(default_factory=dict)
    """What else has to be known of the object to declare it again: see `Kind.restore`."""


def created_id(answer: Answer) -> str | None:
    """The id, lower case, of the object that a write has made; None where the answer tells of no new object."""
    if answer.status == 201 and isinstance(answer.body, dict):
        made = answer.body.get("id")
        return made.lower() if isinstance(made, str) else None
    return None
