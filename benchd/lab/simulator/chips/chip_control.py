"""What the control socket takes for chips, cards, readers and their pcscd's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from types import MappingProxyType
from typing import Final, Literal

from pydantic.dataclasses import dataclass

from benchd.domain.ids import JsonValue
from benchd.lab.simulator.chips.chip_plan import ReaderFaults
from benchd.lab.simulator.chips.shelf import ReaderShelf


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipRequest:
    """One request; `chip` is the name of a handset or of a card."""

    do: Literal[
        "chips",
        "take_chip_away",
        "lay_chip_back",
        "lay_card",
        "lift_card",
        "swap_chip",
        "silence_chip",
        "clear_chip",
        "set_reader_faults",
        "kill_pcscd",
        "start_pcscd",
    ]
    chip: str = ""
    slot: int = 0
    silent: bool = False
    pcscd: int = 1
    faults: ReaderFaults = ReaderFaults()


_DEEDS: Final[Mapping[str, Callable[[ReaderShelf, ChipRequest], None]]] = MappingProxyType(
    {
        "take_chip_away": lambda shelf, request: shelf.take_away(request.chip),
        "lay_chip_back": lambda shelf, request: shelf.lay_back(request.chip),
        "lay_card": lambda shelf, request: shelf.lay_card(request.chip, request.slot),
        "lift_card": lambda shelf, request: shelf.lift_card(request.chip),
        "swap_chip": lambda shelf, request: shelf.swap(request.chip),
        "silence_chip": lambda shelf, request: shelf.silence(request.chip, silent=request.silent),
        "set_reader_faults": lambda shelf, request: shelf.set_faults(request.slot, request.faults),
    }
)


async def obey(shelf: ReaderShelf, request: ChipRequest) -> Mapping[str, JsonValue]:
    """Do it; raises UsageRefused where it makes no sense."""
    match request.do:
        case "chips":
            return {"chips": shelf.states()}
        case "clear_chip":
            return asdict(await shelf.clear(request.slot))
        case "kill_pcscd":
            await shelf.kill_pcscd(request.pcscd)
        case "start_pcscd":
            await shelf.start_pcscd(request.pcscd)
        case _:
            _DEEDS[request.do](shelf, request)
    return {}
