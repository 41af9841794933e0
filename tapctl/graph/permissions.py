"""Graph permissions: their application role ids, and the least one that each area of calls needs.

Role ids are those of the Graph service principal (application id GRAPH_APPLICATION); None where no source was found.
Source: https://learn.microsoft.com/graph/permissions-reference (2026-11-22).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

GRAPH_APPLICATION = "00000003-0000-0000-c000-000000000000"


@dataclass(frozen=True, slots=True)
class Permission:
    """One permission of Graph."""

    name: str
    application_role: str | None
    """The app role id, which a service principal's `roles` and consent tools go by."""
    delegated_scope: str | None
    """The id of the delegated permission of the same name."""
    allows: str
    """What it is for, in words."""


_TABLE = (
    Permission(
        "Policy.Read.AuthenticationMethod",
        "8e3bc81b-d2f3-4b7b-838c-32c88218d2f0",
        None,
        "read the TAP policy",
    ),
    Permission(
        "Policy.Read.All",
        "246dd0d5-5bd0-4def-940b-0421030a5b68",
        "572fea84-0151-49b2-9301-11cb16974376",
        "read every policy",
    ),
    Permission(
        "Policy.ReadWrite.AuthenticationMethod",
        "29c18626-4985-4dcd-85c0-193eef327366",
        "7e823077-d88e-468f-a337-e18f1f0e6c7c",
        "read and change the TAP policy",
    ),
    Permission("UserAuthMethod-TAP.Read.All", None, None, "list the passes of users"),
    Permission(
        "UserAuthMethod-TAP.ReadWrite.All",
        "627169a8-8c15-451c-861a-5b80e383de5c",
        None,
        "issue and revoke passes of users",
    ),
    Permission(
        "UserAuthenticationMethod.Read.All",
        "38d9df27-64da-44fd-b7c5-a6fbac20248f",
        "aec28ec7-4d02-4e8c-b864-50163aea77eb",
        "read every authentication method of users",
    ),
    Permission(
        "UserAuthenticationMethod.ReadWrite.All",
        "50483e42-d915-4231-9639-7fdb7fd190e5",
        "b7887744-6746-4312-813d-72daeaee7e2d",
        "change every authentication method of users",
    ),
    Permission(
        "DeviceManagementConfiguration.Read.All",
        "dc377aa6-52d8-4e23-b271-2a7ae04cedf3",
        "f1493658-876a-4c87-8fa7-edb559b3476a",
        "read profiles, assignments, assignment filters and encrypted OMA-URI values",
    ),
    Permission(
        "DeviceManagementConfiguration.ReadWrite.All",
        "9241abd9-d0e6-425a-bd4f-47ba86e767a4",
        "0883f392-0a7a-443d-8c76-16a6d39c7b63",
        "change profiles and their assignments",
    ),
    Permission(
        "DeviceManagementApps.Read.All",
        "7a6ee1e7-141e-4cec-ae74-d9db155731ff",
        "4edf5f54-4666-44af-9de9-0144fb4b6e8c",
        "read Intune's audit log",
    ),
    Permission(
        "DeviceManagementRBAC.Read.All",
        "58ca0d9a-1575-47e1-a3cb-007ef2e4583b",
        "49f0cc30-024c-4dfd-ab3e-82e137ee5431",
        "read scope tags",
    ),
    Permission(
        "DeviceManagementManagedDevices.Read.All",
        "2f51be20-0bb4-4fed-bf7b-db946066c75e",
        "314874da-47d6-4978-88dc-cf0d37f0bb82",
        "read managed devices",
    ),
    Permission(
        "DeviceManagementServiceConfig.Read.All",
        "06a5fe6d-c49d-46a7-b082-56b1b14103c7",
        "8696daa5-bce5-4b2e-83f9-51b6defc4e1e",
        "read enrolment settings and approval requests",
    ),
    Permission(
        "GroupMember.Read.All",
        "98830695-27a2-44f7-8c18-0c3ebc9698f6",
        "bc024368-1153-4739-b217-4326f2e966d0",
        "read groups and their members",
    ),
    Permission(
        "Group.Read.All",
        "5b567255-7703-4780-807c-7be8301ae99b",
        "5f8c59db-677d-491f-a6b8-5f174b11ec1d",
        "read groups with their content",
    ),
    Permission(
        "Group.Create",
        "bf7b1a76-6e77-406b-b258-bf5c7720e98f",
        None,
        "create groups, not change them afterwards",
    ),
    Permission(
        "Group.ReadWrite.All",
        "62a82d76-70ea-41e2-9197-370581804d09",
        "4e46008b-f24c-477d-8fff-7bb4ec7aafe0",
        "create, change and delete groups",
    ),
    Permission(
        "GroupMember.ReadWrite.All",
        "dbaae8cf-10b5-4b86-a4a1-f871c94c6695",
        "f81125ac-d3b7-4573-a3b2-7099cc39df9e",
        "change the members of groups",
    ),
    Permission(
        "RoleManagement.ReadWrite.Directory",
        "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8",
        "d01b97e9-cbc0-49fe-810a-750afd5527a3",
        "create and change role-assignable groups",
    ),
    Permission(
        "User.ReadBasic.All",
        "97235f07-e226-4f63-ace3-39588e11d3a1",
        "b340eb25-3456-403f-be2f-af7a0d370277",
        "find users by their principal name",
    ),
    Permission(
        "User.Read.All",
        "df021288-bdef-4463-88db-98f22de89214",
        "a154be20-db9c-4678-8ab7-66f6cc099a59",
        "read users with all their properties",
    ),
    Permission(
        "Device.Read.All",
        "7438b122-aefc-4978-80ed-43db9fcc7715",
        "951183d1-1a61-466f-a6d1-1fde911bfd95",
        "read devices",
    ),
    Permission(
        "Directory.Read.All",
        "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
        "06da0dbc-49e2-44d2-8312-53f166ab848a",
        "read the whole directory",
    ),
    Permission(
        "AuditLog.Read.All",
        "b0afded3-3588-46d8-8b3d-9842eff778da",
        "e4c9e354-4dc5-45b8-9e7c-e1393b0b1a20",
        "read Entra's audit log",
    ),
    Permission(
        "Organization.Read.All",
        "498476ce-e0fe-48b0-b801-37ba7e2685c6",
        "4908d5b9-3fb2-4b1e-9336-1888b7937185",
        "read the tenant's licences",
    ),
)

