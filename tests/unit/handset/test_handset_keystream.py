"""The host's keystream."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from benchd.handset.keystream import AesCtrKeystream

KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
STREAM = AesCtrKeystream()


def test_it_is_aes_128() -> None:
    # FIPS 197, appendix B has this key; the block is AES of the all-zero counter.
    assert STREAM(KEY, 0, 16).hex() == "7df76b0c1ab899b33e42f047b91b546f"


def test_the_counter_is_big_endian_and_counts_blocks_of_16() -> None:
    # NIST SP 800-38A, F.5.1: this counter's block encrypts to the keystream given there.
    counter = 0xF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF
    assert STREAM(KEY, counter * 16, 16).hex() == "ec8cdf7398607cb0f2d21675ea9ea1e4"


@given(
    offset=some.integers(0, 1 << 62),
    before=some.integers(0, 100),
    size=some.integers(0, 100),
)
def test_any_offset_gives_the_same_bytes(offset: int, before: int, size: int) -> None:
    assert STREAM(KEY, offset, before + size)[before:] == STREAM(KEY, offset + before, size)


def test_what_makes_no_sense_is_refused() -> None:
    for key, offset, size in ((b"short", 0, 1), (KEY, -1, 1), (KEY, 0, -1)):
        with pytest.raises(ValueError, match=r"key|before"):
            STREAM(key, offset, size)
