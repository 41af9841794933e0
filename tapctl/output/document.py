"""The plan document as JSON and back: what `--format json` prints, `plan --out` saves, `show` and `apply --plan` read.

Reading is strict, because a saved plan is consent: what this version does not know, nobody can have agreed to.
Nothing in a document is ever executed. `schemas/plan.schema.json` describes the same form to others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Literal, get_args

from tapctl.errors import Finding, Position, RefusedError, Severity
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
from tapctl.model.values import JSONValue
from tapctl.model.values import to_json as value_to_json
from tapctl.output import safe
from tapctl.output.strict_json import FormError, StrictObject, brief, check_depth, parse, refuse

MAXIMUM_SIZE = 64 * 1024 * 1024
"""Bytes of a saved plan: hundreds of tenants with thousands of members each stay far below."""

Command = Literal["plan", "apply", "drift", "rollback"]
Certainty = Literal["exact", "upper-bound", "unknown"]


# --- writing ---------------------------------------------------------------------------------------------------------


def dumps(data: JSONValue) -> str:
    """JSON text in which nothing is active: ASCII, no control character, no command that a CI agent would find."""
    import json

    text = json.dumps(data, indent=2, ensure_ascii=True, allow_nan=False)
    # `#` and DEL occur inside strings alone, where an escape means the same.
    return safe.LOG_COMMAND.sub(r"\\u0023#", text).replace("\x7f", "\\u007f") + "\n"


def to_json(document: PlanDocument) -> JSONValue:
    """The document in the form of `schemas/plan.schema.json`."""
    return {
        "formatVersion": document.format_version,
        "tapctlVersion": document.tapctl_version,
        "createdAt": _time_to_json(document.created_at),
        "command": document.command,
        **({"onlyLapsed": True} if document.only_lapsed else {}),
        **({} if document.error is None else {"error": document.error, "fix": document.fix}),
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
        RefusedError: the content is too large, no JSON, or no plan of this format; the message names the place.
    """
    try:
        data = parse(content, MAXIMUM_SIZE)
    except FormError as error:
        raise _unusable(error) from None
    return from_json(data)


def from_json(data: JSONValue) -> PlanDocument:
    """The document that `to_json` made this JSON from.

    Raises:
        RefusedError: this is not a plan of a known format; the message names the place.
    """
    try:
        return _document_from_json(data)
    except FormError as error:
        raise _unusable(error) from None


def _unusable(error: FormError) -> RefusedError:
    return RefusedError(
        f"this is not a plan that can be used: {error}", fix="make a new plan with `tapctl plan --out FILE`"
    )


def _document_from_json(data: JSONValue) -> PlanDocument:
    check_depth(data)
    if not isinstance(data, dict) or "formatVersion" not in data:
        refuse("it is not a plan document of tapctl")
    version = data["formatVersion"]
    if isinstance(version, bool) or version != FORMAT_VERSION:
        refuse(f"its formatVersion is {brief(version)}; this tapctl reads {FORMAT_VERSION}")
    read = StrictObject(data, "")
    document = PlanDocument(
        format_version=read.integer("formatVersion"),
        tapctl_version=read.text("tapctlVersion"),
        created_at=read.time("createdAt"),
        command=read.choice("command", _COMMANDS, default="plan"),
        only_lapsed=read.boolean("onlyLapsed", default=False),
        error=read.optional_text("error"),
        fix=read.text("fix", default=""),
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


def _tenant_from_json(read: StrictObject) -> TenantPlan:
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


def _change_from_json(read: StrictObject) -> Change:
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


def _field_from_json(read: StrictObject) -> FieldChange:
    return FieldChange(path=read.text("path"), before=read.value("before"), after=read.value("after"))


def _outcome_from_json(read: StrictObject) -> Outcome | None:
    if not read.has("outcome"):
        return None
    return Outcome(
        name=read.choice("outcome", _OUTCOMES),
        message=read.text("outcomeMessage", default=""),
        fix=read.text("outcomeFix", default=""),
    )


def _attribution_from_json(read: StrictObject) -> Attribution:
    return Attribution(who=read.text("who"), when=read.text("when"), via=read.text("via"))


def _finding_from_json(read: StrictObject) -> Finding:
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


def _related_from_json(read: StrictObject) -> tuple[str, Position]:
    return read.text("message"), _position_from_json(read)


def _optional_position(read: StrictObject) -> Position | None:
    if read.is_null("file"):
        read.null("file")
        read.null("line")
        read.null("column")
        return None
    return _position_from_json(read)


def _position_from_json(read: StrictObject) -> Position:
    return Position(
        file=read.text("file"), line=read.integer("line", minimum=1), column=read.integer("column", minimum=1)
    )


def _impact_from_json(read: StrictObject) -> Impact:
    return Impact(
        users_gaining=read.object("usersGaining", _count_from_json),
        users_losing=read.object("usersLosing", _count_from_json),
        devices_gaining=read.object("devicesGaining", _count_from_json),
        devices_losing=read.object("devicesLosing", _count_from_json),
    )


def _count_from_json(read: StrictObject) -> ImpactCount:
    count = None if read.is_null("count") else read.integer("count")
    if count is None:
        read.null("count")
    return ImpactCount(count=count, certainty=read.choice("certainty", _CERTAINTIES))


def _violation_from_json(read: StrictObject) -> Violation:
    return Violation(
        rule=read.text("rule"),
        message=read.text("message"),
        address=read.optional_text("address"),
        overridden=read.boolean("overridden"),
        reason=read.optional_text("reason"),
    )


def _usage_from_json(read: StrictObject) -> GraphUsage:
    return GraphUsage(
        requests=read.integer("requests"),
        calls=read.integer("calls"),
        round_trips=read.integer("roundTrips"),
        throttled=read.integer("throttled"),
        seconds=read.seconds("seconds"),
    )
