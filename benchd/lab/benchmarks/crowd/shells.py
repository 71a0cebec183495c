"""Commands that arrive at a handset of the crowd, over either shell protocol, and files by sync."""

from __future__ import annotations

import asyncio
import hashlib
import re
import struct
from collections.abc import Awaitable, Callable
from typing import Final

from benchd.devices.android.fill.leftover_files import LIST
from benchd.devices.android.fill.program_on_handset import PROGRAM_PATH
from benchd.devices.android.fill.sample_stream import READ_BLOCKS
from benchd.devices.android.fill.shown_reads import CONTENT, PROBE
from benchd.devices.android.shell.packets import PacketId
from benchd.lab.benchmarks.crowd.crowd_handset import CrowdHandset
from benchd.lab.benchmarks.crowd.crowd_pace import Drawn
from benchd.lab.benchmarks.crowd.filler import Filler, Work
from benchd.lab.benchmarks.crowd.floods import OF_THE_PROGRAM, flood_output
from benchd.lab.benchmarks.crowd.packets import Stdin, exit_packet, packet
from benchd.lab.benchmarks.crowd.storage import BLOCK_BYTES
from benchd.lab.benchmarks.crowd.tools import TAKE_PROGRAM, Said, said

LONGEST_STDOUT_PACKET_BYTES: Final = 64 << 10
TEST_HARNESS: Final = "cmd testharness enable"
SCRIPTED_ERASE: Final = "dd if=/dev/urandom of="
"""How the scripts that benchd is compared with begin to erase."""
_PUSH: Final = re.compile(rf"\({TAKE_PROGRAM}\)\n")
"""How a script begins that takes a program."""
_FILL: Final = f"exec {PROGRAM_PATH} "
_SYNC: Final = struct.Struct("<4sI")
_STAT_BYTES: Final = 68
LONGEST_REQUEST_BYTES: Final = 1 << 10
_TOLD: Final = "cache {} page_bytes=4096 pages={} resident={}\n"

Reset = Callable[[CrowdHandset], Awaitable[None]]


