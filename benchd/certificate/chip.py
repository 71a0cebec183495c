"""What a certificate says of the FeliCa chip, and on what that rests, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from benchd.proof.chip import SEEN_BASELINES
from benchd.proof.erasure import VerifiedErasure
from benchd.proof.evidence.chip import OPERATOR, READER, ChipEvidence
from benchd.proof.evidence.values import Said, Texts
from benchd.words.chip import BaselineKind, ChipVerdict
from benchd.words.job import Gate, Outcome, StageName

UNKNOWN_KIND: Final = "unknown"
_BASIS_OF: Final[Mapping[str, str]] = {
    BaselineKind.OBSERVED: (
        "scanned over the air and equal to an unused chip as it was observed on a handset whose"
        " own screen said so"
    ),
    BaselineKind.SIMULATED: (
        "scanned over the air and equal to an unused chip that is only simulated: this says"
        " nothing about a real chip; an operator attests what the handset's own screen says"
    ),
    BaselineKind.INFERRED: (
        "scanned over the air and equal to an unused chip as it is only inferred from documents,"
        " observed on no handset; an operator attests what the handset's own screen says"
    ),
    UNKNOWN_KIND: (
        "scanned over the air and equal to a picture of an unused chip of unknown origin; an"
        " operator attests what the handset's own screen says"
    ),
}
_BASIS_OF_SCREEN: Final = (
    "an operator's word on what the handset's own screen says; no reader looked at the chip"
)
_BASIS_OF_NO_CHIP: Final = (
    "nothing answered over the air, the handset names no FeliCa, and an operator found no mark"
    " of it: all three together"
)
_SOURCES_OF_NO_CHIP: Final = ("reader: silent", "handset: not capable", "operator: no chip")


@dataclass(frozen=True, slots=True, kw_only=True)
class FelicaSection:
    """What the chip was found to be, by whom, and on what that rests."""

    check: Said
    clear: Said
    recheck: Literal[ChipVerdict.UNUSED, ChipVerdict.NO_CHIP]
    source: Literal["reader", "operator"]
    sources: Texts
    baseline: str | None
    baseline_kind: str | None
    basis: Said

    @classmethod
    def of(cls, erasure: VerifiedErasure) -> FelicaSection:
        """The certificate's words on the chip of a proven erasure."""
        evidence, clear = erasure.evidence, erasure.stages[StageName.FELICA_CLEAR]
        recheck = evidence.felica_recheck
        claim = evidence.felica_clear.claim if evidence.felica_clear else ""
        skipped = clear.outcome is Outcome.SKIPPED
        kind = _kind_of(recheck)
        words = _words(recheck.source, recheck.verdict, kind)
        return cls(
            check=evidence.felica_check.verdict,
            clear=f"skipped: {clear.skipped_because}" if skipped else claim,
            recheck=recheck.verdict,  # pyright: ignore[reportArgumentType] - checked when signed
            source=recheck.source,  # pyright: ignore[reportArgumentType]
            sources=words.sources,
            baseline=recheck.baseline if kind else None,
            baseline_kind=kind,
            basis=words.basis,
        )


def _kind_of(recheck: ChipEvidence) -> str | None:
    """Where the picture comes from that it was compared with; None where it wasn't."""
    if recheck.source != READER or recheck.verdict is not ChipVerdict.UNUSED:
        return None
    return recheck.baseline_kind or UNKNOWN_KIND


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    basis: str
    sources: tuple[str, ...]


def _words(source: str, verdict: ChipVerdict, kind: str | None) -> _Words:
    """All that follows from who looked, what was found, and what it was compared with."""
    if source == OPERATOR:
        return _Words(basis=_BASIS_OF_SCREEN, sources=(f"operator: {Gate.FELICA_RECHECK}",))
    if verdict is ChipVerdict.NO_CHIP:
        return _Words(basis=_BASIS_OF_NO_CHIP, sources=_SOURCES_OF_NO_CHIP)
    attested = () if kind in SEEN_BASELINES else (f"operator: {Gate.FELICA_ATTEST}",)
    return _Words(
        basis=_BASIS_OF.get(kind or "", ""), sources=(f"reader: {ChipVerdict.UNUSED}", *attested)
    )


def gaps_of_chip(chip: FelicaSection) -> Iterator[str]:
    """What keeps words on a chip from being a certificate's, their form being right already."""
    compared = chip.source == READER and chip.recheck is ChipVerdict.UNUSED
    if chip.source == OPERATOR and chip.recheck is not ChipVerdict.UNUSED:
        yield "no operator's look shows that there is no FeliCa chip"
    if compared and chip.baseline_kind not in _BASIS_OF:
        yield "it isn't said where the picture of an unused FeliCa chip comes from"
    if compared is not bool(chip.baseline):
        yield "it isn't said what an unused FeliCa chip was taken to look like"
    if not compared and chip.baseline_kind is not None:
        yield "felica.baseline_kind isn't what the rest of it says"
    words = _words(chip.source, chip.recheck, chip.baseline_kind if compared else None)
    if chip.basis != words.basis:
        yield "felica.basis isn't what the rest of it says"
    if chip.sources != words.sources:
        yield "felica.sources isn't what the rest of it says"
