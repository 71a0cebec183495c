"""Showing who one is: the same answer and the same cost for whoever isn't, and no end of tries."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace

import anyio
import pytest
from argon2 import PasswordHasher

from benchd.domain import yielding_thread
from benchd.domain.errors import NotSignedIn, TriedTooOften
from benchd.domain.people import Person, Role, ShownBy
from benchd.domain.record import EntryKind
from benchd.domain.yielding_thread import YIELDS
from benchd.people.authentication import (
    LONGEST_REST_S,
    MOST_WAITING,
    REST_FACTOR,
    Authentication,
)
from benchd.people.login_throttle import (
    EACH_S_OF_SOURCE,
    FIRST_PAUSE_S,
    FORGOTTEN_AFTER_S,
    FREE_TRIES,
    FREE_TRIES_OF_SOURCE,
    LONGEST_PAUSE_S,
    MOST_KNOWN,
    Tries,
    Whom,
)
from benchd.people.person_register import People
from benchd.people.refused_tries import AT_ONCE, Refusals

from .people_rig import BADGE, BY, OTHER_BADGE, OTHER_PIN, PIN, Door, HandSeconds
from .shift_of_tries import forget

pytestmark = pytest.mark.asyncio

HERE = "127.0.0.1"
REFUSALS = (NotSignedIn, TriedTooOften)
Shown = tuple[str | None, str | None, str | None]


async def show(door: Door, shown: Shown, source: str = HERE) -> ShownBy:
    badge, person, pin = shown
    actor = await door.showing.show(badge=badge, person=person, pin=pin, source=source)
    assert actor.source == source
    return actor.shown_by


async def refused(
    door: Door,
    shown: Shown,
    by: type[Exception] | tuple[type[Exception], ...] = NotSignedIn,
    source: str = HERE,
    *,
    times: int = 1,
) -> None:
    for _ in range(times):
        with pytest.raises(by):
            await show(door, shown, source)


@pytest.mark.parametrize(
    ("shown", "how"),
    [
        ((BADGE, None, None), ShownBy.BADGE),
        ((BADGE, "mori", None), ShownBy.BADGE),
        ((None, "mori", PIN), ShownBy.PIN),
        ((BADGE, None, PIN), ShownBy.BADGE_AND_PIN),
        ((BADGE, "mori", PIN), ShownBy.BADGE_AND_PIN),
    ],
)
async def test_ways_in(door: Door, shown: Shown, how: ShownBy) -> None:
    assert await show(door, shown) is how
    assert door.records == []


class CountingHasher:
    """Compares PINs as the one behind it, and counts how often."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self._hasher = hasher
        self.compared = 0

    def verify(self, kept: str, pin: bytes) -> bool:
        self.compared += 1
        return self._hasher.verify(kept, pin)


WRONG: dict[str, tuple[Shown, str]] = {
    "unknown badge": (("B-0000-0000", None, None), "unknown_badge"),
    "unknown badge with a PIN": (("B-0000-0000", None, PIN), "unknown_badge"),
    "nobody's id": ((None, "ito", PIN), "unknown_person"),
    "another's PIN": ((None, "mori", "551903"), "wrong_pin"),
    "no PIN set": ((None, "yama", PIN), "wrong_pin"),
    "an empty PIN": ((None, "mori", ""), "wrong_pin"),
    "another's badge": ((OTHER_BADGE, "mori", PIN), "anothers_badge"),
    "badge with a wrong PIN": ((BADGE, None, "551903"), "wrong_pin"),
    "disabled": ((None, "gone", "848362"), "disabled"),
    "hostile": ((None, "'; DROP TABLE secret; --\x00", "\x00"), "unknown_person"),
}


