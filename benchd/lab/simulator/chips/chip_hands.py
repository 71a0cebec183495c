"""The operator's hands on chips, cards and readers, and on the pcscd's behind those."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final, Protocol

from pydantic import TypeAdapter

from benchd.domain.errors import UsageRefused
from benchd.domain.ids import JsonValue
from benchd.lab.simulator.chips.chip_plan import ReaderFaults
from benchd.lab.simulator.chips.clearing import Said


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipState:
    """One chip as the rack itself knows it: the truth that benchd has to find out."""

    name: str
    """The handset that it is in, or the card that it is."""
    slot: int | None
    on_reader: bool
    powered: bool
    """Whether the slot's pcscd has found it and switched it on."""
    waiting: bool
    """Whether a frame waits for a reader that hangs."""
    exchanges: int
    """How many frames its reader has handed through so far."""
    idm: str
    profile: str
    node_count: int
    clearing: bool
    """Whether somebody is having it cleared."""
    silent: bool


_SAID: Final = TypeAdapter(Said)
_STATES: Final = TypeAdapter(tuple[ChipState, ...])


class Ask(Protocol):
    """Sends one request over the control socket."""

    async def __call__(self, do: str, **parameters: JsonValue) -> dict[str, JsonValue]:
        """The answer; raises UsageRefused or RackBroken."""
        ...


class ChipHands:
    """Does to chips, by name of handset or card, what a person's hands or bad luck would do."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def all(self) -> tuple[ChipState, ...]:
        """Every chip, first those of handsets."""
        answer = await self._ask("chips")
        return _STATES.validate_python(answer["chips"])

    async def state(self, name: str) -> ChipState:
        """One chip."""
        for state in await self.all():
            if state.name == name:
                return state
        raise UsageRefused(f"no chip {name} in this rack")

    async def take_away(self, name: str) -> None:
        """Lift it off its reader, in the middle of whatever it does; the cable stays in."""
        await self._ask("take_chip_away", chip=name)

    async def lay_back(self, name: str) -> None:
        """Put it back onto the reader of its slot."""
        await self._ask("lay_chip_back", chip=name)

    async def lay_card(self, card: str, slot: int) -> None:
        """Lay a card on a slot's reader."""
        await self._ask("lay_card", chip=card, slot=slot)

    async def lift_card(self, card: str) -> None:
        """Take a card away."""
        await self._ask("lift_card", chip=card)

    async def swap(self, name: str) -> None:
        """Let a handset have another chip, with the same on it."""
        await self._ask("swap_chip", chip=name)

    async def silence(self, name: str) -> None:
        """Lock it, or switch it off."""
        await self._ask("silence_chip", chip=name, silent=True)

    async def unsilence(self, name: str) -> None:
        """Let it answer again."""
        await self._ask("silence_chip", chip=name, silent=False)

    async def clear(self, slot: int) -> Said:
        """Have the chip in a slot cleared; what is said of it need not be true."""
        return _SAID.validate_python(await self._ask("clear_chip", slot=slot))

    async def set_faults(self, slot: int, faults: ReaderFaults) -> None:
        """From now on the slot's reader does this wrong, and nothing else."""
        await self._ask("set_reader_faults", slot=slot, faults=asdict(faults))

    async def kill_pcscd(self, number: int = 1) -> None:
        """As a crash would; returns when it's dead."""
        await self._ask("kill_pcscd", pcscd=number)

    async def start_pcscd(self, number: int = 1) -> None:
        """Start it again; returns when it takes clients."""
        await self._ask("start_pcscd", pcscd=number)
