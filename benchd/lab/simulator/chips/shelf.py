"""All readers of a rack, the pcscd's behind them, and the chips that lie on them or don't."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import anyio
from anyio.abc import TaskGroup

from benchd.domain.errors import UsageRefused
from benchd.domain.ids import JsonValue
from benchd.lab.simulator.chips.chip import VirtualChip
from benchd.lab.simulator.chips.chip_plan import CardPlan, ReaderFaults
from benchd.lab.simulator.chips.clearing import LEFT, Said, clear
from benchd.lab.simulator.chips.pcscd import Pcscd
from benchd.lab.simulator.chips.reader import VirtualReader

NO_PCSCDS: Final[Mapping[int, Pcscd]] = MappingProxyType({})


@dataclass(slots=True, kw_only=True)
class _Place:
    """A chip and where it is."""

    chip: VirtualChip
    slot: int | None = None
    """Where its handset is plugged in, or the card was laid."""
    clearing: bool = False


class ReaderShelf:
    """Chips by the name of the handset that they are in, or by the card's own."""

    def __init__(self, readers: Iterable[int], pcscds: Mapping[int, Pcscd] = NO_PCSCDS) -> None:
        """Readers are called by their slots; without a pcscd somebody else's has them."""
        self._readers: Final = {slot: VirtualReader(slot) for slot in readers}
        self._pcscds: Final = pcscds
        self._places: Final[dict[str, _Place]] = {}
        self._cards: Final[set[str]] = set()

    async def start(self, tasks: TaskGroup) -> None:
        """Start every pcscd of its own; returns when all their readers are there."""
        for pcscd in self._pcscds.values():
            pcscd.prepare()
            await pcscd.start()
            tasks.start_soon(pcscd.watch)
        for reader in self._readers.values():
            tasks.start_soon(reader.run)

    def add(self, name: str, chip: VirtualChip) -> None:
        """A chip that is on no reader yet."""
        if name in self._places:
            raise UsageRefused(f"two chips named {name}")
        self._places[name] = _Place(chip=chip)

    def forget(self, name: str) -> None:
        """A chip that is thrown away, wherever it is."""
        self.leave(name)
        del self._places[name]
        self._cards.discard(name)

    def add_card(self, card: CardPlan) -> None:
        """A card, on its reader if it has one."""
        self.add(card.name, VirtualChip(card.chip, card.name))
        self._cards.add(card.name)
        if card.slot is not None:
            self.come(card.name, card.slot)

    def lay_card(self, name: str, slot: int) -> None:
        """Lay a card on a slot's reader."""
        self._reader(slot)
        if self._card(name).slot is not None:
            raise UsageRefused(f"{name} lies on a reader already")
        self.come(name, slot)

    def lift_card(self, name: str) -> None:
        """Take a card away."""
        if self._card(name).slot is None:
            raise UsageRefused(f"{name} is on no reader")
        self.leave(name)

    def come(self, name: str, slot: int) -> None:
        """The handset was put into a slot, so that its chip lies on the slot's reader."""
        place = self.place(name)
        self._require_room(slot)
        place.slot = slot
        if slot in self._readers:
            self._readers[slot].lay(place.chip)

    def leave(self, name: str) -> None:
        """The handset was taken out of its slot, and its chip with it."""
        place = self.place(name)
        reader = self._reader_under(place)
        if reader is not None:
            reader.take()
        place.slot = None

    def take_away(self, name: str) -> None:
        """Lift the chip off its reader; the handset's cable stays in."""
        place = self.place(name)
        reader = self._reader_under(place)
        if reader is None:
            raise UsageRefused(f"the chip of {name} is on no reader")
        reader.take()

    def lay_back(self, name: str) -> None:
        """Put it back where it was."""
        place = self.place(name)
        reader = None if place.slot is None else self._readers.get(place.slot)
        if reader is None:
            raise UsageRefused(f"there is no reader for the chip of {name}")
        if reader.chip is place.chip:
            raise UsageRefused(f"the chip of {name} is on its reader already")
        self._require_room(reader.slot)
        reader.lay(place.chip)

    def swap(self, name: str) -> None:
        """Let the handset have another chip, with the same on it."""
        self.place(name).chip.swap()
        self._look_again(name)

    def silence(self, name: str, *, silent: bool) -> None:
        """Lock it, or switch it off; or let it answer again."""
        self.place(name).chip.locked = silent
        self._look_again(name)

    def switch(self, name: str, *, on: bool) -> None:
        """Its handset switches it with its NFC."""
        chip = self.place(name).chip
        if chip.powered_off is on:
            chip.powered_off = not on
            self._look_again(name)

    async def clear(self, slot: int) -> Said:
        """Have the chip in this slot cleared, by whoever can do that."""
        name = self._in_slot(slot)
        place = self.place(name)
        idm = place.chip.primary_idm
        place.clearing = True
        try:
            await anyio.sleep(place.chip.plan.clear_s)
        finally:
            place.clearing = False
        if place.slot != slot:
            return LEFT
        said = clear(place.chip)
        if place.chip.primary_idm != idm:
            self._look_again(name)
        return said

    def set_faults(self, slot: int, faults: ReaderFaults) -> None:
        """From now on the slot's reader does this wrong, and nothing else."""
        self._reader(slot).set_faults(faults)

    async def kill_pcscd(self, number: int) -> None:
        """As a crash would."""
        await self._pcscd(number).kill()

    async def start_pcscd(self, number: int) -> None:
        """Again, after it was killed."""
        await self._pcscd(number).start()

    def place(self, name: str) -> _Place:
        """Where the chip of this name is."""
        found = self._places.get(name)
        if found is None:
            raise UsageRefused(f"no chip {name} in this rack")
        return found

    def _in_slot(self, slot: int) -> str:
        for name, place in self._places.items():
            if place.slot == slot:
                return name
        raise UsageRefused(f"nothing with a chip is in slot {slot}")

    def states(self) -> list[Mapping[str, JsonValue]]:
        """All chips, as `RackHands.chips` gives them."""
        return [self._state(name, place) for name, place in self._places.items()]

    def _state(self, name: str, place: _Place) -> Mapping[str, JsonValue]:
        reader = self._reader_under(place)
        return {
            "name": name,
            "slot": place.slot,
            "on_reader": reader is not None,
            "powered": reader is not None and reader.powered,
            "waiting": reader is not None and reader.waiting,
            "exchanges": 0 if place.slot is None else self._exchanges(place.slot),
            "idm": place.chip.primary_idm.hex(),
            "profile": place.chip.profile,
            "node_count": place.chip.node_count,
            "silent": place.chip.silent,
            "clearing": place.clearing,
        }

    def _card(self, name: str) -> _Place:
        if name not in self._cards:
            raise UsageRefused(f"no card {name} in this rack")
        return self.place(name)

    def _look_again(self, name: str) -> None:
        reader = self._reader_under(self.place(name))
        if reader is not None:
            reader.again()

    def _exchanges(self, slot: int) -> int:
        return self._readers[slot].exchanges if slot in self._readers else 0

    def _reader_under(self, place: _Place) -> VirtualReader | None:
        reader = None if place.slot is None else self._readers.get(place.slot)
        return reader if reader is not None and reader.chip is place.chip else None

    def _require_room(self, slot: int) -> None:
        if slot in self._readers and self._readers[slot].chip is not None:
            raise UsageRefused(f"something lies on the reader of slot {slot} already")

    def _reader(self, slot: int) -> VirtualReader:
        found = self._readers.get(slot)
        if found is None:
            raise UsageRefused(f"slot {slot} has no reader")
        return found

    def _pcscd(self, number: int) -> Pcscd:
        found = self._pcscds.get(number)
        if found is None:
            raise UsageRefused(f"no pcscd {number} in this rack")
        return found
