"""`apply` at a terminal: it asks, and the answer is consent to what was shown."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable

import pytest

from tapctl.errors import ExitCode
from tests.support.cli import CommandLine

POLICY = "temporaryAccessPass: {length: 10}\n"


class Terminal(io.StringIO):
    """Somebody at a terminal, who does something before answering."""

    def __init__(self, answer: str, before: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self._answer = answer
        self._before = before

    def isatty(self) -> bool:
        return True

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]  # typeshed makes it bytes here
        self._before()
        return f"{self._answer}\n"


@pytest.fixture
def asked(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> Callable[[Terminal], int]:
    cli.write(POLICY)

    def apply(terminal: Terminal) -> int:
        monkeypatch.setattr(sys, "stdin", terminal)
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        return cli.run("apply", "--no-color").code

    return apply


def test_yes_applies_what_was_shown(cli: CommandLine, asked: Callable[[Terminal], int]) -> None:
    assert asked(Terminal("y")) == ExitCode.DONE
    assert len(cli.writes) == 1


def test_any_other_answer_applies_nothing(cli: CommandLine, asked: Callable[[Terminal], int]) -> None:
    assert asked(Terminal("n")) == ExitCode.FAILED
    assert not cli.writes


def test_a_change_while_the_question_is_open_ends_it(cli: CommandLine, asked: Callable[[Terminal], int]) -> None:
    somebody = Terminal("y", before=lambda: cli.tamper("temporaryAccessPass", "length=20"))

    assert asked(somebody) == ExitCode.OUTDATED
    assert not cli.writes


def test_what_has_come_true_meanwhile_is_nothing_to_do(cli: CommandLine, asked: Callable[[Terminal], int]) -> None:
    somebody = Terminal("y", before=lambda: cli.tamper("temporaryAccessPass", "length=10"))

    assert asked(somebody) == ExitCode.DONE
    assert not cli.writes
