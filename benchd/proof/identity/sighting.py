"""One job as a sighting of a handset: its traits, its debts, what people answered of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from benchd.domain.chip import ChipVerdict
from benchd.domain.evidence_json import from_json
from benchd.domain.ids import Evidence, JobId
from benchd.domain.imei import imeis_in_text, is_imei
from benchd.domain.intake import BoundBy
from benchd.domain.job import Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.person_names import same_person
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.proof.chip_ownership import tied_chip
from benchd.proof.disposal_fold import dooms
from benchd.proof.evidence.chip_evidence import READER, ChipEvidence
from benchd.proof.evidence.handset_evidence import GatesEvidence, InspectEvidence
from benchd.proof.evidence.recheck_evidence import DrawRecord, FindDrawnEvidence
from benchd.proof.identity.traits import Traits
from benchd.proof.job_records import refuse_newer, refuse_unread_form
from benchd.proof.record_subject import evidence_in

_READ_AT: Final = frozenset({Gate.IMEI, Gate.OBSERVE, Gate.CONFIRM})
"""The gates at which somebody reads numbers from the handset's own screen."""
IDENTITY_GATES: Final = frozenset({Gate.SAME_HANDSET, Gate.SAME_HANDSET_HELD})
_CLEAN: Final = frozenset({ChipVerdict.UNUSED, ChipVerdict.NO_CHIP})


class Same(StrEnum):
    """What somebody answered who was asked whether two sightings are of one handset."""

    SAME = "same"
    OTHER = "other"


_SPELLED: Final[Mapping[str, Same]] = {
    "same": Same.SAME,
    "同じ": Same.SAME,
    "同一": Same.SAME,
    "other": Same.OTHER,
    "別": Same.OTHER,
    "別の端末": Same.OTHER,
}


def same_in_note(note: str) -> Same | None:
    """The answer that a note begins with; None where it begins otherwise."""
    words = note.split(maxsplit=1)
    return _SPELLED.get(words[0].casefold().rstrip(":：,、")) if words else None


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberRead:
    """A number that a person read from the handset's own screen."""

    number: str = field(repr=False)
    person: str | None
    name: str
    sequence: int

    def by_another(self, other: NumberRead) -> bool:
        """Whether two people read these."""
        same_id = self.person is not None and self.person == other.person
        return not (same_id or same_person(self.name, other.name))


@dataclass(frozen=True, slots=True, kw_only=True)
class PairAnswer:
    """What somebody answered of this handset and another source."""

    other: str
    """The job or the tag that it was compared with."""
    answer: Same
    gate: Gate
    sequence: int


