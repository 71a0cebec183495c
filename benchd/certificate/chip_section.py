"""The certificate's section on the FeliCa chip, beside the evidence that it is made from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from benchd.certificate.certificate_sentences import Sentence
from benchd.domain.chip import BaselineKind, ChipVerdict
from benchd.domain.clear_provider import CLAIMS
from benchd.domain.evidence_values import Said, Sha256, Texts
from benchd.domain.job import Outcome, StageName
from benchd.proof.chip_proof import SEEN_BASELINES, SKIPPED_FOR
from benchd.proof.erasure import HandsetErasure
from benchd.proof.evidence.chip_evidence import OPERATOR, READER, ChipEvidence, ClearEvidence

UNKNOWN_KIND: Final = "unknown"
_BASIS_OF_KIND: Final[Mapping[str, str]] = {
    BaselineKind.OBSERVED: Sentence.CHIP_OBSERVED.value,
    BaselineKind.SIMULATED: Sentence.CHIP_SIMULATED.value,
    BaselineKind.INFERRED: Sentence.CHIP_INFERRED.value,
    UNKNOWN_KIND: Sentence.CHIP_OF_UNKNOWN_ORIGIN.value,
}
"""By the kind of picture that it was compared with."""
_SOURCES_OF_NO_CHIP: Final = (
    Sentence.READER_SILENT.value,
    Sentence.HANDSET_NOT_CAPABLE.value,
    Sentence.OPERATOR_NO_CHIP.value,
)


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
    baseline_sha256: Sha256 | None

    @classmethod
    def of(cls, erasure: HandsetErasure) -> FelicaSection:
        """The certificate's words on the chip of a proven erasure."""
        evidence, clear = erasure.evidence, erasure.stages[StageName.FELICA_CLEAR]
        recheck = evidence.felica_recheck
        skipped = clear.skipped_because if clear.outcome is Outcome.SKIPPED else None
        kind = _kind_of(recheck)
        return cls(
            check=evidence.felica_check.verdict,
            clear=_clear(skipped, evidence.felica_clear),
            recheck=recheck.verdict,  # pyright: ignore[reportArgumentType] - checked when signed
            source=recheck.source,  # pyright: ignore[reportArgumentType]
            sources=sources_of(recheck.source, recheck.verdict, kind),
            baseline=recheck.baseline if kind else None,
            baseline_kind=kind,
            baseline_sha256=recheck.baseline_sha256 if kind else None,
            basis=_basis(recheck.source, recheck.verdict, kind),
        )


def sources_of(source: str, verdict: ChipVerdict, kind: str | None) -> tuple[str, ...]:
    """Whose word the verdict rests on."""
    if source == OPERATOR:
        return (Sentence.OPERATOR_RECHECK.value,)
    if verdict is ChipVerdict.NO_CHIP:
        return _SOURCES_OF_NO_CHIP
    attested = () if kind in SEEN_BASELINES else (Sentence.OPERATOR_ATTEST.value,)
    return (Sentence.READER_UNUSED.value, *attested)


def gaps_of_felica(chip: FelicaSection) -> Iterator[str]:
    """What keeps the section from being a certificate's, its types being right already."""
    compared = chip.source == READER and chip.recheck is ChipVerdict.UNUSED
    if chip.source == OPERATOR and chip.recheck is not ChipVerdict.UNUSED:
        yield "no operator's look shows that there is no FeliCa chip"
    if compared and chip.baseline_kind not in _BASIS_OF_KIND:
        yield "it isn't said where the picture of an unused FeliCa chip comes from"
    if compared is not bool(chip.baseline):
        yield "it isn't said what an unused FeliCa chip was taken to look like"
    if not compared and chip.baseline_kind is not None:
        yield "felica.baseline_kind isn't what the rest of it says"
    kind = chip.baseline_kind if compared else None
    if chip.basis != _basis(chip.source, chip.recheck, kind):
        yield "felica.basis isn't what the rest of it says"
    if chip.sources != sources_of(chip.source, chip.recheck, kind):
        yield "felica.sources isn't what the rest of it says"
    if chip.clear not in _CLEARS:
        yield "felica.clear isn't what can become of a clear"


def _kind_of(recheck: ChipEvidence) -> str | None:
    """Where the picture comes from that it was compared with; None where it wasn't."""
    if recheck.source != READER or recheck.verdict is not ChipVerdict.UNUSED:
        return None
    return recheck.baseline_kind or UNKNOWN_KIND


def _basis(source: str, verdict: ChipVerdict, kind: str | None) -> str:
    """The words for who looked, what was found and what it was compared with."""
    if source == OPERATOR:
        return Sentence.CHIP_BY_EYE.value
    if verdict is ChipVerdict.NO_CHIP:
        return Sentence.CHIP_MISSING.value
    return _BASIS_OF_KIND.get(kind or "", "")


def _clear(skipped: str | None, clear: ClearEvidence | None) -> str:
    if skipped is not None:
        return Sentence.CLEAR_SKIPPED.format(because=skipped)
    return Sentence.CLEAR_CLAIMED.format(claim=clear.claim if clear else "")


_CLEARS: Final = frozenset(
    {
        *(Sentence.CLEAR_SKIPPED.format(because=because) for because in SKIPPED_FOR),
        *(Sentence.CLEAR_CLAIMED.format(claim=claim) for claim in CLAIMS),
    }
)
