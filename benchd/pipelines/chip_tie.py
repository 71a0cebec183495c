"""Whether the chip on the reader is the handset's own: there and silent as its NFC is switched.

In which order is drawn for each handset and attempt: a handset beside it whose NFC is switched at
the same moments, under readers that were exchanged, follows another order.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Final

import anyio

from benchd.domain.chip import ChipScan, ChipVerdict
from benchd.domain.errors import LONGEST_DETAIL, AnswerNotRecognised, HandsetFault, StageFailed
from benchd.domain.job import Reason
from benchd.pipelines.ports import Handset
from benchd.pipelines.stage_contract import JobContext
from benchd.pipelines.swapped_readers import drawn_pattern, slot_that_hears
from benchd.proof.chip_ownership import shows_step, shows_tie
from benchd.proof.evidence.chip_evidence import ChipEvidence, SwitchEvidence, TieEvidence

SAYS_WITHIN_S: Final = 10.0
"""A controller takes one to three seconds to go off or on."""
LOOKS_WHILE_OFF: Final = 2
"""A chip that still answers then doesn't hang on the controller: more of it shows no more."""
LOOKS_ONCE_ON: Final = 5
LOOK_EVERY_S: Final = 1.0
PUT_BACK_WITHIN_S: Final = 10.0
LONGEST_S: Final = 90.0
MOST_PATTERNS: Final = 3
"""A rival that could have done the same by chance is told apart by the next one."""


async def tie_to_handset(context: JobContext, seen: ChipEvidence) -> ChipEvidence:
    """The same with each step on record; what can't be tied is no failure.

    Without it a person reads the handset's own screen after the last reset. StageFailed where
    another slot's reader is seen to hear this handset: the readers are exchanged.
    """
    handset = context.open_handset
    if handset is None or not context.certifies or seen.chip is None:
        return seen
    tie = await _Tying(context, handset, seen).run()
    context.seen = tried = replace(seen, tie=tie)
    if tie.heard_at is not None:
        raise StageFailed(
            Reason.FELICA_INCONSISTENT,
            f"the readers may be exchanged: that of slot {tie.heard_at} hears this handset,"
            f" and that of slot {context.slot} hears another chip",
        )
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

    def __init__(self, context: JobContext, handset: Handset, seen: ChipEvidence) -> None:
        self._context = context
        self._handset = handset
        self._seen = seen
        self._chip = seen.chip or ""
        self._tie = TieEvidence()
        self._on = True
        """What was last asked for."""
        self._says: bool | None = None
        """What it has said to that."""
        self._looked_s: list[tuple[float, float]] = []
        """From when to when each step's last look took."""

    async def run(self) -> TieEvidence:
        """Each step that could be taken."""
        try:
            with anyio.move_on_after(LONGEST_S) as within:
                await self._steps()
            if within.cancelled_caught:
                self._note(detail="it took too long")
        except (HandsetFault, StageFailed) as fault:
            self._note(detail=str(fault)[:LONGEST_DETAIL])
        finally:
            if self._tie.put_back is False:
                await self._put_back()
        return self._tie

    def _note(self, **told: object) -> None:
        """Keep what is known by now: on record even if the attempt has no result."""
        self._tie = replace(self._tie, **told)  # pyright: ignore[reportArgumentType]
        self._context.seen = replace(self._seen, tie=self._tie)

    async def _steps(self) -> None:
        found_on = (await self._handset.nfc_facts()).nfc_on
        self._note(found_on=found_on)
        if found_on is not True:
            return
        for _ in range(MOST_PATTERNS):
            self._looked_s.clear()
            self._note(pattern=drawn_pattern(self._context.entropy), steps=())
            if not await self._follow():
                return
            if not self._rivals():
                return
        self._note(steps=(), detail="another handset's NFC was switched at the same moments")

    async def _follow(self) -> bool:
        """Whether handset and reader have followed the pattern; if the reader didn't, who does."""
        for wanted in self._tie.pattern:
            step = await self._step(on=wanted)
            self._note(steps=(*self._tie.steps, step))
            if shows_step(step, on=wanted, chip=self._chip):
                continue
            if step.nfc_on is wanted and step.seen is not None:
                self._note(heard_at=await slot_that_hears(self._context, self._switched))
            return False
        return True

    async def _step(self, *, on: bool) -> SwitchEvidence:
        """What it says and what the reader sees, as soon as both are as they should be."""
        settles = on is not self._on
        if not await self._switched(on=on):
            return SwitchEvidence(nfc_on=self._says)
        told = SwitchEvidence(nfc_on=on)
        # The NFC that was so before has nothing to settle: it's as it should be at once.
        tries = LOOKS_ONCE_ON if on and settles else LOOKS_WHILE_OFF
        for left in reversed(range(tries)):
            began_s = anyio.current_time()
            told = told.with_scan(await self._look())
            self._looked_s = [
                *self._looked_s[: len(self._tie.steps)],
                (began_s, anyio.current_time()),
            ]
            if shows_step(told, on=on, chip=self._chip):
                return told
            if left:
                await anyio.sleep(LOOK_EVERY_S)
        # Somebody may have switched it by hand, or it did so by itself: no contradiction then.
        return replace(told, nfc_on=(await self._handset.nfc_facts()).nfc_on)

    async def _switched(self, *, on: bool) -> bool:
        """Whether it says that its NFC is as wanted."""
        if on is not self._on:
            self._switches(on=None)
            if not on:
                self._note(put_back=False)
            self._on = on
            await self._handset.switch_nfc(on=on)
        self._says = await _says(self._handset, wanted=on)
        if self._says is on:
            self._switches(on=on)
            if on and self._tie.put_back is False:
                self._note(put_back=True)
        return self._says is on

    def _switches(self, *, on: bool | None) -> None:
        self._context.readers.switched(self._context.slot, anyio.current_time(), on=on)

    def _rivals(self) -> bool:
        """Whether another slot's handset was switched so that it could have been the one seen."""
        readers = self._context.readers
        looks = list(zip(self._looked_s, self._tie.pattern, strict=True))
        return any(
            all(readers.surely(slot, *when) in (on, None) for when, on in looks)
            for slot in readers.others(self._context.slot)
        )

    async def _look(self) -> ChipScan:
        return await self._context.chips.scan(self._context.slot, passes=1, power_cycle=True)

    async def _put_back(self) -> None:
        """An unplug or a stop doesn't leave it switched off either, as far as adb reaches."""
        self._switches(on=None)
        with (
            anyio.move_on_after(PUT_BACK_WITHIN_S, shield=True),
            suppress(HandsetFault, StageFailed),
        ):
            await self._handset.switch_nfc(on=True)
            self._tie = replace(self._tie, put_back=await _says(self._handset, wanted=True) is True)
            self._switches(on=True)


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
