"""Everything about one handset across its jobs: for looking up, never for deciding."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from benchd.domain.chip import ChipVerdict
from benchd.domain.disposal import DisposalState
from benchd.domain.ids import JobId, SlotName
from benchd.domain.intake import Unerasable
from benchd.domain.job import Disposition, Outcome, Reason
from benchd.domain.record import Place


class ToldBy(StrEnum):
    """What a handset is known by."""

    IMEI = "imei"
    LOOKS = "looks"
    """Serial, model and maker: others that look the same are only perhaps the same."""
    PORT = "port"
    """It was never inspected: all there is, is what its USB port told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLine:
    """One job in short; None where nothing was recorded."""

    job: JobId
    slot: SlotName
    recipe: str
    opened_at: datetime
    ended_at: datetime | None
    outcome: Outcome | None
    disposition: Disposition | None
    reason: Reason | None
    by_hand: bool
    """Whether this is no job, but what was entered of a handset that nobody has plugged in."""
    unerasable: Unerasable | None
    """Why it couldn't even be plugged in."""
    lot: str | None
    tag: str | None
    manufacturer: str | None
    model: str | None
    serial: str | None
    imeis: tuple[str, ...]
    usb_serial: str | None
    came_with_data: bool | None
    chip: ChipVerdict | None
    certificate: str | None
    """Its number: the SHA-256 of its file."""
    state: DisposalState | None
    """What has become of it; None where it's sold, or the job still runs."""
    since: datetime | None
    run_again_as: JobId | None
    rechecks: JobId | None
    """The drawn job of the same handset that it rechecks."""
    sold_under: JobId | None
    """Of a passed look before a sale: the certified job that its handset is sold under still."""
    sold_under_drawn: JobId | None
    """The drawn job whose erasure that one certifies."""
    handset: int

    @property
    def erased_in(self) -> tuple[JobId, ...]:
        """The jobs that its certificate is of: a hold on either holds the handset."""
        of_look = (self.sold_under_drawn, self.sold_under)
        return tuple(job for job in (*of_look, self.rechecks, self.job) if job is not None)

    def held_by(self, holder: Callable[[JobId], str | None]) -> str | None:
        """The hook that holds back what its certificate lets go; `holder` tells it of a job."""
        if self.certificate is None and self.sold_under is None:
            return None
        return next((held for job in self.erased_in if (held := holder(job)) is not None), None)

    @property
    def told_by(self) -> ToldBy:
        """What the handset of this very job is known by."""
        if self.imeis:
            return ToldBy.IMEI
        return ToldBy.LOOKS if self.serial is not None else ToldBy.PORT


@dataclass(frozen=True, slots=True, kw_only=True)
class DisposedLine:
    """What somebody has said of a handset, as it is on record."""

    sequence: int
    job: JobId
    at: datetime
    before: DisposalState
    state: DisposalState
    name: str
    note: str
    recycler: str | None
    number: str | None
    batch: str | None
    done_on: str | None
    later_job: JobId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandsetLine:
    """One handset that was found: its newest job, and how many there are."""

    key: JobId
    """The first job in which it was seen; any other of its jobs finds it too."""
    told_by: ToldBy
    newest: JobLine
    jobs: int


class CertifiedBy(StrEnum):
    """By what a certificate is looked for; each is compared whole."""

    IMEI = "imei"
    TAG = "tag"
    NUMBER = "number"
    """Its own, the SHA-256 of its file, or its job's: of a drawn handset either of both."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CertifiedLine:
    """A job that ended with a certificate, and what was begun since with its handset.

    Or with one that nobody can tell from it.
    """

    job: JobLine
    later: tuple[JobId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The handsets in which a number was found, the newest first."""

    handsets: tuple[HandsetLine, ...]
    more: bool
    """Whether there are others that were left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandsetFile:
    """Everything about one handset, the oldest job first."""

    key: JobId
    told_by: ToldBy
    jobs: tuple[JobLine, ...]
    settled: tuple[DisposedLine, ...]
    perhaps: tuple[JobId, ...]
    """Handsets of the same serial, model and maker: nobody can tell whether they are this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DisposalLine:
    """One handset whose job has ended without a sale, and its last settling if there is one."""

    job: JobLine
    settled: DisposedLine | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Upto(Place):
    """Up to which record of the ledger the read model is true."""
