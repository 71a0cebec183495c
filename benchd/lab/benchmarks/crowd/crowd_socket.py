"""The adb server's door: smart sockets on a Unix socket, as benchd finds it.

And over loopback for what people write: there are no handsets behind it that anybody could harm.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchd.lab.benchmarks.crowd.crowd_handset import CrowdHandset
from benchd.lab.benchmarks.crowd.packets import OKAY, Refused, block, read_request, refusal
from benchd.lab.benchmarks.crowd.shells import Shells

HOST: Final = "127.0.0.1"
VERSION: Final = "0029"
"""41 in hex: what adb's client of 34.0.5 insists on."""
FEATURES: Final = (
    "shell_v2,cmd,stat_v2,ls_v2,fixed_push_mkdir,apex,abb,fixed_push_symlink_timestamp,abb_exec,"
    "remount_shell,track_app"
)
"""Without sendrecv_v2: a push comes in the first form of sync, not compressed."""
HOST_FEATURES: Final = f"{FEATURES},openscreen_mdns,push_sync"
BACKLOG: Final = 2048
STREAM_BUFFER_BYTES: Final = 256 << 10
_BY_ID: Final = re.compile(r"host-transport-id:([0-9]{1,9}):(.*)")
_BY_SERIAL: Final = re.compile(r"host-serial:([0-9.]+:[0-9]+):(.*)")
_V2: Final = re.compile(r"shell,v2(?:,TERM=\w+)?,raw:(.*)", re.DOTALL)


