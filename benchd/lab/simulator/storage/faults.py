"""What is wrong with a flash chip, and which of its blocks are hit: the same for the same seed."""

from __future__ import annotations

from dataclasses import dataclass

_MASK_64 = (1 << 64) - 1
_LOST, _TORN, _REPEATED, _STUCK, _WRITE_ERROR, _READ_ERROR = range(1, 7)


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageFaults:
    """What a chip does wrong; shares are of its blocks, 0 to 1, picked by `seed`."""

    write_bytes_per_s: int | None = None
    burst_bytes: int = 0
    """So many bytes are first taken at full speed, as a chip's single-level cache does."""
    read_bytes_per_s: int | None = None
    latency_s: float = 0.0
    """Added to every write, read and fsync."""
    stalled: bool = False
    """Writes, reads and fsyncs wait until this is taken back."""
    lost: float = 0.0
    """Acknowledged, but nothing reaches the block; another try on the same block may succeed."""
    torn: float = 0.0
    """Only the first half of the block arrives."""
    repeated: float = 0.0
    """The block gets what was meant for the block written just before it."""
    stuck: float = 0.0
    """The block keeps its content for ever, whatever is written."""
    write_error: float = 0.0
    """Writing answers EIO."""
    read_error: float = 0.0
    """Reading answers EIO."""
    fsync_error: bool = False
    """Every fsync answers EIO."""
    after_bytes: int = 0
    """A chip that fails under load: blocks are only hit after so many bytes were written to it."""
    quota_after_bytes: int | None = None
    """No fault of the chip: a quota of the system refuses a fill (EDQUOT) that has written more."""
    seed: int = 0

    @property
    def hits_writes(self) -> bool:
        """Whether a write may end otherwise than asked for."""
        return any((self.lost, self.torn, self.repeated, self.stuck, self.write_error))

    def loses(self, block: int, attempt: int) -> bool:
        """Whether this attempt to write the block is acknowledged and dropped."""
        return self._hit(_LOST, block, attempt, self.lost)

    def tears(self, block: int, attempt: int) -> bool:
        """Whether only half of this attempt arrives."""
        return self._hit(_TORN, block, attempt, self.torn)

    def repeats(self, block: int, attempt: int) -> bool:
        """Whether this attempt stores the previous block's data instead."""
        return self._hit(_REPEATED, block, attempt, self.repeated)

    def is_stuck(self, block: int) -> bool:
        """Whether the block never changes."""
        return self._hit(_STUCK, block, 0, self.stuck)

    def refuses_write(self, block: int) -> bool:
        """Whether writing the block answers EIO."""
        return self._hit(_WRITE_ERROR, block, 0, self.write_error)

    def refuses_read(self, block: int) -> bool:
        """Whether reading the block answers EIO."""
        return self._hit(_READ_ERROR, block, 0, self.read_error)

    def _hit(self, kind: int, block: int, attempt: int, share: float) -> bool:
        if share <= 0.0:
            return False
        return _mixed(self.seed, kind, block, attempt) < share * (_MASK_64 + 1)


def _mixed(*numbers: int) -> int:
    # splitmix64: spreads neighbouring numbers evenly, and is the same on every machine.
    state = 0
    for number in numbers:
        state = (state + number + 0x9E3779B97F4A7C15) & _MASK_64
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK_64
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK_64
        state ^= state >> 31
    return state
