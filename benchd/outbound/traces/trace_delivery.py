"""One try to hand over a trace: OTLP/HTTP, bounded in time and in what is read of the answer.

Source: OpenTelemetry protocol specification 1.x, "OTLP/HTTP". Farther than its list of answers
to try again goes what somebody's configuration may be the cause of: it is put right some day.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, cast

from benchd.outbound.http_post import Failure, Poster
from benchd.outbound.traces.otlp import MEDIA_TYPE

LARGEST_ANSWER_BYTES: Final = 4096
ABOUT_THE_TRACE: Final = frozenset({413, 414, 422})
"""Answers that this very trace would get again."""
PERHAPS_THE_TRACE: Final = frozenset({400, 415, 500, 501})
"""Of a collector that may have stumbled over it, or whose door speaks something else than we do."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The collector has it; of so many spans it says that it has thrown them away."""

    rejected: int = 0


class Sender(Protocol):
    """Hands over traces. Never raises."""

    async def send(self, body: bytes) -> Taken | Failure:
        """One try."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceTarget:
    """A collector that takes OTLP/HTTP."""

    url: str = field(repr=False)
    """May have a token in it, so it's never logged."""
    headers: Mapping[str, str] = field(repr=False, default_factory=dict[str, str])
    timeout_s: float = 10.0
    authority: Path | None = None
    """The certificate of whoever vouches for the collector, in place of the system's own."""


class OtlpSender:
    """Posts to one collector."""

    def __init__(self, target: TraceTarget) -> None:
        """Reads certificates, so not on the loop."""
        self._headers = {**target.headers, "content-type": MEDIA_TYPE}
        self._poster = Poster(
            target.url,
            authority=target.authority,
            timeout_s=target.timeout_s,
            longest_bytes=LARGEST_ANSWER_BYTES,
        )

    async def send(self, body: bytes) -> Taken | Failure:
        """One try; what goes wrong is told as a word."""
        told = await self._poster.post(body, self._headers)
        return told if isinstance(told, Failure) else Taken(_rejected(told))

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._poster.aclose()


def _rejected(body: bytes) -> int:
    """`partialSuccess.rejectedSpans` of an answer, a 64-bit number as text; 0 if it says none."""
    if len(body) > LARGEST_ANSWER_BYTES:
        return 0
    try:
        told: object = json.loads(body)
    except (ValueError, RecursionError):
        return 0
    partial = _inside(told, "partialSuccess")
    count = _inside(partial, "rejectedSpans")
    match count:
        case bool():
            return 0
        case int() if count > 0:
            return min(count, 1 << 31)
        case str() if count.isascii() and count.isdigit() and len(count) < 10:
            return int(count)
        case _:
            return 0


def _inside(told: object, key: str) -> object:
    return cast("Mapping[str, object]", told).get(key) if isinstance(told, dict) else None
