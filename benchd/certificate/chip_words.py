"""What a certificate says of the FeliCa chip, and what keeps it from being a certificate's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from benchd.certificate.sentences import Sentence
from benchd.proof.chip import SEEN_BASELINES
from benchd.proof.evidence.chip import OPERATOR, READER
from benchd.proof.evidence.values import Said, Texts
from benchd.words.chip import ChipVerdict

UNKNOWN_KIND: Final = "unknown"
_SOURCES_OF_NO_CHIP: Final = (
    Sentence.READER_SILENT.value,
    Sentence.HANDSET_NOT_CAPABLE.value,
    Sentence.OPERATOR_NO_CHIP.value,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipWords:
    """What the chip was found to be, by whom, and on what that rests: the same in every form."""

    check: Said
    clear: Said
    recheck: Literal[ChipVerdict.UNUSED, ChipVerdict.NO_CHIP]
    source: Literal["reader", "operator"]
    sources: Texts
    baseline: str | None
    baseline_kind: str | None
    basis: Said


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipWording:
    """How one form of the certificate says what its words on a chip rest on."""

    of_kind: Mapping[str, str]
    """By the kind of picture that it was compared with."""
    by_eye: str
    no_chip: str

    def basis(self, source: str, verdict: ChipVerdict, kind: str | None) -> str:
        """The words for who looked, what was found and what it was compared with."""
        if source == OPERATOR:
            return self.by_eye
        if verdict is ChipVerdict.NO_CHIP:
            return self.no_chip
        return self.of_kind.get(kind or "", "")


def sources_of(source: str, verdict: ChipVerdict, kind: str | None) -> tuple[str, ...]:
    """Whose word the verdict rests on."""
    if source == OPERATOR:
        return (Sentence.OPERATOR_RECHECK.value,)
    if verdict is ChipVerdict.NO_CHIP:
        return _SOURCES_OF_NO_CHIP
    attested = () if kind in SEEN_BASELINES else (Sentence.OPERATOR_ATTEST.value,)
    return (Sentence.READER_UNUSED.value, *attested)


def gaps_of_chip(chip: ChipWords, wording: ChipWording) -> Iterator[str]:
    """What keeps words on a chip from being a certificate's, their form being right already."""
    compared = chip.source == READER and chip.recheck is ChipVerdict.UNUSED
    if chip.source == OPERATOR and chip.recheck is not ChipVerdict.UNUSED:
        yield "no operator's look shows that there is no FeliCa chip"
    if compared and chip.baseline_kind not in wording.of_kind:
        yield "it isn't said where the picture of an unused FeliCa chip comes from"
    if compared is not bool(chip.baseline):
        yield "it isn't said what an unused FeliCa chip was taken to look like"
    if not compared and chip.baseline_kind is not None:
        yield "felica.baseline_kind isn't what the rest of it says"
    kind = chip.baseline_kind if compared else None
    if chip.basis != wording.basis(chip.source, chip.recheck, kind):
        yield "felica.basis isn't what the rest of it says"
    if chip.sources != sources_of(chip.source, chip.recheck, kind):
        yield "felica.sources isn't what the rest of it says"
