"""One plan that has everything the renderers know, hostile text included."""

from __future__ import annotations

from datetime import UTC, datetime

from tapctl.errors import ExitCode, Finding, Position
from tapctl.model.plan import (
    Attribution,
    Change,
    FieldChange,
    GraphUsage,
    Impact,
    ImpactCount,
    Outcome,
    PlanDocument,
    TenantPlan,
    Violation,
)
from tapctl.model.values import Record

HOSTILE = (
    "SG\x1b[31m-\x1b]0;owned\x07red\n::error file=a.yaml::owned\n##[add-mask]x ##vso[task.setvariable]y\r"
    "</code></details><img src=x onerror=alert(1)><script>alert(2)</script> [click](https://evil.example/) "
    "![i](https://evil.example/i.png) www.evil.example @octocat #123 GH-7 `tick` ```fence | pipe | $`math`$ "
    "\u202etxt.exe\u2066 zero\u200bwidth\ufeff \ud800 *bold* _it_ ~~gone~~ &lt;b&gt; <!-- c --> 1. - + >"
)
"""A display name that tries to act in every medium."""

TENANT_ID = "6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11"
APPROVAL = "contoso@20261122T0729Z-" + "5e884898da28047151d0e56f8dc6292773603d0d6aabbdd62a11ef721d1542d8"

CREATE = Change(
    address="groups.tap-users",
    action="create",
    title=HOSTILE,
    fields=(
        FieldChange(path="description", before=None, after="People who may use a Temporary Access Pass"),
        FieldChange(path="displayName", before=None, after=HOSTILE),
        FieldChange(path="members", before=None, after=("ada@contoso.com", "grace@contoso.com")),
    ),
)
UPDATE = Change(
    address="temporaryAccessPass",
    action="update",
    fields=(
        FieldChange(
            path="include",
            before=(Record({"group": "pilot"}), Record({"group": "wave-6", "until": "2026-10-31"})),
            after=(Record({"group": "pilot"}), Record({"group": "tap-users"})),
        ),
        FieldChange(path="lifetime.maximum", before=60, after=120),
        FieldChange(path="oneTime", before=False, after=True),
    ),
    widens=True,
    reason="lapsed",
    notes=("keeps 1 target of a deleted group",),
    depends_on=("groups.tap-users",),
)
ASSIGNMENT = Change(
    address="webSignIn.windows-11",
    action="update",
    title="WIN - Web sign-in",
    fields=(
        FieldChange(
            path="assign.include",
            before=(Record({"group": "all-devices", "filter": "Old " + HOSTILE, "mode": "include"}),),
            after=(Record({"group": "all-devices", "filter": "Entra joined Windows 11", "mode": "include"}),),
        ),
        FieldChange(path="scopeTags", before=("Default", "Helpdesk"), after=("Default",)),
        FieldChange(path="settings.enableWebSignIn", before=None, after=True),
    ),
    reason="the filter was renamed by hand",
    notes=("keeps 3 settings that tapctl does not model",),
    by=Attribution(who=f"mallory {HOSTILE}", when="2026-11-20T10:15:00Z", via="Microsoft Intune portal"),
)
DELETE = Change(
    address="webSignIn.windows-10",
    action="delete",
    title="WIN10 - Web sign-in",
    fields=(
        FieldChange(path="displayName", before="WIN10 - Web sign-in", after=None),
        FieldChange(path="scopeTags", before=("Default",), after=None),
    ),
    irreversible=True,
)

ERROR_FINDING = Finding(
    rule="TAP021",
    severity="error",
    message='group key "tap-user" is not declared under `groups:`',
    why="the policy would have no target, and nobody could sign in",
    fix='did you mean "tap-users"?',
    position=Position("tenants/contoso west/a#1.yaml", 14, 15),
    excerpt="    include: [tap-user]",
    width=8,
    related=(("the group that is meant", Position("tenants/contoso west/a#1.yaml", 4, 3)),),
)
WARNING_FINDING = Finding(
    rule="TAP011",
    severity="warning",
    message=f'"{HOSTILE}" and "wave-7" share one policy',
    why="lifetimes are one value for all targets",
    fix="say so with `suppress:`",
    position=Position("tenants/contoso west/a#1.yaml", 31, 5),
    excerpt=f"  - 名前: {HOSTILE}",
    width=4,
)
INFO_FINDING = Finding(rule="TAP030", severity="info", message="the tenant has no dynamic group of Autopilot devices")
SUPPRESSED_FINDING = Finding(
    rule="TAP012",
    severity="warning",
    message="passes may be used more than once",
    position=Position("tenants/contoso west/a#1.yaml", 20, 3),
    excerpt="  oneTime: false",
    width=14,
    suppressed=True,
    suppress_reason=f"the helpdesk asked for it until June; {HOSTILE}",
)
FINDINGS = (ERROR_FINDING, WARNING_FINDING, INFO_FINDING, SUPPRESSED_FINDING)

