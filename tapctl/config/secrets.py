"""What must never be quoted: keys and values that look like secrets, and source lines without them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from tapctl.config.nodes import ListNode, MapNode, Node, ScalarNode, Span

HIDDEN = "[hidden]"

_ANNOUNCED = (
    "secret|password|passwd|passphrase|pwd|token|bearer|apikey|api[_-]key|privatekey|private[_-]key|credentials?"
    "|connectionstring|connection[_-]string|accountkey|account[_-]key|accesskey|access[_-]key|assertion"
)
_SECRET_KEY = re.compile(rf"[a-z0-9_-]*(?:{_ANNOUNCED})", re.IGNORECASE)
_SECRET_ASSIGNMENT = re.compile(rf"((?:{_ANNOUNCED})[\"']?\s*[:=]\s*)\S.*", re.IGNORECASE)
_SECRET_OPENING = re.compile(rf"^(?P<before>[\s?-]*)(?P<rest>[^#]*?(?:{_ANNOUNCED})[\"']?\s*[:=])", re.IGNORECASE)
_KEY = re.compile(r"(?P<before>[\s?-]*)(?:\"[^\"]*\"|'[^']*'|[\w.-]+)\s*:(?:\s|$)")
_SECRET_VALUE = re.compile(
    r"(?<![\w-])eyJ[\w-]{6,}\.[\w-]{6,}[\w.-]*"  # a JWT: every one begins with {"
    r"|-----BEGIN [A-Z0-9 ]*PRIVATE KEY"
    r"|[\w~.-]{3}[0-9]Q~[\w~.-]{31,34}"  # a client secret of Microsoft Entra
    r"|\b[Bb]earer\s+[\w~.+/=-]{16,}"
)
_OPAQUE_RUN = re.compile(r"[A-Za-z0-9+/_~=-]{40,}")


def is_secret_key(key: str) -> bool:
    """Whether a key announces a secret: clientSecret, password, token; not secretVariable or allowAadPasswordReset."""
    return _SECRET_KEY.fullmatch(key) is not None


def looks_secret(text: str) -> bool:
    """Whether a value looks like a token, a private key or a client secret."""
    return _SECRET_VALUE.search(text) is not None


def without_secrets(line: str) -> str:
    """A source line with everything hidden that may be a secret, also where the file cannot be read as YAML.

    From a secret on, the rest of the line is gone: its length would say something about it.
    """
    line = _SECRET_ASSIGNMENT.sub(rf"\1{HIDDEN}", line)
    line = _SECRET_VALUE.sub(HIDDEN, line)
    return _OPAQUE_RUN.sub(lambda run: HIDDEN if _is_opaque(run.group()) else run.group(), line)


def lines_without_secrets(lines: Iterable[str]) -> Iterator[str]:
    """Source lines with everything hidden that may be a secret, the further lines of a value included.

    What belongs to a value is judged by indentation alone, since the file may be broken just there: below a key that
    looks like that of a secret everything is hidden, up to the next key that is not indented further.
    """
    opened: int | None = None
    for line in lines:
        key = _KEY.match(line)
        if opened is not None and line.strip() and key is not None and len(key["before"]) <= opened:
            opened = None
        if opened is None:
            secret = _SECRET_OPENING.match(line)
            opened = len(secret["before"]) if secret else None
            yield without_secrets(line)
        else:
            yield HIDDEN if line.strip() else line


def _is_opaque(run: str) -> bool:
    """Long, without words: base64 of a key rather than a name somebody chose."""
    kinds = (str.isupper, str.islower, str.isdigit)
    return all(any(kind(character) for character in run) for kind in kinds)


def secrets_in(root: Node) -> Iterator[tuple[Span, Node]]:
    """Every value of a tree that is a secret or stands where a secret would: the place to point at, and the value."""
    pending: list[tuple[Span, Node]] = [(root.span, root)]
    while pending:
        span, node = pending.pop()
        if isinstance(node, ScalarNode):
            if isinstance(node.value, str) and looks_secret(node.value):
                yield span, node
        elif isinstance(node, ListNode):
            pending.extend((item.span, item) for item in node.items)
        else:
            yield from _secrets_of_map(node, pending)


def _secrets_of_map(node: MapNode, pending: list[tuple[Span, Node]]) -> Iterator[tuple[Span, Node]]:
    for key, (key_span, value) in node.entries.items():
        if is_secret_key(key) and _is_given(value):
            yield key_span, value
        elif looks_secret(key):
            yield key_span, ScalarNode(key_span, key, key, key_span.position.line)
            pending.append((key_span, value))
        else:
            pending.append((key_span, value))


def _is_given(node: Node) -> bool:
    """Whether there is a value that could be the secret: text or digits."""
    return isinstance(node, ScalarNode) and isinstance(node.value, str | int) and node.value not in ("", True, False)
