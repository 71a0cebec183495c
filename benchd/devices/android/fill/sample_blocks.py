"""Which blocks of a fill file a sample lies in, and the `dd` that fetches them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from benchd.devices.android.fill.fill_messages import is_fill_name
from benchd.devices.android.fill.program_on_handset import FILL_DIRECTORY
from benchd.devices.android.shell.commands import command_line
from benchd.domain.errors import AnswerNotRecognised, StorageFault

BLOCK_BYTES: Final = 4096
SAMPLE_DEADLINE_S: Final = 60.0
LARGEST_SAMPLE_BYTES: Final = 16 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleBlocks:
    """Whole blocks of one file, and the place of the sample in them."""

    name: str
    first: int
    count: int
    skipped_bytes: int
    size_bytes: int

    @property
    def most_bytes(self) -> int:
        """More than this no honest `dd` brings."""
        return self.count * BLOCK_BYTES

    def dd(self, *flags: str) -> str:
        """Beside the flags only options that BSD, toybox and GNU understand in the same way."""
        return command_line(
            "dd",
            f"if={FILL_DIRECTORY}/{self.name}",
            f"bs={BLOCK_BYTES}",
            f"skip={self.first}",
            f"count={self.count}",
            *flags,
        )

    def cut(self, brought: bytes, exit_code: int) -> bytes:
        """The sample out of what `dd` has brought, exact or an error."""
        if exit_code != 0:
            raise StorageFault(f"the handset's dd can't read {self.name} (code {exit_code})")
        if len(brought) > self.most_bytes:
            raise AnswerNotRecognised(f"more of {self.name} than its dd was asked for")
        taken = brought[self.skipped_bytes : self.skipped_bytes + self.size_bytes]
        if len(taken) != self.size_bytes:
            raise StorageFault(f"{self.name} ends before its sample does")
        return taken


def sample_blocks(name: str, offset: int, size_bytes: int) -> SampleBlocks:
    """The blocks of a sample; AnswerNotRecognised unless it is one of a fill file."""
    if not is_fill_name(name):
        raise AnswerNotRecognised("a sample of something else than a fill file")
    if offset < 0 or not 0 < size_bytes <= LARGEST_SAMPLE_BYTES:
        raise ValueError("a sample of no or of too many bytes")
    first, skipped = divmod(offset, BLOCK_BYTES)
    count = -(-(skipped + size_bytes) // BLOCK_BYTES)
    return SampleBlocks(
        name=name, first=first, count=count, skipped_bytes=skipped, size_bytes=size_bytes
    )
