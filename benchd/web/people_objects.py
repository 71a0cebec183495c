"""The JSON objects of people, and of the tokens of other systems."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from benchd.domain.job import Gate
from benchd.domain.people import Person, Role, ShownBy
from benchd.domain.token import Scope, Token
from benchd.web.serialiser import Moment, Verbatim, WebObject, WebRequest

LONGEST_TEXT = 200
"""What is read at all; the register has limits of its own."""

Text = Annotated[str, Field(max_length=LONGEST_TEXT)]


class PersonObject(WebObject):
    """Who may use the rack, and as what; nothing of their badge and PIN but that they are there."""

    person: Verbatim
    name: Verbatim
    reading: Verbatim
    roles: list[Role]
    has_badge: bool
    has_pin: bool
    lost_secret: bool
    """Whether a badge or PIN has to be set anew."""
    disabled_from: Moment | None


class PeopleObject(WebObject):
    """Everybody, in the order in which they came."""

    people: list[PersonObject]


class PersonRequest(WebRequest):
    """Somebody new."""

    person: Text
    name: Text
    reading: Text = ""
    roles: list[Role]


class RolesRequest(WebRequest):
    """All that somebody may be."""

    roles: list[Role]


class SessionRequest(WebRequest):
    """What somebody shows: a badge, an id with a PIN, all of it, or a PIN to add to a badge."""

    badge: Text | None = None
    scanned: Text | None = None
    """A code that may be a badge, in place of one: that it is nobody's is no error then."""
    person: Text | None = None
    pin: Text | None = None
    perhaps_badge: Text | None = None
    """What of the PIN came as from a reader: where it is a code that is known, it is no PIN."""


class SessionObject(WebObject):
    """Who is signed in at this screen."""

    person: Verbatim
    name: Verbatim
    reading: Verbatim
    roles: list[Role]
    shown_by: ShownBy
    gates: list[Gate]
    """The questions that their roles let them answer; some only once `strong`."""
    strong: bool
    """Whether it is enough for what counts; else the PIN is missing."""
    csrf: Verbatim
    """What the header `X-Benchd-CSRF` has to carry with each request that does something."""
    idle_s: float | None
    """After how long unused it is locked; null where no session shows who it is."""


class BadgeRequest(WebRequest):
    """The code that a reader types for a badge; null takes it away."""

    code: Text | None


class PinRequest(WebRequest):
    """A PIN."""

    pin: Text


class DisabledRequest(WebRequest):
    """From when on somebody may do nothing; null: from now on."""

    disabled: bool
    disabled_from: AwareDatetime | None = None


class TokenObject(WebObject):
    """A token, without its secret."""

    token: Verbatim
    scopes: list[Scope]
    expires_at: Moment
    former_until: Moment | None
    """Until when the secret before the last rotation counts; null where it doesn't."""
    revoked_at: Moment | None
    over: bool
    """Whether it counts no more."""


class TokensObject(WebObject):
    """Every token, in the order in which they were created."""

    tokens: list[TokenObject]


class SecretObject(TokenObject):
    """A token with the secret that it has just been given, which is told only this once."""

    secret: Verbatim


def person_shown(person: Person, *, lost_secret: bool) -> PersonObject:
    """Somebody, as the API and `benchd people` tell of them."""
    return PersonObject.of(
        person,
        person=person.id,
        roles=[role for role in Role if role in person.roles],
        has_badge=person.badge is not None,
        has_pin=person.pin is not None,
        lost_secret=lost_secret,
    )


def token_shown(token: Token, now: datetime) -> TokenObject:
    """A token, as the API and `benchd tokens` tell of it."""
    return TokenObject.of(
        token,
        token=token.name,
        scopes=[scope for scope in Scope if scope in token.scopes],
        former_until=token.former_until(now),
        over=token.is_over(now),
    )
