"""One try to hand over an event: over HTTP, bounded in time and in what is read of the answer."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import anyio
import httpx2

from benchd.bounded_http import BoundedTransport
from benchd.hooks.backoff import Failure
from benchd.hooks.events import MEDIA_TYPE
from benchd.hooks.replies import LARGEST_REPLY_BYTES
from benchd.hooks.settings import Target
from benchd.hooks.signing import headers_of


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
    """Posts to one address. TLS is always verified, redirects are never followed."""

    def __init__(
        self,
        target: Target,
        *,
        now: Callable[[], float],
    ) -> None:
        """Reads certificates, so not on the loop. `now` gives seconds since 1970."""
        self._target = target
        self._now = now
        context = ssl.create_default_context(cafile=target.authority)
        self._client = httpx2.AsyncClient(
            transport=BoundedTransport(context),
            trust_env=False,
            follow_redirects=False,
            timeout=target.timeout_s,
        )

    async def send(self, event_id: str, body: bytes) -> Taken | Failure:
        """One try; what goes wrong is told as a word."""
        signed = headers_of(self._target.secrets, event_id, int(self._now()), body)
        headers = {"content-type": MEDIA_TYPE, "user-agent": "benchd", **signed}
        # Nothing is unpacked: a few bytes could become as many as they like.
        headers["accept-encoding"] = "identity"
        try:
            with anyio.fail_after(self._target.timeout_s):
                async with self._client.stream(
                    "POST", self._target.url, content=body, headers=headers
                ) as answer:
                    if answer.is_success:
                        return Taken(await _bounded(answer))
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
    """Its body; of one that is longer than a reply may be, as much as shows that."""
    body = b""
    async for part in answer.aiter_raw():
        body += part
        if len(body) > LARGEST_REPLY_BYTES:
            break
    return body[: LARGEST_REPLY_BYTES + 1]


def _seconds(text: str | None) -> float | None:
    return (
        float(text)
        if text is not None and text.isascii() and text.isdigit() and len(text) < 8
        else None
    )
