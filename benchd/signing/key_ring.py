"""All keys that a rack has had, oldest first, and what each retired one still counts for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from benchd.domain.ids import JsonValue
from benchd.signing import canonical
from benchd.signing.public_key import has_signed, key_id_of
from benchd.signing.rotation import Rotation, read_rotation

RING_TYPE: Final = "urn:benchd:key-ring:v1"
MAX_RING_BYTES: Final = 256 << 20
"""67 bytes a certificate: some four million of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """The keys as far as the one that is trusted, whose word all before it rests on."""

    keys: tuple[Ed25519PublicKey, ...]
    rotations: tuple[Rotation, ...] = ()
    """Each retires the key of its place; one more than there are keys before the trusted one,
    where that has been retired as well."""
    later: frozenset[str] = field(default=frozenset())
    """Ids of keys after the trusted one: its word for them is no better than its own secrecy."""

    @classmethod
    def of(cls, key: Ed25519PublicKey) -> KeyRing:
        """Of a rack that has had one key."""
        return cls(keys=(key,))

    @property
    def trusted(self) -> Ed25519PublicKey:
        """The key that all rests on."""
        return self.keys[-1]

    @property
    def rack(self) -> str:
        """What the rack is called outside: the id of its first key, whatever key signs now."""
        return key_id_of(self.keys[0])

    def place_of(self, key_id: str) -> int | None:
        """Where on the ring the key of this id is; None for one that isn't trusted."""
        ids = [key_id_of(key) for key in self.keys]
        return ids.index(key_id) if key_id in ids else None

    def retired_by(self, place: int) -> Rotation | None:
        """The rotation that retired this key; None for the one that signs."""
        return self.rotations[place] if place < len(self.rotations) else None

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether a key of the rack has signed this, and still counts for it."""
        digest = hashlib.sha256(message).hexdigest()
        return any(
            has_signed(key, message, signature)
            for key, retired in self._each()
            if retired is None or digest in retired.retirement.papers
        )

    def has_ever_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether a key of the rack has signed this, be it retired: then its thief may have."""
        return any(has_signed(key, message, signature) for key in self.keys)

    def has_signed_record(self, message: bytes, signature: bytes, *, sequence: int) -> bool:
        """Whether the key that signed the ledger when it had this number has signed this."""
        return any(
            has_signed(key, message, signature)
            for key, retired in self._each()
            if retired is None or sequence <= retired.retirement.sequence
        )

    def with_rotation(self, rotation: Rotation) -> KeyRing:
        """The ring that this rotation makes of it."""
        return KeyRing(keys=(*self.keys, rotation.new_key), rotations=(*self.rotations, rotation))

    def encode(self) -> bytes:
        """The one file that a ring has."""
        return canonical.encode(
            {
                "type": RING_TYPE,
                "first_key": self.keys[0].public_bytes_raw().hex(),
                "rotations": [
                    {**each.as_record(), "certificates": sorted(each.retirement.certificates)}
                    for each in self.rotations
                ],
            },
            ascii_only=True,
        )

    def _each(self) -> Iterable[tuple[Ed25519PublicKey, Rotation | None]]:
        return ((key, self.retired_by(place)) for place, key in enumerate(self.keys))


def decode_ring(data: bytes, trusted: Ed25519PublicKey) -> KeyRing:
    """The ring in a file as far as the trusted key; raises ValueError unless all of it holds.

    Nothing in the file is trusted but what leads to that key.
    """
    if len(data) > MAX_RING_BYTES:
        raise ValueError("it's larger than any ring")
    match canonical.decode(data, ascii_only=True):
        case {
            "type": "urn:benchd:key-ring:v1",
            "first_key": str() as first,
            "rotations": list() as told,
        }:
            rotations = tuple(map(_rotation, told))
        case _:
            raise ValueError("it doesn't have the form of a key ring")
    keys = [Ed25519PublicKey.from_public_bytes(bytes.fromhex(first))]
    previous: str | None = None
    for rotation in rotations:
        before = keys[-1]
        if rotation.old_key != before or rotation.statement["previous"] != previous:
            raise ValueError("a rotation doesn't follow the one before it")
        keys.append(rotation.new_key)
        previous = rotation.digest
    whole = KeyRing(keys=tuple(keys), rotations=rotations)
    if whole.encode() != data or len({key_id_of(key) for key in keys}) != len(keys):
        raise ValueError("it isn't written as benchd writes it")
    return _trusting(whole, trusted)


def _trusting(whole: KeyRing, trusted: Ed25519PublicKey) -> KeyRing:
    place = whole.place_of(key_id_of(trusted))
    if place is None:
        raise ValueError("it doesn't lead to the key that was given")
    end = place + 1
    return KeyRing(
        keys=whole.keys[:end],
        rotations=whole.rotations[:end],
        later=frozenset(map(key_id_of, whole.keys[end:])),
    )


def _rotation(told: JsonValue) -> Rotation:
    match told:
        case {
            "statement": dict() as statement,
            "old_signature": (str() | None) as old,
            "new_signature": str() as new,
            "certificates": list() as certificates,
        }:
            return read_rotation(
                statement,
                None if old is None else bytes.fromhex(old),
                bytes.fromhex(new),
                frozenset(map(str, certificates)),
            )
        case _:
            raise ValueError("it doesn't have the form of a rotation")
