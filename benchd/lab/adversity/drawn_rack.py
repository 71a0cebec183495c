"""A whole rack under a storm: handsets, hands, people, and one daemon after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import anyio
from anyio.abc import TaskGroup
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchd.certificate import SigningKey
from benchd.domain.errors import LedgerBroken, LedgerFault
from benchd.domain.ids import SlotName
from benchd.domain.record import Entry, EntryKind
from benchd.lab.adversity.bay import Bay
from benchd.lab.adversity.chance import Chance
from benchd.lab.adversity.daemon_life import Daemon, Outside
from benchd.lab.adversity.disk import Disk
from benchd.lab.adversity.drawn_hands import Hands
from benchd.lab.adversity.drawn_handset import Server
from benchd.lab.adversity.drawn_people import People
from benchd.lab.adversity.forger import Forger, aged
from benchd.lab.adversity.fresh_pictures import furnish, pictures_of
from benchd.lab.adversity.issuer import SimulatedIssuer
from benchd.lab.adversity.kinds import Lie
from benchd.lab.adversity.ledger import SimulatedLedger
from benchd.lab.adversity.lots import Papers
from benchd.lab.adversity.outside import SimulatedAnchor, Witnesses
from benchd.lab.adversity.points import Points
from benchd.lab.adversity.referee import Referee
from benchd.lab.adversity.schedule import BayPlan, Blow, Schedule
from benchd.lab.adversity.striking import Striking
from benchd.lab.adversity.truth import Chip, digest, make_truth
from benchd.lab.adversity.walls import Walls
from benchd.proof.citation import DAY_S
from benchd.proof.watch_list import Wanted
from benchd.slots.disposal_desk import disposal_of

OLD_RECORDS: Final = 105
"""More than a start looks at."""
SETTLES_S: Final = 900.0
"""How long a person takes who is told that the ledger doesn't hold."""
DOWN_S: Final = 3.0
"""How long systemd takes to start the daemon again."""
DONOR: Final = "the donor's"
_KEY: Final = SigningKey(
    Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"adversity").digest())
)


