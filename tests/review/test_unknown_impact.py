"""A list that is not there is unknown: nobody is counted as nobody because Graph would not say."""

from __future__ import annotations

import pytest

from tests.support.cli import CommandLine

LISTS = {
    "people": ("^/users\\?", "temporaryAccessPass: {state: enabled, include: [all-users]}", "usersGaining"),
    "devices": (
        "^/devices\\?",
        """
        webSignIn:
          one: {displayName: One, settings: {enableWebSignIn: true}, assign: {include: [all-devices]}}
        """,
        "devicesGaining",
    ),
}


@pytest.mark.parametrize("what", LISTS)
def test_a_list_of_accounts_that_is_not_found_is_not_an_empty_one(cli: CommandLine, what: str) -> None:
    path, tenant, figure = LISTS[what]
    cli.write(tenant)
    cli.fail({"action": "status", "path": path, "status": 404, "code": "Request_ResourceNotFound"})

    impact = cli.plan("--impact", "exact").tenant["impact"]

    assert impact[figure]["certainty"] != "exact"
    assert impact[figure]["count"] != 0
