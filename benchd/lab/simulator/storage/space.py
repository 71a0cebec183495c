"""Which blocks of a handset's storage are free, and who may still use them."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence

from benchd.lab.simulator.storage.file_nodes import HOLE


def no_space() -> OSError:
    """The error of a full file system."""
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


class Space:
    """Counts blocks as f2fs does: one for every node, one for every 4 KiB of content.

    The last `reserved_blocks` are for the system; the shell never gets them.
    """

    def __init__(self, *, block_count: int, reserved_blocks: int) -> None:
        self.block_count = block_count
        self.reserved_blocks = reserved_blocks
        self._free: list[int] = []
        self._node_count = 0
        self.clear()

    def clear(self) -> None:
        """Everything is free again; the content of the blocks stays where it is."""
        self._free = list(range(self.block_count - 1, -1, -1))
        self._node_count = 0

    @property
    def node_count(self) -> int:
        """How many nodes there are."""
        return self._node_count

    @property
    def free_blocks(self) -> int:
        """Blocks that are free, the reserve among them."""
        return max(len(self._free) - self._node_count, 0)

    @property
    def available_blocks(self) -> int:
        """Blocks that the shell can still have."""
        return max(self.free_blocks - self.reserved_blocks, 0)

    def add_node(self) -> None:
        """Take the block that a new node needs, or raise ENOSPC."""
        if self.available_blocks < 1:
            raise no_space()
        self._node_count += 1

    def remove_node(self) -> None:
        """Give a node's block back."""
        self._node_count -= 1

    def take(self, wanted: int) -> list[int]:
        """Up to so many blocks, as many as there are."""
        granted = min(wanted, self.available_blocks)
        if granted == 0:
            return []
        taken = self._free[-granted:]
        del self._free[-granted:]
        taken.reverse()
        return taken

    def give_back(self, blocks: Sequence[int]) -> None:
        """Free these blocks at once; holes are passed over."""
        self._free.extend(block for block in reversed(blocks) if block != HOLE)
