"""A chip's hash with the secret that the racks of one dealer share, and their centre never has.

An IDm is eight bytes, of which most are known: without a secret anybody tries them all.
"""

from __future__ import annotations

import hashlib
import hmac
from pathlib import Path
from typing import Final

from benchd.domain.errors import UsageRefused

SECRET_BYTES: Final = 32
_CHIP: Final = b"benchd fleet chip v1\n"
_NAME: Final = b"benchd fleet chip secret v1\n"


def fleet_chip_of(secret: bytes, idm: bytes) -> str:
    """How racks with this secret name a chip: `NAME.HASH`, NAME being the secret's own."""
    return f"{_hashed(secret, _NAME)[:8]}.{_hashed(secret, _CHIP + idm)[:32]}"


def read_fleet_secret(path: Path) -> bytes:
    """The secret in a file of 64 hex digits; raises UsageRefused, OSError."""
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except ValueError:
        secret = b""
    if len(secret) != SECRET_BYTES:
        message = f"{path} isn't there or doesn't have 64 hex digits"
        raise UsageRefused(message)
    return secret


def _hashed(secret: bytes, told: bytes) -> str:
    return hmac.new(secret, told, hashlib.sha256).hexdigest()
