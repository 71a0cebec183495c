"""Whether the times on a certificate can be compared with each other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchd.certificate.certificate_sentences import Sentence
from benchd.domain.evidence_values import Seconds
from benchd.proof.clock_proof import set_back_s
from benchd.proof.erasure import HandsetErasure


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSection:
    """By how much the rack's clock was set back while the job ran; null where it wasn't."""

    set_back_s: Seconds = 0.0
    says: str | None = None

    @classmethod
    def of(cls, erasure: HandsetErasure) -> ClockSection:
        """From the job's own records."""
        seconds = set_back_s(erasure.records)
        return cls(set_back_s=seconds, says=says_of(seconds))


def says_of(seconds: float) -> str | None:
    """The sentence that the number makes."""
    return Sentence.CLOCK_SET_BACK.format(seconds=seconds) if seconds else None


def gaps_of_clock(section: ClockSection) -> Iterator[str]:
    """A step has to be said in the words for it."""
    if section.says != says_of(section.set_back_s):
        yield "clock.says isn't what the rest of it says"
