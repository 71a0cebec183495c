"""The chip at a recheck: looked at by the drawn job's own means, and the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchd.domain.chip import ChipVerdict
from benchd.domain.errors import CertificateGap
from benchd.domain.job import Gate, StageName
from benchd.domain.record import StoredEntry
from benchd.proof.evidence.chip_evidence import OPERATOR, READER, ChipEvidence
from benchd.proof.job_records import DecisionRecord, stage_records


def chip_before(records: Sequence[StoredEntry]) -> ChipEvidence:
    """The drawn job's own last word on its chip; raises CertificateGap where there is none."""
    looks = [a for a in stage_records(records) if a.stage is StageName.FELICA_RECHECK]
    evidence = looks[-1].evidence() if looks else None
    if not isinstance(evidence, ChipEvidence):
        raise CertificateGap(("felica_recheck: what it saw isn't on record",))
    return evidence


def by_eye(before: ChipEvidence) -> bool:
    """Whether the drawn job's chip was looked at on the handset's own screen."""
    return before.source == OPERATOR


def chip_differs(before: ChipEvidence, again: ChipEvidence) -> Iterator[str]:
    """Why a look by a reader contradicts the drawn job's; silence alone contradicts nothing."""
    if again.verdict is ChipVerdict.SILENT and again.chip is None:
        return
    if again.verdict is not ChipVerdict.UNUSED:
        yield "the chip isn't unused"
    # What was looked at by eye has no number to be compared with.
    if again.chip is None or (not by_eye(before) and again.chip != before.chip):
        yield "it was another chip than the drawn job's"
    if any(system.residue for system in again.systems) or again.owners_en or again.owners_ja:
        yield "something is left in the chip"
    if not again.baseline or not again.systems:
        yield "it isn't known what an unused chip was taken to look like"


def chip_again_gaps(
    drawn: Sequence[StoredEntry], again: ChipEvidence | None, answers: Sequence[DecisionRecord]
) -> Iterator[str]:
    """By a reader, or by eye where the drawn job had nothing else; raises CertificateGap."""
    before = chip_before(drawn)
    if again is None:
        yield "nobody has looked at the chip again"
    elif again.source == READER:
        yield from chip_differs(before, again)
        if not again.power_cycled:
            yield "the reader's field wasn't off before"
        if by_eye(before) and again.verdict is ChipVerdict.SILENT:
            yield "the chip was silent, and nobody has looked at it by eye as before"
    elif again.source != OPERATOR or not by_eye(before):
        yield "the chip wasn't looked at by a reader, as the drawn job's was"
    else:
        told = [answer for answer in answers if answer.gate is Gate.RECHECK_CHIP]
        if again.verdict is not ChipVerdict.UNUSED or not told or not told[-1].approved:
            yield "nobody has answered that the chip is unused"
