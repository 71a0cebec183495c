"""The operator's hands on a virtual rack, for the demo and for tests."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import anyio
from anyio.abc import UNIXSocketStream
from anyio.streams.buffered import BufferedByteReceiveStream
from pydantic import TypeAdapter

from benchd.devices.android.adb import AdbAddress
from benchd.domain.errors import UsageRefused
from benchd.domain.ids import JsonValue, PortPath
from benchd.lab.simulator.chips.chip_hands import ChipHands
from benchd.lab.simulator.lines.child import RackBroken
from benchd.lab.simulator.storage.faults import StorageFaults

LINE_MAXIMUM_BYTES: Final = 1 << 20
ANSWER_DEADLINE_S: Final = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HandsetState:
    """One virtual handset as the rack itself knows it: the truth that benchd has to find out."""

    name: str
    serial: str
    slot: int | None
    port_path: PortPath | None
    adb_address: AdbAddress | None
    attachment: str | None
    """None while it isn't enumerated: unplugged, restarting or broken."""
    adb_enabled: bool
    hung: bool
    restarting: bool
    broken: str | None
    capacity_bytes: int
    used_bytes: int
    free_bytes: int
    available_bytes: int
    written_bytes: int
    read_bytes: int
    fill_bytes: int
    filled_since_s: float | None
    """When the first bytes of a fill were on the medium, by the machine's monotonic clock."""
    previous_owner_files: int
    """Files of the previous owner that are still there."""
    android_id: str
    boot_count: int
    account_count: int
    test_harness: bool
    reset_count: int
    page: str | None
    """Which page of its settings is on its screen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """What a virtual handset's own screen shows of who it is, under *#06#."""

    imei: str
    serial: str


_STATES = TypeAdapter(tuple[HandsetState, ...])


class RackHands:
    """Does to handsets, by name, what a person's hands or bad luck would do."""

    def __init__(self, stream: UNIXSocketStream) -> None:
        self._stream = stream
        self._lines = BufferedByteReceiveStream(stream)
        self._turn = anyio.Lock()
        self.chips = ChipHands(self._ask)

    @classmethod
    @asynccontextmanager
    async def connect(cls, control_socket: Path) -> AsyncGenerator[RackHands, None]:
        """Hands on the rack with this control socket."""
        async with await anyio.connect_unix(control_socket) as stream:
            yield cls(stream)

    async def handsets(self) -> tuple[HandsetState, ...]:
        """Every handset, plugged in or not, in the order of the plan."""
        answer = await self._ask("handsets")
        return _STATES.validate_python(answer["handsets"])

    async def handset(self, name: str) -> HandsetState:
        """One handset."""
        for state in await self.handsets():
            if state.name == name:
                return state
        raise UsageRefused(f"no handset {name} in this rack")

    async def plug(self, handset: str, slot: int) -> None:
        """Put it into a free slot."""
        await self._ask("plug", handset=handset, slot=slot)

    async def unplug(self, handset: str) -> None:
        """Pull its cable."""
        await self._ask("unplug", handset=handset)

    async def move(self, handset: str, slot: int) -> None:
        """Pull its cable and put it into another slot."""
        await self._ask("move", handset=handset, slot=slot)

    async def enable_adb(self, handset: str) -> None:
        """Switch USB debugging on, on its screen."""
        await self._ask("set_adb", handset=handset, enabled=True)

    async def allow_adb(self, handset: str) -> None:
        """Tap "always allow from this computer", on its screen."""
        await self._ask("allow", handset=handset)

    async def disable_adb(self, handset: str) -> None:
        """Switch USB debugging off."""
        await self._ask("set_adb", handset=handset, enabled=False)

    async def reset_by_hand(self, handset: str) -> None:
        """Reset it in its settings; returns when it has begun. Debugging is off afterwards."""
        await self._ask("reset_by_hand", handset=handset)

    async def reboot(self, handset: str) -> None:
        """Restart it without a reset; returns when it has begun."""
        await self._ask("reboot", handset=handset)

    async def screen(self, handset: str) -> Screen:
        """Type *#06# and read what its own screen shows."""
        answer = await self._ask("screen", handset=handset)
        return Screen(imei=str(answer["imei"]), serial=str(answer["serial"]))

    async def hang(self, handset: str) -> None:
        """Let it stop answering while it stays on the bus."""
        await self._ask("hang", handset=handset)

    async def resume(self, handset: str) -> None:
        """Let it answer again."""
        await self._ask("resume", handset=handset)

    async def set_faults(self, handset: str, faults: StorageFaults) -> None:
        """From now on its storage does this wrong, and nothing else."""
        await self._ask("set_faults", handset=handset, faults=asdict(faults))

    async def set_tray(self, handset: str, *, memory_card: bool = False, sim: bool = False) -> None:
        """Put these into its tray, and take out whatever else is in it."""
        await self._ask("set_tray", handset=handset, memory_card=memory_card, sim=sim)

    async def sign_in(self, handset: str) -> None:
        """Sign in to an account on it."""
        await self._ask("sign_in", handset=handset)

    async def residue_blocks(self, handset: str) -> int:
        """Blocks of 4 KiB on the raw chip that still hold the previous owner's data."""
        answer = await self._ask("residue", handset=handset)
        return int(str(answer["blocks"]))

    async def shut_down(self) -> None:
        """End the rack."""
        await self._ask("shutdown")

    async def _ask(self, do: str, **parameters: JsonValue) -> dict[str, JsonValue]:
        request = json.dumps({"do": do, **parameters}).encode() + b"\n"
        try:
            async with self._turn:
                with anyio.fail_after(ANSWER_DEADLINE_S):
                    await self._stream.send(request)
                    line = await self._lines.receive_until(b"\n", LINE_MAXIMUM_BYTES)
        except (anyio.BrokenResourceError, anyio.EndOfStream, anyio.IncompleteRead) as gone:
            raise RackBroken("the virtual rack is gone") from gone
        except TimeoutError as late:
            raise RackBroken(f"the virtual rack doesn't answer to {do}") from late
        answer: dict[str, JsonValue] = json.loads(line)
        if "refused" in answer:
            raise UsageRefused(str(answer["refused"]))
        if "broken" in answer:
            raise RackBroken(str(answer["broken"]))
        return answer
