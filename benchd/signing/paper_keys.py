"""What a reader's worker is told of the rack's keys: enough to know the rack's own baselines."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import TypeAdapter

from benchd.signing.key_ring import KeyRing
from benchd.signing.public_key import Signer, has_signed, public_key_of


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperKeys:
    """The key that signs, and retired ones with the digests that they still count for."""

    signing: Ed25519PublicKey
    retired: tuple[tuple[Ed25519PublicKey, frozenset[str]], ...]

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether one of them has signed this, and still counts for it."""
        digest = hashlib.sha256(message).hexdigest()
        return has_signed(self.signing, message, signature) or any(
            digest in papers and has_signed(key, message, signature) for key, papers in self.retired
        )

    def has_signed_record(self, message: bytes, signature: bytes, *, sequence: int) -> bool:
        """Never: a worker has nothing to do with the ledger."""
        del message, signature, sequence
        return False


def signer_text(public_key_pem: bytes, ring: KeyRing) -> str:
    """One line for `signer_of`: PEM of the key, or JSON where the rack has had others."""
    if not ring.rotations:
        return public_key_pem.decode()
    retired = {
        rotation.old_key.public_bytes_raw().hex(): sorted(rotation.retirement.papers)
        for rotation in ring.rotations
    }
    return json.dumps({"signing": public_key_pem.decode(), "retired": retired})


def signer_of(text: str) -> Signer:
    """The keys in such a line; raises UsageRefused or ValueError for any other."""
    if not text.startswith("{"):
        return public_key_of(text.encode())
    told = json.loads(text)
    retired = TypeAdapter(Mapping[str, list[str]]).validate_python(told["retired"])
    return PaperKeys(
        signing=public_key_of(str(told["signing"]).encode()),
        retired=tuple(
            (Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)), frozenset(papers))
            for key, papers in retired.items()
        ),
    )
