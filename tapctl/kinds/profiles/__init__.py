"""Web sign-in profiles (Intune) of either delivery: finding, comparing, and the order of their writes."""

from tapctl.kinds.profiles.comparing import identity_finding, plan
from tapctl.kinds.profiles.finding import (
    read,
    read_all,
    read_filters,
    read_scope_tags,
    read_shapes,
    referred_groups,
    wanted_shapes,
)
from tapctl.kinds.profiles.forms import DELIVERY_FORMS
from tapctl.kinds.profiles.scan import Listed, Undecodable, list_profiles, read_modelled
from tapctl.kinds.profiles.wanted import Wanted
from tapctl.kinds.profiles.writing import journal_entry

__all__ = [
    "DELIVERY_FORMS",
    "Listed",
    "Undecodable",
    "Wanted",
    "identity_finding",
    "journal_entry",
    "list_profiles",
    "plan",
    "read",
    "read_all",
    "read_filters",
    "read_modelled",
    "read_scope_tags",
    "read_shapes",
    "referred_groups",
    "wanted_shapes",
]
