"""The certificate's section on the FeliCa chip, beside the evidence that it is made from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from benchd.certificate.chip_words import (
    UNKNOWN_KIND,
    ChipWording,
    ChipWords,
    gaps_of_chip,
    sources_of,
)
from benchd.certificate.sentences import Sentence
from benchd.proof.chip import CLAIMS, SKIPPED_FOR
from benchd.proof.erasure import VerifiedErasure
from benchd.proof.evidence.chip import READER, ChipEvidence, ClearEvidence
from benchd.proof.evidence.values import Sha256
from benchd.words.chip import BaselineKind, ChipVerdict
from benchd.words.job import Outcome, StageName

WORDING: Final = ChipWording(
    of_kind={
        BaselineKind.OBSERVED: Sentence.CHIP_OBSERVED.value,
        BaselineKind.SIMULATED: Sentence.CHIP_SIMULATED.value,
        BaselineKind.INFERRED: Sentence.CHIP_INFERRED.value,
        UNKNOWN_KIND: Sentence.CHIP_OF_UNKNOWN_ORIGIN.value,
    },
    by_eye=Sentence.CHIP_BY_EYE.value,
    no_chip=Sentence.CHIP_MISSING.value,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FelicaSection(ChipWords):
    """What the chip was found to be, with the picture that it was compared with."""

    baseline_sha256: Sha256 | None

    @classmethod
    def of(cls, erasure: VerifiedErasure) -> FelicaSection:
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
            basis=WORDING.basis(recheck.source, recheck.verdict, kind),
        )


def gaps_of_felica(chip: FelicaSection) -> Iterator[str]:
    """What keeps the section from being a certificate's of today's form."""
    yield from gaps_of_chip(chip, WORDING)
    if chip.clear not in _CLEARS:
        yield "felica.clear isn't what can become of a clear"


def _kind_of(recheck: ChipEvidence) -> str | None:
    """Where the picture comes from that it was compared with; None where it wasn't."""
    if recheck.source != READER or recheck.verdict is not ChipVerdict.UNUSED:
        return None
    return recheck.baseline_kind or UNKNOWN_KIND


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
