"""From records of the ledger to what a hook is told: CloudEvents 1.0, JSON, structured mode.

An event is a function of the ledger up to its record, so that sending it again is the same event.
Source: CloudEvents 1.0.2, and its extension `sequence`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from benchd.domain.errors import CertificateGap
from benchd.domain.hook import HookEventKind, HookTerms
from benchd.domain.ids import Evidence, JobId, JsonValue
from benchd.domain.job import Disposition, Outcome, Reason
from benchd.domain.plain_text import printable
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.proof.disposal_fold import disposal_evidence_of
from benchd.proof.job_history import fold_job
from benchd.proof.ports import CertificateIssuer
from benchd.signing import canonical

MEDIA_TYPE: Final = "application/cloudevents+json; charset=utf-8"
LONGEST_WORD: Final = 100
"""Characters of what a handset or the papers say."""
EVERY_LANE: Final = ""
"""Of an event whose handset isn't known: it goes after all before it, and all others after it."""

KIND_OF: Final[Mapping[EntryKind, HookEventKind]] = MappingProxyType(
    {
        EntryKind.JOB_OPENED: HookEventKind.JOB_STARTED,
        EntryKind.QUESTION_ASKED: HookEventKind.QUESTION_WAITING,
        EntryKind.JOB_ENDED: HookEventKind.JOB_ENDED,
        EntryKind.HANDSET_SETTLED: HookEventKind.DISPOSITION_SETTLED,
        EntryKind.ASSET_UNERASABLE: HookEventKind.DISPOSITION_SETTLED,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Which rack tells."""

    site: str
    ledger: str
    """The hash of the ledger's first record, as hex: no key and no name changes it."""

    @property
    def uri(self) -> str:
        """The same as CloudEvents want it."""
        return f"urn:benchd:ledger:{self.ledger[:32]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class HookEvent:
    """One thing that happened, as it is sent."""

    kind: HookEventKind
    sequence: int
    id: str
    """The idempotency key: the number of the record and the begin of its hash."""
    job: JobId
    lot: str | None
    disposition: Disposition | None
    body: bytes

    def is_for(self, terms: HookTerms) -> bool:
        """Whether a hook wants it; what a filter asks for and isn't known yet doesn't pass."""
        return (
            self.kind in terms.events
            and (not terms.lots or self.lot in terms.lots)
            and (not terms.dispositions or self.disposition in terms.dispositions)
        )


def lane_of(records: Sequence[StoredEntry]) -> str:
    """In which order events stay: one lane for each handset, by the serial of its plug.

    Hashed, since it is kept in a file. Two handsets with one serial share a lane, which is only
    slower.
    """
    serial = records[0].entry.data.get("usb_serial") if records else None
    if not isinstance(serial, str) or not serial:
        return EVERY_LANE
    return hashlib.sha256(serial.encode("utf-8", "replace")).hexdigest()[:24]


def event_of(
    record: StoredEntry,
    of_job: Sequence[StoredEntry],
    *,
    source: Source,
    issuer: CertificateIssuer,
) -> HookEvent | None:
    """What a record tells; None where it's nothing for hooks, or its job isn't on record.

    `of_job` are the job's records, in order.
    """
    kind, job = KIND_OF.get(record.entry.kind), record.entry.job
    told = [each for each in of_job if each.sequence <= record.sequence]
    if kind is None or job is None or not told or told[-1].sequence != record.sequence:
        return None
    data: dict[str, JsonValue] = {"site": source.site, "job": job}
    if told[0].entry.kind is EntryKind.ASSET_UNERASABLE:
        data |= _of_case(told[0].entry)
    elif told[0].entry.kind is EntryKind.JOB_OPENED:
        data |= _of_job(told, issuer)
    else:
        return None
    data |= _of_record(record.entry)
    lot, disposition = data.get("lot"), data.get("disposition")
    event_id = f"{record.sequence}-{record.hash_hex[:16]}"
    told_event: Evidence = {
        "specversion": "1.0",
        "id": event_id,
        "source": source.uri,
        "type": f"benchd.{kind}",
        "subject": job,
        "time": record.entry.at.isoformat().replace("+00:00", "Z"),
        "datacontenttype": "application/json",
        "sequence": f"{record.sequence:020d}",
        "data": data,
    }
    return HookEvent(
        kind=kind,
        sequence=record.sequence,
        id=event_id,
        job=job,
        lot=lot if isinstance(lot, str) else None,
        disposition=Disposition(disposition) if isinstance(disposition, str) else None,
        body=canonical.encode(told_event),
    )


def _of_job(told: Sequence[StoredEntry], issuer: CertificateIssuer) -> dict[str, JsonValue]:
    opened = told[0].entry
    ended = any(each.entry.kind is EntryKind.JOB_ENDED for each in told)
    try:
        history = fold_job(told, issuer)
    except (CertificateGap, ValueError):
        # Whatever can't be read is nothing that anybody may sell.
        broken: dict[str, JsonValue] = {
            "outcome": Outcome.FAILED,
            "disposition": Disposition.HOLD,
            "reason": Reason.RECORD_BROKEN,
            "certificate": None,
        }
        return {
            **_place(opened),
            "recipe": None,
            "lot": None,
            "tag": None,
            "handset": None,
            **(broken if ended else {}),
        }
    asset = history.asset or {}
    ending: dict[str, JsonValue] = {
        "outcome": history.outcome,
        "disposition": history.disposition,
        "reason": history.reason,
        "certificate": None
        if history.envelope is None
        else hashlib.sha256(history.envelope).hexdigest(),
    }
    return {
        **_place(opened),
        "recipe": _word(history.recipe),
        "lot": _word(asset.get("lot")),
        "tag": _word(asset.get("tag")),
        "handset": None if history.handset is None else _handset(history.handset),
        **(ending if ended else {}),
    }


def _of_case(entry: Entry) -> dict[str, JsonValue]:
    """An asset that couldn't even be plugged in: it has a number, and no job was run."""
    return {
        "slot": None,
        "recipe": None,
        "lot": _word(entry.data.get("lot")),
        "tag": _word(entry.data.get("tag")),
        "handset": None,
        "outcome": Outcome.FAILED,
        "disposition": Disposition.DESTROY,
        "reason": None,
        "certificate": None,
    }


def _of_record(entry: Entry) -> dict[str, JsonValue]:
    match entry.kind:
        case EntryKind.QUESTION_ASKED:
            return {"gate": _word(entry.data.get("gate"))}
        case EntryKind.ASSET_UNERASABLE:
            return {"before": None, "to": "to_destroy", "batch": None, "number": None}
        case EntryKind.HANDSET_SETTLED:
            try:
                told = disposal_evidence_of(entry)
            except CertificateGap:
                return {"before": None, "to": None, "batch": None, "number": None}
            return {
                "before": told.before,
                "to": told.to,
                "batch": _word(told.batch),
                "number": _word(told.number),
            }
        case _:
            return {}


def _place(opened: Entry) -> dict[str, JsonValue]:
    return {"slot": opened.slot}


def _handset(inspected: Evidence) -> Evidence:
    names = ("manufacturer", "model", "serial", "imei", "second_imei")
    return {name: _word(inspected.get(name)) for name in names}


def _word(value: object) -> str | None:
    return printable(value, LONGEST_WORD) if isinstance(value, str) and value else None
