"""What is asked of a running crowd: hands on its handsets, blows against all, and its figures."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import TypeAdapter, ValidationError

from benchd.lab.benchmarks.crowd.crowd import Crowd
from benchd.lab.benchmarks.crowd.floods import Flood

LONGEST_LINE_BYTES: Final = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One line."""

    do: Literal[
        "plug", "unplug", "end_server", "reset_by_hand", "enable_adb", "screen", "flood", "figures"
    ]
    numbers: tuple[int, ...] = ()
    """Which handsets; none means all."""
    seconds: float = 0.0
    kind: Flood = Flood.LINES
    """Which flood."""


_REQUEST = TypeAdapter(Request)


class ControlDesk:
    """Does what each line says, one after the other for each who asks."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One client until it leaves."""
        try:
            while line := await reader.readline():
                writer.write(json.dumps(await self._answer(line)).encode() + b"\n")
                await writer.drain()
        except (ConnectionError, ValueError):
            pass
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> Mapping[str, object]:
        try:
            asked = _REQUEST.validate_json(line)
        except ValidationError as mistake:
            return {"refused": str(mistake.errors()[0]["msg"])}
        numbers = asked.numbers or tuple(self._crowd.handsets)
        if not self._crowd.handsets.keys() >= set(numbers):
            return {"refused": f"the crowd has numbers from 1 to {len(self._crowd.handsets)}"}
        return await self._do(asked, numbers)

    async def _do(self, asked: Request, numbers: Sequence[int]) -> Mapping[str, object]:
        match asked.do:
            case "plug":
                await self._crowd.plug(numbers, asked.seconds)
            case "unplug":
                self._crowd.unplug(numbers)
            case "end_server":
                await self._crowd.end_server(asked.seconds)
            case "flood":
                for number in numbers:
                    self._crowd.flood(number, asked.kind)
            case "screen":
                plan = self._crowd.handsets[numbers[0]].plan
                return {"imei": plan.imei, "serial": plan.serial}
            case "figures":
                return {
                    "handsets": [handset.told() for handset in self._crowd.handsets.values()],
                    "not_understood": sorted(self._crowd.not_understood),
                }
            case "reset_by_hand" | "enable_adb":
                act = {
                    "reset_by_hand": self._crowd.reset_by_hand,
                    "enable_adb": self._crowd.enable_adb,
                }[asked.do]
                for number in numbers:
                    act(number)
        return {}
