"""Dossiers as they are read and masked: nothing personal is left, every fact stays what it was."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path

import pytest
from handset_fakes import FOLDER, answer
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from planted_person import PEOPLE, WHOLE, Person, handset_of, note_of, told

from benchd.devices.android.dossier.folder import read_folder
from benchd.devices.android.dossier.masking import Masker
from benchd.devices.android.dossier.parcel import Dump
from benchd.devices.android.dossier.replay import Replay, replay
from benchd.devices.android.facts.fact_table import FACTS, QUESTIONS
from benchd.devices.android.shell.script import Answer
from benchd.domain.dossier import PersonalKind
from benchd.domain.errors import DossierInvalid
from benchd.domain.handset import HandsetFacts, NfcFacts, ResetFacts
from benchd.domain.imei import is_imei
from benchd.domain.job import Reason


def of(folder: Path, **answers: str) -> Replay:
    for name, text in answers.items():
        (folder / f"{name}.txt").write_text(text)
    return replay(read_folder(folder))


def test_one_answer_is_a_dossier(tmp_path: Path) -> None:
    found = of(tmp_path, users=answer("users-16-xspace"))
    assert found.facts["user_ids"] == (0, 10, 999)
    assert [name for name, value in found.facts.items() if value is not None] == [
        "user_ids",
        "user_kinds",
    ]
    assert "properties" in found.missing
    assert "users" not in found.missing
    assert found.refused == ()


def test_a_refused_answer_is_named_and_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "battery.status").write_text("20\n")
    found = of(tmp_path, battery="", users="garbage\n", volumes=answer("volumes-12-card"))
    assert {one.command for one in found.refused} == {"battery", "users"}
    assert found.facts["battery_percent"] is None
    assert found.facts["removable_media"] is True
    assert set(found.findings) == {Reason.REMOVABLE_MEDIA, Reason.ANSWER_NOT_RECOGNISED}


def test_storage_is_told_by_df_with_its_mount_table_and_by_stat_where_it_was_asked(
    tmp_path: Path,
) -> None:
    found = of(tmp_path, usage=answer("df-9"))
    assert found.facts["capacity_bytes"] is None
    assert ("mounts" in found.missing, found.refused) == (True, ())
    found = of(tmp_path, mounts=answer("mounts-7-ext4"))
    assert found.facts["capacity_bytes"] == 53487616 * 1024
    assert found.facts["statfs_capacity_bytes"] is None
    assert ("statfs" in found.missing, found.refused) == (True, ())
    found = of(tmp_path, statfs=answer("statfs-16-pixel-8-pro"))
    assert [one.command for one in found.refused] == ["statfs"]
    assert Reason.STORAGE_CONTRADICTS in found.findings
    assert found.facts["capacity_bytes"] is None
    found = of(tmp_path, statfs=answer("statfs-9"))
    assert found.facts["statfs_capacity_bytes"] == found.facts["capacity_bytes"]
    assert found.refused == ()


def test_every_fact_on_record_is_told_and_every_question_among_those_that_are_tried() -> None:
    kinds = (HandsetFacts, ResetFacts, NfcFacts)
    assert set(FACTS) == {field.name for kind in kinds for field in fields(kind)}
    assert set(WHOLE) == set(QUESTIONS)
    assert not replay(told(WHOLE)).refused


def test_a_folder_without_answers_or_with_one_that_is_none_is_no_dossier(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "holiday.txt").write_text("sun\n")
    for name in ("empty", "elsewhere"):
        with pytest.raises(DossierInvalid, match=name):
            read_folder(tmp_path / name)
    (tmp_path / "users.txt").write_text("x" * (4 * 1024 * 1024 + 1))
    with pytest.raises(DossierInvalid, match="more than"):
        read_folder(tmp_path)
    (tmp_path / "users.txt").write_text("")
    (tmp_path / "users.status").write_text("none\n")
    with pytest.raises(DossierInvalid, match="no exit status"):
        read_folder(tmp_path)


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
def test_equal_values_have_equal_marks_of_their_form_which_stay_as_they_are(
    person: Person,
) -> None:
    original = handset_of(person)
    once = Masker(original).masked(original).told
    assert Masker(once).masked(once).told == once
    facts = replay(once).facts
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


@pytest.mark.parametrize("stem", sorted(path.stem for path in FOLDER.glob("*.txt")))
def test_no_real_answer_reads_otherwise_for_being_masked(stem: str) -> None:
    kinds = {"getprop": "properties", "df": "usage", "account": "accounts", "content": "calls"}
    kind = stem.partition("-")[0]
    original = told({**WHOLE, kinds.get(kind, kind): answer(stem)})
    assert reads_the_same(original, Masker(original).masked(original).told)


OBB = "/storage/emulated/0/Android/obb"


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("battery", "android.hardware.keymaster@4.0::IKeymasterDevice"),
        ("battery", "vendor.display@1.0-service.citadel"),
        ("battery", "  Max charging voltage: 5000000"),
        ("battery", f"/dev/block/dm-5 116588524 68340188 48117264 59% {OBB}"),
        ("battery", "1,action_account_add,1970-01-03 03:56:09,1000,accounts,0"),
        ("battery", "    Account {name=PHONE, type=com.android.localphone}"),
        ("battery", "UserInfo{0:擁有者:13}"),
        ("battery", "UserInfo{150:Secure Folder:1030}"),
        ("battery", "[ro.build.version.incremental]: [067001B002004000402153610]"),
        # A hostname that only names the model.
        ("properties", "[net.hostname]: [SO-53C]\n[ro.product.model]: [SO-53C]"),
    ],
)
def test_what_is_nobodys_stays(question: str, text: str) -> None:
    original = told({question: f"{text}\n"})
    masked = Masker(original).masked(original)
    assert (masked.told, masked.replaced) == (original, {})
