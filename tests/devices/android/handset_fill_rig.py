"""A fill driver, the fake shell that it talks to, and a fill program's honest words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from handset_fakes import FakeShell, Reply, Step, line

from benchd.devices.android.fill.driver import FillDriver
from benchd.devices.android.fill.program_on_handset import PROGRAM_PATH
from benchd.devices.android.fill.shown_reads import ShownReads
from benchd.devices.android.shell.packets import Output
from benchd.domain.fill import (
    CheckOrder,
    CheckReport,
    FilledFile,
    FillOrder,
    FillReport,
    TransferProgress,
)

MIB = 1 << 20
KEY = bytes(range(16))
ORDER = FillOrder(key=KEY, file_bytes=4 * MIB, stall_s=30)
CAPACITY = 10 * MIB
FILES = (
    FilledFile(name="fill-000000.dat", stream_offset=0, size_bytes=4 * MIB),
    FilledFile(name="fill-000001.dat", stream_offset=4 * MIB, size_bytes=3 * MIB),
)
PROGRAM = b"\x7fELF not really"

STARTED = {
    "version": "3",
    "cipher": "aes-128-ctr",
    "pid": 7,
    "capacity_bytes": CAPACITY,
    "free_bytes": 7 * MIB,
    "mode": "o_direct",
}
DONE_FILES = [
    {"name": file.name, "stream_offset": file.stream_offset, "bytes": file.size_bytes}
    for file in FILES
]
FILL_DONE = {
    "bytes": 7 * MIB,
    "resumed_bytes": 0,
    "prior_bytes_proven": 0,
    "elapsed_s": 3.5,
    "files": DONE_FILES,
    "small_files": 2,
    "small_bytes": 6144,
    "directories": 1,
    "logs": "by_name_and_lifetime",
    "full_s": 0.5,
    "capacity_bytes": CAPACITY,
    "free_bytes_before": 7 * MIB,
    "free_bytes_after": 0,
    "used_bytes_before": 2 * MIB,
    "reserved_bytes": MIB,
}
CHECK_DONE = {
    "bytes_ordered": 7 * MIB,
    "bytes_proven": 7 * MIB,
    "bytes_shown": 7 * MIB,
    "bytes_bad": 0,
    "bad": [],
    "small_same": 2,
    "past_cache": "o_direct",
    "elapsed_s": 2,
}
DROP_DONE = {
    "files_removed": 2,
    "free_bytes": 7 * MIB,
    "trim": "not_allowed",
    "trimmed_bytes": 0,
}
CHECK = CheckOrder(fill=ORDER, cipher="aes-128-ctr", files=FILES, small_files=2)


def progress(done: int, elapsed: float = 1.0) -> Output:
    return line("progress", bytes=done, elapsed_s=elapsed)


def framed(body: bytes, code: int = 0) -> Reply:
    """A reply between the two lines that make it the one to its request."""
    return lambda mark: [
        Output(f"{mark}\n".encode() + body + f"{mark} {code}\n".encode(), is_error=False)
    ]


def shown(
    content: bytes, *, pages: int, before: int = 0, after: int | None = None, code: int = 0
) -> Reply:
    """What a read says whose pages the cache program has looked at before and after it."""
    held = f"page_bytes=4096 pages={pages} resident="
    first = f"cache empty {held}{before}\n".encode()
    last = f"cache count {held}{pages if after is None else after}\n".encode()
    return framed(first + content + last, 1 if before else code)


def measured(content: bytes) -> str:
    """What is told of a program that lies there."""
    return f"{len(content)}\n{hashlib.sha256(content).hexdigest()}  -\n"


class Rig:
    """A driver, the fake shell that it talks to and what it told of progress."""

    def __init__(self) -> None:
        self.shell = FakeShell()
        self.driver = FillDriver(self.shell)
        self.reads = ShownReads(self.shell)
        self.seen: list[TransferProgress] = []

    def says(self, command: str, *steps: Step) -> None:
        self.shell.on(f"exec {PROGRAM_PATH} {command}", *steps)

    async def fill(self, *steps: Step, order: FillOrder = ORDER) -> FillReport:
        self.says("fill", *steps)
        return await self.driver.fill(order, self.seen.append)

    async def check(self, *steps: Step, order: CheckOrder = CHECK) -> CheckReport:
        self.says("check", *steps)
        return await self.driver.check(order, self.seen.append)

    def request(self) -> Mapping[str, object]:
        return json.loads(self.shell.streams[-1].stdin)
