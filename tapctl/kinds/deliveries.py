"""What the two deliveries of a web sign-in profile have in common, as one small interface: the form of a delivery."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tapctl.kinds import assignments
from tapctl.kinds.wire import JSONObject, Malformed, elements, malformed, segment
from tapctl.model.desired import Delivery, SettingValue
from tapctl.model.live import LiveAssignment, LiveProfile, SettingShape
from tapctl.model.requests import Problem, Read, Reading, Write, WriteMethod
from tapctl.model.values import JSONValue

READ_PERMISSION = "DeviceManagementConfiguration.Read.All"
WRITE_PERMISSION = "DeviceManagementConfiguration.ReadWrite.All"


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a list shows of a profile: enough to find it."""

    id: str
    name: str
    mark: str | None
    listed: JSONObject = field(repr=False, compare=False)
    """The element of the list as received, for the form that reads the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """The content of a profile to write."""

    name: str
    description: str
    """Includes the mark, where there is one."""
    settings: Mapping[str, SettingValue]
    """The modelled settings that the policy will hold."""
    scope_tag_ids: frozenset[str]
    shapes: Mapping[str, SettingShape]
    """The shapes of settings from the tenant's own definitions; a form may need one to add a setting."""


class DeliveryForm(Protocol):
    """The form of one delivery: where its objects live and what they look like. Callers never ask which one it is."""

    delivery: Delivery
    collection: str
    """Path of the collection, below beta."""

    def summarise(self, item: JSONObject) -> Summary | None:
        """Decodes one element of the list; None for objects of other types."""

    def read_whole(self, profile_id: str, purpose: str) -> Reading[LiveProfile | Problem]:
        """Reads one profile completely: metadata, settings, assignments."""

    def read_listed(self, summary: Summary, purpose: str) -> Reading[LiveProfile | Problem]:
        """Completes a profile from the list: reads only what the list does not contain."""

    def read_if_modelled(self, summary: Summary, purpose: str) -> Reading[LiveProfile | None | Problem]:
        """The same; None, with as few reads as possible, for a profile that holds no modelled setting.

        The result may also hold no modelled setting although the whole profile was read."""

    def undocumented(self, names: Iterable[str]) -> frozenset[str]:
        """Those of these settings whose shape only the tenant's own definition gives (see `Content.shapes`)."""

    def creation_body(self, content: Content) -> JSONObject:
        """The write that creates the profile; assignments are a separate write."""

    def carried(self, live: LiveProfile | None, content: Content) -> Mapping[str, tuple[str, ...]]:
        """`LiveProfile.carried` as expected after the profile was updated, or created when `live` is None."""

    def update(self, live: LiveProfile, content: Content, changed: frozenset[str], purpose: str) -> Write:
        """The one write that sets metadata and settings to `content`; `changed` holds the paths of changed fields."""

    def alternative(self, live: LiveProfile, write: Write) -> Write | None:
        """What to send instead of an update that Graph refuses; None where the form of the update is certain."""

    def why_not_writable(self, live: LiveProfile, changed: frozenset[str]) -> str | None:
        """The reason, as text for people, why this profile cannot be written; None when it can."""


def list_read(form: DeliveryForm) -> Read:
    """The complete list of one delivery's collection."""
    return Read(
        purpose=f"listing {form.collection.rsplit('/', 1)[-1]}",
        version="beta",
        path=f"{form.collection}?$top=1000",
        permission=READ_PERMISSION,
        paged=True,
    )


def read_summaries(form: DeliveryForm) -> Reading[list[Summary] | Problem]:
    """Every profile in the list that can be of this delivery."""
    (outcome,) = yield [list_read(form)]
    if isinstance(outcome, Problem):
        return outcome
    try:
        items = elements(outcome.body)
        return [summary for item in items if (summary := form.summarise(item)) is not None]
    except Malformed as error:
        return malformed(outcome, list_read(form).purpose, error)


def intune_write(
    purpose: str, method: WriteMethod, path: str, body: JSONValue = None, *, creates: bool = False
) -> Write:
    """A write to Intune, where a tenant can demand that a second administrator approves it.

    Args:
        path: below beta.
        creates: see `Write.creates`.
    """
    return Write(
        purpose=purpose,
        version="beta",
        method=method,
        path=path,
        body=body,
        permission=WRITE_PERMISSION,
        creates=creates,
        may_need_approval=True,
    )


def assignments_read(collection: str, profile_id: str, purpose: str) -> Read:
    return Read(
        purpose=f"{purpose}: its assignments",
        version="beta",
        path=f"{collection}/{segment(profile_id)}/assignments",
        permission=READ_PERMISSION,
        paged=True,
    )


def decode_assignments(body: JSONValue) -> frozenset[LiveAssignment]:
    """The assignments of one profile.

    Raises:
        Malformed: when the answer is not what Graph documents.
    """
    return frozenset(assignments.decode(item) for item in elements(body))
