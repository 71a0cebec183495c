"""The record of what has become of a handset: who says so, and by which papers."""

from __future__ import annotations

from dataclasses import dataclass

from benchd.domain.disposal import DisposalState, Settling
from benchd.domain.evidence_values import Said
from benchd.domain.people import Actor, ShownBy


@dataclass(frozen=True, slots=True, kw_only=True)
class DisposalEvidence:
    """One move of one job's handset; `before` and `to` are the states it lies between."""

    before: DisposalState
    to: DisposalState
    person: Said
    name: Said
    shown_by: ShownBy
    source: str
    note: str
    recycler: str | None
    number: str | None
    batch: str | None
    done_on: str | None
    later_job: str | None

    @classmethod
    def of(cls, before: DisposalState, settling: Settling, actor: Actor) -> DisposalEvidence:
        """What somebody said, as it is put on record."""
        return cls(
            before=before,
            to=settling.to,
            person=actor.person,
            name=actor.name,
            shown_by=actor.shown_by,
            source=actor.source,
            note=settling.note,
            recycler=settling.recycler,
            number=settling.number,
            batch=settling.batch,
            done_on=settling.done_on.isoformat() if settling.done_on else None,
            later_job=settling.later_job,
        )
