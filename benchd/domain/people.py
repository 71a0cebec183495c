"""People as the ledger and the certificate know them: who, with which roles, how it was shown."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from benchd.domain.ids import OperatorName

PersonId = NewType("PersonId", str)
"""Lower-case letters, digits and hyphens; never given to anybody else."""


PERSON_ID = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")


class Role(StrEnum):
    """What somebody may do; a person can have several."""

    OPERATOR = "operator"
    CONFIRMER = "confirmer"
    SUPERVISOR = "supervisor"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    """Reads, and changes nothing."""


class ShownBy(StrEnum):
    """How somebody showed who they are."""

    BADGE = "badge"
    """The badge alone, which can be photographed."""
    PIN = "pin"
    BADGE_AND_PIN = "badge_and_pin"
    UNIX = "unix"
    """The user id at the other end of the Unix socket."""
    PROXY = "proxy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something, how that was shown, and from where."""

    person: PersonId
    name: OperatorName
    shown_by: ShownBy
    source: str
    """`socket, uid N`, or the address of the peer or of the trusted proxy's visitor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who somebody is and what they may do; the marks name their secrets and tell nothing."""

    id: PersonId
    name: OperatorName
    reading: str
    roles: frozenset[Role]
    badge: str | None = None
    """The mark of the badge that counts."""
    pin: str | None = None
    """The mark of the PIN that counts."""
    disabled_from: datetime | None = None

    def is_disabled(self, at: datetime) -> bool:
        """Whether they may do nothing at this time."""
        return self.disabled_from is not None and self.disabled_from <= at


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Whose doing something is: a person's, or of whoever owns the rack's files."""

    actor: Actor | None
    source: str
    """From where, as `Actor.source`."""

    @classmethod
    def person(cls, actor: Actor) -> By:
        """By somebody who has shown who they are."""
        return cls(actor=actor, source=actor.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Somebody at a screen."""

    actor: Actor
    person: Person
    csrf: str
    """What a request has to carry beside the cookie that does something."""
    idle_s: float
    """After how many seconds without being used it is locked."""
    token: str = ""
    """For the cookie; told only once, when it is opened."""