@dataclass(slots=True, kw_only=True)
class Sighting:
    """One job of a handset, as far as the records at hand tell of it."""

    job: JobId
    sequence: int
    """Of the first of its records at hand."""
    told: set[str] = field(default_factory=set[str], repr=False)
    """IMEIs that it told over adb."""
    sim_slots: int | None = None
    named: set[str] = field(default_factory=set[str], repr=False)
    """IMEIs that the gates or a recheck went by, read from its screen."""
    label_number: str | None = field(default=None, repr=False)
    reads: list[NumberRead] = field(default_factory=list[NumberRead], repr=False)
    refused: set[str] = field(default_factory=set[str], repr=False)
    """Of those on its screen, at which it ended: what lay there then was another handset."""
    reset_at: int | None = None
    """The record that ended its last reset."""
    serials: set[str] = field(default_factory=set[str], repr=False)
    models: set[str] = field(default_factory=set[str])
    chips: set[str] = field(default_factory=set[str], repr=False)
    tied: str | None = field(default=None, repr=False)
    fleet_chips: set[str] = field(default_factory=set[str], repr=False)
    """The same chips by the hash that its dealer's racks share."""
    claimed_chips: set[str] = field(default_factory=set[str], repr=False)
    """Of these all but what was refused at each look as another's, or as not the first one."""
    fleet_chip: str | None = field(default=None, repr=False)
    """That of its last look that passed."""
    fleet_tied: str | None = field(default=None, repr=False)
    chip_secret: str | None = None
    """See `Traits`; one rack's records alone have one."""
    chip_look: tuple[int, ChipVerdict] | None = None
    """The last look of a reader, and what it saw; a clean one counts only where its stage passed:
    what was refused may have been another's chip."""
    looked_by_eye: bool = False
    """Whether a person looked at its chip, or is about to, in a slot without a reader."""
    told_at: int = 0
    """The last record that tells something of which handset it is."""
    label: tuple[str, str] | None = None
    draw: DrawRecord | None = None
    draw_sequence: int = 0
    rechecks: JobId | None = None
    """The drawn job that it has found its handset to be of."""
    found_sequence: int = 0
    said_no: bool = False
    """Whether whoever rechecked it said no."""
    end: Entry | None = None
    end_sequence: int = 0
    doomed_at: int = 0
    """The last record that sends it to be destroyed, or says that it was; 0 where none does."""
    let_at: int = 0
    """The last record by which somebody in charge let it in although it was to be destroyed."""
    paper: Traits | None = None
    """Those of an asset that was entered by hand as not erasable, instead of a job's records."""
    paper_reason: str | None = None
    """Why it was."""
    answers: list[PairAnswer] = field(default_factory=list[PairAnswer])
    _asked: tuple[Gate, str] | None = None

    @property
    def imeis(self) -> frozenset[str]:
        """All its IMEIs, proven or not."""
        return frozenset(self.told | self.named | {read.number for read in self.reads})

    @property
    def proven(self) -> frozenset[str]:
        """Those that don't rest on one person's one look."""
        found = set(self.told) | self.read_twice
        return frozenset(found if self.label_number is None else {*found, self.label_number})

    @property
    def read_twice(self) -> frozenset[str]:
        """Those that two people read on its screen, the second after its last reset."""
        before = [r for r in self.reads if self.reset_at is None or r.sequence < self.reset_at]
        after = [r for r in self.reads if self.reset_at is not None and r.sequence > self.reset_at]
        return frozenset(
            last.number
            for last in after
            if any(last.number == first.number and last.by_another(first) for first in before)
        )

    @property
    def traits(self) -> Traits:
        """What it tells of which handset it is."""
        if self.paper is not None:
            return self.paper
        proven = self.proven
        return Traits(
            imeis=self.imeis,
            proven=proven,
            is_full=self._is_full(proven),
            serial=next(iter(self.serials)) if len(self.serials) == 1 else None,
            model=next(iter(self.models)) if len(self.models) == 1 else None,
            chips=frozenset(self.chips),
            tied_chip=self.tied,
            chip_secret=self.chip_secret,
            label=self.label,
            refused=frozenset(self.refused - self.told - self.named),
            reads_differ=self._reads_differ,
        )

    @property
    def _reads_differ(self) -> bool:
        """Whether a number was read after its last reset that can't be its own beside the others.

        The other bar code of one with two SIMs can; of how many it takes nobody may have told.
        """
        if self.reset_at is None:
            return False
        read = {r.number for r in self.reads if r.sequence < self.reset_at}
        before = self.told | self.named | read
        after = {r.number for r in self.reads if r.sequence > self.reset_at}
        has_room = len(before | after) <= (self.sim_slots or 2)
        return bool(before) and not (after <= before or has_room)

    def _is_full(self, proven: frozenset[str]) -> bool:
        """Over adb both are asked for; who reads a screen may have read one of two."""
        if self.sim_slots is not None:
            return len(proven) >= min(self.sim_slots, 2) > 0
        return len(proven) >= 2 or (bool(proven) and proven == frozenset(self.told))

    @property
    def is_drawn(self) -> bool:
        """Whether it was drawn for a recheck."""
        return self.draw is not None and self.draw.drawn

    @property
    def is_certified(self) -> bool:
        """Whether it has ended with a certificate."""
        return (
            self.end is not None
            and self.end.data.get("disposition") == Disposition.SELLABLE
            and self.end.data.get("certificate") is not None
        )

    @property
    def numbers(self) -> frozenset[str]:
        """What a person may name its handset by: its serial only where it has no IMEI."""
        return frozenset(self.imeis or self.serials)

    @property
    def unclean_look(self) -> int | None:
        """The record of a reader's last look at its chip, where that saw no unused chip."""
        look = self.chip_look
        return look[0] if look is not None and look[1] not in _CLEAN else None

    def take(self, record: StoredEntry) -> None:
        """Learn from one more of its records.

        Raises CertificateGap for a draw that isn't one, and for what only a newer release knows.
        """
        refuse_newer(record)
        refuse_unread_form(record)
        entry = record.entry
        if dooms(entry):
            self.doomed_at = record.sequence
        match entry.kind:
            case EntryKind.ASSET_UNERASABLE:
                self.doomed_at, self.end = record.sequence, entry
                self.paper_reason = str(entry.data.get("reason"))
            case EntryKind.RECHECK_DRAWN:
                self.draw = from_json(DrawRecord, entry.data, entry.kind)
                self.draw_sequence = record.sequence
            case EntryKind.JOB_ENDED if self.end is None:
                self.end, self.end_sequence = entry, record.sequence
            case EntryKind.STAGE_ENDED:
                self._stage_ended(record)
            case EntryKind.QUESTION_ASKED:
                self._was_asked(entry)
            case EntryKind.DECISION:
                self._answered(record)
            case EntryKind.ASSET_BOUND if entry.data.get("bound_by") == BoundBy.TAG:
                self.label = (str(entry.data.get("lot")), str(entry.data.get("tag")))
            case _:
                pass

    def _stage_ended(self, record: StoredEntry) -> None:
        data = record.entry.data
        passed = data.get("outcome") in (Outcome.PASSED, Outcome.SKIPPED)
        if passed and data.get("stage") == StageName.FINAL_RESET:
            self.reset_at = record.sequence
        if data.get("because") == Reason.HANDSET_CHANGED:
            self.refused |= _came_back_with(data)
        seen_here = evidence_in(record.entry)
        if seen_here is not None:
            self.told_at = record.sequence
        match seen_here:
            case ChipEvidence() as seen:
                self._saw_chip(seen, record)
            case InspectEvidence() as seen if passed:
                self.inspected(seen)
            case GatesEvidence() as seen:
                numbers = (seen.screen_number, seen.second_number)
                self.named |= {number for number in numbers if number and is_imei(number)}
                self.label_number = seen.label_number
            case FindDrawnEvidence() as seen if passed:
                self._found(seen, record.sequence)
            case _:
                pass

    def inspected(self, seen: InspectEvidence) -> None:
        """Learn from what it told over adb."""
        self.told.update(seen.imeis)
        self.sim_slots = seen.sim_slots
        self.models.add(model_key(seen.manufacturer, seen.model))
        if seen.serial:
            self.serials.add(seen.serial)

    def _saw_chip(self, seen: ChipEvidence, record: StoredEntry) -> None:
        if seen.chip is not None:
            self.chips.add(seen.chip)
        is_check = record.entry.data.get("stage") == StageName.FELICA_CHECK
        if is_check and (tied := tied_chip(seen)) is not None:
            self.tied, self.fleet_tied = tied, seen.fleet_chip
        passed = record.entry.data.get("outcome") in (Outcome.PASSED, Outcome.SKIPPED)
        if seen.fleet_chip is not None:
            self.fleet_chips.add(seen.fleet_chip)
            self.fleet_chip = seen.fleet_chip if passed else self.fleet_chip
            if record.entry.data.get("because") != Reason.FELICA_INCONSISTENT:
                self.claimed_chips.add(seen.fleet_chip)
        if seen.source != READER:
            self.looked_by_eye = True
        elif passed or seen.verdict not in _CLEAN:
            self.chip_look = (record.sequence, seen.verdict)

    def _found(self, seen: FindDrawnEvidence, sequence: int) -> None:
        self.rechecks, self.found_sequence = JobId(seen.drawn_job), sequence
        self.said_no = not seen.answer.approved
        if is_imei(seen.screen_number):
            self.named.add(seen.screen_number)
        else:
            self.serials.add(seen.screen_number)

    def _was_asked(self, entry: Entry) -> None:
        gate, facts = entry.data.get("gate"), entry.data.get("facts")
        if gate in IDENTITY_GATES and isinstance(facts, Mapping):
            self._asked = (Gate(str(gate)), str(facts.get("other", "")))

    def _answered(self, record: StoredEntry) -> None:
        data = record.entry.data
        gate, note = data.get("gate"), str(data.get("note", ""))
        if data.get("approved") is not True:
            return
        if gate == Gate.DESTROYED_BEFORE:
            self.let_at = record.sequence
        if gate in _READ_AT:
            self.reads += list(_reads(data, note, record.sequence))
        answer = same_in_note(note)
        if self._asked is not None and gate == self._asked[0] and answer is not None:
            self.answers.append(
                PairAnswer(
                    other=self._asked[1],
                    answer=answer,
                    gate=self._asked[0],
                    sequence=record.sequence,
                )
            )


