"""Sentences put together from a certificate's own numbers, so that a reader can do the same."""

from __future__ import annotations

from collections.abc import Iterator

from benchd.certificate.certificate_sentences import Sentence
from benchd.certificate.statement_sections import (
    MediumSection,
    OverwriteSection,
    VerificationSection,
)
from benchd.certificate.trust_section import NotWrittenSection
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


def not_reached_of(
    medium: MediumSection,
    overwrite: OverwriteSection,
    in_use: NotWrittenSection,
    *,
    trusts_reader: bool,
) -> tuple[str, ...]:
    """Each class of storage that the overwrite can't get to, with its size where one is known.

    The last ones say what no software can reach: the truth of what it is told.
    """
    missing = medium.capacity_bytes - overwrite.bytes_written
    used, reserved = in_use.at_overwrite_bytes, in_use.reserved_bytes
    unused = max(missing - used - reserved, 0)
    free = in_use.free_after_overwrite_bytes
    by_host = (Sentence.SMALL_BY_HOST.value,) if overwrite.mode == STREAMED else ()
    reader = (Sentence.READER_TRUSTED.value,) if trusts_reader else ()
    return (
        Sentence.NOT_WRITTEN.format(missing_bytes=missing),
        Sentence.IN_USE.format(used_bytes=used),
        Sentence.RESERVED.format(reserved_bytes=reserved),
        Sentence.STILL_FREE.format(free_bytes=free),
        Sentence.REST.format(rest_bytes=max(unused - free, 0)),
        *by_host,
        Sentence.JOURNAL.value,
        Sentence.SPARE_CELLS.value,
        Sentence.OTHER_PARTITIONS.value,
        Sentence.CARDS.value,
        Sentence.ESIM.value,
        *reader,
        Sentence.SYSTEM_TRUSTED.value,
    )
