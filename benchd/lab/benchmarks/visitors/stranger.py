"""A crowd of clients that knows HTTP and sockets, and nothing of benchd; a process of its own.

`WHAT HOST:PORT SLOT COUNT [SOURCE…]`: so many clients, by turns from these addresses, that each

* `ask`: ask for two pages, one after the other, on a connection that stays;
* `hold`: open an event stream, and read it;
* `guess`: try to sign in, by turns with a badge and with a person and a PIN that are nobody's;
* `mixed`: by turns ask twice, hold, guess.

Whoever is sent away comes again. Prints "there" once all have connected; for each line of its input
what was answered since the last one, by status, as JSON; and ends with its input.
"""

import asyncio
import json
import sys
from collections import Counter
from itertools import count

PAGES = (
    "/api/v1/slots/{slot}/proof",
    "/api/v1/slots/{slot}/proof",
    "/cards.pdf",
)
AGAIN_S = 0.2
MIXED = ("ask", "ask", "hold", "guess")
CUT = "cut"
"""How a connection is counted that ended without an answer."""


class Strangers:
    """All of them, and how they were answered."""

    def __init__(self, host: str, port: int, slot: str, sources: list[str]) -> None:
        self.host = host
        self.port = port
        self.pages = [page.format(slot=slot) for page in PAGES]
        self.sources = sources
        self.met = 0
        self.everybody = asyncio.Event()
        self.answers: Counter[str] = Counter()

    async def be(self, what: str, number: int) -> None:
        """One of them: comes again and again."""
        asked = count(number)
        while True:
            writer = None
            try:
                reader, writer = await self.connected(number)
                if what == "hold":
                    await self.hold(reader, writer)
                else:
                    ask = self.ask if what == "ask" else self.guess
                    while True:
                        await ask(next(asked), reader, writer)
            except (OSError, EOFError, ValueError):
                self.answers[CUT] += 1
            finally:
                if writer is not None:
                    writer.close()
            await asyncio.sleep(AGAIN_S)

    async def connected(self, number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A connection of this one, from its address."""
        source = (self.sources[number % len(self.sources)], 0) if self.sources else None
        both = await asyncio.open_connection(self.host, self.port, local_addr=source)
        self.met += 1
        self.everybody.set()
        return both

    async def ask(
        self, turn: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Ask for the next page."""
        writer.write(request("GET", self.pages[turn % len(self.pages)]))
        await self.answer(reader)

    async def guess(
        self, turn: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Show something that is nobody's."""
        shown = {"badge": f"B-{turn}"} if turn % 2 else {"person": f"p{turn}", "pin": "123456"}
        writer.write(request("POST", "/api/v1/session", json.dumps(shown).encode()))
        await self.answer(reader)

    async def hold(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Read an event stream until it ends."""
        writer.write(request("GET", "/api/v1/events"))
        head = await reader.readuntil(b"\r\n\r\n")
        self.answers[status(head)] += 1
        while await reader.read(65536):
            pass

    async def answer(self, reader: asyncio.StreamReader) -> None:
        """Read the whole of one."""
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        )
        await reader.readexactly(length)
        self.answers[status(head)] += 1


def request(method: str, path: str, body: bytes = b"") -> bytes:
    """A request as it goes over the wire."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return f"{head}\r\n".encode() + body


def status(head: bytes) -> str:
    """What an answer's first line says."""
    return head.split(b" ", 2)[1].decode()


async def main() -> None:
    """Be them."""
    what, address, slot, wanted, *sources = sys.argv[1:]
    host, _, port = address.rpartition(":")
    strangers = Strangers(host, int(port), slot, sources)
    each = MIXED if what == "mixed" else (what,)
    tasks = [
        asyncio.create_task(strangers.be(each[number % len(each)], number))
        for number in range(int(wanted))
    ]
    while strangers.met < int(wanted):
        await strangers.everybody.wait()
        strangers.everybody.clear()
    say("there")
    while await asyncio.to_thread(sys.stdin.readline):
        say(json.dumps(strangers.answers))
        strangers.answers.clear()
    for task in tasks:
        task.cancel()


def say(what: str) -> None:
    """Tell whoever has started it."""
    print(what, flush=True)  # noqa: T201 - whoever started it reads it


if __name__ == "__main__":
    asyncio.run(main())
