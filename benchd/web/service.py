"""What the web needs from the rack, as protocols; the composition root brings the parts."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from benchd.authority import Action
from benchd.ports import CertificateIssuer, Ledger
from benchd.proof.disposal import DisposalItem
from benchd.texts.templates import Language
from benchd.words.disposal import DisposalState, Settling
from benchd.words.dossier import Dossier, KeptDossier
from benchd.words.errand import TrayItem
from benchd.words.handset_file import (
    CertifiedBy,
    CertifiedLine,
    DisposalLine,
    Found,
    HandsetFile,
    JobLine,
    Upto,
)
from benchd.words.hook import Direction
from benchd.words.ids import JobId, PortPath, SlotName
from benchd.words.job import Decision, Gate
from benchd.words.lot_papers import AskedPapers
from benchd.words.people import Actor, By, Person, Role, SignedIn
from benchd.words.report import Asked, Report
from benchd.words.shift import Bin, Shift, ShiftFigures
from benchd.words.slot import ProblemView, SlotView


class WatchedBoard(Protocol):
    """The present view of every slot, and a way to wait for the next."""

    @property
    def version(self) -> int:
        """Grows with every change."""
        ...

    def views(self) -> Mapping[SlotName, SlotView]:
        """Every slot as it is now, in the rack's order."""
        ...

    def unknown_ports(self) -> tuple[PortPath, ...]:
        """Ports in use that no slot claims."""
        ...

    def notices(self) -> tuple[ProblemView, ...]:
        """What is the matter with the rack as a whole."""
        ...

    def tray(self) -> tuple[TrayItem, ...]:
        """What was taken out in the middle of its job, the oldest first."""
        ...

    async def changed(self, since: int) -> int:
        """Wait until something differs from version `since`; returns the version there is then."""
        ...


class AnswerDesk(Protocol):
    """Takes people's answers."""

    async def decide(
        self,
        job: JobId,
        gate: Gate,
        *,
        approved: bool,
        by: Actor,
        note: str = "",
        via: Mapping[str, str] | None = None,
        asking: int | None = None,
    ) -> Decision:
        """Returns when the answer is on disk.

        Raises NotFound if there is no such question, DecisionRefused if the answer or whose it is
        isn't accepted, LedgerFault if it can't be kept.
        """
        ...


class MetricsSource(Protocol):
    """Tells all metrics of the rack."""

    async def __call__(self, accept: str, /) -> tuple[bytes, str]:
        """The body in the form that an Accept header asks for, and its content type."""
        ...


class DrainDoor(Protocol):
    """Lets running jobs end and no new one begin."""

    @property
    def closed(self) -> bool:
        """Whether no new job may begin."""
        ...

    @property
    def running(self) -> int:
        """How many jobs run."""
        ...

    @property
    def paused(self) -> bool:
        """Whether no job may begin for a while."""
        ...

    def close(self) -> None:
        """Let no new job begin; the daemon ends with the last that runs."""
        ...

    def pause(self, for_s: float) -> None:
        """Let no new job begin for so many seconds from now; 0 ends it."""
        ...


class DossierDoor(Protocol):
    """Handsets' recorded answers."""

    async def kept(self) -> Sequence[KeptDossier]:
        """What failed inspections have left, the newest first."""
        ...

    async def record(self, slot: SlotName) -> Dossier:
        """Ask the handset in this slot everything.

        Raises NotFound where there is none, SlotBusy while a job works with it.
        """
        ...


class PeopleDoor(Protocol):
    """Who may use the rack. Changes raise NotFound, PersonRefused or NameRefused."""

    @property
    def everybody(self) -> tuple[Person, ...]:
        """Each person there has ever been."""
        ...

    def refuse_unless_allowed(self, actor: Actor, action: Action) -> None:
        """Raise NotAllowed unless they may and have shown enough."""
        ...

    def has_lost_secrets(self, person: Person) -> bool:
        """Whether a badge or PIN has to be set anew."""
        ...

    async def add(
        self, by: By, of: str, *, name: str, reading: str = "", roles: Collection[Role]
    ) -> Person:
        """Somebody new."""
        ...

    async def set_roles(self, by: By, of: str, roles: Collection[Role]) -> Person:
        """Give somebody these roles and no others."""
        ...

    async def set_badge(self, by: By, of: str, code: str | None) -> Person:
        """Give somebody this badge in place of another one, or take it away."""
        ...

    async def set_pin(self, by: By, of: str, pin: str) -> Person:
        """Give somebody this PIN in place of another one."""
        ...

    async def disable(self, by: By, of: str, at: datetime | None = None) -> Person:
        """Let somebody do nothing from now on, or from a time on."""
        ...

    async def enable(self, by: By, of: str) -> Person:
        """Let somebody in again."""
        ...


