"""Reads who a handset is and what state it is in, from a few shell calls."""

from __future__ import annotations

from typing import Final

import anyio

from benchd.android.facts import questions
from benchd.android.facts.answers import Answers
from benchd.android.facts.questions import QUESTIONS
from benchd.android.facts.reading import Reading
from benchd.android.facts.reset_reading import ResetReading
from benchd.android.shell.commands import Shell
from benchd.android.shell.script import Answer, run_script
from benchd.errors import AnswerNotRecognised, StorageContradicts, UnsupportedHandset
from benchd.words.handset import (
    BatteryFacts,
    HandsetFacts,
    HandsetIdentity,
    NfcFacts,
    ResetFacts,
    StorageFacts,
)

OLDEST_SDK: Final = 26
"""Android 8: what older ones answer, benchd doesn't know."""
LOOKS_AT_STORAGE: Final = 6
STORAGE_LOOK_EVERY_S: Final = 2.0
SCRIPT_DEADLINE_S: Final = 60.0
"""Each of Android's own tools starts a virtual machine: a slow handset takes seconds for one."""


async def read_identity(shell: Shell) -> HandsetIdentity:
    """Who the handset says it is."""
    return (await _read(shell, questions.IDENTITY)).identity


async def read_storage_facts(shell: Shell) -> StorageFacts:
    """The user storage as it is now."""
    return (await _read(shell, questions.STORAGE)).storage


async def read_storage_twice(shell: Shell) -> StorageFacts:
    """The same of a handset at rest, by two programs.

    Raises StorageContradicts where they tell two sizes.
    """
    told = await ask(shell, *questions.STORAGE_TWICE)
    await _come_to_rest(shell, told)
    return Reading(Answers(told)).storage


async def read_facts(shell: Shell, told: dict[str, Answer] | None = None) -> HandsetFacts:
    """All that the gates and the certificate need to know; `told` gets each answer at once."""
    told = {} if told is None else told
    told |= await ask(shell, *questions.IDENTITY, *questions.STORAGE_TWICE)
    _refuse_too_old(Reading(Answers(told)))
    await _come_to_rest(shell, told)
    told |= await ask(shell, *questions.OWNERS, *questions.STATE)
    told |= await ask(shell, *questions.PARTS)
    return Reading(Answers(told)).handset_facts


async def read_battery_facts(shell: Shell) -> BatteryFacts:
    """How full and how warm the battery is now."""
    return (await _read(shell, questions.BATTERY)).battery


async def read_nfc_facts(shell: Shell) -> NfcFacts:
    """What the handset says of its radio."""
    return (await _read(shell, questions.NFC)).nfc


async def read_reset_facts(shell: Shell, told: dict[str, Answer] | None = None) -> ResetFacts:
    """The facts that only a reset changes, read afresh; `told` gets each answer at once.

    Nothing that was told before counts, which the same `told` may hold.
    """
    told = {} if told is None else told
    heard: dict[str, Answer] = {}
    for names in (
        ("properties", *questions.STORAGE),
        (*questions.OWNERS, *questions.RESET),
        questions.LEFT,
    ):
        heard |= await ask(shell, *names)
        told |= heard
    return ResetReading(Answers(heard)).reset_facts


async def ask(shell: Shell, *names: str) -> dict[str, Answer]:
    """Put these questions in one call."""
    commands = {name: QUESTIONS[name] for name in names}
    return await run_script(shell, commands, deadline_s=SCRIPT_DEADLINE_S)


async def _come_to_rest(shell: Shell, told: dict[str, Answer]) -> None:
    """Ask both programs for the storage again while they contradict each other.

    What a deleted file has held comes free by and by, and the two look one after the other.
    """
    for _ in range(LOOKS_AT_STORAGE):
        try:
            _ = Reading(Answers(told)).storage
        except StorageContradicts:
            await anyio.sleep(STORAGE_LOOK_EVERY_S)
            told |= await ask(shell, *questions.STORAGE_TWICE)
        except AnswerNotRecognised:
            return  # told by whoever goes by it
        else:
            return


async def _read(shell: Shell, names: tuple[str, ...]) -> Reading:
    return Reading(Answers(await ask(shell, *names)))


def _refuse_too_old(reading: Reading) -> None:
    if reading.sdk < OLDEST_SDK:
        raise UnsupportedHandset(
            f"{reading.model} with Android {reading.android}: Android 8 is the oldest known"
        )
