"""A storage that nobody has to hold: sizes, a key, and the keystream where bytes are asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from benchd.devices.android.fill.keystream import AES_COUNTER, HostKeystream

BLOCK_BYTES: Final = 4096
CHUNK_BYTES: Final = 4 << 20
"""What the fill program writes at once, and so by what the room for its last files differs."""
CAPACITY_BYTES: Final = 64 << 30
SYSTEM_SHARE: Final = 0.03
RESERVED_SHARE: Final = 0.02
_LEFT_OVER_BYTES: Final = 5 * BLOCK_BYTES
"""What a fill doesn't get: the file system's own tables for its files."""
_MOST_HEADROOM_SHARE: Final = 8
_KEYSTREAM: Final = HostKeystream()


def _blocks(size_bytes: int) -> int:
    return -(-size_bytes // BLOCK_BYTES) * BLOCK_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class FillFile:
    """A file of a fill: where in the keystream it begins, and its size."""

    name: str
    stream_offset: int
    size_bytes: int

    def described(self, size_bytes: int | None = None) -> Mapping[str, str | int]:
        """As the fill program tells it."""
        return {
            "name": self.name,
            "stream_offset": self.stream_offset,
            "bytes": self.size_bytes if size_bytes is None else size_bytes,
        }


@dataclass(slots=True, kw_only=True)
class Storage:
    """One handset's user storage."""

    capacity_bytes: int = CAPACITY_BYTES
    system_bytes: int = _blocks(int(CAPACITY_BYTES * SYSTEM_SHARE))
    """What the system itself occupies."""
    programs: dict[str, tuple[int, str]] = field(default_factory=dict[str, tuple[int, str]])
    """By path: size and SHA-256 of what was pushed."""
    probe: bytes = b""
    key: bytes = b""
    written: dict[str, FillFile] = field(default_factory=dict[str, FillFile])
    """The fill's files as far as they have come."""

    @property
    def reserved_bytes(self) -> int:
        """What only the system may use."""
        return int(self.capacity_bytes * RESERVED_SHARE) // BLOCK_BYTES * BLOCK_BYTES

    @property
    def used_bytes(self) -> int:
        """What the system, the programs and the fill occupy."""
        pushed = sum(_blocks(size_bytes) for size_bytes, _ in self.programs.values())
        filled = sum(_blocks(file.size_bytes) for file in self.written.values())
        return _blocks(self.system_bytes) + pushed + filled

    @property
    def free_bytes(self) -> int:
        """What others than the system may still write."""
        free_bytes = self.capacity_bytes - self.reserved_bytes - self.used_bytes
        return 0 if free_bytes <= _LEFT_OVER_BYTES else free_bytes

    def reset(self) -> None:
        """Nothing is left but the system."""
        self.programs.clear()
        self.written.clear()
        self.key = self.probe = b""

    def planned(self, file_bytes: int, headroom_bytes: int) -> list[FillFile]:
        """The files that a fill of what is free now, and of its own files, makes."""
        held = sum(_blocks(file.size_bytes) for file in self.written.values())
        room = self.free_bytes + held - _LEFT_OVER_BYTES
        headroom = min(headroom_bytes, room // _MOST_HEADROOM_SHARE, file_bytes - CHUNK_BYTES)
        left = (room - headroom) // CHUNK_BYTES * CHUNK_BYTES
        tail = (room - left) // BLOCK_BYTES * BLOCK_BYTES
        files: list[FillFile] = []
        while left > 0:
            size = min(left, file_bytes)
            files.append(_file("fill", len(files), file_bytes, size))
            left -= size
        return [*files, _file("tail", len(files), file_bytes, tail)]

    def hold(self, planned: list[FillFile], so_far_bytes: int) -> None:
        """Let the files hold the first so many bytes of a plan."""
        self.written.clear()
        for file in planned:
            size = min(file.size_bytes, so_far_bytes)
            if size <= 0:
                return
            self.written[file.name] = FillFile(
                name=file.name, stream_offset=file.stream_offset, size_bytes=size
            )
            so_far_bytes -= size

    def read(self, name: str, first: int, count: int) -> bytes | None:
        """Blocks of the probe or of a fill file, with what lies in them; None without the file."""
        begin, end = first * BLOCK_BYTES, (first + count) * BLOCK_BYTES
        if name == "probe":
            return self.probe[begin:end]
        file = self.written.get(name)
        if file is None:
            return None
        size_bytes = max(0, min(end, file.size_bytes) - begin)
        return _KEYSTREAM(AES_COUNTER, self.key, file.stream_offset + begin, size_bytes)

    def df(self) -> str:
        """What `df -k /data` prints, in toybox' columns."""
        used = (self.capacity_bytes - self.free_bytes) // 1024
        percent = -(-100 * used // (self.capacity_bytes // 1024))
        return (
            "Filesystem      1K-blocks  Used Available Use% Mounted on\n"
            f"/dev/block/dm-5  {self.capacity_bytes // 1024} {used} {self.free_bytes // 1024}"
            f" {percent}% /data\n"
        )

    def statfs(self) -> str:
        """What `stat -f` prints: sizes of a block, then blocks in all, free, and free for us."""
        available = self.free_bytes // BLOCK_BYTES
        free = available + self.reserved_bytes // BLOCK_BYTES
        blocks = self.capacity_bytes // BLOCK_BYTES
        return f"{BLOCK_BYTES} {BLOCK_BYTES} {blocks} {free} {available}\n"


def _file(kind: str, index: int, file_bytes: int, size_bytes: int) -> FillFile:
    return FillFile(
        name=f"{kind}-{index:06d}.dat", stream_offset=index * file_bytes, size_bytes=size_bytes
    )
