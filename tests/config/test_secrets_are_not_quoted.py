"""Nothing of a secret is quoted: not its tag or alias, not a further line of it, wherever the file is broken."""

from __future__ import annotations

import pytest

from tapctl.config.load import load
from tapctl.config.secrets import HIDDEN, lines_without_secrets

from .rendering import render
from .support import TENANT_ID, Write

SECRET = "hunter2"
HEAD = f"tenant:\n  id: {TENANT_ID}\n  auth:\n    method: client-secret\n"


@pytest.mark.parametrize(
    "text",
    [
        "    clientSecret: !hunter2 x\n",
        "    clientSecret: *hunter2\n",
        "    clientSecret:\n      !hunter2 x\n",
        "    clientSecret: &hunter2 x\n    foo: *hunter3\n",
        "    clientSecret: &hunter2 [*hunter2]\n",
        "    clientSecret: {hunter2: 1, hunter2: 2}\n",
        "    token: {hunter2: }\n",
        "    clientSecret: >-\n      x\n     bad: hunter2\n",
        "    clientSecret:\n      x\n     hunter2: bad\n",
        "    privateKey: |\n      -----BEGIN PRIVATE KEY-----\n      MIIEhunter2\n     MIIEhunter2\n",
        "    privateKey: |\n      -----BEGIN PRIVATE KEY-----\n  MIIEhunter2\n",
        "    privateKey: |\n      MIIE\n\n\n   hunter2\n",
        "    token: |\n      eyJhbGciOiJub25lIn0.eyJ0\n     hunter2.c2lnc2VjcmV0\n",
        "    token: abc\n     hunter2: [\n",
        "    'token' : |\n      eyJhbGci\n     hunter2: x\n",
        "    - token: |\n        eyJhbGci\n       hunter2: x\n",
    ],
)
def test_no_part_of_a_secret_is_shown(write: Write, text: str) -> None:
    write("tenants/contoso.yaml", HEAD + text)

    loaded = load()
    shown = render(loaded.findings)

    assert loaded.failed
    assert SECRET not in shown
    assert SECRET not in str(loaded.failed["contoso"])


def test_what_follows_a_secret_is_shown_again() -> None:
    lines = [
        "  auth:",
        "    clientSecret: |",
        "      one",
        "    method: token",
        "    - password: x",
        "      displayName: Y",
        "  # the token: none",
        "    tokenVariable: TAPCTL_TOKEN",
    ]

    shown = list(lines_without_secrets(lines))

    assert shown[2] == HIDDEN
    assert [shown[index] for index in (0, 3, 5, 7)] == [lines[index] for index in (0, 3, 5, 7)]


def test_a_tag_and_an_alias_elsewhere_are_seen_in_their_line(write: Write) -> None:
    write("tenants/contoso.yaml", "groups: !groups {}\n")
    write("tenants/fabrikam.yaml", "groups: *groups\n")

    shown = render(load().findings)

    assert "   1 | groups: !groups {}\n" in shown
    assert "   1 | groups: *groups\n" in shown


def test_a_secret_that_stands_where_a_key_belongs_is_in_no_part_of_a_finding(write: Write) -> None:
    key = "hunter2secret~AbC8Q~abcdefghijklmnopqrstuvwxyz0123456"
    write("tenants/contoso.yaml", f"{HEAD}    {key}:\n")

    said = [f"{item.message} {item.why} {item.fix}" for item in load().findings]

    assert not [text for text in said if "abcdefghijklmnop" in text], said
