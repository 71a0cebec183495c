"""What the people of a rack do at a desk: lots, labels, attestations, papers, two at once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Final

import anyio

from benchd.domain.ids import SlotName
from benchd.domain.slot_states import SlotState
from benchd.lab.storm.client import Answer, Browser, CutOffError
from benchd.lab.storm.machine import ENOUGH, NONE_LEFT, Machine
from benchd.lab.storm.storm_crew import Screens
from benchd.lab.storm.storm_folder import CHARGE, OTHER, SECOND, WORKER
from benchd.lab.storm.storm_rack import StormRack
from benchd.lab.storm.storm_referee import Referee, Rule
from benchd.lab.storm.storm_schedule import Kind, Strike

LOT: Final = "L-1"
SPARE: Final = ("T-8", "T-9")
"""Assets of the lot whose handsets lie in no slot."""
AT_WORK: Final = frozenset({SlotState.RUNNING, SlotState.AWAITING_OPERATOR, SlotState.REPLUGGING})
DONE: Final = 200
STALL_S: Final = 50.0
"""More than a piece of an answer may take to be read."""
GONE: Final = (OSError, CutOffError, TimeoutError)


class Office:
    """The lot that the rack's handsets came in with."""

    def __init__(
        self, rack: StormRack, screens: Screens, machine: Machine, referee: Referee
    ) -> None:
        self._rack = rack
        self._screens = screens
        self._machine = machine
        self._referee = referee
        self.attested: int | None = None
        self.withdrawn: int = 0
        """How many times something was withdrawn, as the daemon has said."""
        self.bound: list[tuple[SlotName, str]] = []
        """What it has said it has bound."""
        self.unerasable: list[str] = []
        self._do: dict[Kind, Callable[[Strike], Awaitable[None]]] = {
            Kind.WITHDRAWN: self._withdraw,
            Kind.UNERASABLE: self._two_unerasable,
            Kind.LABELS: self._two_labels,
        }

    def does(self, kind: Kind) -> bool:
        """Whether it happens here."""
        return kind in self._do

    async def happen(self, strike: Strike) -> None:
        """One of these."""
        await self._do[strike.kind](strike)

    async def take_in(self) -> None:
        """Before anything is plugged in: a lot, its assets, what was stated of them."""
        ask = self._screens.ask
        await ask(
            CHARGE, "POST", "/api/v1/lots", {"lot": LOT, "consignor": "c", "kind": "purchase"}
        )
        assets = [
            {"tag": f"T-{number}", "imei": bay.own.imei}
            for number, bay in enumerate(self._rack.bays.values(), start=1)
        ]
        for asset in (*assets, *({"tag": tag} for tag in SPARE)):
            await ask(CHARGE, "POST", f"/api/v1/lots/{LOT}/assets", asset)
        stated = await ask(
            CHARGE,
            "POST",
            f"/api/v1/lots/{LOT}/attestations",
            {"kinds": ["consent", "jpki"], "seen": len(assets) + len(SPARE)},
        )
        if stated is not None and stated.status == DONE:
            self.attested = stated.json["sequence"]
        else:
            self._referee.broken(Rule.REFUSED, f"the attestation: {stated and stated.body!r}")

    async def _withdraw(self, strike: Strike) -> None:
        """The owner changes their mind while the door is held; then it's opened."""
        if strike.lasts_s:
            self._machine.room = NONE_LEFT
        await anyio.sleep(strike.much)
        if self.attested is not None:
            path = f"/api/v1/lots/{LOT}/withdrawals"
            done = await self._screens.ask(CHARGE, "POST", path, {"attestation": self.attested})
            self.withdrawn += done is not None and done.status == DONE
        await anyio.sleep(strike.lasts_s)
        self._machine.room = ENOUGH

    async def _two_unerasable(self, strike: Strike) -> None:
        del strike
        tag = SPARE[0]
        path, body = f"/api/v1/assets/{tag}/unerasable", {"reason": "no_power"}
        await self._race(path, (body, body), f"{tag} is unerasable")

    async def _two_labels(self, strike: Strike) -> None:
        """Both are scanned for a slot whose handset nobody knows yet."""
        del strike
        view = None
        with anyio.move_on_after(STALL_S):
            while view is None:
                served = self._rack.served
                views = served.board.views().values() if served else ()
                bound = served.intake.book.of_job if served else {}
                view = next(
                    (v for v in views if v.state in AT_WORK and v.job and v.job not in bound), None
                )
                await anyio.sleep(1)
        if view is None:
            return
        path = f"/api/v1/slots/{view.slot}/asset"
        bodies = [{"tag": tag, "despite_model": True} for tag in SPARE]
        told = await self._race(path, bodies, f"the label of {view.slot}")
        for tag, answer in zip(SPARE, told, strict=True):
            if answer is not None and answer.status == DONE:
                self.bound.append((view.slot, tag))

    async def _race(self, path: str, bodies: Sequence[object], what: str) -> list[Answer | None]:
        told: list[Answer | None] = [None, None]
        for who in (OTHER, SECOND):
            # Both have signed in, or one would be behind by the time of a PIN.
            await self._screens.ask(who, "GET", "/api/v1/slots")

        async def say(number: int) -> None:
            who = (OTHER, SECOND)[number]
            told[number] = await self._screens.ask(who, "POST", path, bodies[number])

        async with anyio.create_task_group() as both:
            both.start_soon(say, 0)
            both.start_soon(say, 1)
        taken = sum(answer is not None and answer.status == DONE for answer in told)
        if taken > 1:
            self._referee.broken(Rule.TWICE, what)
        return told

    async def stall_papers(self) -> None:
        """Two ask for all papers and read nothing; whoever comes after a while gets theirs."""
        path = f"/api/v1/papers.zip?lot={LOT}"
        stalled: list[Browser] = []
        for who in (OTHER, SECOND):
            screen = self._screens.like(who)
            with suppress(*GONE):
                end = screen.connect()
                end.window_bytes = 1024
                await end.send(screen.request("GET", path))
                await end.receive(12)
            stalled.append(screen)
        await anyio.sleep(STALL_S)
        answer = await self._screens.ask(WORKER, "GET", path)
        if answer is None or answer.status != DONE:
            detail = f"papers: {None if answer is None else answer.body[:120]!r}"
            self._referee.broken(Rule.SLOW, detail)
        for screen in stalled:
            screen.leave()
