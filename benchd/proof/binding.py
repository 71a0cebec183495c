"""What ties a job's evidence to one piece of hardware, from the inspection to the certificate.

An enumeration of the port is unbroken by itself. After every other the handset has to show again
that it's the same, by something that a twin with the same serial doesn't have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from benchd.domain.imei import imeis_in_text
from benchd.domain.job import Gate, Outcome, StageName
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.chip_ownership import tied_chip
from benchd.proof.evidence.job_evidence import ErasureEvidence, JobEvidence, ReturnEvidence
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.job_records import DecisionRecord, StageRecord
from benchd.proof.record_subject import imeis_in

LONGEST_SERIAL: Final = 64
NUMBER_GATES: Final = (Gate.IMEI, Gate.SERIAL)
"""At which a person reads a number from the handset's own screen."""


class Tie(StrEnum):
    """Something that what came back has in common with what left."""

    SERIAL = "serial"
    IMEI = "imei"
    ANDROID_ID = "android_id"
    KEYSTREAM = "keystream"
    CHIP = "chip"
    SCREEN_IMEI = "screen_imei"
    SCREEN_SERIAL = "screen_serial"


STRONG: Final = frozenset(Tie) - {Tie.SERIAL}
"""What no other handset has: two may well say the same serial."""
STRONG_IN_OVERWRITE: Final = frozenset({Tie.KEYSTREAM, Tie.IMEI})
"""Whoever left while it was filled has to show what was written; `android_id` is only its word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """All that a job has on record of its handset so far."""

    serial: str | None = None
    imeis: frozenset[str] = frozenset()
    """Those that it told, and those that a person read at the gates."""
    told: frozenset[str] = frozenset()
    """Those of them that it told over adb."""
    sim_slots: int | None = None
    telephony: bool | None = None
    android_id: str | None = None
    """That of this job's reset; None until then."""
    tied_chip: str | None = None

    @classmethod
    def of(cls, evidence: JobEvidence | ErasureEvidence, *, is_reset: bool = True) -> Known:
        """From what the stages saw; before its reset a handset has no id that stays."""
        inspect, gates = evidence.inspect, evidence.gates
        check, reset = evidence.felica_check, evidence.initialise
        told = frozenset(inspect.imeis if inspect else ())
        return cls(
            serial=inspect.serial if inspect else None,
            imeis=told | imeis_in(gates),
            told=told,
            sim_slots=inspect.sim_slots if inspect else None,
            telephony=inspect.telephony if inspect else None,
            android_id=reset.left.android_id if reset and is_reset else None,
            tied_chip=tied_chip(check),
        )

    @property
    def by_people(self) -> bool:
        """Whether its number is known from people alone: it tells none over adb."""
        return not self.told and self.number_gate is Gate.IMEI

    @property
    def all_known(self) -> bool:
        """Whether these are certainly all IMEIs that it has."""
        return len(self.imeis) >= (self.sim_slots or 2)

    @property
    def number_gate(self) -> Gate:
        """Which number of its own screen can tell it from a twin."""
        return Gate.SERIAL if self.telephony is False and not self.imeis else Gate.IMEI


def ties_of(known: Known, seen: ReturnEvidence) -> frozenset[Tie]:
    """What the handset that came back has in common with the one on record."""
    number = seen.screen_number
    by_serial = known.number_gate is Gate.SERIAL
    found = {
        Tie.SERIAL: seen.serial is not None and seen.serial == known.serial,
        Tie.IMEI: not known.imeis.isdisjoint(seen.imeis),
        Tie.ANDROID_ID: bool(known.android_id) and seen.android_id == known.android_id,
        Tie.KEYSTREAM: seen.keystream_bytes > 0,
        Tie.CHIP: known.tied_chip is not None and seen.chip == known.tied_chip,
        Tie.SCREEN_IMEI: number in known.imeis,
        Tie.SCREEN_SERIAL: by_serial and number is not None and number == known.serial,
    }
    return frozenset(tie for tie, holds in found.items() if holds)


