"""Plug events of a virtual rack for the daemon: what the udev monitor is on a real one."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from pathlib import Path
from typing import Final

import anyio
from anyio.abc import UNIXSocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from benchd.domain.ids import PortPath
from benchd.domain.port import Attached, Detached, PlugEvent
from benchd.lab.simulator.addresses import ATTACHED_JSON

LINE_MAXIMUM_BYTES: Final = 1 << 16
RECONNECT_PAUSE_S: Final = 0.1


class SimulatedHotplug:
    """Implements `benchd.domain.ports.HotplugSource` over a rack's plug socket."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def events(self) -> AbstractAsyncContextManager[AsyncIterator[PlugEvent]]:
        """Every port in use first, then each change in order; a lost rack is waited for."""
        return self._events()

    @asynccontextmanager
    async def _events(self) -> AsyncGenerator[AsyncIterator[PlugEvent], None]:
        stream = self._follow()
        try:
            yield stream
        finally:
            await stream.aclose()

    async def _follow(self) -> AsyncGenerator[PlugEvent, None]:
        known: dict[PortPath, Attached] = {}
        while True:
            try:
                connection = await anyio.connect_unix(self._path)
            except OSError:
                await anyio.sleep(RECONNECT_PAUSE_S)
                continue
            async with connection, aclosing(_read(connection, known)) as told:
                async for event in told:
                    yield event


async def _read(
    connection: UNIXSocketStream, known: dict[PortPath, Attached]
) -> AsyncGenerator[PlugEvent, None]:
    """All that one connection tells, until it ends; `known` is kept up to date."""
    lines = BufferedByteReceiveStream(connection)
    present: dict[PortPath, Attached] = {}
    enumerated = False
    while True:
        try:
            line = await lines.receive_until(b"\n", LINE_MAXIMUM_BYTES)
        except (anyio.IncompleteRead, anyio.EndOfStream, anyio.BrokenResourceError):
            return
        match json.loads(line):
            case {"event": "ready", "at_s": float(now_s)}:
                for event in _differences(known, present, now_s):
                    _note(known, event)
                    yield event
                enumerated = True
            case {"event": "attached", **fields}:
                attached = ATTACHED_JSON.validate_python(fields)
                if not enumerated:
                    present[attached.port_path] = attached
                    continue
                _note(known, attached)
                yield attached
            case {"event": "detached", "port_path": str(port_path), "at_s": float(at_s)}:
                detached = Detached(port_path=PortPath(port_path), at_s=at_s)
                _note(known, detached)
                yield detached
            case _:
                continue


def _differences(
    known: dict[PortPath, Attached], present: dict[PortPath, Attached], now_s: float
) -> list[PlugEvent]:
    """What leads from the last state told to the present one."""
    events: list[PlugEvent] = []
    for port_path, attached in known.items():
        now = present.get(port_path)
        if now is None or now.attachment != attached.attachment:
            events.append(Detached(port_path=port_path, at_s=now_s))
    for port_path, attached in present.items():
        before = known.get(port_path)
        if before is None or before.attachment != attached.attachment:
            events.append(attached)
    return events


def _note(known: dict[PortPath, Attached], event: PlugEvent) -> None:
    if isinstance(event, Attached):
        known[event.port_path] = event
    else:
        known.pop(event.port_path, None)
