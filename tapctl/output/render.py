"""One door to every format; each renderer is imported only when it is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Literal, assert_never

if TYPE_CHECKING:  # loaded with the renderers that need them
    from tapctl.errors import Finding
    from tapctl.model.plan import PlanDocument

PlanFormat = Literal["text", "json", "markdown", "github"]
FindingsFormat = Literal["text", "json", "sarif", "github"]


def render_plan(
    document: PlanDocument,
    format: PlanFormat,  # noqa: A002  the name of the option
    *,
    color: bool = False,
    seconds: float | None = None,
    show_footer: bool = True,
) -> str:
    """A plan or the result of an apply, ready for standard output.

    Args:
        color: for text alone.
        seconds: wall time of the whole run, for the footer; the slowest tenant's unless given.
        show_footer: off for commands that did not talk to Graph themselves, such as `show`.
    """
    match format:
        case "text":
            from tapctl.output import terminal

            return terminal.render_plan(document, color=color, seconds=seconds, show_footer=show_footer)
        case "json":
            from tapctl.output.document import dumps, to_json

            return dumps(to_json(document))
        case "markdown":
            from tapctl.output import markdown

            return markdown.render_plan(document, seconds=seconds, show_footer=show_footer)
        case "github":
            from tapctl.output import github

            return github.render_plan(document, seconds=seconds, show_footer=show_footer)
        case _:
            assert_never(format)


def render_findings(
    findings: Iterable[Finding],
    format: FindingsFormat,  # noqa: A002  the name of the option
    *,
    color: bool = False,
    rule_help: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """Findings, ready for standard output.

    Args:
        color: for text alone.
        rule_help: for SARIF alone: by rule id, sentences on each rule, the shortest first.
    """
    match format:
        case "text":
            listed = tuple(findings)
            if not listed:  # how most validations end: there is nothing to load a renderer for
                return "No findings.\n"
            from tapctl.output import terminal

            return terminal.render_findings(listed, color=color)
        case "json":
            from tapctl.output.document import dumps, findings_to_json

            return dumps(findings_to_json(findings))
        case "sarif":
            from tapctl.output.document import dumps
            from tapctl.output.sarif import to_sarif

            return dumps(to_sarif(findings, rule_help))
        case "github":
            from tapctl.output import github

            return github.render_findings(findings)
        case _:
            assert_never(format)
