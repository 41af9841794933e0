"""A small Contoso: what a tenant holds before anybody touched it. The same tenant id always gives the same tenant."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from tapctl.sandbox import custom_profiles, groups, profiles, tap_policy
from tapctl.sandbox.definitions import POLICY_PREFIX, TYPE_PREFIX
from tapctl.sandbox.exchange import ZERO_GUID
from tapctl.sandbox.permissions import ALL_PERMISSIONS
from tapctl.sandbox.state import empty_state
from tapctl.sandbox.tokens import APP_ID, APP_NAME
from tapctl.sandbox.wire import JSONObject

MOMENT = "2026-01-15T08:00:00.0000000Z"
WHOLE_SECONDS = "2026-01-15T08:00:00Z"
PIN_PROVIDER = "{D6886603-9D2F-4EB2-B667-1971041FA96B}"
GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000"


class Seeder:
    """Puts objects into a state, their ids made of the tenant's id and a name."""

    def __init__(self, state: JSONObject) -> None:
        self.state = state
        self._namespace = uuid.UUID(state["tenant"])

    def id(self, name: str) -> str:
        return str(uuid.uuid5(self._namespace, name))

    def put(self, collection: str, *items: JSONObject) -> None:
        kept = self.state["objects"].setdefault(collection, {})
        for item in items:
            kept[str(item["id"]).lower()] = item

    def user(self, name: str, display_name: str, **more: Any) -> str:
        upn = f"{name}@contoso.com"
        user: JSONObject = {
            "@odata.type": "#microsoft.graph.user",
            "id": self.id(f"user:{name}"),
            "businessPhones": [],
            "displayName": display_name,
            "givenName": display_name.partition(" ")[0],
            "jobTitle": None,
            "mail": upn,
            "mobilePhone": None,
            "officeLocation": None,
            "preferredLanguage": None,
            "surname": display_name.partition(" ")[2] or None,
            "userPrincipalName": upn,
            "accountEnabled": True,
            "userType": "Member",
            "department": None,
            "externalUserState": None,
            "onPremisesSyncEnabled": None,
            "createdDateTime": WHOLE_SECONDS,
        }
        self.put("users", user | more)
        return str(user["id"])

    def group(self, name: str, members: Iterable[str] = (), **more: Any) -> str:
        group = groups.new_group(self.id(f"group:{name}"), WHOLE_SECONDS)
        nickname = "".join(letter for letter in name if letter.isalnum()).lower()
        group |= {"displayName": name, "mailNickname": nickname, "_members": list(members)}
        self.put("groups", group | more)
        return str(group["id"])

    def device(self, name: str, trust_type: str, version: str, owner: str, **more: Any) -> str:
        device: JSONObject = {
            "@odata.type": "#microsoft.graph.device",
            "id": self.id(f"device:{name}"),
            "deviceId": self.id(f"deviceId:{name}"),
            "displayName": name,
            "trustType": trust_type,
            "operatingSystem": "Windows",
            "operatingSystemVersion": version,
            "isManaged": trust_type != "Workplace",
            "isCompliant": trust_type != "Workplace",
            "accountEnabled": True,
            "approximateLastSignInDateTime": WHOLE_SECONDS,
            "registrationDateTime": WHOLE_SECONDS,
            "physicalIds": [],
            "_owners": [owner],
        }
        self.put("devices", device | more)
        return str(device["id"])

    def policy(self, name: str, settings: Sequence[JSONObject] = (), **more: Any) -> JSONObject:
        policy = profiles.new_policy(self.id(f"policy:{name}"), MOMENT)
        policy |= {"name": name, "_settings": list(settings)}
        policy |= more
        self.put(profiles.COLLECTION, policy)
        return policy


def seed(tenant_id: str) -> JSONObject:
    """The state of a fresh tenant."""
    seeder = Seeder(empty_state(tenant_id))
    _seed_policies(seeder)
    _seed_people(seeder)
    _seed_devices(seeder)
    _seed_intune(seeder)
    _seed_profiles(seeder)
    _seed_tenant(seeder)
    return seeder.state


