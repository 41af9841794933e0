"""Comparing a live object right before and after a write, field by field, including fields that were not written."""

from __future__ import annotations

from collections.abc import Mapping

from tapctl.kinds.steps import ObjectState, Observation


def judge(
    before: Mapping[str, object],
    after: Mapping[str, object],
    seen: Mapping[str, object],
    object_id: str | None,
    what: str,
) -> Observation:
    """Whether an object is as planned from, as wanted, or neither.

    Args:
        before: every field as in the plan's live state, by its path or by a name for people.
        after: every field as it should be after the write.
        seen: every field as just read.
        what: the object, for the message.
    """
    if seen == before:
        return Observation(ObjectState.BEFORE, object_id)
    names = sorted({*before, *after, *seen})
    written = {name for name in names if before.get(name) != after.get(name)}
    differing = tuple(name for name in names if seen.get(name) != after.get(name))
    if written.isdisjoint(differing):
        return Observation(ObjectState.AFTER, object_id, unasked=differing)
    return Observation(ObjectState.FOREIGN, object_id, f"{what} has changed since the plan was made")
