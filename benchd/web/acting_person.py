"""Whose a request is that does something, and whether they may do it: the one place that says.

Who sends a request has been shown at the door (`callers.py`); a session's cookie counts here only
together with its CSRF token. A route that changes anything takes one of the guards below as a
parameter, which holds it to the action that it declares, and refuses a badge among what it is told.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Annotated, Any, Final, cast

from fastapi import Depends, Request

from benchd.domain.authority import AUTHORITY, Action
from benchd.domain.errors import NotAllowed, NotSignedIn
from benchd.domain.people import Actor, By
from benchd.domain.token import System
from benchd.proof.evidence.intake_evidence import Who
from benchd.web.access_level import AccessLevel, served_of
from benchd.web.badge_check import refuse_badges
from benchd.web.callers import caller_of, token_of
from benchd.web.peer import peer_of, source_of
from benchd.web.service import ServedRack

CSRF_HEADER = "x-benchd-csrf"
ROOT = 0
"""The uid that may do anything anyway."""

Sender = Actor | System


async def somebody(request: Request) -> Actor:
    """Who sent this, whatever it is that they want; raises NotSignedIn and BadgeInText."""
    actor = _somebody(request)
    await refuse_badges(request)
    return actor


def _somebody(request: Request) -> Actor:
    token = token_of(request.scope)
    if token is not None:
        csrf = request.headers.get(CSRF_HEADER, "")
        return _rack(request).sessions.use(token, csrf, source_of(request.scope)).actor
    actor = caller_of(request.scope).actor
    if actor is None:
        message = (
            "sign in first: with your badge or your id and PIN, or on the rack's PC have your"
            " user entered under [people.unix]"
        )
        raise NotSignedIn(message)
    return actor


async def in_person(request: Request) -> Actor:
    """Who does what takes authority, and has to be somebody by their id.

    Raises NotSignedIn, NotAllowed or BadgeInText.
    """
    actor = _in_person(request)
    await refuse_badges(request)
    return actor


def _in_person(request: Request) -> Actor:
    actor = _somebody(request)
    _rack(request).people.refuse_unless_allowed(actor, _action(request))
    return actor


async def in_person_or_by_token(request: Request) -> Sender:
    """Who does what another system may do too, by a token that has the scope for it.

    The doorman has admitted the token. Raises NotSignedIn, NotAllowed or BadgeInText.
    """
    sender = _in_person_or_by_token(request)
    await refuse_badges(request)
    return sender


def _in_person_or_by_token(request: Request) -> Sender:
    token = caller_of(request.scope).token
    if token is None:
        return _in_person(request)
    if AUTHORITY[_action(request)].scope not in token.scopes:
        message = f"token {token.name} isn't for this: its scopes say what it is for"
        raise NotAllowed(message)
    return System(name=token.name, source=source_of(request.scope))


async def acting(request: Request) -> By:
    """By whom something is done that takes authority.

    Besides people it lets in whoever owns the rack's files, root and benchd's own user on the Unix
    socket: they could change those anyway. Raises NotSignedIn, NotAllowed or BadgeInText.
    """
    by = _acting(request)
    await refuse_badges(request)
    return by


def _acting(request: Request) -> By:
    scope = request.scope
    peer = peer_of(scope)
    here = caller_of(scope).access_level is AccessLevel.SOCKET and token_of(scope) is None
    if here and peer is not None and peer.uid in {ROOT, os.geteuid()}:
        return By(actor=None, source=source_of(scope))
    return By.person(_in_person(request))


async def taking(request: Request) -> By:
    """Who takes something out that not everybody who reads may have all of.

    Nothing is changed by it, so that a session's cookie is enough, which no other site's page
    makes a browser send. Whoever owns the rack's files is let in as everywhere. Raises NotSignedIn
    or NotAllowed.
    """
    token, rack = token_of(request.scope), _rack(request)
    if token is None:
        return _acting(request)
    actor = rack.sessions.who(token, source_of(request.scope)).actor
    rack.people.refuse_unless_allowed(actor, _action(request))
    return By.person(actor)


Somebody = Annotated[Actor, Depends(somebody)]
InPerson = Annotated[Actor, Depends(in_person)]
InPersonOrByToken = Annotated[Sender, Depends(in_person_or_by_token)]
Acting = Annotated[By, Depends(acting)]
Taking = Annotated[By, Depends(taking)]

GUARDS: Final[frozenset[Callable[..., Any]]] = frozenset(
    {in_person, in_person_or_by_token, acting, taking}
)
"""Those that hold a request to the action that its route declares."""


def only_as(actor: Actor, operator: str | None) -> Actor:
    """The same; raises NotSignedIn where the request names somebody else."""
    if operator not in (None, actor.person):
        message = f"it is {actor.person} who is signed in here, not {operator}"
        raise NotSignedIn(message)
    return actor


def sent_by(sender: Sender, operator: str | None) -> Who:
    """The sender for the record; NotSignedIn where the request names somebody else."""
    if isinstance(sender, Actor):
        return Who.of(only_as(sender, operator))
    if operator is not None:
        raise NotSignedIn("a token is nobody's: leave `operator` out")
    return Who.of_system(sender)


def _rack(request: Request) -> ServedRack:
    return cast("ServedRack", request.app.state.rack)


def _action(request: Request) -> Action:
    served = served_of(request.scope["endpoint"])
    if served is None or served.action is None:
        message = "this route declares no action"
        raise NotAllowed(message)
    return served.action
