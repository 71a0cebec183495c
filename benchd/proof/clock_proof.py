"""Whether the clock was set back while a job ran: its times can't be compared then."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from benchd.domain.evidence_json import from_json
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.evidence.clock_evidence import ClockStepEvidence

STEP_S: Final = 1.0
"""Less than this no clock steps: a clock that is kept right is slewed by milliseconds."""


def set_back_s(records: Sequence[StoredEntry]) -> float:
    """By how many seconds in all: as the watch has noticed it, or as the times themselves show.

    The latter finds a step that came too late in the job for any watch. Raises CertificateGap
    for a record of a step that can't be understood.
    """
    noticed = sum(
        from_json(ClockStepEvidence, record.entry.data, record.entry.kind).set_back_s
        for record in records
        if record.entry.kind is EntryKind.CLOCK_STEPPED
    )
    times = [record.entry.at for record in records]
    drops = [(before - after).total_seconds() for before, after in pairwise(times)]
    return max(noticed, sum(drop for drop in drops if drop >= STEP_S))
