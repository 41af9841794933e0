from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tapctl.insight.attribution import MOST_PAGES, Attributions, AuditSubject, read_attributions
from tapctl.model.requests import Answer, Problem, ProblemKind, Read, Reply
from tapctl.model.values import JSONValue

NOW = datetime(2026, 11, 22, 7, 29, tzinfo=UTC)
POLICY = AuditSubject(address="temporaryAccessPass", id="TemporaryAccessPass", name="Temporary Access Pass policy")
GROUP = AuditSubject(address="groups.a", id="11111111-1111-1111-1111-111111111111", name="SG-A")
PROFILE = AuditSubject(address="webSignIn.w", id="22222222-2222-2222-2222-222222222222", name="WIN")


def _entry(target: dict[str, JSONValue], **more: JSONValue) -> JSONValue:
    return {
        "activityDateTime": "2026-11-20T10:01:19.5796748Z",
        "activityDisplayName": "Update group",
        "loggedByService": "Core Directory",
        "result": "success",
        "initiatedBy": {"app": None, "user": {"id": "u", "userPrincipalName": "admin@contoso.com"}},
        "targetResources": [target],
        **more,
    }


def _edit(name: str, old: JSONValue, new: JSONValue) -> JSONValue:
    changed: JSONValue = {"displayName": name, "oldValue": json.dumps(old), "newValue": json.dumps(new)}
    return _entry({"id": "00000000-0000-0000-0000-000000000000", "modifiedProperties": [changed]})


def _page(*entries: JSONValue, following: str | None = None) -> Answer:
    body: dict[str, JSONValue] = {"value": list(entries)}
    return Answer(200, body | ({"@odata.nextLink": following} if following else {}))


def _run(sought: Sequence[AuditSubject], *pages: Reply) -> tuple[Attributions, list[Read]]:
    """What is found when every round is answered with the next page, and what was asked for."""
    reading, asked, answers = read_attributions(sought, NOW), list[Read](), iter(pages)
    outcomes: Sequence[Reply] | None = None
    while True:
        try:
            reads = next(reading) if outcomes is None else reading.send(outcomes)
        except StopIteration as ended:
            found: Attributions = ended.value
            return found, asked
        asked += reads
        outcomes = [next(answers) for _ in reads]


PASSES: JSONValue = {"id": "TemporaryAccessPass", "isUsableOnce": True}
LOOSER: JSONValue = {"id": "TemporaryAccessPass", "isUsableOnce": False}
WHOLE: JSONValue = {"authenticationMethodConfigurations": [{"id": "Fido2"}, PASSES]}
OTHER: JSONValue = {"authenticationMethodConfigurations": [{"id": "Fido2"}, LOOSER]}
FIDO: JSONValue = {"authenticationMethodConfigurations": [{"id": "Fido2", "state": "enabled"}, PASSES]}


@pytest.mark.parametrize(
    ("entry", "is_about_passes"),
    [
        (_edit("TemporaryAccessPass.isUsableOnce", False, True), True),
        (_edit("Fido2.state", "disabled", "enabled"), False),
        (_edit("AuthenticationMethodsPolicy", WHOLE, OTHER), True),
        (_edit("AuthenticationMethodsPolicy", WHOLE, FIDO), False),
        (_edit("AuthenticationMethodsPolicy", json.dumps(WHOLE), json.dumps(OTHER)), True),
        (_edit("AuthenticationMethodsPolicy", None, None), False),
        (_edit("defaultLength", 8, 20), True),
        (_entry({"id": "TemporaryAccessPass", "displayName": None, "modifiedProperties": []}), True),
        (_entry({"id": "x", "displayName": "Temporary Access Pass", "modifiedProperties": []}), True),
        (_entry({"id": "Fido2", "displayName": "FIDO2", "modifiedProperties": []}), False),
    ],
    ids=[
        "changed property",
        "another method",
        "whole policy",
        "whole policy, another method",
        "text in text",
        "null",
        "a property of no other method",
        "target by id",
        "target by name",
        "another target",
    ],
)
def test_both_forms_of_a_policy_entry_are_read_and_other_methods_passed_over(
    entry: JSONValue, is_about_passes: bool
) -> None:
    found, _ = _run([POLICY], _page(entry))

    assert ("temporaryAccessPass" in found.by_address) is is_about_passes


def test_the_newest_successful_entry_on_the_object_counts() -> None:
    other = _entry({"id": "33333333-3333-3333-3333-333333333333"})
    failed = _entry({"id": GROUP.id}, result="failure")
    newest = _entry({"id": GROUP.id}, initiatedBy={"app": {"displayName": "Sync"}, "user": None})
    older = _entry({"id": GROUP.id})

    found, _ = _run([GROUP], _page(other, failed, newest, older))

    by = found.by_address["groups.a"]
    assert (by.who, by.when, by.via) == ("Sync", "2026-11-20T10:01:19Z", "Core Directory, Entra audit log")


