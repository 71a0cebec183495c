"""The state machine of a job: one run of a recipe, where it stands and where it may go."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from benchd.domain.ids import JobId
from benchd.domain.job import JobState

JOB_MOVES: Mapping[JobState, frozenset[JobState]] = MappingProxyType(
    {
        JobState.RUNNING: frozenset(
            {JobState.AWAITING_OPERATOR, JobState.REPLUGGING, JobState.ENDED}
        ),
        JobState.AWAITING_OPERATOR: frozenset(
            {JobState.RUNNING, JobState.REPLUGGING, JobState.ENDED}
        ),
        JobState.REPLUGGING: frozenset(
            {JobState.RUNNING, JobState.AWAITING_OPERATOR, JobState.ENDED}
        ),
        JobState.ENDED: frozenset(),
    }
)


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
