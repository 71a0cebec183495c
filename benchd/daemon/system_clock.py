"""Time and randomness of the machine, as the core asks for them."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime


class SystemClock:
    """Wall time of this machine."""

    def now(self) -> datetime:
        """The current time in UTC."""
        return datetime.now(UTC)


class SystemEntropy:
    """The kernel's random numbers."""

    def token(self, size_bytes: int) -> bytes:
        """Fresh bytes that nobody can foresee."""
        return secrets.token_bytes(size_bytes)
