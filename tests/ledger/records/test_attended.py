"""Where people's time goes: a table of what happens at a slot, and how long it has waited."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TypeAlias

import pytest
from records_rack import RESET, START, Told, look

from benchd.domain.evidence_json import to_json
from benchd.domain.ids import Evidence, JobId, SlotName
from benchd.domain.operator_steps import Attended
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.domain.report import Asked
from benchd.domain.shift import Shift
from benchd.ledger.records.read_model import ReadModel
from benchd.outbound.traces.trace_from_records import trace_of
from benchd.proof.evidence.handset_evidence import InitialiseEvidence
from tests import recorded
from tests.outbound.hooks.hook_rig import FakeIssuer

DAY = timedelta(days=1)
Happens: TypeAlias = "Callable[[Slots], None]"


@dataclass
class Slots:
    """What happens at slots, each thing so many minutes after the start."""

    told: Told = field(default_factory=Told)
    slot: str = "A1"
    occupancy: int = 1

    def at(self, minute: float, kind: EntryKind, job: str | None, **data: object) -> None:
        entry = Entry(
            kind=kind,
            at=START + timedelta(minutes=minute),
            slot=None if kind is EntryKind.DAEMON_STARTED else SlotName(self.slot),
            occupancy=self.occupancy,
            job=None if job is None else JobId(job),
            data=data,  # type: ignore[arg-type]
        )
        number = len(self.told.stored) + 1
        stored = StoredEntry(sequence=number, entry=entry, hash_hex=f"{number:064x}")
        self.told.stored.append(stored)

    def plugged(self, minute: float) -> None:
        self.at(minute, EntryKind.OCCUPANCY_OPENED, None)

    def opened(self, minute: float, job: str = "j") -> None:
        self.at(minute, EntryKind.JOB_OPENED, job, recipe="overwrite", usb_serial="USB0001")

    def started(self, minute: float, stage: str, job: str = "j", attempt: int = 1) -> None:
        self.at(minute, EntryKind.STAGE_STARTED, job, stage=stage, attempt=attempt)

    def asked(self, minute: float, gate: str, job: str = "j") -> None:
        self.at(minute, EntryKind.QUESTION_ASKED, job, gate=gate, facts={})

    def answered(self, minute: float, gate: str, job: str = "j") -> None:
        self.at(minute, EntryKind.DECISION, job, gate=gate, approved=True)

    def came_back(self, minute: float, job: str = "j") -> None:
        self.at(minute, EntryKind.ATTACHMENT_CHANGED, job, attachment="7:2")

    def done(
        self, minute: float, stage: str, job: str = "j", evidence: Evidence | None = None
    ) -> None:
        self.at(minute, EntryKind.STAGE_ENDED, job, **recorded.stage_ended(stage, evidence or {}))

    def ended(self, minute: float, job: str = "j") -> None:
        told = {"outcome": "failed", "disposition": "hold", "reason": "coverage_too_low"}
        self.at(minute, EntryKind.JOB_ENDED, job, **told, detail="", certificate=None)

    def job(self, begin: float, end: float, job: str = "j") -> None:
        self.opened(begin, job)
        self.ended(end, job)


def reset_by_hand(away_s: float) -> Evidence:
    evidence = InitialiseEvidence(before=RESET, fresh_used_bytes=1, after=RESET)
    return to_json(replace(evidence, absent_s=away_s))


def one_question(slots: Slots) -> None:
    slots.opened(0)
    slots.started(1, "gates")
    slots.asked(2, "consent")
    slots.answered(7, "consent")
    slots.done(8, "gates")
    slots.ended(9)


def overlapping_questions(slots: Slots) -> None:
    slots.opened(0)
    slots.started(1, "gates")
    slots.asked(2, "consent")
    slots.asked(4, "imei")
    slots.answered(5, "consent")
    slots.answered(10, "imei")
    slots.done(11, "gates")
    slots.ended(12)


def asked_again(slots: Slots) -> None:
    slots.opened(0)
    slots.started(1, "gates")
    slots.asked(2, "consent")
    slots.asked(3, "consent")
    slots.answered(6, "consent")
    slots.answered(7, "consent")
    slots.done(8, "gates")
    slots.ended(9)


def the_port_tells_sooner(slots: Slots) -> None:
    """Guided reset: it left at 6, was away for 2 minutes and nobody has pressed a key."""
    slots.opened(0)
    slots.started(1, "initialise")
    slots.asked(2, "guided_reset")
    slots.came_back(8)
    slots.done(9, "initialise", evidence=reset_by_hand(120))
    slots.ended(10)


def one_is_answered_while_it_is_away(slots: Slots) -> None:
    slots.opened(0)
    slots.started(1, "initialise")
    slots.asked(2, "imei")
    slots.asked(3, "guided_reset")
    slots.answered(7, "imei")
    slots.came_back(8)
    slots.done(9, "initialise", evidence=reset_by_hand(120))
    slots.ended(10)


def away_before_the_stage(slots: Slots) -> None:
    """What came back before can't have been away in it for so long."""
    slots.opened(0)
    slots.came_back(0.5)
    slots.started(1, "initialise")
    slots.asked(2, "guided_reset")
    slots.came_back(2.5)
    slots.done(9, "initialise", evidence=reset_by_hand(120))
    slots.ended(10)


