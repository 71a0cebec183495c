"""Random storms of everything that can happen: what passed was erased, and every slot lives on."""

from __future__ import annotations

import random
from collections.abc import Sequence

import anyio
import pytest

from benchd.domain.errors import HandsetGone, TransientFault
from benchd.domain.job import Outcome
from benchd.domain.port import PlugEvent
from benchd.domain.record import EntryKind
from benchd.domain.slot_states import SlotState

from .world import MIB, MTP_ONLY, Phone, Port, World

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

SEEDS = range(24)
BLOWS = 30


def new_phone(chance: random.Random) -> Phone:
    phone = Phone(
        serial=chance.choice(["0123456789ABCDEF", "R5CT10ABCDE"]),
        imei=None,
        used_bytes=chance.choice([2, 30]) * MIB,
        reset_lies=chance.random() < 0.1,
        bad_bytes=4096 if chance.random() < 0.1 else 0,
    )
    if chance.random() < 0.3:
        call = chance.choice(["fill_step", "check", "sample", "reset_facts", "identity"])

        async def stumble(_phone: Phone) -> None:
            if chance.random() < 0.3:
                raise chance.choice([HandsetGone, TransientFault])("a stumble")

        phone.faults[call] = stumble
    return phone


async def strike(world: World, port: Port, chance: random.Random) -> None:
    """One blow against one port or the whole rack."""
    match chance.randrange(6):
        case 0 if port.attached:
            port.unplug()
        case 1 if not port.attached:
            port.plug(new_phone(chance), chance.choice([port.interfaces, MTP_ONLY]))
        case 2 if port.attached and port.phone:
            phone = port.phone
            port.unplug()
            port.plug(phone)
        case 3:
            world.access.server_up = False
            world.access.poke()
            await anyio.sleep(chance.uniform(0, 20))
            world.access.server_up = True
            world.access.poke()
        case 4 if port.attached and port.phone:
            # A swap that the port tells as one new enumeration, without a departure.
            port.plug(new_phone(chance))
        case _:
            pass


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_storm(seed: int) -> None:
    chance = random.Random(seed)
    world = World(4)
    told: list[PlugEvent] = []
    ports: Sequence[Port] = list(world.ports.values())
    async with world.running():
        world.listeners.append(told.append)
        for port in ports:
            port.plug(new_phone(chance))
        for _ in range(BLOWS):
            await anyio.sleep(chance.choice([0.0, 0.01, 1.0, 10.0, 60.0]))
            await strike(world, chance.choice(ports), chance)
        # The storm is over: every slot takes a new handset to a good end.
        for port in ports:
            while port.attached or world.view(port.slot).state is SlotState.REPLUGGING:
                if port.attached:
                    port.unplug()
                await anyio.sleep(5000)
        for port in ports:
            port.plug(Phone(serial="LAST"))
        for port in ports:
            await world.until(
                lambda port=port: (
                    (identity := world.view(port.slot).identity) is not None
                    and identity.serial == "LAST"
                    and world.view(port.slot).state is SlotState.FINISHED
                )
            )
            assert world.view(port.slot).outcome is Outcome.PASSED
    check_ledger(world)


def check_ledger(world: World) -> None:
    """Every job has one end; every pass has its certificate; none is sellable but by passing."""
    opened = [s.entry.job for s in world.ledger.of(EntryKind.JOB_OPENED)]
    ends = world.ledger.of(EntryKind.JOB_ENDED)
    assert sorted(map(str, opened)) == sorted(str(s.entry.job) for s in ends)
    for stored in ends:
        passed = stored.entry.data["outcome"] == Outcome.PASSED
        assert (stored.entry.data["certificate"] is not None) is passed
        assert (stored.entry.data["disposition"] == "sellable") is passed
        if passed:
            assert stored.entry.job in world.passed_for_real