PERMISSIONS: Mapping[str, Permission] = MappingProxyType({permission.name: permission for permission in _TABLE})
"""Every permission that tapctl knows of, by name."""


class Area(Enum):
    """The calls that tapctl makes, as far as permissions tell them apart."""

    READ_TAP_POLICY = "read the TAP policy"
    WRITE_TAP_POLICY = "change the TAP policy"
    READ_GROUPS = "read groups and members"
    WRITE_GROUPS = "create, change and delete groups"
    WRITE_MEMBERS = "change the members of groups"
    WRITE_ROLE_GROUPS = "create role-assignable groups"
    READ_PROFILES = "read profiles, assignments and assignment filters"
    WRITE_PROFILES = "change profiles and assignments"
    READ_SCOPE_TAGS = "read scope tags"
    READ_USERS = "find users"
    READ_DEVICES = "read devices"
    READ_MANAGED_DEVICES = "read managed devices"
    READ_ENTRA_AUDIT = "read Entra's audit log"
    READ_INTUNE_AUDIT = "read Intune's audit log"
    READ_LICENCES = "read licences"
    READ_PASSES = "list passes"
    WRITE_PASSES = "issue and revoke passes"


SUFFICIENT: Mapping[Area, tuple[str, ...]] = MappingProxyType(
    {
        Area.READ_TAP_POLICY: (
            "Policy.Read.AuthenticationMethod",
            "Policy.Read.All",
            "Policy.ReadWrite.AuthenticationMethod",
        ),
        Area.WRITE_TAP_POLICY: ("Policy.ReadWrite.AuthenticationMethod",),
        Area.READ_GROUPS: (
            "GroupMember.Read.All",
            "Group.Read.All",
            "Directory.Read.All",
            "GroupMember.ReadWrite.All",
            "Group.ReadWrite.All",
        ),
        Area.WRITE_GROUPS: ("Group.ReadWrite.All",),
        Area.WRITE_MEMBERS: ("GroupMember.ReadWrite.All", "Group.ReadWrite.All"),
        Area.WRITE_ROLE_GROUPS: ("RoleManagement.ReadWrite.Directory",),
        Area.READ_PROFILES: ("DeviceManagementConfiguration.Read.All", "DeviceManagementConfiguration.ReadWrite.All"),
        Area.WRITE_PROFILES: ("DeviceManagementConfiguration.ReadWrite.All",),
        Area.READ_SCOPE_TAGS: ("DeviceManagementRBAC.Read.All",),
        Area.READ_USERS: ("User.ReadBasic.All", "User.Read.All", "Directory.Read.All"),
        Area.READ_DEVICES: ("Device.Read.All", "Directory.Read.All"),
        Area.READ_MANAGED_DEVICES: ("DeviceManagementManagedDevices.Read.All",),
        Area.READ_ENTRA_AUDIT: ("AuditLog.Read.All",),
        Area.READ_INTUNE_AUDIT: ("DeviceManagementApps.Read.All",),
        Area.READ_LICENCES: ("Organization.Read.All", "Directory.Read.All"),
        Area.READ_PASSES: (
            "UserAuthMethod-TAP.Read.All",
            "UserAuthMethod-TAP.ReadWrite.All",
            "UserAuthenticationMethod.Read.All",
            "UserAuthenticationMethod.ReadWrite.All",
        ),
        Area.WRITE_PASSES: ("UserAuthMethod-TAP.ReadWrite.All", "UserAuthenticationMethod.ReadWrite.All"),
    }
)
"""The permissions any one of which allows an area's calls, the least first.

Graph's generated table for creating a pass lists Read permissions as the least; that is a fault of the generator."""


def least(area: Area) -> str:
    """The name of the least permission for an area, for the message of a 403."""
    return SUFFICIENT[area][0]


def allowed(area: Area, held: frozenset[str]) -> bool:
    """Whether any of the held permissions (a token's `roles` or `scp`) allows the area's calls."""
    return not held.isdisjoint(SUFFICIENT[area])
