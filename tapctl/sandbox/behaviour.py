"""Switches: every behaviour of Graph that is not confirmed, or that differs between tenants, and its default."""

from __future__ import annotations

import json
import types
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from tapctl.errors import UsageError

Unknown = Literal["store", "refuse", "refuse-new"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How this sandbox behaves where sources are silent or disagree."""

    # Temporary Access Pass policy
    odata_type_required: bool = True
    """A PATCH of the TAP policy without @odata.type is refused with 400."""
    recalculate_lifetimes: bool = False
    """Lifetimes that a PATCH does not name move along instead of making it fail."""
    unknown_policy_targets: Unknown = "store"
    """Target ids that are no group: stored, refused, or refused unless they were there before."""
    exclude_targets_missing: bool = False
    """An empty excludeTargets is left out of the answer, as in older examples."""
    reverse_targets: bool = False
    """Targets come back in another order than they were sent."""
    target_annotations: bool = True
    """The answer carries includeTargets@odata.context."""
    include_targets: Literal["list", "null", "missing", "null-when-empty"] = "list"
    """How includeTargets is shown: every property of the policy is nullable, and none says when it is null."""
    target_display_names: Literal["drop", "refuse"] = "drop"
    """A target that is sent with displayName, a property that its type does not have, as a published client does."""
    is_registration_required_kept: bool = False
    """An include target sent without isRegistrationRequired keeps the value that it had instead of getting false."""
    reset_keeps_targets: bool = False
    """DELETE leaves state and targets alone and resets the numbers only."""
    nested_targets_count: bool = True
    """Members of groups inside a target group are in scope of the policy."""

    # passes of a user
    second_tap: Literal["replace", "refuse"] = "replace"
    """Creating a pass while one is valid replaces it (current documentation) or is refused (older)."""
    tap_while_disabled: Literal["refuse", "create"] = "refuse"
    """Creating a pass while the policy is disabled."""
    tap_usable_after_reads: int = 0
    """A fresh pass reports isUsable false for so many reads."""

    # settings catalog and assignments
    settings_page_size: int = 25
    """Items of a page of /settings without $top."""
    intune_page_size: int = 100
    """Items of a page of an Intune list without $top."""
    intune_top_maximum: int = 1000
    """The largest $top of an Intune list."""
    top_over_maximum: Literal["refuse", "cap"] = "cap"
    """What an Intune list does with a larger $top. Directory lists always refuse it."""
    expand_settings_limit: int | None = None
    """$expand=settings returns at most so many settings."""
    delete_status: Literal[200, 204] = 204
    """The answer to DELETE of a profile."""
    assign_status: Literal[200, 204] = 200
    """The answer to POST .../assign; 204 has no body."""
    custom_profile_patch_status: Literal[200, 204] = 200
    """The answer to PATCH of a device configuration; 204 has no body."""
    put_keeps_assignments: bool = True
    """PUT of a policy leaves its assignments alone."""
    put_without_scope_tags: Literal["reset", "keep"] = "reset"
    """PUT that leaves roleScopeTagIds out."""
    put_refuses_creation_source: bool = False
    """PUT with creationSource in its body is refused."""
    put_needs_creation_source: bool = False
    """PUT that leaves out a creationSource that is not null, or changes it, is refused."""
    profile_type_changes: Literal["refuse", "store"] = "refuse"
    """Changing platforms, technologies or template of an existing policy."""
    duplicate_settings: Literal["refuse", "store"] = "refuse"
    """One definition twice at top level."""
    null_descriptions: bool = False
    """Blank descriptions of policies read back null instead of an empty text."""
    list_settings: Literal["collection", "string"] = "collection"
    """Whether allowed URLs and webcam domains are a simple collection or one string."""
    unknown_assignment_groups: Unknown = "store"
    """Assigning to an id that is no group."""
    filter_on_exclusion: Literal["refuse", "store"] = "refuse"
    """An exclusion target with an assignment filter."""
    contradicting_assignments: Literal["refuse", "store"] = "store"
    """One group both included and excluded."""
    zero_guid_filters: bool = False
    """A target without filter reads back the all-zero GUID instead of null."""
    unknown_scope_tags: Literal["refuse", "store"] = "refuse"
    """A scope tag id that does not exist."""
    extra_keys: bool = False
    """Answers carry keys that no documentation names, auditRuleInformation among them."""
    encrypt_oma_strings: bool = True
    """Text values of OMA settings read back as **** with a secret reference."""

    pages_overlap: bool = False
    """The last item of the first page is shown by the second one again, as when an object was added meanwhile."""

    # groups
    soft_delete_groups: Literal["microsoft365", "all"] = "microsoft365"
    """Which deleted groups go to /directory/deletedItems."""
    directory_page_size: int = 100
    """Items of a page of a directory list without $top."""

    # replication
    lag_get_seconds: float = 0.0
    """GET by id sees a new object only after so long."""
    lag_get_reads: int = 0
    """GET by id sees a new object only after so many such reads, whichever process reads."""
    lag_list_seconds: float = 0.0
    """Lists see a new object only after so long."""
    lag_list_reads: int = 0
    """Lists see a new object only after so many lists, whichever process lists."""
    lag_updates: bool = False
    """Changed and deleted objects lag as well, not only new ones."""
    lag_refuses_writes: bool = True
    """PATCH, assign and references to an object that GET does not see yet answer 404."""

    # multi-admin approval
    approval_for: tuple[str, ...] = ()
    """Collections whose writes wait for approval: configurationPolicies, deviceConfigurations."""
    approval_status: int = 403
    """The status of a refusal for want of approval."""

    # audit
    audit_whole_policy: bool = False
    """Policy entries carry the whole policy as before April 2026, not only what changed."""
    audit_delay_seconds: float = 0.0
    """How long an entry takes to appear."""

    # transport
    retry_after_seconds: int | None = 1
    """Retry-After of a 429 whose fault names none; null: the header is missing, as Intune may do."""
    shuffle_batch: bool = True
    """The parts of a batch come back in another order."""
    inner_error: Literal["innerError", "innererror"] = "innerError"
    """The spelling of the inner error."""
    wrap_intune_errors: bool = True
    """Messages of Intune errors are JSON documents as text."""
    revoke_tokens: int = 0
    """So many tokens, in the order in which they are first seen, are answered with a claims challenge."""

    @classmethod
    def parse(cls, text: str) -> Behaviour:
        """Read the JSON object `text`, or the file named by `@file`.

        Raises:
            UsageError: unknown switch, or a value of the wrong type.
        """
        return cls.from_mapping(_read_object(text))

    @classmethod
    def from_mapping(cls, switches: Mapping[str, Any]) -> Behaviour:
        """Raises: UsageError: unknown switch, or a value of the wrong type."""
        hints = get_type_hints(cls)
        values: dict[str, Any] = {}
        for name, value in switches.items():
            if name not in hints:
                known = ", ".join(field.name for field in fields(cls))
                raise UsageError(f"the sandbox has no switch {name!r}", fix=f"switches: {known}")
            converted = tuple(value) if isinstance(value, list) else value
            if not _fits(converted, hints[name]):
                raise UsageError(f"the sandbox switch {name} cannot be {json.dumps(value)}")
            values[name] = converted
        return cls(**values)


def _read_object(text: str) -> Mapping[str, Any]:
    document = read_json(text, "sandbox switches")
    if not isinstance(document, dict):
        raise UsageError("the sandbox switches are not a JSON object")
    return document


def read_json(text: str, what: str) -> Any:
    """The JSON document `text`, or the one in the file of `@file`.

    Raises:
        UsageError: no such file, or not JSON; `what` says of what it speaks.
    """
    try:
        source = Path(text[1:]).read_text(encoding="utf-8") if text.startswith("@") else text
        return json.loads(source)
    except OSError as error:
        raise UsageError(f"the {what} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"the {what} are not JSON: {error}") from error


def _fits(value: object, kind: Any) -> bool:
    origin = get_origin(kind)
    if origin is Literal:
        return any(value == choice and type(value) is type(choice) for choice in get_args(kind))
    if origin in (Union, types.UnionType):
        return any(_fits(value, choice) for choice in get_args(kind))
    if origin is tuple:
        return isinstance(value, tuple) and all(isinstance(item, str) for item in value)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)
