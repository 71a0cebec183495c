"""The crowd answers as Debian's adb and a virtual handset did, in a session that was recorded.

`session.json` is from adb 34.0.5, the daemon and a handset of the virtual rack ("clean", slot 1),
taken by a proxy between the daemon and the adb server: `server` as it went over the wire,
`commands` with the shell protocol taken off. What a push carried is left out. The texts for the
screen and the probe were sent with `adb shell`, to the same handset.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import SocketStream

from benchd.devices.android.fill.program_on_handset import to_measure, to_write
from benchd.devices.android.fill.sample_stream import READ_BLOCKS
from benchd.devices.android.fill.shown_reads import PROBE
from benchd.devices.android.filler import Program
from benchd.devices.android.shell.packets import (
    Exit,
    PacketReader,
    close_stdin_packet,
    stdin_packets,
)
from benchd.lab.benchmarks.crowd.crowd import Crowd
from benchd.lab.benchmarks.crowd.crowd_pace import CrowdPace
from benchd.lab.benchmarks.crowd.crowd_socket import FEATURES, HOST, HOST_FEATURES
from benchd.lab.benchmarks.crowd.places import plan_of
from benchd.lab.simulator.scenarios import SCENARIOS

pytestmark = pytest.mark.asyncio

SESSION: Mapping[str, Any] = json.loads(
    Path(__file__).with_name("session.json").read_text(encoding="utf-8")
)
NOT_PLAYED = ("tport:any", "transport-any", "echo ", "exit 7")
"""What the daemon never asks: the crowd refuses it, or knows no such command."""
OWN_LINES = re.compile(r"^(?:/dev/block/|4096 4096|[0-9a-f]{16}$|Filesystem )")
"""Sizes and ids, which are each handset's own."""
MEASURED = re.compile(r"^[0-9]+\n[0-9a-f]{64}  -$", re.MULTILINE)
"""Of a program: what was sent is left out of the session."""
MISSING = re.compile(r"(?:\n[0-9a-f]{16} [01] [1-9][0-9]*\n){2}")


@asynccontextmanager
async def one_handset() -> AsyncGenerator[Crowd]:
    plan = SCENARIOS["clean"].handset(name="A1", slot=None, copy=1)
    crowd = Crowd([plan], CrowdPace(fill_s=0.01, check_s=0.01))
    # As large as the recorded one, and as full as that with its programs, left out here.
    storage = crowd.handsets[1].storage
    storage.capacity_bytes, storage.system_bytes = 64 << 20, 7_507_968
    await crowd.door.open()
    await crowd.plug([1], 0.0)
    try:
        yield crowd
    finally:
        await crowd.door.die()


async def read_all(stream: SocketStream) -> bytes:
    received = bytearray()
    while True:
        try:
            received += await stream.receive()
        except (anyio.EndOfStream, anyio.BrokenResourceError):
            return bytes(received)


async def exchanged(port: int, talk: list[list[str]]) -> list[str]:
    """What is answered to each thing that was sent."""
    answers: list[str] = []
    async with await anyio.connect_tcp(HOST, port) as stream:
        for way, text in talk:
            if way == "to":
                await stream.send(text.encode("latin-1"))
            elif way == "from":
                answer = b""
                while len(answer) < len(text.encode("latin-1")):
                    answer += await stream.receive()
                answers.append(answer.decode("latin-1"))
    return answers


def spoken(talk: list[list[str]]) -> list[list[str]]:
    """The talk with the crowd's own list of features, which has no compressed push."""
    told = {"features": FEATURES, "host-features": HOST_FEATURES}
    asked = talk[0][1].rpartition(":")[2]
    if asked not in told or talk[1][1].startswith("FAIL"):
        return talk
    return [talk[0], ["from", f"OKAY{len(told[asked]):04x}{told[asked]}"]]


SERVER = [
    spoken(talk)
    for talk in SESSION["server"]
    if not any(word in talk_text[1] for talk_text in talk for word in NOT_PLAYED)
]


@pytest.mark.parametrize("talk", SERVER, ids=lambda talk: talk[0][1][4:])
async def test_the_server_says_byte_for_byte_what_adb_said(talk: list[list[str]]) -> None:
    async with one_handset() as crowd:
        assert await exchanged(crowd.door.port, talk) == [
            text for way, text in talk if way == "from"
        ]


