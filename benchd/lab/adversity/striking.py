"""What each blow does to the rack."""

from __future__ import annotations

from typing import Final, Protocol

import anyio

from benchd.domain.ids import SlotName
from benchd.lab.adversity.bay import Bay
from benchd.lab.adversity.chance import Chance
from benchd.lab.adversity.daemon_life import Daemon
from benchd.lab.adversity.drawn_hands import Hands
from benchd.lab.adversity.drawn_handset import Server
from benchd.lab.adversity.drawn_people import People
from benchd.lab.adversity.kinds import OF_THE_FILE, Kind, Thing
from benchd.lab.adversity.schedule import Blow
from benchd.lab.adversity.truth import Chip, Truth, digest

FLAP_S: Final = 0.7
OF_PEOPLE: Final = frozenset(
    {
        *(Kind.WRONG_ANSWER, Kind.RACING_ANSWERS, Kind.SAME_PERSON, Kind.NO_RESET),
        *(Kind.WRONG_SCAN, Kind.WRONG_LABEL),
    }
)


class Struck(Protocol):
    """A rack, as far as a blow can reach."""

    bays: dict[SlotName, Bay]
    hands: Hands
    server: Server
    chance: Chance
    daemon: Daemon | None
    people: People | None
    scope: anyio.CancelScope
    down_s: float

    def reload(self, *, lax: bool) -> None:
        """Have the daemon take over its configuration again, or one that asks for nothing."""
        ...

    def forge(self, blow: Blow) -> None:
        """Have somebody at the ledger's file."""
        ...


class Striking:
    """Strikes one rack; never waits itself."""

    def __init__(self, rack: Struck) -> None:
        self._rack = rack

    def strike(self, blow: Blow) -> None:
        """Do it, at once; what takes its time goes on by itself."""
        bay = self._rack.bays[SlotName(blow.slot)] if blow.slot else _any(self._rack)
        match blow.kind:
            case Kind.PULL | Kind.SWAP | Kind.UNTOLD_SWAP | Kind.EXCHANGE | Kind.FLAP:
                self._at_the_port(bay, blow)
            case Kind.CRASH | Kind.CRASH_SWAP | Kind.LEDGER_FAULT | Kind.STOP | Kind.DRAIN:
                self._at_the_daemon(bay, blow)
            case Kind.SERVER_DEATH:
                self._rack.hands.begin(lambda: self._server_away(blow.lasts_s))
            case Kind.READER_GONE:
                self._rack.hands.begin(lambda: self._reader_away(bay, blow.lasts_s))
            case Kind.CHIP_EXCHANGED if bay.donor is None:
                self._rack.hands.begin(lambda: _other_chip(bay, blow.lasts_s))
            case Kind.RELOAD | Kind.RELOAD_LAX:
                self._rack.reload(lax=blow.kind is Kind.RELOAD_LAX)
            case Kind.CLOCK_JUMP:
                self._rack.chance.ahead_s += blow.lasts_s
            case Kind.APPEARS:
                _appears(bay, Thing(blow.what))
            case kind if kind in OF_THE_FILE:
                self._rack.forge(blow)
            case _:
                self._among_people(bay, blow)

    def _among_people(self, bay: Bay, blow: Blow) -> None:
        if blow.kind in OF_PEOPLE and self._rack.people is not None:
            self._rack.people.err(bay.slot, blow)

    def _at_the_port(self, bay: Bay, blow: Blow) -> None:
        hands = self._rack.hands
        match blow.kind:
            case Kind.PULL:
                out = bay.pull_out()
                if out is not None:
                    hands.begin_putting_in(bay, out, blow.lasts_s)
            case Kind.SWAP:
                self._swap(bay, blow.lasts_s)
            case Kind.UNTOLD_SWAP if bay.attached:
                bay.change(_other(bay))
            case Kind.EXCHANGE:
                self._exchange(bay, blow.lasts_s)
            case Kind.FLAP if bay.attached:
                hands.begin(lambda: _flap(bay))
            case _:
                pass

    def _swap(self, bay: Bay, after_s: float) -> None:
        other = _other(bay)
        if other.lies_in is not None:
            return
        bay.pull_out()
        self._rack.hands.begin_putting_in(bay, other, after_s)

    def _exchange(self, bay: Bay, after_s: float) -> None:
        others = [each for each in self._rack.bays.values() if each is not bay and each.handset]
        if not others or bay.handset is None:
            return
        one, other = bay.pull_out(), others[0].pull_out()
        if one is not None and other is not None:
            self._rack.hands.begin_putting_in(bay, other, after_s)
            self._rack.hands.begin_putting_in(others[0], one, after_s)

    def _at_the_daemon(self, bay: Bay, blow: Blow) -> None:
        daemon = self._rack.daemon
        if daemon is None:
            return
        match blow.kind:
            case Kind.DRAIN:
                daemon.admission.close()
            case Kind.LEDGER_FAULT:
                daemon.ledger.fails = True
            case Kind.STOP:
                self._rack.scope.cancel()
            case _:
                daemon.ledger.dead = True
                self._rack.down_s = max(blow.lasts_s, 1.0)
                self._rack.scope.cancel()
        if blow.kind is Kind.CRASH_SWAP:
            self._swap(bay, 0.5)

    async def _server_away(self, lasts_s: float) -> None:
        self._server(up=False)
        await anyio.sleep(lasts_s)
        self._server(up=True)

    def _server(self, *, up: bool) -> None:
        self._rack.server.up = up
        for bay in self._rack.bays.values():
            bay.changed.fire()

    async def _reader_away(self, bay: Bay, lasts_s: float) -> None:
        bay.reader_up = False
        await anyio.sleep(lasts_s)
        bay.reader_up = True
        bay.changed.fire()


async def _flap(bay: Bay) -> None:
    for _ in range(2):
        bay.leave()
        await anyio.sleep(FLAP_S)
        if bay.handset is not None and not bay.attached:
            bay.stay += 1
            bay.come()
        await anyio.sleep(FLAP_S)


async def _other_chip(bay: Bay, lasts_s: float) -> None:
    bay.donor = Chip(number=digest(f"laid on {bay.slot}"), in_use=False)
    await anyio.sleep(lasts_s)
    bay.donor = None


def _appears(bay: Bay, thing: Thing) -> None:
    if bay.handset is not None:
        bay.handset.gets(thing)


def _other(bay: Bay) -> Truth:
    return bay.visitor if bay.handset is bay.own else bay.own


def _any(rack: Struck) -> Bay:
    return next(iter(rack.bays.values()))
