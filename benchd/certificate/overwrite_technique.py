"""How a certificate says it was overwritten, from its own numbers: a reader can do the same."""

from __future__ import annotations

from collections.abc import Iterator

from benchd.certificate.certificate_sentences import Sentence
from benchd.certificate.statement_sections import (
    OverwriteSection,
    VerificationSection,
)
from benchd.proof.storage_proof import STREAMED, CheckMode


def technique_of(overwrite: OverwriteSection, verification: VerificationSection) -> str:
    """How it was overwritten and what became of that, in one line."""
    return ", ".join(_technique(overwrite, verification))


def _technique(overwrite: OverwriteSection, verification: VerificationSection) -> Iterator[str]:
    yield Sentence.OVERWRITTEN.format(cipher=overwrite.cipher)
    yield Sentence.BY_HOST if overwrite.mode == STREAMED else Sentence.BY_PROGRAM
    if overwrite.resumed_bytes:
        yield Sentence.RESUMED.format(resumed_bytes=overwrite.resumed_bytes)
    yield _read_part(overwrite, verification)
    yield Sentence.HOST_LOOKED.format(count=verification.host_samples)
    yield Sentence.DELETED


def _read_part(overwrite: OverwriteSection, verification: VerificationSection) -> str:
    if verification.mode == CheckMode.WHOLE:
        return Sentence.READ_WHOLE
    return Sentence.READ_SAMPLED.format(
        share=verification.bytes_proven / overwrite.bytes_written,
        places=verification.sample_places,
        subsections=verification.sample_subsections,
    )
