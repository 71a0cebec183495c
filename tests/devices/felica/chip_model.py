"""A chip that exists only in tests, written from the protocol and not from benchd's codec."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

PHONE_PMM = bytes.fromhex("01188B868FBECBFF")
"""As published of one handset: IC type 18."""
OLD_PMM = bytes.fromhex("01148B868FBECBFF")
CARD_PMM = bytes.fromhex("0120000000000000")
SERIAL = bytes.fromhex("0140A1B2C3D4E5F6")

ROOT = (0x0000, 0xFFFE)
CONTAINER = (
    ROOT, (0x1000, 0x7FFF), (0x1001, 0x7FFF), 0x1008, 0x2008,
    (0x8000, 0xDFFF), (0x8001, 0xAFFF), 0x8008, 0x9008, 0xA008, (0xB001, 0xBFFF), 0xB008, 0xB048,
)  # fmt: skip
EDY = (ROOT, (0x1000, 0x173F), (0x1001, 0x173F), 0x1008, 0x110B, 0x1317, 0x170F)
TRANSIT = (
    ROOT, (0x0040, 0x07FF), (0x00C0, 0x00FF), 0x008B, (0x0800, 0x0FBF), 0x090F,
    (0x0FC0, 0x7FFF), (0x1000, 0x17BF), 0x108F, 0x10CB, (0x17C0, 0x7FFF), (0x1800, 0x1A3F), 0x184B,
)  # fmt: skip

NodeCode = int | tuple[int, int]
UNUSED = {0xFE00: (ROOT,), 0xFE0F: CONTAINER}
IN_USE = {0xFE00: EDY, 0x0003: TRANSIT, 0xFE0F: CONTAINER}
NEW_COMMANDS = frozenset({0x00, 0x02, 0x04, 0x06, 0x0A, 0x0C, 0x0E, 0x1A, 0x1E, 0x22, 0x32, 0x3A})
OLD_COMMANDS = frozenset({0x00, 0x02, 0x04, 0x06, 0x0A, 0x0C})


def le(value: int) -> bytes:
    return struct.pack("<H", value)


def be(value: int) -> bytes:
    return struct.pack(">H", value)


def start_of(node: NodeCode) -> int:
    return node if isinstance(node, int) else node[0]


def frame(code: int, *parts: bytes) -> bytes:
    body = bytes((code,)) + b"".join(parts)
    return bytes((len(body) + 1,)) + body


@dataclass
class ModelChip:
    """Answers as JIS X 6319-4 has it, and with nothing to whatever it doesn't know."""

    systems: dict[int, Sequence[NodeCode]] = field(default_factory=lambda: dict(UNUSED))
    pmm: bytes = PHONE_PMM
    serial: bytes = SERIAL
    commands: frozenset[int] = NEW_COMMANDS
    polling_forms: frozenset[int] = frozenset({0, 1, 2})
    hidden: frozenset[int] = frozenset({0xFE0F})
    """Systems that answer Polling and aren't in the list of systems."""
    per_packet: int = 20
    first_packet: int = 0

    def idm_of(self, system: int) -> bytes:
        listed = [known for known in self.systems if known not in self.hidden]
        number = 0xF if system in self.hidden else listed.index(system)
        return bytes((number % 16 << 4 | self.serial[0] & 0x0F,)) + self.serial[1:]

    def answer(self, request: bytes) -> bytes | None:
        if request[0] != len(request) or request[1] not in self.commands:
            return None
        code, body = request[1], request[2:]
        if code == 0x00:
            return self._poll(body)
        for system, nodes in self.systems.items():
            if body[:8] == self.idm_of(system):
                return self._command(code, system, nodes, body[8:])
        return None

    def _poll(self, body: bytes) -> bytes | None:
        high, low, form, slots = body
        if form not in self.polling_forms or slots not in {0, 1, 3, 7, 15}:
            return None
        for system in self.systems:
            if high in {0xFF, system >> 8} and low in {0xFF, system & 0xFF}:
                extra = {0: b"", 1: be(system), 2: bytes.fromhex("0083")}[form]
                return frame(0x01, self.idm_of(system), self.pmm, extra)
        return None

    def _command(
        self, code: int, system: int, nodes: Sequence[NodeCode], rest: bytes
    ) -> bytes | None:
        idm = self.idm_of(system)
        listed = [be(known) for known in self.systems if known not in self.hidden]
        answers: dict[int, Callable[[], bytes]] = {
            0x02: lambda: self._services(idm, nodes, rest),
            0x04: lambda: frame(0x05, idm, b"\0"),
            0x0A: lambda: self._search(idm, nodes, rest),
            0x0C: lambda: frame(0x0D, idm, bytes((len(listed),)), *listed),
            0x1A: lambda: self._packet(idm, nodes, rest),
        }
        return answers[code]() if code in answers else None

    def _services(self, idm: bytes, nodes: Sequence[NodeCode], rest: bytes) -> bytes:
        asked = struct.unpack(f"<{rest[0]}H", rest[1:])
        have = {start_of(node) for node in nodes}
        keys = [le(0x0001 if node in have else 0xFFFF) for node in asked]
        return frame(0x03, idm, bytes((len(asked),)), *keys)

    def _search(self, idm: bytes, nodes: Sequence[NodeCode], rest: bytes) -> bytes:
        (index,) = struct.unpack("<H", rest)
        if index >= len(nodes):
            return frame(0x0B, idm, b"\xff\xff")
        node = nodes[index]
        return frame(0x0B, idm, le(node) if isinstance(node, int) else le(node[0]) + le(node[1]))

    def _packet(self, idm: bytes, nodes: Sequence[NodeCode], rest: bytes) -> bytes:
        parent, index = struct.unpack("<HH", rest)
        at = max(0, index - self.first_packet) * self.per_packet
        if parent != 0 or (at and at >= len(nodes)):
            return frame(0x1B, idm, b"\xff\xa6")
        part = nodes[at : at + self.per_packet]
        areas = [le(node[0]) + le(node[1]) for node in part if not isinstance(node, int)]
        services = [le(node) for node in part if isinstance(node, int)]
        more = at + self.per_packet < len(nodes)
        return frame(
            0x1B,
            idm,
            b"\0\0",
            bytes((more, len(areas))),
            *areas,
            bytes((len(services),)),
            *services,
        )


