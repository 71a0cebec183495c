"""Which stages make an erasure, in which order, and who has to have approved it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from benchd.domain.job import Gate, Outcome, StageName
from benchd.proof.chip_proof import SKIPPED_FOR
from benchd.proof.job_records import DecisionRecord, StageRecord

REQUIRED_STAGES: Final = (
    StageName.INSPECT,
    StageName.GATES,
    StageName.FELICA_CHECK,
    StageName.INITIALISE,
    StageName.OVERWRITE,
    StageName.READ_BACK,
    StageName.FELICA_CLEAR,
    StageName.FELICA_RECHECK,
    StageName.FINAL_RESET,
    StageName.OBSERVE,
    StageName.CONFIRM,
)
"""An erasure is these, in this order; a recipe that leaves one out can't be certified."""

ARRIVED_RESET: Final = "arrived_reset"
RECHECK_DUE: Final = "recheck_due"
NO_OWN_ERASE: Final = "no_own_erase"
SKIPPABLE: Final[Mapping[StageName, frozenset[str]]] = {
    StageName.INITIALISE: frozenset({ARRIVED_RESET}),
    StageName.FELICA_ERASE: frozenset({*SKIPPED_FOR, NO_OWN_ERASE}),
    StageName.FELICA_CLEAR: frozenset(SKIPPED_FOR),
    StageName.CERTIFY: frozenset({RECHECK_DUE}),
}
"""Which stages may be skipped, and for which reasons only."""

REQUIRED_APPROVALS: Final = (
    Gate.CONSENT,
    Gate.JPKI,
    Gate.NETWORK,
    Gate.FINAL_RESET,
    Gate.OBSERVE,
    Gate.CONFIRM,
)
"""What a person has to approve in every job; what the chip needs depends on who looked at it."""


def stage_gaps(
    stages: Mapping[StageName, StageRecord],
    required: Sequence[StageName],
    skippable: Mapping[StageName, frozenset[str]],
) -> list[str]:
    """Stages that haven't passed, were skipped for no good reason, or came in another order."""
    gaps: list[str] = []
    for stage, record in stages.items():
        if record.outcome is Outcome.SKIPPED:
            if record.skipped_because not in skippable.get(stage, frozenset()):
                gaps.append(f"{stage}: skipped because of {record.skipped_because}")
        elif record.outcome is not Outcome.PASSED:
            gaps.append(f"{stage}: its last attempt ended as {record.outcome}")
    order = [stages[stage].ended_sequence for stage in required if stage in stages]
    if order != sorted(order):
        gaps.append("the stages were not run in the order that makes a proof")
    return gaps


def order_gaps(
    attempts: Sequence[StageRecord], stages: Mapping[StageName, StageRecord]
) -> list[str]:
    """The same of a handset's erasure, which nothing may have changed after its read-back."""
    gaps = stage_gaps(stages, REQUIRED_STAGES, SKIPPABLE)
    erase, reset = stages.get(StageName.FELICA_ERASE), stages.get(StageName.INITIALISE)
    if erase is not None and reset is not None and erase.ended_sequence > reset.started_sequence:
        gaps.append(f"{StageName.FELICA_ERASE}: it came after the first reset")
    read_back = stages.get(StageName.READ_BACK)
    if read_back is not None:
        gaps += [
            f"{attempt.stage}: ran again after the read-back"
            for attempt in attempts
            if attempt.stage in (StageName.OVERWRITE, StageName.INITIALISE)
            and attempt.started_sequence > read_back.started_sequence
        ]
    return gaps


def approval_gaps(
    answers: Sequence[DecisionRecord],
    unneeded: Collection[Gate] = (),
    required: Sequence[Gate] = REQUIRED_APPROVALS,
) -> list[str]:
    """What nobody has approved, or somebody has turned down in the end.

    At the gates of `unneeded` nobody need have been asked; a no counts there too.
    """
    approved = {answer.gate for answer in answers if answer.approved}
    latest = {answer.gate: answer.approved for answer in answers}
    gaps = [
        f"{gate}: nobody has approved it"
        for gate in required
        if gate not in approved and gate not in unneeded
    ]
    gaps += [f"{gate}: the last answer was no" for gate in required if not latest.get(gate, True)]
    return gaps
