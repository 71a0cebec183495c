"""The host's own computation of the keystream that the fill program writes."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from benchd.devices.android.fill.chacha import chacha8_bytes
from benchd.domain.fill import KEY_BYTES

AES_COUNTER: Final = "aes-128-ctr"
CHACHA8: Final = "chacha8"
CIPHERS: Final = (AES_COUNTER, CHACHA8)
"""What the fill program may choose from, by the names that it gives them."""
_BLOCK_BYTES: Final = 16


class HostKeystream:
    """The stream of either cipher, from any offset on."""

    def __call__(self, cipher: str, key: bytes, offset: int, size_bytes: int) -> bytes:
        """The bytes [offset, offset + size_bytes) of the stream that `cipher` and `key` name."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key of {len(key)} bytes")
        if offset < 0 or size_bytes < 0:
            raise ValueError("a keystream has no bytes before its first")
        if cipher == AES_COUNTER:
            return _aes_counter_bytes(key, offset, size_bytes)
        if cipher == CHACHA8:
            return chacha8_bytes(key, offset, size_bytes)
        raise ValueError(f"no cipher {cipher!r}")


def _aes_counter_bytes(key: bytes, offset: int, size_bytes: int) -> bytes:
    """AES-128 in counter mode; the counter is the byte offset divided by 16, big-endian."""
    counter, skipped = divmod(offset, _BLOCK_BYTES)
    encryptor = Cipher(AES(key), CTR(counter.to_bytes(_BLOCK_BYTES, "big"))).encryptor()
    return encryptor.update(bytes(skipped + size_bytes))[skipped:]
