"""A token's secret: made here, known afterwards by its SHA-256 alone."""

from __future__ import annotations

import base64
import hashlib

from benchd.ports import Entropy

SECRET_BYTES = 32
"""Nobody guesses 256 bits, so a plain hash of them tells nothing and needs no salt."""


def new_secret(entropy: Entropy) -> str:
    """A secret that nobody can foresee, in the letters that an Authorization header takes."""
    drawn = base64.urlsafe_b64encode(entropy.token(SECRET_BYTES)).rstrip(b"=")
    return f"benchd_{drawn.decode('ascii')}"


def mark_of(secret: str) -> str:
    """What is kept of a secret. It is looked up by this, so no comparison tells of the secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
