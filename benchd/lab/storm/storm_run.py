"""One storm from beginning to end, in virtual time."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Final, cast
from unittest.mock import patch

import anyio

from benchd.domain.ids import SlotName
from benchd.domain.job import Gate, Reason
from benchd.domain.slot import SlotView
from benchd.domain.slot_states import SlotState
from benchd.lab.adversity.schedule import BayPlan
from benchd.lab.storm.client import Browser, CutOffError
from benchd.lab.storm.copies import Copies
from benchd.lab.storm.helpers import StoppedWorkers
from benchd.lab.storm.judge import judge_ledger
from benchd.lab.storm.loop import StormLoop
from benchd.lab.storm.machine import Machine
from benchd.lab.storm.machine_mishaps import Mishaps
from benchd.lab.storm.office import Office
from benchd.lab.storm.storm_crew import Crew, Screens
from benchd.lab.storm.storm_folder import WORKER, house
from benchd.lab.storm.storm_rack import StormRack
from benchd.lab.storm.storm_referee import Fault, Referee, Rule
from benchd.lab.storm.storm_schedule import Kind, Storm, Strike
from benchd.lab.storm.visitors import Visitors

START_S: Final = 60.0
REST_WITHIN_S: Final = 2400.0
END_WITHIN_S: Final = 60.0
LOOKS_S: Final = 5.0
PROBES_S: Final = 12.0
AT_REST: Final = frozenset({SlotState.FINISHED, SlotState.QUARANTINED})
EXCUSES: Final = frozenset({Kind.LOCK, Kind.DESCRIPTORS})
AFTER_S: Final = 2.0
BESIDES: Final = (
    (Kind.WITHDRAWN, Reason.CONSENT_MISSING),
    (Kind.WITHDRAWN, Reason.JPKI_NOT_ATTESTED),
    (Kind.LABELS, Reason.IDENTITY_UNSETTLED),
    (Kind.CLOCK, Reason.PROOF_INCOMPLETE),
    (Kind.CLOCK_CREEPS, Reason.PROOF_INCOMPLETE),
)
"""For what a job may end where what it goes by is withdrawn, or another's label is scanned; or its
times can't be compared any more, such as those of the last look and of who confirms."""

