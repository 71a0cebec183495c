"""The routes of tokens: which there are, and how that changes. Over the Unix socket only."""

# Annotations name what is made in the function, so they are read at once.

from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from benchd.domain.authority import Action
from benchd.domain.token import Scope, Token
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.acting_person import Acting
from benchd.web.error_answers import DECISION, INVALID, LEDGER, LONGEST_NAME, NOT_FOUND, SIGN_IN
from benchd.web.people_objects import (
    SecretObject,
    Text,
    TokenObject,
    TokensObject,
    token_shown,
)
from benchd.web.serialiser import WebRequest
from benchd.web.service import ServedRack

DEFAULT_DAYS = 365
DEFAULT_OVERLAP_HOURS = 24.0

TokenInPath = Annotated[str, Path(max_length=LONGEST_NAME)]
Days = Annotated[int, Field(ge=1, le=10_000)]
Hours = Annotated[float, Field(ge=0, le=10_000, allow_inf_nan=False)]


class TokenRequest(WebRequest):
    """A token to be created."""

    token: Text
    scopes: list[Scope]
    days: Days = DEFAULT_DAYS


class RotateRequest(WebRequest):
    """For how long the new secret counts, and for how much longer the old one."""

    days: Days = DEFAULT_DAYS
    overlap_hours: Hours = DEFAULT_OVERLAP_HOURS


def token_routes(rack: ServedRack) -> APIRouter:
    """`/api/v1/tokens`."""
    door = rack.tokens
    router = APIRouter(prefix="/api/v1/tokens", responses=INVALID | LEDGER | DECISION | SIGN_IN)

    def shown(token: Token) -> TokenObject:
        return token_shown(token, door.now())

    def with_secret(made: tuple[Token, str]) -> SecretObject:
        token, secret = made
        return SecretObject.of(shown(token), secret=secret)

    @router.get("")
    @served_to(AccessLevel.SOCKET, action=Action.ADMINISTER)
    async def tokens(_: Acting) -> TokensObject:
        """Every token there is or was."""
        return TokensObject(tokens=[shown(token) for token in door.all])

    @router.post("", status_code=201)
    @served_to(AccessLevel.SOCKET, action=Action.ADMINISTER)
    async def create(new: TokenRequest, by: Acting) -> SecretObject:
        """A new token; its secret is told here and never again."""
        return with_secret(await door.create(by, new.token, new.scopes, days=new.days))

    @router.put("/{token}/secret", responses=NOT_FOUND)
    @served_to(AccessLevel.SOCKET, action=Action.ADMINISTER)
    async def rotate(token: TokenInPath, asked: RotateRequest, by: Acting) -> SecretObject:
        """A new secret in place of the old one, which counts for a while longer."""
        return with_secret(
            await door.rotate(by, token, days=asked.days, overlap_hours=asked.overlap_hours)
        )

    @router.delete("/{token}", responses=NOT_FOUND)
    @served_to(AccessLevel.SOCKET, action=Action.ADMINISTER)
    async def revoke(token: TokenInPath, by: Acting) -> TokenObject:
        """Let a token do nothing any more."""
        return shown(await door.revoke(by, token))

    return router
