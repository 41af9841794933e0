"""Intune's requests for approval, as far as published clients show what they look like."""

from __future__ import annotations

import base64

import pytest

from tapctl.kinds import approval_requests
from tapctl.kinds.deliveries import intune_write
from tapctl.kinds.wire import JSONObject
from tapctl.model.requests import Answer, Problem, ProblemKind, Reply, Write
from tapctl.reconcile.second_administrator import is_wanted

WRITE = intune_write("updating a profile", "PATCH", "/deviceManagement/configurationPolicies/1", {"name": "New"})


def refused(message: str = "", **headers: str) -> Problem:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return Problem(kind=ProblemKind.REFUSED, purpose="updating", message=message, status=403, headers=names)


def read(outcome: Reply) -> tuple[approval_requests.ApprovalRequest, ...] | Problem:
    reading = approval_requests.read_requests()
    next(reading)
    with pytest.raises(StopIteration) as finished:
        reading.send([outcome])
    result: tuple[approval_requests.ApprovalRequest, ...] | Problem = finished.value.value
    return result


def test_requests_are_read_newest_first() -> None:
    old: JSONObject = {"id": "1", "status": "approved", "requestDateTime": "2026-11-20T08:00:00Z"}
    new: JSONObject = {
        "id": "2",
        "status": "rejected",
        "requestDateTime": "2026-11-21T08:00:00Z",
        "requestJustification": "x",
    }
    seen = read(Answer(200, {"value": [old, new]}))

    assert isinstance(seen, tuple)
    said = [(item.id, item.status, item.justification) for item in seen]
    assert said == [("2", "rejected", "x"), ("1", "approved", "")]


def test_every_id_of_the_requestor_is_known_however_deep() -> None:
    requestor: JSONObject = {"user": {"id": "AB", "displayName": "Ada"}, "application": {"id": "cd"}, "device": None}
    seen = read(Answer(200, {"value": [{"id": "1", "requestor": requestor}]}))

    assert isinstance(seen, tuple)
    assert seen[0].requestor_ids == {"ab", "cd"}


def test_an_answer_that_is_no_list_is_a_problem() -> None:
    assert isinstance(read(Answer(200, {"value": None})), Problem)


@pytest.mark.parametrize(
    "refusal",
    [
        refused(x_msft_approval_code="1"),
        refused("The header x-msft-approval-justification is missing"),
        refused("An approval request already exists"),
    ],
)
def test_a_write_to_intune_that_is_refused_so_needs_a_second_administrator(refusal: Problem) -> None:
    assert is_wanted(WRITE, refusal)


def test_a_write_to_another_service_never_does() -> None:
    write = Write(purpose="updating a group", version="v1.0", method="PATCH", path="/groups/1")

    assert not is_wanted(write, refused("An approval request already exists"))


def test_any_other_refusal_is_no_matter_of_approval() -> None:
    assert not is_wanted(WRITE, refused("Forbidden"))


def test_a_long_reason_is_cut_before_it_is_encoded() -> None:
    sent = approval_requests.with_justification(WRITE, "é" * 2000).headers[approval_requests.JUSTIFICATION_HEADER]

    assert base64.b64decode(sent).decode() == "é" * approval_requests.LONGEST_JUSTIFICATION
