"""What changes anything is done by a person: the user of the process, else by PIN and badge."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from benchd.domain.errors import MoreToShow, NotAllowed, NotSignedIn, TriedTooOften
from benchd.domain.ids import JobId
from benchd.domain.job import Gate
from benchd.domain.people import PersonId, Role
from benchd.domain.record import EntryKind
from tests.cli.shop import Shop
from tests.people.people_rig import BADGE, BY, PIN, Door
from tests.web.web_fakes import JOB

pytestmark = pytest.mark.asyncio

Words = tuple[str, ...]
DECIDE = ("decide", JOB, "felica_check", "--approve")
LOT = ("lots", "add", "L-1", "purchase", "--consignor", "個人")
RETURNED = ("disposal", "settle", "job-1", "job-2", "--to", "returned", "--note", "持ち主")
MORI = ("--operator", "mori")
HERE = f"socket, uid {os.getuid()}"
each = pytest.mark.parametrize("words", [DECIDE, LOT, RETURNED], ids=lambda words: words[0])


@asynccontextmanager
async def asked(shop: Shop, gate: Gate = Gate.FELICA_CHECK) -> AsyncGenerator[Door]:
    """A daemon that asks something, and has two handsets to hand back."""
    for job in ("job-1", "job-2"):
        shop.rack.ledger.keep_job(job=JobId(job), disposition="return", reason="locked")
    async with shop.daemon(asks=gate) as door:
        yield door


def who(shop: Shop) -> list[tuple[str, str]]:
    """Who is on record for what was done, and what they have shown."""
    kinds = (EntryKind.DECISION, EntryKind.LOT_ADDED, EntryKind.HANDSET_SETTLED)
    told: list[Any] = [entry.data.get("by") or entry.data for entry in shop.kept(*kinds)]
    return [(one["person"], one["shown_by"]) for one in told]


def sources(shop: Shop) -> list[object]:
    return [entry.data["source"] for entry in shop.kept(EntryKind.DECISION)]


@each
async def test_nobody_in_particular_does_nothing(shop: Shop, words: Words) -> None:
    """Not even whoever owns the files, as the user of these tests does; and a name is no id."""
    async with asked(shop) as door:
        for more, typed in (
            ((), ""),
            (MORI, "551904\n"),
            (("--operator", "森 葵"), f"{PIN}\n"),
            (("--operator", "佐藤 健"), "730184\n"),
        ):
            refused = await shop.benchd(*words, *more, typed=typed)
            assert type(refused.exception) is NotSignedIn, more
        door.of_uid[os.getuid()] = PersonId("mori")
        await door.people.set_roles(BY, "mori", [Role.CONFIRMER, Role.AUDITOR])
        assert isinstance((await shop.benchd(*words)).exception, NotAllowed)
    assert who(shop) == []


async def test_who_has_tried_too_often_has_to_wait_even_with_the_right_pin(shop: Shop) -> None:
    async with asked(shop):
        for _ in range(3):
            await shop.benchd(*DECIDE, *MORI, typed="551904\n")
        paused = await shop.benchd(*DECIDE, *MORI, typed=f"{PIN}\n")
        assert isinstance(paused.exception, TriedTooOften)
    assert who(shop) == []


@each
async def test_the_user_of_the_machine_needs_no_pin(shop: Shop, words: Words) -> None:
    async with asked(shop) as door:
        door.of_uid[os.getuid()] = PersonId("mori")
        told = await shop.done(*words)
        assert words is not DECIDE or told.stdout == f"{JOB} felica_check: yes (森 葵)\n"
    assert who(shop) == [("mori", "unix")] * (2 if words is RETURNED else 1)
    assert sources(shop) == [HERE] * (words is DECIDE)


@pytest.mark.parametrize(
    ("gate", "person", "typed", "shown_by"),
    [
        (Gate.CHIP_SEEN_BEFORE, "sato", "730184\n", "pin"),
        (Gate.FELICA_CHECK, "mori", f"{PIN}\n{BADGE}\n", "badge_and_pin"),
    ],
    ids=["another id than the user's", "pin, then badge where there is one"],
)
async def test_who_is_named_is_asked_for_what_they_have(
    shop: Shop, gate: Gate, person: str, typed: str, shown_by: str
) -> None:
    async with asked(shop, gate) as door:
        door.of_uid[os.getuid()] = PersonId("mori" if person == "sato" else "kato")
        told = await shop.done("decide", JOB, gate, "--approve", "--operator", person, typed=typed)
        assert "730184" not in told.output
        assert door.sessions._open == {}
    assert (who(shop), sources(shop)) == ([(person, shown_by)], [HERE])


@each
async def test_pin_and_badge_from_files_for_scripts(shop: Shop, words: Words) -> None:
    pin, badge = shop.secrets()
    async with asked(shop) as door:
        alone = await shop.benchd(*words, *MORI, *pin)
        assert isinstance(alone.exception, MoreToShow)
        await shop.done(*words, *MORI, *pin, *badge)
        assert door.sessions._open == {}
    assert who(shop) == [("mori", "badge_and_pin")] * (2 if words is RETURNED else 1)
    assert sources(shop) == [HERE] * (words is DECIDE)


async def test_an_operator_does_not_release(shop: Shop) -> None:
    released = ("disposal", "settle", "job-1", "--to", "rerun_due", "--note", "もう一度")
    async with asked(shop) as door:
        door.of_uid[os.getuid()] = PersonId("mori")
        assert isinstance((await shop.benchd(*released)).exception, NotAllowed)
        await door.people.set_roles(BY, "mori", [Role.SUPERVISOR])
        await shop.done(*released)
    assert len(who(shop)) == 1
