"""Searching a whole collection for the profiles that hold a setting modelled by tapctl."""

from __future__ import annotations

from dataclasses import dataclass

from tapctl.kinds.deliveries import DeliveryForm, Summary, read_summaries
from tapctl.kinds.wire import as_malformed
from tapctl.model.live import LiveProfile
from tapctl.model.requests import Problem, Reading


@dataclass(frozen=True, slots=True)
class Listed:
    """One element of a collection that could be a web sign-in profile."""

    form: DeliveryForm
    summary: Summary


@dataclass(frozen=True, slots=True)
class Undecodable:
    """A profile with a web sign-in setting in a shape that Graph does not document."""

    id: str
    name: str
    """Untrusted text."""
    reason: str


def list_profiles(form: DeliveryForm) -> Reading[list[Listed] | Problem]:
    """Every object in a collection that can be of this delivery."""
    seen = yield from read_summaries(form)
    return seen if isinstance(seen, Problem) else [Listed(form, summary) for summary in seen]


def read_modelled(listed: Listed) -> Reading[LiveProfile | Undecodable | None | Problem]:
    """The whole profile; None when it holds nothing that tapctl models, a problem only when a read failed."""
    summary = listed.summary
    seen, has_failed = yield from _watched(
        listed.form.read_if_modelled(summary, f"reading profile {summary.id}"),
    )
    if isinstance(seen, Problem):
        return as_malformed(seen) if has_failed else Undecodable(summary.id, summary.name, seen.message)
    if seen is None or seen.settings:
        return seen
    # A policy without a readable modelled setting may still hold one that cannot be read.
    return Undecodable(seen.id, seen.name, "; ".join(seen.unreadable.values())) if seen.unreadable else None


def _watched(reading: Reading[LiveProfile | None | Problem]) -> Reading[tuple[LiveProfile | None | Problem, bool]]:
    """The result of a reading, and whether one of its reads failed; if none did, a problem comes from decoding."""
    has_failed = False
    try:
        wanted = next(reading)
        while True:
            outcomes = yield wanted
            has_failed = has_failed or any(isinstance(outcome, Problem) for outcome in outcomes)
            wanted = reading.send(outcomes)
    except StopIteration as finished:
        return finished.value, has_failed
