"""Sessions: no token that somebody chose, none twice, none elsewhere, none for ever."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest
from starlette.types import Scope

from benchd.domain.authority import ACTION_OF, AUTHORITY, Action
from benchd.domain.errors import MoreToShow, NotAllowed, NotSignedIn, TriedTooOften
from benchd.domain.job import Gate
from benchd.domain.people import Actor, Person, PersonId, Role, ShownBy, SignedIn
from benchd.domain.record import EntryKind
from benchd.people.login_throttle import FREE_TRIES, FREE_TRIES_OF_SOURCE
from benchd.people.person_register import People
from benchd.people.sessions import LONGEST_S, MOST_OF_ONE, MOST_SESSIONS
from benchd.web.access_level import AccessLevel
from benchd.web.callers import Caller
from benchd.web.peer import Peer

from .people_rig import BADGE, BY, OTHER_BADGE, OTHER_PIN, PIN, Door

pytestmark = pytest.mark.asyncio

HERE = "127.0.0.1"


async def sign_in(
    door: Door,
    *,
    badge: str = BADGE,
    pin: str | None = PIN,
    source: str = HERE,
    instead_of: str | None = None,
) -> SignedIn:
    return await door.sessions.open(
        badge=badge, person=None, pin=pin, source=source, instead_of=instead_of
    )


async def sign_in_another(door: Door, *, instead_of: str | None = None) -> SignedIn:
    return await sign_in(door, badge=OTHER_BADGE, pin=OTHER_PIN, instead_of=instead_of)


def refused(door: Door, token: str, csrf: str, source: str = HERE) -> bool:
    try:
        door.sessions.use(token, csrf, source)
    except NotSignedIn:
        return True
    return False


async def test_a_session_is_somebodys_under_a_token_that_nobody_planted(door: Door) -> None:
    planted = "00" * 32
    opened = await sign_in(door, instead_of=planted)
    assert opened.token != planted
    assert refused(door, planted, opened.csrf)
    used = door.sessions.use(opened.token, opened.csrf, HERE)
    assert (used.actor.person, used.actor.shown_by) == ("mori", ShownBy.BADGE_AND_PIN)
    assert used.token == ""
    assert door.sessions.who(opened.token, HERE).person.name == "森 葵"


async def test_each_showing_has_a_token_of_its_own_and_ends_the_old_one(door: Door) -> None:
    weak = await sign_in(door, pin=None)
    strong = await sign_in(door, instead_of=weak.token)
    assert refused(door, weak.token, weak.csrf)
    assert refused(door, weak.token, strong.csrf)
    with pytest.raises(NotSignedIn):
        await sign_in(door, badge="B-0000-0000", pin=None, instead_of=strong.token)
    assert not refused(door, strong.token, strong.csrf), "nobody took it over"
    other = await sign_in_another(door, instead_of=strong.token)
    assert refused(door, strong.token, strong.csrf)
    assert door.sessions.who(other.token, HERE).actor.person == "kato"


@pytest.mark.parametrize("csrf", ["", "x", "鈴木", "0" * 64])
async def test_without_its_own_csrf_token_nothing_is_done(door: Door, csrf: str) -> None:
    opened, other = await sign_in(door), await sign_in(door)
    assert refused(door, opened.token, csrf)
    assert refused(door, opened.token, other.csrf)
    assert not refused(door, opened.token, opened.csrf)


async def test_a_stolen_cookie_is_none_elsewhere_and_a_locked_one_none_anywhere(door: Door) -> None:
    opened = await sign_in(door)
    for source in ("socket, uid 0", "192.0.2.7", ""):
        assert refused(door, opened.token, opened.csrf, source)
    assert not refused(door, opened.token, opened.csrf)
    door.sessions.lock(opened.token)
    assert refused(door, opened.token, opened.csrf)
    door.sessions.lock(opened.token)
    door.sessions.lock(None)


async def test_idle_it_is_locked_and_looking_is_idle(door: Door) -> None:
    opened = await sign_in(door)
    for _ in range(5):
        door.seconds.s += 599
        assert not refused(door, opened.token, opened.csrf)
    for _ in range(6):
        door.seconds.s += 99
        door.sessions.who(opened.token, HERE)
    door.seconds.s += 6
    with pytest.raises(NotSignedIn):
        door.sessions.who(opened.token, HERE)
    assert refused(door, opened.token, opened.csrf)


async def test_no_session_outlives_a_shift(door: Door) -> None:
    opened = await sign_in(door)
    ends = door.seconds.s + LONGEST_S
    while door.seconds.s + 500 < ends:
        door.seconds.s += 500
        assert not refused(door, opened.token, opened.csrf)
    door.seconds.s += 500
    assert refused(door, opened.token, opened.csrf)


async def test_whoever_is_disabled_is_out_at_once_and_shows_anew_who_they_are(door: Door) -> None:
    opened, unused = await sign_in(door), await sign_in(door)
    await door.people.disable(BY, "mori")
    assert refused(door, opened.token, opened.csrf)
    await door.people.enable(BY, "mori")
    assert refused(door, opened.token, opened.csrf)
    assert refused(door, unused.token, unused.csrf)
    await door.people.disable(BY, "mori")
    assert door.people.acting_name(PersonId("mori")) is None


ENDS: dict[str, Callable[[People], Awaitable[object]]] = {
    "another PIN": lambda people: people.set_pin(BY, "mori", "418820"),
    "another badge": lambda people: people.set_badge(BY, "mori", "B-1111-2222"),
    "no badge any more": lambda people: people.set_badge(BY, "mori", None),
}


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("pin", [None, PIN])
async def test_what_was_shown_before_counts_no_more_once_it_is_another(
    door: Door, how: str, pin: str | None
) -> None:
    """A badge that was lost, a PIN that was watched: whoever is in by it is out."""
    opened = await sign_in(door, pin=pin)
    other = await sign_in_another(door)
    await ENDS[how](door.people)
    assert refused(door, opened.token, opened.csrf)
    assert not refused(door, other.token, other.csrf)


async def test_other_roles_end_no_session(door: Door) -> None:
    opened = await sign_in(door)
    await door.people.set_roles(BY, "mori", [Role.SUPERVISOR])
    assert door.sessions.use(opened.token, opened.csrf, HERE).person.roles == {Role.SUPERVISOR}


async def test_sessions_are_bounded(door: Door) -> None:
    first = await sign_in(door)
    for _ in range(MOST_OF_ONE - 1):
        await sign_in(door)
    last = await sign_in(door)
    assert len(door.sessions._open) == MOST_OF_ONE
    assert refused(door, first.token, first.csrf)
    assert not refused(door, last.token, last.csrf)
    assert first.token not in repr(door.sessions._open)


async def test_who_signs_in_again_and_again_locks_no_screen_but_their_own(door: Door) -> None:
    other = await sign_in_another(door)
    for _ in range(MOST_SESSIONS + 1):
        await sign_in(door, pin=None)
    assert not refused(door, other.token, other.csrf)


async def test_users_of_the_machine(door: Door) -> None:
    door.of_uid.update({1000: PersonId("mori"), 1001: PersonId("nobody-any-more")})
    assert door.callers().of(_from_user(1000)) == Caller(
        actor=Actor(
            person=PersonId("mori"),
            name=door.people.person("mori").name,
            shown_by=ShownBy.UNIX,
            source="socket, uid 1000",
        ),
        access_level=AccessLevel.SOCKET,
    )
    for uid in (0, 999, 1001):
        assert door.callers().of(_from_user(uid)).actor is None


def _from_user(uid: int) -> Scope:
    peer = Peer(pid=1, uid=uid, gid=uid)
    return {"type": "http", "headers": [], "extensions": {"peer": peer}}


WAYS = {
    "badge": (ShownBy.BADGE, False),
    "pin though there is a badge": (ShownBy.PIN, False),
    "badge and pin": (ShownBy.BADGE_AND_PIN, True),
    "unix": (ShownBy.UNIX, True),
}


@pytest.mark.parametrize("way", WAYS)
async def test_role_by_action_by_showing(door: Door, way: str) -> None:
    how, strong = WAYS[way]
    for role in Role:
        person = await door.people.set_roles(BY, "mori", [role])
        actor = Actor(person=person.id, name=person.name, shown_by=how, source=HERE)
        for action, rule in AUTHORITY.items():
            if role in rule.roles and (strong or rule.by_badge):
                door.people.refuse_unless_allowed(actor, action)
                continue
            with pytest.raises(NotAllowed) as refusal:
                door.people.refuse_unless_allowed(actor, action)
            assert refusal.type is (MoreToShow if role in rule.roles else NotAllowed), action


async def test_roles_of_now_count_not_those_of_the_sign_in(door: Door) -> None:
    actor = (await sign_in(door)).actor
    door.people.refuse_unless_allowed(actor, Action.ATTEST)
    await door.people.set_roles(BY, "mori", [Role.AUDITOR])
    with pytest.raises(NotAllowed):
        door.people.refuse_unless_allowed(actor, Action.ATTEST)
    await door.people.set_roles(BY, "mori", [Role.OPERATOR])
    await door.people.disable(BY, "mori")
    with pytest.raises(NotAllowed):
        door.people.refuse_unless_allowed(actor, Action.ATTEST)
    stranger = Actor(person=PersonId("ito"), name=actor.name, shown_by=ShownBy.UNIX, source=HERE)
    with pytest.raises(NotAllowed):
        door.people.refuse_unless_allowed(stranger, Action.ANSWER)


OF_A_HANDSET = (Gate.FINAL_RESET, Gate.OBSERVE)


async def test_careless_one_pin_is_enough_for_a_sitting_and_not_asked_for_each_handset(
    door: Door,
) -> None:
    """24 handsets of a lot whose papers have settled all that was attested: 48 answers."""
    await door.people.set_roles(BY, "mori", [Role.OPERATOR])
    sitting = await sign_in(door, pin=None)
    pins = answers = 0
    for _handset in range(24):
        for gate in OF_A_HANDSET:
            door.seconds.s += 120
            used = door.sessions.use(sitting.token, sitting.csrf, HERE)
            try:
                door.people.refuse_unless_allowed(used.actor, ACTION_OF[gate])
            except MoreToShow:
                sitting = await sign_in(door, instead_of=sitting.token)
                pins += 1
                door.people.refuse_unless_allowed(sitting.actor, ACTION_OF[gate])
            answers += 1
    assert (answers, pins) == (48, 1)


async def test_who_scans_their_own_badge_again_needs_no_pin_again(door: Door) -> None:
    opened = await sign_in(door)
    again = await sign_in(door, instead_of=opened.token, pin=None)
    assert again.actor.shown_by is ShownBy.BADGE_AND_PIN
    assert refused(door, opened.token, opened.csrf)
    assert not refused(door, again.token, again.csrf)


async def test_a_badge_in_anothers_sitting_or_at_another_screen_is_a_badge_alone(
    door: Door,
) -> None:
    opened = await sign_in(door)
    other = await sign_in(door, badge=OTHER_BADGE, pin=None, instead_of=opened.token)
    assert other.actor.shown_by is ShownBy.BADGE
    opened = await sign_in(door)
    elsewhere = await sign_in(door, pin=None, source="192.0.2.7", instead_of=opened.token)
    assert elsewhere.actor.shown_by is ShownBy.BADGE
    opened = await sign_in(door)
    door.seconds.s += door.sessions.idle_s
    late = await sign_in(door, instead_of=opened.token, pin=None)
    assert late.actor.shown_by is ShownBy.BADGE


async def add_pin(
    door: Door, opened: SignedIn, *, pin: str = PIN, csrf: str | None = None, source: str = HERE
) -> SignedIn:
    """As a page does that no longer knows the badge: it was loaded anew since."""
    return await door.sessions.open(
        badge=None,
        person=None,
        pin=pin,
        source=source,
        instead_of=opened.token,
        csrf=opened.csrf if csrf is None else csrf,
    )


async def test_item_2_a_pin_is_added_to_the_badge_that_opened_the_sitting(door: Door) -> None:
    opened = await sign_in(door, pin=None)
    strong = await add_pin(door, opened)
    assert strong.actor.person == opened.actor.person
    assert strong.actor.shown_by is ShownBy.BADGE_AND_PIN
    assert refused(door, opened.token, opened.csrf)
    assert not refused(door, strong.token, strong.csrf)


async def test_item_2_a_pin_is_added_to_nothing_but_ones_own_open_badge(door: Door) -> None:
    opened = await sign_in(door, pin=None)
    for how in ({"pin": OTHER_PIN}, {"csrf": ""}, {"csrf": "x"}, {"source": "192.0.2.7"}):
        with pytest.raises(NotSignedIn):
            await add_pin(door, opened, **how)
    assert not refused(door, opened.token, opened.csrf), "it is as it was"
    # A PIN alone has opened it: once more the same shows nothing more.
    watched = await door.sessions.open(badge=None, person="mori", pin=PIN, source=HERE)
    with pytest.raises(NotSignedIn):
        await add_pin(door, watched)
    await door.people.set_badge(BY, "mori", "B-1111-2222")
    with pytest.raises(NotSignedIn):
        await add_pin(door, opened)
    locked = await sign_in(door, badge="B-1111-2222", pin=None)
    door.sessions.lock(locked.token)
    with pytest.raises(NotSignedIn):
        await add_pin(door, locked)


async def test_item_2_a_badge_is_added_to_the_pin_that_opened_the_sitting(door: Door) -> None:
    opened = await door.sessions.open(badge=None, person="mori", pin=PIN, source=HERE)
    strong = await door.sessions.open(
        badge=BADGE, person=None, pin=None, source=HERE, instead_of=opened.token
    )
    assert strong.actor.shown_by is ShownBy.BADGE_AND_PIN
    assert refused(door, opened.token, opened.csrf)
    # Somebody else's badge is nothing but a badge, and so is one from elsewhere.
    watched = await door.sessions.open(badge=None, person="mori", pin=PIN, source=HERE)
    for how in ({"badge": OTHER_BADGE, "source": HERE}, {"badge": BADGE, "source": "192.0.2.7"}):
        weak = await door.sessions.open(person=None, pin=None, instead_of=watched.token, **how)
        assert weak.actor.shown_by is ShownBy.BADGE, how
        watched = await door.sessions.open(badge=None, person="mori", pin=PIN, source=HERE)


async def test_item_2_a_screen_that_is_locked_while_the_pin_is_compared_stays_locked(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = await sign_in(door, pin=None)
    compare = door.people.is_pin

    async def slow(person: Person | None, pin: str, *, patiently: bool) -> bool:
        right = await compare(person, pin, patiently=patiently)
        door.sessions.lock(opened.token)
        return right

    monkeypatch.setattr(door.people, "is_pin", slow)
    with pytest.raises(NotSignedIn):
        await add_pin(door, opened)


async def test_item_2_wrong_pins_added_to_a_badge_wait_as_those_shown_with_it(door: Door) -> None:
    opened = await sign_in(door, pin=None)
    for _ in range(FREE_TRIES):
        with pytest.raises(NotSignedIn):
            await add_pin(door, opened, pin=OTHER_PIN)
    with pytest.raises(TriedTooOften):
        await add_pin(door, opened)
    with pytest.raises(TriedTooOften):
        await sign_in(door)


async def test_badges_alone_make_no_sitting_longer_than_a_shift(door: Door) -> None:
    sitting = await sign_in(door)
    for _ in range(int(LONGEST_S / 300) + 1):
        door.seconds.s += 300
        sitting = await sign_in(door, instead_of=sitting.token, pin=None)
    assert sitting.actor.shown_by is ShownBy.BADGE


async def test_item_2_of_the_stumbles_a_badge_in_the_place_of_a_pin_is_a_badge(door: Door) -> None:
    opened = await sign_in(door, pin=None)
    told = await in_place_of_pin(door, opened, OTHER_BADGE)
    assert (told.actor.person, told.actor.shown_by) == ("kato", ShownBy.BADGE)
    assert refused(door, opened.token, opened.csrf)
    # What is nobody's badge is the PIN that it was given as.
    opened = await sign_in(door, pin=None)
    assert (await in_place_of_pin(door, opened, PIN)).actor.shown_by is ShownBy.BADGE_AND_PIN
    assert not [one for one in door.records if one.kind is EntryKind.PERSON_REFUSED]


async def test_item_2_of_the_stumbles_no_badge_is_guessed_in_the_place_of_a_pin(
    door: Door,
) -> None:
    opened = await sign_in(door, pin=None)
    for number in range(FREE_TRIES_OF_SOURCE):
        with pytest.raises((NotSignedIn, TriedTooOften)):
            await in_place_of_pin(door, opened, f"{number:06d}")
    # Each was a try at a badge too: now not even the right one is looked at.
    for _ in range(2):
        with pytest.raises((NotSignedIn, TriedTooOften)):
            await in_place_of_pin(door, opened, OTHER_BADGE)
    with pytest.raises(TriedTooOften):
        await sign_in(door, badge=OTHER_BADGE, pin=None)


async def in_place_of_pin(door: Door, opened: SignedIn, code: str) -> SignedIn:
    """What a reader has typed where the PIN was asked for."""
    return await door.sessions.open(
        badge=None,
        person=None,
        pin=code,
        perhaps_badge=code,
        source=HERE,
        instead_of=opened.token,
        csrf=opened.csrf,
    )
