"""Lot papers tell battery and grade in their tables, beside the list and never in it."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from benchd.domain.handset import BatteryMethod
from benchd.domain.record import EntryKind
from tests.papers.lots.lot_rack import LotRack, job_id, tables

pytestmark = pytest.mark.asyncio

BESIDE = ("ランク", "電池の最大容量(%)", "充電回数", "battery_health_method")


def certificates(file: Path) -> list[str]:
    with zipfile.ZipFile(file) as found:
        return [name for name in found.namelist() if name.startswith("certificates/")]


async def test_each_handset_has_its_newest_grade_and_what_its_battery_told(rack: LotRack) -> None:
    rack.lot("L-1", "T-1", "T-2", "T-3")
    rack.told.grade("C", tag="T-3")
    rack.sell(1, "T-1")
    rack.told.open(job_id(2))
    rack.told.tell(EntryKind.STAGE_STARTED, job_id(2), {"stage": "inspect"})
    rack.told.inspect(
        job_id(2),
        imei="356938035643809",
        battery_health_percent=81,
        battery_health_method=BatteryMethod.SAMSUNG_ASOC,
    )
    rack.told.bind(job_id(2), "T-2")
    rack.told.end(job_id(2))
    rack.told.grade("A", tag="T-1", job=job_id(1))
    rack.told.grade("B", tag="T-1", job=job_id(1))
    rows, lines = tables(await rack.zipped())
    assert [[row[name] for name in BESIDE] for row in rows] == [
        ["B", "", "", ""],
        ["", "81", "", "samsung_asoc"],
        ["C", "", "", ""],
    ]
    assert [line["grade"] and line["grade"]["code"] for line in lines] == ["B", None, "C"]
    assert lines[0]["grade"]["ja"] == "Bの状態"
    assert lines[1]["battery"] == {
        "health_percent": 81,
        "health_method": "samsung_asoc",
        "cycles": None,
        "cycles_method": None,
    }


async def test_a_grade_without_papers_is_found_by_any_job_of_the_handset(rack: LotRack) -> None:
    rack.lot("L-1", "T-1")
    rack.fail(1, "T-1", reason="rechecked")
    rack.told.grade("A", job=job_id(1))
    rack.sell(2, "T-1", of=1)
    rows, _ = tables(await rack.zipped())
    assert [row["ランク"] for row in rows] == ["A", "A"]


async def test_what_the_rack_signs_of_a_lot_says_the_same_with_and_without(rack: LotRack) -> None:
    rack.sold_lot("T-1", "T-2")
    file = await rack.zipped()
    plain, printed = await rack.stated(file), certificates(file)
    rack.told.grade("J", tag="T-1", job=job_id(1))
    file = await rack.zipped()
    graded = await rack.stated(file)
    assert (graded.handsets, graded.counts) == (plain.handsets, plain.counts)
    assert certificates(file) == printed
    tabled = {"handsets.csv", "handsets.jsonl"}
    same = [[f for f in one.files if f.name not in tabled] for one in (plain, graded)]
    assert [f.name for f in same[0]] == [f.name for f in same[1]]
    assert replace(graded, made_at=plain.made_at, ledger=plain.ledger, files=plain.files) == plain
