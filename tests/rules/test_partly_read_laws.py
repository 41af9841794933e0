"""The law of tenants with a broken part: whatever a rule finds there, it finds in the tenant as it was meant.

Every case of `tests/cases/rules` is broken in every place, one at a time: by a value that no place takes, by a slip in
the key, by an entry that is no entry."""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tapctl.config.judge import judged_in_part
from tapctl.config.load import load
from tapctl.config.nodes import plain
from tapctl.config.yaml_tree import read_yaml
from tapctl.errors import Finding
from tapctl.rules.catalogue import BY_ID
from tapctl.rules.check import check

from .test_rule_cases import CASES, TODAY, read

JUDGED = {*BY_ID, "break-glass", "guardrail-schema", "unused-suppression", "unknown-rule"}


def _broken(document: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    for path in _paths(document):
        for word in ("value", "key"):
            copied = copy.deepcopy(document)
            parent = copied
            for part in path[:-1]:
                parent = parent[part]
            if word == "value":
                parent[path[-1]] = [[]]
            elif isinstance(path[-1], str) and not (len(path) == 2 and path[0] == "webSignIn"):
                parent[path[-1][:-1] + "_" + path[-1][-1:]] = parent.pop(path[-1])
            yield f"{word} {path}", copied


def _paths(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    parts = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in parts:
        yield (*path, key)
        if (*path, key) != ("guardrails", "schema"):
            yield from _paths(value, (*path, key))


def _judged(findings: tuple[Finding, ...]) -> Counter[str]:
    """How often each rule finds something; how gravely may depend on the broken part."""
    return Counter(item.rule for item in findings if item.rule in JUDGED)


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_no_rule_finds_in_a_broken_tenant_what_it_does_not_find_in_the_whole_one(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "tenants" / "contoso.yaml"
    file.parent.mkdir()
    text, _ = read(path)
    root = read_yaml(text.encode(), "contoso.yaml").root
    assert root is not None
    file.write_text(text, encoding="utf-8")
    whole = load()
    if whole.failed:
        pytest.skip("the case itself is refused by the schema")
    meant = _judged(check(whole.tenants[0], today=TODAY))

    for what, broken in _broken(plain(root)):
        file.write_text(json.dumps(broken), encoding="utf-8")
        loaded = load()
        if not loaded.failed:
            continue  # labels, and the like: no place takes everything
        (failed,) = loaded.failed.values()
        by_schema = _judged(loaded.findings)

        assert _judged(judged_in_part(failed, TODAY).findings) - by_schema <= meant, what
