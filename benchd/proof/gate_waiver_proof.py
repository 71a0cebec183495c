"""What is still missing where a gate was settled without asking anybody in the job.

"Not needed" is believed only of the record that shows it, a citation only of the records of intake
themselves, with all that was withdrawn until now.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from benchd.domain.chip import ChipVerdict
from benchd.domain.evidence_json import from_json
from benchd.domain.ids import JobId
from benchd.domain.intake import AttestationKind, BoundBy, LotId, NotNeeded, Tag
from benchd.domain.job import Gate, Outcome, StageName
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.attestation import list_of_lot
from benchd.proof.citation import AssetInHand, CitedWhen, Numbers, cited_gaps, doubts
from benchd.proof.evidence.chip_evidence import ChipEvidence
from benchd.proof.evidence.clock_evidence import TimeBasis
from benchd.proof.evidence.handset_evidence import GatesEvidence, InspectEvidence
from benchd.proof.evidence.intake_evidence import BoundRecord, CitedAttestation, WaivedGate
from benchd.proof.evidence.job_evidence import ErasureEvidence
from benchd.proof.identity.same_handset import Handsets
from benchd.proof.intake_book import IntakeBook, about
from benchd.proof.job_records import DecisionRecord, StageRecord
from benchd.proof.network import RESTRICTED
from benchd.proof.record_subject import imeis_in, seen_in
from benchd.proof.time_basis import time_gaps

SPARED_BY: Final[Mapping[ChipVerdict, NotNeeded]] = MappingProxyType(
    {ChipVerdict.UNUSED: NotNeeded.CHIP_UNUSED, ChipVerdict.NO_CHIP: NotNeeded.NO_CHIP}
)
"""What the look at the chip has to have found for nobody to be asked for the owner's consent."""
LISTED_TO: Final = timedelta(minutes=1)
"""How exactly a list tells when a number was looked up; within it nobody's answer is the newer."""


def bound_in(records: Sequence[StoredEntry]) -> BoundRecord | None:
    """Which asset a job's own records say that its handset is; the last word counts."""
    bound = [record.entry for record in records if record.entry.kind is EntryKind.ASSET_BOUND]
    return from_json(BoundRecord, bound[-1].data, "asset_bound") if bound else None


def confirmations_in(records: Iterable[StoredEntry]) -> Iterator[int]:
    """The records by which a job's citations say that somebody has confirmed the time."""
    for record in records:
        match seen_in(record.entry, (StageName.GATES, StageName.FELICA_CHECK)):
            case GatesEvidence(settled=settled, required=required):
                times = [each.time for each in (*settled, *required)]
            case ChipEvidence(settled=WaivedGate() as settled):
                times = [settled.time]
            case _:
                continue
        yield from (
            time.confirmed for time in times if time is not None and time.confirmed is not None
        )


def numbers_of(
    inspect: InspectEvidence,
    gates: GatesEvidence | None,
    *,
    read_twice: frozenset[str] = frozenset(),
    certified_at: int = 0,
) -> Numbers:
    """What is known of the handset by its own word, or by its own screen."""
    told = frozenset(inspect.imeis)
    by_label = gates.label_number if gates else None
    return Numbers(
        imeis=told | imeis_in(gates),
        serial=inspect.serial or None,
        proven=told | read_twice | frozenset(filter(None, (by_label,))),
        certified_at=certified_at,
    )