def nobody_answers(slots: Slots) -> None:
    slots.opened(0)
    slots.started(1, "gates")
    slots.asked(2, "consent")
    slots.ended(5)


def over_night(slots: Slots) -> None:
    slots.opened(0)
    slots.started(1, "gates")
    slots.asked(2, "consent")
    slots.answered(33, "consent")
    slots.asked(34, "imei")
    slots.answered(35, "imei")
    slots.done(36, "gates")
    slots.ended(37)


def just_no_break(slots: Slots) -> None:
    slots.opened(0)
    slots.started(1, "gates")
    slots.asked(2, "consent")
    slots.answered(32, "consent")
    slots.done(36, "gates")
    slots.ended(37)


def plugged_and_changed(slots: Slots) -> None:
    slots.plugged(0)
    slots.job(3, 10, "j")
    slots.occupancy = 2
    slots.plugged(14)
    slots.job(15, 20, "k")


def another_plug_than_the_jobs(slots: Slots) -> None:
    slots.plugged(0)
    slots.occupancy = 2
    slots.job(3, 10)


def run_again_without_a_plug(slots: Slots) -> None:
    slots.plugged(0)
    slots.job(1, 2, "j")
    slots.job(9, 10, "k")


def stopped_meanwhile(slots: Slots) -> None:
    """What a slot waited for while no daemon ran, nobody knows."""
    slots.job(0, 5, "j")
    slots.at(7, EntryKind.DAEMON_STARTED, None)
    slots.plugged(8)
    slots.job(9, 10, "k")


def two_slots(slots: Slots) -> None:
    slots.plugged(0)
    slots.slot = "A2"
    slots.plugged(1)
    slots.job(2, 8, "k")
    slots.slot = "A1"
    slots.job(5, 9, "j")


def back_in_time(slots: Slots) -> None:
    slots.opened(0)
    slots.started(1, "gates")
    slots.asked(9, "consent")
    slots.answered(7, "consent")
    slots.done(8, "gates")
    slots.ended(9)


# What happens, and for each step: handsets, waits, minutes, breaks.
TABLE: Mapping[Happens, Mapping[str, tuple[int, int, float, int]]] = {
    one_question: {"gates": (1, 1, 5, 0)},
    overlapping_questions: {"gates": (1, 1, 8, 0)},
    asked_again: {"gates": (1, 1, 4, 0)},
    the_port_tells_sooner: {"initialise": (1, 1, 4, 0)},
    one_is_answered_while_it_is_away: {"initialise": (1, 1, 5, 0)},
    away_before_the_stage: {"initialise": (1, 1, 7, 0)},
    nobody_answers: {"gates": (1, 1, 3, 0)},
    over_night: {"gates": (1, 1, 1, 1)},
    just_no_break: {"gates": (1, 1, 30, 0)},
    plugged_and_changed: {"plugging": (2, 2, 4, 0), "changing": (1, 1, 4, 0)},
    another_plug_than_the_jobs: {},
    run_again_without_a_plug: {"plugging": (1, 1, 1, 0)},
    stopped_meanwhile: {"plugging": (1, 1, 1, 0)},
    two_slots: {"plugging": (2, 2, 6, 0)},
    back_in_time: {},
}