IMPACT = Impact(
    users_gaining=ImpactCount(count=12, certainty="exact"),
    users_losing=ImpactCount(count=0, certainty="exact"),
    devices_gaining=ImpactCount(count=340, certainty="upper-bound"),
    devices_losing=ImpactCount(),
)

CONTOSO = TenantPlan(
    name="contoso",
    tenant_id=TENANT_ID,
    cloud="global",
    status="changes",
    changes=(UPDATE, CREATE, ASSIGNMENT, DELETE),
    findings=FINDINGS[1:],
    impact=IMPACT,
    guardrails=(
        Violation(
            rule="delete",
            message="deletes webSignIn.windows-10",
            address="webSignIn.windows-10",
            overridden=True,
            reason=f"Windows 10 is gone; {HOSTILE}",
        ),
    ),
    overrides={"delete": f"Windows 10 is gone; {HOSTILE}"},
    approval=APPROVAL,
    definitions={"groups.pilot": {"id": "0a6a3f0e-5a9b-4a63-8a3f-4b1c1d1b0001"}, "weights": [1, 0.5, None, True]},
    graph=GraphUsage(requests=11, calls=4, round_trips=2, throttled=0, seconds=0.75),
)
DENIED = TenantPlan(
    name="denied-$(reboot)",
    tenant_id="0b1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c12",
    cloud="sandbox",
    status="denied",
    exit_code=ExitCode.REFUSED,
    error=f"deletes webSignIn.windows-10; the break-glass group {HOSTILE} is not excluded",
    fix="change the files, or run again with `--override delete --reason TEXT`",
    changes=(DELETE,),
    guardrails=(
        Violation(rule="delete", message="deletes webSignIn.windows-10", address="webSignIn.windows-10"),
        Violation(rule="break-glass", message=f"the break-glass group {HOSTILE} is not excluded"),
    ),
    graph=GraphUsage(requests=11, calls=4, round_trips=2, throttled=1, seconds=0.8),
)
FAILED = TenantPlan(
    name="fabrikam",
    tenant_id="1b1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c13",
    cloud="usgov",
    status="failed",
    exit_code=ExitCode.FAILED,
    error=f"Graph answered 403 to reading the policy: {HOSTILE} (request-id 7a3e)",
    fix="grant the application Policy.Read.AuthenticationMethod",
    findings=(ERROR_FINDING,),
    graph=GraphUsage(requests=1, calls=1, round_trips=1, throttled=0, seconds=0.1),
)
CLEAN = TenantPlan(name="northwind", tenant_id=TENANT_ID, cloud="global", status="clean")

CREATED_AT = datetime(2026, 11, 22, 7, 29, tzinfo=UTC)

PLAN = PlanDocument(
    created_at=CREATED_AT, tapctl_version="0.1.0", command="plan", tenants=(CONTOSO, DENIED, FAILED, CLEAN)
)


def _ended(change: Change, outcome: Outcome) -> Change:
    return Change(
        address=change.address,
        action=change.action,
        title=change.title,
        fields=change.fields,
        widens=change.widens,
        irreversible=change.irreversible,
        reason=change.reason,
        notes=change.notes,
        depends_on=change.depends_on,
        outcome=outcome,
    )


APPLY = PlanDocument(
    created_at=CREATED_AT,
    tapctl_version="0.1.0",
    command="apply",
    tenants=(
        TenantPlan(
            name="contoso",
            tenant_id=TENANT_ID,
            cloud="sandbox",
            status="partial",
            exit_code=ExitCode.FAILED,
            error=f"temporaryAccessPass: somebody else changed it meanwhile: {HOSTILE}",
            fix="run plan again",
            changes=(
                _ended(CREATE, Outcome(name="applied")),
                _ended(
                    UPDATE,
                    Outcome(
                        name="failed",
                        message=f"somebody else changed it meanwhile: {HOSTILE}",
                        fix="run plan again",
                    ),
                ),
                _ended(ASSIGNMENT, Outcome(name="skipped", message="temporaryAccessPass failed")),
                _ended(DELETE, Outcome(name="waiting", message="multi-admin approval is pending")),
            ),
            journal=".tapctl/runs/20261122T072900Z-contoso.jsonl",
            graph=GraphUsage(requests=17, calls=9, round_trips=6, throttled=2, seconds=3.21),
        ),
    ),
)
