"""Print the jobs that apply a saved plan: one per tenant with changes, as JSON, which GitLab reads as YAML.

    python ci/gitlab_apply_jobs.py plan/plan.json > plan/apply.yml

A tenant that the plan leaves as it is needs no job. A pipeline needs one: where nothing is to be applied, one that says
so.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

Job = dict[str, object]

NOTHING: dict[str, Job] = {"nothing to apply": {"stage": "apply", "script": ["echo 'The plan changes nothing.'"]}}


def tenants_with_changes(plan: Path) -> list[str]:
    """The names of the tenants that the plan changes; none where no tenant was planned."""
    if not plan.exists():
        return []
    document = json.loads(plan.read_text(encoding="utf-8"))
    return [tenant["name"] for tenant in document["tenants"] if tenant["status"] == "changes"]


def jobs(names: list[str]) -> dict[str, Job]:
    applies: dict[str, Job] = {f"apply {name}": {"extends": ".apply", "variables": {"TENANT": name}} for name in names}
    return applies or NOTHING


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.stdout.write(json.dumps(jobs(tenants_with_changes(Path(sys.argv[1]))), indent=2) + "\n")
