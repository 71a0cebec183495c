"""Why exactly a job has ended, or an answer wasn't taken, is told in the operator's language."""

from __future__ import annotations

import tomllib

import pytest

from benchd.domain.fill import ENDED_BY_QUOTA, NOTHING_OF_THIS_JOB, REMAINS_OF_LOOK
from benchd.domain.job import Gate
from benchd.texts.catalogue import Catalogue
from benchd.texts.causes import LONGEST_CAUSE, Causes
from tests.texts.said_in_code import SOURCE


@pytest.fixture(scope="module")
def causes() -> Causes:
    return Causes.load(Catalogue.load())


@pytest.mark.parametrize(
    ("told", "japanese"),
    [
        ("no line from the fill program for 5 s", "5 秒間、何も届きません"),
        pytest.param(
            f"{Gate.CONFIRM} was answered with no",
            "質問「別担当者による確認」に「いいえ」",
            id="by its gate",
        ),
        ("confirm was answered with no", "質問「別担当者による確認」に「いいえ」"),
        ("user 150: secure_folder, user 11: person", "セキュリティフォルダ"),
        ("2 accounts, screen lock True; of unknown type: com.x", "画面ロックあり"),
        (
            "silent: no chip answered; NFC is off on this handset, its screen is off",
            "この端末はNFCがオフです",
        ),
        ("in_use: 3 nodes beyond the root areas (Suica)", "領域が 3 個: Suica"),
        ("4096 bytes aren't what was written, 8192 of 12288 proven (fill-0+0:4096)", "4096 バイト"),
        ("the handset that came back holds nothing of what this job had written", "戻った端末"),
        (f"{NOTHING_OF_THIS_JOB}; {REMAINS_OF_LOOK}", "削除できませんでした"),
        (ENDED_BY_QUOTA, "クォータ"),
        ("7667712 bytes are still free after the fill, 4194304 may be", "7667712 バイト"),
        ("a release needs its reason in the note", "理由をメモに"),
        ("say in the note to whom it was handed back", "だれに返したか"),
        ("the note has to be the number of the certificate that it's sold under", "証明書番号"),
        (
            "nobody is signed in here any more: scan your badge, or give your id and PIN",
            "IDとPIN",
        ),
        ("job 1-2 has no certificate", "作業 1-2 に証明書はありません"),
        ("the certificate names another key than the one that was given", "最新の公開鍵"),
    ],
)
def test_facts_are_filled_in(causes: Causes, told: str, japanese: str) -> None:
    said = causes.said(told)
    assert said is not None
    assert japanese in said.ja
    assert "{" not in said.ja + said.en
    assert "confirm was" not in said.en, "codes are told by their names in English too"


def test_hostile_facts_stay_text(causes: Causes) -> None:
    said = causes.said("of unknown type: \x1b[2J\u202e{number}<b>\\1")
    assert said is not None
    assert said.ja == "種類の分からないアカウント: [2J{number}<b>\\1"


@pytest.mark.parametrize(
    "told",
    [
        *("", "getprop: no ABI", "no line from the fill program for ever"),
        *("no chip answered; getprop: no ABI", "x" * (LONGEST_CAUSE + 1)),
    ],
)
def test_what_has_no_known_form_or_only_in_half_is_not_told(causes: Causes, told: str) -> None:
    assert causes.said(told) is None


def test_no_sentence_stands_twice() -> None:
    says = [
        cause["says"]
        for cause in tomllib.loads((SOURCE / "texts" / "causes.toml").read_text("utf-8"))["cause"]
    ]
    assert len(says) == len(set(says))
