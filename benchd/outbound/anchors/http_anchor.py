"""A place outside the rack that keeps its ledger's head: an address that takes it by POST."""

from __future__ import annotations

from types import MappingProxyType
from urllib.parse import urlsplit

import anyio
import httpx2

from benchd.domain.errors import AnchorUnreachable
from benchd.outbound.anchors.folder_anchor import DEADLINE_S
from benchd.outbound.bounded_http import BoundedTransport

LONGEST_RECEIPT = 500
"""Characters of an anchor's receipt that the ledger keeps."""
NOBODY_KNOWS = 404
PLAIN = "identity"
"""Of what is packed, a few bytes could become as many as they like."""
CONNECT_S = 5.0
"""A start asks each anchor before there is a wall, and where the line is cut nobody answers."""
_PATIENCE = httpx2.Timeout(DEADLINE_S, connect=CONNECT_S)
_HEADERS = MappingProxyType({"content-type": "application/json", "accept-encoding": PLAIN})


class HttpAnchor:
    """An address that takes heads by POST, with a receipt, and tells the newest by GET."""

    def __init__(
        self, url: str, rack: str, transport: httpx2.AsyncBaseTransport | None = None
    ) -> None:
        """`rack` is the key id of the rack, by which the other side tells racks apart.

        The query of `url` may be a token: nothing that is logged or recorded has it.
        """
        parts = urlsplit(url)
        plain = parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="")
        self.name = plain.geturl()
        self._query = parts.query
        self._url = parts._replace(path=f"{parts.path.rstrip('/')}/{rack}").geturl()
        self._transport = transport

    async def keep(self, signed_head: bytes) -> str:
        """Send a head."""
        status, body = await self._request("POST", signed_head)
        self._expect(status in (200, 201), status)
        return self._without_query(body.decode("utf-8", "replace"))[:LONGEST_RECEIPT]

    async def newest(self) -> bytes | None:
        """The newest head that it keeps; None where it knows no such rack (404)."""
        status, body = await self._request("GET", None)
        if status == NOBODY_KNOWS:
            return None
        self._expect(status == 200, status)
        return body

    async def _request(self, method: str, content: bytes | None) -> tuple[int, bytes]:
        try:
            with anyio.fail_after(DEADLINE_S):
                transport = self._transport or BoundedTransport(httpx2.create_ssl_context())
                async with (
                    httpx2.AsyncClient(
                        transport=transport, trust_env=False, timeout=_PATIENCE
                    ) as client,
                    client.stream(
                        method,
                        self._url,
                        content=content,
                        headers=_HEADERS,
                    ) as answer,
                ):
                    self._expect_plain(answer)
                    return answer.status_code, await _bounded(answer)
        except (httpx2.HTTPError, httpx2.InvalidURL, OSError, TimeoutError) as error:
            message = f"{self.name}: {type(error).__name__} {self._without_query(str(error))}"
            raise AnchorUnreachable(message) from error

    def _without_query(self, told: str) -> str:
        """What the other side has said may be what it was asked."""
        return told.replace(self._query, "…") if self._query else told

    def _expect_plain(self, answer: httpx2.Response) -> None:
        coding = answer.headers.get("content-encoding", PLAIN)
        if coding.strip().lower() != PLAIN:
            message = f"{self.name} has packed its answer, which it was asked not to"
            raise AnchorUnreachable(message)

    def _expect(self, expected: bool, status: int) -> None:  # noqa: FBT001 - an assertion
        if not expected:
            message = f"{self.name} answered with {status}"
            raise AnchorUnreachable(message)


async def _bounded(answer: httpx2.Response) -> bytes:
    body = b""
    async for part in answer.aiter_raw():
        body += part
        if len(body) > 4 * LONGEST_RECEIPT:
            break
    return body[: 4 * LONGEST_RECEIPT]
