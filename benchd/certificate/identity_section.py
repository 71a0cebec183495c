"""Which handset a certificate is about, how its number is known, and by whom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from benchd.certificate.certificate_sentences import Sentence
from benchd.certificate.trust_section import TrustedSection
from benchd.domain.evidence_values import Said
from benchd.proof.binding import Known
from benchd.proof.erasure import HandsetErasure

_KNOWN: Final = (Sentence.IMEI_TOLD, Sentence.IMEI_READ_BY_TWO)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandsetSection:
    """Which handset it is about, with all its proven numbers and how they are known."""

    manufacturer: Said
    model: Said
    serial: Said
    imei: str | None
    android: Said
    build: Said
    second_imei: str | None
    imei_known_by: Said | None
    former_imeis: tuple[str, ...]
    """Those that it had before a repair, by a supervisor's answer."""

    @classmethod
    def of(cls, erasure: HandsetErasure) -> HandsetSection:
        """From the inspection, else from what two people have read on its screen."""
        inspect = erasure.evidence.inspect
        by_people = Known.of(erasure.evidence).by_people
        read = sorted(erasure.read_twice) if by_people else []
        numbers = [*inspect.imeis, *read, None, None]
        known = Sentence.IMEI_READ_BY_TWO if by_people else Sentence.IMEI_TOLD
        return cls(
            manufacturer=inspect.manufacturer,
            model=inspect.model,
            serial=inspect.serial,
            imei=numbers[0],
            android=inspect.android,
            build=inspect.build,
            second_imei=numbers[1],
            imei_known_by=known.value if numbers[0] else None,
            former_imeis=tuple(sorted(erasure.former_imeis)),
        )


def gaps_of_identity(handset: HandsetSection, trusted: TrustedSection) -> Iterator[str]:
    """Whether what is said of the number fits the rest: no number without how it is known."""
    if (handset.imei is None) is not (handset.imei_known_by is None):
        yield "handset.imei_known_by doesn't fit handset.imei"
    if handset.imei_known_by is not None and handset.imei_known_by not in _KNOWN:
        yield "handset.imei_known_by isn't what the rest of it says"
    if handset.second_imei is not None and handset.second_imei == handset.imei:
        yield "handset.second_imei is the first one"
    by_people = handset.imei_known_by == Sentence.IMEI_READ_BY_TWO
    if trusted.number != (Sentence.NUMBER_BY_PEOPLE if by_people else None):
        yield "trusted.number isn't what the rest of it says"
