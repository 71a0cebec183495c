"""What a handset's outputs may cost the loop: by reads and packets, not by bytes that are wanted.

Bytes are bounded by whoever asked for them. What nobody asks for are thousands of packets with
next to nothing in them: 64 KiB hold 13,000 headers, and each costs as much as a full packet does.
"""

from __future__ import annotations

from typing import Final

from benchd.devices.android.adb import AdbAddress
from benchd.domain.token_bucket import TokenBucket

TOKENS_PER_S: Final = 2_000.0
"""Some 2 % of one core at the most: a token is a microsecond for a packet, 10 with its read."""
TOKENS_AT_ONCE: Final = 20_000.0
TOKENS_PER_READ: Final = 8
BYTES_PER_READ: Final = 4096
"""So many bytes pay for a read: adbd passes on each block of a `dd` that reads by pages in one.
What is over pays for the next: where more waits than a read takes, a rest of some bytes follows."""
BYTES_PER_PACKET: Final = 1024
"""So many bytes pay for a packet: bulk data comes in packets of 4 KiB and more, and costs none. An
adbd whose packets hold 4,091 bytes cuts a block in two, and that costs none either."""


class Flow:
    """What all outputs of one handset have together."""

    def __init__(self) -> None:
        self._bucket = TokenBucket(per_s=TOKENS_PER_S, at_once=TOKENS_AT_ONCE)
        self._next_is_paid = 0.0

    async def pay(self, *, packets: int, size_bytes: int) -> bool:
        """Pay for one read; waits while the handset has sent more than its share.

        Nothing is read of it meanwhile, so it has to wait as well. Returns whether it had to.
        """
        read = TOKENS_PER_READ * (1 - size_bytes / BYTES_PER_READ) - self._next_is_paid
        self._next_is_paid = min(TOKENS_PER_READ, max(0.0, -read))
        unpaid = packets - size_bytes / BYTES_PER_PACKET
        return await self._bucket.take(max(0.0, read) + max(0.0, unpaid))


class Flows:
    """The flow of each place that a handset can be at: a replug brings no new one."""

    def __init__(self) -> None:
        self._flows: dict[AdbAddress, Flow] = {}

    def of(self, address: AdbAddress) -> Flow:
        """The one of this address."""
        return self._flows.setdefault(address, Flow())