def _seed_policies(seeder: Seeder) -> None:
    def method(name: str, type_name: str, state: str) -> JSONObject:
        return {
            "@odata.type": f"#microsoft.graph.{type_name}AuthenticationMethodConfiguration",
            "id": name,
            "state": state,
            "excludeTargets": [],
            "includeTargets": [{"targetType": "group", "id": "all_users", "isRegistrationRequired": False}],
        }

    whole = {
        "id": "authenticationMethodsPolicy",
        "displayName": "Authentication Methods Policy",
        "description": "The tenant-wide policy that controls which authentication methods are allowed in the tenant",
        "lastModifiedDateTime": MOMENT,
        "policyVersion": "1.5",
        "policyMigrationState": "migrationComplete",
        "registrationEnforcement": {"authenticationMethodsRegistrationCampaign": {"state": "default"}},
        "_otherMethods": [
            method("Fido2", "fido2", "enabled"),
            method("MicrosoftAuthenticator", "microsoftAuthenticator", "enabled"),
            method("Email", "email", "disabled"),
        ],
    }
    seeder.state["objects"]["policies"] = {tap_policy.WHOLE: whole, tap_policy.KEY: tap_policy.default_policy()}


def _seed_people(seeder: Seeder) -> None:
    ada = seeder.user("ada", "Ada Lovelace", department="Research", jobTitle="Analyst")
    grace = seeder.user("grace", "Grace Hopper", department="Research", jobTitle="Engineer")
    alan = seeder.user("alan", "Alan Turing", department="Sales", jobTitle="Consultant")
    seeder.user("admin", "Contoso Administrator", jobTitle="Global Administrator")
    helpdesk = seeder.user("helpdesk", "Help Desk", department="IT", jobTitle="Authentication Administrator")
    rescue = seeder.user("break-glass", "Break Glass")
    seeder.user("former", "Former Colleague", accountEnabled=False, department="Sales")
    guest = seeder.user(
        "guest",
        "Guest of Fabrikam",
        userPrincipalName="guest_fabrikam.com#EXT#@contoso.onmicrosoft.com",
        mail="guest@fabrikam.com",
        userType="Guest",
        externalUserState="Accepted",
    )
    wave = seeder.group("SG-Onboarding-Wave-7", [ada, alan], description="New office, wave 7")
    seeder.group(
        "SG-Break-Glass", [rescue], isAssignableToRole=True, visibility="Private", description="Emergency access"
    )
    seeder.group("All staff", [ada, grace, alan, helpdesk, wave])
    seeder.group("SG-Synchronised", [grace], onPremisesSyncEnabled=True)
    seeder.group(
        "Project Analytical Engine",
        [ada, guest],
        groupTypes=["Unified"],
        mailEnabled=True,
        securityEnabled=False,
        mail="analytical@contoso.com",
        visibility="Private",
    )
    seeder.group(
        "SG-Research-Dynamic",
        [ada, grace],
        groupTypes=["DynamicMembership"],
        membershipRule='(user.department -eq "Research")',
        membershipRuleProcessingState="On",
    )
    role = {"id": seeder.id("role:helpdesk"), "principalId": helpdesk, "directoryScopeId": "/"}
    seeder.put("roleAssignments", {**role, "roleDefinitionId": "c4e39bd9-1100-46d3-8c65-fb160da0071f"})


def _seed_devices(seeder: Seeder) -> None:
    ada, grace, alan = (seeder.id(f"user:{name}") for name in ("ada", "grace", "alan"))
    autopilot = ["[ZTDId]:6f2c6b1e-93f4-4a64-8f0b-3b1b6a3a0c11"]
    devices: Sequence[tuple[str, str, str, str, str, list[str]]] = (
        ("LAPTOP-ADA", "AzureAd", "10.0.22631.4317", ada, "azureADJoined", autopilot),
        ("LAPTOP-GRACE", "ServerAd", "10.0.22631.4317", grace, "hybridAzureADJoined", []),
        ("LAPTOP-ALAN", "AzureAd", "10.0.22000.1", alan, "azureADJoined", []),
        ("PHONE-ALAN", "Workplace", "10.0.19045.5011", alan, "azureADRegistered", []),
    )
    for name, trust_type, version, owner, join_type, physical_ids in devices:
        device_id = seeder.device(name, trust_type, version, owner, physicalIds=physical_ids)
        device = seeder.state["objects"]["devices"][device_id]
        if trust_type == "Workplace":
            continue
        user = seeder.state["objects"]["users"][owner]
        seeder.put(
            "managedDevices",
            {
                "id": seeder.id(f"managed:{name}"),
                "deviceName": name,
                "azureADDeviceId": device["deviceId"],
                "operatingSystem": "Windows",
                "osVersion": version,
                "complianceState": "compliant",
                "managementAgent": "mdm",
                "deviceEnrollmentType": "windowsAzureADJoin",
                "userId": owner,
                "userPrincipalName": user["userPrincipalName"],
                "enrolledDateTime": WHOLE_SECONDS,
                "lastSyncDateTime": WHOLE_SECONDS,
                "joinType": join_type,
                "skuFamily": "Enterprise",
            },
        )
    joined = [seeder.id("device:LAPTOP-ADA"), seeder.id("device:LAPTOP-ALAN")]
    seeder.group("SG-Autopilot-Pilot-Devices", joined)


