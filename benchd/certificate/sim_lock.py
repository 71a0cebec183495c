"""What a certificate says of a lock on the SIMs that a handset takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from benchd.proof.evidence.handset import InspectEvidence
from benchd.proof.evidence.values import Said


@dataclass(frozen=True, slots=True, kw_only=True)
class SimLockSection:
    """Whether it is known to take the SIMs of one carrier only; nothing tells that it doesn't."""

    state: Literal["locked", "unknown"]
    source: Said | None
    """What told that; null where nothing did."""

    @classmethod
    def of(cls, inspect: InspectEvidence) -> SimLockSection:
        """From the inspection."""
        if not inspect.sim_lock:
            return cls(state="unknown", source=None)
        return cls(state="locked", source=inspect.sim_lock_source)


def gaps_of_sim_lock(told: SimLockSection) -> Iterator[str]:
    """What is known has a source, and nothing else has one."""
    if (told.source is None) is not (told.state == "unknown"):
        yield "sim_lock: its source doesn't fit what it says"
