"""Asks the handset over adb why its chip is silent. Whatever it says, silence stays silence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchd.pipelines.contract import JobContext
from benchd.words.handset import NfcFacts, SilenceCause
from benchd.words.ids import JsonValue

SAID: Final[Mapping[SilenceCause, str]] = {
    SilenceCause.NFC_OFF: "NFC is off on this handset",
    SilenceCause.SCREEN_OFF: "its screen is off",
    SilenceCause.SCREEN_LOCKED: "its screen is locked",
    SilenceCause.UNKNOWN: "the handset doesn't say why",
}
_UNKNOWN: Final = NfcFacts(nfc_on=None, screen_on=None, unlocked=None)


async def causes_of_silence(context: JobContext) -> tuple[SilenceCause, ...]:
    """What the handset says; also puts it into what the attempt has seen.

    UNKNOWN in a recipe without adb. Raises what a handset over adb does.
    """
    handset = context.open_handset
    facts = _UNKNOWN if handset is None else await handset.nfc_facts()
    causes = facts.causes()
    told: dict[str, JsonValue] = {
        "nfc_on": facts.nfc_on,
        "screen_on": facts.screen_on,
        "screen_unlocked": facts.unlocked,
        "silence_causes": list(causes),
    }
    context.seen = {**context.seen, "handset_says": told}
    return causes


def in_words(causes: tuple[SilenceCause, ...]) -> str:
    """For the detail of a job's end."""
    return ", ".join(SAID[cause] for cause in causes)
