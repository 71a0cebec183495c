"""A certified handset that passed its look before the sale is carried back to where it is sold.

The wall says so only where the ledger lets it go out: by the shipping check and by what whoever
records a sale under an earlier certificate is held to. Anything else is on hold, as every look was.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from benchd.domain.errand_priority import errands_of
from benchd.domain.errors import LedgerFault
from benchd.domain.ids import JobId, SlotName
from benchd.domain.intake import TimeDoubt
from benchd.domain.job import Disposition, Outcome, Reason
from benchd.domain.slot import DirectedView, SlotView
from benchd.domain.slot_states import SlotState
from benchd.ledger.records.records_access import Records
from benchd.proof.evidence.intake_evidence import AssetLine
from benchd.slots.disposal_desk import DisposalDesk
from benchd.web.proofs import LOOK_AGAIN_S, LOOK_KEPT_S, Proofs
from benchd.web.queue_view import ErrandObject, QueueDesk
from benchd.web.service import ServedRack
from tests.intake.lots import imei
from tests.papers.lots.lot_rack import LotRack, held_back, job_id
from tests.papers.lots.test_shipping import STALE, Dock
from tests.papers.papers_made import CATALOGUE
from tests.web.served import served_rack
from tests.web.web_fakes import FakeClock, Feed, running_view

pytestmark = pytest.mark.asyncio

LOOK = JobId(job_id(11))


def looked_view(job: JobId = LOOK) -> SlotView:
    return replace(
        running_view(),
        slot=SlotName("R1"),
        state=SlotState.FINISHED,
        job=job,
        recipe="recheck",
        outcome=Outcome.PASSED,
        disposition=Disposition.HOLD,
        reason=Reason.RECHECKED,
        identity=None,
    )


@pytest.fixture
def dock(rack: LotRack, tmp_path: Path) -> Dock:
    rack.sold_lot("T1")
    return Dock(rack, tmp_path)


class Wall:
    """What a rack shows whose slot R1 has a handset that was just looked at."""

    def __init__(self, dock: Dock, served: ServedRack) -> None:
        self.dock = dock
        self.now = 0.0
        self.proofs = Proofs(served, lambda: self.now)
        self.desk = QueueDesk(served.board, CATALOGUE, self.proofs)

    async def errand(self, view: SlotView | None = None) -> ErrandObject:
        self.dock.rack.rack.board.show(view or looked_view())
        told = self.desk.shown(await self.desk.errands(), sees_all=False)
        [errand] = told.errands
        assert {where: count for where, count in told.bins.items() if count} == {errand.bin: 1}
        return errand

    async def goes(self, view: SlotView | None = None) -> str:
        """Where it is carried, by the queue and by the tile alike."""
        errand = await self.errand(view)
        is_proven = await self.proofs.proven(view or looked_view())
        assert is_proven is (errand.bin is Disposition.SELLABLE)
        return str(errand.bin)


@asynccontextmanager
async def wall(dock: Dock) -> AsyncGenerator[Wall]:
    rack = dock.rack.rack
    records = Records(dock.folder / "wall.sqlite", Feed(rack))
    async with dock.open() as shipping, anyio.create_task_group() as group:
        group.start_soon(records.run)
        disposal = DisposalDesk(rack.ledger, FakeClock(), rack.held.holder)
        served = served_rack(rack, CATALOGUE, shipping=shipping, disposal=disposal, records=records)
        yield Wall(dock, served)
        group.cancel_scope.cancel()


async def test_it_goes_back_to_the_shelf_for_sale(dock: Dock) -> None:
    dock.look(11, "T1")
    async with wall(dock) as on:
        assert await on.goes() == "sellable"
        errand = await on.errand()
    assert errand.ja == "販売へ戻す"
    assert "販売の置き場へ戻して" in errand.what_to_do.ja
    assert "保留" not in errand.what_to_do.ja
    assert errand.en == "Back to sale"
    assert "shelf for sale" in errand.what_to_do.en


def _second_look(dock: Dock) -> SlotView:
    dock.look(12, "T1")
    return looked_view(JobId(job_id(12)))


async def test_a_second_look_is_as_good_as_the_first(dock: Dock) -> None:
    dock.look(11, "T1")
    view = _second_look(dock)
    async with wall(dock) as on:
        assert await on.goes(view) == "sellable"


def _no_label(dock: Dock) -> None:
    told = dock.rack.told
    told.open(LOOK, recipe="recheck")
    told.end(LOOK, "passed", "hold", "rechecked")


def _never_certified(dock: Dock) -> None:
    dock.rack.assets("L-1", AssetLine(tag="T2"))
    dock.rack.fail(2, "T2")
    dock.look(11, "T2")


def _another_serial(dock: Dock) -> None:
    """Somebody has scanned the label of the box beside it."""
    told = dock.rack.told
    told.open(LOOK, recipe="recheck", usb_serial="USB0002")
    told.bind(LOOK, "T1")
    told.end(LOOK, "passed", "hold", "rechecked")


def _failed_between(dock: Dock) -> None:
    dock.rack.fail(2, "T1", of=1)
    dock.look(11, "T1")


def _dead_between(dock: Dock) -> None:
    dock.rack.told.dead("T1")
    dock.look(11, "T1")


def _label_on_another(dock: Dock) -> None:
    dock.rack.fail(2, "T1", of=77)
    dock.look(11, "T1")


def _came_in_again(dock: Dock) -> None:
    dock.look(11, "T1")
    dock.rack.lot("L-2")
    dock.rack.assets("L-2", AssetLine(tag="N1", imei=imei(1)), again=True)


def _too_old(dock: Dock) -> None:
    dock.look(11, "T1", STALE)


def _clock_in_doubt(dock: Dock) -> None:
    dock.look(11, "T1")
    dock.doubt = TimeDoubt.CLOCK_BEHIND


def _certificate_held(dock: Dock) -> None:
    dock.look(11, "T1")
    dock.rack.hold(job_id(1))


def _look_held(dock: Dock) -> None:
    dock.look(11, "T1")
    dock.rack.hold(LOOK)


def _sent_elsewhere(dock: Dock) -> None:
    dock.look(11, "T1")
    dock.rack.told.settle(LOOK, "held", "to_destroy", note="cracked")


def _certificate_not_the_racks(dock: Dock) -> None:
    """What the rack no longer vouches for is a certificate of nobody's."""
    dock.look(11, "T1")
    dock.rack.rack.issuer.doubts.add(JobId(job_id(1)))


