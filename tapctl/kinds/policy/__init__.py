"""The Temporary Access Pass policy (Entra), a tenant singleton. Source: Graph reference
`temporaryAccessPassAuthenticationMethodConfiguration` get and update, v1.0 and beta (checked 2026-11-22)."""

from tapctl.kinds.policy.comparing import plan
from tapctl.kinds.policy.fields import live_fields, resulting_exclusions, wanted_fields
from tapctl.kinds.policy.labels import label, labels
from tapctl.kinds.policy.reading import ALL_USERS_ID, PATH, READ_PERMISSION, decode, read, referred_groups, version_in
from tapctl.kinds.policy.writing import ODATA_TYPE

__all__ = [
    "ALL_USERS_ID",
    "ODATA_TYPE",
    "PATH",
    "READ_PERMISSION",
    "decode",
    "label",
    "labels",
    "live_fields",
    "plan",
    "read",
    "referred_groups",
    "resulting_exclusions",
    "version_in",
    "wanted_fields",
]
