"""A rack that nobody administers begins no job, says what to do, and goes on once somebody does."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from benchd.daemon.rack_people import LOOK_EVERY_S, Staffing
from benchd.domain.people import Role
from benchd.domain.slot import ProblemCode
from benchd.slots.admission import Admission
from benchd.slots.board import RackBoard
from benchd.texts.catalogue import Catalogue
from tests.people.people_rig import BY, HandClock, people_in

pytestmark = pytest.mark.asyncio


def notices(board: RackBoard) -> list[ProblemCode]:
    return [view.code for view in board.notices()]


async def test_nobody_then_somebody_then_nobody(tmp_path: Path) -> None:
    board, admission, clock = RackBoard(), Admission(), HandClock()
    async with people_in(tmp_path, clock=clock) as people, anyio.create_task_group() as group:
        staffing = Staffing(people, board=board, admission=admission)
        group.start_soon(staffing.run)
        assert admission.held_for is ProblemCode.NO_ADMINISTRATOR
        assert notices(board) == [ProblemCode.NO_ADMINISTRATOR]
        says = Catalogue.load().problem(board.notices()[0])
        assert "benchd setup" in says.what_to_do.ja
        assert "benchd setup" in says.what_to_do.en
        await people.add(BY, "mori", name="森 葵", roles=[Role.OPERATOR])
        await anyio.wait_all_tasks_blocked()
        assert admission.held_for is ProblemCode.NO_ADMINISTRATOR
        admission.hold(ProblemCode.LEDGER_BROKEN)
        await people.add(BY, "sato", name="佐藤 健", roles=[Role.ADMINISTRATOR])
        await anyio.wait_all_tasks_blocked()
        assert notices(board) == []
        # What else holds the door goes on holding it.
        assert admission.held_for is ProblemCode.LEDGER_BROKEN
        admission.release(ProblemCode.LEDGER_BROKEN)
        assert admission.held_for is None
        group.cancel_scope.cancel()
    async with people_in(tmp_path, clock=clock) as people:
        Staffing(people, board=board, admission=admission)
        assert admission.held_for is None


@pytest.mark.looptime
async def test_a_time_that_comes_is_noticed_by_itself() -> None:
    board, admission = RackBoard(), Admission()

    class Fading:
        """Fake people whose administrator goes at some time."""

        def __init__(self) -> None:
            self.changed = Forever()
            self.there = True

        def has_administrator(self) -> bool:
            return self.there

    class Forever:
        async def wait(self) -> None:
            await anyio.sleep_forever()

    people = Fading()
    staffing = Staffing(people, board=board, admission=admission)  # type: ignore[arg-type]
    async with anyio.create_task_group() as group:
        group.start_soon(staffing.run)
        people.there = False
        await anyio.sleep(LOOK_EVERY_S + 1)
        assert admission.held_for is ProblemCode.NO_ADMINISTRATOR
        group.cancel_scope.cancel()
