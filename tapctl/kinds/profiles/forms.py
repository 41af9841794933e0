"""The form of each delivery. A new delivery is a line here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from tapctl.kinds.catalog import SettingsCatalog
from tapctl.kinds.custom import CustomProfile
from tapctl.kinds.deliveries import DeliveryForm
from tapctl.model.desired import Delivery

DELIVERY_FORMS: Mapping[Delivery, DeliveryForm] = MappingProxyType(
    {"settings-catalog": SettingsCatalog(), "oma-uri": CustomProfile()}
)


def other_form(delivery: Delivery) -> DeliveryForm:
    """The other form, in which a profile may exist instead."""
    return next(form for name, form in DELIVERY_FORMS.items() if name != delivery)
