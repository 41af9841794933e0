"""Looking up error codes and what people see."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapctl.rules.catalogue import BY_ID, EVIDENCE, SOURCES
from tapctl.rules.symptoms import SYMPTOMS, Symptom, look_up

FOUND = [
    ("AADSTS130506", "AADSTS130506"),
    ("130506", "AADSTS130506"),
    ("Error: aadsts130506: Access Pass must be used for Web Sign In.", "AADSTS130506"),
    ("Temporary Access Pass sign in was blocked due to User Credential Policy", "AADSTS130502"),
    ("53003", "53000"),
    ("You can’t get there from here", "53000"),
    ("It doesn't look that you're connected to the Internet", "The lock screen"),
    ("we can't open that page", "A page cannot be opened"),
    ("the globe is missing on some devices", "The globe is missing"),
    ("ShellAppRuntime.exe crashed", "Black screen"),
    ("Security-Kerberos, event 11", "System log"),
    ("DefaultUser0", "DefaultUser0"),
    ("130007", "130004"),
    ("50034", "50057"),
]
NOT_FOUND = ["", " ", "the", "pass", "1305060", "13050", "AADSTS999999", "event 12", "DefaultUser1"]


@pytest.mark.parametrize(("text", "title"), FOUND)
def test_a_code_or_text_finds_its_row(text: str, title: str) -> None:
    assert [symptom.title[: len(title)] for symptom in look_up(text)] == [title]


@pytest.mark.parametrize("text", NOT_FOUND)
def test_what_the_table_does_not_know_finds_nothing(text: str) -> None:
    assert look_up(text) == ()


def test_several_codes_find_several_rows_in_the_order_of_the_table() -> None:
    assert [symptom.codes[0] for symptom in look_up("first 53003, then AADSTS130506")] == ["130506", "53000"]


@pytest.mark.parametrize("symptom", SYMPTOMS, ids=lambda symptom: symptom.title)
def test_every_row_is_found_by_each_of_its_codes_and_phrases(symptom: Symptom) -> None:
    assert symptom.codes or symptom.phrases
    for text in (*symptom.codes, *(f"AADSTS{code}" for code in symptom.codes), *symptom.phrases):
        assert symptom in look_up(text)


@pytest.mark.parametrize("symptom", SYMPTOMS, ids=lambda symptom: symptom.title)
def test_every_row_says_what_it_means_and_what_to_do(symptom: Symptom) -> None:
    assert symptom.meaning
    assert symptom.cause
    assert symptom.action
    assert set(symptom.rules) <= set(BY_ID)
    assert set(symptom.sources) <= set(SOURCES)
    assert symptom.evidence
    assert set(symptom.evidence) <= set(EVIDENCE)


@given(st.text())
def test_any_text_may_be_looked_up(text: str) -> None:
    assert set(look_up(text)) <= set(SYMPTOMS)
