"""Print the tenants of this repository, one path a line.

python ci/list_tenants.py
    every tenant

git diff --no-renames --name-only -z HEAD^1 HEAD -- tenants | python ci/list_tenants.py --changed
    those that the named files belong to; a changed baseline (its name starts with "_") counts for all of them.
        --no-renames: a file that moved from one tenant to another changes both
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

TENANTS = Path("tenants")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""The names arrive from pull requests and end on command lines: nothing else passes."""


def every_tenant() -> list[Path]:
    """The files and folders directly below `tenants/` that tapctl takes for tenants."""
    entries = sorted(TENANTS.iterdir()) if TENANTS.is_dir() else []
    tenants = [
        entry for entry in entries if not entry.name.startswith(("_", ".")) and (entry.is_dir() or is_yaml(entry))
    ]
    for tenant in tenants:
        if not NAME.fullmatch(tenant.name):
            sys.exit(f"{str(tenant)!r}: a tenant's name is made of letters, digits, '.', '_' and '-'")
    return tenants


def is_yaml(path: Path) -> bool:
    return path.suffix in {".yaml", ".yml"}


def changed_tenants(names: list[str]) -> list[Path]:
    """The tenants that the changed files belong to. A tenant that was removed is none."""
    tops = {
        Path(name).parts[1] for name in names if Path(name).parts[:1] == TENANTS.parts and len(Path(name).parts) > 1
    }
    tenants = every_tenant()
    if any(top.startswith("_") for top in tops):
        return tenants
    return [tenant for tenant in tenants if tenant.name in tops]


def main(arguments: list[str]) -> None:
    if arguments == ["--changed"]:
        tenants = changed_tenants(sys.stdin.read().split("\0"))
    elif not arguments:
        tenants = every_tenant()
    else:
        sys.exit(__doc__)
    sys.stdout.writelines(f"{tenant.as_posix()}\n" for tenant in tenants)


if __name__ == "__main__":
    main(sys.argv[1:])
