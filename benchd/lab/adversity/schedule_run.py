"""One schedule from beginning to end: the storm, then the calm in which all has to come right."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import anyio

from benchd.domain.job import Disposition, Reason
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.lab.adversity.bay import Bay
from benchd.lab.adversity.drawn_rack import Rack
from benchd.lab.adversity.referee import End, Fault
from benchd.lab.adversity.schedule import Blow, Schedule
from benchd.lab.adversity.virtual_time import run_in_virtual_time
from benchd.lab.adversity.visits import play_visit

STORM_S: Final = 4 * 3600.0
CALM_S: Final = 8 * 3600.0
NOTICED_S: Final = 26 * 3600.0
"""A pass over the whole ledger begins once a day."""
LOOKS_S: Final = 60.0
TRIES: Final = 3
PAUSE_S: Final = 30.0
AT_REST: Final = frozenset({SlotState.FINISHED, SlotState.EMPTY, SlotState.QUARANTINED})
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - a folder of its own is made in it


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a schedule."""

    faults: tuple[Fault, ...]
    ends: tuple[End, ...]
    struck: tuple[Blow, ...]
    handsets: int
    sellable: int
    doomed: int
    """Honest handsets that are to be destroyed."""


def run_schedule(schedule: Schedule) -> Verdict:
    """The same for the same schedule, whenever and wherever it is run."""
    folder = Path(tempfile.mkdtemp(prefix="adversity-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        return run_in_virtual_time(lambda: _through(schedule, folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _through(schedule: Schedule, folder: Path) -> Verdict:
    verdicts: list[Verdict] = []
    async with anyio.create_task_group() as group:
        rack = Rack(schedule, folder, group)
        ended = anyio.Event()
        group.start_soon(_daemons, rack, ended)
        for bay in rack.bays.values():
            bay.put_in(bay.own)
        await _storm(rack)
        await _calm(rack)
        rack.end()
        await ended.wait()
        verdicts.append(_verdict(rack))
        group.cancel_scope.cancel()
    return verdicts[0]


async def _daemons(rack: Rack, ended: anyio.Event) -> None:
    await rack.run()
    ended.set()


def _verdict(rack: Rack) -> Verdict:
    ends = tuple(rack.referee.ends.values())
    sold = {end.handset for end in ends if end.disposition == Disposition.SELLABLE}
    return Verdict(
        faults=tuple(rack.referee.faults),
        ends=ends,
        struck=tuple(rack.points.struck),
        handsets=len(rack.bays),
        sellable=sum(bay.own.name in sold for bay in rack.bays.values()),
        doomed=sum(
            rack.schedule.is_honest(bay.plan) and _is_doomed(rack, bay)
            for bay in rack.bays.values()
        ),
    )


async def _storm(rack: Rack) -> None:
    await _until(lambda: _all_at_rest(rack), within_s=STORM_S)
    rack.points.calm = True
    if rack.people is not None:
        rack.people.mend_their_ways()


async def _calm(rack: Rack) -> None:
    """Every slot comes to rest, and every honest handset, put in again if need be, is sold."""
    await _until(lambda: rack.hands.busy == 0 and rack.daemon is not None, within_s=CALM_S)
    if rack.forger.due and not await _until(lambda: not rack.forger.due, within_s=NOTICED_S):
        rack.referee.unnoticed()
    await _until(lambda: rack.daemon is not None, within_s=CALM_S)
    for bay in rack.bays.values():
        await _bring_to_rest(rack, bay)
    for bay in rack.bays.values():
        if rack.schedule.is_honest(bay.plan) and not _sold(rack, bay):
            ends = [end.reason for end in rack.referee.ends.values() if end.slot == bay.slot]
            rack.referee.broken(bay.slot, f"its jobs ended for {ends}")
        if rack.schedule.is_honest(bay.plan) and _is_doomed(rack, bay):
            rack.referee.doomed(bay.slot, bay.own.name)
    for visit in rack.schedule.visits:
        rests = partial(_rests, rack)
        if not await play_visit(rack, visit, rests) and rack.schedule.is_honest_again(visit):
            rack.referee.broken(visit.into, f"{visit.handset}'s came again")
    await rack.judge_items()
    for bay in rack.bays.values():
        await _empty(rack, bay)


async def _bring_to_rest(rack: Rack, bay: Bay) -> None:
    tries = TRIES if rack.schedule.is_honest(bay.plan) else 1
    for _ in range(tries):
        if not await _until(lambda: _at_rest(rack, bay), within_s=CALM_S):
            rack.referee.stuck(bay.slot, f"it shows {_view(rack, bay)}")
            return
        if _sold(rack, bay) or not rack.schedule.is_honest(bay.plan):
            return
        bay.pull_out()
        await anyio.sleep(PAUSE_S)
        bay.put_in(bay.own)
        await anyio.sleep(PAUSE_S)
    await _until(lambda: _at_rest(rack, bay), within_s=CALM_S)


async def _empty(rack: Rack, bay: Bay) -> None:
    was_there = bay.pull_out() is not None
    if not await _until(lambda: _shows_empty(rack, bay, was_there=was_there), within_s=CALM_S):
        rack.referee.stuck(bay.slot, f"emptied, it shows {_state(rack, bay)}")


def _shows_empty(rack: Rack, bay: Bay, *, was_there: bool) -> bool:
    """A handset that stayed away, in its reset or as its job waits, is shown as missing.

    Until the next comes: nothing else is to happen in that slot.
    """
    view = _view(rack, bay)
    reason = None if view is None else view.reason
    missing = reason is Reason.HANDSET_NOT_RETURNED
    missing |= reason is Reason.HANDSET_LOST and not was_there
    return missing or _state(rack, bay) is SlotState.EMPTY


async def _until(holds: Callable[[], bool], *, within_s: float) -> bool:
    end_s = anyio.current_time() + within_s
    await anyio.sleep(LOOKS_S)
    while not holds():
        if anyio.current_time() > end_s:
            return False
        await anyio.sleep(LOOKS_S)
    return True


def _view(rack: Rack, bay: Bay) -> SlotView | None:
    return rack.daemon.board.views().get(bay.slot) if rack.daemon is not None else None


def _state(rack: Rack, bay: Bay) -> SlotState | None:
    view = _view(rack, bay)
    return None if view is None else view.state


def _at_rest(rack: Rack, bay: Bay) -> bool:
    return _state(rack, bay) in AT_REST


def _all_at_rest(rack: Rack) -> bool:
    return rack.hands.busy == 0 and all(_at_rest(rack, bay) for bay in rack.bays.values())


async def _rests(rack: Rack, bay: Bay) -> bool:
    return await _until(lambda: _at_rest(rack, bay), within_s=CALM_S)


def _is_doomed(rack: Rack, bay: Bay) -> bool:
    return any(
        end.handset == bay.own.name and end.disposition == Disposition.DESTROY
        for end in rack.referee.ends.values()
    )


def _sold(rack: Rack, bay: Bay) -> bool:
    return any(
        end.handset == bay.own.name and end.disposition == Disposition.SELLABLE
        for end in rack.referee.ends.values()
    )
