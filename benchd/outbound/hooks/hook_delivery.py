"""Delivery of an event over HTTP: one bounded try, and when there is another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from benchd.domain.hook import HookTerms
from benchd.outbound.hooks.hook_directions import LARGEST_REPLY_BYTES
from benchd.outbound.hooks.hook_events import MEDIA_TYPE
from benchd.outbound.http_post import Backoff, Failure, Poster
from benchd.signing.webhook_signature import HookSecret, headers_of

LONGEST_PAUSE_S: Final = 3600.0
PAUSES: Final = Backoff(first_s=5.0, longest_s=LONGEST_PAUSE_S, longest_asked_s=LONGEST_PAUSE_S)
"""Between one try and the next."""

NEVER_BETTER: Final = frozenset({410, 413, 414, 415, 422})
"""Answers that are about this very event: sending it again would get them again. 400, 401, 403 and
404 aren't among them: many receivers say so to a signature or a time that they don't like, and a
mistake in somebody's configuration, or a clock, is put right some day."""


def is_for_good(failure: Failure) -> bool:
    """Whether another try is no use."""
    return failure.status in NEVER_BETTER


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


@dataclass(frozen=True, slots=True)
class Taken:
    """The receiver has it; what it has said."""

    reply: bytes


class Sender(Protocol):
    """Hands over events. Never raises."""

    async def send(self, event_id: str, body: bytes) -> Taken | Failure:
        """One try."""
        ...


class HttpSender:
    """Posts signed events to one address."""

    def __init__(
        self,
        target: Target,
        *,
        now: Callable[[], float],
    ) -> None:
        """Reads certificates, so not on the loop. `now` gives seconds since 1970."""
        self._secrets = target.secrets
        self._now = now
        self._poster = Poster(
            target.url,
            authority=target.authority,
            timeout_s=target.timeout_s,
            longest_bytes=LARGEST_REPLY_BYTES,
        )

    async def send(self, event_id: str, body: bytes) -> Taken | Failure:
        """One try; what goes wrong is told as a word."""
        signed = headers_of(self._secrets, event_id, int(self._now()), body)
        told = await self._poster.post(body, {"content-type": MEDIA_TYPE, **signed})
        return told if isinstance(told, Failure) else Taken(told)

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._poster.aclose()
