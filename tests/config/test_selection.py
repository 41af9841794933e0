"""Which tenants a command line means."""

from __future__ import annotations

import pytest

from tapctl.config.load import load
from tapctl.errors import UsageError

from .support import Write, tenant


def names(*paths: str, **options: object) -> list[str]:
    loaded = load(paths, **options)  # type: ignore[arg-type]  # the options are those of load
    return sorted([*(one.name for one in loaded.tenants), *loaded.failed])


def test_the_default_is_the_folder_tenants(write: Write) -> None:
    write("tenants/contoso.yaml", tenant(1))
    write("tenants/fabrikam/tenant.yml", tenant(2))
    write("tenants/fabrikam/policy.yaml", "temporaryAccessPass: {length: 8}\n")
    write("tenants/_baselines/secure.yaml", "guardrails: {}\n")
    write("tenants/_common.yaml", "guardrails: {}\n")
    write("tenants/.hidden.yaml", "x: 1\n")
    write("tenants/README.md", "# Tenants\n")
    write("tenants/empty/README.md", "# Nothing\n")

    assert names() == ["contoso", "fabrikam"]


def test_a_file_is_one_tenant_wherever_it_is(write: Write) -> None:
    write("elsewhere/contoso.yaml", tenant())

    assert names("elsewhere/contoso.yaml") == ["contoso"]


def test_a_folder_in_tenants_is_one_tenant(write: Write) -> None:
    write("tenants/contoso/a.yaml", tenant())
    write("tenants/contoso/b.yaml", "temporaryAccessPass: {length: 8}\n")

    assert names("tenants/contoso") == ["contoso"]
    assert names("tenants/contoso/") == ["contoso"]


def test_a_folder_elsewhere_is_one_tenant_when_one_of_its_files_has_the_tenant(write: Write) -> None:
    write("contoso/about.yaml", tenant())
    write("contoso/policy.yaml", "temporaryAccessPass: {length: 8}\n")

    assert names("contoso") == ["contoso"]


def test_a_folder_elsewhere_is_one_tenant_when_its_only_file_is_called_tenant(write: Write) -> None:
    write("contoso/tenant.yaml", tenant())

    assert names("contoso") == ["contoso"]


def test_a_folder_elsewhere_whose_files_are_tenants_is_a_folder_of_tenants(write: Write) -> None:
    write("customers/contoso.yaml", tenant(1))
    write("customers/fabrikam.yaml", tenant(2))
    write("customers/tailspin/tenant.yaml", tenant(3))

    assert names("customers") == ["contoso", "fabrikam", "tailspin"]


def test_a_single_tenant_file_in_a_folder_keeps_its_own_name(write: Write) -> None:
    write("customers/contoso.yaml", tenant(1))

    assert names("customers") == ["contoso"]


def test_the_top_of_a_repository_leads_to_its_tenants(write: Write) -> None:
    write("tenants/contoso.yaml", tenant(1))
    write("tenants/fabrikam.yaml", tenant(2))

    assert names(".") == ["contoso", "fabrikam"]


def test_a_tenant_that_is_meant_twice_is_loaded_once(write: Write) -> None:
    write("tenants/contoso.yaml", tenant())

    loaded = load(["tenants", "tenants/contoso.yaml", "./tenants/"])

    assert len(loaded.tenants) == 1
    assert loaded.findings == ()


def test_names_and_labels_choose(write: Write) -> None:
    write("tenants/a.yaml", "tenant: {id: 6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c01, labels: {ring: pilot}}\n")
    write("tenants/b.yaml", "tenant: {id: 6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c02, labels: {ring: broad}}\n")
    write("tenants/c.yaml", tenant(3))

    assert names(names=["a", "c"]) == ["a", "c"]
    assert names(labels={"ring": "broad"}) == ["b"]


def test_a_tenant_whose_labels_cannot_be_read_is_never_left_out_in_silence(write: Write) -> None:
    write("tenants/a.yaml", "tenant: {id: 6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c01, labels: {ring: pilot}}\n")
    write("tenants/b.yaml", "tenant: {id: [\n")

    loaded = load(labels={"ring": "pilot"})

    assert [one.name for one in loaded.tenants] == ["a"]
    assert list(loaded.failed) == ["b"]


def test_a_tenant_that_was_not_chosen_by_name_is_not_judged(write: Write) -> None:
    write("tenants/a.yaml", tenant())
    write("tenants/b.yaml", "wrong: 1\n")

    assert load(names=["a"]).findings == ()


@pytest.mark.parametrize(
    ("paths", "options", "message", "fix"),
    [
        (["tenants/contso.yaml"], {}, "there is no file or folder tenants/contso.yaml", "contoso.yaml"),
        (["tenants/_common.yaml"], {}, "tenants/_common.yaml is a baseline, not a tenant", "extends it"),
        (["tenants/_baselines/secure.yaml"], {}, "secure.yaml is a baseline, not a tenant", "extends it"),
        (["tenants/_baselines/eu"], {}, "tenants/_baselines/eu is a baseline, not a tenant", "extends it"),
        (["tenants/README.md"], {}, "README.md is no tenant", "name a tenant file or folder"),
        (["nothing"], {}, "there is no tenant in nothing", "tapctl init"),
        ([], {"names": ["contso"]}, "no selected tenant is named contso", "contoso"),
        ([], {"labels": {"ring": "plot"}}, "no selected tenant has ring=plot", "ring=pilot"),
    ],
)
def test_a_command_line_that_means_nothing_is_wrong_usage(
    write: Write, paths: list[str], options: dict[str, object], message: str, fix: str
) -> None:
    write("tenants/contoso.yaml", "tenant: {id: 6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c01, labels: {ring: pilot}}\n")
    write("tenants/_common.yaml", "guardrails: {}\n")
    write("tenants/_baselines/secure.yaml", "guardrails: {}\n")
    write("tenants/_baselines/eu/strict.yaml", "guardrails: {}\n")
    write("tenants/README.md", "# Tenants\n")
    write("nothing/README.md", "# Nothing\n")

    with pytest.raises(UsageError) as caught:
        names(*paths, **options)

    assert message in caught.value.message
    assert fix in caught.value.fix


def test_without_a_folder_tenants_the_way_to_a_first_one_is_shown(write: Write) -> None:
    write("README.md", "# Empty\n")

    with pytest.raises(UsageError) as caught:
        load()

    assert "tapctl init" in caught.value.fix


def test_a_folder_above_the_tenants_may_have_any_name(write: Write) -> None:
    write("_config/tenants/contoso.yaml", tenant())

    assert names("_config/tenants/contoso.yaml") == ["contoso"]
