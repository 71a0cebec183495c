"""From a job's records to the one value that a certificate can be made of.

`verify_erasure` reads what the ledger holds, nothing else, and refuses every gap;
`verify_drawn_erasure` does so for a job that was drawn, with its recheck. Only they can make a
`VerifiedErasure`, and only a `VerifiedErasure` can be certified.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from benchd.errors import CertificateGap
from benchd.proof.drawn import RECHECK_STILL_DUE, draw_gaps, draw_in
from benchd.proof.erasure_case import ErasureCase, judged
from benchd.proof.identity.debts import identity_gaps
from benchd.proof.identity.handset import Handsets
from benchd.proof.identity.sighting import sighting_of, sightings_in
from benchd.proof.recheck import DrawnErasure, VerifiedRecheck, up_to_end, verify_recheck
from benchd.proof.since_then import Stay, gaps_since, stay_of_drawn
from benchd.proof.touched import touchers_of
from benchd.proof.typed_network import typed_gaps
from benchd.words.ids import JobId
from benchd.words.record import StoredEntry

_SEAL: Final = object()


class VerifiedErasure:
    """The proof of one erasure without a gap; can be made in this file alone."""

    __slots__ = (
        *("answers", "binding", "draw", "evidence", "former_imeis", "intake", "job"),
        *("read_twice", "recheck", "records", "stages"),
    )

    def __init__(
        self,
        seal: object,
        *,
        job: JobId,
        case: ErasureCase,
        records: Sequence[StoredEntry],
        former_imeis: frozenset[str],
        recheck: VerifiedRecheck | None = None,
    ) -> None:
        if seal is not _SEAL:
            message = "a VerifiedErasure comes from verify_erasure only"
            raise TypeError(message)
        self.job = job
        self.stages = case.stages
        self.evidence = case.evidence
        self.answers = case.answers
        self.binding = case.binding
        """What tied the handset to itself."""
        self.intake = case.intake
        """Which asset it is, and what was settled without asking."""
        self.read_twice = case.read_twice
        """The IMEIs that two people have read on its screen, the second after its last reset."""
        self.former_imeis = former_imeis
        """Those that it had before a repair, by the answer of somebody in charge."""
        self.draw = draw_in(records)
        """Whether it was drawn for a recheck; None where nobody had to draw."""
        self.recheck = recheck
        """The independent recheck that vouches for it, where it was drawn."""
        self.records = (*records, *(recheck.records if recheck else ()))

    def evidence_digest(self) -> str:
        """SHA-256 over the chain hashes of all the records that this proof rests on, as hex."""
        return digest_of(self.records)


def digest_of(records: Iterable[StoredEntry]) -> str:
    """SHA-256 over the chain hashes of these records, as hex."""
    digest = hashlib.sha256()
    for record in records:
        digest.update(bytes.fromhex(record.hash_hex))
    return digest.hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobHeld:
    """A job with all records that the ledger holds of it."""

    job: JobId
    records: Sequence[StoredEntry]


def verify_erasure(
    job: JobId,
    records: Sequence[StoredEntry],
    intake: Sequence[StoredEntry] = (),
    others: Sequence[StoredEntry] = (),
) -> VerifiedErasure:
    """The proof that the job's records hold, else CertificateGap with all that is missing.

    `intake` are the ledger's records of intake from the job's lot on: what a gate cites is
    believed only of them. `others` are those of the handset's other jobs: what they owe counts.
    """
    handsets = Handsets(sighting_of(job, records), sightings_in(others))
    case, gaps = judged(job, records, intake, handsets)
    gaps += [*_since(_stay_of(case, records), intake), *identity_gaps(handsets)]
    gaps += draw_gaps(job, records, others)
    gaps += _typed(job, case, records, others)
    if gaps:
        raise CertificateGap(tuple(gaps))
    return VerifiedErasure(
        _SEAL, job=job, case=case, records=records, former_imeis=handsets.former_imeis
    )


def verify_drawn_erasure(
    drawn: JobHeld, recheck: JobHeld, intake: Sequence[StoredEntry], others: Sequence[StoredEntry]
) -> VerifiedErasure:
    """The same of a job that was drawn, by its own records and those of its recheck."""
    records = up_to_end(drawn.records)
    handsets = Handsets(sighting_of(drawn.job, records), sightings_in(others))
    case, gaps = judged(drawn.job, records, intake, handsets)
    gaps += _since(stay_of_drawn(drawn.job, records), intake)
    gaps += _typed(drawn.job, case, records, others)
    due = draw_gaps(drawn.job, records, others)
    gaps += [gap for gap in due if gap != RECHECK_STILL_DUE]
    if RECHECK_STILL_DUE not in due:
        gaps.append("recheck: the job that it is for wasn't drawn")
    told = DrawnErasure(job=drawn.job, records=records, touchers=touchers_of(records, intake))
    try:
        verified = verify_recheck(told, recheck.job, recheck.records, [*drawn.records, *others])
    except CertificateGap as gap:
        raise CertificateGap((*gaps, *gap.missing)) from gap
    if gaps:
        raise CertificateGap(tuple(gaps))
    return VerifiedErasure(
        _SEAL,
        job=drawn.job,
        case=case,
        records=records,
        former_imeis=handsets.former_imeis,
        recheck=verified,
    )


def _typed(
    job: JobId, case: ErasureCase, records: Sequence[StoredEntry], others: Sequence[StoredEntry]
) -> list[str]:
    return list(typed_gaps(job, records, others, case.intake.book))


def _stay_of(case: ErasureCase, records: Sequence[StoredEntry]) -> Stay:
    hand = case.intake.hand
    return Stay(
        tag=None if hand is None else hand.tag,
        numbers=case.intake.numbers,
        opened=records[0].sequence,
    )


def _since(stay: Stay, intake: Sequence[StoredEntry]) -> list[str]:
    return [f"intake: {gap}" for gap in gaps_since(stay, intake)]