def _seed_intune(seeder: Seeder) -> None:
    def filter_of(name: str, rule: str) -> JSONObject:
        return {
            "id": seeder.id(f"filter:{name}"),
            "displayName": name,
            "description": None,
            "platform": "windows10AndLater",
            "rule": rule,
            "assignmentFilterManagementType": "devices",
            "createdDateTime": MOMENT,
            "lastModifiedDateTime": MOMENT,
            "roleScopeTags": ["0"],
        }

    joined = '(device.deviceTrustType -eq "Azure AD joined")'
    seeder.put(
        "assignmentFilters",
        filter_of(
            "Entra joined Windows 11",
            f'{joined} and (device.operatingSystemVersion -ge "10.0.22621.2361")',
        ),
        filter_of("Corporate devices", '(device.deviceOwnership -eq "Corporate")'),
    )
    seeder.put(
        "roleScopeTags",
        {"id": "0", "displayName": "Default", "description": "Default Role Scope Tag", "isBuiltIn": True},
        {"id": "1", "displayName": "Pilot", "description": None, "isBuiltIn": False},
    )


def choice(definition: str, option: int, children: Sequence[JSONObject] = ()) -> JSONObject:
    """A choice setting instance of the policy CSP; `definition` without the common prefix."""
    return {
        "@odata.type": f"{TYPE_PREFIX}ChoiceSettingInstance",
        "settingDefinitionId": POLICY_PREFIX + definition,
        "settingInstanceTemplateReference": None,
        "choiceSettingValue": {
            "settingValueTemplateReference": None,
            "value": f"{POLICY_PREFIX}{definition}_{option}",
            "children": list(children),
        },
    }


def simple(definition: str, value: str, kind: str = "String") -> JSONObject:
    """A simple setting instance of the policy CSP."""
    return {
        "@odata.type": f"{TYPE_PREFIX}SimpleSettingInstance",
        "settingDefinitionId": POLICY_PREFIX + definition,
        "settingInstanceTemplateReference": None,
        "simpleSettingValue": {
            "@odata.type": f"{TYPE_PREFIX}{kind}SettingValue",
            "settingValueTemplateReference": None,
            "value": value,
        },
    }


def group_target(group_id: str) -> JSONObject:
    """An include of a group, without filter."""
    return {
        "@odata.type": "#microsoft.graph.groupAssignmentTarget",
        "deviceAndAppManagementAssignmentFilterId": None,
        "deviceAndAppManagementAssignmentFilterType": "none",
        "groupId": group_id,
    }


def _seed_profiles(seeder: Seeder) -> None:
    provider = "admx_credentialproviders_defaultcredentialprovider"
    seeder.policy(
        "Win - Passwordless",
        [
            choice(provider, 1, [simple(f"{provider}_defaultcredentialprovider_message", PIN_PROVIDER)]),
            choice("authentication_enablepasswordlessexperience", 1),
            choice("authentication_enablewebsignin", 1),
        ],
    )
    pilots = seeder.id("group:SG-Autopilot-Pilot-Devices")
    seeder.policy(
        "Win - BitLocker",
        [choice("bitlocker_requiredeviceencryption", 1), choice("bitlocker_allowwarningforotherdiskencryption", 0)],
        description="Silent encryption",
        _assignments=[group_target(pilots)],
    )
    seeder.policy("Win - Windows Update", [choice("update_allowautoupdate", 1)], roleScopeTagIds=["0", "1"])
    seeder.policy(
        "Win - Proxy",
        [
            {
                **simple("networkproxy_password", seeder.id("secret:proxy"), "Secret"),
                "simpleSettingValue": {
                    "@odata.type": f"{TYPE_PREFIX}SecretSettingValue",
                    "settingValueTemplateReference": None,
                    "value": seeder.id("secret:proxy"),
                    "valueState": "encryptedValueToken",
                },
            }
        ],
    )
    seeder.policy("macOS - FileVault", platforms="macOS", technologies="mdm,appleRemoteManagement")
    seeder.policy(
        "Defender Antivirus",
        [choice("defender_allowrealtimemonitoring", 1)],
        technologies="mdm,microsoftSense",
        templateReference={
            "templateId": "804339ad-1553-4478-a742-138fb5807418_1",
            "templateFamily": "endpointSecurityAntivirus",
            "templateDisplayName": "Microsoft Defender Antivirus",
            "templateDisplayVersion": "Version 1",
        },
    )
    restrictions = custom_profiles.new_configuration(
        seeder.id("configuration:restrictions"), MOMENT, "#microsoft.graph.windows10GeneralConfiguration"
    )
    restrictions |= {"displayName": "Win - Device restrictions (legacy)", "authenticationWebSignIn": "notConfigured"}
    seeder.put(custom_profiles.COLLECTION, restrictions)


