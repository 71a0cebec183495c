"""The page says all that was signed, in both languages, and hides nothing that limits it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest

from benchd.certificate import SigningKey
from benchd.certificate.certificate_sentences import Sentence
from benchd.certificate.chip_section import sources_of
from benchd.certificate.statement_check import RESET_KINDS
from benchd.domain.chip import BaselineKind, ChipVerdict
from benchd.domain.clear_provider import CLAIMS
from benchd.domain.data_files import read_knowledge
from benchd.domain.ids import Evidence
from benchd.domain.job import Gate
from benchd.domain.people import ShownBy
from benchd.domain.plain_text import Language, size_at_most
from benchd.papers.certificate_page import CertificatePage
from benchd.papers.page_words import PageWords
from benchd.papers.paper_content import Document
from benchd.papers.statement_paths import StatementPaths
from benchd.proof.chip_proof import SKIPPED_FOR
from benchd.proof.evidence.chip_evidence import OPERATOR, READER
from benchd.texts import translated_sentences
from benchd.texts.translated_sentences import Sentences
from tests.certificate.certificate_kinds import KINDS, statement_on
from tests.papers.outside import check_structure, read_by, scanned, text_of
from tests.papers.papers_made import CATALOGUE, draft, signed

PAGES = CertificatePage(CATALOGUE)
SAID = Sentences.load(CATALOGUE)
PRINTED = ("native, chip by eye", "streamed", "resumed", "no chip", "chip scanned")
LANGUAGES: tuple[Language, ...] = ("ja", "en")


def pages(statement: Any, key: SigningKey) -> dict[str, Document]:  # noqa: ANN401 - JSON
    told = signed(statement, key)
    return {language: PAGES.document(told, language) for language in LANGUAGES}


def values(document: Document) -> Iterator[str]:
    if document.verdict:
        yield document.verdict
    lines = [*document.head, *(line for each in document.sections for line in each.lines)]
    for line in lines:
        yield from line.values


def told_as(label: str, document: Document) -> tuple[str, ...]:
    """What stands beside a label, wherever on the page; nothing where the page doesn't have it."""
    word = CATALOGUE.text(label).to(document.language)
    lines = [*document.head, *(line for each in document.sections for line in each.lines)]
    return next((line.values for line in lines if line.label == word), ())


def squeezed(text: str) -> str:
    """Lines are broken where there is no more room."""
    return "".join(text.split())


CODE = re.compile(r"[A-Za-z]+(_[A-Za-z0-9]+)+|^[a-z]+: [a-z]+$")
"""A name of a field, or a word of the program for a thing."""


def said_of(told: str) -> dict[str, list[str]]:
    """A signed line as the page of each language says it."""
    pages = {each: PageWords(each, CATALOGUE, SAID) for each in LANGUAGES}
    return {language: words.sentence(told) for language, words in pages.items()}


CODES = [
    *(each.value for each in Sentence if CODE.search(re.sub(r"{[^{}]*}", "", each))),
    *(Sentence.CLEAR_SKIPPED.format(because=because) for because in SKIPPED_FOR),
    *(Sentence.CLEAR_CLAIMED.format(claim=claim) for claim in CLAIMS),
    *RESET_KINDS,
    *sources_of(READER, ChipVerdict.UNUSED, BaselineKind.OBSERVED),
    *sources_of(READER, ChipVerdict.UNUSED, BaselineKind.SIMULATED),
    *sources_of(READER, ChipVerdict.NO_CHIP, None),
    *sources_of(OPERATOR, ChipVerdict.UNUSED, None),
]
"""Each that a certificate can hold where its page tells it."""


@pytest.mark.parametrize("code", dict.fromkeys(CODES))
def test_a_code_that_was_signed_stands_in_words(code: str) -> None:
    for said in said_of(code).values():
        assert said
        for each in said:
            assert each != code
            assert not CODE.search(each)


@pytest.mark.parametrize("words", [Gate, ShownBy, ChipVerdict], ids=lambda words: words.__name__)
def test_each_word_of_an_answer_and_of_a_look_has_its_own(words: type[StrEnum]) -> None:
    for language in LANGUAGES:
        page = PageWords(language, CATALOGUE, SAID)
        for value in words:
            asked = {"shown_by": value} if words is ShownBy else {"gate": value}
            decision = StatementPaths({"operator": "鈴木", **asked})
            told = page.verdict(value) if words is ChipVerdict else page.answered([decision])
            shown = told if isinstance(told, str) else told.values[0]
            assert not CODE.search(shown)
            # Many are words of English by themselves.
            assert language == "en" or value not in shown


