"""A printer that takes nothing is on the wall and in the metrics until it takes a label again."""

from __future__ import annotations

import pytest

from benchd.daemon.rack_labels import PrinterWatch
from benchd.domain.label import LabelEnd, PrinterTrouble
from benchd.domain.slot import ProblemCode
from benchd.observe.metrics import RackMetrics
from benchd.slots.board import RackBoard

pytestmark = pytest.mark.asyncio


async def exposed(metrics: RackMetrics) -> set[str]:
    body, _ = await metrics.expose("text/plain")
    lines = body.decode().splitlines()
    return {line for line in lines if line.startswith(("benchd_label", "benchd_printer"))}


async def test_each_printer_has_its_series_from_the_start_and_no_other_gets_one() -> None:
    metrics = RackMetrics(slots=(), recipes=(), version="1")
    watch = PrinterWatch(["till", "back"], board=RackBoard(), metrics=metrics.labels)
    before = await exposed(metrics)
    assert len(before) == 2 * (len(LabelEnd) + 2)
    assert 'benchd_printer_up{printer="till"} 1.0' in before
    assert 'benchd_labels_total{end="sent",printer="back"} 0.0' in before
    watch.label_ended("elsewhere", "job", LabelEnd.SENT)
    watch.waits("elsewhere", 3)
    assert await exposed(metrics) == before


async def test_a_notice_names_those_that_take_nothing_until_each_takes_a_label() -> None:
    metrics, board = RackMetrics(slots=(), recipes=(), version="1"), RackBoard()
    watch = PrinterWatch(["till", "back"], board=board, metrics=metrics.labels)
    watch.printer_told("till", None)
    assert board.notices() == ()
    watch.printer_told("till", PrinterTrouble.ATTENTION)
    watch.printer_told("back", PrinterTrouble.UNREACHABLE)
    (notice,) = board.notices()
    assert (notice.code, notice.facts) == (ProblemCode.PRINTER_FAULT, {"printers": "till, back"})
    watch.label_ended("till", "20261126-0011223344", LabelEnd.BROKE_OFF)
    watch.waits("back", 7)
    told = await exposed(metrics)
    assert 'benchd_printer_up{printer="till"} 0.0' in told
    assert 'benchd_labels_total{end="broke_off",printer="till"} 1.0' in told
    assert 'benchd_labels_waiting{printer="back"} 7.0' in told
    assert not [line for line in told if "20261126" in line]
    watch.printer_told("till", None)
    (notice,) = board.notices()
    assert notice.facts == {"printers": "back"}
    watch.printer_told("back", None)
    assert board.notices() == ()
