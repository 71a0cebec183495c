"""When a chip is its handset's own: a donor's on the reader survives every swap of the handset.

A chip that is silent and there as the handset's NFC is switched off and on, in an order that was
drawn for this handset and this attempt, is in that handset and in none beside it.
"""

from __future__ import annotations

from typing import Final

from benchd.domain.chip import ChipVerdict
from benchd.proof.evidence.chip_evidence import READER, ChipEvidence, SwitchEvidence, TieEvidence
from benchd.proof.floors import LEAST_DRAWN_STEPS, LEAST_STEPS_OFF

THERE: Final = (ChipVerdict.UNUSED, ChipVerdict.IN_USE)


def shows_tie(check: ChipEvidence) -> bool:
    """Whether every step is on record, whatever the record says of itself."""
    tie = check.tie
    if tie is None or check.source != READER or not check.chip or tie.found_on is not True:
        return False
    return _follows(tie, check.chip)


def is_pattern(pattern: tuple[bool, ...]) -> bool:
    """Whether enough was drawn, silence is looked for twice, and it ends with NFC on."""
    return (
        len(pattern) > LEAST_DRAWN_STEPS and pattern.count(False) >= LEAST_STEPS_OFF and pattern[-1]
    )


def pattern_of(token: bytes) -> tuple[bool, ...]:
    """The steps that these drawn bytes say, and one on at the end; not every one may be used."""
    drawn = int.from_bytes(token, "big")
    return (*(bool(drawn >> bit & 1) for bit in range(LEAST_DRAWN_STEPS)), True)


def shows_step(step: SwitchEvidence, *, on: bool, chip: str) -> bool:
    """Whether handset and reader agree with what was to be at this step of a pattern."""
    looked = step.passes >= 1 and step.power_cycled
    return looked and (shows_chip(step, chip) if on else shows_silence(step))


def shows_silence(off: SwitchEvidence) -> bool:
    """Whether NFC was off, and nothing answered a field that had been off as well."""
    silent = off.seen is ChipVerdict.SILENT and off.chip is None
    return off.nfc_on is False and silent and off.power_cycled


def shows_chip(on: SwitchEvidence, chip: str) -> bool:
    """Whether NFC was on, and it was this chip that answered."""
    return on.nfc_on is True and on.seen in THERE and on.chip == chip


def tied_chip(check: ChipEvidence | None) -> str | None:
    """The chip that a job has tied to its handset."""
    if check is None or not check.tied or not shows_tie(check):
        return None
    return check.chip


def _follows(tie: TieEvidence, chip: str) -> bool:
    """Whether the drawn pattern was followed step by step, and no other slot's reader follows."""
    return (
        is_pattern(tie.pattern)
        and len(tie.steps) == len(tie.pattern)
        and all(
            shows_step(step, on=on, chip=chip)
            for step, on in zip(tie.steps, tie.pattern, strict=True)
        )
        and tie.heard_at is None
    )