@pytest.mark.parametrize("case", WRONG)
async def test_whoever_is_not_hears_the_same_and_costs_the_same(
    door: Door, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown, why = WRONG[case]
    await door.people.add(BY, "yama", name="山 里子", roles=[Role.AUDITOR])
    await door.people.add(BY, "gone", name="前田 一", roles=[Role.OPERATOR])
    await door.people.set_pin(BY, "gone", "848362")
    await door.people.disable(BY, "gone")
    hasher = CountingHasher(door.people._secrets._hasher)
    monkeypatch.setattr(door.people._secrets, "_hasher", hasher)
    with pytest.raises(NotSignedIn, match="nobody by that badge, id and PIN"):
        await show(door, shown)
    assert hasher.compared == (0 if shown[2] is None else 1)
    (record,) = door.records
    assert record.kind is EntryKind.PERSON_REFUSED
    assert record.data["why"] == why
    told = repr(record.data)
    assert not any(part and part in told for part in (shown[0], shown[2]))
    assert record.data["person"] in (None, "mori", "yama", "gone", "kato")


async def test_a_pin_in_the_field_for_the_id_is_not_put_on_record(door: Door) -> None:
    await refused(door, (None, PIN, "mori"))
    assert PIN not in repr(door.records)


CHANGED: dict[str, Callable[[People], Awaitable[object]]] = {
    "another PIN": lambda people: people.set_pin(BY, "mori", "418820"),
    "another badge": lambda people: people.set_badge(BY, "mori", "B-1111-2222"),
    "disabled": lambda people: people.disable(BY, "mori"),
}


@pytest.mark.parametrize("change", CHANGED)
async def test_what_changes_while_a_pin_is_compared_counts(
    door: Door, change: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare = door.people.is_pin

    async def and_change(person: Person | None, pin: str, *, patiently: bool) -> bool:
        right = await compare(person, pin, patiently=patiently)
        await CHANGED[change](door.people)
        return right

    monkeypatch.setattr(door.people, "is_pin", and_change)
    await refused(door, (BADGE, None, PIN))


@pytest.mark.parametrize("shown", [(None, None, None), (None, "mori", None), (None, None, PIN)])
async def test_too_little_is_no_try(door: Door, shown: Shown) -> None:
    with pytest.raises(NotSignedIn, match="scan your badge"):
        await show(door, shown)
    assert door.records == []


async def test_pauses_grow_and_the_right_pin_waits_too(door: Door) -> None:
    await refused(door, (None, "mori", "551903"), times=FREE_TRIES)
    waits = []
    for _ in range(14):
        with pytest.raises(TriedTooOften) as paused:
            await show(door, (None, "mori", PIN))
        waits.append(paused.value.wait_s)
        door.seconds.s += paused.value.wait_s
        await refused(door, (None, "mori", "551903"))
    assert waits == sorted(waits)
    assert waits[0] == 2
    assert waits[-1] == LONGEST_PAUSE_S
    door.seconds.s += LONGEST_PAUSE_S
    assert await show(door, (None, "mori", PIN)) is ShownBy.PIN
    assert await show(door, (None, "mori", PIN)) is ShownBy.PIN


async def test_ten_thousand_pins_in_a_day_get_few_answers_and_few_records(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One every 8.6 seconds, from as many sources: some hundred are compared."""
    # Beside other tests each of these would wait for a processor.
    monkeypatch.setattr(yielding_thread, "YIELDS", 0)
    answered = 0
    for number in range(10_000):
        door.seconds.s += 8.64
        pin = f"{number:06}"
        try:
            await show(door, (None, "mori", pin), source=f"192.0.2.{number % 250}")
        except TriedTooOften:
            continue
        except NotSignedIn:
            answered += 1
    assert answered < 120
    assert len(door.records) <= AT_ONCE + 24 * 60
    counted = sum(int(str(record.data["not_recorded_before"])) for record in door.records)
    assert len(door.records) + counted + door.showing._refusals._not_recorded == 10_000


async def test_one_screen_does_not_lock_out_the_shop(door: Door) -> None:
    await guess_until_held(door, by_badge=True)
    with pytest.raises(TriedTooOften) as paused:
        await show(door, (BADGE, None, None))
    assert paused.value.wait_s <= EACH_S_OF_SOURCE
    assert await show(door, (BADGE, None, None), source="socket, uid 1000")
    door.seconds.s += EACH_S_OF_SOURCE
    assert await show(door, (BADGE, None, None))


async def guess_until_held(door: Door, *, by_badge: bool) -> None:
    """Somebody who is nobody tries from here for as long as they are let."""
    for number in range(200):
        shown = (f"B-0000-{number:04}", None, None) if by_badge else (None, f"no-{number}", PIN)
        await refused(door, shown, REFUSALS)


async def test_a_badge_alone_buys_no_new_start_at_its_pin(door: Door) -> None:
    """Whoever has found one would guess as fast as they like: one scan between two guesses."""
    for _ in range(FREE_TRIES):
        assert await show(door, (BADGE, None, None)) is ShownBy.BADGE
        await refused(door, (BADGE, None, OTHER_PIN))
    await refused(door, (BADGE, None, PIN), TriedTooOften)


async def test_who_guesses_without_a_badge_holds_up_no_badge_at_the_same_source(door: Door) -> None:
    for _ in range(27):
        await guess_until_held(door, by_badge=False)
        assert await show(door, (BADGE, None, PIN)) is ShownBy.BADGE_AND_PIN
        assert await show(door, (BADGE, None, None)) is ShownBy.BADGE
        await refused(door, (None, "mori", PIN), TriedTooOften)
        door.seconds.s += EACH_S_OF_SOURCE


async def test_who_guesses_badges_does_not_hold_up_badge_and_pin_at_the_same_source(
    door: Door,
) -> None:
    await guess_until_held(door, by_badge=True)
    for _ in range(27):
        assert await show(door, (BADGE, None, PIN)) is ShownBy.BADGE_AND_PIN
        assert await show(door, (OTHER_BADGE, "kato", OTHER_PIN)) is ShownBy.BADGE_AND_PIN
        await refused(door, (BADGE, None, None), TriedTooOften)


async def test_where_badges_are_guessed_a_wrong_answer_tells_nothing_and_costs_the_same(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither whether it is anybody's badge, nor whether their PIN was compared."""
    hasher = CountingHasher(door.people._secrets._hasher)
    monkeypatch.setattr(door.people._secrets, "_hasher", hasher)
    await guess_until_held(door, by_badge=True)
    told: set[str] = set()
    for number in range(FREE_TRIES + 3):
        for badge in (BADGE, "B-0000-0000"):
            with pytest.raises(TriedTooOften) as paused:
                await show(door, (badge, None, f"55190{number}"))
            told.add(f"{paused.value}, {paused.value.wait_s}")
    assert len(told) == 1
    assert hasher.compared == 2 * (FREE_TRIES + 3)
    # The badge has its count all the same, from wherever somebody guesses behind it.
    await refused(door, (BADGE, None, PIN), TriedTooOften, "192.0.2.1")


async def test_slips_of_a_long_day_hold_up_nobody(door: Door) -> None:
    """One each five minutes, at one screen that all have together."""
    for number in range(24 * 12):
        door.seconds.s += 300
        await refused(door, (f"B-0000-{number:04}", None, None))
        assert await show(door, (BADGE, None, None)) is ShownBy.BADGE


async def test_another_badge_begins_anew(door: Door) -> None:
    """Whoever has lost theirs isn't held up by who guesses behind it."""
    await refused(door, (BADGE, None, "551903"), times=FREE_TRIES)
    await refused(door, (BADGE, None, PIN), TriedTooOften)
    await door.people.set_badge(BY, "mori", "B-1111-2222")
    assert await show(door, ("B-1111-2222", None, PIN)) is ShownBy.BADGE_AND_PIN


def pins_wait(door: Door, monkeypatch: pytest.MonkeyPatch) -> anyio.Event:
    """No PIN is compared until somebody sets this."""
    compare, compared = door.people.is_pin, anyio.Event()

    async def slowly(person: Person | None, pin: str, *, patiently: bool) -> bool:
        await compared.wait()
        return await compare(person, pin, patiently=patiently)

    monkeypatch.setattr(door.people, "is_pin", slowly)
    return compared


ANY_BADGE: Shown = ("B-0000-0000", None, PIN)
CROWDS: dict[str, tuple[Shown, str, bool]] = {
    "from more places than are held yet": ((None, "kato", "551904"), "192.0.2.{}", False),
    "where badges are guessed, at once": (ANY_BADGE, HERE, True),
    "from one source of which no try has failed yet": (ANY_BADGE, HERE, False),
}


@pytest.mark.parametrize("crowd", CROWDS)
async def test_a_crowd_in_the_line_takes_no_place_of_who_has_a_badge(
    door: Door, monkeypatch: pytest.MonkeyPatch, crowd: str
) -> None:
    guess, source, are_badges_guessed = CROWDS[crowd]
    if are_badges_guessed:
        await guess_until_held(door, by_badge=True)
    compared = pins_wait(door, monkeypatch)
    async with anyio.create_task_group() as group:
        for number in range(3 * MOST_WAITING):
            group.start_soon(refused, door, guess, REFUSALS, source.format(number))
        await anyio.wait_all_tasks_blocked()
        group.start_soon(show, door, (OTHER_BADGE, None, OTHER_PIN), "192.0.2.200")
        await anyio.wait_all_tasks_blocked()
        compared.set()


async def test_a_badge_alone_stands_in_no_line(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Guessing badges costs no processor, and fills no line of those whose PINs are compared."""
    compared = pins_wait(door, monkeypatch)
    async with anyio.create_task_group() as group:
        group.start_soon(show, door, (None, "mori", PIN), "192.0.2.100")
        await anyio.wait_all_tasks_blocked()
        async with anyio.create_task_group() as crowd:
            for number in range(3 * MOST_WAITING):
                guess = ("B-0000-0000", None, None)
                crowd.start_soon(refused, door, guess, REFUSALS, f"192.0.2.{number}")
        assert await show(door, (BADGE, None, None), source="192.0.2.201") is ShownBy.BADGE
        group.start_soon(show, door, (OTHER_BADGE, None, OTHER_PIN), "192.0.2.200")
        await anyio.wait_all_tasks_blocked()
        compared.set()


class NoticingHasher(CountingHasher):
    """Notices at which priority its thread compares."""

    def __init__(self, hasher: PasswordHasher) -> None:
        super().__init__(hasher)
        self.priorities: list[int] = []

    def verify(self, kept: str, pin: bytes) -> bool:
        self.priorities.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return super().verify(kept, pin)


async def test_who_shows_no_badge_is_compared_when_the_slots_leave_the_processor(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Known or not, so that its time tells nothing; a badge that is held stands with the others."""
    hasher = NoticingHasher(door.people._secrets._hasher)
    monkeypatch.setattr(door.people._secrets, "_hasher", hasher)
    ours = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    theirs = min(19, ours + YIELDS)
    assert await show(door, (None, "mori", PIN)) is ShownBy.PIN
    await refused(door, (None, "kato", "551904"))
    await refused(door, (None, "no", PIN))
    assert await show(door, (BADGE, None, PIN)) is ShownBy.BADGE_AND_PIN
    await guess_until_held(door, by_badge=True)
    assert await show(door, (BADGE, None, PIN)) is ShownBy.BADGE_AND_PIN
    told = [*hasher.priorities[:4], hasher.priorities[-1]]
    assert told == [theirs, theirs, theirs, ours, theirs]
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == ours


async def test_a_badge_does_not_wait_for_a_comparison_that_waits_for_the_processor(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare, compared = door.people.is_pin, anyio.Event()

    async def starved(person: Person | None, pin: str, *, patiently: bool) -> bool:
        if patiently:
            await compared.wait()
        return await compare(person, pin, patiently=patiently)

    monkeypatch.setattr(door.people, "is_pin", starved)
    async with anyio.create_task_group() as group:
        group.start_soon(refused, door, (None, "no", PIN))
        await anyio.wait_all_tasks_blocked()
        assert await show(door, (BADGE, None, PIN)) is ShownBy.BADGE_AND_PIN
        compared.set()


async def test_a_sandbox_that_forbids_to_yield_the_processor_lets_in_all_the_same(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(_: int) -> int:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "nice", forbidden)
    assert await show(door, (None, "mori", PIN)) is ShownBy.PIN


COMPARED_S = 0.1


@pytest.fixture
def looked_at_s(door: Door, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """When each PIN's comparison has ended, which takes COMPARED_S of virtual time."""
    ended_s: list[float] = []

    async def compare(person: Person | None, pin: str, *, patiently: bool) -> bool:
        del patiently
        await anyio.sleep(COMPARED_S)
        ended_s.append(anyio.current_time())
        return person is not None and pin == PIN

    monkeypatch.setattr(door.people, "is_pin", compare)
    now = anyio.current_time
    door.showing = Authentication(door.people, Tries(now), Refusals(forget, door.clock, now), now)
    return ended_s


@pytest.mark.looptime
async def test_who_guesses_pins_has_a_tenth_of_a_processor(
    door: Door, looked_at_s: list[float]
) -> None:
    began_s = anyio.current_time()
    async with anyio.create_task_group() as group:
        for number in range(3):
            group.start_soon(refused, door, (None, f"no-{number}", PIN))
    turn_s = COMPARED_S * (1 + REST_FACTOR)
    assert [at - began_s for at in looked_at_s] == pytest.approx(
        [COMPARED_S, COMPARED_S + turn_s, COMPARED_S + 2 * turn_s]
    )


@pytest.mark.looptime
async def test_who_has_a_badge_rests_after_nobodys_guess(
    door: Door, looked_at_s: list[float]
) -> None:
    await refused(door, (None, "no", PIN))
    began_s = anyio.current_time()
    assert await show(door, (BADGE, None, PIN)) is ShownBy.BADGE_AND_PIN
    assert looked_at_s[-1] - began_s == pytest.approx(COMPARED_S)


@pytest.mark.looptime
async def test_nobody_rests_after_who_is_right_nor_for_long(
    door: Door, looked_at_s: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        began_s = anyio.current_time()
        assert await show(door, (None, "mori", PIN)) is ShownBy.PIN
        assert looked_at_s[-1] - began_s == pytest.approx(COMPARED_S)
    # On a rack so busy that a comparison takes 30 times as long.
    monkeypatch.setattr(f"{__name__}.COMPARED_S", 3.0)
    await refused(door, (None, "no", PIN))
    began_s = anyio.current_time()
    assert await show(door, (None, "mori", PIN)) is ShownBy.PIN
    assert looked_at_s[-1] - began_s == pytest.approx(LONGEST_REST_S + 3.0)


async def test_who_has_to_wait_stands_in_nobodys_way(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(FREE_TRIES_OF_SOURCE):
        await refused(door, (None, f"no-{number}", "551904"), source="192.0.2.9")
    compared = pins_wait(door, monkeypatch)
    async with anyio.create_task_group() as group:
        group.start_soon(show, door, (BADGE, None, PIN))
        await anyio.wait_all_tasks_blocked()
        for _ in range(2 * MOST_WAITING):
            group.start_soon(refused, door, (None, "kato", "551904"), TriedTooOften, "192.0.2.9")
        await anyio.wait_all_tasks_blocked()
        group.start_soon(show, door, (OTHER_BADGE, None, OTHER_PIN))
        await anyio.wait_all_tasks_blocked()
        compared.set()


async def test_who_tries_a_lot_at_once_gets_no_more_tries_by_it(door: Door) -> None:
    answered: list[int] = []

    async def guess(number: int) -> None:
        try:
            await show(door, (None, f"no-{number}", PIN))
        except TriedTooOften:
            return
        except NotSignedIn:
            answered.append(number)

    for batch in range(FREE_TRIES_OF_SOURCE):
        async with anyio.create_task_group() as group:
            for number in range(MOST_WAITING):
                group.start_soon(guess, batch * MOST_WAITING + number)
    assert len(answered) == FREE_TRIES_OF_SOURCE


async def test_guessing_at_every_id_keeps_out_nobody_who_has_a_badge(door: Door) -> None:
    for person in ("mori", "kato"):
        guess = (None, person, "551904")
        await refused(door, guess, source="192.0.2.9", times=FREE_TRIES)
    for person, pin in (("mori", PIN), ("kato", OTHER_PIN)):
        await refused(door, (None, person, pin), TriedTooOften)
    assert await show(door, (BADGE, None, None)) is ShownBy.BADGE
    assert await show(door, (BADGE, "mori", PIN)) is ShownBy.BADGE_AND_PIN
    assert await show(door, (OTHER_BADGE, None, OTHER_PIN)) is ShownBy.BADGE_AND_PIN
    await refused(door, (None, "mori", PIN), TriedTooOften)


MORI = Whom(name="mori", is_known=True)
STRANGER = Whom(name="x", is_known=False)


async def test_what_is_counted_is_bounded() -> None:
    tries = Tries(lambda: 0.0)
    for number in range(3 * MOST_KNOWN):
        tries.failed(STRANGER, f"source {number}")
        tries.failed(replace(STRANGER, name=f"x{number}"), "")
    assert len(tries._whom[False]) == len(tries._sources) == MOST_KNOWN
    assert tries.wait_s(STRANGER) > 0
    assert tries.source_wait_s("", by_badge=False) > 0


async def test_no_crowd_of_strangers_makes_a_persons_tries_forgotten() -> None:
    """Badges that are nobody's cost nothing to try: they mustn't buy a new start at a PIN."""
    tries = Tries(lambda: 0.0)
    for _ in range(FREE_TRIES):
        tries.failed(MORI, "192.0.2.1")
    for number in range(2 * MOST_KNOWN):
        tries.failed(replace(STRANGER, name=str(number)), f"source {number}")
    assert tries.wait_s(MORI) > 0


@pytest.mark.parametrize(
    ("sources", "another"),
    [
        ([f"127.0.{n}.1" for n in range(FREE_TRIES_OF_SOURCE)], "127.0.0.9"),
        ([f"127.0.{n}.1" for n in range(FREE_TRIES_OF_SOURCE)], "::1"),
        ([f"::ffff:127.0.{n}.1" for n in range(FREE_TRIES_OF_SOURCE)], "127.0.0.1"),
        ([f"2001:db8::{n}" for n in range(FREE_TRIES_OF_SOURCE)], "2001:db8::ffff"),
        ([f"fe80::{n}%eth0" for n in range(FREE_TRIES_OF_SOURCE)], "fe80::ffff%eth0"),
    ],
)
async def test_addresses_that_one_machine_has_as_many_of_as_it_likes_are_one(
    sources: list[str], another: str
) -> None:
    tries = Tries(lambda: 0.0)
    for number, source in enumerate(sources):
        tries.failed(replace(STRANGER, name=str(number)), source)
    assert tries.source_wait_s(another, by_badge=False) > 0
    assert tries.source_wait_s(another, by_badge=True) == 0
    for other in ("192.0.2.1", "socket, uid 1000", "2001:db8:0:1::1"):
        assert tries.source_wait_s(other, by_badge=False) == 0


def failed(tries: Tries, times: int) -> None:
    for number in range(times):
        tries.failed(MORI, f"source {number}")


@pytest.mark.parametrize(
    ("times", "pause_s"),
    [
        (FREE_TRIES - 1, 0.0),
        (FREE_TRIES, FIRST_PAUSE_S),
        (FREE_TRIES + 1, 2 * FIRST_PAUSE_S),
        (FREE_TRIES + 5, 32 * FIRST_PAUSE_S),
        (FREE_TRIES + 2000, LONGEST_PAUSE_S),
    ],
)
async def test_each_failure_doubles_the_pause_up_to_the_longest(times: int, pause_s: float) -> None:
    tries = Tries(HandSeconds())
    failed(tries, times)
    assert tries.wait_s(MORI) == pause_s


async def test_a_pause_ends_when_it_is_over() -> None:
    now = HandSeconds()
    tries = Tries(now)
    failed(tries, FREE_TRIES)
    now.s += FIRST_PAUSE_S - 0.5
    assert tries.wait_s(MORI) == 0.5
    now.s += 1
    assert tries.wait_s(MORI) == 0


@pytest.mark.parametrize("more_s", [0.0, 1.0])
async def test_failures_are_forgotten_after_a_day_without_one(more_s: float) -> None:
    now = HandSeconds()
    tries = Tries(now)
    failed(tries, FREE_TRIES)
    now.s += FORGOTTEN_AFTER_S + more_s
    failed(tries, 1)
    assert tries.wait_s(MORI) == (0.0 if more_s else 2 * FIRST_PAUSE_S)


async def test_who_has_shown_who_they_are_begins_anew() -> None:
    tries = Tries(HandSeconds())
    failed(tries, FREE_TRIES)
    tries.succeeded(MORI)
    failed(tries, FREE_TRIES - 1)
    assert tries.wait_s(MORI) == 0
