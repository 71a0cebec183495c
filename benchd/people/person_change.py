"""A change of one person as the ledger has it: all that is known of them after it, no secrets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from benchd.domain.errors import CertificateGap, LedgerFault
from benchd.domain.evidence_json import from_json, to_json
from benchd.domain.evidence_values import Moment, Said, Sha256
from benchd.domain.ids import OperatorName
from benchd.domain.people import By, Person, PersonId, Role, ShownBy
from benchd.domain.record import Entry, EntryKind, StoredEntry

FORM = 1


class Change(StrEnum):
    """What has changed."""

    ADDED = "added"
    ROLES = "roles"
    BADGE = "badge"
    PIN = "pin"
    DISABLED = "disabled"
    ENABLED = "enabled"


@dataclass(frozen=True, slots=True, kw_only=True)
class _PersonRecord:
    form: Literal[1]
    change: Change
    person: Said
    name: Said
    reading: str
    roles: tuple[Role, ...]
    badge_sha256: Sha256 | None
    pin_sha256: Sha256 | None
    disabled_from: Moment | None
    by: str | None
    by_name: str | None
    shown_by: ShownBy | None
    source: str


def entry_of(change: Change, person: Person, *, by: By, at: datetime) -> Entry:
    """The record of a change; `person` is as they are after it."""
    record = _PersonRecord(
        form=FORM,
        change=change,
        person=person.id,
        name=person.name,
        reading=person.reading,
        roles=tuple(role for role in Role if role in person.roles),
        badge_sha256=person.badge,
        pin_sha256=person.pin,
        disabled_from=person.disabled_from,
        by=by.actor.person if by.actor else None,
        by_name=by.actor.name if by.actor else None,
        shown_by=by.actor.shown_by if by.actor else None,
        source=by.source,
    )
    return Entry(kind=EntryKind.PERSON_CHANGED, at=at, data=to_json(record))


def fold(records: Iterable[StoredEntry]) -> dict[PersonId, Person]:
    """Everybody as the newest record on them says, in the order in which they came.

    Whom a newer release has told of in words that this one doesn't know may do nothing until
    somebody changes them anew. Raises LedgerFault where nobody could say who that is.
    """
    people: dict[PersonId, Person] = {}
    for stored in records:
        try:
            told = from_json(_PersonRecord, stored.entry.data, f"record {stored.sequence}")
        except CertificateGap as error:
            unreadable = _shut_out(stored, error)
            people[unreadable.id] = unreadable
            continue
        people[PersonId(told.person)] = Person(
            id=PersonId(told.person),
            name=OperatorName(told.name),
            reading=told.reading,
            roles=frozenset(told.roles),
            badge=told.badge_sha256,
            pin=told.pin_sha256,
            disabled_from=told.disabled_from,
        )
    return people


def _shut_out(stored: StoredEntry, gap: CertificateGap) -> Person:
    """Somebody by a record that can't be read; their badge and PIN are theirs still."""
    data = stored.entry.data
    told, name = data.get("person"), data.get("name")
    if not isinstance(told, str) or not told:
        message = f"the ledger tells of people in a form that this benchd doesn't know: {gap}"
        raise LedgerFault(message) from gap
    badge, pin = (data.get(key) for key in ("badge_sha256", "pin_sha256"))
    return Person(
        id=PersonId(told),
        name=OperatorName(name if isinstance(name, str) else told),
        reading="",
        roles=frozenset(),
        badge=badge if isinstance(badge, str) else None,
        pin=pin if isinstance(pin, str) else None,
        disabled_from=stored.entry.at,
    )
