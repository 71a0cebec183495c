"""Handsets that come again: after a hold, a doom or a sale, changed or not, into any slot."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Final

import anyio

from benchd.domain.disposal import DisposalState, Settling
from benchd.domain.errors import DecisionRefused, NotFound
from benchd.domain.ids import SlotName
from benchd.domain.intake import Unerasable
from benchd.domain.job import Disposition
from benchd.lab.adversity.bay import Bay
from benchd.lab.adversity.daemon_life import Daemon
from benchd.lab.adversity.drawn_rack import Rack
from benchd.lab.adversity.kinds import Doom, Lot, Numbers, Owner
from benchd.lab.adversity.lots import CLERK
from benchd.lab.adversity.schedule import Visit
from benchd.lab.adversity.staff import CHARGE, actor_of
from benchd.lab.adversity.truth import Truth, move_in
from benchd.proof.citation import DAY_S
from benchd.slots.disposal_desk import DisposalDesk

PAUSE_S: Final = 30.0
TRIES: Final = 3


async def play_visit(rack: Rack, visit: Visit, rests: Callable[[Bay], Awaitable[bool]]) -> bool:
    """One handset leaves where it lies and comes into a slot; whether it is sold there.

    An honest one is put in again where it isn't at first.
    """
    handset = rack.bays[SlotName(visit.handset)].own
    bay = rack.bays[SlotName(visit.into)]
    for each in rack.bays.values():
        if each is bay or each.handset is handset:
            each.pull_out()
    await anyio.sleep(PAUSE_S)
    rack.chance.ahead_s += visit.after_days * DAY_S
    change(handset, visit)
    await _papers(rack, handset, visit.lot)
    if visit.doom is not None and rack.daemon is not None:
        await _doom(rack, rack.daemon, handset, visit.doom)
    if rack.people is not None and (visit.scan or visit.wrong):
        rack.people.habits[visit.into] = visit
    before = sold_ends(rack, handset)
    for _ in range(TRIES if rack.schedule.is_honest_again(visit) else 1):
        bay.put_in(handset)
        await anyio.sleep(PAUSE_S)
        if not await rests(bay):
            rack.referee.stuck(bay.slot, f"{handset.name} came again")
        if sold_ends(rack, handset) > before:
            break
        bay.pull_out()
        await anyio.sleep(PAUSE_S)
    if rack.people is not None:
        rack.people.habits.pop(visit.into, None)
    return sold_ends(rack, handset) > before


def sold_ends(rack: Rack, handset: Truth) -> int:
    """How often it was sold."""
    return sum(
        end.handset == handset.name and end.disposition == Disposition.SELLABLE
        for end in rack.referee.ends.values()
    )


def change(handset: Truth, visit: Visit) -> None:
    """What has become of it while it was away."""
    if visit.board:
        handset.gets_another_board()
    if visit.rewritten:
        handset.gets_another_imei()
    if visit.tells is not None:
        handset.tells_imei = visit.tells in (Numbers.FIRST, Numbers.BOTH)
        handset.tells_second = visit.tells in (Numbers.SECOND, Numbers.BOTH)
    # Somebody has changed it back before it comes a second time: it gives no sign any more.
    handset.signs = 0
    if visit.lot is not Lot.SAME:
        move_in(handset, Owner.APPS)
        if handset.chip is not None:
            handset.chip.in_use = True


async def _doom(rack: Rack, daemon: Daemon, handset: Truth, doom: Doom) -> None:
    """Somebody in charge sends it to be destroyed, if it's there to be sent."""
    job = rack.referee.histories.last_job(handset)
    paper = rack.papers.of.get(handset.name) if rack.papers else None
    with suppress(NotFound, DecisionRefused):
        if doom is Doom.SETTLED and job is not None:
            desk = DisposalDesk(daemon.ledger, rack.chance)
            settling = Settling(to=DisposalState.TO_DESTROY, note="a cracked board")
            await desk.dispose(job, settling, actor_of(CHARGE))
            rack.referee.histories.doom(handset, str(doom))
        elif doom is Doom.DEAD_ASSET and paper is not None:
            await daemon.intake.unerasable(paper.tag, Unerasable.NO_POWER, note="", by=CLERK)
            rack.referee.histories.doom(handset, str(doom))


async def _papers(rack: Rack, handset: Truth, lot: Lot) -> None:
    if rack.papers is None or lot is Lot.SAME:
        return
    paper = rack.papers.came_again(handset)
    if lot is Lot.NEW and rack.daemon is not None:
        await rack.papers.take_in_again(rack.daemon.intake, paper)