def _a_failed_look(dock: Dock) -> None:
    """The slot would have to lie, and the ledger knows better."""
    dock.look(11, "T1", end=("failed", "hold", "not_as_reset"))


def _nothing_on_record(dock: Dock) -> None:
    pass


def _a_newer_look(dock: Dock) -> None:
    """Two lie in two slots, and both had the one label scanned."""
    dock.look(11, "T1")
    dock.look(12, "T1")


HELD: dict[str, Callable[[Dock], None]] = {
    "its label wasn't scanned": _no_label,
    "it was never certified": _never_certified,
    "its port told another serial": _another_serial,
    "it failed since its certificate": _failed_between,
    "it was entered as dead": _dead_between,
    "its label is on another handset too": _label_on_another,
    "it came in again under another label": _came_in_again,
    "the look is too old": _too_old,
    "nobody knows how old the look is": _clock_in_doubt,
    "another system holds its certificate": _certificate_held,
    "another system holds the look": _look_held,
    "somebody has sent it to be crushed": _sent_elsewhere,
    "the rack doesn't vouch for its certificate": _certificate_not_the_racks,
    "its look failed": _a_failed_look,
    "there is a newer look under its label": _a_newer_look,
    "the look isn't on record": _nothing_on_record,
}


@pytest.mark.parametrize("case", HELD)
async def test_whatever_speaks_against_it_leaves_it_on_hold(dock: Dock, case: str) -> None:
    HELD[case](dock)
    async with wall(dock) as on:
        assert await on.goes() == "hold"


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": Outcome.FAILED, "reason": Reason.NOT_AS_RESET},
        {"outcome": Outcome.FAILED},
        {"reason": Reason.OVERWRITE_DUE},
        {"reason": None},
    ],
)
async def test_a_tile_that_shows_no_passed_look_isnt_asked_about(
    dock: Dock, changes: dict[str, object]
) -> None:
    dock.look(11, "T1")
    async with wall(dock) as on:
        assert await on.goes(replace(looked_view(), **changes)) == "hold"  # type: ignore[arg-type]