def _came_back_with(data: Evidence) -> set[str]:
    back = data.get("came_back")
    number = back.get("screen_number") if isinstance(back, Mapping) else None
    return {number} if isinstance(number, str) else set()


def _reads(data: Evidence, note: str, sequence: int) -> Iterator[NumberRead]:
    person = data.get("person")
    for number in imeis_in_text(note):
        yield NumberRead(
            number=number,
            person=person if isinstance(person, str) else None,
            name=str(data.get("operator", "")),
            sequence=sequence,
        )


def model_key(manufacturer: str, model: str) -> str:
    """How a model is spelled where two are compared."""
    return f"{manufacturer.strip()} {model.strip()}".casefold()


def sightings_in(records: Iterable[StoredEntry]) -> list[Sighting]:
    """Every job that these records tell of, in the order of the ledger; raises CertificateGap."""
    seen: dict[JobId, Sighting] = {}
    for record in records:
        job = record.entry.job
        if job is not None:
            seen.setdefault(job, Sighting(job=job, sequence=record.sequence)).take(record)
    return list(seen.values())


def sighting_of(job: JobId, records: Sequence[StoredEntry]) -> Sighting:
    """What all records of one job tell of it and its handset; raises CertificateGap."""
    seen = Sighting(job=job, sequence=records[0].sequence if records else 0)
    for record in records:
        seen.take(record)
    return seen
