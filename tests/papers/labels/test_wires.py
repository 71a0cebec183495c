"""Ways to a printer that refuses, hangs, breaks off or is slow: a label is taken, or it's said."""

from __future__ import annotations

import os
import stat
from collections.abc import Awaitable, Callable
from pathlib import Path

import anyio
import pytest

from benchd.domain.label import PrinterFault, PrinterTrouble
from benchd.domain.printer import CupsQueue, LabelForm, Printer, Raw9100, UsbPrinter
from benchd.papers.labels import zpl
from benchd.papers.labels.wires import Wire, raw9100, usb, wire_to
from benchd.papers.labels.wires.cups import CupsWire
from benchd.papers.labels.wires.raw9100 import RawWire
from benchd.papers.labels.wires.usb import UsbWire
from tests.free_port import free_port
from tests.papers.labels.virtual_printer import (
    HEAD_OPEN,
    PAPER_OUT,
    PAUSED,
    READY,
    RIBBON_OUT,
    Mood,
    virtual_printer,
)

pytestmark = pytest.mark.asyncio

LABEL = b"^XA^PW495^LL319^FO0,0^GFA,1,1,1,:Z64:eJw=:0000^FS^XZ" * 200
HUGE = b"^XA" + bytes(65) * 300_000
"""More than any kernel holds for a reader that doesn't read."""


async def fault_of(send: Callable[[bytes], Awaitable[None]], label: bytes = LABEL) -> PrinterFault:
    with anyio.fail_after(30), pytest.raises(PrinterFault) as raised:
        await send(label)
    return raised.value


def to(port: int, *, asks_status: bool = True) -> Wire:
    at = Raw9100(host="127.0.0.1", port=port, asks_status=asks_status)
    return wire_to(Printer(name="p1", at=at, form=LabelForm()))


@pytest.mark.parametrize("asks_status", [True, False])
@pytest.mark.parametrize("hangs_up", [True, False])
async def test_a_label_arrives_whole(
    asks_status: bool, hangs_up: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(raw9100, "CLOSE_S", 0.05)
    async with virtual_printer() as printer:
        printer.hangs_up = hangs_up
        await to(printer.port, asks_status=asks_status).send(LABEL)
        assert printer.labels == [LABEL]
        assert printer.asked == int(asks_status)


async def test_a_slow_printer_gets_its_time() -> None:
    async with virtual_printer(Mood.SLOW) as printer:
        await to(printer.port).send(LABEL)
        assert printer.labels == [LABEL]


async def test_a_printer_that_refuses_has_begun_nothing() -> None:
    fault = await fault_of(to(free_port()).send)
    assert (fault.trouble, fault.begun) == (PrinterTrouble.UNREACHABLE, False)


async def test_a_name_that_nobody_knows_is_a_printer_that_isnt_there() -> None:
    fault = await fault_of(RawWire("printer.invalid", 9100, asks_status=True).send)
    assert (fault.trouble, fault.begun) == (PrinterTrouble.UNREACHABLE, False)


async def test_one_that_hangs_is_left_before_it_has_got_anything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(raw9100, "ANSWER_S", 0.1)
    async with virtual_printer(Mood.SILENT) as printer:
        fault = await fault_of(to(printer.port).send)
        assert (fault.trouble, fault.begun) == (PrinterTrouble.NO_ANSWER, False)


async def test_one_that_takes_nothing_is_left_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw9100, "SEND_S", 0.3)
    async with virtual_printer(Mood.DEAF) as printer:
        fault = await fault_of(to(printer.port).send, HUGE)
        assert (fault.trouble, fault.begun) == (PrinterTrouble.NO_ANSWER, True)


@pytest.mark.parametrize("label", [LABEL, HUGE], ids=["usual", "huge"])
@pytest.mark.parametrize(
    ("mood", "asks_status"),
    [(Mood.BREAKS_OFF, True), (Mood.BREAKS_OFF, False), (Mood.LEAVES, True)],
)
async def test_one_that_goes_away_in_the_middle_has_begun(
    label: bytes, mood: Mood, asks_status: bool
) -> None:
    async with virtual_printer(mood) as printer:
        fault = await fault_of(to(printer.port, asks_status=asks_status).send, label)
        assert (fault.trouble, fault.begun) == (PrinterTrouble.BROKE_OFF, True)