async def test_another_systems_hold_that_comes_later_is_heard(dock: Dock) -> None:
    dock.look(11, "T1")
    async with wall(dock) as on:
        assert await on.goes() == "sellable"
        dock.rack.rack.direct(held_back(LOOK))
        errand = await on.errand()
    assert (errand.bin, errand.ja) == (Disposition.HOLD, "外部システムが保留にしています")


def _certificate_held_later(dock: Dock) -> None:
    dock.rack.hold(job_id(1))
    dock.rack.told.open(job_id(50))


def _dead_later(dock: Dock) -> None:
    dock.rack.told.dead("T1")


def _sent_later(dock: Dock) -> None:
    dock.rack.told.settle(LOOK, "held", "to_destroy", note="cracked")


def _label_on_another_later(dock: Dock) -> None:
    dock.rack.fail(2, "T1", of=77)


LATER: dict[str, Callable[[Dock], None]] = {
    "another system holds its certificate": _certificate_held_later,
    "it is entered as dead": _dead_later,
    "somebody sends it to be crushed": _sent_later,
    "another handset is plugged in with its label": _label_on_another_later,
}


@pytest.mark.parametrize("case", LATER)
async def test_what_comes_on_record_later_takes_it_off_though_its_slot_doesnt_change(
    dock: Dock, case: str
) -> None:
    dock.look(11, "T1")
    async with wall(dock) as on:
        assert await on.goes() == "sellable"
        LATER[case](dock)
        await dock.follow()
        assert await on.goes() == "hold"


async def test_a_look_that_grows_too_old_is_off_the_wall_though_nothing_comes_on_record(
    dock: Dock,
) -> None:
    dock.look(11, "T1")
    async with wall(dock) as on:
        assert await on.goes() == "sellable"
        dock.now += timedelta(days=365)
        on.now += LOOK_AGAIN_S
        assert await on.goes() == "hold"


async def test_what_cant_be_asked_anew_isnt_said_for_long(dock: Dock) -> None:
    dock.look(11, "T1")
    async with wall(dock) as on:
        assert await on.goes() == "sellable"
        dock.rack.rack.ledger.broken = True
        on.now += LOOK_KEPT_S
        assert (await on.errand()).bin is Disposition.HOLD
        with pytest.raises(LedgerFault):
            await on.proofs.proven(looked_view())


async def test_a_hold_counts_whatever_was_found_before_it() -> None:
    held = replace(looked_view(), directed=DirectedView(held_by="stock"))
    [errand] = errands_of({held.slot: held}, proven=[LOOK])
    assert errand.goes is Disposition.HOLD


async def test_what_cant_be_asked_about_is_on_hold_until_it_can(dock: Dock) -> None:
    dock.look(11, "T1")
    async with wall(dock) as on:
        dock.rack.rack.ledger.broken = True
        assert (await on.errand()).bin is Disposition.HOLD
        with pytest.raises(LedgerFault):
            await on.proofs.proven(looked_view())
        dock.rack.rack.ledger.broken = False
        assert await on.goes() == "sellable"


async def test_a_look_that_another_system_holds_keeps_its_pallet_back(dock: Dock) -> None:
    dock.look(11, "T1")
    dock.rack.hold(LOOK)
    assert await dock.standing() == {"T1": "held"}
