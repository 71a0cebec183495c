"""One handset's storage as a whole: tree, medium, faults, the fill's progress, and the reset."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchd.lab.simulator.storage.contents import lay_out_previous_owner, lay_out_system
from benchd.lab.simulator.storage.faults import StorageFaults
from benchd.lab.simulator.storage.file_nodes import File
from benchd.lab.simulator.storage.medium import BLOCK_BYTES, FlashMedium
from benchd.lab.simulator.storage.space import Space
from benchd.lab.simulator.storage.tree import Tree, failure
from benchd.lab.simulator.storage.volume import Volume

FILL_PREFIX: Final = "/local/tmp/benchd/"
"""Under /data: what is written in here is the fill's."""
MARK_WAIT_S: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageFacts:
    """What a virtual handset's storage looks like from outside."""

    capacity_bytes: int
    used_bytes: int
    free_bytes: int
    available_bytes: int
    written_bytes: int
    read_bytes: int
    """What was fetched from the chip; what a page cache has answered isn't in it."""
    fill_bytes: int
    filled_since_s: float | None
    """When the first bytes of a fill were on the medium, by the machine's monotonic clock."""
    previous_owner_files: int


class Pace:
    """Delays transfers so that together they keep to a rate."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._busy_until_s = 0.0
        self._lock = threading.Lock()

    def wait(self, size_bytes: int, bytes_per_s: int | None, latency_s: float) -> None:
        """Return when a chip of this speed would be done with so many bytes."""
        if bytes_per_s is None and latency_s <= 0.0:
            return
        duration_s = latency_s + (size_bytes / bytes_per_s if bytes_per_s else 0.0)
        with self._lock:
            now_s = self._clock()
            self._busy_until_s = max(self._busy_until_s, now_s) + duration_s
            left_s = self._busy_until_s - now_s
        self._sleep(left_s)


class StorageState:
    """Everything behind the file system, safe for its threads."""

    def __init__(
        self,
        *,
        directory: Path,
        capacity_bytes: int,
        reserved_bytes: int,
        owner_share: float,
        swap_share: float = 0.0,
        owner_mark: bytes,
        fill_marks: Sequence[int],
        on_fill_mark: Callable[[int], None],
    ) -> None:
        block_count = capacity_bytes // BLOCK_BYTES
        self.lock = threading.Lock()
        self.medium = FlashMedium(directory=directory, block_count=block_count)
        self.space = Space(block_count=block_count, reserved_blocks=reserved_bytes // BLOCK_BYTES)
        self.volume = Volume(medium=self.medium, space=self.space)
        self.tree = Tree(volume=self.volume, now_ns=time.time_ns, counted_prefix=FILL_PREFIX)
        self._owner_mark = owner_mark
        self._fill_marks = sorted(fill_marks)
        self._on_fill_mark = on_fill_mark
        self._read_bytes = 0
        self._fill_bytes = 0
        self._filled_since_s: float | None = None
        self._mark_answered = threading.Event()
        self._mark_answered.set()
        self._flowing = threading.Event()
        self._flowing.set()
        self._pace = Pace()
        self._burst_left = 0
        self._swap_share = swap_share
        lay_out_system(self.tree, swap_share=swap_share)
        lay_out_previous_owner(self.tree, share=owner_share, mark=owner_mark)
        self.medium.written_bytes = 0

    def write(self, file: File, offset: int, data: bytes) -> int:
        """Write at the chip's speed and with the chip's faults."""
        self._let_pass(self._past_burst(len(data)), self.medium.faults.write_bytes_per_s)
        with self.lock:
            if file.counted and self._is_over_quota():
                raise failure(errno.EDQUOT)
            written = self.volume.write(file, offset, data)
            self.tree.touch(file)
            mark = self._passed_mark(written) if file.counted else None
        if mark is not None:
            self._on_fill_mark(mark)
        if file.counted:
            # Whoever set the mark has acted before the fill goes on, however fast it is.
            self._mark_answered.wait(MARK_WAIT_S)
        return written

    def read(self, file: File, offset: int, size_bytes: int) -> bytes:
        """Read at the chip's speed and with the chip's faults."""
        self._let_pass(size_bytes, self.medium.faults.read_bytes_per_s)
        with self.lock:
            data = self.volume.read(file, offset, size_bytes)
            self._read_bytes += len(data)
            return data

    def sync(self) -> None:
        """Everything written has already reached the chip; says so, or EIO."""
        self._let_pass(0, None)
        if self.medium.faults.fsync_error:
            raise failure(errno.EIO)

    def set_faults(self, faults: StorageFaults) -> None:
        """From now on the chip does this wrong, and nothing else."""
        with self.lock:
            self.medium.faults = faults
            self._burst_left = faults.burst_bytes
        if faults.stalled:
            self._flowing.clear()
        else:
            self._flowing.set()

    def answer_mark(self) -> None:
        """Let the fill go on after a mark."""
        self._mark_answered.set()

    def reset(self) -> None:
        """A new, empty file system; the chip keeps what isn't overwritten."""
        with self.lock:
            written_bytes = self.medium.written_bytes
            self.tree.clear()
            lay_out_system(self.tree, swap_share=self._swap_share)
            self.medium.written_bytes = written_bytes

    def residue_blocks(self) -> int:
        """How many blocks of the chip still hold the previous owner's data, used or free."""
        with self.lock:
            return self.medium.blocks_holding(self._owner_mark)

    def facts(self) -> StorageFacts:
        """The present figures."""
        with self.lock:
            space = self.space
            return StorageFacts(
                capacity_bytes=space.block_count * BLOCK_BYTES,
                used_bytes=(space.block_count - space.free_blocks) * BLOCK_BYTES,
                free_bytes=space.free_blocks * BLOCK_BYTES,
                available_bytes=space.available_blocks * BLOCK_BYTES,
                written_bytes=self.medium.written_bytes,
                read_bytes=self._read_bytes,
                fill_bytes=self._fill_bytes,
                filled_since_s=self._filled_since_s,
                previous_owner_files=sum(file.previous_owner for file in self.tree.files()),
            )

    def _let_pass(self, size_bytes: int, bytes_per_s: int | None) -> None:
        self._flowing.wait()
        self._pace.wait(size_bytes, bytes_per_s, self.medium.faults.latency_s)

    def _past_burst(self, size_bytes: int) -> int:
        with self.lock:
            burst = min(size_bytes, self._burst_left)
            self._burst_left -= burst
        return size_bytes - burst

    def _is_over_quota(self) -> bool:
        most = self.medium.faults.quota_after_bytes
        return most is not None and self._fill_bytes > most

    def _passed_mark(self, written: int) -> int | None:
        self._fill_bytes += written
        if self._filled_since_s is None:
            self._filled_since_s = time.monotonic()
        if not self._fill_marks or self._fill_bytes < self._fill_marks[0]:
            return None
        self._mark_answered.clear()
        return self._fill_marks.pop(0)
