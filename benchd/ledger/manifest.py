"""The signed list of a backup: how far its ledger goes, and which bytes belong to it.

A backup is a few files of one name. Its manifest is written last, so there is a backup where
there is a manifest, and none where there isn't.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import TypeAdapter, ValidationError
from typing_extensions import TypedDict

from benchd.domain.errors import BackupInvalid, SignedByRetired
from benchd.domain.ids import JsonValue
from benchd.ledger.head import Head
from benchd.signing import canonical
from benchd.signing.key_ring import KeyRing
from benchd.signing.private_key import SigningKey
from benchd.signing.public_key import has_signed
from benchd.signing.signed_claim import encode_signed, signed_bytes, with_signature

MANIFEST_TYPE: Final = "urn:benchd:ledger-backup:v1"
MANIFEST_ENDING: Final = ".json"
MOST_BYTES: Final = 1 << 16
"""Of a manifest; a real one has less than 1000."""
READ_BYTES: Final = 1 << 20

_TIME: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z")
_DOMAIN: Final = b"benchd ledger backup v1\n"


class Part(StrEnum):
    """What a backup consists of beside its manifest: the endings of its files."""

    LEDGER = "sqlite"
    HEAD = "sqlite.head"
    """Where `verify_ledger` looks for it: whoever has the public key verifies a backup by it."""
    PEOPLE = "people"
    """Badges and PINs, hashed: the ledger names them and doesn't hold them."""
    RING = "ring"
    """All public keys of the rack, for whoever has lost that file."""


class _Digest(TypedDict):
    bytes: int
    sha256: str


class _Form(TypedDict):
    type: str
    at: str
    benchd: str
    sequence: int
    head_hash: str
    records: int
    files: dict[Part, _Digest]
    signature: str


_FORM: Final = TypeAdapter(_Form)


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A file by its length and its SHA-256, as hex."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds."""

    at: datetime
    benchd: str
    """The version that wrote it."""
    head: Head
    records: int
    files: Mapping[Part, Digest]


def check_name(path: Path, manifest: Manifest) -> None:
    """Raise BackupInvalid for a file whose name tells another time than its signed manifest.

    Whoever can write to a folder of backups can give an old one the newest one's name.
    """
    told, made = _TIME.search(path.name), f"{manifest.at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
    if told is not None and told[0] != made:
        message = f"{path}: it was made at {made}, and has the name of another backup"
        raise BackupInvalid(message)


def part_path(manifest: Path, part: Part) -> Path:
    """Where a part of a backup lies: beside its manifest."""
    return manifest.with_suffix(f".{part.value}")


def digest_of(path: Path) -> Digest:
    """The digest of a file as it lies there."""
    whole, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while piece := file.read(READ_BYTES):
            whole.update(piece)
            size += len(piece)
    return Digest(bytes=size, sha256=whole.hexdigest())


def encode_manifest(manifest: Manifest, key: SigningKey) -> bytes:
    """A manifest with its signature, as canonical JSON."""
    return encode_signed(_claim(manifest), _DOMAIN, key)


def read_manifest(path: Path, ring: KeyRing, *, retired: bool = False) -> Manifest:
    """The manifest in a file; raises BackupInvalid unless it is just as this rack wrote it.

    One that a retired key has signed is told from others as SignedByRetired, unless `retired`
    keys are to count up to their rotation.
    """
    try:
        with path.open("rb") as file:
            return _decode(path, file.read(MOST_BYTES), ring, retired=retired)
    except OSError as error:
        raise BackupInvalid(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        raise BackupInvalid(f"{path}: it doesn't have the form of a manifest") from error
    except ValueError as error:
        raise BackupInvalid(f"{path}: {error}") from error


def _decode(path: Path, data: bytes, ring: KeyRing, *, retired: bool) -> Manifest:
    form = _FORM.validate_python(canonical.decode(data))
    manifest = Manifest(
        at=datetime.fromisoformat(form["at"]),
        benchd=form["benchd"],
        head=Head(sequence=form["sequence"], hash=bytes.fromhex(form["head_hash"])),
        records=form["records"],
        files={part: Digest(**told) for part, told in form["files"].items()},
    )
    claim, signature = _claim(manifest), bytes.fromhex(form["signature"])
    if with_signature(claim, signature) != data:
        message = "it isn't written as benchd writes it"
        raise ValueError(message)
    signed = signed_bytes(claim, _DOMAIN)
    if not ring.has_signed_record(signed, signature, sequence=manifest.head.sequence):
        message = "it isn't signed by this rack's key, or has changed"
        raise ValueError(message)
    if not retired and not has_signed(ring.trusted, signed, signature):
        raise SignedByRetired(f"{path}: it is signed by a key that was retired since")
    if Part.LEDGER not in manifest.files:
        message = "it names no ledger"
        raise ValueError(message)
    return manifest


def _claim(manifest: Manifest) -> dict[str, JsonValue]:
    return {
        "type": MANIFEST_TYPE,
        "at": manifest.at.astimezone(UTC).isoformat(timespec="seconds"),
        "benchd": manifest.benchd,
        "sequence": manifest.head.sequence,
        "head_hash": manifest.head.hash.hex(),
        "records": manifest.records,
        "files": {
            part.value: {"bytes": file.bytes, "sha256": file.sha256}
            for part, file in manifest.files.items()
        },
    }
