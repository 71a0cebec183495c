"""A receiver on a real socket that answers with whatever bytes a test wants."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
from anyio.abc import SocketStream


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    """A whole answer of HTTP/1.1."""
    told = "".join(f"{header}\r\n" for header in (*headers, f"content-length: {len(body)}"))
    return f"HTTP/1.1 {status}\r\n{told}\r\n".encode() + body


OK = answer("200 OK", b"ok")


@dataclass
class HttpReceiver:
    """What has arrived, and what is answered."""

    port: int = 0
    answer: bytes | Callable[[bytes], bytes] | None = OK
    """None is silence; a function makes it of the body that came."""
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    connections: int = 0
    arrived: anyio.Event = field(default_factory=anyio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/in?token=t0p"

    async def serve(self, stream: SocketStream) -> None:
        self.connections += 1
        async with stream:
            read = b""
            try:
                while True:
                    while b"\r\n\r\n" not in read:
                        read += await stream.receive()
                    head, _, body = read.partition(b"\r\n\r\n")
                    first, *lines = head.decode("latin-1").split("\r\n")
                    headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}
                    while len(body) < int(headers.get("content-length", "0")):
                        body += await stream.receive()
                    read = b""
                    self.paths.append(first.split()[1])
                    self.got.append((headers, body))
                    self.arrived.set()
                    if self.answer is None:
                        await anyio.sleep_forever()
                    answer = self.answer
                    await stream.send(answer(body) if callable(answer) else answer or b"")
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return


@asynccontextmanager
async def receiving() -> AsyncGenerator[HttpReceiver]:
    """A receiver on a free port."""
    receiver = HttpReceiver()
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    receiver.port = listener.extra(anyio.abc.SocketAttribute.local_port)  # noqa: S610 - anyio's, no database's
    async with listener, anyio.create_task_group() as group:
        group.start_soon(listener.serve, receiver.serve)
        yield receiver
        group.cancel_scope.cancel()
