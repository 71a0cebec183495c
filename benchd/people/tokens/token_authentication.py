"""Tells whose token a request carries and whether it may ask now; what is refused is logged."""

from __future__ import annotations

from collections.abc import Callable, Collection
from datetime import datetime

import structlog

from benchd.domain.errors import NotSignedIn, TriedTooOften
from benchd.domain.people import By
from benchd.domain.token import Scope, Token, TokenName
from benchd.domain.token_bucket import Buckets
from benchd.people.tokens.token_register import Tokens

MOST_SHARES = 1024
"""More than a rack has tokens; only one that counts has a share."""
LOGGED_EACH_S = 10.0
"""A flood of guesses writes one line in so many seconds, with how many it stands for."""

_log = structlog.get_logger()


def shares(per_minute: int, now: Callable[[], float]) -> Buckets[TokenName]:
    """How often each token may ask; so many may also come at once."""
    return Buckets(per_s=per_minute / 60, at_once=per_minute, most=MOST_SHARES, now=now)


class TokenAuthenticator:
    """The register as the web asks it."""

    def __init__(
        self, tokens: Tokens, shares: Buckets[TokenName], now: Callable[[], float]
    ) -> None:
        self._tokens = tokens
        self._shares = shares
        self._now = now
        self._logged_s: float | None = None
        self._not_logged = 0

    def admit(self, secret: str, source: str) -> Token:
        """Whose secret it is, and one request less for it. NotSignedIn, or TriedTooOften for now.

        Whoever guesses takes nothing from anybody's share: only a token that counts has one.
        """
        try:
            token = self._tokens.holder(secret)
        except NotSignedIn as refused:
            self._tell(str(refused), source)
            raise
        wait_s = self._shares.take_or_wait_s(token.name)
        if wait_s > 0:
            message = f"token {token.name} asks too often: wait for {wait_s:.1f} s"
            raise TriedTooOften(message, wait_s=wait_s)
        return token

    def now(self) -> datetime:
        """The time that tokens go by."""
        return self._tokens.now()

    @property
    def all(self) -> tuple[Token, ...]:
        """Each token there has ever been."""
        return self._tokens.all

    async def create(
        self, by: By, name: str, scopes: Collection[Scope], *, days: int
    ) -> tuple[Token, str]:
        """A new token and its secret; raises TokenRefused."""
        return await self._tokens.create(by, name, scopes, days=days)

    async def rotate(
        self, by: By, name: str, *, days: int, overlap_hours: float
    ) -> tuple[Token, str]:
        """A token with a new secret, and that; raises NotFound or TokenRefused."""
        return await self._tokens.rotate(by, name, days=days, overlap_hours=overlap_hours)

    async def revoke(self, by: By, name: str) -> Token:
        """Let a token do nothing any more; raises NotFound or TokenRefused."""
        return await self._tokens.revoke(by, name)

    def _tell(self, why: str, source: str) -> None:
        now = self._now()
        if self._logged_s is not None and now - self._logged_s < LOGGED_EACH_S:
            self._not_logged += 1
            return
        before, self._not_logged, self._logged_s = self._not_logged, 0, now
        _log.warning("token_refused", source=source, detail=why, not_logged_before=before)
