"""Every call that the sandbox answers: one line each, with the versions and the permissions that it takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from tapctl.sandbox import (
    approvals,
    audit,
    custom_profiles,
    definitions,
    directory,
    groups,
    passes,
    profiles,
    tap_policy,
    tenant_objects,
    users,
)
from tapctl.sandbox import permissions as allow
from tapctl.sandbox.exchange import Exchange
from tapctl.sandbox.wire import Reply

Handler = Callable[[Exchange], Reply]

BOTH = ("v1.0", "beta")
BETA = ("beta",)


@dataclass(frozen=True, slots=True)
class Route:
    """A call: braces name what the path holds there, everything else is matched whatever its case."""

    method: str
    template: str
    handler: Handler
    permissions: allow.Permissions
    versions: tuple[str, ...] = BOTH


_POLICY = "/policies/authenticationMethodsPolicy"
_METHOD = f"{_POLICY}/authenticationMethodConfigurations/{{method}}"
_PASSES = "/users/{user}/authentication/temporaryAccessPassMethods"
_CONFIGURATION = "/deviceManagement/deviceConfigurations"
_POLICIES = "/deviceManagement/configurationPolicies"

ROUTES: tuple[Route, ...] = (
    # authentication methods
    Route("GET", _POLICY, tap_policy.get_whole, allow.POLICY_READ),
    Route("PATCH", _POLICY, tap_policy.patch_whole, allow.POLICY_WRITE),
    Route("GET", _METHOD, tap_policy.get_method, allow.POLICY_READ),
    Route("PATCH", _METHOD, tap_policy.patch_method, allow.POLICY_WRITE),
    Route("DELETE", _METHOD, tap_policy.delete_method, allow.POLICY_WRITE),
    Route("GET", _PASSES, passes.list_passes, allow.PASS_READ),
    Route("POST", _PASSES, passes.create_pass, allow.PASS_WRITE),
    Route("GET", f"{_PASSES}/{{pass}}", passes.get_pass, allow.PASS_READ),
    Route("DELETE", f"{_PASSES}/{{pass}}", passes.delete_pass, allow.PASS_WRITE),
    # groups
    Route("GET", "/groups", groups.list_groups, allow.GROUP_READ),
    Route("GET", "/groups/$count", groups.count_groups, allow.GROUP_READ),
    Route("POST", "/groups", groups.create_group, allow.GROUP_CREATE),
    Route("GET", "/groups/{group}", groups.get_group, allow.GROUP_READ),
    Route("PATCH", "/groups/{group}", groups.patch_group, allow.GROUP_WRITE),
    Route("DELETE", "/groups/{group}", groups.delete_group, allow.GROUP_WRITE),
    Route("GET", "/groups(uniqueName)/{uniqueName}", groups.get_group_by_unique_name, allow.GROUP_READ),
    Route("PATCH", "/groups(uniqueName)/{uniqueName}", groups.upsert_group, allow.GROUP_WRITE),
    Route("GET", "/groups/{group}/members", groups.list_members, allow.MEMBER_READ),
    Route("GET", "/groups/{group}/members/$count", groups.list_members, allow.MEMBER_READ),
    Route("POST", "/groups/{group}/members/$ref", groups.add_member, allow.MEMBER_WRITE),
    Route("GET", "/groups/{group}/members/{cast}", groups.list_members, allow.MEMBER_READ),
    Route("GET", "/groups/{group}/members/{cast}/$count", groups.list_members, allow.MEMBER_READ),
    Route("DELETE", "/groups/{group}/members/{member}/$ref", groups.remove_member, allow.MEMBER_WRITE),
    Route("DELETE", "/groups/{group}/members/{member}", groups.delete_member_object, allow.USER_WRITE),
    Route("GET", "/groups/{group}/transitiveMembers", groups.list_transitive_members, allow.MEMBER_READ),
    Route("GET", "/groups/{group}/transitiveMembers/$count", groups.list_transitive_members, allow.MEMBER_READ),
    Route("GET", "/groups/{group}/transitiveMembers/{cast}", groups.list_transitive_members, allow.MEMBER_READ),
    Route("GET", "/groups/{group}/transitiveMembers/{cast}/$count", groups.list_transitive_members, allow.MEMBER_READ),
    Route("GET", "/groups/{group}/owners", groups.list_owners, allow.GROUP_READ),
    Route("POST", "/groups/{group}/owners/$ref", groups.add_owner, allow.GROUP_WRITE),
    Route("DELETE", "/groups/{group}/owners/{member}/$ref", groups.remove_owner, allow.GROUP_WRITE),
    # membership of groups, users, devices, and of objects whatever their kind
    *(
        route
        for subject in ("/groups/{group}", "/users/{user}", "/devices/{device}", "/directoryObjects/{object}")
        for route in (
            Route("POST", f"{subject}/checkMemberGroups", directory.check_member_groups, allow.MEMBERSHIP_READ),
            Route("POST", f"{subject}/checkMemberObjects", directory.check_member_objects, allow.MEMBERSHIP_READ),
            Route("POST", f"{subject}/getMemberGroups", directory.get_member_groups, allow.MEMBERSHIP_READ),
            Route("POST", f"{subject}/getMemberObjects", directory.get_member_groups, allow.MEMBERSHIP_READ),
        )
    ),
    *(
        Route("GET", f"{subject}/{relation}{suffix}", handler, allow.MEMBERSHIP_READ)
        for subject in ("/groups/{group}", "/users/{user}", "/devices/{device}")
        for relation, handler in (
            ("memberOf", directory.member_of),
            ("transitiveMemberOf", directory.transitive_member_of),
        )
        for suffix in ("", "/$count", "/{cast}", "/{cast}/$count")
    ),
    # users, devices, directory objects
    Route("GET", "/users", users.list_users, allow.USER_READ),
    Route("GET", "/users/$count", users.count_users, allow.USER_READ),
    Route("GET", "/users/{user}", users.get_user, allow.USER_READ),
    Route("GET", "/users/{user}/ownedDevices", users.owned_devices, allow.DEVICE_READ),
    Route("GET", "/users/{user}/ownedDevices/{cast}", users.owned_devices, allow.DEVICE_READ),
    Route("GET", "/users/{user}/registeredDevices", users.owned_devices, allow.DEVICE_READ),
    Route("GET", "/devices", users.list_devices, allow.DEVICE_READ),
    Route("GET", "/devices/$count", users.count_devices, allow.DEVICE_READ),
    Route("GET", "/devices/{device}", users.get_device, allow.DEVICE_READ),
    Route("GET", "/devices(deviceId)/{deviceId}", users.get_device_by_device_id, allow.DEVICE_READ),
    Route("GET", "/devices/{device}/registeredOwners", users.registered_owners, allow.DEVICE_READ),
    Route("POST", "/directoryObjects/getByIds", directory.get_by_ids, allow.MEMBERSHIP_READ),
    Route("GET", "/directoryObjects/{object}", directory.get_object, allow.MEMBERSHIP_READ),
    Route("GET", "/directory/deletedItems", directory.list_deleted, allow.GROUP_READ),
    Route("GET", "/directory/deletedItems/microsoft.graph.group", directory.list_deleted, allow.GROUP_READ),
    Route("GET", "/directory/deletedItems/microsoft.graph.user", directory.list_deleted, allow.USER_READ),
    Route("GET", "/directory/deletedItems/{object}", directory.get_deleted, allow.GROUP_READ),
    Route("POST", "/directory/deletedItems/{object}/restore", directory.restore_deleted, allow.GROUP_WRITE),
    Route("DELETE", "/directory/deletedItems/{object}", directory.purge_deleted, allow.GROUP_WRITE),
    # settings catalog
    Route("GET", _POLICIES, profiles.list_policies, allow.PROFILE_READ, BETA),
    Route("POST", _POLICIES, profiles.create_policy, allow.PROFILE_WRITE, BETA),
    Route("GET", f"{_POLICIES}/{{policy}}", profiles.get_policy, allow.PROFILE_READ, BETA),
    Route("PUT", f"{_POLICIES}/{{policy}}", profiles.put_policy, allow.PROFILE_WRITE, BETA),
    Route("PATCH", f"{_POLICIES}/{{policy}}", profiles.patch_policy, allow.PROFILE_WRITE, BETA),
    Route("DELETE", f"{_POLICIES}/{{policy}}", profiles.delete_policy, allow.PROFILE_WRITE, BETA),
    Route("GET", f"{_POLICIES}/{{policy}}/settings", profiles.list_settings, allow.PROFILE_READ, BETA),
    Route("GET", f"{_POLICIES}/{{policy}}/settings/{{setting}}", profiles.get_setting, allow.PROFILE_READ, BETA),
    Route("PATCH", f"{_POLICIES}/{{policy}}/settings/{{setting}}", profiles.patch_setting, allow.PROFILE_WRITE, BETA),
    Route("GET", f"{_POLICIES}/{{policy}}/assignments", profiles.list_assignments, allow.PROFILE_READ, BETA),
    Route("POST", f"{_POLICIES}/{{policy}}/assign", profiles.assign, allow.PROFILE_WRITE, BETA),
    Route("GET", "/deviceManagement/configurationSettings", definitions.list_definitions, allow.PROFILE_READ, BETA),
    Route(
        "GET",
        "/deviceManagement/configurationSettings/{definition}",
        definitions.get_definition,
        allow.PROFILE_READ,
        BETA,
    ),
    # device configurations
    Route("GET", _CONFIGURATION, custom_profiles.list_configurations, allow.PROFILE_READ),
    Route("POST", _CONFIGURATION, custom_profiles.create_configuration, allow.PROFILE_WRITE),
    Route("GET", f"{_CONFIGURATION}/{{configuration}}", custom_profiles.get_configuration, allow.PROFILE_READ),
    Route("PATCH", f"{_CONFIGURATION}/{{configuration}}", custom_profiles.patch_configuration, allow.PROFILE_WRITE),
    Route("DELETE", f"{_CONFIGURATION}/{{configuration}}", custom_profiles.delete_configuration, allow.PROFILE_WRITE),
    Route(
        "GET",
        f"{_CONFIGURATION}/{{configuration}}/getOmaSettingPlainTextValue(secretReferenceValueId)/{{secret}}",
        custom_profiles.get_plain_text,
        allow.PROFILE_READ,
    ),
    Route(
        "GET", f"{_CONFIGURATION}/{{configuration}}/assignments", custom_profiles.list_assignments, allow.PROFILE_READ
    ),
    Route("POST", f"{_CONFIGURATION}/{{configuration}}/assign", custom_profiles.assign, allow.PROFILE_WRITE),
    # Intune, other
    *(
        route
        for path, collection, needed, versions in (
            ("/deviceManagement/assignmentFilters", tenant_objects.ASSIGNMENT_FILTERS, allow.PROFILE_READ, BETA),
            ("/deviceManagement/roleScopeTags", tenant_objects.ROLE_SCOPE_TAGS, allow.SCOPE_TAG_READ, BETA),
            ("/deviceManagement/managedDevices", tenant_objects.MANAGED_DEVICES, allow.MANAGED_DEVICE_READ, BOTH),
            ("/organization", tenant_objects.ORGANIZATION, allow.ORGANIZATION_READ, BOTH),
            ("/subscribedSkus", tenant_objects.SUBSCRIBED_SKUS, allow.ORGANIZATION_READ, BOTH),
            ("/domains", tenant_objects.DOMAINS, allow.DOMAIN_READ, BOTH),
            (
                "/identity/conditionalAccess/policies",
                tenant_objects.CONDITIONAL_ACCESS,
                allow.CONDITIONAL_ACCESS_READ,
                BOTH,
            ),
            (
                "/policies/authenticationStrengthPolicies",
                tenant_objects.AUTHENTICATION_STRENGTHS,
                allow.CONDITIONAL_ACCESS_READ,
                BOTH,
            ),
            ("/servicePrincipals", tenant_objects.SERVICE_PRINCIPALS, allow.APPLICATION_READ, BOTH),
            ("/roleManagement/directory/roleAssignments", tenant_objects.ROLE_ASSIGNMENTS, allow.ROLE_READ, BOTH),
        )
        for route in (
            Route("GET", path, collection.list, needed, versions),
            Route("GET", f"{path}/{{id}}", collection.get, needed, versions),
        )
    ),
    Route("GET", "/domains/{id}/federationConfiguration", tenant_objects.list_federation, allow.DOMAIN_READ),
    Route(
        "GET",
        "/servicePrincipals(appId)/{appId}",
        tenant_objects.get_service_principal_by_app,
        allow.APPLICATION_READ,
    ),
    Route(
        "GET",
        "/servicePrincipals/{id}/appRoleAssignments",
        tenant_objects.list_app_role_assignments,
        allow.APPLICATION_READ,
    ),
    Route(
        "GET",
        "/servicePrincipals(appId)/{appId}/appRoleAssignments",
        tenant_objects.list_app_role_assignments,
        allow.APPLICATION_READ,
    ),
    Route("GET", "/deviceManagement/operationApprovalRequests", approvals.list_requests, allow.APPROVAL_READ, BETA),
    Route(
        "GET",
        "/deviceManagement/operationApprovalRequests/{request}",
        approvals.get_request,
        allow.APPROVAL_READ,
        BETA,
    ),
    Route("GET", "/deviceManagement/operationApprovalPolicies", approvals.list_policies, allow.APPROVAL_READ, BETA),
    # audit
    Route("GET", "/auditLogs/directoryAudits", audit.list_directory_audits, allow.ENTRA_AUDIT_READ),
    Route("GET", "/deviceManagement/auditEvents", audit.list_intune_audits, allow.INTUNE_AUDIT_READ),
)


@cache
def _pieces(template: str) -> tuple[tuple[bool, str], ...]:
    """Whether a segment is a parameter, and its name, or the segment in lower case."""
    found = []
    for piece in template.strip("/").split("/"):
        is_parameter = piece.startswith("{")
        found.append((is_parameter, piece[1:-1] if is_parameter else piece.lower()))
    return tuple(found)


@cache
def _by_shape() -> Mapping[tuple[str, int, str], tuple[Route, ...]]:
    """Routes by method, number of segments and first segment; literal segments before parameters."""
    found: dict[tuple[str, int, str], list[Route]] = {}
    for route in ROUTES:
        pieces = _pieces(route.template)
        found.setdefault((route.method, len(pieces), pieces[0][1]), []).append(route)
    return {
        shape: tuple(sorted(routes, key=lambda route: sum(is_parameter for is_parameter, _ in _pieces(route.template))))
        for shape, routes in found.items()
    }


def match(method: str, path: tuple[str, ...]) -> tuple[Route, dict[str, str]] | None:
    """The route of a path that `wire.segments` took apart, with what its braces stand for."""
    for route in _by_shape().get((method, len(path), path[0].lower()), ()):
        parameters = {}
        for (is_parameter, name), segment in zip(_pieces(route.template), path, strict=True):
            if is_parameter:
                parameters[name] = segment
            elif name != segment.lower():
                break
        else:
            return route, parameters
    return None
