"""Reads who a handset is and what state it is in, from a few shell calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

import anyio

from benchd.devices.android.facts import fact_table
from benchd.devices.android.facts.answers import Answers
from benchd.devices.android.facts.fact_table import QUESTIONS, Reading
from benchd.devices.android.shell.commands import Shell
from benchd.devices.android.shell.parsing_thread import read_beside
from benchd.devices.android.shell.script import Answer, run_script
from benchd.domain.errors import AnswerNotRecognised, StorageContradicts, UnsupportedHandset
from benchd.domain.handset import (
    BatteryFacts,
    HandsetFacts,
    HandsetIdentity,
    NfcFacts,
    ResetFacts,
    StandingFacts,
    StorageFacts,
    facts_of,
)

T = TypeVar("T")

OLDEST_SDK: Final = 26
"""Android 8: what older ones answer, benchd doesn't know."""
LOOKS_AT_STORAGE: Final = 6
STORAGE_LOOK_EVERY_S: Final = 2.0
SCRIPT_DEADLINE_S: Final = 60.0
"""Each of Android's own tools starts a virtual machine: a slow handset takes seconds for one."""


async def read_identity(shell: Shell) -> HandsetIdentity:
    """Who the handset says it is."""
    return await _read(
        shell, fact_table.IDENTITY, lambda reading: facts_of(HandsetIdentity, reading)
    )


async def read_storage_facts(shell: Shell) -> StorageFacts:
    """The user storage as it is now."""
    return await _read(shell, fact_table.STORAGE, _storage)


async def read_storage_twice(shell: Shell) -> StorageFacts:
    """The same of a handset at rest, by two programs.

    Raises StorageContradicts where they tell two sizes.
    """
    told = await ask(shell, *fact_table.STORAGE_TWICE)
    await _come_to_rest(shell, told)
    return await _made_of(told, _storage)


async def read_facts(shell: Shell, told: dict[str, Answer] | None = None) -> HandsetFacts:
    """All that the gates and the certificate need to know; `told` gets each answer at once."""
    told = {} if told is None else told
    told |= await ask(shell, *fact_table.IDENTITY, *fact_table.STORAGE_TWICE)
    await _made_of(told, _refuse_too_old)
    await _come_to_rest(shell, told)
    told |= await ask(shell, *fact_table.OWNERS, *fact_table.STATE)
    told |= await ask(shell, *fact_table.PARTS)
    return await _made_of(told, lambda reading: reading.inspected)


async def read_standing(shell: Shell, told: dict[str, Answer] | None = None) -> StandingFacts:
    """Who it is and what the gates refuse by, read afresh; `told` gets each answer at once."""
    told = {} if told is None else told
    heard: dict[str, Answer] = {}
    for names in (fact_table.IDENTITY, fact_table.STANDING):
        heard |= await ask(shell, *names)
        told |= heard
    return await _made_of(heard, lambda reading: facts_of(StandingFacts, reading))


async def read_sim(shell: Shell) -> bool | None:
    """Whether a SIM is in it now."""
    return await _read(shell, fact_table.SIM, lambda reading: reading.sim)


async def read_battery_facts(shell: Shell) -> BatteryFacts:
    """How full and how warm the battery is now."""
    return await _read(shell, fact_table.BATTERY, lambda reading: reading.battery)


async def read_nfc_facts(shell: Shell) -> NfcFacts:
    """What the handset says of its radio."""
    return await _read(shell, fact_table.NFC, lambda reading: reading.nfc)


async def read_reset_facts(shell: Shell, told: dict[str, Answer] | None = None) -> ResetFacts:
    """The facts that only a reset changes, read afresh; `told` gets each answer at once.

    Nothing that was told before counts, which the same `told` may hold.
    """
    told = {} if told is None else told
    heard: dict[str, Answer] = {}
    for names in (
        ("properties", *fact_table.STORAGE),
        (*fact_table.OWNERS, *fact_table.RESET),
        fact_table.LEFT,
    ):
        heard |= await ask(shell, *names)
        told |= heard
    return await _made_of(heard, lambda reading: facts_of(ResetFacts, reading))


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
            _ = await _made_of(told, _storage)
        except StorageContradicts:
            await anyio.sleep(STORAGE_LOOK_EVERY_S)
            told |= await ask(shell, *fact_table.STORAGE_TWICE)
        except AnswerNotRecognised:
            return  # told by whoever goes by it
        else:
            return


async def _read(shell: Shell, names: tuple[str, ...], make: Callable[[Reading], T]) -> T:
    return await _made_of(await ask(shell, *names), make)


async def _made_of(told: Mapping[str, Answer], make: Callable[[Reading], T]) -> T:
    return await read_beside(_size(told), lambda: make(Reading(Answers(told))))


def _size(told: Mapping[str, Answer]) -> int:
    return sum(len(answer.text) for answer in told.values())


def _storage(reading: Reading) -> StorageFacts:
    return reading.storage


def _refuse_too_old(reading: Reading) -> None:
    if reading.sdk < OLDEST_SDK:
        raise UnsupportedHandset(
            f"{reading.model} with Android {reading.android}: Android 8 is the oldest known"
        )