def old_chip(systems: dict[int, Sequence[NodeCode]]) -> ModelChip:
    """A chip of before Request Code List."""
    return ModelChip(systems=systems, pmm=OLD_PMM, commands=OLD_COMMANDS)


Fault = Callable[[bytes, bytes | None], bytes | None]
"""From a request and the true answer to what reaches the reader."""


@dataclass
class ModelField:
    """A reader's field with chips in it; implements benchd's ChipTransport."""

    chips: list[ModelChip] = field(default_factory=list)
    fault: Fault | None = None
    before: Callable[[int], None] | None = None
    """Called with the number of each exchange, to change what is in the field."""
    exchanges: int = 0
    power_cycles: int = 0
    sent: list[bytes] = field(default_factory=list)
    timeouts: list[float] = field(default_factory=list)
    now: float = 0.0
    slowness_s: float = 0.001

    def clock(self) -> float:
        return self.now

    def exchange(self, frame: bytes, timeout_s: float) -> bytes | None:
        if self.before is not None:
            self.before(self.exchanges)
        self.exchanges += 1
        self.sent.append(frame)
        self.timeouts.append(timeout_s)
        answers = [a for chip in self.chips if (a := chip.answer(frame)) is not None]
        # Two answers at once collide: the reader hears neither.
        answer = answers[0] if len(answers) == 1 else None
        if self.fault is not None:
            answer = self.fault(frame, answer)
        self.now += timeout_s if answer is None else self.slowness_s
        return answer

    def power_cycle(self) -> None:
        self.power_cycles += 1


def silent_to(codes: Iterable[int]) -> Fault:
    unheard = frozenset(codes)
    return lambda request, answer: None if request[1] in unheard else answer
