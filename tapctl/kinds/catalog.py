"""Settings catalog policies (Intune, beta). Source: Graph reference `deviceManagementConfigurationPolicy`. Published
clients rely on PUT replacing the settings and keeping the assignments (checked 2026-11-22)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace

from tapctl.kinds import mark
from tapctl.kinds.deliveries import (
    READ_PERMISSION,
    Content,
    Summary,
    assignments_read,
    decode_assignments,
    intune_write,
)
from tapctl.kinds.settings import (
    BY_DEFINITION,
    SETTINGS,
    decode_instance,
    decode_value,
    encode_instance,
    modelled_name,
    read_each,
    shape_of,
)
from tapctl.kinds.wire import (
    JSONObject,
    Malformed,
    as_malformed,
    as_object,
    elements,
    identifier,
    malformed,
    objects,
    segment,
    text,
    text_or_none,
    texts,
)
from tapctl.model.desired import Delivery, SettingValue
from tapctl.model.live import LiveProfile, SettingShape
from tapctl.model.requests import Answer, Problem, ProblemKind, Read, Reading, Reply, Write
from tapctl.model.values import JSONValue
from tapctl.model.words import count_noun

PLATFORMS, TECHNOLOGIES = "windows10", "mdm"
"""The platform and technology of a policy with Windows settings."""

INFERRED_SHAPES: dict[str, SettingShape] = {
    "configureWebSignInAllowedUrls": "collection",
    "configureWebcamAccessDomainNames": "collection",
    "preferredAadTenantDomainName": "text",
}
"""Settings whose instance type is not documented: the tenant's own definition decides, these are the fallback."""


