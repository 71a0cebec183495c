"""The demo's operators: they do what the screen says, and answer through the public API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, cast

import anyio
import httpx2

from benchd.model import Gate, JsonValue, ProblemCode, SlotState, StageName

LOOK_EVERY_S = 0.1
FIRST_OPERATOR = "佐藤（仮想）"
SECOND_OPERATOR = "鈴木（仮想）"
HAND_RESETS = frozenset({Gate.FINAL_RESET, Gate.GUIDED_RESET})
RESETTING = frozenset({StageName.INITIALISE, StageName.FINAL_RESET})
SETTLED = frozenset({SlotState.FINISHED, SlotState.QUARANTINED})

SlotObject = Mapping[str, JsonValue]


class Hands(Protocol):
    """What an operator does to the handset in a slot."""

    async def reset_by_hand(self, slot: str) -> None:
        """Reset it from its settings."""
        ...

    async def enable_adb(self, slot: str) -> None:
        """Switch USB debugging on."""
        ...


class RackWatch:
    """The running daemon's slots, read again and again; a daemon that is away is waited for."""

    def __init__(self, socket: Path, http: httpx2.AsyncClient | None = None) -> None:
        self.http = http or httpx2.AsyncClient(
            transport=httpx2.AsyncHTTPTransport(uds=str(socket)), base_url="http://benchd"
        )
        self.slots: dict[str, SlotObject] = {}
        self._looked = anyio.Event()

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
        self._looked.set()
        self._looked = anyio.Event()
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

    async def decide(self, job: str, gate: str, *, approved: bool, operator: str) -> bool:
        """Answer a question; False if it wasn't taken."""
        try:
            answer = await self.http.post(
                f"/api/v1/jobs/{job}/decisions",
                json={"gate": gate, "approved": approved, "operator": operator, "note": "demo"},
            )
        except httpx2.TransportError:
            return False
        return answer.is_success

    async def aclose(self) -> None:
        """Let go of the daemon."""
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
    look_every_s: float = LOOK_EVERY_S

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
        """Only do what a person's answer says was done: press reset; until cancelled.

        The answers, and everything else, are left to whoever sits at the dashboard.
        """
        reset: set[tuple[str, str]] = set()
        while True:
            if await self.watch.look():
                for name, slot in self.watch.slots.items():
                    await self._follow(name, slot, reset)
            await anyio.sleep(LOOK_EVERY_S)

    async def _follow(self, name: str, slot: SlotObject, reset: set[tuple[str, str]]) -> None:
        problem = slot["problem"]
        if isinstance(problem, Mapping) and problem["code"] == ProblemCode.ADB_DISABLED:
            await self.hands.enable_adb(name)
        if not slot["job"] or slot["state"] in SETTLED or slot["stage"] not in RESETTING:
            return
        job = await self.watch.job(str(slot["job"]))
        for decision in _parts(job.get("decisions")):
            gate, done = decision["gate"], (str(slot["job"]), str(decision["gate"]))
            if decision["approved"] and gate in HAND_RESETS and done not in reset:
                reset.add(done)
                await self.hands.reset_by_hand(name)

    async def _attend(self, name: str, slot: SlotObject, attended: set[str]) -> None:
        try:
            question = slot["question"]
            if isinstance(question, Mapping):
                await self._answer(name, str(slot["job"]), Gate(str(question["gate"])))
            else:
                await self.hands.enable_adb(name)
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
        operator = SECOND_OPERATOR if gate is Gate.CONFIRM else FIRST_OPERATOR
        await self.watch.decide(job, gate, approved=approved, operator=operator)


def _parts(value: JsonValue) -> list[Mapping[str, JsonValue]]:
    """The objects of a list."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    return [item for item in value if isinstance(item, Mapping)]


def _needs_someone(slot: SlotObject) -> bool:
    problem = slot["problem"]
    return slot["question"] is not None or (
        isinstance(problem, Mapping) and problem["code"] == ProblemCode.ADB_DISABLED
    )


def ended(slot: SlotObject) -> bool:
    """Whether nothing more happens in a slot until somebody unplugs."""
    with suppress(ValueError):
        return SlotState(str(slot["state"])) in SETTLED
    return False
