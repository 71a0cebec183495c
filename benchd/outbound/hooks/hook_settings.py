"""One hook as it is configured: what it hears, and where that is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from benchd.domain.hook import HookTerms
from benchd.signing.webhook_signature import HookSecret


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a hook sends to."""

    url: str = field(repr=False)
    """May have a token in it, so it's never logged."""
    secrets: tuple[HookSecret, ...]
    timeout_s: float
    authority: Path | None = None
    """The certificate of whoever vouches for the receiver, in place of the system's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookSettings:
    """One hook."""

    terms: HookTerms
    target: Target
