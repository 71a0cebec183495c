"""What is personal is in no file of a dossier, and what benchd reads in it stays what it was."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest
from handset_fixtures import FOLDER, answer
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from planted_person import PEOPLE, WHOLE, Person, handset_of, note_of, told

from benchd.devices.android.dossier.masking import Masker
from benchd.devices.android.dossier.parcel import Dump
from benchd.devices.android.dossier.replay import Replay, replay
from benchd.devices.android.facts.fact_table import QUESTIONS
from benchd.devices.android.shell.script import Answer
from benchd.domain.dossier import PersonalKind
from benchd.domain.imei import is_imei

MANY = settings(max_examples=60, deadline=None, phases=(Phase.explicit, Phase.generate))
"""A person is drawn whole: there is nothing to be made smaller."""


def reads_the_same(original: Mapping[str, Answer], masked: Mapping[str, Answer]) -> bool:
    masker = Masker(original)
    before, after = replay(original), replay(masked)
    facts = {
        name: masker.text(fact) if isinstance(fact, str) else fact
        for name, fact in before.facts.items()
    }
    return (facts, *_rest(before)) == (dict(after.facts), *_rest(after))


def _rest(found: Replay) -> tuple[object, ...]:
    return found.missing, {one.command for one in found.refused}, found.findings


def left_of(person: Person, masked: Mapping[str, Answer]) -> list[tuple[str, str]]:
    texts = {
        name: f"{one.text}\n{Dump(one.text).wide}\n{Dump(one.text).narrow}".lower()
        for name, one in masked.items()
    }
    bare = {name: re.sub("[ :-]", "", text) for name, text in texts.items()}
    return [
        (name, value)
        for name in texts
        for value in person.values
        if value.lower() in texts[name] or re.sub("[ :-]", "", value.lower()) in bare[name]
    ]


@MANY
@given(PEOPLE)
def test_where_android_puts_it_nothing_personal_is_left_and_every_fact_stays(
    person: Person,
) -> None:
    original = handset_of(person)
    assert not replay(original).refused
    masked = Masker(original).masked(original)
    assert left_of(person, masked.told) == []
    assert reads_the_same(original, masked.told)
    assert masked.replaced[PersonalKind.SERIAL] >= 2


@MANY
@given(PEOPLE)
def test_inside_any_line_of_any_answer_nothing_personal_is_left(person: Person) -> None:
    original = {
        name: replace(one, text=one.text + note_of(person))
        for name, one in handset_of(person).items()
    }
    masked = Masker(original).masked(original).told
    assert left_of(person, masked) == []
    assert reads_the_same(original, masked)


@MANY
@given(PEOPLE)
def test_masked_again_it_stays_as_it_is(person: Person) -> None:
    original = handset_of(person)
    once = Masker(original).masked(original).told
    assert Masker(once).masked(once).told == once


@MANY
@given(PEOPLE)
def test_equal_values_have_equal_marks_of_their_form(person: Person) -> None:
    original = handset_of(person)
    facts = replay(Masker(original).masked(original).told).facts
    imei, serial, android_id = (str(facts[n]) for n in ("imei", "serial", "android_id"))
    assert is_imei(imei)
    assert imei.startswith("00")
    assert imei != facts["second_imei"]
    assert len(serial) == len(person.serial)
    assert [c.isdigit() for c in serial] == [c.isdigit() for c in person.serial]
    assert re.fullmatch("[0-9a-f]{16}", android_id)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(list(QUESTIONS)), st.text()), PEOPLE)
def test_whatever_a_handset_says_can_be_masked(texts: Mapping[str, str], person: Person) -> None:
    original = handset_of(person) | told(texts)
    masked = Masker(original).masked(original).told
    assert list(masked) == list(original)


def test_every_question_is_among_those_that_were_tried() -> None:
    assert set(WHOLE) == set(QUESTIONS)
    assert not replay(told(WHOLE)).refused


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_no_real_answer_reads_otherwise_for_being_masked(path: object) -> None:
    stem = getattr(path, "stem", "")
    kinds = {"getprop": "properties", "df": "usage", "account": "accounts", "content": "calls"}
    kind = stem.partition("-")[0]
    original = told({**WHOLE, kinds.get(kind, kind): answer(stem)})
    assert reads_the_same(original, Masker(original).masked(original).told)


@pytest.mark.parametrize(
    "line",
    [
        "android.hardware.keymaster@4.0::IKeymasterDevice",
        "vendor.display@1.0-service.citadel",
        "  Max charging voltage: 5000000",
        "/dev/block/dm-5 116588524 68340188 48117264 59% /storage/emulated/0/Android/obb",
        "1,action_account_add,1970-01-03 03:56:09,1000,accounts,0",
        "    Account {name=PHONE, type=com.android.localphone}",
        "UserInfo{0:擁有者:13}",
        "UserInfo{150:Secure Folder:1030}",
        "[ro.build.version.incremental]: [067001B002004000402153610]",
    ],
)
def test_what_is_nobodys_stays(line: str) -> None:
    original = told({"battery": f"{line}\n"})
    assert Masker(original).masked(original).told == original


def test_a_hostname_that_only_names_the_model_is_nobodys() -> None:
    text = "[net.hostname]: [SO-53C]\n[ro.product.model]: [SO-53C]\n"
    assert Masker(told({"properties": text})).masked(told({"properties": text})).replaced == {}