def figures(model: ReadModel, told: Told) -> dict[str, tuple[int, int, float, int]]:
    shift = Shift(begin=START, end=START + DAY)
    attended = look(model, told, lambda looker: looker.shift(shift), quick=False).attended
    asked = Asked(begin=START - DAY, end=START + DAY)
    report = look(model, told, lambda looker: looker.report(asked, named=False), quick=False)
    assert report.attended == attended
    return {one.step: _row(one) for one in attended}


def _row(one: Attended) -> tuple[int, int, float, int]:
    return one.handsets, one.waits, one.seconds / 60, one.breaks


@pytest.mark.parametrize("happens", TABLE, ids=lambda happens: happens.__name__)
def test_how_long_a_slot_has_waited(model: ReadModel, happens: Happens) -> None:
    slots = Slots()
    happens(slots)
    assert figures(model, slots.told) == TABLE[happens]


def test_a_reader_can_stop_anywhere(model: ReadModel) -> None:
    """As after a restart: what is open stands in the file, not in memory."""
    for happens in TABLE:
        slots = Slots()
        happens(slots)
        whole = figures(model, slots.told)
        model.discard()
        again = ReadModel(model.path)
        for record in slots.told.stored:
            again.take([record])
            again.close()
            again = ReadModel(model.path)
        shift = Shift(begin=START, end=START + DAY)
        piecewise = again.look(lambda looker: looker.shift(shift), quick=False).attended  # noqa: B023
        assert {one.step: _row(one) for one in piecewise} == whole, happens.__name__
        again.discard()
        model = ReadModel(model.path)
    model.close()


@pytest.mark.parametrize("seed", range(40))
def test_the_same_as_its_traces_tell(model: ReadModel, seed: int) -> None:
    """Drawn jobs, short enough to have no breaks: two readers of the records agree."""
    chance = random.Random(seed)
    slots, minute = Slots(), 0.0
    slots.opened(0)
    for stage in chance.sample(("gates", "initialise", "final_reset", "confirm"), k=3):
        slots.started(minute, stage)
        open_gates: set[str] = set()
        for _ in range(chance.randint(0, 8)):
            minute += chance.choice((0, 0.5, 1))
            gate = chance.choice(("consent", "imei", "guided_reset"))
            what = chance.random()
            if what < 0.5:
                slots.asked(minute, gate)
                open_gates.add(gate)
            elif what < 0.8:
                slots.answered(minute, gate)
                open_gates.discard(gate)
            else:
                slots.came_back(minute)
        minute += 1
        away_s = chance.choice((0, 30, 60, 90))
        left = reset_by_hand(away_s) if stage == "initialise" else None
        slots.done(minute, stage, evidence=left)
        minute += 1
    slots.ended(minute)
    trace = trace_of(slots.told.stored, FakeIssuer())  # type: ignore[arg-type]
    assert trace is not None
    minutes = [row[2] for row in figures(model, slots.told).values()]
    assert sum(minutes) * 60 == trace.spans[0].attributes["benchd.people.seconds"]


def test_only_the_lot_that_is_asked_for(model: ReadModel, told: Told) -> None:
    slots = Slots(told)
    told.lot("L-1")
    one_question(slots)
    told.bind("j", "T-1")
    for lot, expected in (("L-1", 1), ("L-2", 0), ("", 0)):
        asked = Asked(begin=START - DAY, end=START + DAY, lot=lot)
        seen = look(model, told, lambda looker, asked=asked: looker.report(asked, named=False))
        assert len(seen.attended) == expected, lot


def test_the_step_that_takes_most_comes_first(model: ReadModel) -> None:
    slots = Slots()
    slots.plugged(0)
    slots.opened(2)
    slots.started(3, "gates")
    slots.asked(3, "consent")
    slots.answered(9, "consent")
    slots.ended(10)
    assert list(figures(model, slots.told)) == ["gates", "plugging"]
