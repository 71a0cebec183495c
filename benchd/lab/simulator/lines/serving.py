"""A socket on which each line is a request, and each answer a line of JSON."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import anyio
from anyio.abc import SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream


async def serve_json_lines(
    stream: SocketStream,
    answer: Callable[[bytes], Awaitable[object]],
    *,
    line_maximum_bytes: int,
) -> None:
    """One client, request by request, until it leaves; a longer line raises DelimiterNotFound."""
    lines = BufferedByteReceiveStream(stream)
    async with stream:
        try:
            while True:
                line = await lines.receive_until(b"\n", line_maximum_bytes)
                await stream.send(json.dumps(await answer(line)).encode() + b"\n")
        except (anyio.IncompleteRead, anyio.EndOfStream, anyio.BrokenResourceError):
            return
