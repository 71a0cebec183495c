"""A server that does next to nothing: what visitors cost themselves is measured against it.

`DELAY_S`: listens on a free port of this machine's own address, prints it, and answers whatever is
asked after that time; an event stream it begins and leaves open. Ends with its input.
"""

import asyncio
import sys

HEAD = b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\n"
BODY = b'{"error": "busy"}'
ANSWER = HEAD + f"Content-Length: {len(BODY)}\r\n\r\n".encode() + BODY
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


async def serve(delay_s: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, until it ends."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            lengths = [
                int(line.split(b":")[1])
                for line in head.lower().split(b"\r\n")
                if line.startswith(b"content-length:")
            ]
            await reader.readexactly(sum(lengths))
            if b"/events" in head:
                writer.write(STREAM)
                await reader.read()
                return
            await asyncio.sleep(delay_s)
            writer.write(ANSWER)
    except (OSError, EOFError):
        pass
    finally:
        writer.close()


async def main() -> None:
    """Serve until the input ends."""
    delay_s = float(sys.argv[1])
    server = await asyncio.start_server(
        lambda reader, writer: serve(delay_s, reader, writer), "127.0.0.1", 0, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)  # noqa: T201 - whoever started it reads it
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
