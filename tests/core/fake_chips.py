"""A fake chips: what each chip really is, what is said of it, and readers that fail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import anyio

from benchd.domain.chip import BaselineKind, ChipScan, ChipSystem, ChipVerdict
from benchd.domain.clear_provider import ClearClaim, ClearOrder, ClearOutcome
from benchd.domain.errors import ReaderFault, ReaderGone
from benchd.domain.ids import SlotName
from benchd.domain.job import Gate, StageName
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.wakeup import Wakeup
from benchd.pipelines.recipe import Recipe

from .world import Phone, Port, World

CHECK, CLEAR, RECHECK = (
    StageName.FELICA_CHECK,
    StageName.FELICA_CLEAR,
    StageName.FELICA_RECHECK,
)
CHIP = "c0ffee00" * 8
OTHER_CHIP = "badbadba" * 8
ROOT_ONLY = (ChipSystem(code="FE00", nodes=("0000-FFFE",), residue=()),)
SUICA_LEFT = (ChipSystem(code="0003", nodes=("0000-FFFE", "090F"), residue=("090F",)),)

UNUSED = ChipScan(
    verdict=ChipVerdict.UNUSED,
    detail="nothing but what an unused chip has",
    chip=CHIP,
    ic_type=0x18,
    systems=ROOT_ONLY,
    polled=("FFFF", "FE00", "0003"),
    baseline="fake-m41/1",
    baseline_kind=BaselineKind.OBSERVED,
    reader="Fake Reader",
)
IN_USE = replace(
    UNUSED,
    verdict=ChipVerdict.IN_USE,
    detail="1 node is left",
    systems=SUICA_LEFT,
    owners_en=("Suica",),
    owners_ja=("Suica",),
)
SILENT = ChipScan(
    verdict=ChipVerdict.SILENT,
    detail="no system answered",
    polled=("FFFF", "FE00", "0003"),
    reader="Fake Reader",
)


def scan_of(verdict: ChipVerdict, **changes: object) -> ChipScan:
    """A scan with this verdict as a chips gives it."""
    of = {ChipVerdict.UNUSED: UNUSED, ChipVerdict.IN_USE: IN_USE, ChipVerdict.SILENT: SILENT}
    like = of.get(verdict) or replace(UNUSED, verdict=verdict, detail=f"it is {verdict}")
    return replace(like, **changes)  # type: ignore[arg-type]


Step = ChipScan | Exception


@dataclass(slots=True)
class FakeChip:
    """What lies on one slot's reader."""

    looks: ChipScan = UNUSED
    """What a scan shows now."""
    once: list[Step] = field(default_factory=list[Step])
    """What the next scans show or raise instead, in order."""
    after_clear: ChipScan | None = UNUSED
    """What it looks like once a provider has worked on it; None: the clear does nothing."""
    claims: list[ClearOutcome] = field(default_factory=list[ClearOutcome])
    """What the provider says, in order; then DONE."""
    of: Phone | None = None
    """The handset that it's in, behind its NFC controller; None for a card on the reader."""
    goes_with: Port | None = None
    """It is carried away with whatever is unplugged there."""
    disobeys: bool = False
    """The chips says truly that it looked once, with the field on, whatever it was asked."""


class FakeChipAccess:
    """A fake of benchd.domain.ports.ChipAccess for slots that have a reader each."""

    def __init__(self, chips: dict[str, FakeChip]) -> None:
        self.chips = chips
        self.scans: list[tuple[SlotName, int, bool]] = []
        self.orders: list[ClearOrder] = []
        self.fields_off: list[SlotName] = []
        self.field_stays_on = False
        self.gone: set[SlotName] = set()
        self._changed = Wakeup()

    def reader(self, slot: SlotName) -> str | None:
        return f"reader of {slot}" if slot in self.chips else None

    async def scan(self, slot: SlotName, *, passes: int, power_cycle: bool) -> ChipScan:
        await anyio.sleep(0.5)
        self.scans.append((slot, passes, power_cycle))
        if slot in self.gone:
            raise ReaderGone(slot)
        chip = self.chips[slot]
        off = chip.of is not None and chip.of.nfc_on is False
        if off or (chip.goes_with is not None and not chip.goes_with.attached):
            return replace(SILENT, passes=passes, power_cycled=power_cycle)
        step = chip.once.pop(0) if chip.once else chip.looks
        if isinstance(step, Exception):
            raise step
        if chip.disobeys:
            return replace(step, passes=1, power_cycled=False, elapsed_s=0.5)
        return replace(step, passes=passes, power_cycled=power_cycle, elapsed_s=0.5)

    async def until_there(self, slot: SlotName) -> None:
        await self._changed.until(lambda: slot not in self.gone)

    def unplug_reader(self, slot: str) -> None:
        self.gone.add(SlotName(slot))

    def plug_reader(self, slot: str) -> None:
        self.gone.discard(SlotName(slot))
        self._changed.fire()

    async def field_off(self, slot: SlotName) -> None:
        self.fields_off.append(slot)
        if self.field_stays_on:
            raise ReaderFault("it hums on")

    async def clear(self, order: ClearOrder) -> ClearClaim:
        await anyio.sleep(1)
        self.orders.append(order)
        chip = self.chips[order.slot]
        outcome = chip.claims.pop(0) if chip.claims else ClearOutcome.DONE
        if outcome is ClearOutcome.DONE and chip.after_clear is not None:
            chip.looks = chip.after_clear
        return ClearClaim(
            provider="fake",
            outcome=outcome,
            detail=f"it says {outcome}",
            report="R-1",
            elapsed_s=1.0,
        )


def world_with(
    chip: FakeChip,
    answers: Mapping[Gate, bool] | None = None,
    *,
    slots: int = 1,
    models: ModelCatalogue | None = None,
    recipe: Recipe | None = None,
) -> tuple[World, FakeChipAccess]:
    """A rack whose first slot has this chip on its reader; the others have good ones."""
    chips = {f"A{n}": FakeChip() for n in range(1, slots + 1)} | {"A1": chip}
    access = FakeChipAccess(chips)
    return World(slots, chips=access, answers=answers, models=models, recipe=recipe), access
