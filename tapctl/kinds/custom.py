"""Custom OMA-URI profiles (Intune). Source: Graph reference `windows10CustomConfiguration`, beta, and
`getOmaSettingPlainTextValue` (checked 2026-11-22): text values are masked; their plain text is read separately."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping

from tapctl.kinds import mark
from tapctl.kinds.deliveries import (
    READ_PERMISSION,
    Content,
    Summary,
    assignments_read,
    decode_assignments,
    intune_write,
)
from tapctl.kinds.settings import SETTINGS, decode_oma, encode_oma, oma_node, read_each
from tapctl.kinds.wire import (
    JSONObject,
    Malformed,
    as_malformed,
    as_object,
    identifier,
    literal,
    malformed,
    objects,
    odata_type,
    segment,
    text,
    text_or_none,
    texts,
)
from tapctl.model.desired import Delivery, SettingValue
from tapctl.model.live import LiveProfile
from tapctl.model.requests import Problem, Read, Reading, Write
from tapctl.model.values import JSONValue
from tapctl.model.words import count_noun

ODATA_TYPE = "#microsoft.graph.windows10CustomConfiguration"
MASK = "****"


ONLY_READ = "its row is read-only: devices read the value and set nothing"
"""Source: Graph reference `omaSettingInteger`, isReadOnly, beta (checked 2026-11-22)."""


class CustomProfile:
    """The form of the delivery `oma-uri`."""

    delivery: Delivery = "oma-uri"
    collection = "/deviceManagement/deviceConfigurations"

    def summarise(self, item: JSONObject) -> Summary | None:
        if odata_type(item) != "windows10customconfiguration":
            return None
        _, key = mark.split(text_or_none(item, "description") or "")
        return Summary(id=identifier(item), name=text_or_none(item, "displayName") or "", mark=key, listed=item)

    def read_whole(self, profile_id: str, purpose: str) -> Reading[LiveProfile | Problem]:
        path = f"{self.collection}/{segment(profile_id)}"
        profile, assigned = yield [
            Read(purpose=purpose, version="beta", path=path, permission=READ_PERMISSION),
            assignments_read(self.collection, profile_id, purpose),
        ]
        if isinstance(profile, Problem):
            return profile
        if isinstance(assigned, Problem):
            return as_malformed(assigned)
        try:
            item = as_object(profile.body, "the answer")
            omas = objects(item.get("omaSettings"), "omaSettings")
            hidden = [oma for oma in omas if is_masked(oma) and oma_node(text(oma, "omaUri")) is not None]
            plain = yield from self._plain_texts(profile_id, hidden, purpose)
            return plain if isinstance(plain, Problem) else self.decode(item, omas, plain, assigned.body)
        except Malformed as error:
            return malformed(profile, purpose, error)

    def read_listed(self, summary: Summary, purpose: str) -> Reading[LiveProfile | Problem]:
        """Reads the whole profile: the list may omit the settings."""
        return self.read_whole(summary.id, purpose)

    def read_if_modelled(self, summary: Summary, purpose: str) -> Reading[LiveProfile | None | Problem]:
        if not may_hold_modelled(summary.listed):
            return None
        return (yield from self.read_whole(summary.id, purpose))

    def undocumented(self, _names: Iterable[str]) -> frozenset[str]:
        return frozenset()

    def _plain_texts(
        self, profile_id: str, hidden: list[JSONObject], purpose: str
    ) -> Reading[dict[str, str] | Problem]:
        """The plain text of the masked values that tapctl models, by the id of their secret."""
        if not hidden:
            return {}
        secrets = [text(oma, "secretReferenceValueId") for oma in hidden]
        outcomes = yield [
            Read(
                purpose=f"{purpose}: the plain text of a setting",
                version="beta",
                path=f"{self.collection}/{segment(profile_id)}"
                f"/getOmaSettingPlainTextValue(secretReferenceValueId={literal(secret)})",
                permission=READ_PERMISSION,
            )
            for secret in secrets
        ]
        plain: dict[str, str] = {}
        for secret, outcome in zip(secrets, outcomes, strict=True):
            if isinstance(outcome, Problem):
                return as_malformed(outcome)
            value = as_object(outcome.body, "the answer").get("value")
            if not isinstance(value, str):
                raise Malformed("the plain text of a setting is not a string")
            plain[secret] = value
        return plain

    def decode(
        self, item: JSONObject, omas: list[JSONObject], plain: dict[str, str], assigned: JSONValue
    ) -> LiveProfile:
        """One profile from its parts.

        Raises:
            Malformed: when a part is not as Graph documents it.
        """
        clear = [_in_clear(oma, plain) for oma in omas]
        by_name: dict[str, list[JSONObject]] = {}
        for oma in clear:
            by_name.setdefault(_modelled_name(oma), []).append(oma)
        foreign = by_name.pop("", [])
        only_read = {name: ONLY_READ for name, rows in by_name.items() if any(row.get("isReadOnly") for row in rows)}
        settings, unreadable = read_each({n: rows for n, rows in by_name.items() if n not in only_read}, _decode_value)
        unreadable |= only_read
        foreign += [oma for name in sorted(unreadable) for oma in by_name[name]]
        description, key = mark.split(text_or_none(item, "description") or "")
        return LiveProfile(
            id=identifier(item),
            name=text_or_none(item, "displayName") or "",
            description=description,
            mark=key,
            delivery=self.delivery,
            settings=settings,
            unmodelled=len(foreign),
            masked=sum(1 for oma in foreign if is_masked(oma)),
            scope_tag_ids=frozenset(texts(item, "roleScopeTagIds")),
            assignments=decode_assignments(assigned),
            unmodelled_digest=_digest(foreign),
            clear_texts=_clear_texts(foreign),
            unreadable=unreadable,
            carried={_row(name): _words(by_name[name][0]) for name in settings},
            wire={"profile": item, "omas": [*clear], "assigned": assigned},
        )

    def carried(self, live: LiveProfile | None, content: Content) -> Mapping[str, tuple[str, ...]]:
        known = live.carried if live is not None else {}
        rows = {_row(name): _words(encode_oma(name, value)) for name, value in content.settings.items()}
        return {row: known.get(row, words) for row, words in rows.items()}

    def creation_body(self, content: Content) -> JSONObject:
        return {
            "@odata.type": ODATA_TYPE,
            "displayName": content.name,
            "description": content.description,
            "roleScopeTagIds": [*sorted(content.scope_tag_ids)],
            "omaSettings": [encode_oma(name, value) for name, value in sorted(content.settings.items())],
        }

    def update(self, live: LiveProfile, content: Content, changed: frozenset[str], purpose: str) -> Write:
        """A PATCH of the fields that differ; omaSettings is one property, so one changed setting sends all settings."""
        body: JSONObject = {"@odata.type": ODATA_TYPE}
        if "displayName" in changed:
            body["displayName"] = content.name
        if "description" in changed:
            body["description"] = content.description
        if "scopeTags" in changed:
            body["roleScopeTagIds"] = [*sorted(content.scope_tag_ids)]
        if any(item.startswith("settings.") for item in changed):
            body["omaSettings"] = [*self._omas(live, content)]
        return intune_write(purpose, "PATCH", f"{self.collection}/{live.id}", body)

    def alternative(self, _live: LiveProfile, _write: Write) -> Write | None:
        return None

    def _omas(self, live: LiveProfile, content: Content) -> list[JSONObject]:
        omas: list[JSONObject] = []
        seen: set[str] = set()
        for oma in objects(as_object(live.wire, "the profile as read")["omas"], "omas"):
            name = _modelled_name(oma)
            if not name or name in live.unreadable:
                omas.append(_sendable(oma))
                continue
            seen.add(name)
            if name in content.settings:
                value = content.settings[name]
                if value == live.settings.get(name):
                    omas.append(_sendable(oma))
                    continue
                new = encode_oma(name, value)
                kept: JSONObject = {key: oma[key] for key in ("displayName", "description", "omaUri") if key in oma}
                omas.append({**new, **kept})
        omas += [encode_oma(name, content.settings[name]) for name in sorted(set(content.settings) - seen)]
        return omas

    def why_not_writable(self, live: LiveProfile, changed: frozenset[str]) -> str | None:
        if live.masked and any(item.startswith("settings.") for item in changed):
            held = count_noun(live.masked, "encrypted setting")
            return f"it holds {held} masked by Graph, which a write would overwrite"
        return None


def may_hold_modelled(item: JSONObject) -> bool:
    """Whether a profile in the list uses one of our CSP nodes, or does not show which nodes it uses."""
    omas = item.get("omaSettings")
    if not isinstance(omas, list):
        return True
    return any(not isinstance(oma, dict) or oma_node(str(oma.get("omaUri", ""))) is not None for oma in omas)


def _modelled_name(oma: JSONObject) -> str:
    """The name of the setting in a row; empty for a setting that tapctl does not model."""
    setting = oma_node(text(oma, "omaUri"))
    return setting.name if setting is not None else ""


def _in_clear(oma: JSONObject, plain: Mapping[str, str]) -> JSONObject:
    """A row with the plain text of its value, where that was read."""
    is_hidden = is_masked(oma) and _modelled_name(oma)
    return {**oma, "value": plain[text(oma, "secretReferenceValueId")]} if is_hidden else oma


def _decode_value(oma: JSONObject) -> SettingValue:
    return decode_oma(SETTINGS[_modelled_name(oma)], oma.get("value"))


def _row(name: str) -> str:
    return f"the name and description of the row of {name}"


def _words(oma: JSONObject) -> tuple[str, ...]:
    return text_or_none(oma, "displayName") or "", text_or_none(oma, "description") or ""


def is_masked(oma: JSONObject) -> bool:
    """Whether Graph shows a mask instead of the value."""
    return oma.get("isEncrypted") is True or oma.get("value") == MASK


def _sendable(oma: JSONObject) -> JSONObject:
    """An OMA setting as it may be sent back: in plain text, without a reference to a secret."""
    dropped = ("isEncrypted", "secretReferenceValueId")
    return {key: value for key, value in oma.items() if key not in dropped}


def _is_text(oma: JSONObject) -> bool:
    """Whether a row holds text, which Intune encrypts on receipt and shows masked."""
    return odata_type(oma) in ("omasettingstring", "omasettingstringxml", "omasettingbase64")


def _digest(omas: list[JSONObject]) -> str:
    """A digest of rows without what changes on every write of the profile: references to secrets, masked texts.

    A property that is left out equals one that is null or false."""
    forms = sorted(json.dumps(_lasting(oma), sort_keys=True) for oma in omas)
    return hashlib.sha256("\n".join(forms).encode()).hexdigest() if forms else ""


def _lasting(oma: JSONObject) -> JSONObject:
    changing = {"isEncrypted", "secretReferenceValueId", *(("value",) if _is_text(oma) else ())}
    said = {key: value for key, value in oma.items() if key not in changing}
    return {key: value for key, value in said.items() if value is not None and value is not False}


def _clear_texts(omas: list[JSONObject]) -> frozenset[tuple[str, str]]:
    """The texts of rows that are in clear, as digests: what they hold is not kept."""
    clear = [oma for oma in omas if _is_text(oma) and not is_masked(oma)]
    return frozenset((text(oma, "omaUri"), hashlib.sha256(str(oma.get("value")).encode()).hexdigest()) for oma in clear)
