"""What carries a rack's requests to the centre: a cutting TCP proxy on loopback, not a network.

It loses, cuts, repeats, reorders, holds silent and forges, and notes what has gone through it. For
the referee it reads only the centre's words, never what benchd makes of them.
"""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import anyio
from anyio.abc import SocketAttribute, SocketStream

from tests.fleet.faults.noted import Noted
from tests.fleet.faults.schedule import ON_THE_LINE, Fault

HEAD_END = b"\r\n\r\n"
REFUSED = (422, 503, None)
"""What a batch hears that isn't whole or signed: the others where nobody could look at it."""
NOISE = 0.25
"""Of the batches, while nothing else is drawn for them."""
CHEAP = tuple(fault for fault in ON_THE_LINE if fault is not Fault.ONE_WAY)
"""What costs no wait."""
HELD_BACK = WITHOUT_AN_ANSWER = 0.5
SILENT_S = 10.0
"""Longer than a rack waits."""


@dataclass(frozen=True)
class Request:
    """One POST, as it came."""

    path: str
    body: bytes

    @property
    def bytes(self) -> bytes:
        head = (
            f"POST {self.path} HTTP/1.1\r\nhost: centre\r\nconnection: close\r\n"
            f"content-length: {len(self.body)}\r\n\r\n"
        )
        return head.encode() + self.body

    @property
    def is_batch(self) -> bool:
        return self.path.endswith("/records")

    @property
    def rack(self) -> str:
        return self.path.split("/")[3]


@dataclass
class Line:
    """One rack's way to the centre."""

    centre: tuple[str, int]
    """Its address and port."""
    noted: Noted
    drawn: random.Random
    planned: Fault | None = None
    """Done to each request, until it is taken away."""
    quiet: bool = False
    held_back: list[Request] = field(default_factory=list)
    happened: Counter[Fault] = field(default_factory=Counter)
    unavailable: int = 0
    """How often the centre has said that it can take nothing."""
    forwarded: anyio.Event = field(default_factory=anyio.Event)
    """Set once a batch is on its way; whoever waits for another puts a new one here."""

    async def answer_to(self, request: Request) -> bytes | None:
        """What the rack hears; nothing for a cut."""
        fault = self._fault_for(request)
        if fault is not None:
            self.happened[fault] += 1
        match fault:
            case Fault.DUPLICATE:
                await self.forward(request)
            case Fault.REORDERED if self.drawn.random() < HELD_BACK:
                self.held_back.append(request)
                return None
            case Fault.REORDERED:
                await self.late()
            case None:
                pass
            case _:
                await self._spoil(fault, request)
                return None
        return await self.forward(request)

    async def _spoil(self, fault: Fault, request: Request) -> None:
        """The rack hears nothing of it; a batch that isn't whole and signed never counts."""
        match fault:
            case Fault.ONE_WAY:
                # In either direction it is lost without a word, and the rack waits.
                if self.drawn.random() < WITHOUT_AN_ANSWER:
                    await self.forward(request)
                await anyio.sleep(SILENT_S)
            case Fault.LOST_ACKNOWLEDGEMENT:
                await self.forward(request)
            case Fault.CUT:
                cut = request.body[: self.drawn.randrange(len(request.body))]
                assert status(await self.forward(Request(request.path, cut))) in REFUSED
            case Fault.FORGED:
                forged = Request(request.path, forged_batch(request.body, self.drawn))
                assert status(await self.forward(forged)) in REFUSED
            case _:
                pass

    async def late(self) -> None:
        """What was held back comes in another order."""
        self.drawn.shuffle(self.held_back)
        while self.held_back:
            await self.forward(self.held_back.pop())

    def _fault_for(self, request: Request) -> Fault | None:
        if self.quiet:
            return None
        fault = self.planned
        if fault is None and request.is_batch and self.drawn.random() < NOISE:
            fault = self.drawn.choice(CHEAP)
        # What changes a batch is nothing that a question has.
        alike = (Fault.PARTITION, Fault.ONE_WAY, Fault.LOST_ACKNOWLEDGEMENT, Fault.DUPLICATE)
        return fault if request.is_batch or fault in alike else None

    async def forward(self, request: Request) -> bytes | None:
        """The centre's answer, as it was; None where there is none or not all of one."""
        number = self.noted.goes(request.path, request.body)
        answer = b""
        try:
            async with await anyio.connect_tcp(*self.centre) as stream:
                await stream.send(request.bytes)
                if request.is_batch:
                    self.forwarded.set()
                with suppress(anyio.EndOfStream):
                    while True:
                        answer += await stream.receive()
        except (OSError, anyio.BrokenResourceError):
            return None
        self.unavailable += status(answer) == 503
        if status(answer) == 200:
            self.noted.comes(number, request.path, request.body, answer.split(HEAD_END, 1)[1])
        return answer if HEAD_END in answer else None

    async def serve(self, stream: SocketStream) -> None:
        """One connection, one request."""
        async with stream:
            with suppress(anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
                request = await read_request(stream)
                answer = await self.answer_to(request)
                if answer is not None:
                    await stream.send(answer)


def status(answer: bytes | None) -> int | None:
    return None if not answer else int(answer.split(b" ", 2)[1])


async def read_request(stream: SocketStream) -> Request:
    """A whole one, by its content-length."""
    read = b""
    while HEAD_END not in read:
        read += await stream.receive()
    head, body = read.split(HEAD_END, 1)
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    while len(body) < int(headers["content-length"]):
        body += await stream.receive()
    return Request(first.split(" ")[1], body)


def forged_batch(batch: bytes, drawn: random.Random) -> bytes:
    """One record says something else; nobody has signed that."""
    first, *bodies = gzip.decompress(batch).split(b"\n")
    place = drawn.randrange(len(bodies))
    told = json.loads(bodies[place])
    told["data"]["told"] = "nothing of the kind"
    bodies[place] = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    return gzip.compress(b"\n".join([first, *bodies]))


@asynccontextmanager
async def carried(line: Line) -> AsyncGenerator[str]:
    """The address that a rack is given."""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with anyio.create_task_group() as group:
        group.start_soon(listener.serve, line.serve)
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - nothing of Django's
        yield f"http://127.0.0.1:{port}"
        group.cancel_scope.cancel()
    await listener.aclose()
