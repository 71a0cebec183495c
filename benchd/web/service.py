"""What the web needs from the rack, as protocols; the composition root brings the parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from benchd.ports import CertificateIssuer, Ledger
from benchd.words.dossier import Dossier, KeptDossier
from benchd.words.ids import JobId, PortPath, SlotName
from benchd.words.job import Decision, Gate
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
        operator: str,
        note: str = "",
        via: Mapping[str, str] | None = None,
    ) -> Decision:
        """Returns when the answer is on disk.

        Raises NotFound if there is no such question, DecisionRefused if the answer isn't
        accepted, LedgerFault if it can't be kept.
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

    def close(self) -> None:
        """Let no new job begin; the daemon ends with the last that runs."""
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