class SessionDoor(Protocol):
    """Who is signed in. All but `lock` raise NotSignedIn, `open` TriedTooOften as well."""

    async def open(
        self,
        *,
        badge: str | None,
        person: str | None,
        pin: str | None,
        source: str,
        instead_of: str | None = None,
    ) -> SignedIn:
        """A new session in place of another."""
        ...

    def who(self, token: str, source: str) -> SignedIn:
        """Whose session it is; looking doesn't keep it open."""
        ...

    def use(self, token: str, csrf: str, source: str) -> SignedIn:
        """The same for whoever does something."""
        ...

    def lock(self, token: str | None) -> None:
        """End a session; nothing where there is none."""
        ...


class RecordsDoor(Protocol):
    """The read model: for looking up. Every method may raise RecordsUnavailable."""

    @property
    def upto(self) -> Upto:
        """Up to which record of the ledger it is true."""
        ...

    async def find(self, text: str) -> Found:
        """The handsets with this in one of their numbers; raises UsageRefused if it's too short."""
        ...

    async def handset(self, key: str) -> HandsetFile:
        """Everything about the handset of this job; raises NotFound."""
        ...

    async def certified(self, by: CertifiedBy, text: str) -> Sequence[CertifiedLine]:
        """The newest jobs with a certificate that have exactly this."""
        ...

    async def jobs(self, jobs: Sequence[str]) -> Sequence[JobLine]:
        """Those of these jobs that are there, in the order in which they were opened."""
        ...

    async def items(
        self, states: Sequence[DisposalState] = ..., batch: str | None = None
    ) -> Sequence[DisposalLine]:
        """Handsets in these states, the oldest first."""
        ...

    async def report(self, asked: Asked, *, named: bool) -> Report:
        """The figures of what came in, with jobs and tags of the whole if they are `named`."""
        ...

    async def shift(self, shift: Shift) -> ShiftFigures:
        """What a shift has done."""
        ...

    async def bins(self) -> Sequence[Bin]:
        """How many handsets wait in each open state, and which waits longest."""
        ...

    def make_anew(self) -> None:
        """Throw it away and read the whole ledger again; returns at once."""
        ...


class Directions(Protocol):
    """Tells what other systems have asked for a job's handset."""

    async def __call__(self, job: JobId, /) -> Sequence[Direction]:
        """In the order of the ledger, with all that counts of it. Never raises."""
        ...


class SettlingDesk(Protocol):
    """Takes what people say has become of handsets."""

    async def settle(self, job: JobId, settling: Settling, actor: Actor) -> DisposalItem:
        """Record it; returns when it's on disk. Raises NotFound or SettlingRefused."""
        ...


class PaperDoor(Protocol):
    """Prints certificates. Both raise CertificateInvalid for what the rack hasn't signed."""

    async def pdf(self, envelope: bytes) -> bytes:
        """The signed PDF of a certificate; raises DependencyMissing where a time stamp lacks."""
        ...

    async def page(
        self, envelope: bytes, language: Language, links: Iterable[tuple[str, str]]
    ) -> str:
        """Its page for the screen, with links to addresses by their names."""
        ...


class LotPaperDoor(Protocol):
    """Makes the papers of many handsets."""

    async def export(self, asked: AskedPapers) -> AsyncGenerator[bytes]:
        """A ZIP, each piece made when the one before was taken.

        Raises NotFound, UsageRefused, RecordsUnavailable or TriedTooOften before the first.
        """
        ...


class RackService(Protocol):
    """The running rack."""

    @property
    def board(self) -> WatchedBoard:
        """What is shown."""
        ...

    @property
    def ledger(self) -> Ledger:
        """What is on record."""
        ...

    @property
    def desk(self) -> AnswerDesk:
        """Who is asked."""
        ...

    @property
    def issuer(self) -> CertificateIssuer:
        """Whose certificates are believed."""
        ...