class Shells:
    """What runs on the crowd's handsets."""

    def __init__(self, drawn: Drawn, reset: Reset, not_understood: set[str]) -> None:
        """`reset` begins the reset that keeps adb; commands that nobody plays are noted."""
        self._drawn = drawn
        self._reset = reset
        self._not_understood = not_understood

    async def packets(
        self,
        handset: CrowdHandset,
        command: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """A command over the second protocol, to its exit packet."""
        stdin = Stdin(reader)

        async def say(data: bytes) -> None:
            writer.write(packet(PacketId.STDOUT, data))
            await writer.drain()

        if command.startswith(_FILL) and not command.endswith(" version"):
            if handset.flood is not None and handset.flood in OF_THE_PROGRAM:
                handset.note_first_byte()
                await flood_output(handset.flood, stdin, writer)
                return
            work = Work(
                fill_s=self._drawn.around(self._drawn.pace.fill_s),
                check_s=self._drawn.around(self._drawn.pace.check_s),
            )
            code = await Filler(handset, stdin, say, work).run(command.removeprefix(_FILL))
            if code is None:
                return
            writer.write(exit_packet(code))
        elif command in (READ_BLOCKS, PROBE):
            if command == PROBE:
                await self._think()
                handset.storage.probe = CONTENT
                await say(b"written 0\n")
            if not await read_blocks(handset, stdin, say, self._think):
                return
            if command == PROBE:
                await say(said(handset, LIST).stdout)
            writer.write(exit_packet(0))
        else:
            answer = await self._said(handset, command, stdin)
            if answer is None:
                return
            self._write(writer, answer)
        await writer.drain()
        writer.write_eof()
        # Closed with something unread, the kernel would take the answer back.
        await stdin.until_left()

    async def plain(
        self, handset: CrowdHandset, command: str, writer: asyncio.StreamWriter
    ) -> None:
        """A command over the old protocol: its output, and nothing of how it ended."""
        answer = await self._said(handset, command, None)
        if answer is not None:
            writer.write(answer.stdout + answer.stderr)
            await writer.drain()

    async def sync(
        self,
        handset: CrowdHandset,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Files by sync, as far as a push of one goes; source: AOSP, file_sync_protocol.h."""
        path = ""
        digest, size_bytes = hashlib.sha256(), 0
        while True:
            try:
                word, number = _SYNC.unpack(await reader.readexactly(_SYNC.size))
                match word:
                    case b"STAT" | b"LST2" | b"STA2":
                        await reader.readexactly(number)
                        # ENOENT: there is no such file yet.
                        told = struct.pack("<I", 2) if word != b"STAT" else b""
                        padding = _STAT_BYTES if told else 12
                        writer.write(word + told.ljust(padding, b"\0"))
                    case b"SEND":
                        path = (await reader.readexactly(number)).decode().rpartition(",")[0]
                    case b"DATA":
                        data = await reader.readexactly(number)
                        digest.update(data)
                        size_bytes += number
                    case b"DONE":
                        handset.storage.programs[path] = (size_bytes, digest.hexdigest())
                        writer.write(_SYNC.pack(b"OKAY", 0))
                    case _:
                        return
                await writer.drain()
            except (asyncio.IncompleteReadError, ConnectionError):
                return

    async def _said(self, handset: CrowdHandset, command: str, stdin: Stdin | None) -> Said | None:
        if command.startswith(SCRIPTED_ERASE):
            handset.note_first_byte()
            await asyncio.sleep(self._drawn.around(self._drawn.pace.fill_s))
            await asyncio.sleep(self._drawn.around(self._drawn.pace.check_s))
        elif command == TEST_HARNESS:
            await self._reset(handset)
        else:
            pushed = _PUSH.match(command)
            if pushed and not (stdin and await self._take(handset, pushed[1], stdin)):
                return None
            await self._think()
            answer = said(handset, command)
            if not answer.understood:
                self._not_understood.add(command)
            return answer
        await self._think()
        return Said()

    async def _take(self, handset: CrowdHandset, program: str, stdin: Stdin) -> bool:
        """Keep the digest of the program that `cat` is given; False where the host left."""
        digest, size_bytes = hashlib.sha256(), 0
        while data := await stdin.read():
            size_bytes += len(data)
            digest.update(data)
        if data is None:
            return False
        handset.storage.programs[program] = (size_bytes, digest.hexdigest())
        return True

    async def _think(self) -> None:
        if self._drawn.pace.answer_s:
            await asyncio.sleep(self._drawn.around(self._drawn.pace.answer_s))

    def _write(self, writer: asyncio.StreamWriter, answer: Said) -> None:
        for kind, data in ((PacketId.STDOUT, answer.stdout), (PacketId.STDERR, answer.stderr)):
            for start in range(0, len(data), LONGEST_STDOUT_PACKET_BYTES):
                writer.write(packet(kind, data[start : start + LONGEST_STDOUT_PACKET_BYTES]))
        writer.write(exit_packet(answer.code))


async def read_blocks(
    handset: CrowdHandset,
    stdin: Stdin,
    say: Callable[[bytes], Awaitable[None]],
    think: Callable[[], Awaitable[None]],
) -> bool:
    """Answer each request for blocks until there are no more; False where the host has left.

    The words are those of `benchd/devices/android/fill/sample_stream.py`, and of
    `benchd/devices/android/filler/cache`.
    """
    asked = b""
    while piece := await stdin.read():
        asked += piece
        *lines, asked = asked.split(b"\n")
        if len(asked) > LONGEST_REQUEST_BYTES:
            return False
        for line in lines:
            await think()
            await say(_answer(handset, line.decode()))
    return piece is not None


def _answer(handset: CrowdHandset, request: str) -> bytes:
    mark, name, *numbers = request.split(" ")
    begin, size_bytes, first, count = map(int, numbers)
    data = handset.storage.read(name, first, count)
    if data is None:
        failed = "cache failed no such file or directory\n"
        return f"{mark}\n{failed}{failed}{mark} 4\n".encode()
    held = len(handset.storage.probe if name == "probe" else b"")
    held = held or handset.storage.written[name].size_bytes
    pages = -(-max(0, min(begin + size_bytes, held) - begin) // BLOCK_BYTES)
    before, after = _TOLD.format("empty", pages, 0), _TOLD.format("count", pages, pages)
    return b"".join(
        (f"{mark}\n{before}".encode(), data, f"{after}{mark} 0\n".encode()),
    )
