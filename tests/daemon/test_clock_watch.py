"""The clock: set back it goes on record for each running job, kept right by nobody on the wall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry

from benchd.daemon.clock_watch import ClockWatch, Timekeeping
from benchd.daemon.kernel_clock import TIMESYNCD, is_synchronised, read_clock
from benchd.domain.ids import JobId, PortPath, SlotName
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.domain.slot import ProblemCode, SlotView
from benchd.domain.slot_states import SlotState
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.intake_store import IntakeStore
from benchd.intake.rack_clock_trust import RackTime
from benchd.observe.clock_metrics import ClockMetrics
from benchd.proof.clock_proof import STEP_S, set_back_s
from benchd.slots.board import RackBoard
from tests.core.world import CountingEntropy, MemoryLedger
from tests.intake.lots import BY, lot_record

pytestmark = pytest.mark.asyncio

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
LIMIT_S = 3600.0


@dataclass
class Machine:
    """A wall clock that can be set, and one that can't."""

    wall: datetime = AT
    uptime_s: float = 100.0
    synchronised: bool | None = True
    kept: list[Entry] = field(default_factory=list)
    board: RackBoard = field(default_factory=RackBoard)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.time = RackTime(
            self, boot="b", is_synchronised=lambda: self.synchronised, head=lambda: 1, newest=AT
        )
        self.intake = IntakeStore(MemoryLedger(), self, self.time)
        metrics = ClockMetrics(self.registry)
        self.timekeeping = Timekeeping(board=self.board, metrics=metrics, intake=self.intake)
        self.watch = ClockWatch(
            clock=self,
            monotonic=lambda: self.uptime_s,
            is_synchronised=lambda: self.synchronised,
            record=self.keep,
            running_jobs=self.timekeeping.running_jobs,
            timekeeping=self.timekeeping,
            unsynchronised_s=LIMIT_S,
        )

    def now(self) -> datetime:
        return self.wall

    async def keep(self, entry: Entry) -> None:
        self.kept.append(entry)

    async def passes(self, seconds: float, *, stepped_s: float = 0.0) -> None:
        self.uptime_s += seconds
        self.wall += timedelta(seconds=seconds + stepped_s)
        await self.watch.look()

    def show(self, slot: str, state: SlotState, job: str | None) -> None:
        self.board.show(
            SlotView(
                slot=SlotName(slot),
                port_path=PortPath(slot),
                state=state,
                job=JobId(job) if job else None,
            )
        )

    def steps(self) -> list[tuple[str | None, float]]:
        return [(entry.job, float(str(entry.data["set_back_s"]))) for entry in self.kept]

    def notices(self) -> Sequence[ProblemCode]:
        return [problem.code for problem in self.board.notices()]

    def value(self, name: str) -> float | None:
        return self.registry.get_sample_value(name)


async def test_a_step_back_is_on_record_for_the_rack_and_each_running_job() -> None:
    machine = Machine()
    machine.show("A1", SlotState.RUNNING, "job-1")
    machine.show("A2", SlotState.FINISHED, "job-2")
    machine.show("A3", SlotState.AWAITING_OPERATOR, "job-3")
    machine.show("A4", SlotState.EMPTY, None)
    await machine.passes(5)
    assert machine.kept == []
    await machine.passes(5, stepped_s=-3600)
    assert machine.steps() == [(None, 3600), ("job-1", 3600), ("job-3", 3600)]
    assert {entry.kind for entry in machine.kept} == {EntryKind.CLOCK_STEPPED}
    # By slot and occupancy nobody may take it for a part of what lies there.
    assert {(entry.slot, entry.occupancy) for entry in machine.kept} == {(None, None)}
    await machine.passes(5)
    assert len(machine.kept) == 3
    assert machine.value("benchd_clock_steps_back_total") == 1


@pytest.mark.parametrize(
    "steps_s",
    [(0.0,), (3600.0,), (-0.4,), (0.9 - STEP_S,), (0.9, -0.9) * 10],
    ids=["right", "forward", "slewed", "just not a step", "to and fro by little"],
)
async def test_forward_and_a_slewed_clock_are_no_step_back(steps_s: Sequence[float]) -> None:
    machine = Machine()
    machine.show("A1", SlotState.RUNNING, "job-1")
    for stepped_s in steps_s:
        await machine.passes(5, stepped_s=stepped_s)
    assert machine.kept == []


