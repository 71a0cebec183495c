"""A day at the door in simulated time: people at four screens, slips, and somebody who guesses.

`python -m tests.people.shift_of_tries` prints it for each kind of guessing; `--one-source` plays a
proxy that doesn't say from whom a request comes.
"""

from __future__ import annotations

import random
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from heapq import merge
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio

from benchd.domain.errors import NotSignedIn, TriedTooOften
from benchd.domain.people import Person, Role
from benchd.domain.record import Entry, Receipt
from benchd.people.authentication import Authentication
from benchd.people.login_throttle import Tries
from benchd.people.refused_tries import Refusals

from .people_rig import BY, Door, door_in

SHIFT_S = 8 * 3600
DAY_S = 24 * 3600
SIGN_IN_EACH_S = 720
WITH_BADGE = tuple(f"p{number:02}" for number in range(12))
WITH_PIN_ALONE = ("q0", "q1")
SCREENS = tuple(f"192.0.2.{number}" for number in range(11, 15))
ELSEWHERE = "192.0.2.99"
WRONG_PIN, WRONG_SCAN = 0.05, 0.03
"""How many of all sign-ins begin with a slip of the fingers, or with a handset's label."""

Shown = tuple[str | None, str | None, str | None]
Event = tuple[float, str, str, Shown, bool]
"""When, what it is, from where, what is shown, whether it is right."""


def badge_of(person: str) -> str:
    return f"B-77{person}"


def pin_of(person: str) -> str:
    return f"4{ord(person[0])}{person[1:]:0>2}71"


def _guesses(kind: str) -> Iterator[Shown]:
    draw = random.Random(2)
    for number in count():
        pin = f"{number % 1_000_000:06}"
        match kind:
            case "ids and PINs":
                yield (None, draw.choice((*WITH_BADGE, *WITH_PIN_ALONE)), pin)
            case "badges":
                yield (f"B-00{number:08}", None, None)
            case "badges with PINs":
                yield (f"B-00{number:08}", None, pin)
            case _:
                yield (badge_of(WITH_BADGE[0]), None, pin)


def _attack(kind: str, source: str, each_s: float) -> Iterator[Event]:
    for number, shown in enumerate(_guesses(kind)):
        at = number * each_s
        if at >= DAY_S:
            return
        yield at, "guess", source, shown, False


def _shift(draw: random.Random) -> list[Event]:
    events: list[Event] = []
    for person in (*WITH_BADGE, *WITH_PIN_ALONE):
        at = draw.uniform(0, SIGN_IN_EACH_S)
        while at < SHIFT_S:
            source, pin = draw.choice(SCREENS), pin_of(person)
            if person in WITH_PIN_ALONE:
                kind, right = "PIN alone", (None, person, pin)
            elif draw.random() < 0.3:
                kind, right = "badge alone", (badge_of(person), None, None)
            else:
                kind, right = "badge and PIN", (badge_of(person), None, pin)
            slip = draw.random()
            if right[2] is not None and slip < WRONG_PIN:
                events.append((at, kind, source, (right[0], right[1], pin[::-1]), False))
            elif right[0] is not None and slip > 1 - WRONG_SCAN:
                label = f"35{draw.randrange(10**13):013}"
                events.append((at, kind, source, (label, None, None), False))
            events.append((at + 8, kind, source, right, True))
            at += draw.expovariate(1 / SIGN_IN_EACH_S)
    return sorted(events)


@dataclass(slots=True)
class Day:
    """What came of it."""

    right: Counter[str] = field(default_factory=Counter[str])
    """Tries of people that were right, by how they showed themselves."""
    refused: Counter[str] = field(default_factory=Counter[str])
    """How many of those were refused."""
    robbed: int = 0
    """How many of these were of the person whose badge the attacker may have."""
    guesses: int = 0
    """How many of the attacker's could have been right: they were looked at."""
    behind_a_badge: int = 0
    """How many of those were compared with the PIN of somebody whose badge was shown."""


async def play(
    door: Door,
    attack: str | None = None,
    *,
    source: str = ELSEWHERE,
    each_s: float = 1.0,
    one_source: bool = False,
    seed: int = 1,
) -> Day:
    """The day of one attack; without one, the shift alone."""
    day, compared = Day(), Counter[bool]()
    compare = door.people.is_pin

    async def counted(person: Person | None, pin: str, *, patiently: bool = False) -> bool:
        # Counted is how often, whoever else wants the processor of these thousands.
        del patiently
        compared[person is not None] += 1
        return await compare(person, pin)

    door.people.is_pin = counted  # type: ignore[method-assign]
    await _hire(door)
    # Without a disk: what is on record of it, other tests see.
    refusals = Refusals(forget, door.clock, door.seconds)
    showing = Authentication(door.people, Tries(door.seconds), refusals, door.seconds)
    began = door.seconds.s
    guesses = () if attack is None else _attack(attack, source, each_s)
    for at, kind, place, (badge, person, pin), right in merge(
        _shift(random.Random(seed)), guesses, key=lambda event: event[0]
    ):
        door.seconds.s = began + at
        before, known = compared.total(), compared[True]
        told = "in"
        try:
            await showing.show(
                badge=badge,
                person=person,
                pin=pin,
                source="socket, uid 33" if one_source else place,
            )
        except TriedTooOften:
            told = "too soon"
        except NotSignedIn:
            told = "no"
        if kind == "guess":
            day.guesses += told == "no" or compared.total() > before
            day.behind_a_badge += badge is not None and compared[True] > known
        elif right:
            day.right[kind] += 1
            day.refused[kind] += told != "in"
            day.robbed += told != "in" and badge == badge_of(WITH_BADGE[0])
    return day


async def forget(_: Entry) -> Receipt:
    return Receipt(sequence=0, hash_hex="")


async def _hire(door: Door) -> None:
    for person in (*WITH_BADGE, *WITH_PIN_ALONE):
        await door.people.add(BY, person, name=f"person {person[::-1]}", roles=[Role.OPERATOR])
        await door.people.set_pin(BY, person, pin_of(person))
        if person in WITH_BADGE:
            await door.people.set_badge(BY, person, badge_of(person))


async def _print(*, one_source: bool) -> None:
    for attack, source in (
        (None, ELSEWHERE),
        *(
            (attack, source)
            for attack in ("ids and PINs", "badges", "badges with PINs", "PINs of one badge")
            for source in (ELSEWHERE, SCREENS[0])
        ),
    ):
        with TemporaryDirectory() as folder:
            async with door_in(Path(folder)) as door:
                day = await play(door, attack, source=source, one_source=one_source)
        shown = ", ".join(
            f"{kind} {day.refused[kind]} of {day.right[kind]}" for kind in sorted(day.right)
        )
        sys.stdout.write(
            f"{attack or 'nobody guesses'} from {source}: refused {shown}"
            f" ({day.robbed} of p00); guesses {day.guesses}, of PINs {day.behind_a_badge}\n"
        )


if __name__ == "__main__":
    anyio.run(lambda: _print(one_source="--one-source" in sys.argv))
