"""Whose a request is that does something, and whether they may do it: the one place that says.

Who sends a request has been shown at the door (`callers.py`); a session's cookie counts here only
together with its CSRF token. Every route that changes anything has one of these as a dependency; a
test walks the routes and fails for one that has none.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from fastapi import Request

from benchd.authority import Action
from benchd.errors import NotAllowed, NotSignedIn
from benchd.web.callers import caller_of, token_of
from benchd.web.peer import peer_of, source_of
from benchd.web.service import PeopleDoor, SessionDoor
from benchd.web.sight import Sight
from benchd.words.people import Actor, By

CSRF_HEADER = "x-benchd-csrf"
ROOT = 0
"""The uid that may do anything anyway."""


@dataclass(frozen=True, slots=True)
class WhoActs:
    """Who knows of people and of those who are signed in; without, nobody is anybody."""

    people: PeopleDoor | None
    sessions: SessionDoor | None


class Somebody:
    """Dependency: who sent this, whatever it is that they want."""

    def __init__(self, who: WhoActs) -> None:
        self._who = who

    def __call__(self, request: Request) -> Actor:
        """Raises NotSignedIn."""
        token, sessions = token_of(request.scope), self._who.sessions
        if token is not None and sessions is not None:
            csrf = request.headers.get(CSRF_HEADER, "")
            return sessions.use(token, csrf, source_of(request.scope)).actor
        actor = caller_of(request.scope).actor
        if actor is None or token is not None:
            message = (
                "sign in first: with your badge or your id and PIN, or on the rack's PC have your"
                " user entered under [people.unix]"
            )
            raise NotSignedIn(message)
        return actor


class InPerson:
    """Dependency: who does what takes authority, and has to be somebody by their id."""

    def __init__(self, action: Action, who: WhoActs) -> None:
        """Take what is done, and who knows whether one may."""
        self.action = action
        self._people = who.people
        self._somebody = Somebody(who)

    def __call__(self, request: Request) -> Actor:
        """Raises NotSignedIn or NotAllowed."""
        actor = self._somebody(request)
        self.refuse_unless_allowed(actor)
        return actor

    def refuse_unless_allowed(self, actor: Actor) -> None:
        """Raise NotAllowed unless they may and have shown enough."""
        if self._people is None:
            raise NotAllowed("this rack has no people")
        self._people.refuse_unless_allowed(actor, self.action)


class Acting:
    """Dependency: by whom something is done that takes authority.

    Besides people it lets in whoever owns the rack's files, root and benchd's own user on the Unix
    socket: they could change those anyway.
    """

    def __init__(self, action: Action, who: WhoActs) -> None:
        """Take what is done, and who knows whether one may."""
        self.action = action
        self._in_person = InPerson(action, who)

    def __call__(self, request: Request) -> By:
        """Raises NotSignedIn or NotAllowed."""
        scope = request.scope
        peer = peer_of(scope)
        here = caller_of(scope).sight is Sight.SOCKET and token_of(scope) is None
        if here and peer is not None and peer.uid in {ROOT, os.geteuid()}:
            return By(actor=None, source=source_of(scope))
        return By.person(self._in_person(request))


def only_as(actor: Actor, operator: str | None) -> Actor:
    """The same; raises NotSignedIn where the request names somebody else."""
    if operator not in (None, actor.person):
        message = f"it is {actor.person} who is signed in here, not {operator}"
        raise NotSignedIn(message)
    return actor
