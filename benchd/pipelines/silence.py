"""Asks the handset over adb why its chip is silent. Whatever it says, silence stays silence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchd.pipelines.contract import JobContext
from benchd.proof.evidence.chip import SilenceEvidence
from benchd.words.handset import NfcFacts, SilenceCause

SAID: Final[Mapping[SilenceCause, str]] = {
    SilenceCause.NFC_OFF: "NFC is off on this handset",
    SilenceCause.SCREEN_OFF: "its screen is off",
    SilenceCause.SCREEN_LOCKED: "its screen is locked",
    SilenceCause.UNKNOWN: "the handset doesn't say why",
}
_UNKNOWN: Final = NfcFacts(nfc_on=None, screen_on=None, unlocked=None)


async def handset_says(context: JobContext) -> SilenceEvidence:
    """What the handset says of its radio; unknown in a recipe without adb.

    Raises what a handset over adb does.
    """
    handset = context.open_handset
    return SilenceEvidence.of(_UNKNOWN if handset is None else await handset.nfc_facts())


def in_words(causes: tuple[SilenceCause, ...]) -> str:
    """For the detail of a job's end."""
    return ", ".join(SAID[cause] for cause in causes)
