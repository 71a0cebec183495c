"""When a chip is its handset's own: a donor's on the reader survives every swap of the handset.

A chip that falls silent as the handset is told to switch its NFC off, and is the same once it's on
again, is in that handset.
"""

from __future__ import annotations

from typing import Final

from benchd.proof.evidence.chip import READER, ChipEvidence, SwitchEvidence
from benchd.proof.floors import LEAST_PASSES
from benchd.words.chip import ChipVerdict

THERE: Final = (ChipVerdict.UNUSED, ChipVerdict.IN_USE)


def shows_tie(check: ChipEvidence) -> bool:
    """Whether every step is on record, whatever the record says of itself."""
    tie = check.tie
    if tie is None or check.source != READER or not check.chip:
        return False
    return (
        tie.found_on is True
        and tie.off is not None
        and shows_silence(tie.off)
        and tie.on is not None
        and shows_chip(tie.on, check.chip)
    )


def shows_silence(off: SwitchEvidence) -> bool:
    """Whether NFC was off, and nothing answered a field that had been off as well."""
    silent = off.seen is ChipVerdict.SILENT and off.chip is None
    return off.nfc_on is False and silent and off.passes >= LEAST_PASSES and off.power_cycled


def shows_chip(on: SwitchEvidence, chip: str) -> bool:
    """Whether NFC was on, and it was this chip that answered."""
    return on.nfc_on is True and on.seen in THERE and on.chip == chip


def tied_chip(check: ChipEvidence | None) -> str | None:
    """The chip that a job has tied to its handset."""
    if check is None or not check.tied or not shows_tie(check):
        return None
    return check.chip
