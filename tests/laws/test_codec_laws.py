"""What is written is what is read: decode(encode(x)) == x for every kind, and a second encoder is understood."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from tapctl.config.values import canonical_setting
from tapctl.kinds import assignments, mark, policy
from tapctl.kinds.naming import Names
from tapctl.kinds.settings import SETTINGS, decode_instance, decode_oma, encode_instance, encode_oma, oma_node, shape_of
from tapctl.kinds.steps import ApplyContext
from tapctl.model.desired import Policy, Target, Tenant
from tapctl.model.live import DirectoryTarget, LiveAssignment, LivePolicy
from tapctl.model.settings import canonical
from tests.laws import cast, wire_forms
from tests.laws.cast import id_of
from tests.laws.scenarios import TODAY, descriptions, setting_values
from tests.support.world import TENANT_ID

shapes = st.sampled_from(["collection", "text"])


@st.composite
def named_settings(draw: st.DrawFn) -> tuple[str, Any]:
    name = draw(st.sampled_from(wire_forms.SETTINGS))
    return name, draw(setting_values(name))


@given(named_settings(), shapes)
def test_a_setting_reads_back_from_the_instance_that_was_written(setting: tuple[str, Any], shape: Any) -> None:
    name, said = setting
    value = canonical(name, canonical_setting(name, said))

    assert decode_instance(encode_instance(name, value, shape)) == (name, value)


@given(named_settings(), shapes)
def test_an_instance_has_the_shape_that_was_asked_for(setting: tuple[str, Any], shape: Any) -> None:
    name, said = setting
    assume(SETTINGS[name].kind in ("hosts", "text"))

    assert shape_of(encode_instance(name, canonical_setting(name, said), shape)) == shape


@given(named_settings(), st.sampled_from(["collection", "string"]))
def test_a_setting_that_another_client_wrote_means_the_same(setting: tuple[str, Any], lists: str) -> None:
    name, said = setting
    instance = wire_forms.instance(name, said, lists=lists)

    assert decode_instance(instance) == (name, canonical(name, canonical_setting(name, said)))


@given(named_settings())
def test_a_setting_reads_back_from_a_custom_profile(setting: tuple[str, Any]) -> None:
    name, said = setting
    assume(name in wire_forms.AUTHENTICATION)
    value = canonical(name, canonical_setting(name, said))
    written = encode_oma(name, value)
    node = oma_node(str(written["omaUri"]))

    assert node is SETTINGS[name]
    assert decode_oma(node, written["value"]) == value
    assert decode_oma(node, wire_forms.oma(name, said)["value"]) == value


@given(named_settings())
def test_the_canonical_form_of_a_setting_is_its_own(setting: tuple[str, Any]) -> None:
    name, said = setting
    once = canonical(name, canonical_setting(name, said))

    assert canonical(name, once) == once


@given(named_settings(), named_settings())
def test_two_settings_differ_on_the_wire_when_they_differ(one: tuple[str, Any], other: tuple[str, Any]) -> None:
    first, second = (canonical(name, canonical_setting(name, said)) for name, said in (one, other))
    assume((one[0], first) != (other[0], second))

    assert encode_instance(one[0], first, "text") != encode_instance(other[0], second, "text")


def test_every_setting_is_covered() -> None:
    assert set(wire_forms.SETTINGS) == set(SETTINGS)


# Assignments

_groups = st.sampled_from([id_of(key) for key in (*cast.FOREIGN_GROUPS, *cast.DELETED_GROUPS)])
_filters = st.one_of(
    st.just((None, "include")),
    st.tuples(st.sampled_from([id_of("f"), id_of("g")]), st.sampled_from(["include", "exclude"])),
)


_of_groups = st.builds(LiveAssignment, st.just("group"), _groups)
_exclusions = st.builds(LiveAssignment, st.just("exclusion"), _groups)
_of_everybody = st.builds(LiveAssignment, st.sampled_from(["all-devices", "all-users"]))
live_assignments = st.one_of(
    _exclusions,
    st.builds(
        lambda assignment, chosen: replace(assignment, filter_id=chosen[0], mode=chosen[1]),
        st.one_of(_of_groups, _of_everybody),
        _filters,
    ),
)


@given(live_assignments)
def test_an_assignment_reads_back(assignment: LiveAssignment) -> None:
    assert assignments.decode(assignments.encode(assignment)) == assignment


@given(live_assignments, st.sampled_from([None, "", assignments.NO_FILTER]), st.booleans())
def test_the_ways_of_saying_no_filter_are_one(assignment: LiveAssignment, nothing: str | None, upper: bool) -> None:
    wire = assignments.encode(assignment)
    target: Any = wire["target"]
    if assignment.filter_id is None:
        target |= {assignments.FILTER_ID: nothing, assignments.FILTER_TYPE: "none"}
    if upper:
        target |= {key: value.upper() for key, value in target.items() if key.endswith("Id") and value}

    assert assignments.decode(wire) == assignment


@given(st.lists(live_assignments, max_size=4, unique=True), st.booleans())
def test_assignments_are_resolved_to_what_their_labels_stand_for(listed: list[LiveAssignment], named: bool) -> None:
    names = Names()
    if named:
        names.filter_ids = {"Büro": id_of("f"), "Haus": id_of("g")}
        names.filter_names = {identifier: name for name, identifier in names.filter_ids.items()}
    else:
        names.filter_ids = {id_of(name): id_of(name) for name in ("f", "g")}
    keys = (*cast.FOREIGN_GROUPS, *cast.DELETED_GROUPS)
    names.group_keys = {id_of(key): key for key in keys}
    context = ApplyContext(ids={f"groups.{key}": id_of(key) for key in keys}, graph_root="")
    include, exclude = assignments.live_labels(listed, names)

    resolved = {
        assignments.resolve(label, exclusion=side, names=names, context=context)
        for label, side in itertools.chain(((item, False) for item in include), ((item, True) for item in exclude))
    }

    assert resolved == set(listed)


# The TAP policy

_keys = ("alpha", "beta", *cast.FOREIGN_GROUPS)
_targets = st.one_of(
    st.frozensets(st.sampled_from([DirectoryTarget("group", id_of(key)) for key in _keys]), max_size=3),
    st.just(frozenset({DirectoryTarget("all-users", "all_users")})),
    st.just(frozenset({DirectoryTarget("user", id_of("ada"))})),
)
_minutes = st.integers(10, 43200)
live_policies = st.builds(
    LivePolicy,
    state=st.sampled_from(["enabled", "disabled"]),
    minimum=_minutes,
    default=_minutes,
    maximum=_minutes,
    length=st.integers(8, 48),
    one_time=st.booleans(),
    include=_targets,
    exclude=_targets.filter(lambda targets: all(item.kind != "all-users" for item in targets)),
)


def wire_of(live: LivePolicy) -> dict[str, Any]:
    """The policy as Graph would send it."""
    return {
        "@odata.type": policy.ODATA_TYPE,
        "id": "TemporaryAccessPass",
        "state": live.state,
        "minimumLifetimeInMinutes": live.minimum,
        "defaultLifetimeInMinutes": live.default,
        "maximumLifetimeInMinutes": live.maximum,
        "defaultLength": live.length,
        "isUsableOnce": live.one_time,
        "includeTargets": [_target(item) for item in live.include],
        "excludeTargets": [_target(item) for item in live.exclude],
    }


def _target(item: DirectoryTarget) -> dict[str, str]:
    return {
        "id": item.id.upper() if item.kind == "group" else item.id,
        "targetType": item.kind.replace("all-users", "group"),
    }


@given(live_policies)
def test_a_policy_reads_back(live: LivePolicy) -> None:
    assert policy.decode(wire_of(live)) == live


@st.composite
def declared_policies(draw: st.DrawFn) -> Policy:
    def maybe(strategy: st.SearchStrategy[Any]) -> Any:
        return draw(st.one_of(st.none(), strategy))

    keys = st.lists(st.sampled_from(_keys), max_size=3, unique=True)
    include = maybe(st.one_of(keys, st.just(["all-users"])))
    exclude = maybe(keys)
    return Policy(
        state=maybe(st.sampled_from(["enabled", "disabled"])),
        minimum=maybe(_minutes),
        default=maybe(_minutes),
        maximum=maybe(_minutes),
        length=maybe(st.integers(8, 48)),
        one_time=maybe(st.booleans()),
        include=tuple(Target(group=key) for key in include) if include is not None else None,
        exclude=tuple(exclude) if exclude is not None else None,
    )


@given(declared_policies(), live_policies)
def test_a_patch_of_the_policy_makes_it_what_is_declared_and_sends_what_differs(
    declared: Policy, live: LivePolicy
) -> None:
    tenant = Tenant(name="contoso", source="contoso.yaml", id=TENANT_ID, policy=declared)
    names = Names()
    names.group_keys = {id_of(key): key for key in _keys}
    draft = policy.plan(tenant, declared, live, names, TODAY)
    wanted = policy.wanted_fields(declared, TODAY)
    if draft is None:
        assert wanted.items() <= policy.live_fields(live, names).items()
        return
    context = ApplyContext(ids={f"groups.{key}": id_of(key) for key in _keys}, graph_root="")
    (step,) = draft.steps(context)
    body: Any = step.write.body

    after = policy.decode({**wire_of(live), **body})

    assert wanted.items() <= policy.live_fields(after, names).items()
    paths = {item.path for item in draft.change.fields}
    lifetimes = 3 if any(path.startswith("lifetime.") for path in paths) else 0
    others = [path for path in paths if not path.startswith("lifetime.")]
    assert len(body) == 1 + lifetimes + len(others)
    assert policy.plan(tenant, declared, after, names, TODAY) is None


# Marks

_marked_keys = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,20}", fullmatch=True)


@given(descriptions, _marked_keys)
def test_a_mark_is_told_from_the_description_above_it(description: str, key: str) -> None:
    assert mark.split(mark.join(description, key)) == (description, key)
    assert mark.split(wire_forms.marked(description, key)) == (description, key)


@given(descriptions)
def test_a_description_without_a_mark_is_left_as_it_is(description: str) -> None:
    assume("[tapctl:" not in description)

    assert mark.split(mark.join(description, None)) == (description, None)
