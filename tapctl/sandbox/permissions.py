"""Which permissions allow what: any one of a set is enough."""

from __future__ import annotations

Permissions = frozenset[str]

_DIRECTORY_READ = frozenset({"Directory.Read.All", "Directory.ReadWrite.All"})
_DIRECTORY_WRITE = frozenset({"Directory.ReadWrite.All"})

POLICY_WRITE: Permissions = frozenset({"Policy.ReadWrite.AuthenticationMethod"})
POLICY_READ: Permissions = POLICY_WRITE | {"Policy.Read.AuthenticationMethod", "Policy.Read.All"}
CONDITIONAL_ACCESS_READ: Permissions = frozenset({"Policy.Read.All", "Policy.Read.ConditionalAccess"})

PASS_WRITE: Permissions = frozenset({"UserAuthMethod-TAP.ReadWrite.All", "UserAuthenticationMethod.ReadWrite.All"})
PASS_READ: Permissions = PASS_WRITE | {"UserAuthMethod-TAP.Read.All", "UserAuthenticationMethod.Read.All"}

GROUP_WRITE: Permissions = frozenset({"Group.ReadWrite.All"}) | _DIRECTORY_WRITE
GROUP_CREATE: Permissions = GROUP_WRITE | {"Group.Create"}
GROUP_READ: Permissions = GROUP_WRITE | _DIRECTORY_READ | {"Group.Read.All", "GroupMember.Read.All"}
MEMBER_WRITE: Permissions = GROUP_WRITE | {"GroupMember.ReadWrite.All"}
MEMBER_READ: Permissions = GROUP_READ | {"GroupMember.ReadWrite.All"}
ROLE_ASSIGNABLE_WRITE: Permissions = frozenset({"RoleManagement.ReadWrite.Directory"})

USER_WRITE: Permissions = frozenset({"User.ReadWrite.All"}) | _DIRECTORY_WRITE
USER_READ: Permissions = USER_WRITE | _DIRECTORY_READ | {"User.Read.All", "User.ReadBasic.All"}
DEVICE_READ: Permissions = _DIRECTORY_READ | {"Device.Read.All"}
MEMBERSHIP_READ: Permissions = MEMBER_READ | USER_READ | DEVICE_READ

PROFILE_WRITE: Permissions = frozenset({"DeviceManagementConfiguration.ReadWrite.All"})
PROFILE_READ: Permissions = PROFILE_WRITE | {"DeviceManagementConfiguration.Read.All"}
SCOPE_TAG_READ: Permissions = frozenset(
    {
        "DeviceManagementRBAC.Read.All",
        "DeviceManagementRBAC.ReadWrite.All",
        "DeviceManagementConfiguration.Read.All",
        "DeviceManagementConfiguration.ReadWrite.All",
    }
)
MANAGED_DEVICE_READ: Permissions = frozenset({"DeviceManagementManagedDevices.Read.All"})
APPROVAL_READ: Permissions = PROFILE_READ | {"DeviceManagementServiceConfig.Read.All"}

ENTRA_AUDIT_READ: Permissions = frozenset({"AuditLog.Read.All"})
INTUNE_AUDIT_READ: Permissions = frozenset({"DeviceManagementApps.Read.All"})
ORGANIZATION_READ: Permissions = _DIRECTORY_READ | {"Organization.Read.All"}
DOMAIN_READ: Permissions = _DIRECTORY_READ | {"Domain.Read.All"}
APPLICATION_READ: Permissions = _DIRECTORY_READ | {"Application.Read.All"}
ROLE_READ: Permissions = _DIRECTORY_READ | {"RoleManagement.Read.Directory"}

ALL_PERMISSIONS: Permissions = frozenset().union(
    POLICY_READ,
    CONDITIONAL_ACCESS_READ,
    PASS_READ,
    GROUP_CREATE,
    MEMBER_WRITE,
    MEMBERSHIP_READ,
    ROLE_ASSIGNABLE_WRITE,
    USER_WRITE,
    PROFILE_READ,
    SCOPE_TAG_READ,
    MANAGED_DEVICE_READ,
    APPROVAL_READ,
    ENTRA_AUDIT_READ,
    INTUNE_AUDIT_READ,
    ORGANIZATION_READ,
    DOMAIN_READ,
    APPLICATION_READ,
    ROLE_READ,
)
"""Every permission that some call of the sandbox asks for."""
