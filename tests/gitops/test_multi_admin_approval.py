"""Intune's multi-admin approval: a protected write waits for a second administrator, and a later apply picks it up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tapctl.model.settings import PROVIDERS
from tests.gitops.repository import Done, Repository

PROTECTED: Mapping[str, object] = {"approval_for": ["configurationPolicies", "deviceConfigurations"]}
PROFILE = "webSignIn.windows-11"
REASON = "Änderung 4711"


def apply(repository: Repository, *arguments: str, **switches: object) -> Done:
    repository.forget()
    return repository.run("apply", "--yes", *arguments, behaviour={**PROTECTED, **switches})


def requests(repository: Repository) -> list[dict[str, Any]]:
    """The requests for approval, oldest first."""
    found = repository.objects("operationApprovalRequests").values()
    return sorted(found, key=lambda item: str(item["requestDateTime"]))


def decide(repository: Repository, status: str) -> None:
    for request in requests(repository):
        if request["status"] == "needsApproval":
            repository.tamper(f"approvals.{request['id']}", f"status={status}")


@pytest.fixture
def changing(repository: Repository) -> Repository:
    """A change of the protected profile, and one of the policy, which nothing protects."""
    repository.edit("defaultCredentialProvider: pin", "defaultCredentialProvider: password")
    repository.edit("  include: [tap-users]\n", "  include: [tap-users]\n  length: 12\n")
    return repository


def is_changed(repository: Repository) -> bool:
    """Whether the change of the profile was carried out."""
    settings = str(repository.named("configurationPolicies", "WIN - Web sign-in")["_settings"])
    return PROVIDERS["password"].lower() in settings.lower()


@pytest.mark.parametrize("status", [400, 403, 409])
def test_without_a_reason_the_change_is_refused_and_names_the_option(changing: Repository, status: int) -> None:
    done = apply(changing, approval_status=status)

    assert (done.code, done.tenant["status"]) == (3, "partial")
    assert done.outcomes == {"temporaryAccessPass": "applied", PROFILE: "failed"}
    assert "--reason" in done.tenant["fix"]
    assert requests(changing) == []


@pytest.mark.parametrize("status", [400, 403, 409])
def test_with_a_reason_the_change_waits_and_the_others_go_on(changing: Repository, status: int) -> None:
    done = apply(changing, "--reason", REASON, approval_status=status)

    assert (done.code, done.tenant["status"]) == (2, "waiting")
    assert done.outcomes == {"temporaryAccessPass": "applied", PROFILE: "waiting"}
    (request,) = requests(changing)
    assert (request["requestJustification"], request["status"]) == (REASON, "needsApproval")
    assert not is_changed(changing)


@pytest.mark.parametrize("arguments", [(), ("--reason", REASON), ("--reason", "another one")])
def test_until_it_is_approved_it_goes_on_waiting_without_a_second_request(
    changing: Repository, arguments: tuple[str, ...]
) -> None:
    apply(changing, "--reason", REASON)

    again = apply(changing, *arguments)

    assert (again.code, again.outcomes) == (2, {PROFILE: "waiting"})
    assert len(requests(changing)) == 1


@pytest.mark.parametrize("arguments", [(), ("--reason", REASON)])
def test_once_approved_a_later_apply_carries_it_out(changing: Repository, arguments: tuple[str, ...]) -> None:
    apply(changing, "--reason", REASON)
    decide(changing, "approved")

    done = apply(changing, *arguments)

    assert (done.code, done.outcomes) == (0, {PROFILE: "applied"})
    assert is_changed(changing)
    assert [item["status"] for item in requests(changing)] == ["completed"]
    assert changing.run("plan").tenant["status"] == "clean"


@pytest.mark.parametrize("arguments", [(), ("--reason", REASON)])
def test_a_rejected_request_is_a_failure_that_is_not_asked_again(
    changing: Repository, arguments: tuple[str, ...]
) -> None:
    apply(changing, "--reason", REASON)
    decide(changing, "rejected")

    done = apply(changing, *arguments)

    assert (done.code, done.outcomes) == (3, {PROFILE: "failed"})
    assert "rejected" in done.tenant["error"]
    assert len(requests(changing)) == 1


def test_another_reason_asks_again_after_a_rejection(changing: Repository) -> None:
    apply(changing, "--reason", REASON)
    decide(changing, "rejected")

    done = apply(changing, "--reason", "talked it over")

    assert (done.code, done.outcomes) == (2, {PROFILE: "waiting"})
    assert [item["requestJustification"] for item in requests(changing)] == [REASON, "talked it over"]


@pytest.mark.parametrize("status", ["needsApproval", "approved"])
def test_an_expired_request_is_asked_anew(changing: Repository, status: str) -> None:
    apply(changing, "--reason", REASON)
    (request,) = requests(changing)
    changing.tamper(f"approvals.{request['id']}", f"status={status}", "expirationDateTime=2026-01-01T00:00:00Z")

    without = apply(changing)
    again = apply(changing, "--reason", REASON)

    assert (without.code, again.code, again.outcomes) == (3, 2, {PROFILE: "waiting"})
    assert len(requests(changing)) == 2
    assert not is_changed(changing)


def test_what_is_made_waits_at_each_of_its_writes_and_is_made_once(fresh: Repository) -> None:
    """The create and the assignment are two protected writes."""
    first = apply(fresh, "--reason", REASON)
    decide(fresh, "approved")
    second = apply(fresh, "--reason", REASON)
    decide(fresh, "approved")
    third = apply(fresh, "--reason", REASON)

    assert [done.code for done in (first, second, third)] == [2, 2, 0]
    assert first.outcomes == {"groups.tap-users": "applied", "temporaryAccessPass": "applied", PROFILE: "waiting"}
    assert second.outcomes == third.outcomes | {PROFILE: "waiting"}
    assert fresh.named("configurationPolicies", "WIN - Web sign-in")["_assignments"]
    assert fresh.run("plan").tenant["status"] == "clean"


def test_an_approved_create_whose_answer_is_lost_is_looked_for_and_not_sent_again(fresh: Repository) -> None:
    apply(fresh, "--reason", REASON)
    decide(fresh, "approved")
    lost = {"action": "lose-after", "method": "POST", "path": "configurationPolicies$", "first": 2, "last": 2}

    done = fresh.run("apply", "--yes", "--reason", REASON, behaviour=PROTECTED, faults=[lost])

    # What waits now is the assignment: the profile itself was made and found.
    assert (done.code, done.outcomes) == (2, {PROFILE: "waiting"})
    assert fresh.named("configurationPolicies", "WIN - Web sign-in")["_assignments"] == []


def two_profiles(repository: Repository) -> None:
    """Two protected changes under one reason."""
    repository.edit(
        "    scopeTags: [Default]",
        "    scopeTags: [Default]\n  floor:\n    displayName: WIN - Floor\n    delivery: oma-uri\n"
        "    settings: {enableWebSignIn: true}\n    scopeTags: [Default]",
    )
    repository.succeed("apply", "--yes")
    repository.edit("scopeTags: [Default]", "scopeTags: [Default, Pilot]")


def test_of_two_requests_each_belongs_to_its_own_write(repository: Repository) -> None:
    two_profiles(repository)
    apply(repository, "--reason", REASON)
    repository.tamper(f"approvals.{requests(repository)[-1]['id']}", "status=approved")

    done = apply(repository, "--reason", REASON)

    assert sorted(done.outcomes.values()) == ["applied", "waiting"]
    assert len(requests(repository)) == 2


def test_the_rejection_of_one_is_seen_while_another_is_open(repository: Repository) -> None:
    two_profiles(repository)
    apply(repository, "--reason", REASON)
    repository.tamper(f"approvals.{requests(repository)[0]['id']}", "status=rejected")

    done = apply(repository, "--reason", REASON)

    assert done.code == 3
    assert sorted(done.outcomes.values()) == ["failed", "waiting"]
    assert len(requests(repository)) == 2


def test_a_deletion_waits_too(repository: Repository) -> None:
    repository.edit("  windows-11:\n", "  windows-11:\n    ensure: absent\n")
    override = ("--override", "delete", "--reason", REASON)

    waiting = apply(repository, *override)
    decide(repository, "approved")
    done = apply(repository, *override)

    assert (waiting.code, done.code) == (2, 0)
    assert not [item for item in repository.objects("configurationPolicies").values() if "Web sign-in" in item["name"]]


def test_the_request_of_somebody_else_is_not_used(changing: Repository) -> None:
    apply(changing, "--reason", REASON)
    decide(changing, "approved")
    (request,) = requests(changing)
    stranger = {"application": {"id": "11111111-1111-4111-8111-111111111111", "displayName": "Other"}, "user": None}
    changing.put("operationApprovalRequests", {**request, "requestor": stranger})

    done = apply(changing, "--reason", REASON)

    assert (done.code, done.outcomes) == (2, {PROFILE: "waiting"})
    assert len(requests(changing)) == 2


def test_a_tenant_without_protection_ignores_the_reason(changing: Repository) -> None:
    done = changing.run("apply", "--yes", "--reason", REASON)

    assert (done.code, requests(changing)) == (0, [])
