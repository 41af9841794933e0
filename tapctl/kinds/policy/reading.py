"""Reading the Temporary Access Pass policy: one call, one decoder, and the table of its plain fields."""

from __future__ import annotations

from typing import NamedTuple

from tapctl.kinds.wire import (
    JSONObject,
    Malformed,
    as_malformed,
    as_object,
    boolean_or_none,
    identifier,
    integer_or_none,
    malformed,
    objects,
    text_or_none,
)
from tapctl.model.desired import Cloud
from tapctl.model.live import DirectoryTarget, LivePolicy
from tapctl.model.requests import Problem, Read, Reading, Version
from tapctl.model.values import JSONValue

READ_PERMISSION = "Policy.Read.AuthenticationMethod"
PATH = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/temporaryAccessPass"
ALL_USERS_ID = "all_users"
"""The literal that means everybody; its targetType is `group`."""


class PlainField(NamedTuple):
    """A field with a single value."""

    path: str
    """The YAML path below the address."""
    attribute: str
    """The attribute name in both the declared and the live policy."""
    wire: str
    """Graph's property."""


LIFETIMES = (
    PlainField("lifetime.minimum", "minimum", "minimumLifetimeInMinutes"),
    PlainField("lifetime.default", "default", "defaultLifetimeInMinutes"),
    PlainField("lifetime.maximum", "maximum", "maximumLifetimeInMinutes"),
)
PLAIN_FIELDS = (
    PlainField("state", "state", "state"),
    *LIFETIMES,
    PlainField("length", "length", "defaultLength"),
    PlainField("oneTime", "one_time", "isUsableOnce"),
)
"""Every field except the two target lists."""


def version_in(cloud: Cloud) -> Version:
    """In China the policy is in beta only (documentation of the get call, checked 2026-11-22)."""
    return "beta" if cloud == "china" else "v1.0"


def read(cloud: Cloud) -> Reading[LivePolicy | Problem]:
    purpose = "reading the TAP policy"
    (outcome,) = yield [Read(purpose=purpose, version=version_in(cloud), path=PATH, permission=READ_PERMISSION)]
    if isinstance(outcome, Problem):
        # The policy is a singleton that always exists.
        return as_malformed(outcome)
    try:
        return decode(as_object(outcome.body, "the answer"))
    except Malformed as error:
        return malformed(outcome, purpose, error)


def decode(item: JSONObject) -> LivePolicy:
    """The policy as Graph sends it. A missing list of excluded targets is empty; a missing include list is an error.

    Raises:
        Malformed: when a property has a different type from the documented one.
    """
    if str(item.get("id", "")).lower() != "temporaryaccesspass":
        raise Malformed("id is not TemporaryAccessPass")
    excluded = item.get("excludeTargets")
    return LivePolicy(
        state=text_or_none(item, "state"),
        minimum=integer_or_none(item, "minimumLifetimeInMinutes"),
        default=integer_or_none(item, "defaultLifetimeInMinutes"),
        maximum=integer_or_none(item, "maximumLifetimeInMinutes"),
        length=integer_or_none(item, "defaultLength"),
        one_time=boolean_or_none(item, "isUsableOnce"),
        include=_targets(item.get("includeTargets"), "includeTargets"),
        exclude=_targets(excluded if excluded is not None else [], "excludeTargets"),
    )


def _targets(value: JSONValue, name: str) -> frozenset[DirectoryTarget]:
    return frozenset(_target(item) for item in objects(value, name))


def _target(item: JSONObject) -> DirectoryTarget:
    target, type_name = identifier(item), text_or_none(item, "targetType") or "group"
    is_required = bool(boolean_or_none(item, "isRegistrationRequired"))
    if target == ALL_USERS_ID:
        return DirectoryTarget("all-users", ALL_USERS_ID, is_registration_required=is_required)
    match type_name.lower():
        case "group":
            return DirectoryTarget("group", target, is_registration_required=is_required)
        case "user":
            return DirectoryTarget("user", target, is_registration_required=is_required)
        case _:
            return DirectoryTarget("other", target, type_name, is_required)


def referred_groups(live: LivePolicy) -> frozenset[str]:
    """The ids of the groups that the target lists name."""
    return frozenset(target.id for target in live.include | live.exclude if target.kind == "group")
