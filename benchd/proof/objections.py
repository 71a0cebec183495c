"""What was put on record of a handset while its job ran, or since, and speaks against that job.

A certificate is of one stay in the house. Whoever brought the handset in again may have used it in
between, and whoever sent it to be crushed has decided; neither is known to the handset itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchd.domain.ids import JobId
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.attestation import standing_lines
from benchd.proof.citation import Numbers
from benchd.proof.gate_waiver_proof import bound_in
from benchd.proof.identity.sighting import sighting_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """One handset's time in the house, as its job's own records tell of it."""

    tag: str | None
    """The asset that it was taken for."""
    numbers: Numbers
    opened: int
    """The record that opened its job."""
    ended: int | None = None
    """The record that ended it; None of a job that goes on."""


def gaps_since(stay: Stay, intake: Sequence[StoredEntry]) -> Iterator[str]:
    """Everything in the records of intake that speaks against it."""
    yield from came_again(stay, intake)
    yield from called_dead(stay, intake)


def stay_of_drawn(job: JobId, records: Sequence[StoredEntry]) -> Stay:
    """Of a job that has ended, by its own records up to that; raises CertificateGap."""
    seen, told = sighting_of(job, records), bound_in(records)
    return Stay(
        tag=None if told is None else told.tag,
        numbers=Numbers(imeis=seen.imeis, serial=next(iter(sorted(seen.serials)), None)),
        opened=records[0].sequence,
        ended=records[-1].sequence,
    )


def came_again(stay: Stay, intake: Sequence[StoredEntry]) -> Iterator[str]:
    """Under which other labels it came in since; a job without papers may get them meanwhile."""
    after = stay.opened if stay.tag is not None else stay.ended
    for sequence, line in standing_lines(intake) if after is not None else ():
        if sequence > (after or 0) and line.get("tag") != stay.tag and _is_of(line, stay.numbers):
            yield f"its handset has come in again since, as {line.get('tag')}"


def called_dead(stay: Stay, intake: Sequence[StoredEntry]) -> Iterator[str]:
    """Whether its asset was entered as not erasable since its job began."""
    tags = {stay.tag} if stay.tag is not None else set[str]()
    mine = (line for _, line in standing_lines(intake) if _is_of(line, stay.numbers))
    tags |= {tag for line in mine if isinstance(tag := line.get("tag"), str)}
    dead = [r for r in intake if r.entry.kind is EntryKind.ASSET_UNERASABLE]
    for record in dead:
        if record.sequence > stay.opened and record.entry.data.get("tag") in tags:
            yield f"its asset {record.entry.data['tag']} was entered as not erasable since"


def _is_of(line: Mapping[str, object], numbers: Numbers) -> bool:
    """Whether an asset's papers name this handset; by its serial where no IMEI tells."""
    imei, serial = line.get("imei"), line.get("serial")
    if imei is not None and numbers.imeis:
        return imei in numbers.imeis
    return serial is not None and serial == numbers.serial
