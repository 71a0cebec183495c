"""A crowd of strangers on real sockets: a process of its own that knows nothing of benchd.

`python strangers.py PORT SEED COUNT`: prints a line once it has begun, and ends with its input.
Each stranger does one thing after the other, drawn by the seed.
"""

import asyncio
import contextlib
import json
import random
import sys

PAGES = ("/api/v1/slots/A1/proof", "/cards.pdf", "/api/v1/queue", "/", "/api/v1/slots")
NETS = 20
HELD_S = 4.0


async def connected(port: int, number: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection from one of some addresses of this machine."""
    here = f"127.0.9.{2 + number % NETS}"
    return await asyncio.open_connection("127.0.0.1", port, local_addr=(here, 0))


def request(method: str, path: str, body: object = None) -> bytes:
    """The bytes of a request."""
    sent = b"" if body is None else json.dumps(body).encode()
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\n"
    if body is not None:
        head += f"Content-Type: application/json\r\nContent-Length: {len(sent)}\r\n"
    return head.encode() + b"\r\n" + sent


async def read_some(reader: asyncio.StreamReader, within_s: float) -> None:
    """What comes within a time."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(within_s):
            while await reader.read(65536):
                pass


async def one_thing(port: int, number: int, chance: random.Random) -> None:
    """What a stranger does with one connection."""
    reader, writer = await connected(port, number)
    try:
        match chance.randrange(6):
            case 0:
                for _ in range(20):
                    writer.write(request("GET", chance.choice(PAGES)))
                    await writer.drain()
                    await read_some(reader, 0.2)
            case 1:
                writer.write(request("GET", "/api/v1/events"))
                await read_some(reader, HELD_S)
            case 2:
                writer.write(request("POST", "/api/v1/session", {"badge": "B" * 90})[:120])
                await asyncio.sleep(HELD_S)
            case 3:
                writer.write(request("GET", "/metrics"))
                await reader.read(100)
                await asyncio.sleep(HELD_S)
            case 4:
                guess = {"person": chance.choice(("sato", "suzuki", "x")), "pin": "000000"}
                for _ in range(5):
                    writer.write(request("POST", "/api/v1/session", guess))
                    await read_some(reader, 0.3)
            case _:
                writer.write(request("GET", chance.choice(PAGES)))
    finally:
        writer.transport.abort()


async def stranger(port: int, number: int, seed: int) -> None:
    """One thing after the other."""
    chance = random.Random(f"{seed} {number}")  # noqa: S311 - the same again by the seed
    while True:
        with contextlib.suppress(OSError):
            await one_thing(port, number, chance)
        await asyncio.sleep(chance.random())


async def main() -> None:
    """All of them, until the input ends."""
    port, seed, count = map(int, sys.argv[1:4])
    tasks = [asyncio.create_task(stranger(port, number, seed)) for number in range(count)]
    sys.stdout.write("there\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    for task in tasks:
        task.cancel()


if __name__ == "__main__":
    asyncio.run(main())
