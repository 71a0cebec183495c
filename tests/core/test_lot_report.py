"""The report of a rack on which real jobs ran: what was plugged in is counted by hand beside it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchd.domain.chip import ChipScan
from benchd.domain.intake import Unerasable
from benchd.domain.report import Asked, Figure, Figures, Report
from benchd.domain.slot_states import SlotState
from benchd.ledger.records.read_model import ReadModel
from tests.intake.lots import BY, imei, lot_record

from .fake_chips import IN_USE, UNUSED, FakeChip
from .lot_rack import Rack
from .world import Phone

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

FIRM = "例示商事"
DAY = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def model(tmp_path: Path) -> Iterator[ReadModel]:
    made = ReadModel(tmp_path / "records.sqlite")
    yield made
    made.close()


def chip(number: int, looks: ChipScan = UNUSED) -> FakeChip:
    """Of one handset and no other."""
    told = {"chip": f"{number:032x}"}
    return FakeChip(looks=replace(looks, **told), after_clear=replace(UNUSED, **told))


def phone(number: int, **told: object) -> Phone:
    return Phone(
        serial=f"SERIAL{number:05}",
        imei=imei(number),
        **told,  # type: ignore[arg-type]
    )


async def plugged(
    rack: Rack, phone: Phone, tag: str | None = None, looks: ChipScan = UNUSED
) -> None:
    """One handset from plug to end, and out again; its tag is scanned where one is given."""
    rack.chips.chips["A1"] = chip(int(phone.serial[-5:]), looks)
    rack.world.ports["A1"].plug(phone)
    if tag is not None:
        await rack.world.until_state(SlotState.RUNNING)
        await rack.desk.bind(rack.world.view(), tag, by=BY)
    await rack.world.finished()
    await rack.world.take_out()


async def busy_day() -> Rack:
    """Two lots of two consignors, and a handset of none."""
    rack = Rack()
    await rack.lot("".join(["tag,IMEI\n", *(f"T{n},{imei(n)}\n" for n in (1, 2)), "T3,\nT4,\n"]))
    await rack.desk.add_lot(lot_record("L-2", consignor=FIRM))
    await rack.import_("L-2", f"tag,IMEI\nF1,{imei(11)}\nF2,\nF3,{imei(13)}\n")
    await rack.desk.unerasable("T3", Unerasable.NO_POWER, note="", by=BY)
    async with rack.world.running():
        await plugged(rack, phone(1))
        await plugged(rack, phone(2, device_owner=True))
        # Pulled out at once, then run to its end: one handset.
        rack.world.ports["A1"].plug(again := phone(11))
        await rack.world.until_state(SlotState.RUNNING)
        await rack.world.until(lambda: rack.world.view().job in rack.store.book.of_job)
        await rack.world.take_out()
        await plugged(rack, again, looks=IN_USE)
        # Its papers tell no number: its label was scanned.
        await plugged(rack, phone(12, accounts=2), tag="F2")
        # Its screen broke after it had been found locked: it is counted by the later record.
        await plugged(rack, phone(13, screen_lock=True))
        await plugged(rack, phone(21))
    await rack.desk.unerasable("F3", Unerasable.BROKEN_SCREEN, note="", by=BY)
    return rack


def report_of(model: ReadModel, rack: Rack, **only: str) -> Report:
    model.take(rack.ledger.stored[model.upto().sequence :])
    asked = Asked(begin=DAY, end=DAY + timedelta(days=1), **only)
    return model.look(lambda looker: looker.report(asked, named=True), quick=False)


def counts(figures: Figures) -> dict[Figure, dict[str, int]]:
    return {
        figure: {value: counted.handsets for value, counted in values.items()}
        for figure, values in figures.items()
    }


BY_HAND: dict[tuple[str | None, str | None], dict[Figure, dict[str, int]]] = {
    ("L-1", "個人"): {
        Figure.CAME_IN: {"all": 3},
        Figure.WITH_DATA: {"without": 1, "unknown": 2},
        Figure.FELICA: {"unused": 1, "unknown": 2},
        Figure.NOT_ERASABLE: {"managed_device": 1, "no_power": 1},
        Figure.DISPOSITION: {"sellable": 1, "return": 1, "destroy": 1},
        Figure.BECAME: {"sold": 1, "to_return": 1, "to_destroy": 1},
    },
    ("L-2", FIRM): {
        Figure.CAME_IN: {"all": 3},
        Figure.WITH_DATA: {"with": 2, "without": 1},
        Figure.FELICA: {"in_use": 1, "unknown": 2},
        Figure.NOT_ERASABLE: {"locked": 1, "broken_screen": 1},
        Figure.DISPOSITION: {"sellable": 1, "hold": 1, "destroy": 1},
        Figure.BECAME: {"sold": 1, "held": 1, "to_destroy": 1},
    },
    (None, None): {
        Figure.CAME_IN: {"all": 1},
        Figure.WITH_DATA: {"without": 1},
        Figure.FELICA: {"unused": 1},
        Figure.NOT_ERASABLE: {},
        Figure.DISPOSITION: {"sellable": 1},
        Figure.BECAME: {"sold": 1},
    },
}
"""What `busy_day` has plugged in, entered and seen end."""


async def test_each_lot_and_consignor_is_told_apart_with_its_jobs_and_tags(
    model: ReadModel,
) -> None:
    rack = await busy_day()
    report = report_of(model, rack)
    assert {(one.lot, one.consignor): counts(one.figures) for one in report.lots} == BY_HAND
    told = {one.consignor: counts(one.figures) for one in report.consignors}
    assert told == {consignor: figures for (_, consignor), figures in BY_HAND.items()}
    # All of them are the whole.
    for figure, values in counts(report.figures).items():
        added = Counter[str]()
        for figures in BY_HAND.values():
            added.update(figures[figure])
        assert values == dict(added), figure
    # What never had a job has its tags.
    assert report.figures[Figure.NOT_ERASABLE]["no_power"].tags == ("T3",)
    assert report.figures[Figure.DISPOSITION]["destroy"].tags == ("F3", "T3")
    assert report.figures[Figure.DISPOSITION]["destroy"].jobs == ()
    lots: dict[str, dict[str, str]] = {"lot": {}, "consignor": {}}
    for lot, consignor in BY_HAND:
        lots["lot"][lot or ""], lots["consignor"][consignor or ""] = str(lot), str(lot)
    of_job = {bound.job: bound.told.lot for bound in rack.store.book.of_job.values()}
    for only, names in lots.items():
        for name, lot in names.items():
            report = report_of(model, rack, **{only: name})
            by_hand = next(figures for key, figures in BY_HAND.items() if str(key[0]) == lot)
            assert counts(report.figures) == by_hand
            for counted in (one for values in report.figures.values() for one in values.values()):
                assert len(counted.jobs) + len(counted.tags) == counted.handsets
                assert {str(of_job.get(job)) for job in counted.jobs} <= {lot}
