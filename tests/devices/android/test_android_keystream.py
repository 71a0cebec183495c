"""The host's keystream."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import ChaCha20
from hypothesis import given
from hypothesis import strategies as some

from benchd.devices.android.fill.chacha import chacha_bytes
from benchd.devices.android.fill.keystream import CIPHERS, HostKeystream

KEY = bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c")
STREAM = HostKeystream()
AES, CHACHA = CIPHERS


def test_it_is_aes_128_whose_counter_is_big_endian_and_counts_blocks_of_16() -> None:
    # FIPS 197, appendix B has this key; the block is AES of the all-zero counter.
    assert STREAM(AES, KEY, 0, 16).hex() == "7df76b0c1ab899b33e42f047b91b546f"
    # NIST SP 800-38A, F.5.1: this counter's block encrypts to the keystream given there.
    counter = 0xF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF
    assert STREAM(AES, KEY, counter * 16, 16).hex() == "ec8cdf7398607cb0f2d21675ea9ea1e4"
    assert STREAM(AES, KEY, 0, 64) != STREAM(CHACHA, KEY, 0, 64), "each cipher has its own"


# J. Strombergson, draft-strombergson-chacha-test-vectors, TC1: key and nonce of zeros.
FIRST_BLOCKS = {
    16: "e28a5fa4a67f8c5defed3e6fb7303486aa8427d31419a729572d777953491120"
    "b64ab8e72b8deb85cd6aea7cb6089a101824beeb08814a428aab1fa2c816081b",
    32: "3e00ef2f895f40d67f5bb8e81f09a5a12c840ec3ce9a7f3b181be188ef711a1e"
    "984ce172b9216f419f445367456d5619314a42a3da86b001387bfdb80e0cfe42",
}


@pytest.mark.parametrize(("key_bytes", "first_block"), FIRST_BLOCKS.items())
def test_eight_rounds_of_chacha(key_bytes: int, first_block: str) -> None:
    assert chacha_bytes(bytes(key_bytes), 0, 64, rounds=8).hex() == first_block


@given(
    key=some.binary(min_size=32, max_size=32),
    high=some.integers(0, (1 << 32) - 1),
    # The library refuses to carry over from the lower half of the counter.
    low=some.integers(0, (1 << 32) - 80),
)
def test_with_twenty_rounds_it_is_the_librarys_chacha(key: bytes, high: int, low: int) -> None:
    block = high << 32 | low
    nonce = block.to_bytes(8, "little") + bytes(8)
    size = 65 * 64 + 7
    wanted = Cipher(ChaCha20(key, nonce), None).encryptor().update(bytes(size))
    assert chacha_bytes(key, block * 64, size, rounds=20) == wanted


@pytest.mark.parametrize("cipher", CIPHERS)
@given(
    offset=some.integers(0, 1 << 62),
    before=some.integers(0, 100),
    size=some.integers(0, 5000),
)
def test_any_offset_gives_the_same_bytes(cipher: str, offset: int, before: int, size: int) -> None:
    whole = STREAM(cipher, KEY, offset, before + size)
    assert whole[before:] == STREAM(cipher, KEY, offset + before, size)
    assert len(whole) == before + size


def test_what_makes_no_sense_is_refused() -> None:
    for cipher, key, offset, size in (
        (AES, b"short", 0, 1),
        (CHACHA, bytes(32), 0, 1),
        (CHACHA, KEY, -1, 1),
        (AES, KEY, 0, -1),
        ("rot13", KEY, 0, 1),
    ):
        with pytest.raises(ValueError, match=r"key|before|cipher"):
            STREAM(cipher, key, offset, size)
