"""What a receiver may ask for: read with mistrust, and judged by what the ledger says.

Nothing that is asked for here changes where a job has sent its handset: it can be held back, and
it can be put where the configuration lets handsets of its disposition be put.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, cast

from benchd.domain.errors import CertificateGap
from benchd.domain.hook import (
    LONGEST_BIN,
    Direction,
    HookTerms,
    NextAction,
    NotTaken,
)
from benchd.domain.ids import JobId
from benchd.domain.job import Disposition
from benchd.domain.plain_text import printable
from benchd.domain.record import EntryKind, StoredEntry
from benchd.proof.job_history import ending_of
from benchd.proof.ports import CertificateIssuer

LARGEST_REPLY_BYTES: Final = 16 * 1024
HOLDS: Final = frozenset({Disposition.HOLD, Disposition.RETURN, Disposition.DESTROY})
"""Where nothing but a person's word leads out of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a reply says; `action` None where it says something that isn't understood."""

    action: NextAction | None
    bin: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobNow:
    """What is on record of the job that a reply is about."""

    job: JobId
    ended: bool
    disposition: Disposition | None
    holder: str | None = None
    """The hook that holds its handset back."""


def read_reply(body: bytes) -> Asked | None:
    """What a body asks for; None where it asks for nothing. Never raises.

    One that is too long may ask for something, so it counts as not understood.
    """
    if len(body) > LARGEST_REPLY_BYTES:
        return Asked(action=None)
    said = _object(body)
    if said.get("next_action") is None:
        return None
    match said.get("next_action"), said.get("bin"):
        case NextAction.ROUTE, str() as place if 0 < len(place) <= LONGEST_BIN:
            return Asked(action=NextAction.ROUTE, bin=printable(place, LONGEST_BIN))
        case NextAction.HOLD, _:
            # Whatever else it says: a handset too many is held, none too few.
            return Asked(action=NextAction.HOLD)
        case (NextAction.REPRINT | NextAction.FREE_SLOT) as action, None:
            return Asked(action=NextAction(action))
        case _:
            return Asked(action=None)


def _object(body: bytes) -> Mapping[str, object]:
    """Empty for whatever isn't a JSON object: most receivers say "ok", or nothing."""
    try:
        told: object = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return cast("Mapping[str, object]", told) if isinstance(told, dict) else {}


def job_now(job: JobId, records: Sequence[StoredEntry], issuer: CertificateIssuer) -> JobNow:
    """What is on record of a job at this moment; what can't be read is on hold."""
    if any(each.entry.kind is EntryKind.ASSET_UNERASABLE for each in records):
        return JobNow(job=job, ended=True, disposition=Disposition.DESTROY)
    try:
        end = ending_of(records, issuer)
    except (CertificateGap, ValueError):
        return JobNow(job=job, ended=True, disposition=Disposition.HOLD)
    disposition = None if end is None else end.disposition
    return JobNow(job=job, ended=end is not None, disposition=disposition)


def refusal_of(asked: Asked, now: JobNow, terms: HookTerms) -> NotTaken | None:
    """Why it isn't done; None where it is."""
    match asked.action:
        case None:
            return NotTaken.NOT_UNDERSTOOD
        case NextAction.HOLD:
            return None
        case NextAction.REPRINT | NextAction.FREE_SLOT:
            return None if now.ended else NotTaken.STILL_RUNS
        case NextAction.ROUTE:
            return _refusal_of_route(asked.bin, now, terms)


def _refusal_of_route(place: str | None, now: JobNow, terms: HookTerms) -> NotTaken | None:
    if not now.ended or now.disposition is None:
        return NotTaken.STILL_RUNS
    disposition = now.disposition
    if disposition is Disposition.SELLABLE and now.holder is not None:
        disposition = Disposition.HOLD
    if place in terms.bins.get(disposition, ()):
        return None
    may_be_sold = place in terms.bins.get(Disposition.SELLABLE, ())
    return NotTaken.ON_HOLD if may_be_sold else NotTaken.UNKNOWN_BIN


def direction_of(asked: Asked, now: JobNow, terms: HookTerms, *, sequence: int) -> Direction:
    """What goes on record of a reply."""
    return Direction(
        hook=terms.name,
        sequence=sequence,
        job=now.job,
        action=asked.action,
        bin=asked.bin,
        refused=refusal_of(asked, now, terms),
    )