class SettingsCatalog:
    """The form of the delivery `settings-catalog`."""

    delivery: Delivery = "settings-catalog"
    collection = "/deviceManagement/configurationPolicies"

    def summarise(self, item: JSONObject) -> Summary | None:
        _, key = mark.split(text_or_none(item, "description") or "")
        return Summary(id=identifier(item), name=text_or_none(item, "name") or "", mark=key, listed=item)

    def read_whole(self, profile_id: str, purpose: str) -> Reading[LiveProfile | Problem]:
        path = f"{self.collection}/{segment(profile_id)}"
        outcomes = yield [
            Read(purpose=purpose, version="beta", path=path, permission=READ_PERMISSION),
            _settings_read(profile_id, purpose),
            assignments_read(self.collection, profile_id, purpose),
        ]
        return self._compose(outcomes[0], outcomes[1], outcomes[2], purpose)

    def read_listed(self, summary: Summary, purpose: str) -> Reading[LiveProfile | Problem]:
        settings, assigned = yield [
            _settings_read(summary.id, purpose),
            assignments_read(self.collection, summary.id, purpose),
        ]
        return self._compose(Answer(200, summary.listed), settings, assigned, purpose)

    def read_if_modelled(self, summary: Summary, purpose: str) -> Reading[LiveProfile | None | Problem]:
        """Reads the settings first: the rest is read only for a policy that has a modelled setting."""
        (settings,) = yield [_settings_read(summary.id, purpose)]
        if isinstance(settings, Problem):
            return as_malformed(settings)
        if not _holds_modelled(settings):
            return None
        (assigned,) = yield [assignments_read(self.collection, summary.id, purpose)]
        return self._compose(Answer(200, summary.listed), settings, assigned, purpose)

    def read_settings(self, profile_id: str, purpose: str) -> Reading[dict[str, SettingValue] | Problem]:
        """Only the modelled settings of a policy; a problem when one of them has an unknown form."""
        (outcome,) = yield [_settings_read(profile_id, purpose)]
        if isinstance(outcome, Problem):
            return outcome
        try:
            pairs = [decode_instance(instance) for instance in _instances_of(outcome)]
        except Malformed as error:
            return malformed(outcome, purpose, error)
        return dict(pair for pair in pairs if pair is not None)

    def undocumented(self, names: Iterable[str]) -> frozenset[str]:
        return frozenset(names) & frozenset(INFERRED_SHAPES)

    def _compose(self, policy: Reply, settings: Reply, assigned: Reply, purpose: str) -> LiveProfile | Problem:
        if isinstance(policy, Problem):
            return policy
        if isinstance(settings, Problem):
            return as_malformed(settings)
        if isinstance(assigned, Problem):
            return as_malformed(assigned)
        try:
            item = as_object(policy.body, "the answer")
            return self.decode(item, _instances_of(settings), assigned.body)
        except Malformed as error:
            return malformed(policy, purpose, error)

    def decode(self, item: JSONObject, instances: list[JSONObject], assigned: JSONValue) -> LiveProfile:
        """One policy from its own properties, its setting instances and its assignments.

        Raises:
            Malformed: when a part is not as Graph documents it.
        """
        by_name: dict[str, list[JSONObject]] = {}
        for instance in instances:
            by_name.setdefault(modelled_name(instance), []).append(instance)
        foreign = by_name.pop("", [])
        settings, unreadable = read_each(by_name, decode_value)
        foreign += [instance for name in sorted(unreadable) for instance in by_name[name]]
        holding = {name: by_name[name][0] for name in settings if _holds_unmodelled(by_name[name][0])}
        template = item.get("templateReference")
        template_id = template.get("templateId") if isinstance(template, dict) else None
        description, key = mark.split(text_or_none(item, "description") or "")
        return LiveProfile(
            id=identifier(item),
            name=text_or_none(item, "name") or "",
            description=description,
            mark=key,
            delivery=self.delivery,
            settings=settings,
            unmodelled=len(foreign),
            masked=sum(1 for instance in instances if _is_secret(instance)),
            holding_unmodelled=frozenset(holding),
            unreadable=unreadable,
            carried=_carried(item),
            is_templated=bool(template_id),
            scope_tag_ids=frozenset(texts(item, "roleScopeTagIds")),
            assignments=decode_assignments(assigned),
            unmodelled_digest=_digest([*foreign, *holding.values()]),
            wire={"policy": item, "instances": [*instances], "assigned": assigned},
        )

    def carried(self, live: LiveProfile | None, _content: Content) -> Mapping[str, tuple[str, ...]]:
        return live.carried if live is not None else _carried({})

    def creation_body(self, content: Content) -> JSONObject:
        return {
            "name": content.name,
            "description": content.description,
            "platforms": PLATFORMS,
            "technologies": TECHNOLOGIES,
            "roleScopeTagIds": [*sorted(content.scope_tag_ids)],
            "templateReference": {"templateId": ""},
            "settings": [
                _element(encode_instance(name, value, _shape(name, content)))
                for name, value in sorted(content.settings.items())
            ],
        }

    def update(self, live: LiveProfile, content: Content, changed: frozenset[str], purpose: str) -> Write:
        path = f"{self.collection}/{live.id}"
        if not any(item.startswith("settings.") for item in changed):
            metadata: dict[str, JSONValue] = {
                "displayName": content.name,
                "description": content.description,
                "scopeTags": [*sorted(content.scope_tag_ids)],
            }
            names = {"displayName": "name", "description": "description", "scopeTags": "roleScopeTagIds"}
            body: JSONObject = {names[field]: metadata[field] for field in sorted(changed) if field in names}
            return intune_write(purpose, "PATCH", path, body)
        policy = as_object(as_object(live.wire, "the policy as read")["policy"], "policy")
        whole: JSONObject = {
            "name": content.name,
            # As it was read, line breaks included: the decoded text has only one kind of line break.
            "description": content.description if "description" in changed else policy.get("description") or "",
            "platforms": policy.get("platforms") or PLATFORMS,
            "technologies": policy.get("technologies") or TECHNOLOGIES,
            "roleScopeTagIds": [*sorted(content.scope_tag_ids)],
            "templateReference": {"templateId": ""},
            "settings": [_element(instance) for instance in self._instances(live, content)],
        }
        return intune_write(purpose, "PUT", path, whole)

    def alternative(self, live: LiveProfile, write: Write) -> Write | None:
        """A PUT with the policy's creationSource.

        Published clients leave it out, one of them because Graph no longer accepted it. Graph's message quoted in
        CIPP issue 3744 says that it cannot be changed (checked 2026-11-22)."""
        policy = as_object(as_object(live.wire, "the policy as read")["policy"], "policy")
        source = policy.get("creationSource")
        if write.method != "PUT" or source is None or not isinstance(write.body, dict):
            return None
        return replace(write, body={**write.body, "creationSource": source})

    def _instances(self, live: LiveProfile, content: Content) -> list[JSONObject]:
        """Every setting of the policy, in its original order; unmodelled and unchanged ones stay as they were read."""
        instances: list[JSONObject] = []
        seen: set[str] = set()
        for instance in objects(as_object(live.wire, "the policy as read")["instances"], "instances"):
            name = modelled_name(instance)
            if not name or name in live.unreadable:
                instances.append(instance)
                continue
            seen.add(name)
            if name in content.settings:
                value = content.settings[name]
                unchanged = value == live.settings.get(name)
                instances.append(instance if unchanged else encode_instance(name, value, shape_of(instance)))
        new = sorted(set(content.settings) - seen)
        return [*instances, *(encode_instance(name, content.settings[name], _shape(name, content)) for name in new)]

    def why_not_writable(self, live: LiveProfile, changed: frozenset[str]) -> str | None:
        if live.is_templated:
            return "it was made from a template, whose references tapctl does not model"
        if live.masked and any(item.startswith("settings.") for item in changed):
            held = count_noun(live.masked, "secret setting")
            return f"it holds {held} masked by Graph, which a write would overwrite"
        lost = sorted(name for name in live.holding_unmodelled if f"settings.{name}" in changed)
        if lost:
            return f"beneath {', '.join(lost)} it holds settings that tapctl does not model and that would be lost"
        return None


