"""What other systems are told of jobs, and what they may ask for in return."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from benchd.domain.ids import Evidence, JobId
from benchd.domain.job import Disposition

HOOK_NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,30}[a-z0-9])?")
"""A hook's name: it is a label of metrics too."""
LONGEST_BIN = 64


class HookEventKind(StrEnum):
    """What a hook may be told of."""

    JOB_STARTED = "job_started"
    QUESTION_WAITING = "question_waiting"
    JOB_ENDED = "job_ended"
    DISPOSITION_SETTLED = "disposition_settled"
    HANDSET_GRADED = "handset_graded"


class NextAction(StrEnum):
    """What a receiver may ask for; nothing in it makes a handset more sellable than it is."""

    HOLD = "hold"
    REPRINT = "reprint"
    FREE_SLOT = "free_slot"
    ROUTE = "route"


class NotTaken(StrEnum):
    """Why what was asked for isn't done."""

    STILL_RUNS = "still_runs"
    ON_HOLD = "on_hold"
    """It would let a handset go that the rack, a person or an earlier answer holds."""
    UNKNOWN_BIN = "unknown_bin"
    """The configuration lists no such bin for a handset of this disposition."""
    NOT_UNDERSTOOD = "not_understood"


@dataclass(frozen=True, slots=True, kw_only=True)
class HookTerms:
    """What one hook hears, and which bins it may name for which handsets."""

    name: str
    events: frozenset[HookEventKind]
    lots: frozenset[str] = frozenset()
    """None of them named is all, those without a lot too."""
    dispositions: frozenset[Disposition] = frozenset()
    """None of them named is all, what has no disposition yet too."""
    bins: Mapping[Disposition, Collection[str]]
    give_up_s: float
    """Seconds of waiting between tries after which an event is laid aside for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Direction:
    """What a receiver has asked for a job's handset, as it stands in the ledger."""

    hook: str
    sequence: int
    """Of the record that it was told of."""
    job: JobId
    action: NextAction | None
    """None where it wasn't understood."""
    bin: str | None
    refused: NotTaken | None
    """Why it isn't done; None where it counts."""

    @property
    def counts(self) -> bool:
        """Whether it is to be done."""
        return self.refused is None


def record_of_direction(told: Direction, event_id: str) -> Evidence:
    """A direction as the ledger keeps it."""
    return {
        "hook": told.hook,
        "event": event_id,
        "sequence": told.sequence,
        "job": told.job,
        "next_action": told.action,
        "bin": told.bin,
        "refused": told.refused,
    }


def direction_in(data: Evidence) -> Direction | None:
    """What such a record tells; None where it isn't of its form."""
    match data:
        case {
            "hook": str() as hook,
            "sequence": int() as sequence,
            "job": str() as job,
            "next_action": (str() | None) as action,
            "bin": (str() | None) as place,
            "refused": (str() | None) as refused,
        }:
            pass
        case _:
            return None
    try:
        return Direction(
            hook=hook,
            sequence=sequence,
            job=JobId(job),
            action=None if action is None else NextAction(action),
            bin=place,
            refused=None if refused is None else NotTaken(refused),
        )
    except ValueError:
        return None
