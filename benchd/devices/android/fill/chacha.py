"""ChaCha with any number of rounds, many blocks at once: the stream of handsets without AES.

Source: D. J. Bernstein, "ChaCha, a variant of Salsa20", 2008. The counter has 64 bits, the
nonce is zero. Python's integers serve as vectors: word w of every block lies in a lane of 64
bits of one large integer, so that one operation works on all blocks.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

BLOCK_BYTES: Final = 64
LANES: Final = 64
"""Blocks that are computed at once: 4 KiB, what the host draws as a sample."""

_LANE_BITS: Final = 64
_WORD: Final = (1 << 32) - 1
_CONSTANTS: Final = {16: b"expand 16-byte k", 32: b"expand 32-byte k"}
_ONES: Final = sum(1 << (_LANE_BITS * lane) for lane in range(LANES))
_WORDS: Final = _ONES * _WORD
_COLUMNS_AND_DIAGONALS: Final = (
    *((0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15)),
    *((0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14)),
)


def chacha8_bytes(key: bytes, offset: int, size_bytes: int) -> bytes:
    """The bytes [offset, offset + size_bytes) of the stream of 8 rounds."""
    return chacha_bytes(key, offset, size_bytes, rounds=8)


def chacha_bytes(key: bytes, offset: int, size_bytes: int, *, rounds: int) -> bytes:
    """The same with another even number of rounds; the key has 16 or 32 bytes."""
    first, skipped = divmod(offset, BLOCK_BYTES)
    count = -(-(skipped + size_bytes) // BLOCK_BYTES)
    made = b"".join(_blocks(key, number, rounds) for number in range(first, first + count, LANES))
    return made[skipped : skipped + size_bytes]


def _blocks(key: bytes, number: int, rounds: int) -> bytes:
    """LANES blocks from this one on."""
    fixed = struct.unpack("<12I", _CONSTANTS[len(key)] + (key * 2)[:32])
    counters = range(number, number + LANES)
    start = [
        *(_ONES * word for word in fixed),
        _lanes([counter & _WORD for counter in counters]),
        _lanes([counter >> 32 & _WORD for counter in counters]),
        *(0, 0),
    ]
    state = list(start)
    for _ in range(rounds // 2):
        for a, b, c, d in _COLUMNS_AND_DIAGONALS:
            _quarter_round(state, a, b, c, d)
    sums = [(word + begun) & _WORDS for word, begun in zip(state, start, strict=True)]
    lanes = [memoryview(word.to_bytes(LANES * 8, "little")).cast("Q") for word in sums]
    return b"".join(struct.pack("<16I", *words) for words in zip(*lanes, strict=True))


def _lanes(words: Sequence[int]) -> int:
    return int.from_bytes(struct.pack(f"<{LANES}Q", *words), "little")


def _quarter_round(state: list[int], a: int, b: int, c: int, d: int) -> None:
    for into, other, turned, bits in ((a, b, d, 16), (c, d, b, 12), (a, b, d, 8), (c, d, b, 7)):
        state[into] = (state[into] + state[other]) & _WORDS
        # A word shifted by at most 16 bits stays within its lane.
        shifted = (state[turned] ^ state[into]) << bits
        state[turned] = (shifted | shifted >> 32) & _WORDS
