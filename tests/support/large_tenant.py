"""A tenant in which much has grown that tapctl does not know."""

from __future__ import annotations

from tapctl.sandbox.seed import Seeder, choice, group_target
from tapctl.sandbox.wire import JSONObject


def seed_large(state: JSONObject, *, policies: int = 200, people: int = 300, depth: int = 3) -> None:
    """Grow a state for tests: policies with unknown settings and targets of deleted groups, people in nested groups."""
    seeder = Seeder(state)
    crowd = [seeder.user(f"user{number:04}", f"User {number:04}", department="Crowd") for number in range(people)]
    inner = seeder.group("SG-Crowd-0", crowd)
    for level in range(1, depth + 1):
        inner = seeder.group(f"SG-Crowd-{level}", [inner, crowd[level % len(crowd)]] if crowd else [inner])
    deleted = seeder.id("group:deleted long ago")
    for number in range(policies):
        settings = [
            choice(f"experience_unknown{number:04}_{position:02}", position % 2) for position in range(number % 40)
        ]
        targets = [group_target(deleted if number % 10 == 0 else inner)] if number % 2 == 0 else []
        seeder.policy(f"Bulk policy {number:04}", settings, _assignments=targets)