class CrowdSocket:
    """Listens, knows the transports, tells who tracks them."""

    def __init__(self, shells: Shells) -> None:
        self.port = 0
        self._shells = shells
        self._servers: list[asyncio.Server] = []
        self._path: Path | None = None
        self._by_id: dict[int, CrowdHandset] = {}
        self._by_address: dict[str, CrowdHandset] = {}
        self._count = 0
        self._trackers: dict[asyncio.StreamWriter, bool] = {}
        self._connections: set[asyncio.StreamWriter] = set()

    async def open(self, path: Path | None = None) -> None:
        """Listen, at first on any free port and on this socket, later on the same again."""
        self._count = 0
        self._path = path or self._path
        served = await asyncio.start_server(
            self._serve,
            HOST,
            self.port,
            backlog=BACKLOG,
            limit=STREAM_BUFFER_BYTES,
            reuse_address=True,
        )
        self.port = served.sockets[0].getsockname()[1]
        self._servers = [served]
        if self._path is not None:
            self._servers.append(
                await asyncio.start_unix_server(
                    self._serve, self._path, backlog=BACKLOG, limit=STREAM_BUFFER_BYTES
                )
            )

    async def die(self) -> None:
        """End as a killed process does: nobody listens, no connection is left."""
        for server in self._servers:
            server.close()
        for writer in tuple(self._connections):
            writer.transport.abort()
        for handset in self._by_id.values():
            handset.transport_id, handset.online = None, False
        self._by_id.clear()
        self._by_address.clear()

    def come(self, handset: CrowdHandset) -> None:
        """A transport of its own, offline at first, as adb lists a new one."""
        self._count += 1
        handset.transport_id, handset.online = self._count, False
        self._by_id[self._count] = self._by_address[handset.address] = handset
        self._tell()
        handset.online = True
        handset.moments.ready = handset.moments.ready or time.time()
        self._tell()

    def leave(self, handset: CrowdHandset) -> None:
        """Its transport ends, with all that runs over it."""
        if handset.transport_id is None:
            return
        handset.online = False
        self._tell()
        del self._by_id[handset.transport_id], self._by_address[handset.address]
        handset.transport_id = None
        self._tell()
        handset.cut()

    def _tell(self) -> None:
        lists: dict[bool, bytes] = {}
        for writer, long in self._trackers.items():
            if long not in lists:
                lists[long] = self.listed(long=long)
            writer.write(lists[long])

    def listed(self, *, long: bool) -> bytes:
        """All transports, with the length in front."""
        text = "".join(handset.listed(long=long) for handset in self._by_id.values()).encode()
        # Four digits, whatever the length: AOSP's transport.cpp, device_tracker_send.
        return (b"%04x" % len(text))[:4] + text

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        try:
            request = await read_request(reader)
            if request is None:
                return
            try:
                await self._host(request, reader, writer)
            except Refused as reason:
                writer.write(refusal(str(reason)))
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self._connections.discard(writer)
            self._trackers.pop(writer, None)
            writer.close()

    async def _host(
        self, request: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        match request:
            case "host:version":
                writer.write(OKAY + block(VERSION))
            case "host:devices" | "host:devices-l":
                writer.write(OKAY + self.listed(long=request.endswith("-l")))
            case "host:track-devices" | "host:track-devices-l":
                long = request.endswith("-l")
                writer.write(OKAY + self.listed(long=long))
                self._trackers[writer] = long
                await reader.read()
            case "host:host-features":
                writer.write(OKAY + block(HOST_FEATURES))
            case _ if request.startswith(("host:transport", "host:tport:")):
                await self._transport(request.removeprefix("host:"), reader, writer)
            case _:
                writer.write(OKAY + block(self._about(request)))
        await writer.drain()

    def _about(self, request: str) -> str:
        """What the server itself knows of one transport."""
        if found := _BY_ID.fullmatch(request):
            handset, asked = self._with_id(found[1]), found[2]
        elif found := _BY_SERIAL.fullmatch(request):
            handset, asked = self._with_address(found[1]), found[2]
        elif request == "host:features" and len(self._by_id) == 1:
            handset, asked = next(iter(self._by_id.values())), "features"
        else:
            raise Refused("unknown host service")
        answers: dict[str, Callable[[], str]] = {
            "get-serialno": lambda: handset.address,
            "get-devpath": lambda: "unknown",
            "get-state": lambda: "device",
            "features": lambda: FEATURES,
        }
        if asked not in answers:
            raise Refused("unknown host service")
        return answers[asked]()

    async def _transport(
        self, asked: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        kind, _, rest = asked.partition(":")
        match kind:
            case "transport-id":
                handset = self._with_id(rest)
                writer.write(OKAY)
            case "transport":
                handset = self._with_address(rest)
                writer.write(OKAY)
            case "tport":
                handset = self._with_address(rest.removeprefix("serial:"))
                writer.write(OKAY + (handset.transport_id or 0).to_bytes(8, "little"))
            case _:
                raise Refused("unknown host service")
        handset.connections.add(writer)
        try:
            service = await read_request(reader)
            if service is not None:
                await self._service(handset, service, reader, writer)
        finally:
            handset.connections.discard(writer)

    async def _service(
        self,
        handset: CrowdHandset,
        service: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        if found := _V2.fullmatch(service):
            handset.shells += 1
            writer.write(OKAY)
            await self._shells.packets(handset, found[1], reader, writer)
        elif service.startswith(("shell:", "exec:")):
            writer.write(OKAY)
            await self._shells.plain(handset, service.partition(":")[2], writer)
        elif service == "sync:":
            writer.write(OKAY)
            await self._shells.sync(handset, reader, writer)
        else:
            raise Refused("closed")

    def _with_id(self, text: str) -> CrowdHandset:
        handset = self._by_id.get(int(text)) if text.isdigit() else None
        if handset is None:
            raise Refused(f"no device with transport id '{text}'")
        return _online(handset)

    def _with_address(self, address: str) -> CrowdHandset:
        handset = self._by_address.get(address)
        if handset is None:
            raise Refused(f"device '{address}' not found")
        return _online(handset)


def _online(handset: CrowdHandset) -> CrowdHandset:
    if not handset.online:
        raise Refused("device offline")
    return handset