async def test_many_small_steps_back_are_a_step_back() -> None:
    machine = Machine()
    machine.show("A1", SlotState.RUNNING, "job-1")
    for _ in range(10):
        await machine.passes(5, stepped_s=-0.9)
    noticed = sum(seconds for job, seconds in machine.steps() if job == "job-1")
    assert noticed == pytest.approx(9.0)
    # What was on record once isn't again.
    await machine.passes(5)
    assert sum(seconds for job, seconds in machine.steps() if job == "job-1") == noticed


@pytest.mark.parametrize(("behind_s", "records"), [(60.0, 1), (0.5, 0), (-60.0, 0)])
async def test_a_clock_behind_the_ledger_was_set_back_meanwhile(
    behind_s: float, records: int
) -> None:
    machine = Machine()
    newest = Entry(kind=EntryKind.OCCUPANCY_CLOSED, at=AT + timedelta(seconds=behind_s))
    await machine.watch.compare_with(StoredEntry(sequence=7, entry=newest, hash_hex="00" * 32))
    assert [entry.data["noticed"] for entry in machine.kept] == ["at_start"] * records
    await machine.watch.compare_with(None)
    assert len(machine.kept) == records


@pytest.mark.parametrize("told", [False, None])
async def test_nothing_that_keeps_it_right_is_said_after_a_while(told: bool | None) -> None:
    machine = Machine()
    await machine.passes(5)
    assert machine.value("benchd_clock_synchronised") == 1
    machine.synchronised = told
    await machine.passes(5)
    await machine.passes(LIMIT_S - 1)
    assert (machine.notices(), machine.value("benchd_clock_synchronised")) == ([], 0)
    await machine.passes(2)
    assert machine.notices() == [ProblemCode.CLOCK_UNSYNCHRONISED]
    machine.synchronised = True
    await machine.passes(5)
    assert machine.notices() == []
    machine.synchronised = told
    await machine.passes(LIMIT_S - 1)
    assert machine.notices() == []


async def test_setting_the_clock_is_no_way_to_put_the_notice_off() -> None:
    machine = Machine(synchronised=False)
    await machine.passes(1)
    await machine.passes(LIMIT_S, stepped_s=-2 * LIMIT_S)
    assert machine.notices() == [ProblemCode.CLOCK_UNSYNCHRONISED]


def at(*seconds: float) -> list[StoredEntry]:
    return [
        StoredEntry(
            sequence=number,
            entry=Entry(kind=EntryKind.STAGE_STARTED, at=AT + timedelta(seconds=second)),
            hash_hex="00" * 32,
        )
        for number, second in enumerate(seconds, start=1)
    ]


@pytest.mark.parametrize(
    ("times", "expected"),
    [((0, 1, 2), 0), ((0, 5, 4.5, 6), 0), ((0, 100, 40, 50), 60), ((0, 100, 40, 90, 80), 70)],
)
async def test_times_that_run_backwards_show_a_step_that_no_watch_has_seen(
    times: Sequence[float], expected: float
) -> None:
    assert set_back_s(at(*times)) == expected


@pytest.mark.parametrize(
    ("stepped_s", "code"),
    [(-400 * 86_400.0, ProblemCode.CLOCK_BEHIND), (0.0, ProblemCode.TIME_UNCONFIRMED)],
)
async def test_row_6_why_everything_is_asked_is_on_the_wall_of_a_rack_that_takes_lots_in(
    stepped_s: float, code: ProblemCode
) -> None:
    machine = Machine(synchronised=None)
    desk = IntakeDesk(machine.intake, CountingEntropy())
    codes = (ProblemCode.CLOCK_BEHIND, ProblemCode.TIME_UNCONFIRMED)

    def shown() -> list[ProblemCode]:
        return [notice.code for notice in machine.board.notices() if notice.code in codes]

    await machine.passes(5)
    assert shown() == []
    await desk.add_lot(lot_record())
    await machine.passes(5, stepped_s=stepped_s)
    assert shown() == [code]
    # Set right and confirmed, or kept by a source from now on.
    machine.wall -= timedelta(seconds=stepped_s)
    await desk.confirm_time(machine.wall, by=BY)
    await machine.passes(5)
    assert shown() == []


async def test_a_reading_is_within_what_the_kernel_allows() -> None:
    reading = read_clock()
    if reading is None:
        # A container in which the kernel may not be asked.
        assert is_synchronised() is (True if TIMESYNCD.exists() else None)
        return
    assert is_synchronised() is reading.synchronised
    # adjtimex(2): half a second at most is still to be made up for.
    assert abs(reading.offset_s) <= 0.5
    assert reading.largest_error_s >= 0
