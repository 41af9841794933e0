"""Makes untrusted text harmless for each medium that shows it: terminal, CI log, Markdown, HTML.

Display names, Graph's messages, file names and saved plans may have been written by anybody. Every function here starts
from `visible`, so that a control character never reaches any medium as itself.
"""

from __future__ import annotations

import re

LOG_COMMAND = re.compile(r"##(?=[A-Za-z.]*\[)")
"""`##[group]`, `##vso[task.setvariable]`, `##teamcity[...]`: CI agents act on them anywhere in a line.
Source: ActionCommand.cs of actions/runner and Command.cs of the Azure Pipelines agent search the whole line."""

_INVISIBLE = frozenset(
    {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0}
    | set(range(0x180B, 0x1810))
    | set(range(0xE0100, 0xE01F0))
)
"""Code points that count as letters, marks or symbols but show nothing, so that two different names look alike."""

_WORD = re.compile(r"[\"'(]*(?:[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+)[\"').,;:!?]*")
"""A word that no Markdown dialect gives a meaning: letters or digits with the punctuation of a sentence around it."""

_COMMIT = re.compile(r"[\"'(]*[0-9a-fA-F]{7,40}[\"').,;:!?]*")
"""Looks like the id of a commit, which GitHub links."""

_WORDS = re.compile(r"\(?`[^`]+`[.,;:!?)]*(?!\S)|\S+")
_MARKED = re.compile(r"(\(?)`([^`]+)`([.,;:!?)]*)")
"""What stands between backticks: how tapctl's own messages mark code."""

_SHELL_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")

_TAG = re.compile(r"<(?=[A-Za-z/!?])")

ELLIPSIS = "…"


def _escape(character: str) -> str:
    named = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}.get(character)
    if named is not None:
        return named
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def visible(text: str) -> str:
    r"""The text on one line; what a terminal or CI agent acts on, or nobody can see, becomes a visible escape.

    Escaped are control characters (`\x1b`, `\n`), bidirectional overrides (`\u202e`), zero-width and other invisible
    characters, unusual spaces, lone surrogates, and the first `#` of `##[` commands.
    """
    if not text.isascii() or not text.isprintable():
        text = "".join(
            character if character.isprintable() and ord(character) not in _INVISIBLE else _escape(character)
            for character in text
        )
    return LOG_COMMAND.sub(r"\\x23#", text)


def shorten(text: str, limit: int) -> str:
    """The text, or its two ends around an ellipsis, so that names with a common beginning stay distinguishable."""
    if len(text) <= limit:
        return text
    kept = limit - len(ELLIPSIS)
    tail = kept // 2
    return text[: kept - tail] + ELLIPSIS + text[len(text) - tail :]


def quoted(text: str) -> str:
    """The text in double quotes, visible."""
    return '"' + visible(text).replace('"', '\\"') + '"'


def shell_word(text: str) -> str:
    """The text as one word that a POSIX shell takes literally, for a command line to be copied."""
    text = visible(text)
    return text if _SHELL_PLAIN.fullmatch(text) else "'" + text.replace("'", "'\\''") + "'"


def plain_line(line: str) -> str:
    """A line of plain output that no CI agent takes for a workflow command, whatever it starts with.

    The line has been composed of visible text already; GitHub's runner ignores leading white space before `::`.
    """
    stripped = line.lstrip()
    if not stripped.startswith("::"):
        return line
    return line[: len(line) - len(stripped)] + r"\x3a" + stripped[1:]


def fenced(text: str) -> str:
    """Visible text for a fenced Markdown block that it cannot end: backticks are shown as an escape.

    So is what would begin a tag of HTML, for whatever reads the text without knowing Markdown.
    """
    return _TAG.sub(r"\\x3c", visible(text).replace("`", r"\x60"))


def code(text: str, limit: int = 256) -> str:
    """The text as a Markdown code span.

    Inside a code span nothing is active: no markup, HTML, mention, reference, autolink or emoji. What could end the
    span or a table cell, or begin GitHub's mathematics beside it, is shown as an escape instead of being counted or
    quoted: Markdown dialects disagree on how long a fence may be and how a pipe is quoted.
    """
    text = shorten(fenced(text).replace("|", r"\x7c"), limit)
    if text.startswith("$"):
        text = r"\x24" + text[1:]
    if text.endswith("$"):
        text = text[:-1] + r"\x24"
    if not text.strip():
        return f'`"{text}"`'
    return f"` {text} `" if text[0] == text[-1] == " " else f"`{text}`"


def prose(text: str, limit: int = 2000) -> str:
    """A sentence for Markdown: plain words stay prose, everything else becomes code spans.

    Nothing has to be quoted then, nothing can become active, and identifiers can still be copied. It is meant to
    stand inside a line: at its beginning "1." would start a list.
    """
    parts: list[str] = []
    active: list[str] = []

    def close_span(punctuation: str = "") -> None:
        if active:
            parts.append(code(" ".join(active), 4 * limit) + punctuation)
            active.clear()

    for word in _WORDS.findall(shorten(visible(text), limit)):
        marked = _MARKED.fullmatch(word)
        if marked:
            close_span()
            parts.append(marked[1] + code(marked[2], 4 * limit) + marked[3])
        elif _WORD.fullmatch(word) and not _COMMIT.fullmatch(word):
            close_span()
            parts.append(word)
        else:
            core = word.rstrip(".,;:!?") or word
            active.append(core)
            if core != word:
                close_span(word[len(core) :])
    close_span()
    # Every part is followed by a space, so that two code spans never touch: their backticks would count as one fence.
    return " ".join(parts)


def workflow_data(text: str) -> str:
    r"""The message of a GitHub workflow command. Newlines of ours must be joined as `%0A` after this.

    Source: toolkit/packages/core/src/command.ts, escapeData.
    """
    return visible(text).replace("%", "%25")


def workflow_property(text: str) -> str:
    """A property (file, title) of a GitHub workflow command.

    Source: toolkit/packages/core/src/command.ts, escapeProperty.
    """
    return workflow_data(text).replace(":", "%3A").replace(",", "%2C")
