"""Whose a request is: a session's by its cookie, or a user's of this machine by the Unix socket.

Every route that changes anything has one of these as a dependency; a test walks the routes and
fails for one that has none.
"""

from __future__ import annotations

import os

from fastapi import Request
from starlette.types import Scope

from benchd.authority import Action
from benchd.errors import NotAllowed, NotSignedIn
from benchd.web.peer import peer_of
from benchd.web.service import PeopleDoor, SessionDoor
from benchd.words.people import Actor, By

COOKIE = "benchd_session"
CSRF_HEADER = "x-benchd-csrf"
ROOT = 0
"""The uid that may do anything anyway."""


def source_of(scope: Scope) -> str:
    """From where a request comes, as the record has it."""
    peer = peer_of(scope)
    if peer is not None:
        return f"socket, uid {peer.uid}"
    client = scope.get("client")
    return str(client[0]) if client else "unknown"


class Somebody:
    """Dependency: who sent this, whatever it is that they want."""

    def __init__(self, sessions: SessionDoor | None) -> None:
        """Take who knows of sessions; without, nobody is anybody."""
        self._sessions = sessions

    def __call__(self, request: Request) -> Actor:
        """Raises NotSignedIn."""
        if self._sessions is None:
            raise NotSignedIn("this rack has no people")
        token = request.cookies.get(COOKIE)
        if token is not None:
            csrf = request.headers.get(CSRF_HEADER, "")
            return self._sessions.use(token, csrf, source_of(request.scope)).actor
        peer = peer_of(request.scope)
        if peer is None:
            raise NotSignedIn("sign in first: scan your badge, or give your id and PIN")
        return self._sessions.of_uid(peer.uid)


class Acting:
    """Dependency: by whom something is done that takes authority.

    Besides people it lets in whoever owns the rack's files, root and benchd's own user on the Unix
    socket: they could change those anyway.
    """

    def __init__(
        self, action: Action, people: PeopleDoor | None, sessions: SessionDoor | None
    ) -> None:
        """Take what is done, and who knows whether one may."""
        self.action = action
        self._people = people
        self._somebody = Somebody(sessions)

    def __call__(self, request: Request) -> By:
        """Raises NotSignedIn or NotAllowed."""
        peer = peer_of(request.scope)
        owns = peer is not None and peer.uid in {ROOT, os.geteuid()}
        if owns and COOKIE not in request.cookies:
            return By(actor=None, source=source_of(request.scope))
        actor = self._somebody(request)
        if self._people is None:
            raise NotAllowed("this rack has no people")
        self._people.refuse_unless_allowed(actor, self.action)
        return By.person(actor)
