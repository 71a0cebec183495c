"""The life of one slot in the drawn week, a minute at a time, told to benchd's own metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Final

from benchd.domain.ids import PortPath, SlotName
from benchd.domain.job import Disposition, FaultCode, Gate, Outcome, Reason, StageName
from benchd.domain.slot import ProblemCode, ProblemView, QuestionView, SlotView, TransferView
from benchd.domain.slot_states import SlotState
from benchd.lab.dashboards.week.week_plan import MODELS, Model, Rack, at_work
from benchd.observe.metrics import RackMetrics

RECIPE: Final = "overwrite"
_ASKED_BEFORE: Final = (Gate.NETWORK, Gate.IMEI)
_GATE_ENDS: Final = {Reason.LOCKED: 6, Reason.CONSENT_MISSING: 3, Reason.MANAGED_DEVICE: 2}
_TORN_MINUTES: Final = 7
"""How long a bad cable holds, on average."""

Minutes = Iterator[None]
"""Each step is a minute of the slot's life."""


class _EndsAs(Exception):
    """How the job ends, from within whatever stage that is."""

    def __init__(self, reason: Reason, disposition: Disposition) -> None:
        super().__init__(reason)
        self.reason, self.disposition = reason, disposition


@dataclass
class SlotLife:
    """One slot: `minutes()` lives it, `view()` shows it."""

    rack: Rack
    slot: SlotName
    metrics: RackMetrics
    chance: Random
    now: Callable[[], datetime]
    state: SlotState = SlotState.EMPTY
    since: datetime | None = None
    question: QuestionView | None = None
    problem: ProblemView | None = None
    transfer: TransferView | None = None
    settled: list[Disposition] = field(default_factory=list[Disposition])
    """Where its handsets went, for whoever has to record what became of them."""

    def view(self) -> SlotView:
        """As the daemon would show it."""
        return SlotView(
            slot=self.slot,
            port_path=PortPath("1-1"),
            state=self.state,
            since=self.since,
            question=self.question,
            problem=self.problem,
            transfer=self.transfer,
            disposition=self.settled[-1] if self.state is SlotState.FINISHED else None,
        )

    def minutes(self) -> Minutes:
        """For ever: handsets come while somebody is there, and are pulled out then."""
        ended: datetime | None = None
        while True:
            self._is(SlotState.EMPTY)
            yield from self._until_somebody_comes(8)
            if ended is not None:
                self.metrics.handset_changed((self.now() - ended).total_seconds())
            if self.rack.out_of_use and self._since(self.rack.out_of_use):
                self._is(SlotState.QUARANTINED)
                while True:
                    yield
            yield from self._handset()
            self._is(SlotState.FINISHED)
            ended = self.now()
            yield from self._until_somebody_comes(12)

    def _handset(self) -> Minutes:
        model = self.chance.choices(MODELS, [one.often for one in MODELS])[0]
        plugged = self.now()
        self._is(SlotState.SETTLING)
        yield
        if self.chance.random() < 0.05:
            self._is(SlotState.WAITING)
            self.problem = ProblemView(code=ProblemCode.ADB_DISABLED)
            yield from self._until_somebody_comes(10)
            self.problem = None
        self._is(SlotState.RUNNING)
        waited = (self.now() - plugged).total_seconds()
        self.metrics.job_began(self.chance.uniform(6, 25) if waited < 120 else waited)
        name = self.metrics.models.seen(model.code)
        try:
            yield from self._job(model, name)
        except _EndsAs as end:
            self._ended(name, Outcome.FAILED, end.disposition, end.reason)
        else:
            self._ended(name, Outcome.PASSED, Disposition.SELLABLE, None)

    def _job(self, model: Model, name: str) -> Minutes:
        yield from self._stage(StageName.INSPECT, 1)
        for gate in _ASKED_BEFORE:
            yield from self._asked(gate, StageName.GATES)
        if self.chance.random() < 0.09:
            reason = self.chance.choices(list(_GATE_ENDS), list(_GATE_ENDS.values()))[0]
            returned = reason is Reason.MANAGED_DEVICE
            raise _EndsAs(reason, Disposition.RETURN if returned else Disposition.HOLD)
        yield from self._felica(StageName.FELICA_CHECK)
        if self.chance.random() < 0.15:
            self.metrics.residue_found()
            yield from self._asked(Gate.FELICA_CLEAR, StageName.FELICA_CLEAR)
            yield from self._felica(StageName.FELICA_RECHECK)
            if self.chance.random() < 0.2:
                raise _EndsAs(Reason.FELICA_RESIDUE, Disposition.DESTROY)
        yield from self._away(StageName.INITIALISE)
        yield from self._overwritten(model, name)
        yield from self._transfers(StageName.READ_BACK, model.size_gb, model.mb_per_s * 2.4)
        if self.chance.random() < model.fails:
            raise _EndsAs(Reason.STORAGE_FAULT, Disposition.DESTROY)
        yield from self._asked(Gate.FINAL_RESET, StageName.FINAL_RESET)
        yield from self._away(StageName.FINAL_RESET)
        yield from self._asked(Gate.CONFIRM, StageName.CONFIRM)
        yield from self._stage(StageName.CERTIFY, 1)

    def _overwritten(self, model: Model, name: str) -> Minutes:
        rate = model.mb_per_s * self.chance.uniform(0.9, 1.05)
        left_gb, torn = model.size_gb * 0.93, 0
        while left_gb > 0:
            holds = int(left_gb * 1000 / rate / 60) + 1
            if self.rack.bad_cable and self._since(self.rack.bad_cable):
                holds = min(holds, int(self.chance.expovariate(1 / _TORN_MINUTES)) + 1)
            done = min(left_gb, holds * rate * 60 / 1000)
            yield from self._transfers(StageName.OVERWRITE, done, rate)
            left_gb -= done
            if left_gb <= 0:
                break
            torn += 1
            slots = self.metrics.slots
            slots.attempt_failed(self.slot, FaultCode.HANDSET_GONE)
            slots.reenumerated(self.slot)
            slots.resumed(self.slot)
            if self.chance.random() < 0.3:
                slots.stalled(self.slot)
            if torn == 4:
                raise _EndsAs(Reason.HANDSET_LOST, Disposition.HOLD)
        size = int(model.size_gb * 0.93e9)
        self.metrics.slots.wrote(self.slot, size, new_bytes=size, worked_s=size / rate / 1e6)
        self.metrics.models.overwritten(name, size, size / rate / 1e6)

    def _transfers(self, stage: StageName, size_gb: float, mb_per_s: float) -> Minutes:
        minutes = max(1, round(size_gb * 1000 / mb_per_s / 60))
        self.metrics.slots.attempt_began(self.slot)
        for minute in range(minutes):
            rate = mb_per_s * self.chance.uniform(0.93, 1.04) * 1e6
            done = int(size_gb * 1e9 * minute / minutes)
            self.transfer = TransferView(bytes_done=done, bytes_per_s=rate)
            yield
        self.transfer = None
        self.metrics.time.stage_took(stage, Outcome.PASSED, minutes * 60)

    def _stage(self, stage: StageName, minutes: int) -> Minutes:
        self.metrics.slots.attempt_began(self.slot)
        for _ in range(minutes):
            yield
        seconds = minutes * 60 * self.chance.uniform(0.3, 1)
        self.metrics.time.stage_took(stage, Outcome.PASSED, seconds)

    def _felica(self, stage: StageName) -> Minutes:
        if self.rack.dead_reader and self._since(self.rack.dead_reader):
            self.metrics.slots.attempt_failed(self.slot, FaultCode.READER_GONE)
            yield from self._asked(Gate.FELICA_CHECK, stage)
        else:
            yield from self._stage(stage, 1)

    def _away(self, stage: StageName) -> Minutes:
        self._is(SlotState.REPLUGGING)
        yield from self._stage(stage, self.chance.randint(2, 5))
        self.metrics.slots.reenumerated(self.slot)
        self._is(SlotState.RUNNING)

    def _asked(self, gate: Gate, stage: StageName) -> Minutes:
        asked = self.now()
        self._is(SlotState.AWAITING_OPERATOR)
        self.question = QuestionView(gate=gate, facts={})
        yield from self._until_somebody_comes(6)
        self.question = None
        self._is(SlotState.RUNNING)
        seconds = (self.now() - asked).total_seconds() * self.chance.uniform(0.6, 1)
        self.metrics.time.answered(gate, seconds)
        self.metrics.time.stage_took(stage, Outcome.PASSED, seconds + 4, people_s=seconds)

    def _until_somebody_comes(self, within: float) -> Minutes:
        """Wait for a person, who takes so many minutes on average, and comes in shifts only."""
        while True:
            yield
            if at_work(self.rack, self.now()) and self.chance.random() < 1 / within:
                return

    def _ended(
        self, model: str, outcome: Outcome, disposition: Disposition, reason: Reason | None
    ) -> None:
        self.metrics.job_ended(RECIPE, outcome, disposition, reason)
        self.metrics.slots.job_ended(self.slot, outcome, None)
        self.metrics.models.job_ended(model, outcome)
        self.settled.append(disposition)

    def _is(self, state: SlotState) -> None:
        self.state, self.since = state, self.now()

    def _since(self, what: tuple[SlotName, datetime]) -> bool:
        slot, begins = what
        return slot == self.slot and self.now() >= begins
