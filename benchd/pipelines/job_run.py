"""One run of a recipe: what it is called, and where it stands."""

from __future__ import annotations

from benchd.domain.ids import JobId
from benchd.domain.job import JOB_MOVES, JobState


class Job:
    """Changes its state by allowed moves only; once ended, it stays ended."""

    def __init__(self, job_id: JobId) -> None:
        self.id = job_id
        self.state = JobState.RUNNING

    def move(self, state: JobState) -> None:
        """Go to another state; RuntimeError if the table doesn't allow it."""
        if state is not self.state and state not in JOB_MOVES[self.state]:
            message = f"job {self.id} can't go from {self.state} to {state}"
            raise RuntimeError(message)
        self.state = state

    @property
    def ended(self) -> bool:
        """Whether its end is in the ledger."""
        return self.state is JobState.ENDED
