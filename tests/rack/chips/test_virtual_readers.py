"""Virtual chips through real pcscd, vpcd and pyscard."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
import pytest
from pcsc_child import IDM, Refused, pcsc_child

from benchd.simulator.chips.hands import ChipState
from benchd.simulator.chips.plan import CardPlan, ChipPlan, ReaderFaults
from benchd.simulator.hands import RackHands
from benchd.simulator.house import RackHouse
from benchd.simulator.plan import RackPlan

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


async def until_exchanges(hands: RackHands, slot: int, count: int) -> None:
    """Nobody announces that a reader has handed a frame through."""
    with anyio.fail_after(30):
        while (await truth(hands, slot)).exchanges < count:  # noqa: ASYNC110
            await anyio.sleep(0.01)


async def test_each_reader_tells_the_idm_of_what_lies_on_it() -> None:
    async with rack(card(1), card(2, "cleared")) as (house, hands):
        for slot in (1, 2):
            async with pcsc_child(house.readers[slot]) as client:
                atr = (await client.until_present()).atr
                await client.connect()
                said = await client.transmit(IDM)
                polled = await client.exchange(POLL_COMMON)
                assert atr == "3b8f8001804f0ca0000003061100 3b0000000042".replace(" ", "")
                assert said.hex() == (await truth(hands, slot)).idm + "9000"
                assert polled[2:10] == said[:8]
                assert polled[-2:] == b"\x90\x00"


async def test_frames_go_through_to_the_chip_and_silence_is_told() -> None:
    async with rack(card(1, "cleared")) as (house, hands), pcsc_child(house.readers[1]) as client:
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


async def test_a_chip_taken_off_in_mid_exchange_and_laid_back_at_once_is_found_twenty_times() -> (
    None
):
    async with rack(card(1)) as (house, hands), pcsc_child(house.readers[1]) as client:
        seen = await client.until_present()
        for turn in range(20):
            await client.connect()
            await hands.chips.set_faults(1, ReaderFaults(leave_after=turn % 3))
            for _ in range(turn % 3):
                await client.exchange(POLL_ANY)
            with pytest.raises(Refused, match=NOT_TRANSACTED):
                await client.exchange(POLL_ANY)
            await hands.chips.lay_back("card-1")
            await client.disconnect(turn % 3)
            seen = await client.until_present(after=seen.events)
