"""The parts of a certificate that say how far the rest can be trusted, beside their evidence."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from benchd.certificate.certificate_sentences import Sentence
from benchd.domain.evidence_values import OneOrMore, Positive, Said, Whole
from benchd.proof.binding import STRONG, Known, Tie
from benchd.proof.erasure import HandsetErasure
from benchd.proof.evidence.chip_evidence import READER
from benchd.proof.evidence.handset_evidence import InspectEvidence
from benchd.proof.evidence.storage_evidence import OverwriteEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedSection:
    """What is taken from the handset's own system and how it was read, and what from people alone.

    Null where the system is silent.
    """

    verified_boot_state: str | None
    bootloader_locked: bool | None
    security_patch: str | None
    read_by: Said
    number: Said | None
    """That its number rests on two people's reading; null where its system told it."""

    @classmethod
    def of(cls, erasure: HandsetErasure) -> TrustedSection:
        """From the inspection, and from who told its number."""
        inspect = erasure.evidence.inspect
        by_people = Known.of(erasure.evidence).by_people
        return cls(
            verified_boot_state=inspect.verified_boot_state,
            bootloader_locked=inspect.bootloader_locked,
            security_patch=inspect.security_patch,
            read_by=Sentence.READ_BY.value,
            number=Sentence.NUMBER_BY_PEOPLE.value if by_people else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NotWrittenSection:
    """How much of the storage couldn't be overwritten; never by whom it was used."""

    at_inspection_bytes: Whole
    at_overwrite_bytes: Whole
    reserved_bytes: Whole
    free_after_overwrite_bytes: Whole

    @classmethod
    def of(cls, inspect: InspectEvidence, overwrite: OverwriteEvidence) -> NotWrittenSection:
        """From the inspection, and from the file system before and after the overwrite."""
        return cls(
            at_inspection_bytes=inspect.used_bytes,
            at_overwrite_bytes=overwrite.used_bytes_before,
            reserved_bytes=overwrite.reserved_bytes,
            free_after_overwrite_bytes=overwrite.free_bytes_after,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TieSection:
    """One kind of tie, and the newest record in which it was seen."""

    tie: Tie
    strong: bool
    last_seen_sequence: Positive


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingSection:
    """Every tie that was seen, and how often the handset came back; no number itself."""

    bound_by: OneOrMore[TieSection]
    returns: Whole

    @classmethod
    def of(cls, erasure: HandsetErasure) -> BindingSection:
        """From the chain that the proof has followed."""
        seen = sorted(erasure.binding.last_seen.items())
        return cls(
            bound_by=tuple(
                TieSection(tie=tie, strong=tie in STRONG, last_seen_sequence=sequence)
                for tie, sequence in seen
            ),
            returns=erasure.binding.returns,
        )


_AT_THE_END: Final[Mapping[Tie, Sentence]] = {
    Tie.CHIP: Sentence.BOUND_BY_TIED_CHIP,
    Tie.SCREEN_IMEI: Sentence.BOUND_BY_SCREEN_IMEI,
    Tie.SCREEN_SERIAL: Sentence.BOUND_BY_SCREEN_SERIAL,
}


def bound_by(erasure: HandsetErasure) -> tuple[str, ...]:
    """All that ties the evidence to one handset."""
    evidence, binding = erasure.evidence, erasure.binding
    bonds = [Sentence.BOUND_BY_KEYSTREAM]
    if evidence.felica_check.source == READER and evidence.felica_check.chip is not None:
        bonds.append(Sentence.BOUND_BY_CHIP)
    if evidence.felica_clear is not None:
        bonds.append(Sentence.BOUND_BY_ANDROID_ID)
    bonds += [sentence for tie, sentence in _AT_THE_END.items() if tie in binding.last_seen]
    return tuple(bond.value for bond in bonds)


def trusts_reader(bound_by: Collection[str]) -> bool:
    """Whether a chip was read that nothing has shown to be in this handset."""
    return Sentence.BOUND_BY_CHIP in bound_by and Sentence.BOUND_BY_TIED_CHIP not in bound_by