Ends = Mapping[SlotName, tuple[object, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of a storm."""

    faults: tuple[Fault, ...]
    ends: Ends
    asked: int
    """How many requests of people and probes were judged."""
    took_s: float
    """In virtual time."""


def run_storm(storm: Storm) -> Verdict:
    """The same for the same storm; its jobs are compared with those of its rack in a calm."""
    verdict = _run(storm)
    calm = calm_ends(storm.bays)
    faults = list(verdict.faults)
    allowed = [reason for kind, reason in BESIDES if storm.has(kind)]
    for slot, end in calm.items():
        ours = verdict.ends.get(slot)
        is_open = storm.unanswered and slot == next(iter(calm))
        if ours != end and not is_open and (ours is None or ours[1] not in allowed):
            detail = f"{slot}: {ours}, in a calm {end}"
            faults.append(Fault(rule=Rule.OTHERWISE, detail=detail, at_s=verdict.took_s))
    return replace(verdict, faults=tuple(faults))


@cache
def calm_ends(bays: tuple[BayPlan, ...]) -> Ends:
    """How the jobs of a rack end to which nothing happens."""
    return _run(Storm(seed=0, bays=bays, strikes=())).ends


def _run(storm: Storm) -> Verdict:
    house().put_back(newer=storm.next_release)
    told = _Tracebacks()
    logger = logging.getLogger("uvicorn.error")
    propagates, logger.propagate = logger.propagate, False
    logger.addHandler(told)
    try:
        verdict = anyio.run(partial(_through, storm), backend_options={"loop_factory": StormLoop})
    finally:
        logger.removeHandler(told)
        logger.propagate = propagates
    broke = [Fault(rule=Rule.BROKE, detail=one, at_s=0.0) for one in told.errors]
    return replace(verdict, faults=(*verdict.faults, *broke))


class _Tracebacks(logging.Handler):
    """Keeps what the server would have logged as an error."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        self.errors.append(f"{record.getMessage()}: {error!r}")


HANDS: Final = "benchd.lab.adversity.drawn_hands."
"""Begins the names of tasks that aren't the daemon's: a handset may be away in its reset still."""


async def _through(storm: Storm) -> Verdict:
    loop = cast("StormLoop", asyncio.get_running_loop())
    machine = Machine(loop, storm.seed)
    before = set(asyncio.all_tasks())
    verdicts: list[Verdict] = []
    with machine.in_place():
        async with anyio.create_task_group() as group:
            run = _Run(storm, machine, StormRack(storm.bays, machine, house(), group))
            await run.live()
            await anyio.sleep(1)
            left = [task.get_name() for task in asyncio.all_tasks() - before]
            run.judge_what_is_left([name for name in left if not name.startswith(HANDS)])
            verdicts.append(run.verdict())
            group.cancel_scope.cancel()
    return verdicts[0]


class _Run:
    """One storm over one rack."""

    def __init__(self, storm: Storm, machine: Machine, rack: StormRack) -> None:
        self.storm = storm
        self.machine = machine
        self.rack = rack
        self.referee = Referee(machine.loop.time)
        self.screens = Screens(rack, self.referee.person)
        self.visitors = Visitors(rack, storm.seed, partial(self.referee.broken, Rule.RESET))
        self.mishaps = Mishaps(rack, machine, house())
        self.office = Office(rack, self.screens, machine, self.referee)
        self.copies = Copies(machine, house(), self.referee)
        self.workers = StoppedWorkers(self.referee)
        self.ends: dict[SlotName, tuple[object, ...]] = {}
        self.crew: Crew | None = None

    def verdict(self) -> Verdict:
        """What came of it."""
        return Verdict(
            faults=tuple(self.referee.faults),
            ends=self.ends,
            asked=self.referee.asked,
            took_s=anyio.current_time(),
        )

    async def live(self) -> None:
        """Start, work, storm, calm, end."""
        async with anyio.create_task_group() as work:
            work.start_soon(self.rack.run)
            with anyio.move_on_after(START_S):
                await self.rack.up.wait()
            if self.rack.served is None:
                self.referee.broken(Rule.ENDED, f"at its start: {self.rack.failed!r}")
                return
            await self.office.take_in()
            for bay in self.rack.bays.values():
                bay.put_in(bay.own)
            async with anyio.create_task_group() as storm:
                if self.storm.has(Kind.WORKER):
                    storm.start_soon(self._run_worker)
                await self._work(storm)
            await self._end()
            if self.crew is not None and not self.referee.faults:
                judge_ledger(
                    house(),
                    self.referee,
                    self.crew,
                    self.office,
                    set_back_s=self.mishaps.set_back_s,
                )
            work.cancel_scope.cancel()

    async def _work(self, storm: anyio.abc.TaskGroup) -> None:
        self.crew = Crew(self.rack, self.screens)
        storm.start_soon(self.crew.work)
        storm.start_soon(self._probe)
        storm.start_soon(self._look_in)
        storm.start_soon(self._until_ended, storm)
        until = anyio.current_time() + REST_WITHIN_S
        async with anyio.create_task_group() as strikes:
            for strike in self.storm.strikes:
                strikes.start_soon(self._strike, strike)
        # Who waits for a time can't be woken by what ends it, and it costs next to nothing.
        while not self._rests() and anyio.current_time() < until:  # noqa: ASYNC110
            await anyio.sleep(LOOKS_S)
        for view in self._views().values():
            if view.state not in AT_REST and not self._is_left_open(view):
                self.referee.broken(Rule.STUCK, f"{view.slot}: {view.state}, {view.stage}")
        if self.storm.has(Kind.PAPERS) and not self.storm.has(Kind.DESCRIPTORS):
            await self.office.stall_papers()
        if self.storm.has(Kind.HUNG_WALK):
            self.machine.walk_hangs = True
            body = {"lot": "L-2", "consignor": "c", "kind": "purchase"}
            await self.screens.ask(WORKER, "POST", "/api/v1/lots", body)
        await anyio.sleep(LOOKS_S * 2)
        storm.cancel_scope.cancel()

    async def _run_worker(self) -> None:
        with patch.object(anyio, "open_process", self.workers.open_process):
            await self.workers.worker.run()

    async def _strike(self, strike: Strike) -> None:
        await anyio.sleep(max(0.0, strike.at_s - anyio.current_time()))
        until = anyio.current_time() + strike.lasts_s + AFTER_S
        if strike.kind in EXCUSES:
            self.referee.excuse(until)
        elif strike.kind is Kind.SLOW_DISK:
            # An answer that is compared with what the ledger has takes as long as reading that.
            self.referee.excuse(until + 3 * strike.much, only="/decisions")
        if self.visitors.does(strike.kind):
            await self.visitors.come(strike)
            if strike.kind is Kind.SIGN_INS:
                await self.screens.come_to_another(self.visitors.guessed())
        elif self.office.does(strike.kind):
            await self.office.happen(strike)
        elif self.mishaps.does(strike.kind):
            await self.mishaps.happen(strike)
        elif strike.kind is Kind.BACKUP:
            self.copies.write(self.crew.answered if self.crew else ())
        elif strike.kind is Kind.WORKER:
            await self.workers.stop_one()

    async def _until_ended(self, storm: anyio.abc.TaskGroup) -> None:
        """Nobody has asked it to end yet."""
        await self.rack.ended.wait()
        killed = self.machine.loop.killed_by
        rule = Rule.ENDED if killed is None else Rule.KILLED
        self.referee.broken(rule, f"{killed or self.rack.failed!r}")
        storm.cancel_scope.cancel()

    async def _probe(self) -> None:
        """What systemd and Prometheus on this machine do, each time anew."""
        turn = 0
        while True:
            await anyio.sleep(PROBES_S)
            turn += 1
            path = "/metrics" if turn % 5 == 0 else "/healthz"
            browser = Browser(self.rack.tcp, ("127.0.0.1", 50000 + turn))
            began = anyio.current_time()
            try:
                answer = await browser.get(path, within_s=20)
            except (OSError, CutOffError, TimeoutError):
                answer = None
            self.referee.probe(path, answer, anyio.current_time() - began)
            browser.leave()

    async def _look_in(self) -> None:
        """Somebody who has signed in looks at the rack."""
        while True:
            await self.screens.ask(WORKER, "GET", "/api/v1/slots")
            await anyio.sleep(PROBES_S)

    async def _end(self) -> None:
        self.screens.leave()
        for slot, view in self._views().items():
            self.ends[slot] = (view.outcome, view.reason, view.disposition)
        if self.rack.ended.is_set():
            return
        for _ in range(self.storm.signals):
            self.machine.loop.deliver(signal.SIGTERM)
            await anyio.sleep(0.01)
        with anyio.move_on_after(END_WITHIN_S) as patience:
            await self.rack.ended.wait()
        self.machine.free_the_hung()
        killed = self.machine.loop.killed_by
        if patience.cancelled_caught:
            self.referee.broken(Rule.DIDNT_END, f"after {END_WITHIN_S:.0f} s")
        elif killed is not None:
            self.referee.broken(Rule.KILLED, f"{killed.name} while it ended")
        elif self.rack.failed is not None:
            self.referee.broken(Rule.ENDED, repr(self.rack.failed))

    def judge_what_is_left(self, tasks: list[str]) -> None:
        """After its end."""
        loop = self.machine.loop
        threads = [thread.name for thread in loop.threads.alive]
        if self.rack.ended.is_set() and (threads or loop.open_connections or tasks):
            self.referee.broken(
                Rule.LEFT, f"threads {threads}, connections {loop.open_connections}, tasks {tasks}"
            )

    def _views(self) -> Mapping[SlotName, SlotView]:
        return {} if self.rack.served is None else self.rack.served.board.views()

    def _rests(self) -> bool:
        views = self._views().values()
        return all(view.state in AT_REST or self._is_left_open(view) for view in views)

    def _is_left_open(self, view: SlotView) -> bool:
        first = next(iter(self.rack.bays))
        asked = view.question is not None and view.question.gate is Gate.CONFIRM
        return self.storm.unanswered and view.slot == first and asked