def _settings_read(profile_id: str, purpose: str) -> Read:
    return Read(
        purpose=f"{purpose}: its settings",
        version="beta",
        path=f"{SettingsCatalog.collection}/{segment(profile_id)}/settings?$top=1000",
        permission=READ_PERMISSION,
        paged=True,
    )


def _instances_of(settings: Answer) -> list[JSONObject]:
    """
    Raises:
        Malformed: when the answer is not what Graph documents.
    """
    return [as_object(element.get("settingInstance"), "settingInstance") for element in elements(settings.body)]


def _holds_modelled(settings: Answer) -> bool:
    """Whether a policy holds a modelled setting, in any form."""
    value = settings.body.get("value") if isinstance(settings.body, dict) else None
    readable = [element for element in value if isinstance(element, dict)] if isinstance(value, list) else []
    instances = [element.get("settingInstance") for element in readable]
    return any(isinstance(instance, dict) and modelled_name(instance) for instance in instances)


def _shape(name: str, content: Content) -> SettingShape:
    """The shape for adding a setting to a policy that does not hold it yet."""
    return content.shapes.get(name) or INFERRED_SHAPES.get(name, "text")


def read_shape(name: str) -> Reading[SettingShape | Problem]:
    """Whether the tenant defines an undocumented setting as a collection or as one string."""
    purpose = f"reading the definition of setting {name}"
    path = f"/deviceManagement/configurationSettings/{segment(SETTINGS[name].definition)}"
    (outcome,) = yield [Read(purpose=purpose, version="beta", path=path, permission=READ_PERMISSION)]
    if isinstance(outcome, Problem):
        # Without a definition, Graph refuses a wrong shape: this cannot widen anything.
        return INFERRED_SHAPES[name] if outcome.kind is ProblemKind.NOT_FOUND else outcome
    try:
        kind = text(as_object(outcome.body, "the answer"), "@odata.type")
    except Malformed as error:
        return malformed(outcome, purpose, error)
    return "collection" if "collection" in kind.lower() else "text"


def _element(instance: JSONObject) -> JSONObject:
    return {
        "@odata.type": "#microsoft.graph.deviceManagementConfigurationSetting",
        "settingInstance": _without_annotations(instance),
    }


def _without_annotations(value: JSONValue) -> JSONValue:
    """What may be sent back: everything except the annotations that Graph adds to its answers."""
    if isinstance(value, list):
        return [_without_annotations(item) for item in value]
    if isinstance(value, dict):
        return {
            key: _without_annotations(item)
            for key, item in value.items()
            if key == "@odata.type" or "@odata." not in key
        }
    return value


def _carried(item: JSONObject) -> dict[str, tuple[str, ...]]:
    platforms, technologies = item.get("platforms") or PLATFORMS, item.get("technologies") or TECHNOLOGIES
    return {"platforms and technologies": (str(platforms), str(technologies))}


def _is_secret(value: JSONValue) -> bool:
    if isinstance(value, list):
        return any(_is_secret(item) for item in value)
    if isinstance(value, dict):
        secret = "secretsettingvalue" in str(value.get("@odata.type", "")).lower()
        return secret or any(_is_secret(item) for item in value.values())
    return False


def _digest(instances: list[JSONObject]) -> str:
    """A digest of the unmodelled settings. It ignores order, annotations and nulls, which vary between reads."""
    forms = sorted(json.dumps(_essence(instance), sort_keys=True) for instance in instances)
    return hashlib.sha256("\n".join(forms).encode()).hexdigest() if forms else ""


def _essence(value: JSONValue) -> JSONValue:
    if isinstance(value, list):
        return [_essence(item) for item in value]
    if isinstance(value, dict):
        kept = {key: _essence(item) for key, item in value.items() if "@odata." not in key and item is not None}
        return {key: item for key, item in kept.items() if item != []}
    return value


def _holds_unmodelled(instance: JSONObject) -> bool:
    """Whether a modelled setting has child settings other than the text of a credential provider."""
    setting = BY_DEFINITION.get(str(instance.get("settingDefinitionId", "")).lower())
    choice = instance.get("choiceSettingValue")
    children = choice.get("children") if isinstance(choice, dict) else None
    if setting is None or not isinstance(children, list):
        return False
    ids = {str(child.get("settingDefinitionId", "")).lower() for child in children if isinstance(child, dict)}
    return bool(ids - {setting.child})
