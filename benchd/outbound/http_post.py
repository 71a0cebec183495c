"""One POST to a system outside, bounded in time and in what is read of its answer.

A rack that tells nobody loads no HTTP client: whoever makes a `Poster` does, off the loop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import anyio

from benchd.signing.tls import ClientFiles, verified_tls

if TYPE_CHECKING:
    import httpx2


MOST_DOUBLINGS: Final = 16
LONGEST_QUEUE_S: Final = 5.0
"""A post waits for its turn no longer than that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why something wasn't taken: a word for logs and lists, nothing that the receiver says."""

    why: str
    status: int | None = None
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Pauses that double from the first to the longest, all in seconds."""

    first_s: float
    longest_s: float
    longest_asked_s: float
    """What whoever is asked may wish for (Retry-After) without being cut short."""

    def pause_s(self, attempts: int, chance: float, asked_s: float | None) -> float:
        """Seconds until the next try after so many; `chance` from 0 to 1 spreads racks apart."""
        longest = min(self.first_s * 2.0 ** min(attempts, MOST_DOUBLINGS), self.longest_s)
        own = longest * (0.5 + 0.5 * chance)
        return max(own, min(asked_s or 0.0, self.longest_asked_s))


class Poster:
    """Posts to one address. TLS is always verified, redirects are never followed."""

    def __init__(
        self,
        url: str,
        *,
        authority: Path | None,
        timeout_s: float,
        longest_bytes: int,
        client: ClientFiles | None = None,
        connections: int = 1,
    ) -> None:
        """Reads certificates, so not on the loop.

        Args:
            url: May have a secret in it; it is never told.
            authority: Whose certificates count, in place of the system's own.
            timeout_s: For the whole of one try from its turn on, in seconds.
            longest_bytes: What an answer may have; of a longer one a byte more is read.
            client: What is shown to whoever asks.
            connections: How many posts have their turn at once.
        """
        import httpx2  # noqa: PLC0415 - see above

        from benchd.outbound.bounded_http import BoundedTransport  # noqa: PLC0415

        self._url = url
        self._timeout_s = timeout_s
        self._longest_bytes = longest_bytes
        self._turns = anyio.CapacityLimiter(connections)
        self._client = httpx2.AsyncClient(
            transport=BoundedTransport(verified_tls(authority, client), connections),
            trust_env=False,
            follow_redirects=False,
            timeout=timeout_s,
        )

    async def post(self, body: bytes, headers: Mapping[str, str]) -> bytes | Failure:
        """What the receiver says that has taken it. Never raises."""
        try:
            with anyio.fail_after(LONGEST_QUEUE_S):
                await self._turns.acquire()
        except TimeoutError:
            return Failure(why="no_turn")
        try:
            return await self._post(body, headers)
        finally:
            self._turns.release()

    async def _post(self, body: bytes, headers: Mapping[str, str]) -> bytes | Failure:
        import httpx2  # noqa: PLC0415 - it is there since this was made

        # Nothing is unpacked: a few bytes could become as many as they like.
        asked = {"user-agent": "benchd", **headers, "accept-encoding": "identity"}
        try:
            with anyio.fail_after(self._timeout_s):
                async with self._client.stream(
                    "POST", self._url, content=body, headers=asked
                ) as answer:
                    if answer.is_success:
                        return await self._bounded(answer)
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
        """Let go of the connections."""
        await self._client.aclose()

    async def _bounded(self, answer: httpx2.Response) -> bytes:
        body = b""
        async for part in answer.aiter_raw():
            body += part
            if len(body) > self._longest_bytes:
                break
        return body[: self._longest_bytes + 1]


def _seconds(text: str | None) -> float | None:
    return (
        float(text)
        if text is not None and text.isascii() and text.isdigit() and len(text) < 8
        else None
    )
