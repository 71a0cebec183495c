"""What ties the handset of a recheck to its drawn job, and that it came soon enough.

Whoever rechecks names the handset by its number, which they may have from its papers: where no
machine knows it again, a second person reads its screen, or its label is scanned in that slot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from benchd.domain.chip import ChipVerdict
from benchd.domain.intake import BoundBy
from benchd.domain.person_names import same_person
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.binding import NUMBER_GATES, screen_number
from benchd.proof.evidence.chip_evidence import READER, ChipEvidence
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.evidence.recheck_evidence import FindDrawnEvidence
from benchd.proof.floors import MOST_DAYS_TO_RECHECK
from benchd.proof.gate_waiver_proof import bound_in
from benchd.proof.identity.placeholder_serials import is_filler
from benchd.proof.recheck_chip import chip_before


def is_known_again(
    drawn: Sequence[StoredEntry], found: FindDrawnEvidence, chip: ChipEvidence | None
) -> bool:
    """Whether USB tells the drawn job's serial, or a reader its chip; raises CertificateGap."""
    serial = drawn[0].entry.data.get("usb_serial")
    if isinstance(serial, str) and not is_filler(serial) and found.usb_serial == serial:
        return True
    before = chip_before(drawn)
    return (
        chip is not None
        and chip.verdict is ChipVerdict.UNUSED
        and chip.chip is not None
        and (chip.source, chip.chip) == (before.source, before.chip)
        and before.source == READER
    )


def label_was_scanned(drawn: Sequence[StoredEntry], records: Sequence[StoredEntry]) -> bool:
    """Whether the label of the drawn job's asset was scanned at the recheck."""
    before, here = bound_in(drawn), bound_in(records)
    return (
        before is not None
        and here is not None
        and here.bound_by is BoundBy.TAG
        and (here.lot, here.tag) == (before.lot, before.tag)
    )


def is_anothers(answer: DecisionEvidence, rechecker: DecisionEvidence) -> bool:
    """Whether it is of somebody else than whoever rechecked."""
    return answer.person != rechecker.person and not same_person(
        answer.operator, rechecker.operator
    )


def tie_gaps(
    drawn: Sequence[StoredEntry],
    records: Sequence[StoredEntry],
    found: FindDrawnEvidence,
    chip: ChipEvidence | None,
    answers: Sequence[DecisionEvidence],
) -> Iterator[str]:
    """Whether more than one person's word ties them; raises CertificateGap."""
    if is_known_again(drawn, found, chip) or label_was_scanned(drawn, records):
        return
    readings = {
        screen_number(answer.gate, answer.note)
        for answer in answers
        if answer.gate in NUMBER_GATES and answer.approved and is_anothers(answer, found.answer)
    }
    if found.screen_number not in readings:
        yield "recheck: nothing but one person's word ties its handset to the drawn job"


def is_too_late(drawn: Sequence[StoredEntry], at: datetime, days: int) -> bool:
    """Whether its draw lies further back than so many days, or isn't before at all."""
    draws = [r.entry.at for r in drawn if r.entry.kind is EntryKind.RECHECK_DRAWN]
    return not draws or not timedelta(0) <= at - draws[-1] <= timedelta(days=days)


def lateness_gaps(drawn: Sequence[StoredEntry], found: FindDrawnEvidence) -> Iterator[str]:
    """Whether it was rechecked while its draw counted."""
    if is_too_late(drawn, found.answer.at, MOST_DAYS_TO_RECHECK):
        yield f"recheck: its draw is older than {MOST_DAYS_TO_RECHECK} days"
