"""A run of `drift` as metrics for Prometheus.

Source: Prometheus, "Exposition formats", the text format 0.0.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from tapctl.model.plan import PlanDocument, TenantPlan

REASONS = ("drift", "pending", "lapsed")
_COSTS = {
    "requests": "Requests to Graph, batch parts counted.",
    "calls": "HTTP exchanges with Graph.",
    "throttled": "Answers 429 of Graph.",
    "seconds": "How long the tenant took.",
}


def metrics(document: PlanDocument) -> str:
    """The run as metrics. A tenant that could not be read has no count of changes: unknown is not none."""
    return "".join(line + "\n" for family in _families(document.tenants, document) for line in family)


def _families(tenants: Sequence[TenantPlan], document: PlanDocument) -> Iterator[list[str]]:
    # Imported here: the kinds cost more than all of the output.
    from tapctl.kinds.registry import BY_SECTION

    known = [tenant for tenant in tenants if tenant.status != "failed"]
    yield _family(
        "tapctl_drift_changes",
        "Objects that are not as declared, by kind and reason.",
        (
            ({"tenant": tenant.name, "kind": kind, "reason": reason}, _count(tenant, kind, reason))
            for tenant in known
            for kind in BY_SECTION
            for reason in REASONS
        ),
    )
    yield _family(
        "tapctl_run_success",
        "Whether the tenant was read and compared.",
        (({"tenant": tenant.name}, int(tenant.status != "failed")) for tenant in tenants),
    )
    for name, text in _COSTS.items():
        samples = (({"tenant": tenant.name}, getattr(tenant.graph, name)) for tenant in tenants)
        yield _family(f"tapctl_graph_{name}", text, samples)
    moment = int(document.created_at.timestamp())
    yield _family("tapctl_run_timestamp_seconds", "When the run was, as Unix time.", [({}, moment)])


def _count(tenant: TenantPlan, kind: str, reason: str) -> int:
    return sum(change.address.partition(".")[0] == kind and change.reason == reason for change in tenant.changes)


def _family(name: str, text: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> list[str]:
    lines = [f"# HELP {name} {text}", f"# TYPE {name} gauge"]
    for labels, value in samples:
        listed = ",".join(f'{label}="{_escaped(content)}"' for label, content in labels.items())
        lines.append(f"{name}{{{listed}}} {value}" if listed else f"{name} {value}")
    return lines


def _escaped(content: str) -> str:
    return content.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
