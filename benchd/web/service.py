"""The running rack as the web serves it; the composition root brings its parts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from benchd.domain.dossier import Dossier, KeptDossier
from benchd.domain.hook import Direction
from benchd.domain.ids import JobId, SlotName
from benchd.domain.log_level import LogLevel, MoreLogged
from benchd.domain.ports import Ledger
from benchd.domain.wall_plan import WallPlan
from benchd.intake.grade_desk import GradeDesk
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.unplugged_handsets import HandDesk
from benchd.ledger.records.records_access import Records
from benchd.papers.labels.label_desk import LabelDesk
from benchd.papers.lots.lot_desk import LotPress
from benchd.papers.lots.shipping import ShippingDesk
from benchd.people.person_register import People
from benchd.people.sessions import Sessions
from benchd.people.tokens.token_authentication import TokenAuthenticator
from benchd.proof.ports import CertificateIssuer
from benchd.slots.admission import Admission
from benchd.slots.board import RackBoard
from benchd.slots.disposal_desk import DisposalDesk
from benchd.slots.question_desk import Desk

MetricsSource = Callable[[str], Awaitable[tuple[bytes, str]]]
"""All metrics in the form that an Accept header asks for, and its content type."""


class DossierService(Protocol):
    """Handsets' recorded answers; who asks the handsets is above the web."""

    async def kept(self) -> Sequence[KeptDossier]:
        """What failed inspections have left, the newest first."""
        ...

    async def record(self, slot: SlotName) -> Dossier:
        """Ask the handset in this slot everything.

        Raises NotFound where there is none, SlotBusy while a job works with it.
        """
        ...


@dataclass(slots=True)
class PlanInEffect:
    """How screens lay out the rack; a reload changes it."""

    plan: WallPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class LogControl:
    """How much is logged: more for a while, of a slot or, where none is named, of the rack."""

    change: Callable[[LogLevel, SlotName | None, float], None]
    in_effect: Callable[[], Sequence[MoreLogged]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedRack:
    """All of a running rack that is served."""

    board: RackBoard
    ledger: Ledger
    desk: Desk
    issuer: CertificateIssuer
    """Whose certificates are believed."""
    admission: Admission
    dossiers: DossierService
    people: People
    sessions: Sessions
    tokens: TokenAuthenticator
    records: Records
    disposal: DisposalDesk
    intake: IntakeDesk
    grades: GradeDesk
    hand: HandDesk
    papers: LotPress
    shipping: ShippingDesk
    labels: LabelDesk
    holder: Callable[[JobId], str | None]
    """Which other system holds back a job's handset."""
    directions: Callable[[JobId], Awaitable[Sequence[Direction]]]
    """What other systems have asked for a job's handset, in the order of the ledger."""
    trace: Callable[[JobId], Awaitable[bytes]]
    """A job's OTLP/JSON; raises NotFound for one that isn't there or hasn't ended."""
    wall: PlanInEffect
    scrape: MetricsSource | None
    """None where the configuration serves no metrics."""
    logs: LogControl | None
    """None where nobody can have more logged."""
