"""What shows that somebody is who they say, kept so that a stolen file tells nobody.

A badge's code is looked up, so it is kept as an HMAC; a PIN as argon2id over an HMAC. The HMAC's
key comes from the rack's own signing key: without that neither can be guessed, however short.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass
from functools import partial

import argon2
from argon2.exceptions import Argon2Error, InvalidHashError
from argon2.low_level import Type

from benchd.domain.yielding_thread import in_yielding_thread

PURPOSE = b"benchd: people's badges and PINs"
"""What the key for `Secrets` is derived for."""
_BADGE, _PIN = b"badge\0", b"pin\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Argon2Cost:
    """How dear one try at a PIN is: RFC 9106's second choice, on one of the rack's processors."""

    iterations: int = 3
    memory_kib: int = 64 * 1024
    lanes: int = 1


class Secrets:
    """Makes and compares what is kept of badges and PINs; slow on purpose, so not on the loop."""

    def __init__(self, key: bytes, cost: Argon2Cost | None = None) -> None:
        """Take the rack's key for `PURPOSE`, 32 bytes."""
        cost = cost or Argon2Cost()
        self._key = key
        self._hasher = argon2.PasswordHasher(
            time_cost=cost.iterations,
            memory_cost=cost.memory_kib,
            parallelism=cost.lanes,
            type=Type.ID,
        )
        self._nobodys = _unknown_pin(cost).encode()

    def of_badge(self, code: str) -> bytes:
        """What is kept of a badge: the same for the same code."""
        return self._keyed(_BADGE, code).hex().encode()

    def of_pin(self, pin: str) -> bytes:
        """What is kept of a PIN: another each time."""
        return self._hasher.hash(self._keyed(_PIN, pin)).encode()

    def is_badge(self, kept: bytes | None, code: str) -> bool:
        """Whether the code is that of the badge that is kept."""
        return hmac.compare_digest(kept or b"", self.of_badge(code))

    def is_pin(self, kept: bytes | None, pin: str) -> bool:
        """Whether it is the PIN that is kept; without one the answer is no, and takes as long."""
        try:
            fits = self._hasher.verify(
                (kept or self._nobodys).decode("ascii", "replace"), self._keyed(_PIN, pin)
            )
        except (Argon2Error, InvalidHashError):
            return False
        return fits and kept is not None

    def is_pin_patiently(self, kept: bytes | None, pin: str) -> bool:
        """The same, where all else that the daemon does comes first."""
        return in_yielding_thread(partial(self.is_pin, kept, pin))

    def _keyed(self, purpose: bytes, text: str) -> bytes:
        return hmac.digest(self._key, purpose + text.encode("utf-8", "replace"), hashlib.sha256)


def _unknown_pin(cost: Argon2Cost) -> str:
    """What might be kept of a PIN that nobody knows: a try at it costs as much as at any other.

    The encoding is argon2's own (https://github.com/P-H-C/phc-winner-argon2, src/encoding.c); 19
    is the version that RFC 9106 describes.
    Written down instead of computed, since every command and every start would wait for it.
    """
    salt, digest = (
        base64.b64encode(bytes(size)).decode().rstrip("=")
        for size in (argon2.DEFAULT_RANDOM_SALT_LENGTH, argon2.DEFAULT_HASH_LENGTH)
    )
    dear = f"m={cost.memory_kib},t={cost.iterations},p={cost.lanes}"
    return f"$argon2id$v=19${dear}${salt}${digest}"


def mark_of(kept: bytes) -> str:
    """The name of what is kept of a secret, as the ledger has it: SHA-256, nothing to guess by."""
    return hashlib.sha256(kept).hexdigest()
