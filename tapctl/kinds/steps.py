"""How a change is carried out: a sequence of writes, each with the read (the look) before and after it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TypeAlias

from tapctl.model.plan import Change
from tapctl.model.requests import Answer, Problem, Reading, Write
from tapctl.model.values import JSONValue


class ObjectState(Enum):
    """How the live object compares with the plan."""

    BEFORE = "as planned from"
    AFTER = "as it is to become"
    FOREIGN = "neither"


@dataclass(frozen=True, slots=True)
class Observation:
    state: ObjectState
    id: str | None = None
    """The object's id, where an object was found."""
    detail: str = ""
    """For FOREIGN: what is different."""
    may_settle: bool = False
    """For FOREIGN: what is different is what this run has just changed, and a read may show it late."""
    unasked: tuple[str, ...] = ()
    """For AFTER: the fields that were not written and do not hold what they held before."""
    recalculated: tuple[str, ...] = ()
    """For AFTER: such fields that Graph is documented to adjust itself, as text for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One write. `look` reads the object again: before the write it must be as planned from, afterwards as it is to
    become. When the answer was lost, it decides whether the write was carried out."""

    write: Write
    look: Callable[[], Reading[Observation | Problem]]
    alternative: Write | None = None
    """What to send when Graph refuses the write: it is not known which of the two forms Graph accepts."""
    before: JSONValue = None
    """The state before the write, for the journal."""


Steps: TypeAlias = Generator[Step, str | None, None]
"""Yields each write in order; is resumed with the object's id after the write was read back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyContext:
    """What steps need and what is known only during the apply."""

    ids: Mapping[str, str]
    """Group address to object id, including groups created in this run."""
    graph_root: str
    """The cloud's own Graph address with version, for `@odata.id` references."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A change together with how to carry it out."""

    change: Change
    steps: Callable[[ApplyContext], Steps]
    narrows: bool = False
    """Somebody may lose the ability through it: such changes are applied first."""
    definitions: Mapping[str, JSONValue] = field(default_factory=dict)
    """The live definitions that the change depends on; part of the approval's hash."""
    object_id: str | None = None
    """The live object's id; None for an object to create, and for a singleton."""
    traits: Mapping[str, str] = field(default_factory=dict)
    """Further facts that are needed to declare the object again: see `Kind.restore`."""


def created_id(answer: Answer) -> str | None:
    """The id, in lower case, of the object that a write created; None where the answer contains no new object."""
    if answer.status == 201 and isinstance(answer.body, dict):
        made = answer.body.get("id")
        return made.lower() if isinstance(made, str) else None
    return None
