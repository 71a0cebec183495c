"""Whether the chip on the reader is the handset's own: its NFC off, silence; on, the same chip."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Final

import anyio

from benchd.errors import LONGEST_DETAIL, AnswerNotRecognised, HandsetFault, StageFailed
from benchd.pipelines.contract import JobContext
from benchd.ports import Handset
from benchd.proof.evidence.chip import ChipEvidence, SwitchEvidence, TieEvidence
from benchd.proof.floors import LEAST_PASSES
from benchd.proof.tie import shows_chip, shows_silence, shows_tie
from benchd.words.chip import ChipScan, ChipVerdict

SAYS_WITHIN_S: Final = 10.0
"""A controller takes one to three seconds to go off or on."""
LOOKS_WHILE_OFF: Final = 2
"""A chip that still answers then doesn't hang on the controller: more of it shows no more."""
LOOKS_ONCE_ON: Final = 5
LOOK_EVERY_S: Final = 1.0
PUT_BACK_WITHIN_S: Final = 10.0
LONGEST_S: Final = 90.0


async def tie_to_handset(context: JobContext, seen: ChipEvidence) -> ChipEvidence:
    """The same with each step on record; what can't be tied is no failure.

    Without it a person reads the handset's own screen after the last reset.
    """
    handset = context.open_handset
    if handset is None or not context.certifies or seen.chip is None:
        return seen
    tried = replace(seen, tie=await _Tying(context, handset, seen.chip).run())
    return replace(tried, tied=shows_tie(tried))


async def look_once_on(
    context: JobContext, silent: ChipScan, *, passes: int
) -> tuple[ChipScan, SwitchEvidence | None]:
    """The same silence, unless NFC was off and a chip answers now that it's on; with the switch.

    A try that was broken off may have left it off, for up to a minute. Whoever looks next
    can't know of it, and mustn't take the silence for a chip's. Raises what a handset over adb
    does: whether its NFC is on has to be known before silence counts.
    """
    handset = context.open_handset
    if handset is None or not context.certifies:
        return silent, None
    told = await _switched_back_on(handset)
    scan = silent
    if told is not None and told.nfc_on is True:
        for _ in range(LOOKS_ONCE_ON):
            scan = await context.chips.scan(context.slot, passes=passes, power_cycle=True)
            told = told.with_scan(scan)
            if scan.verdict is not ChipVerdict.SILENT:
                break
            await anyio.sleep(LOOK_EVERY_S)
    return scan, told


async def _switched_back_on(handset: Handset) -> SwitchEvidence | None:
    """What it says once it was told to switch NFC on; None where it wasn't found off."""
    with anyio.move_on_after(LONGEST_S), suppress(AnswerNotRecognised):
        if (await handset.nfc_facts()).nfc_on is not False:
            return None
        await handset.switch_nfc(on=True)
        return SwitchEvidence(nfc_on=await _says(handset, wanted=True))
    return SwitchEvidence(nfc_on=None)


class _Tying:
    """One try with one handset, whose NFC is put back whatever happens."""

    def __init__(self, context: JobContext, handset: Handset, chip: str) -> None:
        self._context = context
        self._handset = handset
        self._chip = chip
        self._tie = TieEvidence()

    async def run(self) -> TieEvidence:
        """Each step that could be taken."""
        try:
            with anyio.move_on_after(LONGEST_S) as within:
                await self._steps()
            if within.cancelled_caught:
                self._tie = replace(self._tie, detail="it took too long")
        except (HandsetFault, StageFailed) as fault:
            self._tie = replace(self._tie, detail=str(fault)[:LONGEST_DETAIL])
        finally:
            if self._tie.put_back is False:
                await self._put_back()
        return self._tie

    async def _steps(self) -> None:
        found_on = (await self._handset.nfc_facts()).nfc_on
        self._tie = replace(self._tie, found_on=found_on)
        if found_on is not True:
            return
        self._tie = replace(self._tie, put_back=False)
        off = await self._switched(on=False)
        self._tie = replace(self._tie, off=off)
        if off.nfc_on is not False:
            return
        on = await self._switched(on=True)
        self._tie = replace(self._tie, on=on, put_back=on.nfc_on is True)

    async def _switched(self, *, on: bool) -> SwitchEvidence:
        """What it says and what the reader sees, as soon as both are as they should be."""
        await self._handset.switch_nfc(on=on)
        told = SwitchEvidence(nfc_on=await _says(self._handset, wanted=on))
        if told.nfc_on is not on:
            return told
        for _ in range(LOOKS_ONCE_ON if on else LOOKS_WHILE_OFF):
            told = told.with_scan(await self._look())
            if self._shows(told, on=on):
                break
            await anyio.sleep(LOOK_EVERY_S)
        return told

    async def _look(self) -> ChipScan:
        slot = self._context.slot
        return await self._context.chips.scan(slot, passes=LEAST_PASSES, power_cycle=True)

    def _shows(self, told: SwitchEvidence, *, on: bool) -> bool:
        return shows_chip(told, self._chip) if on else shows_silence(told)

    async def _put_back(self) -> None:
        """An unplug or a stop doesn't leave it switched off either, as far as adb reaches."""
        with (
            anyio.move_on_after(PUT_BACK_WITHIN_S, shield=True),
            suppress(HandsetFault, StageFailed),
        ):
            await self._handset.switch_nfc(on=True)
            self._tie = replace(self._tie, put_back=await _says(self._handset, wanted=True) is True)


async def _says(handset: Handset, *, wanted: bool) -> bool | None:
    """What it says of its NFC in the end."""
    says: bool | None = None
    with anyio.move_on_after(SAYS_WITHIN_S):
        while True:
            says = (await handset.nfc_facts()).nfc_on
            if says is wanted:
                break
            await anyio.sleep(LOOK_EVERY_S)
    return says
