"""What `benchd status`, `jobs` and `job` print: aligned, harmless, and sellable only if proven."""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from io import BytesIO, TextIOWrapper
from typing import Any

import pytest
from rich.cells import cell_len

from benchd.cli.tables import print_view
from benchd.cli.tables.jobs import job_view, jobs_view
from benchd.cli.tables.status import status_view
from benchd.domain.chip import ChipOwners
from benchd.domain.ids import JsonObject, SlotName
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.plain_text import Language
from benchd.domain.record import EntryKind
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.proof.job_history import fold_job
from benchd.texts.catalogue import Catalogue
from benchd.web.present import Presenter
from tests.cli.rack_told import printed, rack_told
from tests.web.web_fakes import (
    HOSTILE,
    JOB,
    FakeIssuer,
    FakeLedger,
    asking_view,
    identity,
    port,
    running_view,
    waiting_view,
)

SELLABLE = SlotView(
    slot=SlotName("A1"),
    port_path=port(1),
    state=SlotState.FINISHED,
    job=JOB,
    stage=StageName.CERTIFY,
    progress=1.0,
    identity=identity(),
    outcome=Outcome.PASSED,
    disposition=Disposition.SELLABLE,
)


def story_of(catalogue: Catalogue, **told: Any) -> JsonObject:  # noqa: ANN401 - of a fake ledger
    """A job that is on record as told, or else has failed, as the daemon tells it."""
    ledger = FakeLedger()
    ledger.keep_job(**told)
    return Presenter(catalogue).job(fold_job(ledger.stored, FakeIssuer())).model_dump(mode="json")


def test_status_tells_what_each_slot_does_and_wants(catalogue: Catalogue) -> None:
    rack = rack_told(
        catalogue,
        running_view(0.629),
        waiting_view(SlotName("A2"), 2),
        asking_view(SlotName("A3"), 3, Gate.FELICA_CHECK),
        SlotView(slot=SlotName("A4"), port_path=port(4)),
        ports=1,
    )
    told = printed(status_view(rack, catalogue, "ja"))
    lines = told.splitlines()
    running = next(line for line in lines if line.startswith("A1"))
    for part in ("処理中", "上書き", "#####...  62%", "3:12", "SO-51B HQ6123"):
        assert part in running
    assert any(line.startswith("A4") and "空き" in line for line in lines)
    assert "USBデバッグが無効です" in told
    assert "ビルド番号を7回タップ" in told
    assert f"benchd decide {JOB} felica_check" in told
    assert 'port = "pci-0000:03:00.0-usb-0:1.90"' in told
    # What there is to do comes first, the most urgent of it at the top.
    assert lines[0].startswith("次にやること 3")
    assert [line.split()[0] for line in lines if "デバッグが無効" in line] == ["A2", "A2"]
    english = printed(status_view(rack, catalogue, "en"))
    assert "USB debugging is off" in english
    assert f"benchd decide {JOB} felica_check" in english
    assert "--approve" not in told + english


def test_a_model_that_nobody_has_told_of_is_said_to_be_unknown(catalogue: Catalogue) -> None:
    known = replace(running_view(), model_name="Xperia 1 III")
    for view, said in ((running_view(), True), (known, False)):
        rack = rack_told(catalogue, view)
        assert ("機種未登録" in printed(status_view(rack, catalogue, "ja"))) is said
        assert ("unknown model" in printed(status_view(rack, catalogue, "en"))) is said


def test_only_a_sellable_handset_looks_sellable(catalogue: Catalogue) -> None:
    proven = rack_told(catalogue, SELLABLE, proven=["A1"])
    told = printed(status_view(proven, catalogue, "ja"))
    assert re.search("^A1 +終了 +販売可 ", told, re.MULTILINE)
    unproven = printed(status_view(rack_told(catalogue, SELLABLE), catalogue, "ja"))
    assert "販売可" not in unproven.replace("販売可 0", "")
    for disposition, reason in (
        (Disposition.HOLD, Reason.OVERWRITE_DUE),
        (Disposition.DESTROY, Reason.STORAGE_FAULT),
    ):
        view = replace(SELLABLE, disposition=disposition, reason=reason)
        told = printed(status_view(rack_told(catalogue, view), catalogue, "ja"), colour=True)
        assert "販売可" not in told.replace("販売可 0", "")
        assert "100%" not in told
        assert "\x1b[1;32m" not in told
        assert catalogue.reason(reason).ja in told
        assert catalogue.reason(reason).what_to_do.ja[:10] in told


