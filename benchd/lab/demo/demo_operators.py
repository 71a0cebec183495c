"""The demo's operators: they do what the screen says, and answer through the public API."""

from __future__ import annotations

import json
import ssl
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol, cast

import anyio
import httpx2

from benchd.domain.ids import JsonValue
from benchd.domain.job import Gate, StageName
from benchd.domain.slot import ProblemCode
from benchd.domain.slot_states import SlotState
from benchd.domain.wakeup import Wakeup
from benchd.lab.demo.crew import SECOND, WORKER, BadgeReaderHands, Member
from benchd.lab.simulator.hands import Screen

LOOK_EVERY_S = 0.1
ANSWERS_WITHIN_S = 60.0
"""A virtual rack's daemon has its handsets beside it: where six others want the same two cores, a
certificate's first PDF, for which a typesetter and a signer are loaded, has taken 5 s."""
MOST_JOBS = 500
LOOKED_UP = "○ demo"
HAND_RESETS = frozenset({Gate.FINAL_RESET, Gate.GUIDED_RESET})
RESETTING = frozenset({StageName.INITIALISE, StageName.FINAL_RESET})
ON_THE_SCREEN = frozenset({ProblemCode.ADB_DISABLED, ProblemCode.UNAUTHORIZED})
"""What an operator puts right on the handset itself."""
SETTLED = frozenset({SlotState.FINISHED, SlotState.QUARANTINED})

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts nobody; without one each connection to a socket would read every authority there is."""

SlotObject = Mapping[str, JsonValue]


class Hands(Protocol):
    """What an operator does to the handset in a slot."""

    async def reset_by_hand(self, slot: str) -> None:
        """Reset it from its settings."""
        ...

    async def enable_adb(self, slot: str) -> None:
        """Switch USB debugging on."""
        ...

    async def allow_adb(self, slot: str) -> None:
        """Allow this computer."""
        ...

    async def screen(self, slot: str) -> Screen:
        """Read what its own screen shows of who it is."""
        ...


def over_socket(path: Path) -> httpx2.AsyncClient:
    """A connection to the daemon's Unix socket."""
    return httpx2.AsyncClient(
        transport=httpx2.AsyncHTTPTransport(uds=str(path), verify=NO_TLS),
        base_url="http://benchd",
        timeout=ANSWERS_WITHIN_S,
    )


_ABOUT_SCREEN: Final = (Gate.IMEI, Gate.SERIAL, Gate.CONFIRM)


