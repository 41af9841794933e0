"""From an inventory to a declaration whose plan is empty: what can be said is said, the rest is left out and noted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tapctl.adopt.declaration import CanSay, Declaration, Note, Tree, Writer
from tapctl.adopt.groups import declare_groups
from tapctl.adopt.inventory import Inventory
from tapctl.adopt.keys import Nameable, keys_for
from tapctl.adopt.policy import declare_policy
from tapctl.adopt.profiles import declare_profiles
from tapctl.model.desired import Authentication
from tapctl.model.live import LiveGroup
from tapctl.model.values import JSONValue

_MARK = "tapctl-"
"""How the unique name of a group begins that tapctl made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The tenant that is imported."""

    id: str
    cloud: str
    auth: Authentication


def declare(inventory: Inventory, subject: Subject, can_say: CanSay) -> Declaration:
    """The file of a tenant as it is. Objects are pinned by id; the same inventory gives the same declaration."""
    writer = Writer(can_say)
    group_keys = keys_for((_nameable(group) for group in inventory.groups.values()), "group")
    profile_keys = keys_for((Nameable(item.id, item.name, item.mark) for item in inventory.profiles), "profile")
    sections: Mapping[str, Tree] = {
        "groups": declare_groups(inventory, group_keys, writer),
        "temporaryAccessPass": declare_policy(inventory, group_keys, writer),
        "webSignIn": declare_profiles(inventory, profile_keys, group_keys, writer),
    }
    document: Tree = {"tenant": _tenant(subject)}
    document |= {name: section for name, section in sections.items() if section}
    _note_undecodable(inventory, writer)
    return Declaration(document=document, notes=tuple(_placed(writer.notes, document)))


def with_suppressions(declaration: Declaration, rules: Iterable[str], reason: str) -> Declaration:
    """The declaration with the findings of these rules marked as considered."""
    entries: list[JSONValue] = [{"rule": rule, "reason": reason} for rule in sorted(rules)]
    writer = Writer(lambda _place, _value: True, list(declaration.notes))
    writer.remark(
        ("suppress",), "These rules find errors in the tenant as it is; each entry hides all findings of its rule"
    )
    return Declaration(document={**declaration.document, "suppress": entries}, notes=tuple(writer.notes))


def _nameable(group: LiveGroup) -> Nameable:
    unique = group.unique_name or ""
    return Nameable(group.id, group.display_name, unique.removeprefix(_MARK) if unique.startswith(_MARK) else None)


def _tenant(subject: Subject) -> Tree:
    tree: Tree = {"id": subject.id, "cloud": subject.cloud}
    if subject.auth != Authentication():
        options = {name: _option(name, value) for name, value in sorted(subject.auth.options.items())}
        tree["auth"] = {"method": subject.auth.method, **options}
    return tree


def _option(name: str, value: str) -> str | bool:
    return value == "true" if name == "sendCertificateChain" else value


def _note_undecodable(inventory: Inventory, writer: Writer) -> None:
    for item in sorted(inventory.undecodable, key=lambda each: each.id):
        name = writer.named(("webSignIn", "profile", "displayName"), item.name, item.id)
        writer.warn(("webSignIn",), f"profile {name} is left out: {item.reason}")


def _placed(notes: Iterable[Note], document: Tree) -> Iterable[Note]:
    """Notes on a section that the file does not have stand at its top."""
    return (note if note.place[:1] in {(name,) for name in document} else replace(note, place=()) for note in notes)
