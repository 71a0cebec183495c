"""Virtual chips through real pcscd, vpcd and pyscard."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import anyio
import pytest
from pcsc_child import IDM, Refused, pcsc_child

from benchd.devices.felica.readers.card_readers import CardReaders
from benchd.domain.errors import UsageRefused
from benchd.lab.simulator.chips.chip_hands import ChipState
from benchd.lab.simulator.chips.chip_plan import CardPlan, ChipPlan, ReaderFaults
from benchd.lab.simulator.hands import RackHands
from benchd.lab.simulator.plan import RackPlan
from benchd.lab.simulator.virtual_house import RackHouse

pytestmark = [pytest.mark.asyncio, pytest.mark.rack, pytest.mark.timeout(120)]

POLL_ANY = bytes.fromhex("0600FFFF0100")
POLL_COMMON = bytes.fromhex("0600FE000000")
NOT_TRANSACTED = "80100016"


@asynccontextmanager
async def rack(
    *cards: CardPlan, readers: int = 2
) -> AsyncGenerator[tuple[RackHouse, RackHands], None]:
    plan = RackPlan(handsets=(), readers=readers, cards=cards)
    async with RackHouse(plan) as house, RackHands.connect(house.control_socket) as hands:
        yield house, hands


def card(slot: int, profile: str = "in_use") -> CardPlan:
    return CardPlan(name=f"card-{slot}", slot=slot, chip=ChipPlan(profile=profile))


async def truth(hands: RackHands, slot: int) -> ChipState:
    return await hands.chips.state(f"card-{slot}")


async def until_waiting(hands: RackHands, slot: int) -> None:
    """Nobody announces that a frame has reached a reader that hangs."""
    with anyio.fail_after(30):
        while not (await truth(hands, slot)).waiting:  # noqa: ASYNC110
            await anyio.sleep(0.01)


async def test_frames_go_through_to_the_chip_and_silence_and_faults_are_told() -> None:
    spare = CardPlan(name="spare")
    async with (
        rack(card(1, "cleared"), spare) as (house, hands),
        pcsc_child(house.readers[1]) as client,
    ):
        await client.until_present()
        await client.connect()
        polled = await client.exchange(POLL_ANY)
        idm = polled[2:10]
        assert polled[:2] == b"\x14\x01"
        assert polled[18:20] == b"\xfe\x00"
        listed = await client.exchange(b"\x0e\x1a" + idm + bytes(4))
        assert listed[10:] == bytes.fromhex("0000 00 01 0000FEFF 00 9000")
        assert await client.exchange(bytes.fromhex("060000030000")) == b"\x63\x00"
        assert await client.exchange(b"\x0a\x0c" + bytes(8)) == b"\x63\x00"
        assert (await truth(hands, 1)).exchanges == 4
        # A reader may be slow or answer with a wrong status word.
        await hands.chips.set_faults(1, ReaderFaults(status_word="6982"))
        assert await client.exchange(POLL_ANY) == b"\x69\x82"
        await hands.chips.set_faults(1, ReaderFaults(slow_s=0.5))
        before_s = anyio.current_time()
        assert (await client.exchange(POLL_ANY)).endswith(b"\x90\x00")
        assert anyio.current_time() - before_s > 0.5
        assert await client.transmit(bytes.fromhex("00A4040000")) == b"\x6e\x00"
        assert await client.transmit(bytes.fromhex("FF00000006060000")) == b"\x67\x00"
        await hands.chips.set_faults(1, ReaderFaults())
        # A look at the rack resets no card that another program uses.
        looked = anyio.Event()
        readers = CardReaders([house.readers[1].socket], looked.set)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(readers.run)
            with anyio.fail_after(30):
                await looked.wait()
            tasks.cancel_scope.cancel()
        assert readers.seen is not None
        assert [reader.card for reader in readers.seen[0].readers] == [True, False]
        assert (await client.exchange(POLL_ANY)).endswith(b"\x90\x00")
        # Two cards don't fit on one reader.
        with pytest.raises(UsageRefused, match="already"):
            await hands.chips.lay_card("spare", 1)
        with pytest.raises(UsageRefused, match="no reader"):
            await hands.chips.lay_card("spare", 3)


@pytest.mark.parametrize("turns", [6, pytest.param(20, marks=pytest.mark.nightly)])
async def test_a_chip_taken_off_in_mid_exchange_and_laid_back_at_once_is_found_each_time(
    turns: int,
) -> None:
    async with rack(card(1)) as (house, hands), pcsc_child(house.readers[1]) as client:
        seen = await client.until_present()
        for turn in range(turns):
            await client.connect()
            await hands.chips.set_faults(1, ReaderFaults(leave_after=turn % 3))
            for _ in range(turn % 3):
                await client.exchange(POLL_ANY)
            with pytest.raises(Refused, match=NOT_TRANSACTED):
                await client.exchange(POLL_ANY)
            await hands.chips.lay_back("card-1")
            await client.disconnect(turn % 3)
            seen = await client.until_present(after=seen.events)


async def test_a_card_that_never_answers_holds_its_own_reader_alone_until_it_is_taken_away() -> (
    None
):
    async with (
        rack(card(1), card(2)) as (house, hands),
        pcsc_child(house.readers[1]) as hung,
        pcsc_child(house.readers[2]) as other,
    ):
        for client in (hung, other):
            await client.until_present()
            await client.connect()
        await hands.chips.set_faults(1, ReaderFaults(hang=True))
        answers: list[bytes] = []
        async with anyio.create_task_group() as tasks:

            async def wait_for_the_hung_one() -> None:
                answers.append(await hung.exchange(POLL_ANY))

            tasks.start_soon(wait_for_the_hung_one)
            await until_waiting(hands, 1)
            for _ in range(100):
                assert (await other.exchange(POLL_ANY)).endswith(b"\x90\x00")
            assert house.readers[1].name in await other.readers()
            assert not answers
            await hands.chips.set_faults(1, ReaderFaults())
        assert answers[0].endswith(b"\x90\x00")
        seen = await hung.until_present()
        await hands.chips.set_faults(1, ReaderFaults(hang=True))
        async with anyio.create_task_group() as tasks:

            async def be_refused() -> None:
                with pytest.raises(Refused, match=NOT_TRANSACTED):
                    await hung.exchange(POLL_ANY)

            tasks.start_soon(be_refused)
            await until_waiting(hands, 1)
            await hands.chips.take_away("card-1")
        await hung.disconnect()
        await hands.chips.set_faults(1, ReaderFaults())
        await hands.chips.lay_back("card-1")
        await hung.until_present(after=seen.events)
        await hung.connect()
        assert (await hung.exchange(POLL_ANY)).endswith(b"\x90\x00")


async def test_readers_come_back_under_their_names_when_pcscd_was_killed() -> None:
    async with rack(card(1), card(2)) as (house, hands):
        async with pcsc_child(house.readers[2]) as client:
            await client.until_present()
            await client.connect()
            before = await client.readers()
            await hands.chips.kill_pcscd()
            with pytest.raises(Refused):
                await client.exchange(POLL_ANY)
        for _ in range(2):
            await hands.chips.start_pcscd()
            async with pcsc_child(house.readers[2]) as client:
                await client.until_present()
                await client.connect()
                assert await client.readers() == before
                assert (await client.exchange(POLL_ANY)).endswith(b"\x90\x00")
                await hands.chips.kill_pcscd()


async def test_another_card_and_a_silent_one_are_seen_as_pcscd_would_see_them() -> None:
    spare = CardPlan(name="spare", chip=ChipPlan(ic_type="0B", profile="transit_card"))
    async with rack(card(1), spare) as (house, hands), pcsc_child(house.readers[1]) as client:
        seen = await client.until_present()
        await client.connect()
        first = await client.transmit(IDM)
        await hands.chips.swap("card-1")
        seen = await client.until_present(after=seen.events)
        await client.connect()
        assert await client.transmit(IDM) != first
        await hands.chips.silence("card-1")
        await client.until_empty()
        await hands.chips.lift_card("card-1")
        await hands.chips.lay_card("spare", 1)
        await client.until_present(after=seen.events)
        await client.connect()
        polled = await client.exchange(POLL_ANY)
        assert polled[11] == 0x0B


def processes_of(directory: Path) -> list[str]:
    """Every process that was started with this directory."""
    found = []
    for folder in Path("/proc").iterdir():
        # It may end while it's looked at.
        with suppress(OSError):
            if folder.name.isdigit() and str(directory) in (folder / "cmdline").read_text():
                found.append((folder / "comm").read_text().strip())
    return found


async def test_twenty_readers_stand_behind_two_pcscds_and_nothing_is_left_of_them() -> None:
    cards = [card(slot, "in_use" if slot % 2 else "cleared") for slot in range(1, 21)]
    async with rack(*cards, readers=20) as (house, hands):
        directory = house.log.parent
        assert processes_of(directory).count("bwrap") >= 2
        sockets = [house.readers[slot].socket for slot in range(1, 21)]
        assert sockets.count(sockets[0]) == 16
        assert len(set(sockets)) == 2
        for slot in range(1, 21):
            async with pcsc_child(house.readers[slot]) as client:
                atr = (await client.until_present()).atr
                assert atr == "3b8f8001804f0ca00000030611003b0000000042"
                await client.connect()
                # Each tells the IDm of what lies on it.
                said = await client.transmit(IDM)
                assert said.hex() == (await truth(hands, slot)).idm + "9000"
                polled = await client.exchange(POLL_COMMON)
                assert polled[2:10] == said[:8]
                assert polled[-2:] == b"\x90\x00"
        # The death of one leaves the readers of the other alone.
        async with pcsc_child(house.readers[20]) as client:
            await client.connect()
            await hands.chips.kill_pcscd(1)
            assert (await client.exchange(POLL_ANY)).endswith(b"\x90\x00")
        # Both are there to be ended.
        await hands.chips.start_pcscd(1)
        assert processes_of(directory).count("bwrap") >= 2
    assert processes_of(directory) == []
    assert not directory.exists()
