"""What another system holds back no paper calls sellable, nor is one made where nobody can tell."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from benchd.domain.job import Disposition
from benchd.domain.lot_papers import AskedPapers, PapersOf
from benchd.papers.lots.lot_statement import Counts, faults_of
from tests.papers.lots.lot_rack import LOT, LotRack
from tests.papers.lots.test_lot_truth import of_day, stated, told

pytestmark = pytest.mark.asyncio

ASKED = (LOT, of_day(), AskedPapers(of=PapersOf.CONSIGNOR, name="例示商事"))


async def test_it_counts_apart_and_is_on_hold(rack: LotRack, tmp_path: Path) -> None:
    rack.lot("L-1", "T-1", "T-2")
    rack.hold(rack.sell(1, "T-1"))
    rack.sell(2, "T-2")
    for asked in ASKED:
        file = await rack.zipped(tmp_path / asked.of, asked)
        papers = await stated(rack, file)
        held, sold = papers.handsets
        assert (held.standing, held.disposition, held.held_by) == ("certified", "hold", "stock")
        assert (sold.disposition, sold.held_by) == ("sellable", None)
        assert papers.counts == Counts(handsets=2, certified=1, held=1)
        with zipfile.ZipFile(file) as found:
            table = found.read("handsets.csv").decode("utf-8-sig")
            lines = [json.loads(line) for line in found.read("handsets.jsonl").splitlines()]
        assert [(line["disposition"], line["held_by"]) for line in lines] == [
            *(("hold", "stock"), ("sellable", None)),
        ]
        row = next(csv.DictReader(io.StringIO(table, newline="")))
        assert "販売可" not in "".join(row.values())
        assert (row["証明書"], row["held_by"]) == ("証明書あり（外部システムが保留）", "stock")


async def test_a_hold_never_makes_more_of_what_has_no_certificate_or_came_again(
    rack: LotRack, tmp_path: Path
) -> None:
    rack.lot("L-1", "T-1", "T-2")
    rack.hold(rack.sell(1, "T-1"))
    rack.hold(rack.fail(2, "T-2"))
    rack.fail(3, of=1)
    papers = await told(rack, tmp_path)
    assert (papers.counts.held, papers.counts.seen_again, papers.counts.not_certified) == (0, 1, 1)


async def test_a_list_that_calls_a_held_handset_sellable_contradicts_itself(
    rack: LotRack, tmp_path: Path
) -> None:
    rack.lot("L-1", "T-1", "T-2")
    rack.hold(rack.sell(1, "T-1"))
    rack.fail(2, "T-2")
    papers = await told(rack, tmp_path)
    held, failed = papers.handsets
    for lines in (
        (replace(held, disposition=Disposition.SELLABLE), failed),
        (held, replace(failed, held_by="stock")),
        (replace(held, held_by=None), failed),
    ):
        assert any(
            "calls sellable" in fault for fault in faults_of(replace(papers, handsets=lines))
        )
