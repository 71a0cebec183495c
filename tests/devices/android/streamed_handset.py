"""A handset without programs, as far as its `cat`, `dd`, `df` and `rm` go; kept in memory."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from fnmatch import fnmatch

import anyio
from handset_fakes import FakeShell, FakeStream, Step, Unplug, plain, said

from benchd.devices.android.shell.commands import COMMAND_DEADLINE_S
from benchd.devices.android.shell.packets import Exit, Output, ShellEvent, StdinPackets

BLOCK = 4096
DD = r"; dd if=\S+/(\S+) bs=(\d+)(?: skip=(\d+) count=(\d+))? iflag=direct"
NO_SPACE = "cat: write error: No space left on device\n"


def counting(content: bytes, fetched_bytes: int) -> list[Step]:
    """What a read says of which the kernel has counted so many bytes as fetched."""
    return [
        Output(b"read_bytes: 4096\n", is_error=True),
        Output(content, is_error=False),
        Output(b"read_bytes: %d\n" % (4096 + fetched_bytes), is_error=True),
        Exit(0),
    ]


class TakingStream(FakeStream):
    """`cat > file`: takes what fits, and then says so."""

    def __init__(self, handset: StreamedHandset, name: str) -> None:
        super().__init__([])
        self._handset = handset
        self._name = name
        self._told = anyio.Event()
        self._end: list[Step] = []
        handset.files[name] = bytearray()
        if handset.room() == 0:
            self._finish(Output(NO_SPACE.encode(), is_error=True), Exit(1))

    async def send(self, data: bytes | StdinPackets) -> None:
        handset, data = self._handset, plain(data)
        if handset.takes_until is not None and handset.written >= handset.takes_until:
            self._finish(*handset.then)
            await anyio.sleep_forever()
        taken = data[: handset.room()]
        handset.files[self._name] += taken
        handset.written += len(taken)
        if len(taken) < len(data):
            handset.used, handset.gives_back = handset.used - handset.gives_back, 0
            self._finish(Output(NO_SPACE.encode(), is_error=True), Exit(1))
            await anyio.sleep_forever()

    async def close_stdin(self) -> None:
        self._finish(Exit(0))

    async def receive(self) -> ShellEvent:
        await self._told.wait()
        self.steps, self._end = [*self.steps, *self._end], []
        return await super().receive()

    def _finish(self, *steps: Step) -> None:
        if not self._told.is_set():
            self._end = list(steps)
            self._told.set()


@dataclass
class StreamedHandset(FakeShell):
    """Answers the commands of a streamed overwrite; `then` is how a fault looks."""

    capacity: int = 64 * BLOCK
    used: int = 8 * BLOCK
    df_hides: int = 0
    """So many bytes of the capacity and of what is free `df` doesn't tell."""
    file_system: str = "ext4"
    files: dict[str, bytearray] = field(default_factory=dict[str, bytearray])
    written: int = 0
    takes_until: int | None = None
    then: tuple[Step, ...] = (Unplug(),)
    dd: tuple[Step, ...] | None = None
    """What `dd` does instead of reading."""
    cached_bytes: int = 0
    """So many bytes of each read are answered from memory, whatever flag `dd` was given."""
    short_by: int = 0
    """So many bytes of each file are gone when its size is asked for."""
    gives_back: int = 0
    """So many bytes its system frees once its storage has been full."""

    def room(self) -> int:
        held = sum(-(-len(content) // BLOCK) * BLOCK for content in self.files.values())
        return max(self.capacity - self.used - held, 0)

    @asynccontextmanager
    async def stream(
        self, command: str, *, opens_within_s: float = COMMAND_DEADLINE_S
    ) -> AsyncGenerator[FakeStream, None]:
        if found := re.fullmatch(r"exec cat > \S+/(\S+)", command):
            self.commands.append(command)
            yield TakingStream(self, found[1])
            return
        async with super().stream(command, opens_within_s=opens_within_s) as made:
            yield made

    def _answer(self, command: str) -> list[Step]:
        if found := re.search(DD, command):
            return list(self.dd or self._read(found))
        if found := re.fullmatch(r"if \[ -e \S+/(\S+) \].*", command):
            size = len(self.files.get(found[1], b""))
            return said(f"{max(size - self.short_by, 0)}\n")
        listed = said("".join(f"{name}\n" for name in self.files))
        if found := re.search(r"ls && rm -rf (.*) && sync", command):
            for pattern in found[1].split():
                for name in [name for name in self.files if fnmatch(name, pattern)]:
                    del self.files[name]
            return listed
        told = {
            "df -k /data": self._df(),
            "cat /proc/mounts": f"/dev/block/dm-5 /data {self.file_system} rw 0 0\n",
            "sync": "",
        }
        if command in told:
            return said(told[command])
        return listed if command.endswith("&& ls") else super()._answer(command)

    def _read(self, found: re.Match[str]) -> list[Step]:
        content = bytes(self.files[found[1]])
        if found[3] is not None:
            size, skip, count = int(found[2]), int(found[3]), int(found[4])
            content = content[size * skip : size * (skip + count)]
        return counting(content, len(content) - self.cached_bytes)

    def _df(self) -> str:
        capacity, free = (
            max(size - self.df_hides, 0) // 1024 for size in (self.capacity, self.room())
        )
        used = capacity - free
        return (
            "Filesystem 1K-blocks Used Available Use% Mounted on\n"
            f"/dev/block/dm-5 {capacity} {used} {free} {-(-100 * used // capacity)}% /data\n"
        )
