"""Signs what is sent, by the scheme of Standard Webhooks 1.0.

The bytes that are signed: the id, a full stop, the time stamp, a full stop, the body. The header
tells a signature for each secret, so that a receiver can change from one to the next.
Source: https://www.standardwebhooks.com, "Signature scheme".
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchd.domain.errors import UsageRefused

PREFIX = "whsec_"
FEWEST_BYTES, MOST_BYTES = 24, 64
MOST_SECRETS = 4
LARGEST_FILE_BYTES = 4096
KEY_ID_HEADER = "benchd-key-id"
_KEY_ID_DIGITS = 16


@dataclass(frozen=True, slots=True)
class HookSecret:
    """One shared secret; its id tells which it is and nothing of it."""

    key: bytes = field(repr=False)

    @property
    def key_id(self) -> str:
        """The first 16 hex digits of SHA-256 over the secret's bytes."""
        return hashlib.sha256(self.key).hexdigest()[:_KEY_ID_DIGITS]

    def signature(self, event_id: str, at_s: int, body: bytes) -> str:
        """`v1,` and the HMAC-SHA256 in base64."""
        signed = f"{event_id}.{at_s}.".encode() + body
        digest = hmac.digest(self.key, signed, hashlib.sha256)
        return f"v1,{base64.b64encode(digest).decode()}"


def headers_of(
    secrets: Sequence[HookSecret], event_id: str, at_s: int, body: bytes
) -> dict[str, str]:
    """The headers that show from whom a body is, and when it was sent (Unix seconds)."""
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": " ".join(one.signature(event_id, at_s, body) for one in secrets),
        KEY_ID_HEADER: " ".join(one.key_id for one in secrets),
    }


def secret_of(text: str) -> HookSecret:
    """The secret in its usual form, `whsec_` and base64; raises UsageRefused."""
    allowed = f"{PREFIX} and base64 of {FEWEST_BYTES} to {MOST_BYTES} bytes"
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise UsageRefused(f"a line isn't {allowed}") from None
    if not text.startswith(PREFIX) or not FEWEST_BYTES <= len(key) <= MOST_BYTES:
        raise UsageRefused(f"a line isn't {allowed}")
    return HookSecret(key)


def read_secrets(path: Path) -> tuple[HookSecret, ...]:
    """The secrets of a file, one a line, the first the newest; raises UsageRefused."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            text = file.read(LARGEST_FILE_BYTES).decode("ascii", "replace")
    except OSError as error:
        raise UsageRefused(f"{path} can't be read: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode) or status.st_mode & stat.S_IRWXO:
        raise UsageRefused(f"{path} can be read by everybody; chmod 600 it")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not 1 <= len(lines) <= MOST_SECRETS:
        raise UsageRefused(f"{path} has {len(lines)} lines; allowed are 1 to {MOST_SECRETS}")
    try:
        return tuple(secret_of(line) for line in lines)
    except UsageRefused as refused:
        raise UsageRefused(f"{path}: {refused}") from None
