"""Which handsets are drawn for an independent recheck, and whether an earlier draw is still owed.

A draw follows from its own number; a handset whose earlier job was drawn and never certified is
drawn for certain, so that running it again doesn't get it out of its recheck.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from benchd.domain.errors import CertificateGap
from benchd.domain.evidence_json import from_json
from benchd.domain.ids import JobId
from benchd.domain.job import StageName
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.evidence.recheck_evidence import DRAW_BYTES, DrawRecord
from benchd.proof.identity.same_handset import Handsets
from benchd.proof.identity.sighting import Sighting, sighting_of, sightings_in
from benchd.proof.identity.traits import Relation

RECHECK_STILL_DUE: Final = "recheck: it was drawn for an independent recheck, which is still due"
"""The one gap that a job has which lacks nothing but its recheck."""


def is_drawn(share: float, token: str, owed: Sequence[str]) -> bool:
    """Whether this number draws a handset of which these draws are owed; of a share of 1, any."""
    return bool(owed) or int(token, 16) < share * (1 << 8 * DRAW_BYTES)


def owed_by(me: Sighting, others: Iterable[StoredEntry]) -> tuple[JobId, ...]:
    """Earlier jobs whose drawn recheck was never passed, of the same handset or of one that may be.

    One that may be another's costs a recheck, and no question.
    """
    handsets = Handsets(me, sightings_in(others))
    may_be = (each for each in handsets.open if each.relation is Relation.MAY_BE)
    owed = {job for each in (handsets.earlier, *may_be) for job in each.owed}
    return tuple(job for job in handsets.in_order if job in owed)


def share_of(records: Sequence[StoredEntry]) -> float:
    """How many of all handsets the recipe of a job draws."""
    opened = next((r.entry for r in records if r.entry.kind is EntryKind.JOB_OPENED), None)
    share = None if opened is None else opened.data.get("recheck_share")
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise CertificateGap(("job_opened: recheck_share isn't a number from 0 to 1",))
    return float(share)


def draw_in(records: Sequence[StoredEntry]) -> DrawRecord | None:
    """The draw among a job's records; raises CertificateGap where there are two, or it is none."""
    draws = [record.entry for record in records if record.entry.kind is EntryKind.RECHECK_DRAWN]
    if len(draws) > 1:
        raise CertificateGap(("recheck_drawn: it was drawn more than once",))
    return from_json(DrawRecord, draws[0].data, draws[0].kind) if draws else None


def draw_gaps(
    job: JobId, records: Sequence[StoredEntry], others: Sequence[StoredEntry]
) -> list[str]:
    """Every gap of a job's draw; `others` are the records of other jobs of its handset."""
    try:
        return _gaps(job, records, others)
    except CertificateGap as gap:
        return list(gap.missing)


def _gaps(job: JobId, records: Sequence[StoredEntry], others: Sequence[StoredEntry]) -> list[str]:
    share, draw, me = share_of(records), draw_in(records), sighting_of(job, records)
    earlier = others if draw is None else [r for r in others if r.sequence < me.draw_sequence]
    owed = owed_by(me, earlier)
    if draw is None:
        return ["recheck_drawn: nobody has drawn whether it is rechecked"] if share or owed else []
    gaps: list[str] = []
    if me.draw_sequence < _confirmed_at(records):
        gaps.append("recheck_drawn: it was drawn before it was confirmed")
    if draw.share != share:
        gaps.append("recheck_drawn: it was drawn by another share than its recipe's")
    if owed and not draw.owed:
        gaps.append(f"recheck_drawn: the recheck of job {owed[0]} is owed")
    if draw.drawn is not is_drawn(draw.share, draw.token, draw.owed):
        gaps.append("recheck_drawn: its number says otherwise")
    return [*gaps, RECHECK_STILL_DUE] if draw.drawn else gaps


def _confirmed_at(records: Sequence[StoredEntry]) -> int:
    """The record that ended the last attempt to confirm; 0 where there is none."""
    return max(
        (
            record.sequence
            for record in records
            if record.entry.kind is EntryKind.STAGE_ENDED
            and record.entry.data.get("stage") == StageName.CONFIRM
        ),
        default=0,
    )
