"""Text from a tenant is untrusted: a hostile display name acts in no format of no command."""

from __future__ import annotations

import html.parser
import json
import re

import pytest
from markdown_it import MarkdownIt

from tests.support.cli import CommandLine

HOSTILE = {
    "ansi": "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "c1": "\x9b31mred",
    "newline": "one\n::error::injected\r\n::set-output name=x::y",
    "workflow": "::error::injected",
    "azure": "##vso[task.setvariable variable=x]y",
    "group": "##[section]injected",
    "markdown": "[click](https://evil.example) **bold** `code` | a | b\n# heading\n@everyone ![x](https://evil.example/x)",
    "html": "<script>alert(1)</script><img src=x onerror=alert(1)><!-- --></details>",
    "bidi": "\u202egpj.exe\u2066\u200b",
}
FORMATS = ("text", "json", "markdown", "github")

TENANT = """
    groups:
      team: {displayName: SG-Team, description: ours, members: [ada@contoso.com]}
      wave: {displayName: SG-Onboarding-Wave-7, external: true}
    temporaryAccessPass: {include: [team]}
    webSignIn: {one: {displayName: One, settings: {enableWebSignIn: true}, assign: {include: [team]}}}
"""

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b]")
COMMAND = re.compile(r"^\s*::|##vso\[|##\[", re.MULTILINE)
OWN_COMMAND = re.compile(r"^::(error|warning|notice|group|endgroup)( [^:]*)?::", re.MULTILINE)


class _Elements(html.parser.HTMLParser):
    """The elements of a page, and where its links lead."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on") or name in ("src", "href")], (tag, attrs)


def check(text: str, output_format: str) -> None:
    assert not CONTROL.search(text), repr(CONTROL.search(text))
    if output_format == "github":
        for line in text.splitlines():
            assert OWN_COMMAND.match(line) or not line.lstrip().startswith("::"), line
            assert not line.startswith(("::error::injected", "::set-output"))
        assert not re.search(r"##vso\[|##\[", text)
        return
    assert not COMMAND.search(text), COMMAND.search(text)
    if output_format == "json":
        json.loads(text)
    if output_format == "markdown":
        page = _Elements()
        page.feed(MarkdownIt("gfm-like", {"linkify": False}).render(text))
        assert not page.found & {"script", "img", "a"}, page.found


@pytest.fixture(params=HOSTILE)
def hostile(request: pytest.FixtureRequest, cli: CommandLine) -> str:
    """A hostile text; the tenant stands as declared."""
    cli.write(TENANT)
    cli.converge()
    return HOSTILE[str(request.param)]


@pytest.mark.parametrize("output_format", FORMATS)
def test_a_live_name_prints_harmlessly_in_a_plan(cli: CommandLine, hostile: str, output_format: str) -> None:
    cli.tamper("groups.SG-Team", f"displayName={hostile}")
    cli.tamper("webSignIn.One", f"displayName={hostile}")
    cli.tamper("groups.SG-Onboarding-Wave-7", f"description={hostile}")

    ran = cli.run("plan", "--format", output_format, "--detailed-exitcode", "--out", "plan.json")

    assert ran.code == 2
    check(ran.out, output_format)
    check(ran.err, "text")
    check(cli.run("show", "plan.json", "--format", output_format).out, output_format)


@pytest.mark.parametrize("output_format", FORMATS)
def test_a_live_name_prints_harmlessly_in_an_error(cli: CommandLine, hostile: str, output_format: str) -> None:
    name = json.dumps(hostile)
    cli.write(f"groups: {{team: {{displayName: {name}}}}}")
    cli.tamper("groups.SG-Team", f"displayName={hostile}")

    ran = cli.run("plan", "--format", output_format)

    # The files may refuse such a name before anybody looks at the tenant.
    assert ran.code in (0, 2, 3)
    check(ran.out, output_format)
    check(ran.err, "text")


@pytest.mark.parametrize("output_format", FORMATS)
def test_a_message_of_graph_prints_harmlessly(cli: CommandLine, hostile: str, output_format: str) -> None:
    cli.fail({"action": "status", "status": 403, "path": "temporaryAccessPass", "message": hostile, "code": hostile})

    ran = cli.run("plan", "--format", output_format)

    assert ran.code == 1
    check(ran.out, output_format)
    check(ran.err, "text")


@pytest.mark.parametrize("output_format", ["text", "json", "markdown"])
def test_a_live_name_prints_harmlessly_in_an_apply(cli: CommandLine, hostile: str, output_format: str) -> None:
    cli.tamper("groups.SG-Team", f"displayName={hostile}")
    cli.fail({"action": "status", "status": 403, "writes": True, "message": hostile})

    ran = cli.run("apply", "--yes", "--format", output_format)

    assert ran.code == 1
    check(ran.out, output_format)
    check(ran.err, "text")


def test_a_saved_plan_is_untrusted_too(cli: CommandLine, hostile: str) -> None:
    cli.tamper("temporaryAccessPass", "include=all-users")
    cli.run("plan", "--out", "plan.json")
    document = json.loads((cli.folder / "plan.json").read_text())
    document["tenants"][0]["changes"][0] |= {"title": hostile, "reason": hostile, "notes": [hostile]}
    document["tenants"][0] |= {"name": hostile, "error": hostile, "fix": hostile}
    (cli.folder / "plan.json").write_text(json.dumps(document))

    for output_format in FORMATS:
        ran = cli.run("show", "plan.json", "--format", output_format)
        assert ran.code in (0, 3)
        check(ran.out, output_format)
        check(ran.err, "text")


def test_the_check_above_can_fail() -> None:
    for name, text in HOSTILE.items():
        with pytest.raises(AssertionError):
            check(text, "markdown" if name in ("markdown", "html") else "text")
