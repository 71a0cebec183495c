"""What a job is called, and what a handset that never has one is followed by."""

from __future__ import annotations

from datetime import datetime

from benchd.ports import Entropy
from benchd.words.ids import JobId

RANDOM_BYTES = 5


def new_job_id(now: datetime, entropy: Entropy) -> JobId:
    """The day and ten random digits: sorted by time, and never the same twice."""
    return JobId(f"{now:%Y%m%d}-{entropy.token(RANDOM_BYTES).hex()}")