def test_what_is_left_in_a_chip_is_named(catalogue: Catalogue) -> None:
    view = replace(
        SELLABLE,
        outcome=Outcome.FAILED,
        disposition=Disposition.DESTROY,
        reason=Reason.FELICA_RESIDUE,
        owners=ChipOwners(ja="Suica、楽天Edy", en="Suica, Edy"),
    )
    rack = rack_told(catalogue, view)
    assert "FeliCaにデータが残っています (Suica、楽天Edy)" in printed(
        status_view(rack, catalogue, "ja")
    )
    assert "(Suica, Edy)" in printed(status_view(rack, catalogue, "en"))
    job = story_of(catalogue)
    stages = [
        {"stage": "felica_check", "outcome": "passed", "owners": {"ja": "Suica", "en": "Suica"}}
    ]
    assert "(Suica)" in printed(job_view({**job, "stages": stages}, catalogue, "ja"))


@pytest.mark.parametrize("language", ["ja", "en"])
@pytest.mark.parametrize("width", [60, 80, 100, 200])
def test_columns_stay_aligned(catalogue: Catalogue, width: int, language: Language) -> None:
    views = [
        running_view(),
        asking_view(SlotName("A2"), 2),
        replace(
            running_view(),
            slot=SlotName("A3"),
            identity=identity(model="らくらくスマートフォン🍣F-52B"),
        ),
    ]
    told = printed(status_view(rack_told(catalogue, *views), catalogue, language), width=width)
    assert max(cell_len(line) for line in told.splitlines()) <= width
    rows = [line for line in told.splitlines() if line.startswith(("A1 ", "A3 "))][:2]
    assert len({cell_len(row[: row.index(" 25%")]) for row in rows}) == 1


def test_hostile_strings_do_no_harm(catalogue: Catalogue) -> None:
    view = replace(running_view(), identity=identity(model=HOSTILE, serial="[/]" + HOSTILE))
    asking = replace(asking_view(SlotName("A2"), 2), identity=identity(model=HOSTILE))
    rack = rack_told(catalogue, view, asking)
    job = story_of(catalogue, model=HOSTILE, detail=HOSTILE)
    for what in (status_view(rack, catalogue, "ja"), job_view(job, catalogue, "ja")):
        told = printed(what)
        assert "\x1b" not in told
        assert "\u202e" not in told
        assert "[red]" in told
        told.encode()


def test_raw_answers_of_a_stranger_do_no_harm(catalogue: Catalogue) -> None:
    strange: JsonObject = {
        "slots": [
            {"slot": HOSTILE, "state": HOSTILE, "stage": 7, "progress": "x", "eta_s": True},
            {"slot": None, "handset": [], "problem": "x", "question": {"gate": HOSTILE}},
            {"slot": "A1", "state": "levitating", "progress": 1e400, "eta_s": -1},
            "nothing",
        ],
        "unknown_ports": {"a": 1},
    }
    told = printed(status_view(strange, catalogue, "ja"))
    assert "\x1b" not in told
    assert "levitating" in told
    assert printed(jobs_view({"jobs": [{}, {"job": HOSTILE}]}, catalogue, "en"))
    job: JsonObject = {"ended_at": "yesterday", "stages": [{}], "decisions": [{"at": HOSTILE}]}
    assert "\x1b" not in printed(job_view(job, catalogue, "en"))


def test_empty_rack_and_ledger(catalogue: Catalogue) -> None:
    assert "スロットが設定されていません" in printed(status_view({"slots": []}, catalogue, "ja"))
    assert "There are no jobs yet" in printed(jobs_view({"jobs": []}, catalogue, "en"))


