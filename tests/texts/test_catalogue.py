"""The catalogue of texts: whole in both languages, and filled with whatever a handset says."""

from __future__ import annotations

import re
import tomllib
from importlib import resources

import pytest

from benchd.domain.chip import ChipVerdict
from benchd.domain.intake import Unerasable
from benchd.domain.job import (
    DISPOSITION_OF,
    Disposition,
    Gate,
    Outcome,
    Reason,
)
from benchd.domain.plain_text import printable
from benchd.domain.slot import ProblemCode, ProblemView, QuestionView
from benchd.domain.slot_states import SlotState
from benchd.pipelines.stages import STAGE_CLASSES
from benchd.proof.stage_order import SKIPPABLE
from benchd.texts.catalogue import (
    FACTS,
    Catalogue,
    Guidance,
    Texts,
    fill,
    skips,
    values,
)
from benchd.texts.locale_language import language_of
from tests.texts.test_japanese import flat

HOSTILE = {
    "placeholder": "{serial}{model}{port_path}",
    "format": "{0.__class__.__mro__}{model!r:>999999}%s%(x)s$x",
    "escape": "\x1b[2J\x1b]0;owned\x07\r\n\x00\x7f\x9b31m",
    "order": "\u202egnp.exe\u2066\u200b\ufeff",
    "surrogate": "\ud800\udfff",
    "markup": "[bold red]<script>alert(1)</script>",
    "long": "x" * 100_000,
    "back-references": r"\1\g<0>",
}


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue.load()


def test_a_catalogue_that_isnt_checked_says_the_same(catalogue: Catalogue) -> None:
    unchecked = Catalogue.load(checked=False)
    assert unchecked.keys == catalogue.keys
    assert {key: unchecked.text(key) for key in unchecked.keys} == {
        key: catalogue.text(key) for key in catalogue.keys
    }
    assert unchecked.labels() == catalogue.labels()


def test_every_value_has_a_text_in_both_languages(catalogue: Catalogue) -> None:
    japanese = re.compile("[\u3040-\u30ff\u4e00-\u9fff]")
    for key, texts in everything(catalogue).items():
        assert japanese.search(texts.ja), key
        assert texts.en, key
        assert "?" not in re.sub(r"\?$", "", texts.en), key


def test_both_files_have_the_same_keys_and_fill_in_the_same_facts() -> None:
    japanese, english = shipped("ja"), shipped("en")
    assert japanese.keys() == english.keys()
    for key in japanese:
        used = [set(re.findall(r"\{(\w+)\}", texts[key])) for texts in (japanese, english)]
        assert used[0] == used[1], key


def shipped(language: str) -> dict[str, str]:
    file = resources.files("benchd").joinpath("texts", f"{language}.toml")
    return dict(flat(tomllib.loads(file.read_text("utf-8"))))


def everything(catalogue: Catalogue) -> dict[str, Texts]:
    """A text of every value that an operator may be shown."""
    facts = {
        "model": "SO-51B",
        "serial": "HQ6123",
        "port_path": "pci-0-usb-0:1",
        "reader": "A1 reader",
        "printers": "till",
        "hooks": "stock",
        "imei_end": "3809",
        "percent": "12",
        "degrees": "46",
        "maximum": "40",
        "minimum": "30",
        "earlier_job": "20261103-00aa11bb22",
        "other": "20261103-00aa11bb22",
        "slot": "A2",
        "earlier_reason": "felica_residue",
        "tags": "T1, T2",
        "admins": "com.samsung.android.kgclient",
        "count": "3",
    }
    problems = {code: ProblemView(code=code, facts=facts) for code in ProblemCode}
    questions = {gate: QuestionView(gate=gate, facts=facts) for gate in Gate}
    found: dict[str, Texts] = {
        **{f"slot_state.{state}": catalogue.slot_state(state) for state in SlotState},
        **{f"outcome.{outcome}": catalogue.outcome(outcome) for outcome in Outcome},
        **{f"disposition.{goes}": catalogue.disposition(goes) for goes in Disposition},
        **{f"stage.{stage}": catalogue.stage(stage) for stage in STAGE_CLASSES},
        **{f"because.{because}": catalogue.because(because) for because in values()["because"]},
        **{f"word.{word}": text for word, text in catalogue.section("word").items()},
        **{f"gate.{gate}.title": catalogue.gate(gate) for gate in Gate},
        **{f"gate.{gate}": catalogue.question(view) for gate, view in questions.items()},
        **{f"problem.{code}": catalogue.problem(view) for code, view in problems.items()},
        **{f"reason.{reason}": catalogue.reason(reason) for reason in Reason},
        **{f"chip.{verdict}": catalogue.chip(verdict) for verdict in ChipVerdict},
        "chip_trouble.reader_gone": catalogue.guidance("chip_trouble.reader_gone"),
        "chip_trouble.reader_fault": catalogue.guidance("chip_trouble.reader_fault"),
    }
    advice = {
        f"{key}.what_to_do": texts.what_to_do
        for key, texts in found.items()
        if isinstance(texts, Guidance)
    }
    return {**found, **advice}