def _seed_tenant(seeder: Seeder) -> None:
    tenant_id = seeder.state["tenant"]
    seeder.put(
        "organization",
        {
            "id": tenant_id,
            "displayName": "Contoso",
            "tenantType": "AAD",
            "createdDateTime": WHOLE_SECONDS,
            "verifiedDomains": [
                {"name": "contoso.com", "isDefault": True, "isInitial": False, "type": "Managed"},
                {"name": "contoso.onmicrosoft.com", "isDefault": False, "isInitial": True, "type": "Managed"},
            ],
        },
    )
    for name, is_default in (("contoso.com", True), ("contoso.onmicrosoft.com", False)):
        domain = {"id": name, "authenticationType": "Managed", "isDefault": is_default, "isVerified": True}
        seeder.put("domains", {**domain, "isInitial": not is_default})
    plans = ("AAD_PREMIUM", "AAD_PREMIUM_P2", "INTUNE_A")
    seeder.put(
        "subscribedSkus",
        {
            "id": f"{tenant_id}_{seeder.id('sku:e5')}",
            "skuId": seeder.id("sku:e5"),
            "skuPartNumber": "SPE_E5",
            "capabilityStatus": "Enabled",
            "consumedUnits": 6,
            "prepaidUnits": {"enabled": 25, "suspended": 0, "warning": 0},
            "servicePlans": [
                {
                    "servicePlanId": seeder.id(f"plan:{plan}"),
                    "servicePlanName": plan,
                    "provisioningStatus": "Success",
                    "appliesTo": "User",
                }
                for plan in plans
            ],
        },
    )
    mfa = ["temporaryAccessPassOneTime", "temporaryAccessPassMultiUse", "windowsHelloForBusiness", "fido2"]
    for number, (name, allowed) in enumerate(
        (("Multifactor authentication", mfa), ("Passwordless MFA", mfa[2:]), ("Phishing-resistant MFA", mfa[2:])), 2
    ):
        strength = {"id": f"00000000-0000-0000-0000-00000000000{number}", "policyType": "builtIn"}
        seeder.put(
            "authenticationStrengths",
            {**strength, "displayName": name, "requirementsSatisfied": "mfa", "allowedCombinations": allowed},
        )
    _seed_application(seeder)


def _seed_application(seeder: Seeder) -> None:
    principal_id = str(uuid.uuid5(uuid.UUID(APP_ID), seeder.state["tenant"]))
    roles = {name: str(uuid.uuid5(uuid.UUID(ZERO_GUID), name)) for name in sorted(ALL_PERMISSIONS)}
    graph = {
        "@odata.type": "#microsoft.graph.servicePrincipal",
        "id": seeder.id("principal:graph"),
        "appId": GRAPH_APP_ID,
        "displayName": "Microsoft Graph",
        "appRoles": [{"id": identifier, "value": name} for name, identifier in roles.items()],
        "_appRoleAssignments": [],
    }
    grants = [
        {
            "id": seeder.id(f"grant:{name}"),
            "appRoleId": identifier,
            "principalId": principal_id,
            "principalType": "ServicePrincipal",
            "resourceId": graph["id"],
            "resourceDisplayName": "Microsoft Graph",
        }
        for name, identifier in roles.items()
    ]
    own = {
        "@odata.type": "#microsoft.graph.servicePrincipal",
        "id": principal_id,
        "appId": APP_ID,
        "displayName": APP_NAME,
        "appRoles": [],
        "_appRoleAssignments": grants,
    }
    seeder.put("servicePrincipals", graph, own)