async def test_who_tracks_handsets_is_told_each_change_as_adb_tells_it() -> None:
    async with one_handset() as crowd, await anyio.connect_tcp(HOST, crowd.door.port) as stream:
        await stream.send(b"0012host:track-devices")
        received = await stream.receive()
        crowd.unplug([1])
        while not received.endswith(b"0000"):
            received += await stream.receive()
    assert received == (b"OKAY0017127.0.0.1:16001\tdevice\n0018127.0.0.1:16001\toffline\n0000")


async def test_a_list_beyond_four_digits_of_length_is_cut_there_as_adb_cuts_it() -> None:
    """AOSP, transport.cpp, device_tracker_send: five digits are written, four are sent."""
    crowd = Crowd(plan_of(740, CrowdPace()).handsets, CrowdPace())
    for handset in crowd.handsets.values():
        crowd.door.come(handset)
    listed = crowd.door.listed(long=True)
    assert len(listed) - 4 > 0xFFFF
    assert listed[:4] == b"%x" % (len(listed) - 4 >> 4)


async def run(port: int, command: str, stdin: bytes, *, ends: bool) -> tuple[bytes, int]:
    """Standard output and exit code of a command, through benchd's own reader of packets."""
    async with await anyio.connect_tcp(HOST, port) as stream:
        for request in ("host:transport-id:1", f"shell,v2,raw:{command}"):
            await stream.send(b"%04x" % len(request.encode()) + request.encode())
        await stream.send(stdin_packets(stdin) + (close_stdin_packet() if ends else b""))
        received = await read_all(stream)
    assert received.startswith(b"OKAYOKAY")
    *outputs, end = PacketReader().feed(received[8:])
    assert isinstance(end, Exit)
    return b"".join(
        one.data for one in outputs if not isinstance(one, Exit) and not one.is_error
    ), end.code


def form(text: str) -> list[object]:
    """What has to be the same: every line but those of sizes and ids; of JSON the keys."""
    text = MEASURED.sub("size and digest", text)
    return [
        {key: type(value).__name__ for key, value in json.loads(line).items()}
        if line.startswith('{"event"')
        else line
        for line in text.splitlines()
        if not OWN_LINES.match(line) and not line.startswith('{"event":"progress"')
    ]


async def test_a_handset_says_to_each_command_what_the_recorded_one_said() -> None:
    async with one_handset() as crowd:
        for asked in SESSION["commands"]:
            command = asked["command"]
            if command.startswith(NOT_PLAYED):
                continue
            program = command.startswith("exec /data/local/tmp/benchd-fill ")
            stdin = (asked["stdin"] or "").encode("latin-1")
            stdout, code = await run(crowd.door.port, command, stdin, ends=not program)
            if command.startswith("(wc -c"):
                # Which status a shell has for a file that isn't there, each decides for itself.
                assert MISSING.fullmatch(stdout.decode())
                assert MISSING.fullmatch(asked["stdout"])
                continue
            assert code == asked["code"], command
            if command in (READ_BLOCKS, PROBE):
                # Blocks that the handset's own program or shell has written.
                assert stdout == asked["stdout"].encode("latin-1")
            else:
                assert form(stdout.decode()) == form(asked["stdout"]), command
        assert crowd.not_understood == set()


async def test_a_command_that_nobody_plays_is_refused_and_noted() -> None:
    async with one_handset() as crowd:
        stdout, code = await run(crowd.door.port, "cmd reboot-to-moon", b"", ends=True)
        assert (stdout, code) == (b"", 127)
        assert crowd.not_understood == {"cmd reboot-to-moon"}


async def test_a_program_that_was_sent_is_measured_as_it_arrived() -> None:
    content = b"\x7fELF" * 50_000
    write, measure = to_write(Program.CACHE), to_measure(Program.CACHE)
    script = "\n".join(
        f'({command})\nstatus=$?\necho\necho "0123456789abcdef {number} $status"'
        for number, command in enumerate((write, measure))
    )
    async with one_handset() as crowd:
        stdout, code = await run(crowd.door.port, script, content, ends=True)
        assert crowd.not_understood == set()
    digest = hashlib.sha256(content).hexdigest()
    measured = f"{len(content)}\n{digest}  -\n"
    assert stdout.decode() == f"\n0123456789abcdef 0 0\n{measured}\n0123456789abcdef 1 0\n"
    assert code == 0
