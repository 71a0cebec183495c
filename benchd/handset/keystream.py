"""The host's own computation of the keystream that the fill program writes."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

KEY_BYTES: Final = 16
_BLOCK_BYTES: Final = 16


class AesCtrKeystream:
    """AES-128 in counter mode; the counter is the byte offset divided by 16, big-endian."""

    def __call__(self, key: bytes, offset: int, size_bytes: int) -> bytes:
        """The bytes [offset, offset + size_bytes) of the stream that `key` names."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key of {len(key)} bytes")
        if offset < 0 or size_bytes < 0:
            raise ValueError("a keystream has no bytes before its first")
        counter, skipped = divmod(offset, _BLOCK_BYTES)
        mode = CTR(counter.to_bytes(_BLOCK_BYTES, "big"))
        encryptor = Cipher(AES(key), mode).encryptor()
        return encryptor.update(bytes(skipped + size_bytes))[skipped:]
