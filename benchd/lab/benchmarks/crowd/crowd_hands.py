"""The bench's hands on a running crowd."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import anyio
from anyio.abc import UNIXSocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from benchd.domain.errors import UsageRefused
from benchd.lab.benchmarks.crowd.floods import Flood
from benchd.lab.benchmarks.crowd.places import slot_number
from benchd.lab.simulator.hands import Screen

LONGEST_ANSWER_BYTES: Final = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """When things happened to one handset, by the machine's wall clock, in s; 0 before that."""

    number: int
    attached: float
    ready: float
    first_byte: float
    filling: bool
    shells: int


class CrowdHands:
    """Implements the demo's `Hands` by slot, and deals the bench's blows."""

    def __init__(self, stream: UNIXSocketStream) -> None:
        self._stream = stream
        self._lines = BufferedByteReceiveStream(stream)
        self._turn = anyio.Lock()

    @classmethod
    @asynccontextmanager
    async def connect(cls, socket: Path) -> AsyncGenerator[CrowdHands, None]:
        """Hands on the crowd with this control socket."""
        async with await anyio.connect_unix(socket) as stream:
            yield cls(stream)

    async def plug(self, numbers: Sequence[int] = (), *, within_s: float = 0.1) -> None:
        """Put these in, or all."""
        await self._ask("plug", numbers, within_s)

    async def unplug(self, numbers: Sequence[int] = ()) -> None:
        """Pull these cables, or all."""
        await self._ask("unplug", numbers)

    async def flood(self, number: int, kind: Flood) -> None:
        """Let this one flood its host from now on."""
        await self._ask("flood", (number,), kind=kind)

    async def end_server(self, down_s: float) -> None:
        """Let the adb server die and come back after this time."""
        await self._ask("end_server", (), down_s)

    async def reset_by_hand(self, slot: str) -> None:
        """Reset it from its settings."""
        await self._ask("reset_by_hand", (slot_number(slot),))

    async def enable_adb(self, slot: str) -> None:
        """Switch USB debugging on."""
        await self._ask("enable_adb", (slot_number(slot),))

    async def allow_adb(self, slot: str) -> None:
        """Nothing to do: the crowd trusts every computer."""

    async def screen(self, slot: str) -> Screen:
        """What its own screen shows."""
        answer = await self._ask("screen", (slot_number(slot),))
        return Screen(imei=answer["imei"], serial=answer["serial"])

    async def figures(self) -> tuple[list[Told], list[str]]:
        """Each handset's moments, and the commands that nobody plays."""
        answer = await self._ask("figures")
        return [Told(**told) for told in answer["handsets"]], answer["not_understood"]

    async def _ask(
        self, do: str, numbers: Sequence[int] = (), seconds: float = 0.0, **more: str
    ) -> dict[str, Any]:
        asked = {"do": do, "numbers": list(numbers), "seconds": seconds, **more}
        line = json.dumps(asked).encode()
        async with self._turn:
            await self._stream.send(line + b"\n")
            answer: dict[str, Any] = json.loads(
                await self._lines.receive_until(b"\n", LONGEST_ANSWER_BYTES)
            )
        if "refused" in answer:
            raise UsageRefused(str(answer["refused"]))
        return answer
