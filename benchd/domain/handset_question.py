"""What a rack asks the fleet's centre of a handset, and what may come back: reasons to hold it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from benchd.domain.evidence_values import Whole
from benchd.domain.ids import JobId
from benchd.domain.job import StageName

MOST_FINDINGS = 16
"""In one answer."""
MOST_IMEIS = 8
"""In one question."""
LONGEST_WORD = 256
"""Of a serial, a model, or a name in an answer."""


class Elsewhere(StrEnum):
    """Why the centre has a handset held."""

    DOOMED = "doomed"
    """Another rack has sent it to be destroyed."""
    HELD = "held"
    """Another rack has it on hold, and nobody there has released it."""
    RECHECK_OWED = "recheck_owed"
    """It was drawn for a recheck on another rack, which nobody has passed."""
    RUNNING = "running"
    """Another rack is at work on it."""
    WATCH_LISTED = "watch_listed"
    """An administrator of the centre has it on a list."""
    CHIP_SEEN = "chip_seen"
    """Another rack has seen its chip in another handset."""
    OTHER = "other"
    """The centre has signed a reason that this release doesn't read; no centre sends this."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ElsewhereFinding:
    """One reason to hold a handset."""

    kind: Elsewhere
    rack: str | None = None
    """What the centre calls the rack that knows; None for its own list."""
    job: str | None = None
    relation: str | None = None
    """Whether it is certainly the same handset: a word of `proof.identity`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandsetQuestion:
    """Which handset is asked about, by which job, and when in it."""

    job: JobId
    stage: StageName
    imeis: tuple[str, ...] = field(repr=False)
    proven: tuple[str, ...] = field(repr=False)
    """Those of them that don't rest on one person's one look."""
    is_full: bool
    """Whether these are all of its numbers, and each is proven."""
    serial: str | None = field(repr=False)
    model: str | None
    chip: str | None = field(default=None, repr=False)
    """By the hash that a dealer's racks share; None where none was seen, or they share none."""
    chip_tied: bool = False
    """Whether that was seen to be this handset's own."""
    lease: int | None = None
    """The number of the last lease that this job has on record: whoever has got the handset since
    has a larger one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The centre's word that no other rack gets this handset meanwhile."""

    number: Whole
    """Larger than that of any lease before."""
    until: str
    """By the centre's clock, ISO 8601."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the centre has answered to this very question, by its signature."""

    findings: tuple[ElsewhereFinding, ...]
    lease: Lease | None
    reply: str = field(repr=False)
    """The signed answer as it came."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAsked:
    """Nobody has answered, or nothing that could be believed."""

    why: str
    """A word for records, nothing that the other side says."""
