"""One try to hand over a trace: OTLP/HTTP, bounded in time and in what is read of the answer.

Source: OpenTelemetry protocol specification 1.x, "OTLP/HTTP". Farther than its list of answers
to try again goes what somebody's configuration may be the cause of: it is put right some day.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol, cast

import anyio
import httpx2

from benchd.bounded_http import BoundedTransport
from benchd.traces.otlp import MEDIA_TYPE
from benchd.traces.settings import TraceTarget

LARGEST_ANSWER_BYTES: Final = 4096
ABOUT_THE_TRACE: Final = frozenset({413, 414, 422})
"""Answers that this very trace would get again."""
PERHAPS_THE_TRACE: Final = frozenset({400, 415, 500, 501})
"""Of a collector that may have stumbled over it, or whose door speaks something else than we do."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The collector has it; of so many spans it says that it has thrown them away."""

    rejected: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why a trace wasn't taken: a word for logs, nothing that the collector says."""

    why: str
    status: int | None = None
    retry_after_s: float | None = None


class Sender(Protocol):
    """Hands over traces. Never raises."""

    async def send(self, body: bytes) -> Taken | Failure:
        """One try."""
        ...


class OtlpSender:
    """Posts to one collector. TLS is always verified, redirects are never followed."""

    def __init__(self, target: TraceTarget) -> None:
        """Reads certificates, so not on the loop."""
        self._target = target
        self._client = httpx2.AsyncClient(
            transport=BoundedTransport(ssl.create_default_context(cafile=target.authority)),
            trust_env=False,
            follow_redirects=False,
            timeout=target.timeout_s,
        )

    async def send(self, body: bytes) -> Taken | Failure:
        """One try; what goes wrong is told as a word."""
        headers = {
            "user-agent": "benchd",
            **self._target.headers,
            "content-type": MEDIA_TYPE,
            # Nothing is unpacked: a few bytes could become as many as they like.
            "accept-encoding": "identity",
        }
        try:
            with anyio.fail_after(self._target.timeout_s):
                async with self._client.stream(
                    "POST", self._target.url, content=body, headers=headers
                ) as answer:
                    if answer.is_success:
                        return Taken(_rejected(await _bounded(answer)))
                    return Failure(
                        why=f"http_{answer.status_code}",
                        status=answer.status_code,
                        retry_after_s=_seconds(answer.headers.get("retry-after")),
                    )
        except TimeoutError:
            return Failure(why="timeout")
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as error:
            # The text of an error may have the address in it.
            return Failure(why=type(error).__name__)

    async def aclose(self) -> None:
        """Let go of the connection."""
        await self._client.aclose()


async def _bounded(answer: httpx2.Response) -> bytes:
    """Its body; of a longer one, as much as shows that nobody reads it."""
    body = b""
    async for part in answer.aiter_raw():
        body += part
        if len(body) > LARGEST_ANSWER_BYTES:
            return b""
    return body


def _rejected(body: bytes) -> int:
    """`partialSuccess.rejectedSpans` of an answer, a 64-bit number as text; 0 if it says none."""
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


def _seconds(text: str | None) -> float | None:
    plain = text is not None and text.isascii() and text.isdigit() and len(text) < 8
    return float(text) if plain and text is not None else None
