"""Readers through real pcscd, vpcd and pyscard: what is seen, and what breaks."""

from __future__ import annotations

import os
import signal

import anyio
import pytest
import structlog
from reader_rack import ReaderRack, card, reader_rack, slot_name, until

from benchd.domain.chip import ChipScan, ChipVerdict
from benchd.domain.errors import ReaderFault, ReaderGone, ReaderStuck
from benchd.lab.simulator.chips.chip_plan import ReaderFaults

pytestmark = [pytest.mark.asyncio, pytest.mark.rack, pytest.mark.timeout(240)]


async def until_scanned(rack: ReaderRack, slot: int, verdict: ChipVerdict) -> None:
    """A chip that was laid down is found within a second; until then the reader is empty."""
    with anyio.fail_after(60):
        while True:
            try:
                scan = await rack.scan(slot)
            except (ReaderFault, ReaderGone):
                await anyio.sleep(0.1)
                continue
            if scan.verdict is not ChipVerdict.SILENT:
                break
    assert scan.verdict is verdict


async def test_what_lies_on_the_readers_is_seen_and_told_apart() -> None:
    cards = (card(1), card(2, "cleared"), card(3, silent=True), card(5, "transit_card"))
    async with reader_rack(*cards, readers=5) as rack:
        used, cleared, silent, empty = [await rack.scan(slot) for slot in (1, 2, 3, 4)]
        assert used.verdict is ChipVerdict.IN_USE
        assert "Suica" in used.owners_en
        assert (used.passes, used.power_cycled, used.reader) == (2, True, "vpcd virtual reader")
        assert cleared.verdict is ChipVerdict.UNUSED
        assert silent.verdict is ChipVerdict.SILENT
        assert empty.verdict is ChipVerdict.SILENT
        assert silent.chip is empty.chip is None
        assert used.chip != cleared.chip
        # The IdM never leaves the worker, but its hash is the same every time.
        again = await rack.scan(1, passes=1, power_cycle=False)
        assert used.chip is not None
        assert used.chip == again.chip
        assert (await rack.truth(1)).idm[2:] not in repr(used)
        assert (await rack.scan(5)).verdict is not ChipVerdict.UNUSED
        # A slot without a reader has none.
        assert rack.access.reader(slot_name(9)) is None
        with pytest.raises(ReaderGone, match="no reader"):
            await rack.access.scan(slot_name(9), passes=1, power_cycle=False)
        with pytest.raises(ReaderGone, match="no reader"):
            await rack.access.until_there(slot_name(9))


async def test_a_reader_at_a_usb_port_is_looked_for_there_and_nowhere_else() -> None:
    async with reader_rack(card(1), wishes={slot_name(1): "usb:9-9"}) as rack:
        await until(lambda: rack.access.settled)
        assert rack.access.trouble(slot_name(1)) == "it isn't plugged in"
        with pytest.raises(ReaderGone, match="plugged in"):
            await rack.scan(1)


async def test_eighteen_readers_at_once_behind_two_pcscds_are_one_bench() -> None:
    slots = range(1, 19)
    cards = [card(slot, "in_use" if slot % 2 else "cleared") for slot in slots]
    async with reader_rack(*cards, readers=18) as rack:
        scans: dict[int, ChipScan] = {}

        async def scan(slot: int) -> None:
            scans[slot] = await rack.scan(slot)

        async with anyio.create_task_group() as tasks:
            for slot in slots:
                tasks.start_soon(scan, slot)
        for slot in slots:
            wanted = ChipVerdict.IN_USE if slot % 2 else ChipVerdict.UNUSED
            assert scans[slot].verdict is wanted
        assert len({scan.chip for scan in scans.values()}) == 18
        await rack.chips.kill_pcscd(2)
        await rack.until_gone(17)
        assert (await rack.scan(1)).verdict is ChipVerdict.IN_USE


