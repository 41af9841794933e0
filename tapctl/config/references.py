"""What a tenant says of its own parts: group keys that exist, lists without repeats, objects that are told apart."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from tapctl.config.diagnostics import Problems
from tapctl.config.nodes import ListNode, MapNode, Node, ScalarNode, Span
from tapctl.config.places import Places
from tapctl.config.words import choice, place, quoted
from tapctl.model.desired import ALL_DEVICES, ALL_USERS, Group, Identity, Path, Tenant

_PSEUDO = (ALL_USERS, ALL_DEVICES)


class _Use(NamedTuple):
    """One place that names a group."""

    key: str
    path: Path


def check_references(tenant: Tenant, declared: Collection[str] | None, places: Places, problems: Problems) -> None:
    """Adds a finding for everything that the tenant's parts say of each other and that cannot be.

    Args:
        declared: every key of groups, those included that have other problems; None where groups cannot be read.
    """
    checks = _References(tenant, declared, places, problems)
    checks.policy()
    checks.break_glass()
    checks.profiles()
    checks.members()
    checks.objects()


class _References:
    def __init__(self, tenant: Tenant, declared: Collection[str] | None, places: Places, problems: Problems) -> None:
        self._tenant = tenant
        self._declared = declared
        self._places = places
        self._problems = problems

    def policy(self) -> None:
        policy = self._tenant.policy
        if policy is None:
            return
        include = self._uses(("temporaryAccessPass", "include"), [target.group for target in policy.include or ()])
        exclude = self._uses(("temporaryAccessPass", "exclude"), policy.exclude or ())
        self._known(include, allowed=(ALL_USERS,), hint="a pass is for people: name a group of users, or all-users")
        self._known(exclude, hint="name the groups one by one")
        self._without_repeats(include)
        self._without_repeats(exclude)
        self._alone(include)

    def break_glass(self) -> None:
        self._known(self._uses(("tenant", "breakGlass"), self._tenant.break_glass), hint="name a group of groups:")

    def profiles(self) -> None:
        for key, profile in self._tenant.profiles.items():
            path: Path = ("webSignIn", key, "assign")
            include = self._uses((*path, "include"), [entry.group for entry in profile.include or ()])
            exclude = self._uses((*path, "exclude"), [entry.group for entry in profile.exclude or ()])
            self._known(include, allowed=_PSEUDO)
            self._known(exclude, hint="Intune can exclude only groups; remove the inclusion instead")
            self._without_repeats(include)
            self._without_repeats(exclude)
            self._not_both(include, exclude)

    def members(self) -> None:
        nested: dict[str, list[_Use]] = {}
        for key, group in self._tenant.groups.items():
            path: Path = ("groups", key, "members")
            members = self._uses(path, group.members or ())
            self._without_repeats(members)
            uses = [_Use(use.key.removeprefix("group:"), use.path) for use in members if use.key.startswith("group:")]
            self._known(uses, hint="a group has the groups as members that are declared here")
            nested[key] = uses
        self._without_cycles(nested)

    def objects(self) -> None:
        groups, profiles = self._tenant.groups, self._tenant.profiles
        self._told_apart("groups", {key: group.identity for key, group in groups.items()})
        self._told_apart("webSignIn", {key: profile.identity for key, profile in profiles.items()})
        marks = {key: group.unique_name.casefold() for key, group in groups.items() if not group.external}
        self._distinct("groups", "uniqueName", marks, "the mark by which tapctl finds a group is its own")

    def _uses(self, path: Path, keys: Iterable[str]) -> list[_Use]:
        return [_Use(key, (*path, index)) for index, key in enumerate(keys)]

    def _span(self, use: _Use) -> Span:
        """The key itself: the entry, or its `group` where the entry is a map."""
        inner: Path = (*use.path, "group")
        return self._places.value(inner if inner in self._places.values else use.path)

    def _known(self, uses: Iterable[_Use], *, allowed: tuple[str, ...] = (), hint: str = "") -> None:
        for use in uses:
            if use.key in allowed or not use.key:
                continue
            if self._problems.is_full:
                self._problems.has_errors = True
                return
            if use.key in _PSEUDO:
                message = f"{use.key} cannot stand in {place(use.path[:-1])}"
                why = "all-users and all-devices are not groups"
                self._problems.add("invalid-value", message, self._span(use), why=why, fix=hint)
            elif self._declared is not None and use.key not in self._declared:
                self._unknown(use, self._declared, allowed)
            elif _is_absent(self._tenant.groups.get(use.key)):
                where = self._places.position(("groups", use.key, "ensure"))
                self._problems.add(
                    "refers-to-absent",
                    f"{self._places.name(use.path)} names {quoted(use.key)}, which is to be deleted (ensure: absent)",
                    self._span(use),
                    why="a group is deleted only when nothing refers to it any more",
                    fix="remove the entry, or keep the group",
                    related=(("to be deleted here", where),),
                )

    def _unknown(self, use: _Use, declared: Collection[str], allowed: tuple[str, ...]) -> None:
        self._problems.add(
            "unknown-group",
            f"{self._places.name(use.path)} names {quoted(use.key)}, which is not a key of groups",
            self._span(use),
            why="a list that is wider or narrower than it reads would be applied",
            fix=choice(use.key, [*declared, *allowed], "keys") or "declare it under groups, with external: true",
        )

    def _without_repeats(self, uses: Iterable[_Use]) -> None:
        seen: dict[str, _Use] = {}
        for use in uses:
            first = seen.setdefault(use.key.casefold(), use)
            if first is not use and use.key:
                self._problems.add(
                    "duplicate-entry",
                    f"{place(use.path)} names {quoted(use.key)} a second time",
                    self._span(use),
                    why="the second says nothing, or contradicts the first",
                    fix="keep one of them",
                    related=(("first named here", self._span(first).position),),
                )

    def _alone(self, include: list[_Use]) -> None:
        everybody = [use for use in include if use.key == ALL_USERS]
        if everybody and any(use.key not in (ALL_USERS, "") for use in include):
            self._problems.add(
                "all-users-alone",
                f"{place(include[0].path[:-1])} lists all-users beside groups",
                self._span(everybody[0]),
                why="with all-users in the list every group in it means nothing",
                fix="keep only all-users, or only the groups",
            )

    def _not_both(self, include: list[_Use], exclude: list[_Use]) -> None:
        included = {use.key: use for use in include}
        for use in exclude:
            other = included.get(use.key)
            if other is not None and use.key:
                self._problems.add(
                    "included-and-excluded",
                    f"{place(use.path)} excludes {quoted(use.key)}, which {place(other.path)} includes",
                    self._span(use),
                    why="Intune does not say which of the two wins",
                    fix="remove one of them",
                    related=(("included here", self._span(other).position),),
                )

    def _without_cycles(self, nested: Mapping[str, list[_Use]]) -> None:
        """Reports each loop of groups once, at the entry that closes it."""
        done: set[str] = set()
        for start in nested:
            trail: list[str] = []
            stack: list[Iterator[_Use]] = [iter([_Use(start, ("groups", start))])]
            while stack:
                use = next(stack[-1], None)
                if use is None:
                    stack.pop()
                    if trail:
                        done.add(trail.pop())
                elif use.key in trail:
                    self._cycle(use, [*trail[trail.index(use.key) :], use.key])
                elif use.key in nested and use.key not in done:
                    trail.append(use.key)
                    stack.append(iter(nested[use.key]))

    def _cycle(self, use: _Use, loop: list[str]) -> None:
        message = f"groups contain each other: {' -> '.join(quoted(key)[1:-1] for key in loop)}"
        fix = "remove one of the memberships"
        self._problems.add("group-cycle", message, self._span(use), why="no group can be made first", fix=fix)

    def _told_apart(self, section: str, identities: Mapping[str, Identity]) -> None:
        pinned = {key: identity.id for key, identity in identities.items() if identity.id}
        self._distinct(section, "id", pinned, "one object would be given two descriptions")
        names = {
            key: identity.display_name.casefold()
            for key, identity in identities.items()
            if identity.display_name and not identity.id and identity.ensure == "present"
        }
        self._distinct(
            section, "displayName", names, "tapctl could not tell which live object is meant; pin id: on one"
        )

    def _distinct(self, section: str, name: str, values: Mapping[str, str], why: str) -> None:
        first: dict[str, str] = {}
        for key, value in values.items():
            other = first.setdefault(value, key)
            if other != key:
                self._problems.add(
                    "duplicate-object",
                    f"{section}.{key} and {section}.{other} have one {name}",
                    self._places.value((section, key, name)),
                    why=why,
                    fix="describe each object once",
                    related=(("the other one", self._places.position((section, other, name))),),
                )


def _is_absent(group: Group | None) -> bool:
    return group is not None and group.identity.ensure == "absent"


def check_schema_references(schema: Node, problems: Problems) -> None:
    """Adds a finding for every reference of an organisation's schema that leads out of it."""
    pending = [schema]
    while pending:
        node = pending.pop()
        if isinstance(node, ListNode):
            pending.extend(node.items)
        elif isinstance(node, MapNode):
            pending.extend(entry.node for entry in node.entries.values())
            for keyword in ("$ref", "$dynamicRef"):
                _refuse_remote(node.get(keyword), keyword, problems)


def _refuse_remote(target: Node | None, keyword: str, problems: Problems) -> None:
    if isinstance(target, ScalarNode) and isinstance(target.value, str) and not target.value.startswith("#"):
        problems.add(
            "remote-reference",
            f"guardrails.schema refers to {quoted(target.value)}",
            target.span,
            why="nothing is fetched while files are checked: what holds must stand in the repository",
            fix=f'copy the definition into $defs, and write {keyword}: "#/$defs/NAME"',
        )
