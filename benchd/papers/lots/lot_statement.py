"""What the rack states of a lot, a day or a consignor: one JSON form, and what has to agree in it.

It certifies nothing: a handset stands in it as certified only by the digest of its certificate.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from benchd.domain.job import Disposition, Reason
from benchd.domain.lot_papers import PapersOf, Standing

LOT_PAPERS_TYPE: Final = "urn:benchd:lot-papers:v1"
NOT_TOLD: Final = "none"
"""Counted as the reason where none is on record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which handsets: all of a lot or a consignor, or those whose jobs ended on a day."""

    by: PapersOf
    name: str
    begin: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerHead:
    """Up to which record of the rack's ledger this is true."""

    sequence: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandsetLine:
    """One job, or an asset that never was in one."""

    handset: int
    """The same for each job of one handset; counted from 1."""
    job: str | None
    tag: str | None
    standing: Standing
    disposition: Disposition | None
    reason: str | None
    """Why there is no certificate, if the job says."""
    certificate: str | None
    """SHA-256 of its file, as hex; that is its number."""
    pdf: str | None
    """The file in which it stands."""
    later_job: str | None
    """The handset's newest job, if that isn't among its lines here: it may say otherwise by now.

    Or one of a handset that nobody can tell from it.
    """
    again_as: str | None
    """The other label under which it came in again since."""
    held_by: str | None
    """Which other system holds a certified handset back: then it is on hold."""
    is_look: bool = False
    """Whether it is a passed re-check before a sale, and nobody has sent the handset elsewhere
    since: it certifies nothing, and leaves the certificate from before standing."""

    @property
    def is_last(self) -> bool:
        """Whether nothing later is known of its handset that isn't among its lines here."""
        return self.later_job is None and self.again_as is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Handsets, each by the last of its lines; the first six after `handsets` add up to it."""

    handsets: int = 0
    certified: int = 0
    not_certified: int = 0
    held: int = 0
    """Those with a certificate that another system holds back."""
    running: int = 0
    not_run: int = 0
    seen_again: int = 0
    """Those that were in a later job, which isn't among the lines, or came in again: nothing is
    said of them."""
    by_disposition: dict[str, int] = field(default_factory=dict[str, int])
    """Of those that aren't certified."""
    by_reason: dict[str, int] = field(default_factory=dict[str, int])
    """The same; `none` where no reason is on record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """A file of these papers."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LotPapers:
    """All of it, as it is signed."""

    type: str
    site: str
    of: Asked
    made_at: datetime
    ledger: LedgerHead
    counts: Counts
    handsets: tuple[HandsetLine, ...]
    files: tuple[NamedFile, ...]
    benchd_version: str
    benchd_commit: str


def last_words(lines: Sequence[HandsetLine]) -> dict[int, HandsetLine]:
    """By handset the line by which it counts: its last, but for looks that a certified one passed.

    They touch nothing, and certify nothing: it is sold under the certificate from before.
    """
    last: dict[int, HandsetLine] = {}
    for line in lines:
        before = last.get(line.handset)
        kept = before is not None and before.standing is Standing.CERTIFIED and line.is_look
        if not kept:
            last[line.handset] = line
    return last


def counted(lines: Sequence[HandsetLine]) -> Counts:
    """How many handsets stand where."""
    last = last_words(lines)
    now = [line for line in last.values() if line.is_last]
    held = [line for line in now if line.held_by is not None]
    standing = Counter(line.standing for line in now if line.held_by is None)
    failed = [line for line in now if line.standing is Standing.NOT_CERTIFIED]
    return Counts(
        handsets=len(last),
        certified=standing[Standing.CERTIFIED],
        not_certified=standing[Standing.NOT_CERTIFIED],
        held=len(held),
        running=standing[Standing.RUNNING],
        not_run=standing[Standing.NOT_RUN],
        seen_again=len(last) - len(now),
        by_disposition=dict(Counter(str(line.disposition or NOT_TOLD) for line in failed)),
        by_reason=dict(Counter(line.reason or NOT_TOLD for line in failed)),
    )


def faults_of(papers: LotPapers) -> Iterator[str]:
    """What doesn't agree in it: nobody has to believe a sum that the lines don't make."""
    if papers.type != LOT_PAPERS_TYPE:
        yield "it is of another type"
    if papers.counts != counted(papers.handsets):
        yield "its counts aren't those of its lines"
    for line in papers.handsets:
        certified = line.standing is Standing.CERTIFIED
        goes = Disposition.SELLABLE if line.held_by is None else Disposition.HOLD
        is_as_decided = line.disposition is goes
        if not certified:
            is_as_decided = line.disposition is not Disposition.SELLABLE and line.held_by is None
        there = line.certificate is not None and line.pdf is not None and line.job is not None
        none = line.certificate is None and line.pdf is None
        looked = line.standing is Standing.NOT_CERTIFIED and line.reason == Reason.RECHECKED
        if line.is_look and not looked:
            yield f"its line of job {line.job} is no look before a sale"
        if not is_as_decided or not (there if certified else none):
            yield f"its line of job {line.job} calls sellable what has no certificate, or hides one"
    named = [line.pdf for line in papers.handsets if line.pdf is not None]
    files = [file.name for file in papers.files]
    if len(set(files)) != len(files) or len(set(named)) != len(named):
        yield "it names a file twice"
    if not set(named) <= set(files):
        yield "it doesn't name the file of each certificate"
