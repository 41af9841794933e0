"""The table of permissions agrees with itself."""

from __future__ import annotations

import uuid

import pytest

from tapctl.graph.permissions import PERMISSIONS, SUFFICIENT, Area, allowed, least


@pytest.mark.parametrize("area", Area)
def test_every_area_has_permissions_that_the_table_knows(area: Area) -> None:
    assert SUFFICIENT[area]
    assert set(SUFFICIENT[area]) <= set(PERMISSIONS)


@pytest.mark.parametrize("area", [area for area in Area if area.name.startswith("WRITE")])
def test_no_reading_permission_allows_a_write(area: Area) -> None:
    assert not [name for name in SUFFICIENT[area] if ".Read." in name]


@pytest.mark.parametrize("area", [area for area in Area if area.name.startswith("READ")])
def test_the_least_permission_to_read_only_reads(area: Area) -> None:
    assert ".ReadWrite." not in least(area)


def test_ids_are_guids_and_belong_to_one_permission() -> None:
    ids = [id_ for each in PERMISSIONS.values() for id_ in (each.application_role, each.delegated_scope) if id_]

    assert [str(uuid.UUID(id_)) for id_ in ids] == ids
    assert len(set(ids)) == len(ids)


def test_what_is_held_allows_or_not() -> None:
    assert allowed(Area.READ_GROUPS, frozenset({"Directory.Read.All"}))
    assert not allowed(Area.WRITE_GROUPS, frozenset({"Group.Read.All", "GroupMember.ReadWrite.All"}))
    assert not allowed(Area.READ_GROUPS, frozenset())