def test_intune_names_the_person_or_the_application() -> None:
    def entry(kind: str) -> JSONValue:
        return {
            "activityDateTime": "2026-11-20T10:01:19Z",
            "activityResult": "Success",
            "actor": {"auditActorType": kind, "userPrincipalName": "a@contoso.com", "applicationDisplayName": "Portal"},
            "resources": [{"resourceId": PROFILE.id}],
        }

    assert _run([PROFILE], _page(entry("ItPro")))[0].by_address["webSignIn.w"].who == "a@contoso.com"
    assert _run([PROFILE], _page(entry("Application")))[0].by_address["webSignIn.w"].who == "Portal"


def test_pages_are_followed_until_all_is_found_and_never_far() -> None:
    link = "https://graph.microsoft.com/v1.0/auditLogs/directoryAudits?$skiptoken=x"

    found, asked = _run([GROUP], *[_page(following=link)] * 10)

    assert not found.by_address
    assert len(asked) == MOST_PAGES
    assert asked[1].path == "/auditLogs/directoryAudits?$skiptoken=x"
    assert len(_run([GROUP], _page(_entry({"id": GROUP.id}), following=link))[1]) == 1


def test_a_next_page_on_another_host_is_asked_of_graph_alone() -> None:
    _, asked = _run([GROUP], _page(following="https://evil.example/v1.0/groups?x=1"), _page())

    assert asked[1].path == "/groups?x=1"


def test_an_object_whose_id_is_gone_is_found_by_the_deletion_of_its_name() -> None:
    gone = AuditSubject(address="groups.a", id=None, name="SG-A")
    updated = _entry({"id": "x", "displayName": "SG-A"})
    deleted = _entry({"id": "x", "displayName": "SG-A"}, activityDisplayName="Delete group")

    assert not _run([gone], _page(updated))[0].by_address
    assert _run([gone], _page(deleted))[0].by_address


def test_one_round_asks_every_log_that_is_needed_and_no_other() -> None:
    _, asked = _run([POLICY, GROUP, PROFILE], _page(), _page(), _page())

    assert [read.path.partition("?")[0] for read in asked] == [
        "/auditLogs/directoryAudits",
        "/auditLogs/directoryAudits",
        "/deviceManagement/auditEvents",
    ]
    assert _run([])[1] == []


@pytest.mark.parametrize("body", [{}, {"value": None}, {"value": [1]}, {"value": [{"targetResources": 3}]}, []])
def test_an_answer_that_is_not_what_graph_documents_is_a_problem_and_no_failure(body: JSONValue) -> None:
    found, _ = _run([GROUP], Answer(200, body))

    assert [finding.rule for finding in found.findings()] == ["attribution-unavailable"]


def test_one_warning_names_each_log_that_could_not_be_read() -> None:
    denied = Problem(
        kind=ProblemKind.DENIED, purpose="reading Entra's audit log", message="no", permission="AuditLog.Read.All"
    )

    found, _ = _run([POLICY, GROUP], denied, denied)

    (warning,) = found.findings()
    assert warning.severity == "warning"
    assert "AuditLog.Read.All" in warning.fix


def test_a_record_of_an_added_member_names_its_group_among_the_properties() -> None:
    """The only target may be the member."""
    named: JSONValue = {"displayName": "Group.ObjectID", "oldValue": None, "newValue": f'"{GROUP.id}"'}
    target: dict[str, JSONValue] = {"id": "user", "type": "User", "modifiedProperties": [named]}

    found, _ = _run([GROUP], _page(_entry(target, activityDisplayName="Add member to group")))

    assert found.by_address["groups.a"].who == "admin@contoso.com"


@pytest.mark.parametrize(
    ("paths", "who"),
    [({"rule"}, "admin@contoso.com"), ({"members"}, "the service"), ({"displayName", "members"}, "the service")],
)
def test_who_changed_a_list_is_not_blamed_for_a_field_nor_the_other_way_round(paths: set[str], who: str) -> None:
    target: dict[str, JSONValue] = {"id": GROUP.id, "displayName": GROUP.name}
    service: JSONValue = {"app": {"displayName": "the service"}, "user": None}
    moved = _entry(target, activityDisplayName="Add member to group", initiatedBy=service)
    owned = _entry(target, activityDisplayName="Add owner to group", initiatedBy={"user": {"id": "nobody"}})

    found, _ = _run([replace(GROUP, paths=frozenset(paths))], _page(owned, moved, _entry(target)))

    assert found.by_address[GROUP.address].who == who