@pytest.mark.usefixtures("japan")
def test_failed_job_tells_its_story_and_why_exactly(catalogue: Catalogue) -> None:
    told = printed(job_view(story_of(catalogue), catalogue, "ja"))
    assert "消去は証明されていません。販売しないでください。" in told
    assert "上書きできた範囲が足りません" in told
    assert "保留へ。端末を再起動して挿し直すと、最初から処理します。" in told
    assert "技術情報: 90 of 100 bytes proven" in told
    lines = [line.split() for line in told.splitlines()]
    assert ["端末確認", "完了", "11-24", "12:01", "1:00", "-"] in lines
    assert ["初期化", "省略", "11-24", "12:04", "1:00", "初期化済みで入荷"] in lines
    assert ["上書き", "中断", "11-24", "12:06", "1:00", "adbサーバーの停止"] in lines
    assert ["残高消去の同意", "はい", "佐藤", "11-24", "12:00", "書類", "No.12"] in lines
    why = "no line from the fill program for 5 s"
    story = story_of(catalogue, reason="handset_stalled", detail=why)
    told = printed(job_view(story, catalogue, "ja"))
    assert "端末の上書きプログラムから 5 秒間、何も届きません" in told
    assert "fill program" not in told


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"certificate": False},
        {"certificate": "yes"},
        {"disposition": "hold"},
        {"outcome": "failed"},
        {"outcome": None},
    ],
)
def test_a_certified_job_says_so_and_anything_less_is_no_proof(
    catalogue: Catalogue, change: dict[str, str | bool]
) -> None:
    story = story_of(
        catalogue,
        outcome="passed",
        disposition="sellable",
        reason=None,
        detail="",
        certificate="{}",
    )
    told = printed(job_view({**story, **change}, catalogue, "ja"))
    assert ("消去の証明書があります。" in told) == (not change)
    assert ("消去は証明されていません" in told) == bool(change)
    assert ("証明されていません" in told) == bool(change)


def test_running_job_has_no_verdict(catalogue: Catalogue) -> None:
    ledger = FakeLedger()
    ledger.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"})
    job = Presenter(catalogue).job(fold_job(ledger.stored, FakeIssuer())).model_dump(mode="json")
    told = printed(job_view(job, catalogue, "ja"))
    assert "処理中。まだ結果は出ていません。" in told
    assert "証明" not in told


def test_jobs_are_one_line_each(catalogue: Catalogue, japan: None) -> None:
    ledger = FakeLedger()
    ledger.keep_job()
    summary = (
        Presenter(catalogue).summary(fold_job(ledger.stored, FakeIssuer())).model_dump(mode="json")
    )
    told = printed(jobs_view({"jobs": [summary, summary]}, catalogue, "ja")).splitlines()
    assert len(told) == 4
    why = "保留: 上書きできた範囲が足りません"
    assert " ".join(told[-1].split()) == f"{JOB} A1 11-24 12:00 12:00 SO-51B HQ6123 {why}"


@pytest.mark.parametrize("language", ["ja", "en"])
def test_item_10_jobs_at_80_columns_break_no_number(
    catalogue: Catalogue, japan: None, language: Language
) -> None:
    ledger = FakeLedger()
    ledger.keep_job()
    summary = (
        Presenter(catalogue).summary(fold_job(ledger.stored, FakeIssuer())).model_dump(mode="json")
    )
    serial = "R5CT10ABCDEFGH12"
    summary |= {"slot": "B14", "handset": {"model": "SM-A546D_LONGMOD", "serial": serial}}
    told = printed(jobs_view({"jobs": [summary]}, catalogue, language), width=80)
    assert all(cell_len(line) <= 80 for line in told.splitlines())
    for whole in (JOB, "B14", "11-24", "12:00", "SM-A546D_LONGMOD", serial):
        assert whole in told


@pytest.mark.parametrize(("language", "word"), [("ja_JP.UTF-8", "空き"), ("en_US.UTF-8", "Empty")])
def test_status_is_printed_in_the_language_of_the_terminal(
    catalogue: Catalogue,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    language: str,
    word: str,
) -> None:
    monkeypatch.setenv("LC_ALL", language)
    rack = rack_told(catalogue, SlotView(slot=SlotName("A1"), port_path=port(1)))
    print_view(status_view, rack)
    assert word in capsys.readouterr().out


def test_old_locale_loses_characters_not_the_rack(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = BytesIO()
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(raw, encoding="euc_jp"))
    monkeypatch.setenv("LC_ALL", "ja_JP.eucJP")
    sushi = replace(running_view(), identity=identity(model="寿司🍣"))
    print_view(status_view, rack_told(catalogue, sushi))
    sys.stdout.flush()
    assert "寿司?" in raw.getvalue().decode("euc_jp")
