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
    """How this sandbox behaves where sources are silent or disagree. The number names the section of the facts."""

    # Temporary Access Pass policy
    odata_type_required: bool = True
    """1.3: a PATCH of the TAP policy without @odata.type is refused with 400."""
    recalculate_lifetimes: bool = False
    """1.3: lifetimes that a PATCH does not name move along instead of making it fail."""
    unknown_policy_targets: Unknown = "store"
    """1.4: target ids that are no group: stored, refused, or refused unless they were there before."""
    exclude_targets_missing: bool = False
    """1.4: an empty excludeTargets is left out of the answer, as in older examples."""
    reverse_targets: bool = False
    """1.4: targets come back in another order than they were sent."""
    target_annotations: bool = True
    """1.2: the answer carries includeTargets@odata.context."""
    reset_keeps_targets: bool = False
    """1.1: DELETE leaves state and targets alone and resets the numbers only."""
    nested_targets_count: bool = True
    """1.4: members of groups inside a target group are in scope of the policy."""

    # passes of a user
    second_tap: Literal["replace", "refuse"] = "replace"
    """2: creating a pass while one is valid replaces it (current documentation) or is refused (older)."""
    tap_while_disabled: Literal["refuse", "create"] = "refuse"
    """2: creating a pass while the policy is disabled."""
    tap_usable_after_reads: int = 0
    """2: a fresh pass reports isUsable false for so many reads."""

    # settings catalog and assignments
    settings_page_size: int = 25
    """3.2: items of a page of /settings without $top."""
    intune_page_size: int = 100
    """3.3: items of a page of an Intune list without $top."""
    intune_top_maximum: int = 1000
    """3.3: the largest $top of an Intune list."""
    top_over_maximum: Literal["refuse", "cap"] = "cap"
    """3.3: what an Intune list does with a larger $top. Directory lists always refuse it."""
    expand_settings_limit: int | None = None
    """3.3: $expand=settings returns at most so many settings."""
    delete_status: Literal[200, 204] = 204
    """3.2: the answer to DELETE of a profile."""
    assign_status: Literal[200, 204] = 200
    """3.2: the answer to POST .../assign; 204 has no body."""
    custom_profile_patch_status: Literal[200, 204] = 200
    """4: the answer to PATCH of a device configuration; 204 has no body."""
    put_keeps_assignments: bool = True
    """3.2: PUT of a policy leaves its assignments alone."""
    put_without_scope_tags: Literal["reset", "keep"] = "reset"
    """3.2: PUT that leaves roleScopeTagIds out."""
    put_refuses_creation_source: bool = False
    """3.2: PUT with creationSource in its body is refused."""
    profile_type_changes: Literal["refuse", "store"] = "refuse"
    """3.2: changing platforms, technologies or template of an existing policy."""
    duplicate_settings: Literal["refuse", "store"] = "refuse"
    """3.1: one definition twice at top level."""
    null_descriptions: bool = False
    """3.1: blank descriptions of policies read back null instead of an empty text."""
    list_settings: Literal["collection", "string"] = "collection"
    """3.6: whether allowed URLs and webcam domains are a simple collection or one string."""
    unknown_assignment_groups: Unknown = "store"
    """3.4: assigning to an id that is no group."""
    filter_on_exclusion: Literal["refuse", "store"] = "refuse"
    """3.4: an exclusion target with an assignment filter."""
    contradicting_assignments: Literal["refuse", "store"] = "store"
    """3.4: one group both included and excluded."""
    zero_guid_filters: bool = False
    """3.4: a target without filter reads back the all-zero GUID instead of null."""
    unknown_scope_tags: Literal["refuse", "store"] = "refuse"
    """7: a scope tag id that does not exist."""
    extra_keys: bool = False
    """3.1: answers carry keys that no documentation names, auditRuleInformation among them."""
    encrypt_oma_strings: bool = True
    """4: text values of OMA settings read back as **** with a secret reference."""

    # groups
    soft_delete_groups: Literal["microsoft365", "all"] = "microsoft365"
    """5: which deleted groups go to /directory/deletedItems."""
    directory_page_size: int = 100
    """5: items of a page of a directory list without $top."""

    # replication
    lag_get_seconds: float = 0.0
    """5: GET by id sees a new object only after so long."""
    lag_get_reads: int = 0
    """5: GET by id sees a new object only after so many such reads."""
    lag_list_seconds: float = 0.0
    """5: lists see a new object only after so long."""
    lag_list_reads: int = 0
    """5: lists see a new object only after so many lists."""
    lag_updates: bool = False
    """1.5, 5: changed and deleted objects lag as well, not only new ones."""
    lag_refuses_writes: bool = True
    """5: PATCH, assign and references to an object that GET does not see yet answer 404."""

    # multi-admin approval
    approval_for: tuple[str, ...] = ()
    """3.7: collections whose writes wait for approval: configurationPolicies, deviceConfigurations."""
    approval_status: int = 403
    """3.7: the status of a refusal for want of approval."""

    # audit
    audit_whole_policy: bool = False
    """8.1: policy entries carry the whole policy as before April 2026, not only what changed."""
    audit_delay_seconds: float = 0.0
    """8.1: how long an entry takes to appear."""

    # transport
    retry_after_seconds: int | None = 1
    """9: Retry-After of a 429 whose fault names none; null: the header is missing, as Intune may do."""
    shuffle_batch: bool = True
    """9: the parts of a batch come back in another order."""
    inner_error: Literal["innerError", "innererror"] = "innerError"
    """9: the spelling of the inner error."""
    wrap_intune_errors: bool = True
    """9: messages of Intune errors are JSON documents as text."""
    revoke_tokens: int = 0
    """9: so many tokens, in the order in which they are first seen, are answered with a claims challenge."""

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