def differences(known: Known, seen: ReturnEvidence) -> list[str]:
    """What shows that another handset came back, whatever else it has in common."""
    told: list[str] = []
    if seen.serial is not None and seen.serial != known.serial:
        told.append("its serial is another")
    if known.imeis and seen.imeis and known.imeis.isdisjoint(seen.imeis):
        told.append("its IMEI is another")
    if known.android_id and seen.android_id is not None and seen.android_id != known.android_id:
        told.append("its android_id isn't the one of the handset that was reset here")
    if known.tied_chip and seen.chip is not None and seen.chip != known.tied_chip:
        told.append("its chip is another")
    if seen.screen_number is not None and not ties_of(known, seen) & {
        Tie.SCREEN_IMEI,
        Tie.SCREEN_SERIAL,
    }:
        told.append("the number on its own screen is another")
    return told


def screen_number(gate: Gate, text: str) -> str | None:
    """The first number that somebody read from a handset's screen; None where there is none.

    An IMEI has 15 digits with the right check digit: not the 14 without it, not the 16 of an
    IMEISV, not the 32 of an eSIM's EID.
    """
    if gate is Gate.SERIAL:
        serial = text.strip()
        return serial if 0 < len(serial) <= LONGEST_SERIAL and serial.isprintable() else None
    return next(iter(imeis_in_text(text)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """How the records tie a job's handset to itself, and where they don't."""

    last_seen: Mapping[Tie, int]
    """By tie: the newest record in which it was seen."""
    returns: int
    gaps: tuple[str, ...]


def chain_of(
    records: Sequence[StoredEntry],
    attempts: Sequence[StageRecord],
    evidence: ErasureEvidence,
    answers: Sequence[DecisionRecord],
) -> Chain:
    """Follow the port through a job: what was done on a return that nothing ties is a gap."""
    walk = _Walk(evidence, attempts)
    ended = {attempt.ended_sequence: attempt for attempt in attempts}
    answered = iter(answers)
    for record in records:
        if record.entry.kind in (EntryKind.JOB_OPENED, EntryKind.ATTACHMENT_CHANGED):
            walk.enumerated(record)
        elif record.entry.kind is EntryKind.DECISION:
            walk.answered(next(answered))
        elif record.sequence in ended:
            walk.ended(ended[record.sequence])
    return walk.chain()


class _Walk:
    """One walk over a job's records in their order."""

    def __init__(self, evidence: ErasureEvidence, attempts: Sequence[StageRecord]) -> None:
        self._evidence = evidence
        known = Known.of(evidence)
        self._gate, self._by_people = known.number_gate, known.by_people
        self._numbers_here: set[str] = set()
        resets = [a.ended_sequence for a in attempts if a.stage is StageName.INITIALISE]
        self._reset_at = max(resets, default=0)
        self._last_reset_at = 1
        """Since when a number that was read counts for the end."""
        self._number_due = self._gate is Gate.IMEI
        self._first = self._here = self._bound = ""
        self._last_seen: dict[Tie, int] = {}
        self._returns = 0
        self._gaps: list[str] = []

    def enumerated(self, record: StoredEntry) -> None:
        """The port told an enumeration."""
        self._here = str(record.entry.data.get("attachment", ""))
        self._numbers_here.clear()
        if record.entry.kind is EntryKind.JOB_OPENED:
            self._first = self._bound = self._here

    def answered(self, answer: DecisionEvidence) -> None:
        """Somebody has answered while this enumeration lasts."""
        # Who looks at the last screen, or confirms, scans its number in the same answer.
        if not answer.approved or answer.gate not in (self._gate, Gate.OBSERVE, Gate.CONFIRM):
            return
        if self._gate is Gate.IMEI:
            self._numbers_here.update(imeis_in_text(answer.note))
        else:
            self._numbers_here.add(screen_number(self._gate, answer.note) or "")

    def ended(self, attempt: StageRecord) -> None:
        """A stage's attempt has ended, perhaps with a return."""
        if attempt.stage is StageName.FINAL_RESET and attempt.outcome is Outcome.PASSED:
            self._here = self._evidence.final_reset.attachment_after
            self._last_reset_at = attempt.ended_sequence
        seen = attempt.came_back()
        if seen is not None and seen.attachment == self._here:
            self._returned(attempt, seen)
        elif attempt.stage is StageName.INSPECT and attempt.outcome is Outcome.PASSED:
            self._saw(frozenset({Tie.SERIAL}), attempt.ended_sequence)
        done = attempt.outcome in (Outcome.PASSED, Outcome.SKIPPED)
        # adb is gone after the last reset: whose it was, `observe` has to find out, and where only
        # people know its number, who confirms.
        later = {StageName.FINAL_RESET, *([StageName.OBSERVE] if self._by_people else ())}
        if done and self._here != self._bound and attempt.stage not in later:
            self._gaps.append(f"{attempt.stage}: nothing ties the handset that came back to it")

    def chain(self) -> Chain:
        """What it has found."""
        if not self._first:
            self._gaps.append("job_opened: it doesn't say what was on the port")
        if self._here != self._bound:
            self._gaps.append("binding: nothing ties the handset that lies there to the job")
        if self._number_due and self._last_seen.get(Tie.SCREEN_IMEI, 0) < self._last_reset_at:
            self._gaps.append("binding: nobody has read its IMEI on its own screen")
        return Chain(
            last_seen=self._last_seen, returns=self._returns, gaps=tuple(dict.fromkeys(self._gaps))
        )

    def _returned(self, attempt: StageRecord, seen: ReturnEvidence) -> None:
        is_reset = attempt.ended_sequence > self._reset_at
        known = Known.of(self._evidence, is_reset=is_reset)
        others = differences(known, seen)
        self._gaps += [f"{attempt.stage}: another handset came back: {other}" for other in others]
        ties = ties_of(known, seen)
        fills = attempt.stage is StageName.OVERWRITE
        if not fills:
            ties -= {Tie.KEYSTREAM}
        if Tie.CHIP in ties and not self._chip_was_seen(attempt, seen):
            ties -= {Tie.CHIP}
            self._gaps.append(f"{attempt.stage}: no look at the chip is on record")
        if not {seen.screen_number} - {None} <= self._numbers_here:
            self._gaps.append(f"{attempt.stage}: nobody has answered the number on its screen")
        self._saw(ties, attempt.ended_sequence)
        self._returns += self._here != self._bound
        if ties & (STRONG_IN_OVERWRITE if fills else STRONG) and not others:
            self._bound = self._here

    def _chip_was_seen(self, attempt: StageRecord, seen: ReturnEvidence) -> bool:
        """Whether the look after the last reset, which the proof weighs, is what saw it."""
        again = self._evidence.observe.chip
        at_end = attempt.stage in (StageName.OBSERVE, StageName.CONFIRM)
        return at_end and again is not None and again.chip == seen.chip

    def _saw(self, ties: frozenset[Tie], sequence: int) -> None:
        self._last_seen |= dict.fromkeys(ties, sequence)


class JobBinding:
    """The binding of a job that runs: which enumeration of the port is known to be its handset."""

    def __init__(self, attachment: str) -> None:
        self._bound = attachment
        self.seen: ReturnEvidence | None = None
        """What was last seen of a handset that has come back."""
        self._recorded: ReturnEvidence | None = None
        self._number_read = False

    def due(self, attachment: str) -> bool:
        """Whether nothing strong ties what is on the port with this enumeration yet."""
        return attachment != self._bound

    def number_due(self, known: Known, attachment: str) -> bool:
        """Whether a person has to read its screen: to tie it, or to know that its IMEI is its own.

        A chip ties the handset, and says nothing of the name that its system gives itself.
        """
        by_screen = known.number_gate is Gate.IMEI and not self._number_read
        return self.due(attachment) or by_screen

    def came_back(self, known: Known, seen: ReturnEvidence) -> list[str]:
        """Keep what was seen; returns what shows that it's another handset."""
        self.seen = seen
        self._number_read = self._number_read or seen.screen_number is not None
        others = differences(known, seen)
        if not others and ties_of(known, seen) & STRONG:
            self._bound = seen.attachment
        return others

    def to_record(self) -> ReturnEvidence | None:
        """What no record tells yet."""
        if self.seen is self._recorded:
            return None
        self._recorded = self.seen
        return self.seen
