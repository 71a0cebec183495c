"""The rack's tokens: read from its ledger, by the daemon or by a command while none runs."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import structlog

from benchd.config import Settings
from benchd.config.config_sections import TokenSettings
from benchd.daemon.rack_people import ledger_on_disk
from benchd.daemon.system_clock import SystemClock, SystemEntropy
from benchd.domain.ids import JsonValue
from benchd.domain.record import Entry, EntryKind, Receipt
from benchd.domain.token import Token
from benchd.ledger.ledger_access import SqliteLedger
from benchd.people.tokens.token_authentication import TokenAuthenticator, shares
from benchd.people.tokens.token_register import Tokens
from benchd.proof.time_basis import latest_known
from benchd.web.people_objects import token_shown

TOLD_BEFORE = timedelta(days=21)
"""How long before its end a token is a warning at each start."""

_log = structlog.get_logger()


async def open_tokens(
    records: SqliteLedger,
    append: Callable[[Entry], Awaitable[Receipt]],
    seen: datetime | None,
) -> Tokens:
    """The tokens of this ledger. Raises LedgerFault when they can't be read.

    `seen` is the latest time that the ledger knows of, as `latest_time` tells it.
    """
    tokens = Tokens(append, SystemClock(), SystemEntropy())
    tokens.load(await records.of_kind(EntryKind.TOKEN_CHANGED), seen)
    return tokens


async def latest_time(ledger: SqliteLedger) -> datetime | None:
    """What time it has been at least, before this start writes by a clock that may be set back.

    Where one was set back before, each such record knows by how much: a machine whose clock begins
    anew at every boot steps back again and again. Raises LedgerFault.
    """
    newest = await ledger.entry_at(ledger.head.sequence)
    steps = await ledger.of_kind(EntryKind.CLOCK_STEPPED)
    return latest_known((*(() if newest is None else (newest,)), *steps))


def tell_of_ends(tokens: Tokens) -> None:
    """Warn of each that ends soon: the other system would notice it at night, by a refusal."""
    now = tokens.now()
    for token in tokens.all:
        if not token.is_over(now) and token.expires_at - now < TOLD_BEFORE:
            _log.warning(
                "token_ends",
                name=token.name,
                at=token.expires_at.isoformat(),
                cure=f"benchd tokens rotate {token.name}",
            )


def token_authenticator(tokens: Tokens, settings: TokenSettings) -> TokenAuthenticator:
    """How the web asks for them; which of them end soon is told at once."""
    tell_of_ends(tokens)
    return TokenAuthenticator(tokens, shares(settings.per_minute, time.monotonic), time.monotonic)


@asynccontextmanager
async def tokens_on_disk(settings: Settings) -> AsyncGenerator[Tokens]:
    """The same for a command. Raises LedgerFault while the daemon has the ledger."""
    async with ledger_on_disk(settings) as (ledger, _):
        yield await open_tokens(ledger, ledger.append, await latest_time(ledger))


def token_json(tokens: Tokens, token: Token) -> dict[str, JsonValue]:
    """A token as the API tells of it, for a command on the files."""
    return token_shown(token, tokens.now()).model_dump(mode="json")
