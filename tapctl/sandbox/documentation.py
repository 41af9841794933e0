"""Writes the tables of README.md beside this file from the route table, the switches and the faults.

Run `python -m tapctl.sandbox.documentation` after changing one of them.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Iterator
from dataclasses import fields
from itertools import pairwise
from pathlib import Path

from tapctl.sandbox import faults
from tapctl.sandbox.behaviour import Behaviour
from tapctl.sandbox.routes import ROUTES
from tapctl.sandbox.tamper import PLAIN_ADDRESSES

README = Path(__file__).with_name("README.md")

_HEAD = """\
# The sandbox

A tenant embedded in tapctl: an ASGI application that behaves like Microsoft Graph for every call that tapctl makes, its
state in one local file. `cloud: sandbox` reaches it in process, through the same HTTP code path as the real Graph;
`tapctl sandbox serve` puts it on a loopback port for other clients. It shares no code with the client.

| module | owns |
|---|---|
| `connect`, `transport`, `server`, `app` | the ways in: httpx in process, a loopback port, ASGI |
| `tenant`, `batch`, `routes`, `wire` | one request from its arrival to its answer |
| `state`, `seed`, `exchange` | the objects, replication delay, the file; what a fresh tenant holds |
| `tokens`, `permissions`, `errors`, `odata` | who may do what; how Graph refuses; query options |
| `tap_policy`, `passes` | the TAP policy; the pass of one user |
| `groups`, `users`, `directory`, `membership_rules` | the directory |
| `profiles`, `definitions`, `assignments`, `custom_profiles`, `approvals` | Intune |
| `audit`, `tenant_objects` | both audit logs; collections that are only read |
| `behaviour`, `faults` | the switches and faults listed below |
| `tamper`, `summary` | `sandbox tamper` and `sandbox show` |
| `documentation` | this file |

## State

`.tapctl/sandbox/TENANT-ID.json` at the Git top level, else in the current folder; `TAPCTL_SANDBOX_DIR` names another
folder. The file (0600) is made by the first change. Until then, and after `tapctl sandbox reset`, the tenant is the
seed, a small Contoso whose object ids follow from the tenant id. Secrets of passes are answered once and kept nowhere.

## Tokens

Any JWT, unsigned too, whose `tid` is the tenant id and which has not expired. If it has `roles` (or `scp`), each call
needs one of the permissions in the table below; without, none is asked for.

## Telling it how to behave and to fail

| variable | holds |
|---|---|
| `TAPCTL_SANDBOX_BEHAVIOUR` | a JSON object of switches, or `@file` |
| `TAPCTL_SANDBOX_FAULTS` | a JSON list of faults, or `@file` |
| `TAPCTL_SANDBOX_LOG` | a file that gets one JSON line for every request |

A line of the log has `time`, `version`, `method`, `path`, `query`, `body`, `status` (0: lost before carried out),
`batch` (it came as a part of one), `write` (it changes the tenant).

A fault names an `action` and what it strikes: `method`, `path` (a regular expression, searched in path and query below
the version, case ignored), `version`, `writes` (true: only requests that change something), `first` and `last`
occurrence, counted from 1 for each rule in each process. What is left out matches everything. In a batch, `status` and
`throttle` strike the part, every other action the whole call; a rule that matches `/$batch` itself leaves the parts
alone.
"""


def render() -> str:
    """README.md as it should be."""
    return "\n".join([_HEAD, *_faults(), "", *_switches(), "", *_tamper(), "", *_calls(), ""])


def _faults() -> Iterator[str]:
    yield from ("| action | what happens |", "|---|---|")
    for action, meaning in faults.ACTIONS.items():
        yield f"| `{action}` | {meaning} |"


_SWITCHES = """\
## Switches

Where sources are silent or disagree about Graph, or tenants differ, a switch decides.

| switch | default | stands for |
|---|---|---|"""


def _switches() -> Iterator[str]:
    yield _SWITCHES
    meanings = switch_meanings()
    for switch in fields(Behaviour):
        default = json.dumps(switch.default)
        yield f"| `{switch.name}` | `{default}` | {meanings[switch.name]} |"


def switch_meanings() -> dict[str, str]:
    """The text beneath each field of `Behaviour`."""
    tree = ast.parse(inspect.getsource(Behaviour))
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef))
    found = {}
    for field, text in pairwise(body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(meaning))):
                found[name] = " ".join(meaning.split())
    return found


_TAMPER = """\
## Tampering

`tapctl sandbox tamper ADDRESS FIELD=VALUE…` changes things as an admin in the portal would. Lists (`include`,
`exclude`, `members`, `scopeTags`, `assign.include`, `assign.exclude`) take `+=` and `-=` as well; an assignment is
`GROUP|FILTER|MODE`.

| address | fields |
|---|---|
| `temporaryAccessPass` | `state`, `lifetime.…`, `length`, `oneTime`, `include`, `exclude` |
| `groups.NAME` | `displayName`, `description`, `members`, `rule` |
| `webSignIn.NAME` | `displayName`, `description`, `settings.…`, `assign.include`, `assign.exclude`, `scopeTags` |"""


def _tamper() -> Iterator[str]:
    yield _TAMPER
    for kind in PLAIN_ADDRESSES:
        yield f"| `{kind}.NAME` | Graph's own properties |"


def _calls() -> Iterator[str]:
    yield "## What is emulated"
    yield ""
    yield "Besides `POST /$batch` in both versions. Everything else answers 501 `not emulated: METHOD PATH`."
    yield ""
    yield from ("| call | versions | needs one of |", "|---|---|---|")
    for route in ROUTES:
        needed = ", ".join(sorted(route.permissions))
        yield f"| `{route.method} {route.template}` | {', '.join(route.versions)} | {needed} |"


if __name__ == "__main__":
    README.write_text(render(), encoding="utf-8")