class RackWatch:
    """The running daemon's slots, read again and again; a daemon that is away is waited for."""

    def __init__(self, connect: Callable[[], httpx2.AsyncClient]) -> None:
        """Take how to reach the daemon: once to look, once for each who answers."""
        self.http = connect()
        self.door = BadgeReaderHands(connect)
        self.slots: dict[str, SlotObject] = {}
        self._looked = Wakeup()

    async def look(self) -> bool:
        """Read every slot; False while nobody answers."""
        try:
            answer = await self.http.get("/api/v1/slots")
        except httpx2.TransportError:
            return False
        if not answer.is_success:
            return False
        body = cast("Mapping[str, list[SlotObject]]", answer.json())
        self.slots = {str(slot["slot"]): slot for slot in body["slots"]}
        self._looked.fire()
        return True

    async def next_look(self) -> None:
        """Wait until somebody has read the slots again."""
        await self._looked.wait()

    async def until_there(self) -> None:
        """Wait until the daemon answers."""
        while not await self.look():  # noqa: ASYNC110 - another process, only looking tells
            await anyio.sleep(LOOK_EVERY_S)

    async def job(self, job: str) -> Mapping[str, JsonValue]:
        """One job from the API."""
        answer = await self.http.get(f"/api/v1/jobs/{job}")
        answer.raise_for_status()
        return cast("Mapping[str, JsonValue]", answer.json())

    async def paper(self, job: str) -> bytes:
        """A job's certificate as a PDF."""
        answer = await self.http.get(f"/api/v1/jobs/{job}/certificate.pdf")
        answer.raise_for_status()
        return answer.content

    async def jobs(self) -> list[Mapping[str, JsonValue]]:
        """The newest jobs from the API."""
        answer = await self.http.get("/api/v1/jobs", params={"limit": MOST_JOBS})
        answer.raise_for_status()
        return _parts(cast("Mapping[str, JsonValue]", answer.json())["jobs"])

    async def attended(self, lot: str) -> list[Mapping[str, JsonValue]]:
        """Where people's time has gone with a lot of yesterday's or today's, by step."""
        today = datetime.now(UTC).date()
        days = {"from": today - timedelta(days=1), "to": today + timedelta(days=1)}
        asked = {"lot": lot, "jobs": "false", **{name: str(day) for name, day in days.items()}}
        answer = await self.http.get("/api/v1/report", params=asked)
        answer.raise_for_status()
        return _parts(cast("Mapping[str, JsonValue]", answer.json())["attended"])

    async def metrics(self) -> str:
        """What Prometheus would be given."""
        answer = await self.http.get("/metrics", headers={"accept": "text/plain"})
        answer.raise_for_status()
        return answer.text

    async def decide(
        self, job: str, gate: str, *, approved: bool, who: Member, note: str = "demo"
    ) -> bool:
        """Answer a question; False if it wasn't taken."""
        told = {"gate": gate, "approved": approved, "operator": who.id, "note": note}
        try:
            answer = await self.door.post(
                who,
                f"/api/v1/jobs/{job}/decisions",
                json.dumps(told).encode(),
            )
        except httpx2.TransportError:
            return False
        return answer.is_success

    async def aclose(self) -> None:
        """Let go of the daemon."""
        await self.door.aclose()
        await self.http.aclose()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operators:
    """Two people who look after all the slots of the demo."""

    watch: RackWatch
    hands: Hands
    answers: Mapping[str, Mapping[Gate, bool]]
    """By slot: where a scenario's answer isn't yes."""
    resets: set[tuple[str, Gate]] = field(default_factory=set[tuple[str, Gate]])
    """The questions for which somebody has reset the handset already."""
    screens: set[tuple[str, JsonValue, JsonValue]] = field(
        default_factory=set[tuple[str, JsonValue, JsonValue]]
    )
    """The questions for which a handset's screen has been held up already."""
    look_every_s: float = LOOK_EVERY_S
    resets_without_a_word: bool = False
    """Whether the last reset is left to the port to tell."""

    async def work(self) -> None:
        """Look, act, answer; until cancelled."""
        async with anyio.create_task_group() as group:
            busy: set[str] = set()
            attended: set[str] = set()
            while True:
                # A look that began before somebody was done may still show the old question.
                rested = set(attended)
                if await self.watch.look():
                    busy -= rested
                    attended -= rested
                    for name, slot in self.watch.slots.items():
                        if name not in busy and _needs_someone(slot):
                            busy.add(name)
                            group.start_soon(self._attend, name, slot, attended)
                await anyio.sleep(self.look_every_s)

    async def assist(self) -> None:
        """Only do what a person's answer says was done, and hold up the handsets' screens.

        The answers, and everything else, are left to whoever sits at the dashboard.
        """
        while True:
            if await self.watch.look():
                for name, slot in self.watch.slots.items():
                    await self._act_on_answers(name, slot)
                    await self._hold_up_screen(name, slot)
            await anyio.sleep(LOOK_EVERY_S)

    async def _act_on_answers(self, name: str, slot: SlotObject) -> None:
        await self._put_right(name, slot)
        if not slot["job"] or slot["state"] in SETTLED or slot["stage"] not in RESETTING:
            return
        job = await self.watch.job(str(slot["job"]))
        for decision in _parts(job.get("decisions")):
            if decision["approved"] and decision["gate"] in HAND_RESETS:
                await self._reset_once(name, str(slot["job"]), Gate(str(decision["gate"])))

    async def _hold_up_screen(self, name: str, slot: SlotObject) -> None:
        """Say what a virtual handset's own screen shows, once for each question about it."""
        question = slot["question"]
        gate = question["gate"] if isinstance(question, Mapping) else None
        if gate not in _ABOUT_SCREEN or (name, gate, slot["job"]) in self.screens:
            return
        self.screens.add((name, gate, slot["job"]))
        screen = await self.hands.screen(name)
        number = screen.serial if gate == Gate.SERIAL else screen.imei
        sys.stderr.write(f"{name}: 端末の画面 / on the handset's own screen: {number}\n")

    async def _put_right(self, name: str, slot: SlotObject) -> None:
        """Do on the handset's screen what the wall says, if it can be done there."""
        match _problem(slot):
            case ProblemCode.ADB_DISABLED:
                await self.hands.enable_adb(name)
            case ProblemCode.UNAUTHORIZED:
                await self.hands.allow_adb(name)
            case _:
                pass

    async def _attend(self, name: str, slot: SlotObject, attended: set[str]) -> None:
        try:
            question = slot["question"]
            if isinstance(question, Mapping):
                await self._answer(name, str(slot["job"]), Gate(str(question["gate"])))
            else:
                await self._put_right(name, slot)
        finally:
            attended.add(name)

    async def _reset_once(self, slot: str, job: str, gate: Gate) -> None:
        """An answer that got lost is given again; the reset that it speaks of isn't made again."""
        if (job, gate) in self.resets:
            return
        self.resets.add((job, gate))
        await self.hands.reset_by_hand(slot)

    async def _answer(self, slot: str, job: str, gate: Gate) -> None:
        approved = self.answers.get(slot, {}).get(gate, True)
        if approved and gate in HAND_RESETS:
            await self._reset_once(slot, job, gate)
            if gate is Gate.FINAL_RESET and self.resets_without_a_word:
                return
        who = SECOND if gate is Gate.CONFIRM else WORKER
        note = await self._note(slot, gate) if approved else "demo"
        taken = await self.watch.decide(job, gate, approved=approved, who=who, note=note)
        if gate is Gate.CONFIRM and approved and not taken:
            # Where adb tells no number, who confirms reads it from the screen once more.
            number = (await self.hands.screen(slot)).imei
            await self.watch.decide(job, gate, approved=True, who=who, note=number)

    async def _note(self, slot: str, gate: Gate) -> str:
        match gate:
            case Gate.NETWORK:
                return LOOKED_UP
            case Gate.OBSERVE if self.resets_without_a_word:
                # A scanner reads the number from the screen into the same answer.
                return (await self.hands.screen(slot)).imei
            case Gate.IMEI:
                return (await self.hands.screen(slot)).imei
            case Gate.SERIAL:
                return (await self.hands.screen(slot)).serial
            case Gate.SAME_HANDSET | Gate.SAME_HANDSET_HELD:
                # Two virtual handsets never have one serial or one chip.
                return "same"
            case _:
                return "demo"


def _parts(value: JsonValue) -> list[Mapping[str, JsonValue]]:
    """The objects of a list."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    return [item for item in value if isinstance(item, Mapping)]


def _needs_someone(slot: SlotObject) -> bool:
    return slot["question"] is not None or _problem(slot) in ON_THE_SCREEN


def _problem(slot: SlotObject) -> JsonValue:
    problem = slot["problem"]
    return problem["code"] if isinstance(problem, Mapping) else None


def ended(slot: SlotObject) -> bool:
    """Whether nothing more happens in a slot until somebody unplugs."""
    with suppress(ValueError):
        return SlotState(str(slot["state"])) in SETTLED
    return False