class Rack:
    """Everything that a schedule describes."""

    def __init__(self, schedule: Schedule, folder: Path, group: TaskGroup) -> None:
        self.schedule = schedule
        self.bays = _bays(schedule)
        self.server = Server()
        self.chance = Chance(schedule.seed)
        self.striking = Striking(self)
        self.points = Points(schedule.blows, self.striking.strike)
        self.hands = Hands(group, self.points)
        self.papers = Papers(schedule.seed, self.bays) if schedule.lot else None
        self.referee = Referee(self.bays, _KEY.public_key_pem, self.papers)
        self.referee.histories.begin(schedule, self.chance, self.papers)
        self.group = group
        self._wanted = _wanted(self.bays)
        self._issuer = SimulatedIssuer(_KEY)
        self._pictures = pictures_of(self.bays.values(), _KEY)
        self._disk = Disk(folder, _KEY)
        anchor = SimulatedAnchor() if schedule.anchored else None
        self._witnesses = Witnesses(anchor, _KEY.public_key_pem)
        self.forger = Forger(self._disk, self.referee)
        self.daemon: Daemon | None = None
        self.people: People | None = None
        self.scope = anyio.CancelScope()
        """Ends the daemon that lives now."""
        self.down_s = DOWN_S
        self._tasks: TaskGroup | None = None
        self._ending = False
        self._settling = False
        """Whether the daemon was stopped so that its ledger can be mended."""

    async def run(self) -> None:
        """Daemon after daemon, until `end`."""
        before: SimulatedLedger | None = None
        while not self._ending:
            self._disk.begin_life()
            if before is None and self.schedule.forged:
                self._disk.write(aged(OLD_RECORDS, self.chance.now()))
            if before is None and self.schedule.behind_days:
                self._fall_behind(self.schedule.behind_days)
            ledger = await self._opened()
            if before is not None:
                before.close()
            before = ledger
            self.referee.reopened(ledger.all(), self._disk.acknowledged)
            await self._live(ledger)
            if not self._ending:
                await anyio.sleep(self.down_s)
            self.down_s = DOWN_S
        if before is not None:
            self.referee.finished(before.all())
            before.close()

    def _fall_behind(self, days: float) -> None:
        """A daemon has worked by the right time; the next one finds its clock's battery empty."""
        self._disk.write([Entry(kind=EntryKind.DAEMON_STARTED, at=self.chance.true_now())])
        self.chance.behind_s = days * DAY_S

    async def _opened(self) -> SimulatedLedger:
        """A daemon that refuses its ledger is started again once a person has settled it."""
        while True:
            witnesses = await self._witnesses.of(self._issuer.kept.values())
            if self._settling:
                self._settling = False
                self.forger.settle(witnesses, self.chance.now())
            try:
                return SimulatedLedger(
                    self._disk,
                    self.points,
                    witnesses=witnesses,
                    saw=self.referee.saw,
                    remembers=not self.schedule.forged,
                )
            except LedgerBroken:
                if not self.forger.due:
                    raise
                await anyio.sleep(SETTLES_S)
                self._settling = True

    async def _live(self, ledger: SimulatedLedger) -> None:
        """One daemon's life; what ends it but a failing ledger or our own hand is a fault."""
        outside = Outside(
            bays=self.bays,
            server=self.server,
            points=self.points,
            hands=self.hands,
            issuer=self._issuer,
            chance=self.chance,
            anchors=self._witnesses.anchors,
            pictures=self._pictures,
            papers=self.papers,
            wanted=self._wanted,
        )
        self.scope = anyio.CancelScope()
        self.daemon = daemon = Daemon(outside, ledger)
        self.people = People(daemon, self.bays, self.hands, self.points, self.referee.whose)
        try:
            with self.scope:
                async with anyio.create_task_group() as group:
                    await group.start(daemon.run)
                    group.start_soon(self.people.work)
                    group.start_soon(self._end_when_drained, daemon)
                    group.start_soon(self._end_when_told, daemon)
                    group.start_soon(Walls(daemon, self.referee, self.forger).look)
                    self._tasks = group
        except* LedgerFault:
            pass
        finally:
            self.daemon = self.people = self._tasks = None

    async def _end_when_drained(self, daemon: Daemon) -> None:
        await daemon.admission.drained()
        self.scope.cancel()

    async def _end_when_told(self, daemon: Daemon) -> None:
        """Somebody sees that the ledger doesn't hold: stops the daemon, and mends it."""
        while not daemon.tells_of_a_break:
            await daemon.board.changed(daemon.board.version)
        if self.referee.held_since_s is None:
            self.referee.held_since_s = anyio.current_time()
        await anyio.sleep(SETTLES_S)
        self._settling = True
        self.scope.cancel()

    def forge(self, blow: Blow) -> None:
        """Have somebody at the ledger's file."""
        self.forger.strike(blow, self._issuer.kept, self._witnesses.anchored)

    async def judge_items(self) -> None:
        """Whether what is held was closed by a job of its own handset, as the ledger folds it."""
        if self.daemon is None:
            return
        for job in self.referee.histories.held():
            item = await disposal_of(self.daemon.ledger, job)
            if item is not None and item.run_again_as is not None:
                self.referee.closed(job, item.run_again_as)

    def reload(self, *, lax: bool) -> None:
        """Have the daemon take over its configuration again, or one that asks for nothing."""
        if self.daemon is not None and self._tasks is not None:
            self._tasks.start_soon(partial(self.daemon.reload, lax=lax))

    def end(self) -> None:
        """Stop the last daemon in good order."""
        self._ending = True
        self.scope.cancel()


def _bays(schedule: Schedule) -> dict[SlotName, Bay]:
    first = schedule.bays[0]
    bays = {
        SlotName(plan.slot): _bay(plan, number, first)
        for number, plan in enumerate(schedule.bays, start=1)
    }
    if schedule.exchanged and len(schedule.bays) > 1:
        one, other = list(bays.values())[:2]
        one.read_from, other.read_from = other, one
    for bay in bays.values():
        if bay.plan.handset.clone:
            bay.own.imei = bays[SlotName(first.slot)].own.imei
    donor = Chip(number=digest(DONOR), in_use=False)
    for slot, bay in bays.items():
        if bay.plan.handset.lie is Lie.DONOR:
            bay.donor = donor
        elif bay.plan.handset.lie is Lie.CARD:
            bay.donor = Chip(number=digest(f"a card in {slot}"), in_use=False)
    return bays


def _bay(plan: BayPlan, number: int, first: BayPlan) -> Bay:
    like = first.slot if plan.twin_of_first else plan.slot
    hostile = (first if plan.twin_of_first else plan).handset.hostile_words
    own = make_truth(
        replace(plan.handset, hostile_words=hostile), name=f"own of {plan.slot}", like=like
    )
    visitor = make_truth(
        replace(plan.visitor, hostile_words=hostile and plan.visitor_is_twin),
        name=f"visitor of {plan.slot}",
        like=like if plan.visitor_is_twin else f"stranger in {plan.slot}",
    )
    furnish(own, plan.picture, is_own=True)
    if plan.visitor_is_twin:
        furnish(visitor, plan.picture, is_own=False)
    return Bay(plan, number, own, visitor)


def _wanted(bays: Mapping[SlotName, Bay]) -> Wanted | None:
    imeis = frozenset(imei for bay in bays.values() for imei in bay.own.listed)
    return Wanted(imeis=imeis, sha256=digest("the dealer's list")) if imeis else None
