"""What an overwrite couldn't reach, by a certificate's own numbers: a reader can do the same."""

from __future__ import annotations

from benchd.certificate.certificate_sentences import Sentence
from benchd.certificate.statement_sections import MediumSection, OverwriteSection
from benchd.certificate.trust_section import NotWrittenSection
from benchd.proof.storage_proof import STREAMED


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
