"""What a job is called."""

from __future__ import annotations

from datetime import datetime

from benchd.domain.ids import JobId
from benchd.domain.ports import Entropy

RANDOM_BYTES = 5


def new_job_id(now: datetime, entropy: Entropy) -> JobId:
    """The day and ten random digits: sorted by time, and never the same twice."""
    return JobId(f"{now:%Y%m%d}-{entropy.token(RANDOM_BYTES).hex()}")