def test_every_fact_is_used() -> None:
    for section, facts in FACTS.items():
        if section.startswith("problem."):
            texts = "".join(t for key, t in shipped("ja").items() if key.startswith(section))
            assert facts == set(re.findall(r"\{(\w+)\}", texts))
    named = {"gate.confirm", "gate.observe", "gate.final_reset", "gate.guided_reset"}
    for gate in named:
        assert set(re.findall(r"\{(\w+)\}", shipped("ja")[f"{gate}.question"])) == {
            "model",
            "serial",
            "imei_end",
        }


def test_missing_stale_and_misspelt_texts_are_all_told() -> None:
    japanese, english = shipped("ja"), shipped("en")
    del japanese["reason.locked.title"]
    english["reason.haunted.title"] = "It is haunted"
    english["gate.confirm.question"] = "Do you approve {handset}?"
    english["slot_state.empty"] = "Empty {model}"
    with pytest.raises(ValueError, match="no text") as refused:
        Catalogue(ja=japanese, en=english)
    assert str(refused.value).splitlines() == [
        "ja: no text for reason.locked.title",
        "en: reason.haunted.title means nothing",
        "en: gate.confirm.question has an unknown placeholder {handset}",
        "en: slot_state.empty has an unknown placeholder {model}",
        "en: gate.confirm.question doesn't end with what yes and no mean",
    ]


@pytest.mark.parametrize("reason", list(Reason))
def test_a_reason_says_where_it_goes_and_never_sounds_like_an_erasure(
    catalogue: Catalogue, reason: Reason
) -> None:
    goes, told = catalogue.disposition(DISPOSITION_OF[reason]), catalogue.reason(reason)
    assert told.what_to_do.ja.startswith(f"{goes.ja}へ。")
    assert told.what_to_do.en.startswith(f"{goes.en}. ")
    for text in (told.ja, told.what_to_do.ja):
        assert "消去済み" not in text or "消去済みではありません" in text
        assert "消去しました" not in text
        assert "販売可" not in text
    for text in (told.en, told.what_to_do.en):
        assert "is erased" not in text or "Neither" in text
        assert "Sellable" not in text


@pytest.mark.parametrize("gate", list(Gate))
def test_question_says_what_yes_and_no_mean(catalogue: Catalogue, gate: Gate) -> None:
    question = catalogue.question(QuestionView(gate=gate, facts={}))
    assert re.search(r"（はい=[^（）]+、いいえ=[^（）]+）？$", question.ja)
    assert re.search(r"\(yes = .+, no = .+\)\?$", question.en)
    of_usb = {Gate.RECHECK: 2, Gate.RECHECK_CHIP: 2}
    of_usb |= {Gate.SAME_HANDSET: 4, Gate.SAME_HANDSET_HELD: 4}
    unfilled = {Gate.IMEI: 2, Gate.SERIAL: 1, Gate.ASSET: 4, **of_usb}.get(
        gate, 3 if "シリアル番号" in question.ja else 0
    )
    assert question.ja.count("?") == question.ja.count("{") + unfilled


def test_labels_name_every_value(catalogue: Catalogue) -> None:
    labels = catalogue.labels()
    assert labels["disposition"]["destroy"].ja == "破砕"
    locked = catalogue.reason(Reason.LOCKED)
    assert labels["reason"]["locked"] == Texts(ja=locked.ja, en=locked.en)
    assert labels["page"].keys() == {key[5:] for key in shipped("en") if key.startswith("page.")}
    assert labels["refusal"].keys() == {
        key[8:] for key in shipped("en") if key.startswith("refusal.")
    }


@pytest.mark.parametrize("gate", [Gate.FELICA_CHECK, Gate.FELICA_RECHECK])
def test_felica_yes_is_unused(catalogue: Catalogue, gate: Gate) -> None:
    question = catalogue.question(QuestionView(gate=gate, facts={}))
    assert "はい=未利用、いいえ=利用中" in question.ja
    assert "yes = 未利用 unused, no = 利用中 in use" in question.en


def test_every_skip_that_counts_has_its_words() -> None:
    assert frozenset[str]().union(*SKIPPABLE.values()) == skips()


