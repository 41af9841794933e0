"""Judging a live object right before a write and after it, field by field, those that nobody wrote included."""

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
    """How an object stands.

    Args:
        before: every field as planned from, by its path or a name that people understand.
        after: every field as it is to become.
        seen: every field as it is.
        what: the object, for a sentence.
    """
    if seen == before:
        return Observation(ObjectState.BEFORE, object_id)
    names = sorted({*before, *after, *seen})
    written = {name for name in names if before.get(name) != after.get(name)}
    differing = tuple(name for name in names if seen.get(name) != after.get(name))
    if written.isdisjoint(differing):
        return Observation(ObjectState.AFTER, object_id, unasked=differing)
    return Observation(ObjectState.FOREIGN, object_id, f"{what} is not as it was when the plan was made")
