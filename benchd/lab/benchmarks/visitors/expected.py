"""Whoever must have an answer whatever goes on: the health check, Prometheus, and a person at work.

A program of its own that knows HTTP and sockets, and nothing of benchd. `HOST:PORT BADGE PERSON PIN
SOURCE`: the person comes from that address, the two others from this machine's own. Each asks by a
connection of its own, again and again, and the person signs in anew now and then.

Prints "there" once the person is in; at the end of its input, as JSON, how many seconds each answer
took from the connection to its last byte, and what wasn't answered as it must be.
"""

import asyncio
import json
import re
import sys
import time
from collections import defaultdict

EVERY_S = 0.25
SIGN_IN_EVERY_S = 5.0
HERE = "127.0.0.1"
LONGEST_S = 120.0


class Expected:
    """The three of them, and how they were answered."""

    def __init__(self, host: str, port: int) -> None:
        self.host = host
        self.port = port
        self.took: defaultdict[str, list[float]] = defaultdict(list)
        self.wrong: list[str] = []

    async def ask(
        self,
        name: str,
        source: str,
        method: str,
        path: str,
        *,
        body: bytes = b"",
        headers: tuple[str, ...] = (),
        wanted: int = 200,
    ) -> bytes:
        """One request by a connection of its own; the whole answer."""
        begun = time.monotonic()
        told = b""
        try:
            async with asyncio.timeout(LONGEST_S):
                reader, writer = await asyncio.open_connection(
                    self.host, self.port, local_addr=(source, 0)
                )
                try:
                    writer.write(request(method, path, body, headers))
                    while part := await reader.read(65536):
                        told += part
                finally:
                    writer.close()
        except (OSError, TimeoutError) as fault:
            self.wrong.append(f"{name}: {fault!r}")
        took = time.monotonic() - begun
        self.took[name].append(took)
        line = told.partition(b"\r\n")[0].decode("latin-1")
        if line.split(" ")[1:2] != [str(wanted)]:
            self.wrong.append(f"{name}: {line or 'no answer'} after {took:.1f} s")
        return told

    async def probe(self, path: str) -> None:
        """Ask for one page again and again."""
        while True:
            await self.ask(path, HERE, "GET", path)
            await asyncio.sleep(EVERY_S)

    async def work(self, shown: dict[str, str], source: str, came: asyncio.Event) -> None:
        """Sign in, look, and show that somebody is here; then sign in anew."""
        while True:
            told = await self.ask(
                "sign in",
                source,
                "POST",
                "/api/v1/session",
                body=json.dumps(shown).encode(),
                wanted=201,
            )
            came.set()
            cookie = re.search(rb"(?im)^set-cookie: *([^;\r]+)", told)
            csrf = re.search(rb'"csrf": *"([^"]+)"', told)
            until = time.monotonic() + SIGN_IN_EVERY_S
            while time.monotonic() < until:
                if cookie and csrf:
                    signed = f"Cookie: {cookie[1].decode()}", f"X-Benchd-Csrf: {csrf[1].decode()}"
                    await self.ask("look", source, "GET", "/api/v1/slots", headers=signed)
                    await self.ask("stay", source, "PUT", "/api/v1/session", headers=signed)
                await asyncio.sleep(EVERY_S)


def request(method: str, path: str, body: bytes, headers: tuple[str, ...]) -> bytes:
    """A request as it goes over the wire."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close", *headers]
    if method != "GET":
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "".join(f"{line}\r\n" for line in (*lines, "")).encode() + body


async def main() -> None:
    """Be them."""
    address, badge, person, pin, source = sys.argv[1:]
    host, _, port = address.rpartition(":")
    expected, came = Expected(host, int(port)), asyncio.Event()
    shown = {"badge": badge, "person": person, "pin": pin}
    tasks = [
        asyncio.create_task(expected.probe("/healthz")),
        asyncio.create_task(expected.probe("/metrics")),
        asyncio.create_task(expected.work(shown, source, came)),
    ]
    await came.wait()
    say("there")
    await asyncio.to_thread(sys.stdin.read)
    for task in tasks:
        task.cancel()
    say(json.dumps({"took_s": expected.took, "wrong": expected.wrong}))


def say(what: str) -> None:
    """Tell whoever has started it."""
    print(what, flush=True)  # noqa: T201 - whoever started it reads it


if __name__ == "__main__":
    asyncio.run(main())
