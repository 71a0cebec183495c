"""What each stage has found, in words: figures are those of the evidence, cut and not rounded."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchd.domain.chip import ChipVerdict
from benchd.domain.handset import BatteryMethod
from benchd.domain.percentages import tenths
from benchd.domain.plain_text import size, size_at_most
from benchd.proof.evidence.handset_evidence import InitialiseEvidence
from benchd.texts.catalogue import FACTS, Catalogue
from benchd.web.evidence_text import chip_in, found_in, span
from tests.ledger.records.records_rack import GATES, INSPECT, RESET
from tests.recorded import CHIP, OVERWRITE, READ_BACK


def told(evidence: object, catalogue: Catalogue) -> list[str]:
    return [one.ja for one in found_in(evidence, catalogue)]


def test_an_overwrite_tells_how_much_how_long_and_how_fast(catalogue: Catalogue) -> None:
    wrote = replace(
        OVERWRITE,
        bytes_written=58_290_000_000,
        resumed_bytes=10_000_000_000,
        elapsed_s=482.9,
        free_bytes_after=12_000,
    )
    assert told(wrote, catalogue) == [
        "58.2 GB を書き込み（所要 8:02）",
        "毎秒 100.0 MB",
        "書き込み後の空き 12.0 kB",
    ]
    english = [one.en for one in found_in(wrote, catalogue)]
    assert english[0] == "58.2 GB written in 8:02"
    assert told(OVERWRITE, catalogue)[0] == "0 B を書き込み（所要 0:00）"


def test_a_read_back_never_tells_more_than_there_was(catalogue: Catalogue) -> None:
    read = replace(READ_BACK, coverage=0.94969, minimum_coverage=0.95, bytes_bad=4096)
    assert told(read, catalogue) == [
        "0 B を読み戻して一致（不一致 4.0 kB）",
        "上書きの範囲 94.9%（下限 95.0%）",
        "抜き取り 64か所を照合（不一致 0）",
    ]


def test_an_inspection_tells_what_isnt_known_of_nothing(catalogue: Catalogue) -> None:
    seen = told(replace(INSPECT, screen_lock=None, account_count=2), catalogue)
    assert not [one for one in seen if "画面ロック" in one]
    assert "アカウント 2件" in seen
    assert "画面ロックあり" in told(replace(INSPECT, screen_lock=True), catalogue)
    assert "画面ロックなし" in told(INSPECT, catalogue)
    unencrypted = replace(INSPECT, crypto_state="unencrypted")
    assert "ストレージは暗号化されていない" in told(unencrypted, catalogue)


def test_a_battery_is_told_as_worn_as_anything_says_and_by_what(catalogue: Catalogue) -> None:
    assert not [one for one in told(INSPECT, catalogue) if "充電回数" in one or "最大容量" in one]
    worn = replace(
        INSPECT,
        battery_health_percent=92,
        battery_health_method=BatteryMethod.SAMSUNG_ASOC,
        battery_cycles=312,
        battery_cycles_method=BatteryMethod.KERNEL,
    )
    found = told(worn, catalogue)
    assert "電池の最大容量 92%（サムスンのASOC）" in found
    assert "充電回数 312回（カーネルの電池情報）" in found
    english = [one.en for one in found_in(worn, catalogue)]
    assert "battery health 92% (Samsung's ASOC)" in english
    unknown = replace(worn, battery_health_percent=None, battery_health_method=None)
    assert not [one for one in told(unknown, catalogue) if "最大容量" in one]


def test_a_reset_and_one_before_it_came_in_are_told_apart(catalogue: Catalogue) -> None:
    came = InitialiseEvidence(before=RESET, fresh_used_bytes=1)
    assert "初期化済みで入荷" in told(came, catalogue)[0]
    assert told(replace(came, after=RESET), catalogue) == ["初期化した（初期化後の使用量 1 B）"]


def test_a_look_tells_who_looked_and_hostile_words_stay_on_their_line(catalogue: Catalogue) -> None:
    looked = replace(CHIP, reader="PaSoRi\x1b[2J\n{size}", passes=3, verdict=ChipVerdict.IN_USE)
    assert told(looked, catalogue) == ["リーダー PaSoRi[2J {size} で確認（3回）"]
    assert chip_in(looked) is looked
    assert told(replace(CHIP, source="operator"), catalogue) == ["担当者が端末の画面で確認"]
    assert told(replace(GATES, screen_number="356938035643809"), catalogue) == [
        "画面で読み取った番号 356938035643809"
    ]


@pytest.mark.parametrize("nothing", [None, GATES, object()])
def test_what_tells_nothing_is_told_nothing_of(catalogue: Catalogue, nothing: object) -> None:
    assert found_in(nothing, catalogue) == []
    assert chip_in(nothing) is None


@pytest.mark.parametrize("word", Catalogue.load().section("found"))
def test_each_finding_says_its_figures_in_both_languages(catalogue: Catalogue, word: str) -> None:
    said = catalogue.found(f"found.{word}", {fact: f"<{fact}>" for fact in FACTS["found"]})
    assert "?" not in said.ja + said.en
    assert {fact for fact in FACTS["found"] if f"<{fact}>" in said.ja} == {
        fact for fact in FACTS["found"] if f"<{fact}>" in said.en
    }


def test_figures_are_cut() -> None:
    assert [size(count) for count in (0, 999, 1000, 999_999, 64_000_000_000, 10**18)] == [
        *("0 B", "999 B", "1.0 kB", "999.9 kB", "64.0 GB", "1000000.0 TB"),
    ]
    # What is left is never told as less.
    assert [size_at_most(count) for count in (0, 999, 1000, 1001, 999_950, 64_000_000_000)] == [
        *("0 B", "999 B", "1.0 kB", "1.1 kB", "1000.0 kB", "64.0 GB"),
    ]
    assert [span(seconds) for seconds in (0.9, 61, 3725.5)] == ["0:00", "1:01", "1:02:05"]
    assert [tenths(share) for share in (0.9496, 0.95, 1.0, 0.9999)] == [
        *("94.9", "95.0", "100.0", "99.9"),
    ]