@pytest.mark.parametrize("told", [PAPER_OUT, PAUSED, HEAD_OPEN, RIBBON_OUT])
async def test_one_that_waits_for_a_person_is_sent_nothing(told: bytes) -> None:
    async with virtual_printer() as printer:
        printer.status = told
        fault = await fault_of(to(printer.port).send)
        assert (fault.trouble, fault.begun) == (PrinterTrouble.ATTENTION, False)
        assert printer.labels in ([], [b""])


async def test_one_whose_paper_ends_with_a_label_says_so() -> None:
    async with virtual_printer(Mood.RUNS_OUT) as printer:
        fault = await fault_of(to(printer.port).send)
        assert (fault.trouble, fault.begun) == (PrinterTrouble.ATTENTION, True)


@pytest.mark.parametrize(
    "told",
    [
        b"\x02\x03\x02\x03\x02\x03",
        b"HTTP/1.1 400 Bad Request\r\n" * 40,
        READY.replace(b"030,0", b"030,9"),
    ],
)
async def test_what_is_no_status_is_no_printer(told: bytes) -> None:
    async with virtual_printer() as printer:
        printer.status = told
        fault = await fault_of(to(printer.port).send)
        assert (fault.trouble, fault.begun) == (PrinterTrouble.NO_ANSWER, False)


async def test_the_status_of_the_programming_guide() -> None:
    told = zpl.read_status(READY)
    assert told is not None
    assert not told.needs_a_person
    assert zpl.read_status(READY[:-8]) is None
    assert not zpl.is_whole_status(READY[:-8])


@pytest.fixture
def commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `lp` and a `lpstat` of our own; each notes what it was called with."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def put(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


async def test_a_queue_of_cups_gets_the_label_as_it_is(commands: Path) -> None:
    put(commands, "lpstat", "echo 'printer zebra is idle.  enabled since Thu 26 Nov 2026'")
    put(commands, "lp", f'echo "$@" > {commands}/called; cat > {commands}/given')
    at = CupsQueue(queue="zebra")
    await wire_to(Printer(name="p1", at=at, form=LabelForm())).send(LABEL)
    assert (commands / "given").read_bytes() == LABEL
    assert (commands / "called").read_text() == "-s -d zebra -o raw -t benchd -\n"


@pytest.mark.parametrize(
    ("lpstat", "lp", "trouble"),
    [
        (
            "echo 'printer zebra disabled since Thu 26 Nov 2026 -'; echo '\tOut of paper'",
            "exit 1",
            PrinterTrouble.ATTENTION,
        ),
        ("echo 'lpstat: Invalid destination' >&2; exit 1", "", PrinterTrouble.UNREACHABLE),
        ("true", "echo 'lp: Connection refused' >&2; exit 1", PrinterTrouble.UNREACHABLE),
    ],
)
async def test_a_queue_that_takes_nothing(
    lpstat: str, lp: str, trouble: PrinterTrouble, commands: Path
) -> None:
    put(commands, "lpstat", lpstat)
    put(commands, "lp", lp)
    fault = await fault_of(CupsWire("zebra").send)
    assert (fault.trouble, fault.begun) == (trouble, False)


async def test_a_machine_without_cups_has_no_queue(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    fault = await fault_of(CupsWire("zebra").send)
    assert (fault.trouble, fault.begun) == (PrinterTrouble.UNREACHABLE, False)


async def test_a_device_gets_the_label_as_it_reads(tmp_path: Path) -> None:
    device = tmp_path / "lp0"
    os.mkfifo(device)
    reader = os.open(device, os.O_RDONLY | os.O_NONBLOCK)
    got = b""

    async def read() -> None:
        nonlocal got
        while len(got) < len(HUGE):
            await anyio.wait_readable(reader)
            got += os.read(reader, 65536)

    try:
        with anyio.fail_after(30):
            async with anyio.create_task_group() as group:
                group.start_soon(read)
                at = UsbPrinter(device=device)
                await wire_to(Printer(name="p1", at=at, form=LabelForm())).send(HUGE)
    finally:
        os.close(reader)
    assert got == HUGE


async def test_a_device_that_isnt_there_or_takes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = await fault_of(UsbWire(tmp_path / "lp9").send)
    assert (fault.trouble, fault.begun) == (PrinterTrouble.UNREACHABLE, False)
    monkeypatch.setattr(usb, "SEND_S", 0.1)
    device = tmp_path / "lp0"
    os.mkfifo(device)
    reader = os.open(device, os.O_RDONLY | os.O_NONBLOCK)
    fault = await fault_of(UsbWire(device).send, HUGE)
    assert (fault.trouble, fault.begun) == (PrinterTrouble.NO_ANSWER, True)
    os.close(reader)
