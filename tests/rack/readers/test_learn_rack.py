"""`benchd slots learn` with real pcscd's, a simulated hot plug source and an operator's hands."""

from __future__ import annotations

import io
import os
import socket
import tomllib
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from reader_rack import DEADLINE_S, until
from test_felica_commands import felica

from benchd.certificate import create_key
from benchd.cli.learning import learn_slots
from benchd.config import load_settings
from benchd.daemon.composition import chip_access
from benchd.devices.felica.chip_access import PcscChipAccess
from benchd.domain.chip import ChipVerdict
from benchd.domain.errors import BenchdError, ConfigInvalid, UsageRefused
from benchd.domain.ids import SlotName
from benchd.lab.simulator.addresses import port_path
from benchd.lab.simulator.chips.chip_plan import CardPlan, ChipPlan
from benchd.lab.simulator.hands import RackHands
from benchd.lab.simulator.handset_models import AQUOS_SENSE_6
from benchd.lab.simulator.plan import HandsetPlan, RackPlan
from benchd.lab.simulator.plug_source import SimulatedHotplug
from benchd.lab.simulator.virtual_house import RackHouse
from tests.rack.daemon_here import configured

pytestmark = [pytest.mark.asyncio, pytest.mark.rack, pytest.mark.timeout(240)]

MORE = """\
# Known since May.
[slots.A1]
port = "pci-0000:03:00.0-usb-0:9.9"  # the old hub's
recipe = "overwrite"
"""
NAMES = ("one", "two")
CARD = "card"


class Learning:
    """The command in a thread, and what its operator reads and types."""

    def __init__(self, house: RackHouse, hands: RackHands, config: Path) -> None:
        self.house = house
        self.hands = hands
        self.config = config
        self.out = io.StringIO()
        self._read, self._write = os.pipe()
        self.result: bool | BenchdError | None = None

    async def run(self, slots: tuple[str, ...], *, dry_run: bool) -> None:
        def learn() -> bool:
            return learn_slots(
                self.config,
                slots,
                SimulatedHotplug(self.house.plug_socket),
                dry_run=dry_run,
                answers=self._read,
                out=self.out,
                return_s=0.0,
            )

        try:
            self.result = await anyio.to_thread.run_sync(learn, abandon_on_cancel=True)
        except BenchdError as failure:
            self.result = failure

    def type(self, line: str) -> None:
        os.write(self._write, f"{line}\n".encode())

    def hang_up(self) -> None:
        if self._write >= 0:
            os.close(self._write)
        self._write = -1

    async def reads(self, *words: str) -> None:
        def read() -> bool:
            return all(word in self.out.getvalue() for word in words)

        try:
            await until(lambda: read() or self.result is not None)
        except TimeoutError:
            pytest.fail(f"it waits for something else:\n{self.out.getvalue()}")
        assert read(), (self.result, self.out.getvalue())

    async def ended(self) -> bool | BenchdError:
        await until(lambda: self.result is not None)
        assert self.result is not None
        return self.result


def plan(*, readers: int) -> RackPlan:
    handsets = tuple(
        HandsetPlan(
            name=name,
            model=AQUOS_SENSE_6,
            serial=f"3564018200477{number:02}",
            imei="356401820047710",
        )
        for number, name in enumerate(NAMES)
    )
    return RackPlan(
        handsets=handsets, readers=readers, cards=(CardPlan(name=CARD, chip=ChipPlan()),)
    )


@asynccontextmanager
async def learning(
    folder: Path, *, slots: tuple[str, ...] = (), readers: int = 4, dry_run: bool = False
) -> AsyncGenerator[Learning, None]:
    """A walk that has begun: no handset is plugged in any more."""
    async with (
        RackHouse(plan(readers=readers)) as house,
        RackHands.connect(house.control_socket) as hands,
        anyio.create_task_group() as tasks,
    ):
        sockets = dict.fromkeys(str(at.socket) for at in house.readers.values())
        begun = Learning(
            house, hands, configured(folder, tables=felica(list(sockets) or ["nowhere"], []) + MORE)
        )

        async def run() -> None:
            await begun.run(slots, dry_run=dry_run)

        tasks.start_soon(run)
        try:
            await begun.reads("Take every handset")
            begun.type("")
            yield begun
            with anyio.fail_after(DEADLINE_S):
                await begun.ended()
        finally:
            begun.hang_up()


async def show(begun: Learning, name: str, slot: int, label: str) -> None:
    """Plug a handset in; with the cable it gets its chip onto the slot's reader."""
    await begun.reads(f"Slot {label}: plug")
    await begun.hands.plug(name, slot)
    await begun.reads(f"Slot {label} has port", f"Slot {label} has reader")
    await begun.reads(f"Slot {label}: if a handset")
    begun.type("")


