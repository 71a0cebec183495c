"""Handsets on real USB, erased by the real service."""

from __future__ import annotations

import anyio
import pytest

from tests.vm.bench import Bench, slot_name
from tests.vm.guest.rackvm.kinds import kind

pytestmark = [pytest.mark.asyncio, pytest.mark.timeout(900)]

MANY = 2


async def test_sixteen_handsets_with_one_serial_all_pass(bench: Bench) -> None:
    names = [f"same-{number:02}" for number in range(1, MANY + 1)]
    # Three on ext4, the others on f2fs, all with one serial.
    await bench.make(*(kind("same-serial-a", name=name, number=0) for name in names))
    await bench.shell("systemctl start benchd")
    assert (await bench.shell("systemctl show -P ActiveState benchd")).strip() == "active"
    await bench.until_serving()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(bench.operators().work)
        await bench.plug({name: number for number, name in enumerate(names, start=1)})
        slots = [slot_name(number) for number in range(1, MANY + 1)]
        await bench.until_ended(slots, within_s=600)
        ends = [await bench.end_of(slot) for slot in slots]
        tasks.cancel_scope.cancel()
    assert [end.outcome for end in ends] == ["passed"] * MANY, ends
    assert {end.serial for end in ends} == {"0123456789ABCDEF"}
    assert all(end.statement is not None for end in ends)
