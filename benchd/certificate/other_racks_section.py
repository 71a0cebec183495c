"""Whether other racks were asked about the handset; their answer only ever holds one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from benchd.certificate.certificate_sentences import Sentence
from benchd.domain.evidence_values import Moment, Said
from benchd.proof.erasure import HandsetErasure


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherRacksSection:
    """When the fleet's centre last answered, right before the certificate; null where it didn't."""

    asked_at: Moment | None
    says: Said

    @classmethod
    def of(cls, erasure: HandsetErasure) -> OtherRacksSection:
        """From the answers on record."""
        at = erasure.others_asked_at
        sentence = Sentence.OTHER_RACKS_NOT_ASKED if at is None else Sentence.OTHER_RACKS_ASKED
        return cls(asked_at=at, says=sentence.value)


def gaps_of_other_racks(section: OtherRacksSection, issued_at: Moment) -> Iterator[str]:
    """Whether it says no more than that they were asked."""
    asked = section.asked_at is not None
    said = Sentence.OTHER_RACKS_ASKED if asked else Sentence.OTHER_RACKS_NOT_ASKED
    if section.says != said:
        yield "other_racks.says isn't what the rest of it says"
    if section.asked_at is not None and section.asked_at > issued_at:
        yield "it was issued before the other racks were asked"
