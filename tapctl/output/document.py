"""The plan document as JSON and back: what `--format json` prints, `plan --out` saves, `show` and `apply --plan` read.

Reading is strict, because a saved plan is consent: what this version does not know, nobody can have agreed to.
Nothing in a document is ever executed. `schemas/plan.schema.json` describes the same form to others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal, NoReturn, TypeVar, get_args

from tapctl.errors import ExitCode, Finding, Position, RefusedError, Severity
from tapctl.model.plan import (
    FORMAT_VERSION,
    Action,
    Attribution,
    Change,
    FieldChange,
    GraphUsage,
    Impact,
    ImpactCount,
    Outcome,
    OutcomeName,
    PlanDocument,
    Status,
    TenantPlan,
    Violation,
)
from tapctl.model.values import JSONValue, Value
from tapctl.model.values import from_json as value_from_json
from tapctl.model.values import to_json as value_to_json

MAXIMUM_SIZE = 64 * 1024 * 1024
"""Bytes of a saved plan: hundreds of tenants with thousands of members each stay far below."""

MAXIMUM_DEPTH = 64
"""Levels of nesting; a plan has about ten."""

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_REMEDY = "make a new plan with `tapctl plan --out FILE`"

Command = Literal["plan", "apply", "drift", "rollback"]
Certainty = Literal["exact", "upper-bound", "unknown"]

ItemT = TypeVar("ItemT")
ChoiceT = TypeVar("ChoiceT", bound=str)


# --- writing ---------------------------------------------------------------------------------------------------------


def dumps(data: JSONValue) -> str:
    """JSON text in which nothing is active: ASCII, no control character, no command that a CI agent would find."""
    import json

    text = json.dumps(data, indent=2, ensure_ascii=True, allow_nan=False)
    # `#` and DEL occur inside strings alone, where an escape means the same.
    return _LOG_COMMAND.sub(r"\\u0023#", text).replace("\x7f", "\\u007f") + "\n"


_LOG_COMMAND = re.compile(r"##(?=[A-Za-z.]*\[)")


def to_json(document: PlanDocument) -> JSONValue:
    """The document in the form of `schemas/plan.schema.json`."""
    return {
        "formatVersion": document.format_version,
        "tapctlVersion": document.tapctl_version,
        "createdAt": _time_to_json(document.created_at),
        "command": document.command,
        "tenants": [_tenant_to_json(tenant) for tenant in document.tenants],
    }


def findings_to_json(findings: Iterable[Finding]) -> JSONValue:
    """What `validate --format json` prints."""
    return {"findings": [_finding_to_json(finding) for finding in findings]}


def changes_to_json(changes: Iterable[Change]) -> list[JSONValue]:
    """Changes in the form that a plan gives them; `diff --format json` prints them alone."""
    return [_change_to_json(change) for change in changes]


def _time_to_json(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"


def _tenant_to_json(tenant: TenantPlan) -> JSONValue:
    return {
        "name": tenant.name,
        "tenantId": tenant.tenant_id,
        "cloud": tenant.cloud,
        "status": tenant.status,
        "exitCode": int(tenant.exit_code),
        "error": tenant.error,
        "fix": tenant.fix,
        "changes": changes_to_json(tenant.changes),
        "findings": [_finding_to_json(finding) for finding in tenant.findings],
        "impact": None if tenant.impact is None else _impact_to_json(tenant.impact),
        "guardrails": [_violation_to_json(violation) for violation in tenant.guardrails],
        "overrides": dict(tenant.overrides),
        "approval": tenant.approval,
        "definitions": dict(tenant.definitions),
        "journal": tenant.journal,
        "graph": _usage_to_json(tenant.graph),
    }


def _change_to_json(change: Change) -> JSONValue:
    data: dict[str, JSONValue] = {
        "address": change.address,
        "action": change.action,
        "title": change.title,
        "fields": [
            {"path": field.path, "before": value_to_json(field.before), "after": value_to_json(field.after)}
            for field in change.fields
        ],
        "widens": change.widens,
        "irreversible": change.irreversible,
        "reason": change.reason,
        "notes": list(change.notes),
        "dependsOn": list(change.depends_on),
    }
    if change.outcome is not None:
        data["outcome"] = change.outcome.name
        data |= {"outcomeMessage": change.outcome.message} if change.outcome.message else {}
        data |= {"outcomeFix": change.outcome.fix} if change.outcome.fix else {}
    if change.by is not None:
        data["by"] = {"who": change.by.who, "when": change.by.when, "via": change.by.via}
    return data


def _finding_to_json(finding: Finding) -> JSONValue:
    data: dict[str, JSONValue] = {
        "rule": finding.rule,
        "severity": finding.severity,
        "message": finding.message,
        "why": finding.why,
        "fix": finding.fix,
        **_place_to_json(finding.position),
        "excerpt": finding.excerpt,
        "width": finding.width,
        "related": [{"message": word, **_place_to_json(position)} for word, position in finding.related],
        "suppressed": finding.suppressed,
    }
    if finding.suppressed or finding.suppress_reason:
        data["suppressReason"] = finding.suppress_reason
    return data


def _place_to_json(position: Position | None) -> dict[str, JSONValue]:
    if position is None:
        return {"file": None, "line": None, "column": None}
    return {"file": position.file, "line": position.line, "column": position.column}


def _impact_to_json(impact: Impact) -> JSONValue:
    counts = {
        "usersGaining": impact.users_gaining,
        "usersLosing": impact.users_losing,
        "devicesGaining": impact.devices_gaining,
        "devicesLosing": impact.devices_losing,
    }
    return {name: {"count": count.count, "certainty": count.certainty} for name, count in counts.items()}


def _violation_to_json(violation: Violation) -> JSONValue:
    return {
        "rule": violation.rule,
        "message": violation.message,
        "address": violation.address,
        "overridden": violation.overridden,
        "reason": violation.reason,
    }


def _usage_to_json(usage: GraphUsage) -> JSONValue:
    return {
        "requests": usage.requests,
        "calls": usage.calls,
        "roundTrips": usage.round_trips,
        "throttled": usage.throttled,
        "seconds": usage.seconds,
    }


# --- reading ---------------------------------------------------------------------------------------------------------


def loads(content: bytes) -> PlanDocument:
    """The document in a saved plan.

    Raises:
        RefusedError: the content is too large, no JSON, or no plan of this format.
    """
    import json

    if len(content) > MAXIMUM_SIZE:
        _refuse(f"it has {len(content)} bytes, more than {MAXIMUM_SIZE}")
    try:
        data = json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=_without_repeats,
            parse_float=_finite,
            parse_constant=_no_constant,
        )
    except RecursionError:
        _refuse("it is nested too deeply")
    except ValueError as error:
        # Covers malformed JSON, text that is no UTF-8, and numbers with too many digits.
        _refuse(f"it is not JSON: {error}")
    return from_json(data)


def from_json(data: JSONValue) -> PlanDocument:
    """The document that `to_json` made this JSON from.

    Raises:
        RefusedError: this is no plan of a known format; the message names the place.
    """
    _check_depth(data)
    if not isinstance(data, dict) or "formatVersion" not in data:
        _refuse("it is not a plan document of tapctl")
    version = data["formatVersion"]
    if isinstance(version, bool) or version != FORMAT_VERSION:
        _refuse(f"its formatVersion is {_brief(version)}; this tapctl reads {FORMAT_VERSION}")
    read = _Object(data, "")
    document = PlanDocument(
        format_version=read.integer("formatVersion"),
        tapctl_version=read.text("tapctlVersion"),
        created_at=read.time("createdAt"),
        command=read.choice("command", _COMMANDS, default="plan"),
        tenants=read.objects("tenants", _tenant_from_json),
    )
    read.finish()
    return document


_COMMANDS: Mapping[str, Command] = {choice: choice for choice in get_args(Command)}
_STATUSES: Mapping[str, Status] = {choice: choice for choice in get_args(Status)}
_ACTIONS: Mapping[str, Action] = {choice: choice for choice in get_args(Action)}
_OUTCOMES: Mapping[str, OutcomeName] = {choice: choice for choice in get_args(OutcomeName)}
_SEVERITIES: Mapping[str, Severity] = {choice: choice for choice in get_args(Severity)}
_CERTAINTIES: Mapping[str, Certainty] = {choice: choice for choice in get_args(Certainty)}


def _tenant_from_json(read: _Object) -> TenantPlan:
    return TenantPlan(
        name=read.text("name"),
        tenant_id=read.text("tenantId"),
        cloud=read.text("cloud"),
        status=read.choice("status", _STATUSES),
        exit_code=read.exit_code("exitCode"),
        error=read.optional_text("error"),
        fix=read.text("fix", default=""),
        changes=read.objects("changes", _change_from_json),
        findings=read.objects("findings", _finding_from_json),
        impact=read.optional_object("impact", _impact_from_json),
        guardrails=read.objects("guardrails", _violation_from_json),
        overrides=read.text_map("overrides"),
        approval=read.optional_text("approval"),
        definitions=read.json_map("definitions"),
        journal=read.optional_text("journal"),
        graph=read.object("graph", _usage_from_json),
    )


def _change_from_json(read: _Object) -> Change:
    return Change(
        address=read.text("address"),
        action=read.choice("action", _ACTIONS),
        title=read.text("title", default=""),
        fields=read.objects("fields", _field_from_json),
        widens=read.boolean("widens"),
        irreversible=read.boolean("irreversible"),
        reason=read.optional_text("reason"),
        notes=read.texts("notes"),
        depends_on=read.texts("dependsOn"),
        outcome=_outcome_from_json(read),
        by=read.optional_object("by", _attribution_from_json),
    )


def _field_from_json(read: _Object) -> FieldChange:
    return FieldChange(path=read.text("path"), before=read.value("before"), after=read.value("after"))


def _outcome_from_json(read: _Object) -> Outcome | None:
    if not read.has("outcome"):
        return None
    return Outcome(
        name=read.choice("outcome", _OUTCOMES),
        message=read.text("outcomeMessage", default=""),
        fix=read.text("outcomeFix", default=""),
    )


def _attribution_from_json(read: _Object) -> Attribution:
    return Attribution(who=read.text("who"), when=read.text("when"), via=read.text("via"))


def _finding_from_json(read: _Object) -> Finding:
    return Finding(
        rule=read.text("rule"),
        severity=read.choice("severity", _SEVERITIES),
        message=read.text("message"),
        why=read.text("why", default=""),
        fix=read.text("fix", default=""),
        position=_optional_position(read),
        excerpt=read.text("excerpt", default=""),
        width=read.integer("width", default=1),
        related=read.objects("related", _related_from_json, default=()),
        suppressed=read.boolean("suppressed"),
        suppress_reason=read.text("suppressReason", default=""),
    )


def _related_from_json(read: _Object) -> tuple[str, Position]:
    return read.text("message"), _position_from_json(read)


def _optional_position(read: _Object) -> Position | None:
    if read.is_null("file"):
        read.null("file")
        read.null("line")
        read.null("column")
        return None
    return _position_from_json(read)


def _position_from_json(read: _Object) -> Position:
    return Position(file=read.text("file"), line=read.integer("line"), column=read.integer("column"))


def _impact_from_json(read: _Object) -> Impact:
    return Impact(
        users_gaining=read.object("usersGaining", _count_from_json),
        users_losing=read.object("usersLosing", _count_from_json),
        devices_gaining=read.object("devicesGaining", _count_from_json),
        devices_losing=read.object("devicesLosing", _count_from_json),
    )


def _count_from_json(read: _Object) -> ImpactCount:
    count = None if read.is_null("count") else read.integer("count")
    if count is None:
        read.null("count")
    return ImpactCount(count=count, certainty=read.choice("certainty", _CERTAINTIES))


def _violation_from_json(read: _Object) -> Violation:
    return Violation(
        rule=read.text("rule"),
        message=read.text("message"),
        address=read.optional_text("address"),
        overridden=read.boolean("overridden"),
        reason=read.optional_text("reason"),
    )


def _usage_from_json(read: _Object) -> GraphUsage:
    return GraphUsage(
        requests=read.integer("requests"),
        calls=read.integer("calls"),
        round_trips=read.integer("roundTrips"),
        throttled=read.integer("throttled"),
        seconds=read.seconds("seconds"),
    )


class _Object:
    """One JSON object that is being read: each key once, with its type, and in the end none left over."""

    def __init__(self, data: Mapping[str, JSONValue], place: str) -> None:
        self._data = data
        self._place = place
        self._left = set(data)

    def has(self, key: str) -> bool:
        return key in self._data

    def is_null(self, key: str) -> bool:
        return self._data.get(key, "") is None

    def finish(self) -> None:
        """Refuses keys that were not read."""
        if self._left:
            _refuse(f"{self._place or 'the document'} has the unknown key {_brief(min(self._left))}")

    def text(self, key: str, *, default: str | None = None) -> str:
        value = self._take(key, default)
        return value if isinstance(value, str) else self._wrong(key, "a text")

    def optional_text(self, key: str) -> str | None:
        value = self._take(key, None, required=False)
        return value if value is None or isinstance(value, str) else self._wrong(key, "a text or null")

    def null(self, key: str) -> None:
        if self._take(key, None, required=False) is not None:
            self._wrong(key, "null, as the others beside it")

    def boolean(self, key: str) -> bool:
        value = self._take(key, None)
        return value if isinstance(value, bool) else self._wrong(key, "true or false")

    def integer(self, key: str, *, default: int | None = None) -> int:
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 1 << 63:
            self._wrong(key, "a whole number")
        return value

    def seconds(self, key: str) -> float:
        value = self._take(key, None)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
            self._wrong(key, "a number of seconds")
        return float(value)

    def time(self, key: str) -> datetime:
        text = self.text(key)
        if not _TIME.fullmatch(text):
            self._wrong(key, "a time such as 2026-11-22T07:29:00Z")
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            self._wrong(key, "a time that exists")

    def exit_code(self, key: str) -> ExitCode:
        number = self.integer(key, default=0)
        known = {code.value: code for code in ExitCode}
        return known[number] if number in known else self._wrong(key, "an exit code of tapctl")

    def choice(self, key: str, known: Mapping[str, ChoiceT], *, default: str | None = None) -> ChoiceT:
        text = self.text(key, default=default)
        return known[text] if text in known else self._wrong(key, "one of " + ", ".join(known))

    def value(self, key: str) -> Value:
        data = self._take(key, None, required=False)
        if key not in self._data:
            self._wrong(key, "there")
        try:
            return value_from_json(data)
        except ValueError:
            self._wrong(key, "a value without fractions")

    def texts(self, key: str) -> tuple[str, ...]:
        return tuple(
            item if isinstance(item, str) else self._wrong(key, "a list of texts") for item in self._list(key, [])
        )

    def text_map(self, key: str) -> dict[str, str]:
        return {
            name: text if isinstance(text, str) else self._wrong(key, "an object of texts")
            for name, text in self.json_map(key).items()
        }

    def json_map(self, key: str) -> dict[str, JSONValue]:
        value = self._take(key, {})
        return dict(value) if isinstance(value, dict) else self._wrong(key, "an object")

    def object(self, key: str, read: Callable[[_Object], ItemT]) -> ItemT:
        return self._read(self._take(key, None), self._at(key), read)

    def optional_object(self, key: str, read: Callable[[_Object], ItemT]) -> ItemT | None:
        value = self._take(key, None, required=False)
        return None if value is None else self._read(value, self._at(key), read)

    def objects(
        self, key: str, read: Callable[[_Object], ItemT], *, default: tuple[()] | None = None
    ) -> tuple[ItemT, ...]:
        items = self._list(key, None if default is None else [])
        return tuple(self._read(item, f"{self._at(key)}[{index}]", read) for index, item in enumerate(items))

    def _read(self, value: JSONValue, place: str, read: Callable[[_Object], ItemT]) -> ItemT:
        if not isinstance(value, dict):
            _refuse(f"{place} must be an object, not {_brief(value)}")
        reader = _Object(value, place)
        result = read(reader)
        reader.finish()
        return result

    def _list(self, key: str, default: list[JSONValue] | None) -> list[JSONValue]:
        value = self._take(key, default)
        return value if isinstance(value, list) else self._wrong(key, "a list")

    def _take(self, key: str, default: JSONValue, *, required: bool = True) -> JSONValue:
        self._left.discard(key)
        if required and default is None and key not in self._data:
            _refuse(f"{self._at(key)} is missing")
        return self._data.get(key, default)

    def _at(self, key: str) -> str:
        return f"{self._place}.{key}" if self._place else key

    def _wrong(self, key: str, wanted: str) -> NoReturn:
        _refuse(f"{self._at(key)} must be {wanted}, not {_brief(self._data.get(key))}")


def _refuse(problem: str) -> NoReturn:
    raise RefusedError(f"this is not a plan that can be used: {problem}", fix=_REMEDY)


def _brief(value: JSONValue) -> str:
    """A few characters of a JSON value for a message; what kind it is where it is more than a word."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case list():
            return "a list"
        case dict():
            return "an object"
        case str():
            return f'"{value}"' if len(value) <= 40 else f'"{value[:39]}…"'
        case _:
            # A number with thousands of digits cannot even be printed.
            return str(value) if isinstance(value, float) or abs(value) < 1 << 63 else "a very large number"


def _check_depth(data: JSONValue) -> None:
    """Refuses what is nested too deeply, without nesting calls itself."""
    level: list[JSONValue] = [data]
    for _ in range(MAXIMUM_DEPTH):
        deeper: list[JSONValue] = []
        for item in level:
            if isinstance(item, dict):
                deeper.extend(item.values())
            elif isinstance(item, list):
                deeper.extend(item)
        if not deeper:
            return
        level = deeper
    _refuse("it is nested too deeply")


def _without_repeats(pairs: list[tuple[str, JSONValue]]) -> dict[str, JSONValue]:
    data = dict(pairs)
    if len(data) != len(pairs):
        _refuse("it gives a key twice in one object")
    return data


def _no_constant(name: str) -> NoReturn:
    _refuse(f"{name} is no number that JSON knows")


def _finite(text: str) -> float:
    number = float(text)
    if abs(number) == float("inf"):
        _refuse(f"the number {_brief(text)} is too large")
    return number
