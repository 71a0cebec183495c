"""Tells whoever listens what is plugged in where, as udev would; one JSON line per event."""

from __future__ import annotations

import json
import math
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import anyio
from anyio.abc import SocketStream
from anyio.streams.memory import MemoryObjectSendStream

from benchd.domain.handset import ADB_INTERFACE
from benchd.domain.ids import ANDROID, PortPath
from benchd.domain.port import Attached
from benchd.lab.simulator.addresses import ATTACHED_JSON, adb_address, port_path
from benchd.lab.simulator.plan import HandsetPlan

MTP_INTERFACE: Final = "060101"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listener:
    send: MemoryObjectSendStream[bytes]


class PlugBoard:
    """The rack's ports and what is in them."""

    def __init__(self, rack_start: str) -> None:
        self._rack_start = rack_start
        self._count = 0
        self._ahead_s: dict[PortPath, float] = {}
        self._attached: dict[PortPath, Attached] = {}
        self._listeners: list[_Listener] = []

    def attach(self, plan: HandsetPlan, slot: int, *, adb: bool) -> Attached:
        """Something was enumerated on a port."""
        self._count += 1
        attached = Attached(
            port_path=port_path(slot),
            kind=ANDROID,
            address=adb_address(slot),
            attachment=f"{self._rack_start}-{self._count}",
            interfaces=frozenset({MTP_INTERFACE, ADB_INTERFACE} if adb else {MTP_INTERFACE}),
            usb_serial=plan.serial,
            vendor_id=plan.model.vendor_id,
            product_id=plan.model.product_id,
            at_s=self._now_s(port_path(slot)),
        )
        self._attached[attached.port_path] = attached
        self._tell(_attached_line(attached))
        return attached

    def detach(self, slot: int) -> None:
        """It has left the port."""
        port = port_path(slot)
        del self._attached[port]
        self._tell(_line({"event": "detached", "port_path": port, "at_s": self._now_s(port)}))

    def skip(self, slot: int, seconds: float) -> None:
        """Let time go by on a port that nobody waits for: a reset takes its time, not the tests."""
        port = port_path(slot)
        self._ahead_s[port] = self._ahead_s.get(port, 0.0) + seconds

    def _now_s(self, port: PortPath) -> float:
        """The rack's own time on a port."""
        return time.monotonic() + self._ahead_s.get(port, 0.0)

    def _latest_s(self) -> float:
        """What has left before somebody listened, left no later than this on any port."""
        return time.monotonic() + max(self._ahead_s.values(), default=0.0)

    async def serve(self, stream: SocketStream) -> None:
        """Tell one listener the present state, then `ready`, then each change in order."""
        # Without a bound: a rack has some dozens of ports, and no event may be dropped.
        send, receive = anyio.create_memory_object_stream[bytes](math.inf)
        listener = _Listener(send=send)
        for attached in self._attached.values():
            send.send_nowait(_attached_line(attached))
        send.send_nowait(_line({"event": "ready", "at_s": self._latest_s()}))
        self._listeners.append(listener)
        try:
            async with stream, receive:
                async for line in receive:
                    await stream.send(line)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            pass
        finally:
            self._listeners.remove(listener)
            send.close()

    def _tell(self, line: bytes) -> None:
        for listener in self._listeners:
            # A listener that has just gone is removed by its own task.
            with suppress(anyio.BrokenResourceError):
                listener.send.send_nowait(line)


def _attached_line(attached: Attached) -> bytes:
    return _line({"event": "attached", **ATTACHED_JSON.dump_python(attached, mode="json")})


def _line(event: dict[str, object]) -> bytes:
    return json.dumps(event).encode() + b"\n"
