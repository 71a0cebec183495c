"""What the control socket takes for chips, cards, readers and their pcscd's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic.dataclasses import dataclass

from benchd.model import JsonValue
from benchd.simulator.chips.plan import ReaderFaults
from benchd.simulator.chips.shelf import ReaderShelf


@dataclass(frozen=True, slots=True, kw_only=True)
class ChipRequest:
    """One request; `chip` is the name of a handset or of a card."""

    do: Literal[
        "chips",
        "take_chip_away",
        "lay_chip_back",
        "lay_card",
        "lift_card",
        "set_reader_faults",
        "kill_pcscd",
        "start_pcscd",
    ]
    chip: str = ""
    slot: int = 0
    pcscd: int = 1
    faults: ReaderFaults = ReaderFaults()


async def obey(shelf: ReaderShelf, request: ChipRequest) -> Mapping[str, JsonValue]:
    """Do it; raises UsageRefused where it makes no sense."""
    match request.do:
        case "chips":
            return {"chips": shelf.states()}
        case "take_chip_away":
            shelf.take_away(request.chip)
        case "lay_chip_back":
            shelf.lay_back(request.chip)
        case "lay_card":
            shelf.lay_card(request.chip, request.slot)
        case "lift_card":
            shelf.lift_card(request.chip)
        case "set_reader_faults":
            shelf.set_faults(request.slot, request.faults)
        case "kill_pcscd":
            await shelf.kill_pcscd(request.pcscd)
        case "start_pcscd":
            await shelf.start_pcscd(request.pcscd)
    return {}