async def test_a_reader_that_hangs_is_told_at_once_and_leaves_the_others_alone() -> None:
    async with reader_rack(card(1, "cleared"), card(3, "cleared"), readers=4) as rack:
        await rack.chips.set_faults(1, ReaderFaults(hang=True))
        with pytest.raises(ReaderFault, match="doesn't come back"):
            await rack.scan(1)
        await rack.until_gone(1)
        # Known to hang it is waited for as one that is away, and uses up no attempt of a stage.
        with pytest.raises(ReaderStuck, match="doesn't come back"):
            await rack.scan(1)
        assert (await rack.scan(3)).verdict is ChipVerdict.UNUSED
        # The chip is taken off and laid back: the driver lets go, and the reader is there again.
        await rack.chips.take_away("card-1")
        await rack.until_there(1)
        await rack.chips.set_faults(1, ReaderFaults())
        await rack.chips.lay_back("card-1")
        await until_scanned(rack, 1, ChipVerdict.UNUSED)
        # It is free again too after pcscd was restarted.
        await rack.chips.set_faults(1, ReaderFaults(hang=True))
        with pytest.raises(ReaderFault):
            await rack.scan(1)
        await rack.chips.kill_pcscd()
        await rack.until_gone(2)
        await rack.chips.set_faults(1, ReaderFaults())
        await rack.chips.start_pcscd()
        await rack.until_there(1, 2)
        await until_scanned(rack, 1, ChipVerdict.UNUSED)
        # A worker ends with the daemon even if a reader is stuck.
        await rack.chips.set_faults(1, ReaderFaults(hang=True))
        with pytest.raises(ReaderFault):
            await rack.scan(1)
        process = rack.access._workers[0]._process
        assert process is not None
        assert process.stdin is not None
        await process.stdin.aclose()
        with anyio.fail_after(30):
            assert await process.wait() == 0


async def test_what_breaks_under_a_scan_fails_it_and_comes_back() -> None:
    slots = range(1, 5)
    async with reader_rack(*(card(slot) for slot in slots), readers=4) as rack:

        async def slowed(slow_s: float) -> None:
            for slot in slots:
                await rack.chips.set_faults(slot, ReaderFaults(slow_s=slow_s))

        failures: list[BaseException] = []

        async def scan(slot: int) -> None:
            try:
                await rack.scan(slot)
            except (ReaderFault, ReaderGone) as failure:
                failures.append(failure)

        # A scan that is cancelled returns at once and frees the reader.
        await slowed(0.2)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(rack.scan, 1)
            await rack.until_exchanging(1)
            tasks.cancel_scope.cancel()
        await slowed(0)
        await until_scanned(rack, 1, ChipVerdict.IN_USE)
        # A worker that is killed is started anew.
        await slowed(0.1)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(scan, 1)
            await rack.until_exchanging(1)
            os.kill(rack.worker_pid(), signal.SIGKILL)
        assert isinstance(failures[0], ReaderGone)
        assert "in the middle" in str(failures.pop())
        await rack.until_there(*slots)
        await slowed(0)
        await until_scanned(rack, 1, ChipVerdict.IN_USE)
        # So is a pcscd.
        await slowed(0.1)
        async with anyio.create_task_group() as tasks:
            for slot in slots:
                tasks.start_soon(scan, slot)
            await rack.until_exchanging(4)
            await rack.chips.kill_pcscd()
        assert len(failures) == 4
        await rack.until_gone(1)
        with pytest.raises(ReaderGone):
            await rack.scan(1)
        await rack.chips.start_pcscd()
        await rack.until_there(*slots)
        await slowed(0)
        await until_scanned(rack, 1, ChipVerdict.IN_USE)
        # A reader that breaks is one line of the log, and one that recovers another.
        with structlog.testing.capture_logs() as lines:
            await rack.chips.kill_pcscd()
            for slot in slots:
                await rack.until_gone(slot)
            with pytest.raises(ReaderGone):
                await rack.scan(1)
            await rack.chips.start_pcscd()
            await rack.until_there(*slots)
        told = [(line["slot"], line["event"]) for line in lines]
        assert sorted(told) == [
            (f"S{slot}", event) for slot in slots for event in ("reader_back", "reader_down")
        ]
        assert {line["cause"] for line in lines if "cause" in line} == {"pcscd is away"}


async def test_a_chip_that_leaves_in_mid_scan_is_never_unused_nor_is_what_answers_nonsense() -> (
    None
):
    async with reader_rack(card(1, "cleared")) as rack:
        assert (await rack.scan(1)).verdict is ChipVerdict.UNUSED
        for exchanges in (0, 1, 3, 4, 7):
            await rack.chips.set_faults(1, ReaderFaults(leave_after=exchanges))
            with pytest.raises(ReaderFault):
                await rack.scan(1)
            assert (await rack.scan(1)).verdict is ChipVerdict.SILENT
            await rack.chips.lay_back("card-1")
            await until_scanned(rack, 1, ChipVerdict.UNUSED)
        for status in ("6A81", "6F00", "9100"):
            await rack.chips.set_faults(1, ReaderFaults(status_word=status))
            with pytest.raises(ReaderFault, match="status"):
                await rack.scan(1)
