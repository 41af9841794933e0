"""Numbers with their nouns, singular or plural."""

from __future__ import annotations


def count_noun(count: int, noun: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