def test_unknown_port_carries_the_lines_to_add(catalogue: Catalogue) -> None:
    view = ProblemView(code=ProblemCode.UNKNOWN_PORT, facts={"port_path": "pci-0-usb-0:1.4"})
    for text in (catalogue.problem(view).what_to_do.ja, catalogue.problem(view).what_to_do.en):
        added = tomllib.loads("\n".join(text.splitlines()[-2:]))
        assert added == {"slots": {"NAME": {"port": "pci-0-usb-0:1.4"}}}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_hostile_facts_stay_what_they_are(catalogue: Catalogue, value: str) -> None:
    facts = {"model": value, "serial": "HQ6123"}
    told = catalogue.question(QuestionView(gate=Gate.CONFIRM, facts=facts))
    plain = catalogue.question(QuestionView(gate=Gate.CONFIRM, facts={"model": "M", **facts}))
    for text in (told.ja, told.en):
        assert text.isprintable()
        assert text.count("HQ6123") == 1
        assert len(text) < 300
    assert told == plain


def test_the_path_of_a_file_is_told_whole(catalogue: Catalogue) -> None:
    path = f"/srv/{'racks-of-the-dealer/' * 6}benchd.toml"
    asked = catalogue.text("learn.confirm", {"file": path})
    assert path in asked.ja
    assert path in asked.en


def test_why_a_chip_is_silent_stands_in_the_question_in_words(catalogue: Catalogue) -> None:
    for gate in (Gate.FELICA_RETIRED, Gate.FELICA_NO_CHIP):
        facts = {"causes": "nfc_off,screen_off,screen_locked"}
        told = catalogue.question(QuestionView(gate=gate, facts=facts)).what_to_do
        assert told.en.startswith(
            "NFC is off on this handset. Its screen is off. Its screen is locked. "
        )
        assert told.ja.startswith("この端末はNFCがオフです。")
        for hostile in ("", "none", "\x1b[2J{serial}"):
            unknown = catalogue.question(QuestionView(gate=gate, facts={"causes": hostile}))
            assert unknown.what_to_do.en.startswith("The handset doesn't say why. ")


def test_what_its_model_says_of_a_silent_chip_stands_in_the_question(catalogue: Catalogue) -> None:
    for gate in (Gate.FELICA_RETIRED, Gate.FELICA_NO_CHIP):

        def told(code: str, of: Gate = gate) -> str:
            facts = {"causes": "nfc_off", "model_felica": code}
            return catalogue.question(QuestionView(gate=of, facts=facts)).what_to_do.en

        assert "this model has FeliCa." in told("has")
        assert "this model has no FeliCa; it can be mistaken." in told("has_none")
        for unknown in ("unknown", "", "none", "\x1b[2J{serial}"):
            assert "doesn't say whether this model has FeliCa." in told(unknown)


def test_fill_reads_values_once_and_only_as_text() -> None:
    assert fill("{model}", {"model": "{serial}", "serial": "S"}) == "{serial}"
    assert fill("{model} {serial}", {"model": "\x1b"}) == "? ?"
    assert (
        fill("{0} {} {model!r} {Model} {a.b}", {"model": "M"}) == "{0} {} {model!r} {Model} {a.b}"
    )


def test_printable_is_bounded_and_on_one_line() -> None:
    assert printable("a\tb\r\nc\u3000d") == "a b c d"
    assert printable("\u202eabc\x07\ud800") == "abc"
    assert printable("x" * 81) == "x" * 79 + "…"
    assert printable("x" * 80) == "x" * 80
    assert printable("日本 🍣 e\u0301") == "日本 🍣 e\u0301"
    assert printable("\x00" * 10_000_000) == ""


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({"LANG": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": "en_US.UTF-8"}, "en"),
        ({"LANG": "ja_JP.UTF-8", "LC_ALL": "C.UTF-8"}, "en"),
        ({"LANG": "C", "LC_MESSAGES": "ja"}, "ja"),
        ({"LC_MESSAGES": "C", "LC_ALL": "ja_JP.UTF-8"}, "ja"),
        ({"LANG": ""}, "en"),
        ({}, "en"),
    ],
)
def test_language_follows_the_environment(environ: dict[str, str], language: str) -> None:
    assert language_of(environ) == language


def test_a_handset_that_was_entered_as_not_erasable_is_asked_about_in_words() -> None:
    facts = {"model": "X", "serial": "S", "imei_end": "1", "earlier_job": "T1"}
    view = QuestionView(
        gate=Gate.DESTROYED_BEFORE, facts={**facts, "earlier_reason": Unerasable.NO_POWER}
    )
    asked = Catalogue.load().question(view)
    assert "T1（電源が入らない）" in asked.what_to_do.ja
    assert "no_power" not in asked.what_to_do.ja + asked.what_to_do.en


def test_meanings_are_those_of_the_question(catalogue: Catalogue) -> None:
    yes, no = catalogue.meanings(Gate.FELICA_CLEAR)
    assert (yes.ja, no.ja) == ("終えた", "消去できないので破砕")
    assert (yes.en, no.en) == ("cleared", "it can't be, so the handset is destroyed")
