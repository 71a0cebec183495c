"""A client of one pcscd, in a process of its own: PCSCLITE_CSOCK_NAME is read once per process.

Run as a program it does what lines on stdin say and answers with lines on stdout.
"""

import json
import os
import subprocess
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import anyio
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from benchd.lab.simulator.chips.reader_addresses import ReaderAddress

ANSWER_WITHIN_S = 30.0
IDM = bytes.fromhex("FFCA000000")


class Refused(Exception):
    """What PC/SC answered instead, as its number in hex."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """A card on a reader."""

    atr: str
    events: int
    """How often cards have come to this reader or left it, as pcscd counts."""


@dataclass(kw_only=True)
class PcscChild:
    """A reader's client; each method is one PC/SC call or two."""

    process: Process
    lines: BufferedByteReceiveStream
    reader: str

    async def readers(self) -> list[str]:
        return await self._ask("readers")

    async def until_present(self, after: int = -2) -> Seen:
        """Wait for a card that has an ATR and was laid on the reader since."""
        atr, events = await self._ask("until", present=True, at_least=after + 2)
        return Seen(atr=atr, events=events)

    async def until_empty(self) -> None:
        await self._ask("until", present=False, at_least=0)

    async def connect(self) -> None:
        await self._ask("connect")

    async def disconnect(self, disposition: int = 0) -> None:
        """0 leaves the card as it is, 1 resets it, 2 switches it off."""
        await self._ask("disconnect", disposition=disposition)

    async def transmit(self, apdu: bytes) -> bytes:
        return bytes.fromhex(await self._ask("transmit", apdu=apdu.hex()))

    async def exchange(self, frame: bytes) -> bytes:
        """A FeliCa frame handed through: the response and the status word."""
        return await self.transmit(b"\xff\x00\x00\x00" + bytes([len(frame)]) + frame)

    async def _ask(self, do: str, **parameters: Any) -> Any:  # noqa: ANN401 - JSON
        request = {"do": do, "reader": self.reader, **parameters}
        assert self.process.stdin is not None
        await self.process.stdin.send(json.dumps(request).encode() + b"\n")
        with anyio.fail_after(ANSWER_WITHIN_S):
            answer = json.loads(await self.lines.receive_until(b"\n", 1 << 16))
        if "refused" in answer:
            raise Refused(answer["refused"])
        return answer["found"]


@asynccontextmanager
async def pcsc_child(address: ReaderAddress) -> AsyncGenerator[PcscChild, None]:
    """A client of this reader's pcscd; it is killed in the end, whatever it hangs in."""
    process = await anyio.open_process(
        [sys.executable, __file__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None,
        env={**os.environ, "PCSCLITE_CSOCK_NAME": str(address.socket)},
    )
    assert process.stdout is not None
    try:
        lines = BufferedByteReceiveStream(process.stdout)
        yield PcscChild(process=process, lines=lines, reader=address.name)
    finally:
        with anyio.CancelScope(shield=True):
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            await process.aclose()


class _Client:
    def __init__(self) -> None:
        from smartcard import scard  # noqa: PLC0415 - only the child may load PC/SC's library

        self.scard: Any = scard
        self.context = self._call("SCardEstablishContext", scard.SCARD_SCOPE_USER)
        self.card: Any = None

    def do(self, request: dict[str, Any]) -> Any:  # noqa: ANN401 - JSON
        scard, reader = self.scard, request["reader"]
        match request["do"]:
            case "readers":
                return list(self._call("SCardListReaders", self.context, []))
            case "until":
                return self._until(reader, present=request["present"], at_least=request["at_least"])
            case "connect":
                shared = scard.SCARD_SHARE_SHARED
                self.card, protocol = self._call("SCardConnect", self.context, reader, shared, 3)
                return protocol
            case "disconnect":
                return self._call("SCardDisconnect", self.card, request["disposition"])
            case "transmit":
                apdu = list(bytes.fromhex(request["apdu"]))
                answer = self._call("SCardTransmit", self.card, scard.SCARD_PCI_T1, apdu)
                return bytes(answer).hex()
            case _:
                raise ValueError(request["do"])

    def _until(self, reader: str, *, present: bool, at_least: int) -> tuple[str, int]:
        scard, known = self.scard, 0
        while True:
            forever = scard.INFINITE
            states = self._call("SCardGetStatusChange", self.context, forever, [(reader, known)])
            _, event, atr = states[0]
            ready = bool(event & scard.SCARD_STATE_PRESENT and atr)
            events = event >> 16
            if ready == present and events >= at_least:
                return bytes(atr).hex(), events
            known = event & ~scard.SCARD_STATE_CHANGED

    def _call(self, name: str, *parameters: Any) -> Any:  # noqa: ANN401 - pyscard has no types
        answer = getattr(self.scard, name)(*parameters)
        result, *found = answer if isinstance(answer, (list, tuple)) else [answer]
        if result != 0:
            raise Refused(f"{result & 0xFFFFFFFF:08X}")
        return found[0] if len(found) == 1 else found


def main() -> None:
    client = _Client()
    for line in sys.stdin:
        try:
            answer = {"found": client.do(json.loads(line))}
        except Refused as refused:
            answer = {"refused": str(refused)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
