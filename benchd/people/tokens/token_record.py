"""A change of one token as the ledger has it: all that is known of it after it, no secret."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from benchd.domain.errors import CertificateGap, LedgerFault
from benchd.domain.evidence_json import from_json, to_json
from benchd.domain.evidence_values import Moment, OneOrMore, Said, Sha256
from benchd.domain.people import By, ShownBy
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.domain.token import Former, Scope, Token, TokenName

FORM = 1


class Change(StrEnum):
    """What has changed."""

    CREATED = "created"
    ROTATED = "rotated"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class _TokenRecord:
    form: Literal[1]
    change: Change
    token: Said
    scopes: OneOrMore[Scope]
    secret_sha256: Sha256
    expires_at: Moment
    former_sha256: Sha256 | None
    former_until: Moment | None
    revoked_at: Moment | None
    by: str | None
    by_name: str | None
    shown_by: ShownBy | None
    source: str


def entry_of(change: Change, token: Token, *, by: By, at: datetime) -> Entry:
    """The record of a change; `token` is as it is after it."""
    record = _TokenRecord(
        form=FORM,
        change=change,
        token=token.name,
        scopes=tuple(scope for scope in Scope if scope in token.scopes),
        secret_sha256=token.mark,
        expires_at=token.expires_at,
        former_sha256=token.former.mark if token.former else None,
        former_until=token.former.until if token.former else None,
        revoked_at=token.revoked_at,
        by=by.actor.person if by.actor else None,
        by_name=by.actor.name if by.actor else None,
        shown_by=by.actor.shown_by if by.actor else None,
        source=by.source,
    )
    return Entry(kind=EntryKind.TOKEN_CHANGED, at=at, data=to_json(record))


def fold(records: Iterable[StoredEntry]) -> dict[TokenName, Token]:
    """Each token as the newest record on it says, in the order in which they were created.

    One of which a newer release has told in words that this one doesn't know counts as revoked.
    Raises LedgerFault where nobody could say which that is.
    """
    tokens: dict[TokenName, Token] = {}
    for stored in records:
        try:
            told = from_json(_TokenRecord, stored.entry.data, f"record {stored.sequence}")
        except CertificateGap as error:
            unreadable = _revoked(stored, error)
            tokens[unreadable.name] = unreadable
            continue
        name = TokenName(told.token)
        tokens[name] = Token(
            name=name,
            scopes=frozenset(told.scopes),
            mark=told.secret_sha256,
            expires_at=told.expires_at,
            former=_former(told),
            revoked_at=told.revoked_at,
        )
    return tokens


def _former(told: _TokenRecord) -> Former | None:
    if told.former_sha256 is None or told.former_until is None:
        return None
    return Former(mark=told.former_sha256, until=told.former_until)


def _revoked(stored: StoredEntry, gap: CertificateGap) -> Token:
    """A token by a record that can't be read: nobody knows what it may do."""
    told, mark = stored.entry.data.get("token"), stored.entry.data.get("secret_sha256")
    if not isinstance(told, str) or not told:
        message = f"the ledger tells of tokens in a form that this benchd doesn't know: {gap}"
        raise LedgerFault(message) from gap
    return Token(
        name=TokenName(told),
        scopes=frozenset(),
        mark=mark if isinstance(mark, str) else "",
        expires_at=stored.entry.at,
        former=None,
        revoked_at=stored.entry.at,
    )
