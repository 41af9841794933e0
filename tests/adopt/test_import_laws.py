"""Laws: whatever somebody filled a tenant with, its import has an empty plan; keys and YAML hold for any text."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tapctl.adopt.declaration import Note
from tapctl.adopt.keys import Nameable, keys_for
from tapctl.adopt.yaml_text import to_yaml
from tapctl.cli.import_check import Grammar
from tapctl.config.nodes import plain
from tapctl.config.yaml_tree import read_yaml
from tests.adopt.foreign import Foreign
from tests.adopt.running import Place

NAMES = st.sampled_from(["A", "a", "B b", "Ünï: x", "all-users", "yes", "{x}", "::x", "\x1b[1m", "日本", "7", "null"])
KINDS: tuple[Mapping[str, Any], ...] = (
    {},
    {},
    {"description": "Two\nlines: {of} #text"},
    {"onPremisesSyncEnabled": True},
    {"groupTypes": ["Unified"], "mailEnabled": True, "securityEnabled": False},
    {"isAssignableToRole": True},
    {"groupTypes": ["DynamicMembership"], "membershipRule": '(user.department -eq "R")'},
    {"groupTypes": ["DynamicMembership"], "membershipRule": '(device.deviceTrustType -eq "Azure AD joined")'},
    {"groupTypes": ["DynamicMembership"], "membershipRule": None},
    {"uniqueName": "tapctl-mine"},
)
MEMBERS = st.sampled_from(
    ["user:ada", "user:grace", "user:guest", "device:LAPTOP-ADA", "principal:app", "group:A", "group:a", "group:B b"]
)
CLSIDS = st.sampled_from(
    ["{C5D7540A-CD51-453B-B22B-05305BA03F07}", "{60b78e88-ead8-445c-9cfd-0b87f74ea6cd}", "plain", "{x}"]
)
PROVIDERS = st.one_of(st.just(0), st.builds(lambda text: {"option": 1, "provider": text}, CLSIDS))
HOSTS = st.lists(st.sampled_from(["a.example.com", "B.EXAMPLE.com", "https://x/", "a.b;c.d", "a b"]), min_size=1)
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "authentication_enablewebsignin": st.sampled_from([0, 1, 2, 9]),
        "authentication_enablepasswordlessexperience": st.sampled_from([0, 1, 2]),
        "authentication_allowaadpasswordreset": st.sampled_from([0, 1, 5]),
        "authentication_configurewebsigninallowedurls": HOSTS,
        "authentication_preferredaadtenantdomainname": st.sampled_from(["Contoso.com", "@contoso.com", "a.b;c.d"]),
        "admx_credentialproviders_defaultcredentialprovider": PROVIDERS,
        "admx_credentialproviders_excludedcredentialproviders": PROVIDERS,
        "experience_unknown": st.just(1),
        "networkproxy_password": st.just({"secret": "token"}),
    },
)
NODES = st.fixed_dictionaries(
    {},
    optional={
        "EnableWebSignIn": st.sampled_from([0, 1, 2, 9]),
        "AllowAadPasswordReset": st.sampled_from([0, 1]),
        "ConfigureWebSignInAllowedUrls": st.sampled_from(["a.b;c.d", "https://x/", "a.b"]),
        "PreferredAadTenantDomainName": st.sampled_from(["Contoso.com", "x@y"]),
        "./User/x": st.just("secret"),
    },
)
GROUPS = st.sampled_from(["group:A", "group:a", "group:B b", "group:Gone"])
FILTERS = st.sampled_from([None, None, "Corporate devices", "Twins", "Gone", "\x1b[1m"])
ASSIGNMENT = st.one_of(
    st.sampled_from(["all-devices", "all-users"]),
    st.builds(
        lambda to, name, mode: {"to": to, "filter": name, "mode": mode},
        st.one_of(GROUPS, st.just("all-devices")),
        FILTERS,
        st.sampled_from(["include", "exclude"]),
    ),
    st.builds(lambda to, name: {"to": to, "exclude": True, "filter": name}, GROUPS, FILTERS),
)


@st.composite
def tenants(draw: st.DrawFn) -> Foreign:
    """A tenant that somebody filled without asking what YAML can say."""
    tenant = Foreign(keep_seeded_profiles=draw(st.booleans()))
    tenant.principal("app")
    for twin in ("", "two"):
        tenant.filter("Twins", twin=twin)
    tenant.filter("\x1b[1m", '(device.deviceTrustType -eq "AzureAD")')
    for name in ["A", "a", "B b", *draw(st.lists(NAMES, max_size=2))]:
        tenant.group(name, draw(st.lists(MEMBERS, max_size=4, unique=True)), **draw(st.sampled_from(KINDS)))
    targets = st.lists(st.one_of(GROUPS, st.sampled_from(["all_users", "user:ada"])), max_size=3, unique=True)
    numbers = {"minimumLifetimeInMinutes": [5, 10, 60, 90], "defaultLifetimeInMinutes": [60, 120, 1440]}
    numbers |= {"maximumLifetimeInMinutes": [60, 480, 43200], "defaultLength": [4, 8, 48, 99]}
    fields = {name: draw(st.sampled_from(values)) for name, values in numbers.items()}
    state = draw(st.sampled_from(["enabled", "disabled"]))
    tenant.tap(draw(targets), draw(targets), state=state, isUsableOnce=draw(st.booleans()), **fields)
    for number, name in enumerate(draw(st.lists(NAMES, max_size=3))):
        more = {"description": draw(st.sampled_from(["", "x", "Text\n[tapctl:a]", "[tapctl:b]", "\x07bell"]))}
        more |= draw(st.sampled_from([{}, {"templateReference": {"templateId": "t_1"}}, {"roleScopeTagIds": ["9"]}]))
        tenant.policy(name, draw(SETTINGS), draw(st.lists(ASSIGNMENT, max_size=3)), twin=str(number), **more)
    for name in draw(st.lists(NAMES, max_size=2, unique=True)):
        tenant.custom(name, draw(NODES), draw(st.lists(ASSIGNMENT, max_size=2)))
    return tenant


@settings(max_examples=25, deadline=None)
@given(tenants())
def test_whatever_lives_in_a_tenant_its_import_has_an_empty_plan(tenant: Foreign) -> None:
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder), tenant)
        done = place.imported()

        assert "would still change" not in done.err
        assert [entry for entry in place.requests() if entry["write"]] == []


TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"]), max_size=40
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-99999, 99999), TEXTS), lambda inner: st.lists(inner, max_size=3)
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(TEXTS.filter(lambda text: text not in ("", "<<")), VALUES, max_size=4), TEXTS)
def test_any_tree_reads_back_as_it_was_whatever_the_comments_say(tree: dict[str, Any], comment: str) -> None:
    text = to_yaml(tree, [Note((key,), comment) for key in tree], [comment])
    read = read_yaml(text.encode(), "x.yaml")

    assert read.root is not None, text
    assert plain(read.root) == tree
    assert (yaml.safe_load(text) or {}) == tree


@given(st.lists(st.tuples(st.text(max_size=80), st.sampled_from([None, "x", "X", "a b", "all-users"])), max_size=12))
def test_keys_are_valid_unique_and_independent_of_order(described: list[tuple[str, str | None]]) -> None:
    objects = [
        Nameable(f"{number:08x}-0000-4000-8000-{number:012x}", name, mark)
        for number, (name, mark) in enumerate(described)
    ]
    keys = keys_for(objects, "group")
    grammar = Grammar()

    assert keys == keys_for(reversed(objects), "group")
    assert len({key.casefold() for key in keys.values()}) == len(objects)
    assert all(grammar.can_say(("groups", key), {"displayName": "x"}) for key in keys.values())


@pytest.mark.parametrize("text", ["yes", "No", "null", "~", "1e3", "0x10", "2026-01-01", "12:30", "a: b", "- a", " a "])
def test_text_that_yaml_takes_for_something_else_stays_text(text: str) -> None:
    assert yaml.safe_load(to_yaml({"key": text})) == {"key": text}


@pytest.mark.parametrize("text", ["a\x1b[1m", "\u202eevil", "a\rb", "\ud800", "eyJhbGciOiJub25lIn0.eyJ0aWQiOiIxIn0.x"])
def test_text_that_a_file_must_not_hold_cannot_be_said(text: str) -> None:
    grammar = Grammar()

    assert not grammar.can_say(("groups", "key", "description"), text)
    assert grammar.can_say(("groups", "key", "description"), "Line one\nline two: yes # no comment")
