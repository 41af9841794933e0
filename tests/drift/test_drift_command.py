from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tests.drift.harness import Done, Repository

POLICY = "temporaryAccessPass"
PROFILE = "webSignIn.WIN - Web sign-in"


SCHEMAS = Path(__file__).parents[2] / "schemas"


def _drift(repository: Repository, *more: str, **environment: str) -> Done:
    return repository.run("drift", "--tenant", "acme", "--format", "json", *more, **environment)


def test_without_drift_the_exit_code_is_0_and_no_audit_log_is_read(repository: Repository) -> None:
    done = _drift(repository, "--log-level", "debug")

    assert done.code == 0
    assert done.tenant("acme")["status"] == "clean"
    assert done.tenant("acme")["graph"]["calls"] == 4


def test_with_drift_the_exit_code_is_2_and_the_document_is_that_of_a_plan(repository: Repository) -> None:
    repository.tamper("acme", POLICY, "length=12")

    done = _drift(repository)

    schema = json.loads((SCHEMAS / "plan.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator(schema).validate(done.json)
    assert done.code == 2
    assert done.json["command"] == "drift"
    assert done.change("acme", POLICY)["fields"] == [{"path": "length", "before": 12, "after": 8}]


@pytest.mark.parametrize(
    ("address", "tampered", "change", "log"),
    [
        (POLICY, POLICY, "length=12", "Entra audit log"),
        ("groups.pass-users", "groups.SG-Pass-Users", "members-=ada@contoso.com", "Entra audit log"),
        (
            "groups.devices",
            "groups.SG-Kiosk-Devices",
            'rule=(device.displayName -startsWith "LOBBY")',
            "Entra audit log",
        ),
        ("webSignIn.windows-11", PROFILE, "settings.enableWebSignIn=false", "Intune audit log"),
        ("webSignIn.windows-11", PROFILE, "assign.include+=SG-Research-Dynamic", "Intune audit log"),
    ],
)
def test_who_changed_it_and_when_come_from_the_audit_logs(
    repository: Repository, address: str, tampered: str, change: str, log: str
) -> None:
    repository.tamper("acme", tampered, change)

    by = _drift(repository).change("acme", address)["by"]

    assert by["who"] == "admin@contoso.com"
    assert by["when"].endswith("Z")
    assert log in by["via"]


@pytest.mark.parametrize(
    ("address", "tampered"), [("groups.pilots", "groups.SG-Pilots"), ("webSignIn.windows-11", PROFILE)]
)
def test_who_deleted_an_object_is_found_by_its_name(repository: Repository, address: str, tampered: str) -> None:
    repository.tamper("acme", tampered, "--delete")

    change = _drift(repository).change("acme", address)

    assert change["action"] == "create"
    assert change["reason"] == "drift"
    assert change["by"]["who"] == "admin@contoso.com"


def test_without_a_base_what_did_not_lapse_is_drift(repository: Repository) -> None:
    repository.write("tenants/acme.yaml", "maximum: 4h", "maximum: 5h")

    assert _drift(repository).change("acme", POLICY)["reason"] == "drift"


def test_with_a_base_what_git_is_ahead_of_is_pending_and_nobody_is_blamed(repository: Repository) -> None:
    repository.write("tenants/acme.yaml", "maximum: 4h", "maximum: 5h")
    repository.write("tenants/acme.yaml", "members: [alan@contoso.com]", "members: [alan@contoso.com, Ada@contoso.com]")

    done = _drift(repository, "--base", "HEAD")

    assert {change["reason"] for change in done.tenant("acme")["changes"]} == {"pending"}
    assert all("by" not in change for change in done.tenant("acme")["changes"])
    assert done.code == 2


def test_a_change_is_drift_when_one_of_its_fields_is(repository: Repository) -> None:
    repository.write("tenants/acme.yaml", "maximum: 4h", "maximum: 5h")
    repository.tamper("acme", POLICY, "length=12")

    done = _drift(repository, "--base", "HEAD")

    assert [field["path"] for field in done.change("acme", POLICY)["fields"]] == ["length", "lifetime.maximum"]
    assert done.change("acme", POLICY)["reason"] == "drift"


def test_a_new_declaration_is_pending_and_a_deleted_object_is_drift(repository: Repository) -> None:
    repository.write("tenants/acme.yaml", "  devices:\n", "  fresh: {displayName: SG-Fresh}\n  devices:\n")
    repository.tamper("acme", "groups.SG-Pilots", "--delete")

    done = _drift(repository, "--base", "HEAD")

    assert done.change("acme", "groups.fresh")["reason"] == "pending"
    assert done.change("acme", "groups.pilots")["reason"] == "drift"


def test_everything_of_a_tenant_that_the_base_did_not_have_is_pending(repository: Repository) -> None:
    repository.git("rm", "--quiet", "--cached", "tenants/acme.yaml")
    base = repository.git("-c", "core.safecrlf=false", "write-tree").strip()
    commit = repository.git("commit-tree", base, "-m", "Before it came").strip()
    repository.write("tenants/acme.yaml", "maximum: 4h", "maximum: 5h")

    assert _drift(repository, "--base", commit).change("acme", POLICY)["reason"] == "pending"


def test_an_entry_whose_day_has_passed_is_lapsed(repository: Repository) -> None:
    repository.write("tenants/acme.yaml", "until: 2031-12-15", "until: 2020-12-15")

    assert _drift(repository).change("acme", POLICY)["reason"] == "lapsed"
    assert _drift(repository, "--base", "HEAD").change("acme", POLICY)["reason"] == "lapsed"


def test_a_base_that_is_invalid_is_a_warning_and_makes_nothing_pending(repository: Repository) -> None:
    repository.write("tenants/acme.yaml", "maximum: 4h", "maximum: 4 weeks")
    base = repository.commit("Invalid")
    repository.write("tenants/acme.yaml", "maximum: 4 weeks", "maximum: 5h")

    done = _drift(repository, "--base", base)

    assert "base-unreadable" in done.rules("acme")
    assert done.change("acme", POLICY)["reason"] == "drift"


def test_an_unknown_base_is_wrong_usage(repository: Repository) -> None:
    assert _drift(repository, "--base", "nowhere").code == 64
    assert _drift(repository, "--base=--output=x").code == 64


def test_a_denied_audit_log_is_a_warning_that_names_the_permission(repository: Repository) -> None:
    repository.tamper("acme", POLICY, "length=12")
    repository.tamper("acme", PROFILE, "settings.enableWebSignIn=false")
    denied = {"action": "status", "status": 403, "path": "auditLogs|auditEvents", "code": "Forbidden"}

    done = _drift(repository, TAPCTL_SANDBOX_FAULTS=json.dumps([denied]))

    warnings = [item for item in done.tenant("acme")["findings"] if item["rule"] == "attribution-unavailable"]
    assert done.code == 2
    assert ["AuditLog.Read.All" in item["fix"] for item in warnings] == [True, False]
    assert "DeviceManagementApps.Read.All" in warnings[1]["fix"]
    assert "by" not in done.change("acme", POLICY)


@pytest.fixture
def webhook() -> Iterator[tuple[str, list[bytes]]]:
    """A webhook on this machine, and what was posted to it."""
    received: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(500 if self.path.endswith("broken") else 200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - of http.server
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/secret-part", received
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_summary_is_posted_to_the_webhook_that_a_variable_names(
    repository: Repository, webhook: tuple[str, list[bytes]]
) -> None:
    address, received = webhook
    repository.tamper("acme", "groups.SG-Pass-Users", "displayName=<!channel> `x`")

    done = repository.run("drift", "--notify", "OUR_WEBHOOK", "--log-level", "debug", OUR_WEBHOOK=address)

    (body,) = received
    text = json.loads(body)["text"]
    assert done.code == 2
    assert "groups.pass-users" in text
    assert "<!channel>" not in text
    assert "secret-part" not in done.out + done.err


def test_a_webhook_that_fails_is_a_warning_and_changes_no_exit_code(
    repository: Repository, webhook: tuple[str, list[bytes]]
) -> None:
    repository.tamper("acme", POLICY, "length=12")

    done = repository.run("drift", "--notify", f"{webhook[0]}/broken")

    assert done.code == 2
    assert "HTTP 500" in done.err
    assert "secret-part" not in done.out + done.err


def test_without_drift_the_webhook_is_left_alone(repository: Repository, webhook: tuple[str, list[bytes]]) -> None:
    assert repository.run("drift", "--notify", webhook[0]).code == 0
    assert webhook[1] == []


@pytest.mark.parametrize("address", ["http://example.com/secret-part", "secret-part", "NOT_SET_ANYWHERE", "https://"])
def test_a_webhook_that_is_no_https_address_is_wrong_usage(repository: Repository, address: str) -> None:
    done = repository.run("drift", "--notify", address)

    assert done.code == 64
    assert "secret-part" not in done.err


def test_metrics_count_changes_by_tenant_kind_and_reason(repository: Repository) -> None:
    repository.tamper("acme", POLICY, "length=12")

    assert repository.run("drift", "--metrics", "drift.prom").code == 2

    lines = (repository.path / "drift.prom").read_text(encoding="utf-8").splitlines()
    assert 'tapctl_drift_changes{tenant="acme",kind="temporaryAccessPass",reason="drift"} 1' in lines
    assert 'tapctl_drift_changes{tenant="globex",kind="temporaryAccessPass",reason="drift"} 0' in lines
    assert 'tapctl_run_success{tenant="acme"} 1' in lines


def test_a_tenant_that_could_not_be_read_has_no_count_of_changes(repository: Repository) -> None:
    repository.write("tenants/acme.yaml", "maximum: 4h", "maximum: 4 weeks")

    assert repository.run("drift", "--metrics", "drift.prom").code == 3

    text = (repository.path / "drift.prom").read_text(encoding="utf-8")
    assert 'tapctl_drift_changes{tenant="acme"' not in text
    assert 'tapctl_run_success{tenant="acme"} 0' in text
