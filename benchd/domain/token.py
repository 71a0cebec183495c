"""Tokens as the ledger and the web know them: what another system may ask for, and until when."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from benchd.domain.people import PERSON_ID

TokenName = NewType("TokenName", str)
"""Lower-case letters, digits and hyphens; never given to another token."""

TOKEN_NAME = PERSON_ID
TOKEN_SECRET = re.compile(r"benchd_[A-Za-z0-9_-]{43}")
"""How a secret looks, so that one in the wrong place is recognised, also by programs that scan."""
SECRET_BYTES = 32
"""Nobody guesses 256 bits, so a plain hash of them tells nothing and needs no salt."""
LONGEST_DAYS = 730


class Scope(StrEnum):
    """What a token is for; each one holds nothing of another."""

    INTAKE_WRITE = "intake:write"
    """To create lots and assets."""
    INTAKE_READ = "intake:read"
    """To read lots and assets."""
    CERTIFICATES_READ = "certificates:read"
    """To find certificates and fetch them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Former:
    """The secret before the last rotation, which counts for a while longer."""

    mark: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """What a token is for and until when; a mark is the SHA-256 of its secret."""

    name: TokenName
    scopes: frozenset[Scope]
    mark: str
    expires_at: datetime
    former: Former | None = None
    revoked_at: datetime | None = None

    def is_over(self, at: datetime) -> bool:
        """Whether none of its secrets counts any more."""
        return self.revoked_at is not None or self.expires_at <= at

    def former_until(self, at: datetime) -> datetime | None:
        """Until when the secret before the last rotation still counts; None where it doesn't."""
        if self.former is None or self.former.until <= at or self.is_over(at):
            return None
        return self.former.until


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """Another system that does something, by its token: nobody's person, and no second one."""

    name: TokenName
    source: str
    """The address of the peer, as `Actor.source`."""


def secret_of(drawn: bytes) -> str:
    """A secret of `SECRET_BYTES` drawn bytes, in the letters that an Authorization header takes."""
    return f"benchd_{base64.urlsafe_b64encode(drawn).rstrip(b'=').decode('ascii')}"


def mark_of(secret: str) -> str:
    """What is kept of a secret. It is looked up by this, so no comparison tells of the secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
