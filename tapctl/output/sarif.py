"""Findings as SARIF 2.1.0, which code scanning shows on pull requests and keeps over time.

Source: OASIS, "Static Analysis Results Interchange Format (SARIF) Version 2.1.0", 2020, with errata 01 of 2023.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from tapctl import __version__
from tapctl.errors import Finding, Position
from tapctl.model.values import JSONValue
from tapctl.output import safe

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_ROOT = "%SRCROOT%"
_BRACKET = re.compile(r"(\\*)([\[\]])")
"""A bracket with the backslashes before it, which have to be doubled lest they undo the one that is put there."""


def to_sarif(findings: Iterable[Finding], rule_help: Mapping[str, Sequence[str]] | None = None) -> JSONValue:
    """A SARIF log of one run.

    Args:
        rule_help: by rule id, sentences on each rule, the first of which is its short description; where missing, the
            first finding of the rule says what it is about.
    """
    listed = list(findings)
    rules = _rules(listed, rule_help or {})
    numbers = {rule: index for index, rule in enumerate(dict.fromkeys(finding.rule for finding in listed))}
    results: list[JSONValue] = []
    seen: Counter[str] = Counter()
    for finding in listed:
        fingerprint = _fingerprint(finding)
        seen[fingerprint] += 1
        results.append(_result(finding, numbers[finding.rule], f"{fingerprint}:{seen[fingerprint]}"))
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": {"name": "tapctl", "version": __version__, "rules": rules}},
                "invocations": [{"executionSuccessful": True}],
                "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
                "columnKind": "unicodeCodePoints",
                "results": results,
            }
        ],
    }


def _rules(findings: Sequence[Finding], rule_help: Mapping[str, Sequence[str]]) -> list[JSONValue]:
    """One descriptor for each rule that found something, in the order of the first find."""
    first: dict[str, Finding] = {}
    for finding in findings:
        first.setdefault(finding.rule, finding)
    described: list[JSONValue] = []
    for rule, finding in first.items():
        about = rule_help.get(rule) or (finding.message, finding.why, finding.fix)
        described.append(
            {
                "id": safe.visible(rule),
                "shortDescription": {"text": _message(about[0])},
                "help": {"text": _message(*about)},
                "defaultConfiguration": {"level": _LEVELS[finding.severity]},
            }
        )
    return described


def _result(finding: Finding, rule_index: int, fingerprint: str) -> JSONValue:
    why = f"Why: {finding.why}" if finding.why else ""
    fix = f"Fix: {finding.fix}" if finding.fix else ""
    result: dict[str, JSONValue] = {
        "ruleId": safe.visible(finding.rule),
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        "message": {"text": _message(finding.message, why, fix)},
        "partialFingerprints": {"primaryLocationLineHash": fingerprint},
        # One result with suppressions obliges every result of the run to say whether it has any.
        "suppressions": _suppressions(finding),
    }
    if finding.position is not None:
        result["locations"] = [{"physicalLocation": _place(finding.position, finding.width, finding.excerpt)}]
    if finding.related:
        result["relatedLocations"] = [
            {"id": number, "message": {"text": _message(word)}, "physicalLocation": _place(position)}
            for number, (word, position) in enumerate(finding.related, start=1)
        ]
    return result


def _suppressions(finding: Finding) -> list[JSONValue]:
    if not finding.suppressed:
        return []
    return [{"kind": "inSource", "justification": safe.visible(finding.suppress_reason)}]


def _place(position: Position, width: int = 1, excerpt: str = "") -> JSONValue:
    line, column = max(position.line, 1), max(position.column, 1)
    region: dict[str, JSONValue] = {
        "startLine": line,
        "startColumn": column,
        "endColumn": column + max(width, 1),
    }
    if excerpt:
        region["snippet"] = {"text": safe.visible(excerpt)}
    return {"artifactLocation": _artifact(position.file), "region": region}


def _artifact(file: str) -> JSONValue:
    """A percent-encoded URI, relative to the source root unless the path is absolute."""
    from pathlib import PurePath
    from urllib.parse import quote

    path = PurePath(file)
    # File names that are not valid text contain lone surrogates; they are encoded unchanged.
    uri = quote(path.as_posix().encode("utf-8", "surrogatepass"), safe="/-._~")
    if path.is_absolute():
        return {"uri": "file://" + ("" if uri.startswith("/") else "/") + uri}
    return {"uri": uri, "uriBaseId": _ROOT}


def _message(*sentences: str) -> str:
    """Sentences as a SARIF message, a line each: brackets would make links, braces placeholders (3.11.5 and 3.11.6)."""
    text = "\n".join(safe.visible(sentence) for sentence in sentences if sentence)
    text = _BRACKET.sub(lambda found: found[1] * 2 + "\\" + found[2], text)
    return text.replace("{", "{{").replace("}", "}}")


def _fingerprint(finding: Finding) -> str:
    """What stays the same when lines move: rule, file, the text of the line and what is wrong with it."""
    from hashlib import sha256

    file = finding.position.file if finding.position is not None else ""
    parts = (finding.rule, file, finding.excerpt.strip(), finding.message)
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
