"""Who sends lots and assets in: a person, or another system by its token."""

from __future__ import annotations

from fastapi import Request

from benchd.authority import AUTHORITY, Action
from benchd.errors import NotAllowed, NotSignedIn
from benchd.proof.evidence.intake import Who
from benchd.web.callers import caller_of
from benchd.web.peer import source_of
from benchd.web.who import InPerson, WhoActs, only_as
from benchd.words.people import Actor
from benchd.words.token import System

Sender = Actor | System


class InPersonOrByToken:
    """Dependency: who does what another system may do too, by a token that has the scope for it.

    The doorman has admitted the token; what the table gives no scope takes a person.
    """

    def __init__(self, action: Action, who: WhoActs) -> None:
        """Take what is done, and who knows whether one may."""
        self.action = action
        self._in_person = InPerson(action, who)

    def __call__(self, request: Request) -> Sender:
        """Raises NotSignedIn or NotAllowed."""
        token = caller_of(request.scope).token
        if token is None:
            return self._in_person(request)
        if AUTHORITY[self.action].scope not in token.scopes:
            message = f"token {token.name} isn't for this: its scopes say what it is for"
            raise NotAllowed(message)
        return System(name=token.name, source=source_of(request.scope))


def sent_by(sender: Sender, operator: str | None) -> Who:
    """The sender for the record; NotSignedIn where the request names somebody else."""
    if isinstance(sender, Actor):
        return Who.of(only_as(sender, operator))
    if operator is not None:
        raise NotSignedIn("a token is nobody's: leave `operator` out")
    return Who.of_system(sender)
