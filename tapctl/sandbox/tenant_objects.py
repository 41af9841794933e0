"""Plain collections that are only read: filters, scope tags, managed devices, organization, licences and others."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tapctl.sandbox.errors import Service, not_found
from tapctl.sandbox.exchange import Exchange
from tapctl.sandbox.odata import Listing, answer_list, project
from tapctl.sandbox.wire import JSONObject, Reply

Handler = Callable[[Exchange], Reply]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainCollection:
    """A collection that can be listed, and read by id."""

    name: str
    """Of the collection in the state."""
    listing: Listing
    service: Service = "directory"
    beta_only: frozenset[str] = frozenset()

    def list(self, exchange: Exchange) -> Reply:
        found = [self._rendered(exchange, item) for item in exchange.store.scan(self.name)]
        return answer_list(exchange, found, self.listing)

    def get(self, exchange: Exchange) -> Reply:
        found = exchange.store.read(self.name, exchange.parameters["id"])
        if found is None:
            raise not_found(exchange.parameters["id"], self.service)
        context = exchange.context(f"{self.listing.fragment}/$entity")
        return Reply(body={"@odata.context": context, **project(exchange, self._rendered(exchange, found))})

    def _rendered(self, exchange: Exchange, item: JSONObject) -> JSONObject:
        if exchange.call.version == "beta" or not self.beta_only:
            return item
        return {name: value for name, value in item.items() if name not in self.beta_only}


ASSIGNMENT_FILTERS = PlainCollection(
    name="assignmentFilters",
    listing=Listing(fragment="deviceManagement/assignmentFilters", style="intune"),
    service="intune",
)
"""No $filter: clients list all and compare names."""

ROLE_SCOPE_TAGS = PlainCollection(
    name="roleScopeTags",
    listing=Listing(
        fragment="deviceManagement/roleScopeTags",
        filterable=frozenset({"id", "displayName"}),
        operators=frozenset({"eq"}),
        style="intune",
    ),
    service="intune",
)
MANAGED_DEVICES = PlainCollection(
    name="managedDevices",
    listing=Listing(
        fragment="deviceManagement/managedDevices",
        filterable=frozenset(
            {"id", "azureADDeviceId", "deviceName", "operatingSystem", "osVersion", "userPrincipalName", "userId"}
        ),
        operators=frozenset({"eq", "startswith", "contains"}),
        style="intune",
    ),
    service="intune",
    beta_only=frozenset({"joinType", "skuFamily"}),
)
ORGANIZATION = PlainCollection(name="organization", listing=Listing(fragment="organization"))
SUBSCRIBED_SKUS = PlainCollection(name="subscribedSkus", listing=Listing(fragment="subscribedSkus"))
DOMAINS = PlainCollection(name="domains", listing=Listing(fragment="domains"))
CONDITIONAL_ACCESS = PlainCollection(
    name="conditionalAccessPolicies",
    listing=Listing(
        fragment="identity/conditionalAccess/policies",
        filterable=frozenset({"id", "displayName", "state"}),
        operators=frozenset({"eq", "in"}),
    ),
)
AUTHENTICATION_STRENGTHS = PlainCollection(
    name="authenticationStrengths",
    listing=Listing(
        fragment="policies/authenticationStrengthPolicies",
        filterable=frozenset({"id", "displayName", "policyType"}),
        operators=frozenset({"eq"}),
    ),
)
SERVICE_PRINCIPALS = PlainCollection(
    name="servicePrincipals",
    listing=Listing(
        fragment="servicePrincipals",
        filterable=frozenset({"id", "appId", "displayName"}),
        operators=frozenset({"eq", "in", "startswith"}),
        style="directory",
    ),
)
ROLE_ASSIGNMENTS = PlainCollection(
    name="roleAssignments",
    listing=Listing(
        fragment="roleManagement/directory/roleAssignments",
        filterable=frozenset({"principalId", "roleDefinitionId"}),
        operators=frozenset({"eq", "in"}),
    ),
)


def list_federation(exchange: Exchange) -> Reply:
    """A managed domain has no federation configuration; the sandbox has managed domains alone."""
    if exchange.store.read("domains", exchange.parameters["id"]) is None:
        raise not_found(exchange.parameters["id"])
    fragment = f"domains('{exchange.parameters['id']}')/federationConfiguration"
    return answer_list(exchange, [], Listing(fragment=fragment))


def get_service_principal_by_app(exchange: Exchange) -> Reply:
    return Reply(
        body={
            "@odata.context": exchange.context("servicePrincipals/$entity"),
            **project(exchange, _service_principal(exchange)),
        }
    )


def _service_principal(exchange: Exchange) -> JSONObject:
    parameters = exchange.parameters
    wanted = (parameters.get("appId") or parameters.get("id") or "").lower()
    for found in exchange.store.scan("servicePrincipals"):
        if wanted in (found["id"], found["appId"]):
            return found
    raise not_found(wanted)


def list_app_role_assignments(exchange: Exchange) -> Reply:
    """The application permissions that a service principal was granted."""
    principal = _service_principal(exchange)
    fragment = f"servicePrincipals('{principal['id']}')/appRoleAssignments"
    return answer_list(exchange, principal["_appRoleAssignments"], Listing(fragment=fragment))
