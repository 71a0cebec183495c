"""The fill program as the crowd plays it: its own lines at a rate, over a storage of mere sizes.

The lines are those of `benchd/devices/android/filler/events.go`. The work of the handset's
processor and flash is
what is left out; what the host asks for afterwards is computed then.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchd.lab.benchmarks.crowd.crowd_handset import CrowdHandset
from benchd.lab.benchmarks.crowd.packets import Stdin
from benchd.lab.benchmarks.crowd.storage import FillFile

Say = Callable[[bytes], Awaitable[None]]

DONE: Final = 0
BAD_BYTES: Final = 1
USAGE: Final = 2
PID: Final = 164
LONGEST_REQUEST_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """How long filling and reading back the whole storage take, in s."""

    fill_s: float
    check_s: float


class Filler:
    """One run of the program on one handset."""

    def __init__(self, handset: CrowdHandset, stdin: Stdin, say: Say, work: Work) -> None:
        self._handset = handset
        self._storage = handset.storage
        self._stdin = stdin
        self._say = say
        self._work = work
        self._begun = time.monotonic()

    async def run(self, command: str) -> int | None:
        """Its exit code; None where its host has left before the end."""
        request = await self._request()
        if request is None:
            return None
        self._begun = time.monotonic()
        beats = asyncio.create_task(self._stdin.until_left())
        try:
            match command:
                case "fill":
                    return await self._fill(request, beats)
                case "check":
                    return await self._check(request, beats)
                case "drop":
                    return await self._drop(request)
                case _:
                    await self._error("usage", "no such command")
                    return USAGE
        finally:
            beats.cancel()
            await asyncio.wait((beats,))

    async def _request(self) -> dict[str, Any] | None:
        line = bytearray()
        while b"\n" not in line:
            data = await self._stdin.read()
            if not data or len(line) > LONGEST_REQUEST_BYTES:
                return None
            line += data
        found: dict[str, Any] = json.loads(line)
        return found

    async def _fill(self, request: Mapping[str, Any], beats: asyncio.Task[None]) -> int | None:
        storage, key = self._storage, bytes.fromhex(request["key"])
        held = sum(file.size_bytes for file in storage.written.values())
        if request["prior_bytes"] and (key != storage.key or not held):
            await self._error("not_proven", "nothing here is of this key")
            return BAD_BYTES
        if not request["resume"] or key != storage.key:
            storage.written.clear()
            held = 0
        storage.key = key
        before = (storage.free_bytes, storage.used_bytes)
        planned = storage.planned(request["file_bytes"], request["headroom_bytes"])
        total = sum(file.size_bytes for file in planned)
        await self._started(before[0])
        self._handset.note_first_byte()

        async def wrote(so_far_bytes: int) -> None:
            storage.hold(planned, so_far_bytes)
            if so_far_bytes < total:
                await self._progress(so_far_bytes)

        self._handset.filling = True
        try:
            whole_s, every_s = self._work.fill_s, request["progress_s"]
            if not await self._grow(held, total, whole_s, every_s, beats, wrote):
                return None
        finally:
            self._handset.filling = False
        await self._line(
            {
                "event": "done",
                "bytes": total,
                "resumed_bytes": held,
                "prior_bytes_proven": request["prior_bytes"],
                "elapsed_s": self._elapsed_s(),
                "files": [file.described() for file in planned],
                "small_files": 0,
                "small_bytes": 0,
                "directories": 0,
                "logs": "one",
                "full_s": 0.015,
                "capacity_bytes": storage.capacity_bytes,
                "free_bytes_before": before[0],
                "free_bytes_after": storage.free_bytes,
                "used_bytes_before": before[1],
                "reserved_bytes": storage.reserved_bytes,
            }
        )
        return DONE

    async def _check(self, request: Mapping[str, Any], beats: asyncio.Task[None]) -> int | None:
        ordered = _ordered(request)
        total = sum(size_bytes for _, _, size_bytes in ordered)
        whole_s = self._work.check_s * total / self._storage.capacity_bytes

        async def read(so_far_bytes: int) -> None:
            if so_far_bytes < total:
                await self._progress(so_far_bytes)

        if not await self._grow(0, total, whole_s, request["progress_s"], beats, read):
            return None
        bad = [part for part in ordered if not self._holds(request, part)]
        missing = sum(size_bytes for _, _, size_bytes in bad)
        await self._line(
            {
                "event": "done",
                "bytes_ordered": total,
                "bytes_proven": total - missing,
                "bytes_shown": total,
                "bytes_bad": missing,
                "bad": [{"name": n, "offset": o, "bytes": size} for n, o, size in bad],
                "small_same": 0,
                "past_cache": "o_direct",
                "elapsed_s": self._elapsed_s(),
            }
        )
        return BAD_BYTES if bad else DONE

    async def _drop(self, request: Mapping[str, Any]) -> int:
        gone = [
            name
            for name in self._storage.written
            if name.startswith("tail-") or not request["only_tail"]
        ]
        for name in gone:
            del self._storage.written[name]
        await self._line(
            {
                "event": "done",
                "files_removed": len(gone),
                "free_bytes": self._storage.free_bytes,
                "trim": "not_asked" if request["only_tail"] else "not_supported",
                "trimmed_bytes": 0,
            }
        )
        return DONE

    async def _grow(
        self,
        held: int,
        total: int,
        whole_s: float,
        every_s: float,
        beats: asyncio.Task[None],
        note: Callable[[int], Awaitable[None]],
    ) -> bool:
        """Let time pass as the work would; False where the host has left meanwhile."""
        begun, so_far = time.monotonic(), held
        ends = begun + whole_s * (total - held) / max(1, total)
        while so_far < total:
            left_s = ends - time.monotonic()
            if left_s > 0:
                await asyncio.wait((beats,), timeout=min(left_s, every_s))
            if beats.done():
                return False
            share = (time.monotonic() - begun) / max(1e-9, ends - begun)
            so_far = total if share >= 1 else held + int((total - held) * share)
            await note(so_far)
        return True

    def _holds(self, request: Mapping[str, Any], part: tuple[str, int, int]) -> bool:
        name, offset, size_bytes = part
        file = self._storage.written.get(name)
        return (
            bytes.fromhex(request["key"]) == self._storage.key
            and file is not None
            and file == _listed(request, name)
            and offset + size_bytes <= file.size_bytes
        )

    def _elapsed_s(self) -> float:
        return round(time.monotonic() - self._begun, 3)

    async def _started(self, free_bytes: int) -> None:
        await self._line(
            {
                "event": "started",
                "version": "3",
                "cipher": "aes-128-ctr",
                "pid": PID,
                "capacity_bytes": self._storage.capacity_bytes,
                "free_bytes": free_bytes,
                "mode": "o_direct",
            }
        )

    async def _progress(self, done_bytes: int) -> None:
        await self._line({"event": "progress", "bytes": done_bytes, "elapsed_s": self._elapsed_s()})

    async def _error(self, code: str, message: str) -> None:
        await self._line({"event": "error", "code": code, "message": message})

    async def _line(self, event: Mapping[str, object]) -> None:
        await self._say(json.dumps(event, separators=(",", ":")).encode() + b"\n")


def _ordered(request: Mapping[str, Any]) -> list[tuple[str, int, int]]:
    """Name, offset and bytes of each part that is to be read."""
    files: Sequence[Mapping[str, Any]] = request["files"]
    if "ranges" in request:
        return [(files[index]["name"], offset, size) for index, offset, size in request["ranges"]]
    return [(file["name"], 0, file["bytes"]) for file in files]


def _listed(request: Mapping[str, Any], name: str) -> FillFile | None:
    for file in request["files"]:
        if file["name"] == name:
            return FillFile(
                name=name, stream_offset=file["stream_offset"], size_bytes=file["bytes"]
            )
    return None
