"""Whether the rack's time may be gone by, as it follows every record; and who confirms it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from benchd.domain.errors import IntakeRefused
from benchd.domain.evidence_json import to_json
from benchd.domain.intake import TimeDoubt
from benchd.domain.people import ShownBy
from benchd.domain.record import Entry, EntryKind
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.intake_store import IntakeStore
from benchd.intake.rack_clock_trust import RackTime
from benchd.proof.evidence.clock_evidence import ClockStepEvidence, TimeBasis
from benchd.proof.evidence.intake_evidence import Who
from benchd.proof.time_basis import latest_known
from tests.core.lot_rack import SettableClock
from tests.core.world import CountingEntropy, MemoryLedger
from tests.intake.lots import BY, lot_record

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

ADMIN = replace(BY, operator="Mori", person="mori", shown_by=ShownBy.BADGE_AND_PIN)
LONG_AGO = timedelta(days=400)


@dataclass
class Shop:
    """The intake of a rack whose clock a test sets."""

    clock: SettableClock = field(default_factory=SettableClock)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    source: bool | None = True

    def booted(self, boot: str = "boot-1") -> IntakeDesk:
        time = RackTime(
            self.clock,
            boot=boot,
            is_synchronised=lambda: self.source,
            head=lambda: len(self.ledger.stored),
            newest=latest_known(self.ledger.stored),
        )
        self.ledger.told = time.stored
        return IntakeDesk(IntakeStore(self.ledger, self.clock, time), CountingEntropy())


async def test_row_6_a_step_back_in_the_middle_stops_citing_at_once() -> None:
    shop = Shop()
    desk = shop.booted()
    await desk.add_lot(lot_record())
    assert isinstance(desk.time_basis(), TimeBasis)
    shop.clock.behind = timedelta(seconds=90)
    assert desk.time_basis() is TimeDoubt.CLOCK_BEHIND
    shop.clock.behind = timedelta()
    assert isinstance(desk.time_basis(), TimeBasis)


async def test_row_6_a_clock_that_begins_anew_at_every_boot_is_behind_after_each() -> None:
    """The step that each start keeps knows the time before: none forgets what an earlier knew."""
    shop = Shop()
    await shop.booted().add_lot(lot_record())
    for boot, behind_s in enumerate((LONG_AGO.total_seconds(), 7200.0)):
        shop.clock.behind = LONG_AGO + timedelta(hours=2 * boot)
        step = to_json(ClockStepEvidence(set_back_s=behind_s, noticed="at_start"))
        await shop.ledger.append(
            Entry(kind=EntryKind.CLOCK_STEPPED, at=shop.clock.now(), data=step)
        )
        # What a start reads: the newest record, and all steps.
        assert shop.booted(f"boot-{boot}").time_basis() is TimeDoubt.CLOCK_BEHIND


@pytest.mark.parametrize("source", [False, None], ids=["without a source", "not to be seen"])
async def test_a_time_that_is_another_clocks_is_not_confirmed(source: bool | None) -> None:
    shop = Shop(source=source)
    desk = shop.booted()
    await desk.add_lot(lot_record())
    for seen in (shop.clock.now() - LONG_AGO, shop.clock.now() + timedelta(minutes=3)):
        with pytest.raises(IntakeRefused, match="set it right first"):
            await desk.confirm_time(seen, by=ADMIN)
    shop.clock.behind = LONG_AGO
    with pytest.raises(IntakeRefused, match="its ledger has a record of"):
        await shop.booted().confirm_time(shop.clock.now(), by=ADMIN)
    assert not shop.ledger.of(EntryKind.TIME_CONFIRMED)
    assert desk.time_basis() is TimeDoubt.CLOCK_BEHIND


async def test_a_confirmation_counts_again_once_the_ledger_is_read_anew() -> None:
    shop = Shop(source=False)
    await shop.booted().confirm_time(shop.clock.now(), by=ADMIN)
    for boot, counts in (("boot-1", True), ("boot-2", False)):
        desk = shop.booted(boot)
        await desk._store.recall()
        assert isinstance(desk.time_basis(), TimeBasis) is counts


@pytest.mark.parametrize(
    "by", [Who(operator="Mori"), replace(ADMIN, shown_by=ShownBy.BADGE)], ids=["a name", "a badge"]
)
async def test_the_word_of_nobody_who_has_shown_who_they_are_counts_for_nothing(by: Who) -> None:
    shop = Shop(source=False)
    desk = shop.booted()
    await desk.confirm_time(shop.clock.now(), by=by)
    assert desk.time_basis() is TimeDoubt.TIME_UNCONFIRMED


async def test_a_source_that_fails_later_leaves_a_clock_that_was_right() -> None:
    shop = Shop()
    desk = shop.booted()
    assert isinstance(desk.time_basis(), TimeBasis)
    shop.source = False
    assert isinstance(desk.time_basis(), TimeBasis)
