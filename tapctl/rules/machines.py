"""Imagined Windows devices: a rule or filter that lets in one that web sign-in does not support is too wide."""

from __future__ import annotations

from typing import Literal, NamedTuple

from tapctl.rules.membership_rules import Facts

Join = Literal["joined", "registered", "hybrid"]

FLOOR = "10.0.22621.2361"
"""Windows 11 22H2 with KB5030310, the documented floor of web sign-in; the build number is general knowledge (S3)."""
CURRENT = "10.0.26200.7171"

TRUST_TYPE = "device.devicetrusttype"
VERSION = "device.operatingsystemversion"
OLD_VERSION = "device.osversion"
EDITION = "device.operatingsystemsku"

IN_FILTERS: dict[Join, str] = {
    "joined": "Azure AD joined",
    "registered": "Azure AD registered",
    "hybrid": "Hybrid Azure AD joined",
}
"""device.deviceTrustType in Intune assignment filters (S15)."""
IN_GROUPS: dict[Join, str] = {"joined": "AzureAD", "registered": "Workplace", "hybrid": "ServerAD"}
"""device.deviceTrustType in dynamic membership rules."""


class Machine(NamedTuple):
    """A device as both languages would see it."""

    words: str
    """How a message calls such devices."""
    join: Join = "joined"
    version: str = CURRENT
    edition: str = "Enterprise"

    @property
    def filter_facts(self) -> Facts:
        return {
            TRUST_TYPE: IN_FILTERS[self.join],
            VERSION: self.version,
            OLD_VERSION: self.version,
            EDITION: self.edition,
            "device.deviceownership": "Personal" if self.join == "registered" else "Corporate",
        }

    @property
    def group_facts(self) -> Facts:
        return {
            TRUST_TYPE: IN_GROUPS[self.join],
            "device.deviceostype": "Windows",
            "device.deviceosversion": self.version,
            "device.deviceownership": "Personal" if self.join == "registered" else "Company",
            "device.managementtype": "MDM",
            "device.accountenabled": "true",
            "device.objectid": "00000000-0000-0000-0000-000000000001",
        }


ORDINARY = Machine(words="Entra joined devices on a current build")
NOT_JOINED = (
    Machine(words="hybrid joined devices", join="hybrid"),
    Machine(words="registered devices", join="registered"),
)
OTHER_EDITIONS = (
    Machine(words="Windows Home", edition="Core"),
    Machine(words="Windows Home Single Language", edition="CoreSingleLanguage"),
    Machine(words="Windows Home N", edition="CoreN"),
    Machine(words="Windows Home Country Specific", edition="CoreCountrySpecific"),
    Machine(words="multi-session hosts", edition="ServerRdsh"),
    Machine(words="Windows Holographic", edition="Holographic"),
)
TOO_OLD = (
    Machine(words="Windows 11 22H2 before KB5030310", version="10.0.22621.1"),
    Machine(words="Windows 11 21H2", version="10.0.22000.2538"),
    Machine(words="Windows 10", version="10.0.19045.6456"),
    Machine(words="Windows 10 1809", version="10.0.17763.1"),
)
