"""A saved plan says exactly what was agreed to."""

from __future__ import annotations

import pytest

from tapctl.errors import OutdatedError
from tapctl.model.plan import Change, FieldChange, TenantPlan
from tapctl.model.values import Value
from tapctl.reconcile.approval import check_saved


def plan(after: Value) -> TenantPlan:
    field = FieldChange(path="oneTime", before=None, after=after)
    change = Change(address="temporaryAccessPass", action="update", fields=(field,))
    return TenantPlan(name="contoso", tenant_id="t", cloud="global", status="changes", changes=(change,))


@pytest.mark.parametrize("value", [True, False, 1, 0, "1", (), (True,), (1,)])
def test_what_was_agreed_to_fits(value: Value) -> None:
    check_saved(plan(value), plan(value))


@pytest.mark.parametrize(("agreed", "now"), [(1, True), (0, False), (True, 1), ((1,), (True,)), ("true", True)])
def test_what_python_takes_for_equal_does_not(agreed: Value, now: Value) -> None:
    with pytest.raises(OutdatedError):
        check_saved(plan(agreed), plan(now))
