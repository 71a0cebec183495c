"""Every token of the rack, and how that changes: the ledger first, then it counts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import anyio

from benchd.domain.errors import NotFound, NotSignedIn, TokenRefused
from benchd.domain.people import By
from benchd.domain.ports import Clock, Entropy
from benchd.domain.record import Entry, Receipt, StoredEntry
from benchd.domain.token import (
    LONGEST_DAYS,
    SECRET_BYTES,
    TOKEN_NAME,
    Former,
    Scope,
    Token,
    TokenName,
    mark_of,
    secret_of,
)
from benchd.people.tokens.token_record import Change, entry_of, fold

MOST_TOKENS = 1000
"""Those that were revoked as well: a name is never given away anew."""
LONGEST_OVERLAP_HOURS = 24 * 30

_UNKNOWN = "no token of this rack: look whether it is whole, or has been rotated since"


class Tokens:
    """The register; `load` before anything else."""

    def __init__(
        self,
        append: Callable[[Entry], Awaitable[Receipt]],
        clock: Clock,
        entropy: Entropy,
    ) -> None:
        self._append = append
        self._clock = clock
        self._entropy = entropy
        self._latest = datetime.min.replace(tzinfo=UTC)
        self._tokens: dict[TokenName, Token] = {}
        self._by_mark: dict[str, TokenName] = {}
        self._changing = anyio.Lock()

    def load(self, records: Sequence[StoredEntry], seen: datetime | None = None) -> None:
        """Know which there are by the ledger's records of tokens.

        It is at least as late as it was `seen` to be before.
        """
        known = [record.entry.at for record in records]
        self._latest = max((self._latest, *known, *(() if seen is None else (seen,))))
        self._know(fold(records))

    @property
    def all(self) -> tuple[Token, ...]:
        """Each token there has ever been, in the order in which they were created."""
        return tuple(self._tokens.values())

    def now(self) -> datetime:
        """The latest time that was ever seen: a clock that is set back revives no token."""
        self._latest = max(self._latest, self._clock.now())
        return self._latest

    def holder(self, secret: str) -> Token:
        """Whose secret this is; NotSignedIn for one that counts no more, or never did."""
        mark = mark_of(secret)
        token = self._tokens.get(self._by_mark.get(mark, TokenName("")))
        if token is None:
            raise NotSignedIn(_UNKNOWN)
        now = self.now()
        if token.revoked_at is not None:
            raise NotSignedIn(f"token {token.name} has been revoked")
        if token.is_over(now):
            raise NotSignedIn(f"token {token.name} has expired: have it rotated")
        if mark != token.mark and token.former_until(now) is None:
            raise NotSignedIn(f"token {token.name} has been rotated: this secret is the old one")
        return token

    async def create(
        self, by: By, name: str, scopes: Collection[Scope], *, days: int
    ) -> tuple[Token, str]:
        """A new token and its secret, which is told here and never again.

        Raises TokenRefused for a name that can't be one or was one before, and for no scope.
        """
        if not TOKEN_NAME.fullmatch(name):
            raise TokenRefused(
                "a token's name has 1 to 32 lower-case letters a-z, digits and hyphens between them"
            )
        if not scopes:
            raise TokenRefused(f"a token has one scope at least: {', '.join(Scope)}")
        async with self._changing:
            if TokenName(name) in self._tokens:
                raise TokenRefused(f"there is or was a token {name}: names are never reused")
            if len(self._tokens) >= MOST_TOKENS:
                raise TokenRefused(f"there are {MOST_TOKENS} tokens already, which is the most")
            secret = secret_of(self._entropy.token(SECRET_BYTES))
            token = Token(
                name=TokenName(name),
                scopes=frozenset(scopes),
                mark=mark_of(secret),
                expires_at=self._after(days),
            )
            return await self._change(Change.CREATED, token, by), secret

    async def rotate(
        self, by: By, name: str, *, days: int, overlap_hours: float
    ) -> tuple[Token, str]:
        """A new secret for a token; the old one counts for the overlap, never beyond its expiry.

        The one before the old one counts no more. Raises NotFound, or TokenRefused if revoked.
        """
        if not 0 <= overlap_hours <= LONGEST_OVERLAP_HOURS:
            message = f"an old secret counts for 0 to {LONGEST_OVERLAP_HOURS} hours longer"
            raise TokenRefused(message)
        async with self._changing:
            before = self._standing(name)
            until = min(before.expires_at, self.now() + timedelta(hours=overlap_hours))
            secret = secret_of(self._entropy.token(SECRET_BYTES))
            after = replace(
                before,
                mark=mark_of(secret),
                expires_at=self._after(days),
                former=Former(mark=before.mark, until=until),
            )
            return await self._change(Change.ROTATED, after, by), secret

    async def revoke(self, by: By, name: str) -> Token:
        """Let a token do nothing any more, for good. Raises NotFound or TokenRefused."""
        async with self._changing:
            revoked = replace(self._standing(name), revoked_at=self.now())
            return await self._change(Change.REVOKED, revoked, by)

    def _standing(self, name: str) -> Token:
        token = self._tokens.get(TokenName(name))
        if token is None:
            raise NotFound(f"there is no token {name[:40]!r}: `benchd tokens list` names them all")
        if token.revoked_at is not None:
            raise TokenRefused(f"token {token.name} has been revoked: create another one")
        return token

    def _after(self, days: int) -> datetime:
        if not 1 <= days <= LONGEST_DAYS:
            raise TokenRefused(f"a token counts for 1 to {LONGEST_DAYS} days")
        return self.now() + timedelta(days=days)

    async def _change(self, change: Change, after: Token, by: By) -> Token:
        # Not to be cut short between the record and what everybody goes by.
        with anyio.CancelScope(shield=True):
            await self._append(entry_of(change, after, by=by, at=self._clock.now()))
            self._know({**self._tokens, after.name: after})
        return after

    def _know(self, tokens: dict[TokenName, Token]) -> None:
        self._tokens = tokens
        self._by_mark = {
            mark: token.name
            for token in tokens.values()
            for mark in (token.former.mark if token.former else None, token.mark)
            if mark is not None
        }
