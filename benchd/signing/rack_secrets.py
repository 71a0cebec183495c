"""The rack's secrets that outlive its key: what chips, badges and pictures are hashed with.

They were derived from the key, so a rotation would have made every chip another one. The first
rotation writes them down as they were; what is asked for later comes from a seed beside them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from pydantic import TypeAdapter
from typing_extensions import TypedDict

from benchd.signing import canonical

CHIP_SALT: Final = b"benchd: salt for the hash of a FeliCa chip's IDm"
PICTURE_MARKS: Final = b"benchd: marks of handsets that fresh pictures were taken from"

SECRET_BYTES: Final = 32
NO_SECRETS: Final = b"none"
"""Stands in the file's place where systemd has none to hand over."""


class _Form(TypedDict):
    seed: str
    known: dict[str, str]


_FORM: Final = TypeAdapter(_Form)


@dataclass(frozen=True, slots=True, kw_only=True)
class RackSecrets:
    """A secret for each purpose, the same whatever key signs."""

    seed: bytes = field(repr=False)
    known: Mapping[bytes, bytes] = field(repr=False)

    def derive(self, purpose: bytes) -> bytes:
        """32 bytes for one purpose."""
        return self.known.get(purpose) or derived(self.seed, purpose)

    def encode(self) -> bytes:
        """The content of their file."""
        known = {purpose.decode(): value.hex() for purpose, value in self.known.items()}
        return canonical.encode({"seed": self.seed.hex(), "known": known}) + b"\n"

    def sha256(self) -> str:
        """What a rotation knows them by; tells nothing of 32 bytes that were drawn."""
        return hashlib.sha256(self.encode()).hexdigest()


def derived(material: bytes, purpose: bytes) -> bytes:
    """32 bytes for one purpose, which tell nothing of the material (HKDF-SHA256, RFC 5869)."""
    hkdf = HKDF(algorithm=hashes.SHA256(), length=SECRET_BYTES, salt=None, info=purpose)
    return hkdf.derive(material)


def kept_secrets(
    derive: Callable[[bytes], bytes], purposes: Iterable[bytes], seed: bytes
) -> RackSecrets:
    """The secrets as a key has derived them until now, and a seed for those to come."""
    return RackSecrets(seed=seed, known={purpose: derive(purpose) for purpose in purposes})


def decode_secrets(data: bytes) -> RackSecrets:
    """The secrets in a file; raises ValueError for anything else."""
    told = _FORM.validate_json(data)
    return RackSecrets(
        seed=_whole(told["seed"]),
        known={name.encode(): _whole(value) for name, value in told["known"].items()},
    )


def _whole(value: str) -> bytes:
    secret = bytes.fromhex(value)
    if len(secret) != SECRET_BYTES:
        message = f"a secret has {len(secret)} bytes and not {SECRET_BYTES}"
        raise ValueError(message)
    return secret
