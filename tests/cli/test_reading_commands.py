"""Commands that only read cannot write, and nothing is sent for a token of another tenant."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tapctl.rules.catalogue import BY_ID
from tapctl.sandbox.connect import mint_token
from tests.support.cli import CommandLine
from tests.support.world import EXAMPLES, TENANT_ID

OTHER = "7f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c12"
BY_TOKEN = f"""
    tenant: {{id: {TENANT_ID}, cloud: sandbox, auth: {{method: token, tokenVariable: TAPCTL_TOKEN}}}}
    temporaryAccessPass: {{length: 12}}
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("validate",),
        ("plan",),
        ("plan", "--out", "plan.json"),
        ("plan", "--impact", "exact"),
        ("plan", "--detailed-exitcode", "--format", "github"),
        ("import", "--tenant", "contoso"),
    ],
)
def test_a_command_that_reads_sends_no_write(cli: CommandLine, arguments: tuple[str, ...]) -> None:
    cli.examples()

    assert cli.run(*arguments).code in (0, 2)

    assert cli.writes == []


def test_sarif_describes_a_rule_by_the_catalogue_and_not_by_its_first_finding(cli: CommandLine) -> None:
    cli.write("temporaryAccessPass: {state: enabled, lifetime: {maximum: 30d}, oneTime: false}")

    (log,) = cli.run("validate", "--format", "sarif").json["runs"]

    known = [rule for rule in log["tool"]["driver"]["rules"] if rule["id"] in BY_ID]
    assert known
    for rule in known:
        assert rule["shortDescription"]["text"] == f"Fires when {BY_ID[rule['id']].condition}."


@pytest.mark.parametrize("arguments", [("validate",), ("show", "plan.json")])
def test_an_offline_command_sends_nothing(cli: CommandLine, arguments: tuple[str, ...]) -> None:
    cli.examples()
    cli.run("plan", "--out", "plan.json")
    cli.forget()

    assert cli.run(*arguments).code == 0

    assert cli.requests == ()


@pytest.mark.parametrize("values", [("zzz", "pilot"), ("pilot", "pilot")])
def test_a_label_is_selected_once(cli: CommandLine, values: tuple[str, str]) -> None:
    """The last one would win, and an apply would go to a ring that nobody meant."""
    cli.examples()

    ran = cli.run("plan", *[word for value in values for word in ("--select", f"ring={value}")])

    assert (ran.code, ran.out, cli.requests) == (64, "", ())
    assert "'ring' twice" in ran.err


@pytest.mark.parametrize("arguments", [("plan",), ("apply", "--yes"), ("apply", "--only", "lapsed")])
def test_a_token_of_another_tenant_fails_and_nothing_is_sent(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    cli.write(BY_TOKEN)
    monkeypatch.setenv("TAPCTL_TOKEN", mint_token(OTHER))

    ran = cli.run(*arguments, "--format", "json")

    assert (ran.code, ran.tenant["status"]) == (1, "failed")
    assert OTHER in ran.tenant["error"]
    assert cli.requests == ()


def test_the_right_token_is_taken(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.write(BY_TOKEN)
    monkeypatch.setenv("TAPCTL_TOKEN", mint_token(TENANT_ID))

    assert cli.plan("--detailed-exitcode").code == 2


def _unreadable(payload: str) -> str:
    return f"e30.{base64.urlsafe_b64encode(payload.encode()).decode().rstrip('=')}."


@pytest.mark.parametrize(
    "token",
    ["", "no-jwt-secret", _unreadable("[]"), _unreadable("{}"), _unreadable("{"), mint_token(TENANT_ID, exp=1000)],
    ids=["empty", "no JWT", "no claims", "no tid", "broken", "expired"],
)
def test_a_token_that_says_nothing_of_its_tenant_fails_and_is_never_quoted(
    cli: CommandLine, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    cli.write(BY_TOKEN)
    monkeypatch.setenv("TAPCTL_TOKEN", token)

    ran = cli.plan("--log-level", "debug")

    assert ran.code == 1
    assert cli.requests == ()
    if token:
        assert token not in ran.out + ran.err


def test_the_secret_is_in_no_output_log_or_journal(cli: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    cli.write(BY_TOKEN)
    token = mint_token(TENANT_ID)
    monkeypatch.setenv("TAPCTL_TOKEN", token)

    ran = cli.apply("--yes", "--log-level", "debug", "--journal", "run.jsonl")

    assert ran.code == 0
    assert token not in ran.out + ran.err + (cli.folder / "run.jsonl").read_text()


UNKNOWN: dict[str, dict[str, Any]] = {
    "403": {"action": "status", "status": 403},
    "an HTML page": {"action": "html", "status": 200},
    "broken JSON": {"action": "broken-json"},
}


@pytest.mark.parametrize("what", UNKNOWN)
@pytest.mark.parametrize("command", [("plan", "--detailed-exitcode"), ("apply", "--yes")])
def test_a_read_that_fails_is_exit_1_and_no_change_is_claimed(
    cli: CommandLine, what: str, command: tuple[str, ...]
) -> None:
    cli.examples()
    cli.fail({**UNKNOWN[what], "path": r"/groups\(uniqueName='tapctl-tap-users'\)|batch"})

    ran = cli.run(*command, "--tenant", "contoso", "--format", "json")

    assert (ran.code, ran.tenant["status"], ran.tenant["changes"]) == (1, "failed", [])
    assert ran.tenant["error"]
    assert ran.tenant["approval"] is None
    assert cli.writes == []


def test_a_timeout_bounds_the_whole_run(cli: CommandLine) -> None:
    cli.examples()
    cli.fail({"action": "delay", "seconds": 30})
    began = time.monotonic()

    ran = cli.plan("--tenant", "contoso", "--timeout", "0.3")

    assert ran.code == 1
    assert "no answer" in ran.tenant["error"]
    assert time.monotonic() - began < 10


@pytest.mark.parametrize(
    ("output_format", "sent"), [("text", signal.SIGINT), ("json", signal.SIGINT), ("json", signal.SIGTERM)]
)
def test_an_interrupted_apply_ends_with_130_and_says_what_became_of_each_change(
    tmp_path: Path, output_format: str, sent: signal.Signals
) -> None:
    log = tmp_path / "requests.jsonl"
    faults = [{"action": "delay", "seconds": 30, "writes": True, "first": 4}]
    environment = {
        **os.environ,
        "TAPCTL_SANDBOX_DIR": "state",
        "TAPCTL_SANDBOX_LOG": str(log),
        "TAPCTL_SANDBOX_FAULTS": json.dumps(faults),
    }
    command = [sys.executable, "-m", "tapctl", "apply", str(EXAMPLES / "contoso.yaml"), "--yes"]
    with subprocess.Popen(
        [*command, "--format", output_format],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while not log.exists() or 'temporaryAccessPass", "query": "", "body": {' not in log.read_text():
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        process.send_signal(sent)
        out, err = process.communicate(timeout=20)

    assert process.returncode == 130
    assert "Traceback" not in out + err
    if output_format == "json":
        (tenant,) = json.loads(out)["tenants"]
        outcomes = {change["address"]: change["outcome"] for change in tenant["changes"]}
        assert outcomes["groups.tap-users"] == "applied"
        assert outcomes["temporaryAccessPass"] == "failed"
        assert outcomes["webSignIn.windows-11"] == "skipped"
        assert tenant["exitCode"] == 130
