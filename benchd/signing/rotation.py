"""One rotation: a key is retired, the next takes over, and what the old one has signed is named.

Whoever has stolen an old key can date what it signs as they like. So a retired key counts only
for what its rotation names, by digest; and each rotation names the one before, so that the
newest key vouches for all of them, whatever else the keys before it are made to sign.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import chain
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from benchd.domain.ids import Evidence, JsonValue
from benchd.signing import canonical
from benchd.signing.public_key import has_signed

ROTATION_TYPE: Final = "urn:benchd:key-rotation:v1"

_DOMAIN: Final = b"benchd key rotation v1\n"
"""Stands before what is signed, so that a signature made for anything else is none here."""


_DIGEST: Final = re.compile("[0-9a-f]{64}")


class Retired(StrEnum):
    """Why a key signs no longer."""

    ROTATED = "rotated"
    """It has signed the next one."""
    LOST = "lost"
    """Nobody has it any more: a break, which the next key alone has signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """What is known of a key at its end."""

    why: Retired
    at: datetime
    sequence: int
    """The ledger's last record under it; that of the rotation is the next one."""
    head_hash: str
    certificates: frozenset[str]
    """SHA-256 of each certificate's file, as hex."""
    papers: frozenset[str]
    """SHA-256 of whatever else it has signed that still counts: pictures, baselines."""
    secrets_sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """From one key to the next, as both have signed it."""

    statement: Evidence
    old_signature: bytes | None
    """None where the key was lost."""
    new_signature: bytes
    old_key: Ed25519PublicKey
    new_key: Ed25519PublicKey
    retirement: Retirement

    @property
    def digest(self) -> str:
        """What the next rotation and the ledger know it by."""
        return statement_digest(self.statement)

    def names(self, digest: str) -> bool:
        """Whether the old key counts for this."""
        return digest in self.retirement.certificates or digest in self.retirement.papers

    def as_record(self) -> dict[str, JsonValue]:
        """What the ledger keeps of it; the list of certificates is in its own records."""
        old = None if self.old_signature is None else self.old_signature.hex()
        return {
            "statement": self.statement,
            "old_signature": old,
            "new_signature": self.new_signature.hex(),
        }


def rotate(
    old: Ed25519PrivateKey | Ed25519PublicKey,
    new: Ed25519PrivateKey,
    retirement: Retirement,
    previous: str | None,
) -> Rotation:
    """The rotation, signed by both keys, or by the new one alone where the old one was lost."""
    old_key = old if isinstance(old, Ed25519PublicKey) else old.public_key()
    statement: dict[str, JsonValue] = {
        "type": ROTATION_TYPE,
        "why": retirement.why.value,
        "at": retirement.at.astimezone(UTC).isoformat(timespec="seconds"),
        "old_key": old_key.public_bytes_raw().hex(),
        "new_key": new.public_key().public_bytes_raw().hex(),
        "sequence": retirement.sequence,
        "head_hash": retirement.head_hash,
        "certificates": len(retirement.certificates),
        "certificates_sha256": digest_of(retirement.certificates),
        "papers": sorted(retirement.papers),
        "secrets_sha256": retirement.secrets_sha256,
        "previous": previous,
    }
    message = _message(statement)
    signature = None if isinstance(old, Ed25519PublicKey) else old.sign(message)
    return read_rotation(statement, signature, new.sign(message), retirement.certificates)


def read_rotation(
    statement: Evidence,
    old_signature: bytes | None,
    new_signature: bytes,
    certificates: frozenset[str],
) -> Rotation:
    """A rotation whose signatures and list hold; ValueError for any other."""
    old_key, new_key, retirement = _read(statement, certificates)
    if digest_of(certificates) != statement["certificates_sha256"]:
        raise ValueError("the certificates listed aren't those that the rotation names")
    message = _message(statement)
    if not has_signed(new_key, message, new_signature):
        raise ValueError("a rotation isn't signed by the key that it leads to")
    if (old_signature is None) != (retirement.why is Retired.LOST) or (
        old_signature is not None and not has_signed(old_key, message, old_signature)
    ):
        raise ValueError("a rotation isn't signed by the key that it retires")
    return Rotation(
        statement=statement,
        old_signature=old_signature,
        new_signature=new_signature,
        old_key=old_key,
        new_key=new_key,
        retirement=retirement,
    )


def digest_of(digests: Iterable[str]) -> str:
    """SHA-256 over digests in order, each as its 32 bytes."""
    return hashlib.sha256(b"".join(map(bytes.fromhex, sorted(digests)))).hexdigest()


def statement_digest(statement: JsonValue) -> str:
    """SHA-256 of a rotation's statement as it's signed, without the words before it."""
    return hashlib.sha256(canonical.encode(statement, ascii_only=True)).hexdigest()


def _check_digests(digests: Iterable[str]) -> None:
    """Lists are compared as bytes in order, which other pieces and spellings have as well."""
    if not all(map(_DIGEST.fullmatch, digests)):
        raise ValueError("a digest isn't 64 lower-case hexadecimal digits")


def _message(statement: JsonValue) -> bytes:
    return _DOMAIN + canonical.encode(statement, ascii_only=True)


def _read(
    statement: Evidence, certificates: frozenset[str]
) -> tuple[Ed25519PublicKey, Ed25519PublicKey, Retirement]:
    match statement:
        case {
            "type": "urn:benchd:key-rotation:v1",
            "why": str() as why,
            "at": str() as at,
            "old_key": str() as old_key,
            "new_key": str() as new_key,
            "sequence": int() as sequence,
            "head_hash": str() as head_hash,
            "certificates": int() as count,
            "certificates_sha256": str() as listed,
            "papers": list() as papers,
            "secrets_sha256": str() as secrets_sha256,
            "previous": (str() | None) as previous,
            **others,
        } if not others and count == len(certificates):
            kept = (head_hash, listed, secrets_sha256, *([previous] if previous else []))
            _check_digests(chain(certificates, map(str, papers), kept))
            retirement = Retirement(
                why=Retired(why),
                at=datetime.fromisoformat(at),
                sequence=sequence,
                head_hash=head_hash,
                certificates=certificates,
                papers=frozenset(map(str, papers)),
                secrets_sha256=secrets_sha256,
            )
        case _:
            raise ValueError("it doesn't have the form of a rotation")
    keys = (bytes.fromhex(old_key), bytes.fromhex(new_key))
    old, new = map(Ed25519PublicKey.from_public_bytes, keys)
    return old, new, retirement
