"""A crowd of clients that knows HTTP and sockets, and nothing of benchd; a process of its own.

`ask PORT COUNT`: so many keep-alive connections, each of which asks for pages one after the other,
as fast as it is answered, and comes again where it was sent away.
`hold PORT COUNT`: so many that each open an event stream, and read it.

Prints "there" once all have connected, and ends with its input.
"""

import asyncio
import sys

PAGES = ("/api/v1/slots/A1/proof", "/api/v1/slots/A1/proof", "/cards.pdf")


class Crowd:
    def __init__(self, port: int) -> None:
        self.port = port
        self.met = 0
        self.everybody = asyncio.Event()

    async def ask(self, number: int) -> None:
        asked = 0
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                self.came()
                while True:
                    page = PAGES[(number + asked) % len(PAGES)]
                    asked += 1
                    writer.write(f"GET {page} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                    await answer(reader)
            except (OSError, EOFError, ValueError):
                await asyncio.sleep(0.2)

    async def hold(self, number: int) -> None:
        while True:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
                writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
                self.came()
                while await reader.read(65536):
                    pass
            except OSError:
                pass
            await asyncio.sleep(0.2)

    def came(self) -> None:
        self.met += 1
        self.everybody.set()


async def answer(reader: asyncio.StreamReader) -> int:
    """The status of one answer, all of which is read."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    await reader.readexactly(length)
    return int(head.split(b" ")[1])


async def main() -> None:
    what, port, count = sys.argv[1:]
    crowd = Crowd(int(port))
    tasks = [asyncio.create_task(getattr(crowd, what)(number)) for number in range(int(count))]
    while crowd.met < int(count):
        await crowd.everybody.wait()
        crowd.everybody.clear()
    print("there", flush=True)  # noqa: T201 - the parent reads it
    await asyncio.to_thread(sys.stdin.read)
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main())
