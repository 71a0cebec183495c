"""One life of the daemon: the real core, recovered and supervised as the real daemon does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import anyio
from anyio.abc import TaskStatus
from prometheus_client import CollectorRegistry

from benchd.daemon.integrity import Integrity
from benchd.devices.android.fill.keystream import HostKeystream
from benchd.domain.ids import SlotName
from benchd.domain.ports import Anchor
from benchd.domain.record import Entry, EntryKind
from benchd.domain.slot import ProblemCode
from benchd.domain.topology import SlotPlace, Timing, Topology
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.intake_store import IntakeStore
from benchd.intake.rack_clock_trust import RackTime
from benchd.lab.adversity.bay import Bay
from benchd.lab.adversity.bay_ports import BayAccess, BayHotplug
from benchd.lab.adversity.chance import Chance
from benchd.lab.adversity.chips import SimulatedChips
from benchd.lab.adversity.drawn_hands import Hands
from benchd.lab.adversity.drawn_handset import Server
from benchd.lab.adversity.issuer import SimulatedIssuer
from benchd.lab.adversity.ledger import SimulatedLedger
from benchd.lab.adversity.lots import Papers
from benchd.lab.adversity.points import Points
from benchd.lab.adversity.recipes import recipe_of
from benchd.lab.adversity.staff import Staff
from benchd.ledger.patrol import Patrol
from benchd.observe.ledger_metrics import LedgerMetrics
from benchd.outbound.anchors.anchor_sender import Anchoring
from benchd.pipelines.android import android_support
from benchd.pipelines.device_support import device_kinds
from benchd.pipelines.recovery import close_open_jobs, keep_certificates
from benchd.proof.evidence.fresh_evidence import FreshPictures
from benchd.proof.time_basis import latest_known
from benchd.proof.watch_list import Wanted
from benchd.slots.admission import Admission
from benchd.slots.board import RackBoard
from benchd.slots.question_desk import Desk
from benchd.slots.slot_dependencies import RackParts
from benchd.slots.supervisor import Supervisor

CERTIFICATES_LOOKED_AT = 50
ANCHORED_EVERY_S = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """The rack around a daemon: it stays when the daemon goes."""

    bays: Mapping[SlotName, Bay]
    server: Server
    points: Points
    hands: Hands
    issuer: SimulatedIssuer
    chance: Chance
    anchors: Sequence[Anchor]
    pictures: FreshPictures
    papers: Papers | None
    wanted: Wanted | None
    """The dealer's list, where there is one."""


def _rack_time(outside: Outside, ledger: SimulatedLedger) -> RackTime:
    """Its clock is kept right, and no record is later."""
    return RackTime(
        outside.chance,
        boot="boot",
        is_synchronised=lambda: True,
        head=lambda: ledger.head.sequence,
        newest=latest_known(ledger.all()),
    )


class Daemon:
    """The core, wired to the simulated rack."""

    def __init__(self, outside: Outside, ledger: SimulatedLedger) -> None:
        self._outside = outside
        self.ledger = ledger
        self.board = RackBoard()
        self.desk = Desk(ledger, outside.chance, Staff())
        self.admission = Admission()
        self.store = IntakeStore(ledger, outside.chance, _rack_time(outside, ledger))
        self.intake = IntakeDesk(self.store, outside.chance)
        self.parts = RackParts(
            ledger=ledger,
            kinds=device_kinds(
                android_support(
                    BayAccess(outside.bays, outside.server, outside.points, outside.hands)
                )
            ),
            chips=SimulatedChips(outside.bays, outside.points),
            issuer=outside.issuer,
            board=self.board,
            desk=self.desk,
            clock=outside.chance,
            entropy=outside.chance,
            keystream=HostKeystream(),
            recipes={
                slot: recipe_of(bay.plan, outside.wanted) for slot, bay in outside.bays.items()
            },
            pictures=outside.pictures,
            timing=Timing(debounce_s=2.0),
            admission=self.admission,
            intake=self.store,
        )
        self.topology = Topology(
            {
                slot: SlotPlace(name=slot, port_path=bay.port_path, recipe=slot)
                for slot, bay in outside.bays.items()
            }
        )
        self._supervisor: Supervisor | None = None
        integrity = Integrity(
            board=self.board,
            admission=self.admission,
            metrics=LedgerMetrics(CollectorRegistry()),
        )
        self._patrol = Patrol(ledger, ledger.append, outside.chance, integrity)
        self._anchoring = Anchoring(
            ledger,
            ledger.append,
            outside.anchors,
            key=ledger.public_key,
            clock=outside.chance,
            sink=integrity,
            every_s=ANCHORED_EVERY_S,
        )

    @property
    def papers(self) -> Papers | None:
        """What came in with the handsets."""
        return self._outside.papers

    @property
    def tells_of_a_break(self) -> bool:
        """Whether the wall says that the ledger doesn't hold."""
        return any(view.code is ProblemCode.LEDGER_BROKEN for view in self.board.notices())

    async def run(self, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        """Recover, then run until cancelled."""
        await self.ledger.append(
            Entry(kind=EntryKind.DAEMON_STARTED, at=self._outside.chance.now())
        )
        await close_open_jobs(self.ledger, self._outside.chance)
        await keep_certificates(self.ledger, self._outside.issuer, CERTIFICATES_LOOKED_AT)
        await self.store.recall()
        papers = self._outside.papers
        if papers is not None:
            await papers.take_in(self.intake, self.store, self._outside.chance.true_now())
        await self._patrol.recall()
        async with anyio.create_task_group() as group:
            group.start_soon(self._patrol.run)
            group.start_soon(self._anchoring.run)
            if papers is not None and papers.of:
                group.start_soon(papers.withdraw, self.intake)
                group.start_soon(papers.import_late, self.intake)
            self._supervisor = Supervisor(self.topology, self.parts, BayHotplug(self._outside.bays))
            await self._supervisor.run(task_status=task_status)

    async def reload(self, *, lax: bool) -> None:
        """Take over the same configuration again, or one whose recipes ask for nothing."""
        if lax:
            plans = {
                slot: replace(b.plan, lax_recipe=True) for slot, b in self._outside.bays.items()
            }
            wanted = self._outside.wanted
            recipes = {slot: recipe_of(plan, wanted) for slot, plan in plans.items()}
            self.parts = replace(self.parts, recipes=recipes)
        if self._supervisor is not None:
            await self._supervisor.reload(self.topology, self.parts)