def _look_ups(intake: Sequence[StoredEntry]) -> Iterator[StoredEntry]:
    return (record for record in intake if record.entry.kind is EntryKind.NETWORK_LISTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class WaiverCase:
    """What a job and the records of intake say of gates that nobody was asked at."""

    evidence: ErasureEvidence
    stages: Mapping[StageName, StageRecord]
    answers: Sequence[DecisionRecord]
    records: Sequence[StoredEntry]
    numbers: Numbers
    hand: AssetInHand | None
    book: IntakeBook
    intake: Sequence[StoredEntry]
    """The records of intake themselves, those of other assets included."""

    @classmethod
    def of(
        cls,
        job: JobId,
        evidence: ErasureEvidence,
        stages: Mapping[StageName, StageRecord],
        answers: Sequence[DecisionRecord],
        records: Sequence[StoredEntry],
        intake: Sequence[StoredEntry],
        handsets: Handsets,
    ) -> WaiverCase:
        """Of one job; raises CertificateGap for records of intake that can't be read."""
        told = bound_in(records)
        certified_by = handsets.earlier.certified_by
        known = numbers_of(
            evidence.inspect,
            evidence.gates,
            read_twice=handsets.me.read_twice,
            certified_at=certified_by.end_sequence if certified_by else 0,
        )
        numbers = replace(known, proven=known.proven - handsets.disputed_imeis)
        hand = None if told is None else AssetInHand(job=job, told=told, numbers=numbers)
        if told is None:
            mine = _look_ups(intake)
        else:
            mine = about(intake, LotId(told.lot), Tag(told.tag), numbers.imeis)
        return cls(
            evidence=evidence,
            stages=stages,
            answers=answers,
            records=records,
            numbers=numbers,
            hand=hand,
            book=IntakeBook.of(mine),
            intake=intake,
        )

    @property
    def asset(self) -> AssetInHand | None:
        """The asset that the handset is without a doubt."""
        return None if self.hand is None or doubts(self.book, self.hand) else self.hand

    @property
    def settled(self) -> Mapping[Gate, WaivedGate]:
        """By gate."""
        at_check = self.evidence.felica_check.settled
        found = (*self.evidence.gates.settled, *((at_check,) if at_check else ()))
        return {settled.gate: settled for settled in found}

    @property
    def unasked_reset(self) -> bool:
        """Whether the port told of the last reset before anybody did."""
        return self.evidence.final_reset.answer is None

    def needs_no_answer(self) -> frozenset[Gate]:
        """The gates that nobody need have answered, if `waiver_gaps` finds nothing."""
        reset = (Gate.FINAL_RESET,) if self.unasked_reset else ()
        return frozenset((*self.settled, *reset))


def waiver_gaps(case: WaiverCase) -> list[str]:
    """Every gap of the gates that were settled, and of when consent was."""
    gaps = [
        f"{gate}: {gap}"
        for gate, settled in case.settled.items()
        for gap in _of_gate(case, gate, settled)
    ]
    gaps += [
        f"{each.kind}: {gap}"
        for each in case.evidence.gates.required
        for gap in _of_citation(case, StageName.GATES, each.kind, each.cited, each.time)
    ]
    return [*gaps, *_of_label(case), *_of_restriction(case), *_of_time(case)]


def _of_label(case: WaiverCase) -> Iterator[str]:
    """A number that papers bear out: those of the asset whose label was scanned, and no others."""
    number = case.evidence.gates.label_number
    if number is None:
        return
    told = None if case.hand is None else case.hand.told
    asset = None if told is None else case.book.assets.get(Tag(told.tag))
    scanned = told is not None and told.bound_by is BoundBy.TAG and told.by is not None
    if not scanned or asset is None or asset.line.imei != number:
        yield "gates: no label's papers name the number that was read"


def _of_gate(case: WaiverCase, gate: Gate, settled: WaivedGate) -> Iterator[str]:
    if (settled.cited is None) is (settled.not_needed is None):
        yield "it isn't on record why nobody was asked"
    if settled.not_needed is not None and not _spares(case, gate, settled.not_needed):
        yield f"nothing on record shows that it wasn't needed ({settled.not_needed})"
    if settled.cited is None:
        return
    at_check = case.evidence.felica_check.settled
    of_check = at_check is not None and at_check.gate is gate
    stage = StageName.FELICA_CHECK if of_check else StageName.GATES
    yield from _of_citation(case, stage, gate, settled.cited, settled.time)


def _of_citation(
    case: WaiverCase,
    name: StageName,
    what: Gate | AttestationKind,
    cited: CitedAttestation,
    time: TimeBasis | None,
) -> Iterator[str]:
    """What is wrong with a record of intake that this stage has cited."""
    if case.hand is None:
        yield "something was cited for a handset that is no asset"
        return
    if cited.tag != case.hand.tag or cited.lot != case.hand.told.lot:
        yield "something was cited for another asset"
    stage = case.stages[name]
    if cited.sequence >= stage.ended_sequence:
        yield "something was cited that didn't stand there yet"
    yield from _of_list(case, cited)
    if time is None:
        yield "it isn't on record by which time it was cited"
        return
    when = CitedWhen(at=time.at, after=time.after)
    yield from cited_gaps(case.book, case.hand, what, cited, when=when)
    between = (stage.started_sequence, stage.ended_sequence)
    at_hand = (*case.records, *case.intake)
    yield from time_gaps(time, between, at_hand, case.book.time_confirmed)


def _of_list(case: WaiverCase, cited: CitedAttestation) -> Iterator[str]:
    """Whether a whole lot is the list that its attestation has named."""
    stated = case.book.attested.get(cited.sequence) if cited.whole_lot else None
    if stated is not None and list_of_lot(case.intake, stated.lot, stated.upto) != stated.named:
        yield f"record {cited.sequence} is about another list than its lot has"


def _spares(case: WaiverCase, gate: Gate, because: NotNeeded) -> bool:
    """Whether another record shows what makes the question needless."""
    match gate:
        case Gate.JPKI:
            incapable = case.evidence.inspect.jpki_capable is False
            return because is NotNeeded.JPKI_NOT_CAPABLE and incapable
        case Gate.CONSENT:
            cleared = case.stages[StageName.FELICA_CLEAR].outcome is not Outcome.SKIPPED
            found = SPARED_BY.get(case.evidence.felica_check.verdict)
            return because is found and not cleared
        case _:
            return False


def _of_restriction(case: WaiverCase) -> Iterator[str]:
    """A list that came in since somebody answered may forbid the sale all the same."""
    newest = case.book.newest_look_up(case.numbers.imeis)
    asked = [answer.at for answer in case.answers if answer.gate is Gate.NETWORK]
    if newest is None or newest.line.sign != RESTRICTED:
        return
    if not asked or newest.line.at + LISTED_TO > asked[-1]:
        yield f"{Gate.NETWORK}: the newest look-up forbids a sale"


def _of_time(case: WaiverCase) -> Iterator[str]:
    """Consent comes before anything is gone, not after."""
    reset = case.stages[StageName.INITIALISE]
    if Gate.CONSENT in case.settled:
        return
    given = [
        record.sequence
        for record in case.records
        if record.entry.kind is EntryKind.DECISION
        and record.entry.data.get("gate") == Gate.CONSENT
        and record.entry.data.get("approved") is True
    ]
    if given and min(given) > reset.started_sequence:
        yield f"{Gate.CONSENT}: nobody had approved it when the handset was reset"