def test_every_sentence_that_can_be_signed_has_its_japanese() -> None:
    table = read_knowledge("benchd.texts", "certificate_ja.toml", translated_sentences._Table)
    assert {each.says for each in table.sentence} == set(map(str, Sentence))


@pytest.mark.looptime
@pytest.mark.asyncio
@pytest.mark.parametrize("kind", KINDS)
async def test_each_kind_is_told_whole_in_both_languages(
    kind: str, key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement = statement_on(await KINDS[kind][0](monkeypatch))
    told = statement["predicate"]
    both = pages(statement, key)
    english, japanese = " ".join(values(both["en"])), " ".join(values(both["ja"]))
    lines = [told["technique"], told["felica"]["basis"], told["standard"], told["felica"]["clear"]]
    lines += filter(None, [told["handset"]["imei_known_by"]])
    excused = [each for each in (told["fresh_picture"]["excuses"], told["clock"]["says"]) if each]
    for line in [*lines, *excused, *told["not_reached"], *told["bound_by"]]:
        for said in SAID.said(line):
            assert said.en in english
            assert said.ja in japanese
            # One that isn't known would stand there in English.
            assert said.ja != said.en
    for said in (*values(both["en"]), *values(both["ja"])):
        assert not CODE.search(said), said
    for fact in (told["job"], told["handset"]["serial"], told["ledger"]["head_hash"], key.key_id):
        assert fact in english
        assert fact in japanese


@pytest.mark.looptime
@pytest.mark.asyncio
@pytest.mark.parametrize("kind", PRINTED)
async def test_others_read_each_kind_of_paper(
    kind: str, key: SigningKey, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    statement = statement_on(await KINDS[kind][0](monkeypatch))
    path = set_of(statement, key, tmp_path)
    check_structure(path)
    # All of its words are to be found in it.
    for number, document in enumerate(pages(statement, key).values(), start=1):
        options = ("-f", str(number), "-l", str(number))
        text = squeezed(read_by("pdftotext", *options, path, "-"))
        for value in values(document):
            assert squeezed(value) in text
        picture = tmp_path / f"{number}"
        read_by("pdftoppm", *options, "-r", "150", "-png", "-singlefile", path, picture)
        assert scanned(picture.with_suffix(".png")) == [document.code]
    out = tmp_path / "certificate.json"
    read_by("pdfdetach", "-savefile", "certificate.json", "-o", out, path)
    assert out.read_bytes() == signed(statement, key).envelope


def test_what_limits_it_stands_on_the_page_in_sections_of_their_own(
    statement: Evidence, key: SigningKey
) -> None:
    told: Any = statement["predicate"]
    assert told["felica"]["source"] == "operator"
    for document in pages(statement, key).values():
        warned = [section for section in document.sections if section.warns]
        assert len(warned) == 2
        found = [value for section in warned for line in section.lines for value in line.values]
        for line in told["not_reached"]:
            assert SAID.said(line)[0].to(document.language) in found
        assert CATALOGUE.text("paper.trusted_key").to(document.language) in found
        # A person looked, and no reader.
        assert not [value for value in values(document) if "reader finds" in value]


def test_who_attested_at_intake_what_the_recipe_wants_stands_on_the_page(
    statement: Evidence, key: SigningKey
) -> None:
    told: Any = deepcopy(statement)
    told["predicate"]["intake"] |= {
        "lot": "L-1",
        "lot_kind": "purchase",
        "tag": "T-1",
        "bound_by": "serial",
        "identity_checked": True,
    }
    told["predicate"]["intake"]["required"] = [
        {
            "kind": kind,
            "operator": f"Who-{kind}",
            "sequence": 4321,
            "hash": "0" * 64,
            "whole_lot": True,
            "at": told["predicate"]["stages"][0]["ended_at"],
        }
        for kind in ("identity", "erasure")
    ]
    for document in pages(told, key).values():
        for kind in ("identity", "erasure"):
            [said] = told_as(f"paper.required_{kind}", document)
            assert f"Who-{kind}" in said
            assert "4321" in said


@pytest.mark.looptime
@pytest.mark.asyncio
async def test_a_reader_that_is_trusted_stands_beside_the_system_that_is(
    key: SigningKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement = statement_on(await KINDS["chip scanned"][0](monkeypatch))
    for document in pages(statement, key).values():
        [trusted] = [
            section
            for section in document.sections
            if section.title == CATALOGUE.text("paper.trusted").to(document.language)
        ]
        for sentence in (Sentence.READER_TRUSTED, Sentence.SYSTEM_TRUSTED):
            said = SAID.said(sentence)[0].to(document.language)
            places = [value for value in values(document) if said in value]
            assert len(places) == 1
            assert places[0] in trusted.lines[0].values


@pytest.mark.parametrize("not_reached", [[], [Sentence.SYSTEM_TRUSTED.value]])
def test_a_statement_of_others_with_next_to_nothing_not_reached_has_its_page(
    not_reached: list[str], statement: Evidence, key: SigningKey
) -> None:
    told = json.loads(json.dumps(statement))
    told["predicate"]["not_reached"] = not_reached
    by_others = replace(signed(statement, key), statement=told)
    for language in LANGUAGES:
        document = PAGES.document(by_others, language)
        said = SAID.said(Sentence.SYSTEM_TRUSTED)[0].to(language)
        assert len([each for each in values(document) if said in each]) == len(not_reached)


def test_a_share_on_the_page_is_cut_as_on_screens_and_never_rounded_up(
    statement: Evidence, key: SigningKey
) -> None:
    told = json.loads(json.dumps(statement))
    told["predicate"]["verification"] |= {"coverage": 0.9996, "minimum_coverage": 0.9496}
    by_others = replace(signed(statement, key), statement=told)
    for language in LANGUAGES:
        shares = re.findall(r"[\d.]+%", " ".join(values(PAGES.document(by_others, language))))
        assert {"99.9%", "94.9%"} <= set(shares)
        assert not {"100.0%", "95.0%"} & set(shares)


SHEET_PT, MARGIN_PT = 595.28, 42.52
HOSTILE = '"]]<script>#panic()\u202e\x1b[2J\n= H *b* $x$ \\ 𠮷한😀'


def named(statement: Evidence, long: str) -> Any:  # noqa: ANN401 - JSON
    """The statement with these words for every name in it."""
    told = json.loads(json.dumps(statement))
    predicate = told["predicate"]
    predicate["handset"].update(manufacturer=long, model=long, serial=long, build=long)
    predicate["handset"]["android"] = long
    told["subject"][0]["name"] = f"{long} {long}"
    predicate["site"] = long
    return told


def set_of(told: Any, key: SigningKey, folder: Path) -> Path:  # noqa: ANN401 - JSON
    """Its paper, which has one page for each language."""
    path = folder / "certificate.pdf"
    path.write_bytes(draft(told, key))
    assert "Pages:           2" in read_by("pdfinfo", path)
    return path


def test_hostile_words_are_bounded_and_leave_one_page_for_each_language(
    statement: Evidence, key: SigningKey, tmp_path: Path
) -> None:
    text = text_of(set_of(named(statement, HOSTILE + "長" * 400), key, tmp_path))
    assert "<script>#panic()" in text
    assert "〔U+20BB7〕" in text
    assert "\x1b" not in text


UNBROKEN = (
    "W",
    "-",
    "!",
    "）",
    "/",
    "\u00a0x",
    "ー",
    "ァ",
    "…",
    "「",
    "、",
    "々",
    "Ж",
    "😀",
    "0123456789abcdef",
)
"""Each of these many times over: none has a place of its own where a line may end."""


@pytest.mark.parametrize("word", UNBROKEN)
def test_a_word_of_any_length_stays_on_the_sheet(
    word: str, statement: Evidence, key: SigningKey, tmp_path: Path
) -> None:
    told = named(statement, word * 80)
    path = set_of(told, key, tmp_path)
    ends = re.findall(r'<word .*xMax="([0-9.]+)"', read_by("pdftotext", "-bbox", path, "-"))
    # A mark at a line's end may hang into the margin.
    assert max(map(float, ends)) <= SHEET_PT - MARGIN_PT + 5
    [shown] = told_as("paper.serial", PAGES.document(signed(told, key), "ja"))
    assert squeezed(shown) in squeezed(read_by("pdftotext", path, "-"))


def test_many_people_and_a_changed_cable_still_leave_one_page(
    statement: Evidence, key: SigningKey, tmp_path: Path
) -> None:
    told = json.loads(json.dumps(statement))
    told["predicate"]["stages"] = told["predicate"]["stages"] * 40
    first = told["predicate"]["decisions"][0]
    told["predicate"]["decisions"] = [
        *({**first, "operator": f"担当{n}" + "長" * 60, "person": f"p{n}"} for n in range(30)),
        *told["predicate"]["decisions"],
    ]
    set_of(told, key, tmp_path)
    # Two renderings are the same before they are signed.
    assert draft(told, key) == draft(told, key)


def changed(statement: Evidence, **sections: Any) -> Any:  # noqa: ANN401 - JSON
    """The statement with these words in its sections."""
    told = json.loads(json.dumps(statement))
    for name, value in sections.items():
        if isinstance(value, dict):
            told["predicate"][name].update(value)
        else:
            told["predicate"][name] = value
    return told


def page_of(
    statement: Evidence,
    key: SigningKey,
    language: Language,
    **sections: Any,  # noqa: ANN401 - JSON
) -> Document:
    """Its page with these words in its sections, as of a statement that others have signed."""
    told = changed(statement, **sections)
    return PAGES.document(replace(signed(statement, key), statement=told), language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_first_glance_tells_what_of_which_handset_when_where_and_who_confirmed(
    language: Language, statement: Evidence, key: SigningKey
) -> None:
    """Issue 34, 11."""
    told = changed(
        statement,
        site_address="さいたま市大宮区1-2-3",
        handset={"second_imei": "490154203237518"},
    )
    document = page_of(told, key, language)
    predicate = told["predicate"]
    # How far it got is part of it: whoever reads no more doesn't take a part for the whole.
    sellable = {
        "ja": "届いた範囲（利用者領域の93.7%）の消去を確認済み。販売可",
        "en": "Erasure of what was reached (93.7% of the user storage) is proven; may be sold",
    }
    assert document.verdict == sellable[language]
    glance = " ".join(value for line in document.head for value in line.values)
    for fact in (
        *(predicate["handset"][name] for name in ("model", "imei", "second_imei", "serial")),
        *(predicate["site"], predicate["site_address"], predicate["job"]),
        predicate["confirmation"]["operator"],
        StatementPaths(predicate["stages"][-1]).day_and_time("ended_at"),
    ):
        assert fact in glance
    # What it is worth less by comes next; what only a machine reads comes last.
    titles = [section.title for section in document.sections]
    first, last = ("not_reached", "trusted"), ("record", "verify")
    for names, at in ((first, titles[:2]), (last, titles[-2:])):
        assert at == [CATALOGUE.text(f"paper.{name}").to(language) for name in names]
    shown = glance + " ".join(
        value for each in document.sections[:-2] for line in each.lines for value in line.values
    )
    assert not re.search("[0-9a-f]{64}", shown)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_first_glance_never_takes_a_sample_for_all_nor_a_wrong_clock_for_a_date(
    language: Language, statement: Evidence, key: SigningKey
) -> None:
    """Issue 34, 11: it never reads better than its record."""
    document = page_of(statement, key, language, verification={"mode": "sampled"})
    by_sample = {
        "ja": "届いた範囲（利用者領域の93.7%）を上書きし、抜き取りで確認済み。販売可",
        "en": "What was reached (93.7% of the user storage) is overwritten, a sample of it checked;"
        " may be sold",
    }
    assert document.verdict == by_sample[language]
    assert len(told_as("paper.worked", document)) == 1
    set_back = Sentence.CLOCK_SET_BACK.format(seconds=3600.0)
    document = page_of(statement, key, language, clock={"set_back_s": 3600.0, "says": set_back})
    worked = told_as("paper.worked", document)
    assert worked[1:] == (SAID.said(set_back)[0].to(language),)
    # What is excused stands among what is only trusted.
    excused = Sentence.EXCUSED.format(accounts=1, packages=2, bytes=12_600_001)
    document = page_of(statement, key, language, fresh_picture={"excuses": excused})
    [said] = SAID.said(excused)
    assert "12.7 MB" in said.to(language)
    assert said.to(language) in document.sections[1].lines[0].values
    assert document.sections[1].warns


@pytest.mark.parametrize(
    ("count", "missing", "kept"),
    [
        (0, "0 B", "0 B"),
        (999, "999 B", "999 B"),
        (8_049_999, "8.1 MB", "8.0 MB"),
        (128_000_000_000, "128.0 GB", "128.0 GB"),
    ],
)
def test_bytes_are_rounded_against_the_erasure(count: int, missing: str, kept: str) -> None:
    """Issue 34, 11: what is left is never told as less, nor what was shown as more."""
    [said] = SAID.said(Sentence.NOT_WRITTEN.format(missing_bytes=count))
    assert said.ja == f"利用者領域のうち{missing}。内訳："
    assert said.en == f"{missing} of the user storage, which are:"
    [said] = SAID.said(Sentence.RESUMED.format(resumed_bytes=count))
    assert said.ja.startswith(f"うち{kept}は")
    assert said.en.startswith(f"{kept} of it kept")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_isnt_known_has_no_row(
    language: Language, statement: Evidence, key: SigningKey
) -> None:
    """Issue 34, 11: an empty row would look like one that was left out."""
    unknown: Any = {"site_address": None, "handset": {"second_imei": None}}
    document = page_of(statement, key, language, **unknown)
    for label in ("paper.site_address", "paper.second_imei", "paper.former_imeis"):
        assert told_as(label, document) == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_it_came_from_and_goes_is_told_as_far_as_a_buyer_may_know(
    language: Language, statement: Evidence, key: SigningKey
) -> None:
    """Issue 34, 11."""
    lot = {"lot": "L-7", "lot_kind": "collection", "tag": "T-001", "consignor": "仮想リサイクル"}
    document = page_of(statement, key, language, intake=lot)
    assert told_as("paper.consignor", document) == ("仮想リサイクル",)
    assert told_as("paper.asset", document) == ("L-7 / T-001",)
    bought = {**lot, "lot_kind": "purchase", "consignor": None}
    document = page_of(statement, key, language, intake=bought)
    unsaid = CATALOGUE.text("paper.consignor_unsaid").to(language)
    assert told_as("paper.consignor", document) == (unsaid,)
    for_sale = CATALOGUE.text("paper.for_sale").to(language)
    assert told_as("paper.destination", document) == (for_sale,)
    # Of none that isn't sellable does a page say so.
    document = page_of(statement, key, language, disposition="hold")
    assert not document.verdict
    assert told_as("paper.destination", document) == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_wasnt_reached_stands_by_where_it_is_in_units_for_people(
    language: Language, statement: Evidence, key: SigningKey
) -> None:
    """Issue 34, 11: the file has the bytes."""
    document = page_of(statement, key, language)
    predicate: Any = statement["predicate"]
    [esim] = told_as("paper.esim", document)
    assert esim == SAID.said(Sentence.ESIM)[0].to(language)
    assert len(told_as("paper.user_storage", document)) >= 5
    missing = predicate["medium"]["capacity_bytes"] - predicate["overwrite"]["bytes_written"]
    assert size_at_most(missing) in told_as("paper.user_storage", document)[0]
    for value in values(document):
        assert not re.search("[0-9]+ ?(bytes|バイト)", value)
    # What is left is never told as less, nor what was reached as more.
    document = page_of(statement, key, language, verification={"coverage": 0.99996})
    [covered] = told_as("paper.coverage", document)
    assert "99.9%" in covered


def test_each_sheet_says_which_it_is(statement: Evidence, key: SigningKey, tmp_path: Path) -> None:
    """Issue 34, 11."""
    path = set_of(statement, key, tmp_path)
    for number in ("1", "2"):
        text = read_by("pdftotext", "-f", number, "-l", number, path, "-")
        assert f"{number}/2" in text.split()


JAPANESE = "[ぁ-んァ-ヶ一-龯ー々。、（）「」：]"
SPACED = re.compile(rf"{JAPANESE} | {JAPANESE}")


def test_no_space_stands_beside_a_japanese_letter_on_a_paper() -> None:
    """Issue 34, 8: one rule, for Latin words and for what is filled in."""
    table = read_knowledge("benchd.texts", "certificate_ja.toml", translated_sentences._Table)
    texts = [CATALOGUE.text(key).ja for key in CATALOGUE.keys if key.startswith("paper.")]
    said = [*texts, *(each.ja for each in table.sentence)]
    assert len(said) > 100
    assert [each for each in said if SPACED.search(each)] == []
