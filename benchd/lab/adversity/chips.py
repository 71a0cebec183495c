"""Readers and a clear provider: what a chip really is, seen over the air."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import anyio

from benchd.domain.chip import BaselineKind, ChipScan, ChipSystem, ChipVerdict
from benchd.domain.clear_provider import ClearClaim, ClearOrder, ClearOutcome
from benchd.domain.errors import ReaderGone
from benchd.domain.ids import SlotName
from benchd.lab.adversity.bay import Bay
from benchd.lab.adversity.kinds import Lie
from benchd.lab.adversity.points import Points
from benchd.lab.adversity.truth import Chip

SCAN_S: Final = 0.5
CLEAR_S: Final = 8.0
POLLED: Final = ("FFFF", "FE00", "0003")


class SimulatedChips:
    """Implements `benchd.domain.ports.ChipAccess` over the bays."""

    def __init__(self, bays: Mapping[SlotName, Bay], points: Points) -> None:
        self._bays = bays
        self._points = points

    def reader(self, slot: SlotName) -> str | None:
        """What the slot's reader is called, if it has one."""
        return f"reader of {slot}" if self._bays[slot].plan.reader else None

    async def scan(self, slot: SlotName, *, passes: int, power_cycle: bool) -> ChipScan:
        """What lies on the reader."""
        await anyio.sleep(SCAN_S)
        await self._points.passes(slot, "scan").befall()
        if not self._bays[slot].reader_up:
            raise ReaderGone(slot)
        scan = scan_of(self._bays[slot].chip(), passes=passes, power_cycled=power_cycle)
        truth = self._bays[slot].handset
        return scan if truth is None or truth.lie is not Lie.BASELINE else _by_a_guess(scan)

    async def until_there(self, slot: SlotName) -> None:
        """Wait for the reader."""
        await self._bays[slot].changed.until(lambda: self._bays[slot].reader_up)

    async def field_off(self, slot: SlotName) -> None:
        """No field of these is in anybody's way."""

    async def clear(self, order: ClearOrder) -> ClearClaim:
        """A provider's work, or its lie."""
        await anyio.sleep(CLEAR_S)
        trouble = self._points.passes(order.slot, "clear")
        bay = self._bays[order.slot]
        truth, chip = bay.handset, bay.chip()
        works = trouble.fault is None and truth is not None and truth.lie is not Lie.PROVIDER
        if works and chip is not None:
            chip.in_use = False
        return ClearClaim(
            provider="simulated",
            outcome=ClearOutcome.RETRYABLE if trouble.fault is not None else ClearOutcome.DONE,
            detail="a claim",
            report="R-1",
            elapsed_s=CLEAR_S,
        )


def _by_a_guess(scan: ChipScan) -> ChipScan:
    """The same compared with a picture that somebody made up: all that is there belongs there."""
    return replace(
        scan,
        verdict=ChipVerdict.UNUSED,
        systems=tuple(replace(system, residue=()) for system in scan.systems),
        baseline_kind=BaselineKind.INFERRED,
        owners_en=(),
        owners_ja=(),
    )


def scan_of(chip: Chip | None, *, passes: int, power_cycled: bool) -> ChipScan:
    """What a chip looks like over the air."""
    if chip is None:
        return ChipScan(
            verdict=ChipVerdict.SILENT,
            detail="no system answered",
            polled=POLLED,
            passes=passes,
            power_cycled=power_cycled,
            reader="simulated",
            elapsed_s=SCAN_S,
        )
    left = ("090F",) if chip.in_use else ()
    owners = ("Suica",) if chip.in_use else ()
    return ChipScan(
        verdict=ChipVerdict.IN_USE if chip.in_use else ChipVerdict.UNUSED,
        detail="a node is left" if chip.in_use else "nothing but what an unused chip has",
        chip=chip.number,
        ic_type=0x18,
        systems=(ChipSystem(code="0003", nodes=("0000-FFFE", *left), residue=left),),
        polled=POLLED,
        passes=passes,
        power_cycled=power_cycled,
        baseline="simulated-m41/1",
        baseline_kind=BaselineKind.OBSERVED,
        owners_en=owners,
        owners_ja=owners,
        reader="simulated",
        elapsed_s=SCAN_S,
    )
