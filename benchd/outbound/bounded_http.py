"""HTTP to systems outside whose answers are bounded in bytes, all that comes before them included.

A server may send any number of informational answers (1xx) before its own. The client reads on and
on then, as fast as they come: a whole core until the deadline. Source: RFC 9110, 15.2.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncGenerator, AsyncIterable, Generator, Iterable, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final, cast

import httpcore2
import httpx2

LARGEST_ANSWER_BYTES: Final = 64 * 1024
"""Of all that is read after one request was sent: what benchd asks for is far smaller."""
PIECE_BYTES: Final = 4 * 1024
"""Others have their turn after each: one may be hundreds of answers."""
KEEP_S: Final = 4.0
"""Each connection is kept so long for the next request: less than servers do, uvicorn (5 s) too."""

_SAME: Final[Mapping[type[Exception], type[httpx2.TransportError]]] = MappingProxyType(
    {
        httpcore2.ConnectTimeout: httpx2.ConnectTimeout,
        httpcore2.ReadTimeout: httpx2.ReadTimeout,
        httpcore2.WriteTimeout: httpx2.WriteTimeout,
        httpcore2.PoolTimeout: httpx2.PoolTimeout,
        httpcore2.ConnectError: httpx2.ConnectError,
        httpcore2.ReadError: httpx2.ReadError,
        httpcore2.WriteError: httpx2.WriteError,
        httpcore2.LocalProtocolError: httpx2.LocalProtocolError,
        httpcore2.RemoteProtocolError: httpx2.RemoteProtocolError,
        httpcore2.UnsupportedProtocol: httpx2.UnsupportedProtocol,
    }
)


class AnswerTooLong(httpx2.RemoteProtocolError):
    """More came than any answer may have; nobody reads the rest."""


class BoundedTransport(httpx2.AsyncBaseTransport):
    """So many connections at a time, without a proxy. Raises what httpx2's does, and AnswerTooLong.

    Give it to a client that doesn't follow redirects.
    """

    def __init__(self, verify: ssl.SSLContext, connections: int = 1) -> None:
        """`verify` says whose certificates count."""
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=verify,
            max_connections=connections,
            keepalive_expiry=KEEP_S,
            network_backend=_CountedBackend(),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """One request; its body is read as it is asked for."""
        sent = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=request.headers.raw,
            content=request.stream,
            extensions=request.extensions,
        )
        with _as_httpx2():
            answer = await self._pool.handle_async_request(sent)
        return httpx2.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Body(answer),
        )

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._pool.aclose()


class _Body(httpx2.AsyncByteStream):
    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        stream = self._answer.stream
        if isinstance(stream, AsyncIterable):
            with _as_httpx2():
                async for part in stream:
                    yield part

    async def aclose(self) -> None:
        await self._answer.aclose()


class _CountedBackend(httpcore2.AsyncNetworkBackend):
    def __init__(self) -> None:
        # Its type is one of two, by what is installed.
        self._backend = cast("httpcore2.AsyncNetworkBackend", httpcore2.AnyIOBackend())

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - as the library calls it
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        connect = self._backend.connect_tcp
        return _Counted(await connect(host, port, timeout, local_address, socket_options))


class _Counted(httpcore2.AsyncNetworkStream):
    """Counts what is read since something was last written."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream
        self._left = LARGEST_ANSWER_BYTES

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - the same
        if not self._left:
            message = f"the answer is longer than {LARGEST_ANSWER_BYTES} bytes"
            raise AnswerTooLong(message)
        piece = await self._stream.read(min(max_bytes, PIECE_BYTES, self._left), timeout)
        self._left -= len(piece)
        return piece

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the same
        self._left = LARGEST_ANSWER_BYTES
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the same
    ) -> httpcore2.AsyncNetworkStream:
        return _Counted(await self._stream.start_tls(ssl_context, server_hostname, timeout))

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - the same
        return self._stream.get_extra_info(info)


@contextmanager
def _as_httpx2() -> Generator[None]:
    try:
        yield
    except tuple(_SAME) as error:
        raise _SAME[type(error)](str(error)) from error
