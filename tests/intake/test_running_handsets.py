"""A handset whose job runs doesn't come in again meanwhile, whoever says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchd.domain.errors import HandsetAtWork
from benchd.domain.ids import SlotName
from benchd.domain.intake import Mistake
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.domain.token import System, TokenName
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.running_handsets import AT_WORK
from benchd.proof.evidence.intake_evidence import AssetLine, Who
from tests.core.world import CountingEntropy
from tests.intake.lots import BY, LOT, Intake, bound_record, imei
from tests.web.web_fakes import JOB, identity, running_view

pytestmark = pytest.mark.asyncio

SYSTEM = Who.of_system(System(name=TokenName("stock"), source="192.0.2.7"))
IMEI = "356938035643809"
A1 = SlotName("A1")


class Rack:
    """A desk of a rack with one slot, in which a handset of a lot is at work."""

    def __init__(self, intake: Intake, view: SlotView | None = None) -> None:
        self.view = view or running_view()
        self.intake = intake
        self.desk = IntakeDesk(intake.store, CountingEntropy(), lambda: {A1: self.view})

    async def with_asset(self, number: str | None = IMEI) -> Rack:
        await self.intake.with_lot()
        await self.desk.add_asset(LOT, AssetLine(tag="T1", imei=number, serial="S1"), by=BY)
        return self

    async def comes_in_again(self, by: Who = SYSTEM, number: str = IMEI) -> None:
        again = AssetLine(tag="T2", imei=number)
        await self.desk.add_asset(LOT, again, by=by, again=True)

    async def refuses(self, number: str = IMEI) -> bool:
        """Whether it does, with nothing on record then."""
        before = len(self.intake.ledger.stored)
        try:
            await self.comes_in_again(number=number)
        except HandsetAtWork as refused:
            assert "lies in slot A1" in str(refused)  # noqa: PT017 - whether it is raised is asked
            assert len(self.intake.ledger.stored) == before
            return True
        return False


@pytest.mark.parametrize("by", [SYSTEM, BY], ids=["system", "person"])
async def test_nobody_takes_in_again_what_is_at_work(intake: Intake, by: Who) -> None:
    rack = await Rack(intake).with_asset()
    with pytest.raises(HandsetAtWork, match="take it in again after that"):
        await rack.comes_in_again(by)
    rack.view = replace(rack.view, state=SlotState.FINISHED)
    await rack.comes_in_again(by)
    assert rack.desk.book.by_imei[IMEI].tag == "T2"


@pytest.mark.parametrize("state", [*SlotState, "without a job"])
async def test_a_job_is_at_work_until_its_end(intake: Intake, state: SlotState | str) -> None:
    changes = {"state": state} if isinstance(state, SlotState) else {"job": None}
    rack = await Rack(intake, replace(running_view(), **changes)).with_asset()  # type: ignore[arg-type]
    assert await rack.refuses() is (state in AT_WORK)


@pytest.mark.parametrize("told", [imei(7), imei(8)], ids=["its own screen's", "its papers'"])
async def test_what_tells_no_imei_itself_is_known_by_what_it_was_bound_to(
    intake: Intake, told: str
) -> None:
    silent = replace(running_view(), identity=replace(identity(), imei=None))
    rack = await Rack(intake, silent).with_asset(imei(8))
    await rack.desk.add_asset(LOT, AssetLine(tag="T0", imei=imei(7)), by=BY)
    bound = bound_record("T1", imeis=(imei(7),))
    await intake.store.bind(bound, job=JOB, slot=A1)
    assert await rack.refuses(told)


async def test_one_that_began_before_its_papers_were_there_comes_in(intake: Intake) -> None:
    rack = Rack(intake)
    await intake.with_lot()
    assert not await rack.refuses()
    assert rack.desk.book.by_imei[IMEI].tag == "T2"


@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_file_names_it_at_its_line_and_nothing_of_it_comes_in(
    intake: Intake, dry_run: bool
) -> None:
    rack = await Rack(intake).with_asset()
    before = len(intake.ledger.stored)
    data = f"管理番号,IMEI\nT2,{imei(1)}\nT3,{IMEI}\n".encode()
    done = await rack.desk.import_assets(LOT, data, by=SYSTEM, dry_run=dry_run, again=True)
    assert not done.taken
    [mistake] = done.mistakes
    assert (mistake.line, mistake.column, mistake.code) == (3, "IMEI", Mistake.IMEI_AT_WORK)
    assert mistake.facts["other"] == A1
    assert len(intake.ledger.stored) == before
    rack.view = replace(rack.view, state=SlotState.FINISHED)
    done = await rack.desk.import_assets(LOT, data, by=SYSTEM, dry_run=dry_run, again=True)
    assert done.taken is not dry_run