async def test_a_walk_along_the_rack_is_written_and_the_readers_answer_for_their_slots(
    tmp_path: Path,
) -> None:
    async with learning(tmp_path, slots=("A1", "B7")) as begun:
        before = begun.config.read_text()
        await show(begun, "one", 3, "A1")
        await show(begun, "two", 2, "B7")
        await begun.reads(f"Write this to {begun.config}?", f'+port = "{port_path(3)}"')
        assert begun.config.read_text() == before, "nothing is written before the yes"
        begun.type("y")
        assert await begun.ended() is True
        after = begun.config.read_text()
        assert tomllib.loads(after)["slots"].keys() == {"A1", "B7"}
        assert [line for line in before.splitlines() if line not in after.splitlines()] == [
            'port = "pci-0000:03:00.0-usb-0:9.9"  # the old hub\'s'
        ]
        assert f'port = "{port_path(3)}"  # the old hub\'s' in after
        await _answer_for_their_slots(begun)


async def _answer_for_their_slots(begun: Learning) -> None:
    """The daemon's own access finds the chip that is left where it lies, and none beside it."""
    await begun.hands.unplug("two")
    settings = load_settings(begun.config)
    access = chip_access(settings, create_key(begun.config.with_name("other.pem")), None)
    assert isinstance(access, PcscChipAccess)
    async with anyio.create_task_group() as tasks:
        await tasks.start(access.run)
        with anyio.fail_after(DEADLINE_S):
            for slot, silent in (("A1", False), ("B7", True)):
                await access.until_there(SlotName(slot))
                scan = await access.scan(SlotName(slot), passes=1, power_cycle=False)
                assert (scan.verdict is ChipVerdict.SILENT) is silent
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize(("dry_run", "answer"), [(True, None), (False, "n"), (False, "")])
async def test_a_dry_run_and_a_no_change_nothing(
    tmp_path: Path, dry_run: bool, answer: str | None
) -> None:
    async with learning(tmp_path, readers=2, dry_run=dry_run) as begun:
        before = begun.config.read_bytes()
        await show(begun, "one", 1, "A1")
        if answer is not None:
            await begun.reads("Write this to")
            begun.type(answer)
        assert await begun.ended() is dry_run
        assert f'+port = "{port_path(1)}"' in begun.out.getvalue()
        assert "Nothing was written" in begun.out.getvalue()
        assert begun.config.read_bytes() == before
        assert [file.name for file in tmp_path.iterdir() if file.name.startswith(".")] == []


async def test_readers_whose_service_dies_and_comes_back_are_learned(tmp_path: Path) -> None:
    async with learning(tmp_path, readers=2) as begun:
        await begun.reads("Slot A1: plug")
        begun.type("")  # its port stays as it is
        await begun.reads("Slot A1: lay")
        await begun.hands.chips.kill_pcscd()
        await begun.hands.chips.start_pcscd()
        await begun.hands.chips.lay_card(CARD, 2)
        await begun.reads("Slot A1 has reader", "Slot A1: if a handset")
        await begun.hands.chips.lift_card(CARD)
        await begun.reads("fell silent with it", "Write this to")
        begun.type("y")
        assert await begun.ended() is True
        slot = load_settings(begun.config).felica.readers[SlotName("A1")]
        assert slot in begun.house.readers[2].name


async def test_without_readers_ports_alone_are_learned(tmp_path: Path) -> None:
    async with learning(tmp_path, readers=0) as begun:
        await begun.reads("No readers were found (pcscd is away)", "Slot A1: plug")
        await begun.hands.plug("one", 1)
        await begun.reads("Slot A1 has port", "Write this to")
        begun.type("y")
        assert await begun.ended() is True
        (slot,) = tomllib.loads(begun.config.read_text())["slots"].values()
        assert slot == {"port": port_path(1), "recipe": "overwrite"}


async def test_an_operator_who_goes_away_leaves_the_file_alone(tmp_path: Path) -> None:
    async with learning(tmp_path, readers=2) as begun:
        before = begun.config.read_bytes()
        await begun.reads("Slot A1: plug")
        begun.hang_up()
        failure = await begun.ended()
        assert isinstance(failure, UsageRefused)
        assert "standard input has ended" in str(failure)
        assert begun.config.read_bytes() == before


async def test_nothing_is_asked_where_learning_could_not_be_written_or_would_disturb(
    tmp_path: Path,
) -> None:
    def learn(config: Path, *slots: str) -> str:
        before = config.read_bytes()
        with pytest.raises(BenchdError) as caught:
            learn_slots(config, slots, SimulatedHotplug(Path("none")), dry_run=False, answers=0)
        assert config.read_bytes() == before
        return f"{type(caught.value).__name__}: {caught.value}"

    async def refused(name: str, text: str, *slots: str) -> str:
        (tmp_path / name).mkdir()
        config = configured(tmp_path / name, tables=text)
        return await anyio.to_thread.run_sync(learn, config, *slots)

    mistakes = await refused("mistakes", '[slots.A1]\nport = "1-1"\n')
    assert mistakes.startswith(f"{ConfigInvalid.__name__}: ")
    # Slots have to be named once where there are none.
    assert "name the slots" in await refused("unnamed", "")
    assert "twice" in await refused("twice", "", "A1", "A1")
    # No handset is plugged in for it while the daemon runs.
    (tmp_path / "running").mkdir()
    config = configured(tmp_path / "running", tables=MORE)
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(str(load_settings(config).http.socket))
        daemon.listen()
        assert "benchd runs" in await anyio.to_thread.run_sync(learn, config)
