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
from benchd.domain.handset import BatteryWear
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
_NEVER_HERE: Final = {"slot": None, "recipe": None, "handset": None}
EVERY_LANE: Final = ""
"""Of an event whose handset isn't known: it goes after all before it, and all others after it."""

KIND_OF: Final[Mapping[EntryKind, HookEventKind]] = MappingProxyType(
    {
        EntryKind.JOB_OPENED: HookEventKind.JOB_STARTED,
        EntryKind.QUESTION_ASKED: HookEventKind.QUESTION_WAITING,
        EntryKind.JOB_ENDED: HookEventKind.JOB_ENDED,
        EntryKind.HANDSET_SETTLED: HookEventKind.DISPOSITION_SETTLED,
        EntryKind.ASSET_UNERASABLE: HookEventKind.DISPOSITION_SETTLED,
        EntryKind.HANDSET_GRADED: HookEventKind.HANDSET_GRADED,
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
    job: JobId | None
    """None of an asset that was graded and has never been in the rack."""
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


def job_of(entry: Entry) -> JobId | None:
    """The job that a record is told with; a grade's has none of its own, and names it."""
    if entry.kind is not EntryKind.HANDSET_GRADED:
        return entry.job
    job = entry.data.get("job")
    return JobId(job) if isinstance(job, str) and job else None


def lane_of(record: StoredEntry, of_job: Sequence[StoredEntry]) -> str:
    """In which order events stay: one lane for each handset, by the serial of its plug.

    Hashed, since it is kept in a file. Two handsets with one serial share a lane, which is only
    slower. An asset that was never plugged in has a lane by its tag.
    """
    told = of_job[0].entry.data.get("usb_serial") if of_job else record.entry.data.get("tag")
    if not isinstance(told, str) or not told:
        return EVERY_LANE
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:24]


def event_of(
    record: StoredEntry,
    of_job: Sequence[StoredEntry],
    *,
    source: Source,
    issuer: CertificateIssuer,
) -> HookEvent | None:
    """What a record tells; None where it's nothing for hooks, or its job isn't on record.

    `of_job` are the records of its job, in order.
    """
    kind, job = KIND_OF.get(record.entry.kind), job_of(record.entry)
    told = [each for each in of_job if each.sequence <= record.sequence]
    about = _about(record, told, issuer)
    if kind is None or about is None:
        return None
    data: dict[str, JsonValue] = {"site": source.site, "job": job, **about}
    data |= _of_record(record.entry)
    lot, disposition = data.get("lot"), data.get("disposition")
    event_id = f"{record.sequence}-{record.hash_hex[:16]}"
    event_body: Evidence = {
        "specversion": "1.0",
        "id": event_id,
        "source": source.uri,
        "type": f"benchd.{kind}",
        "subject": job or _word(record.entry.data.get("tag")),
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
        body=canonical.encode(event_body),
    )


def _about(
    record: StoredEntry, told: Sequence[StoredEntry], issuer: CertificateIssuer
) -> dict[str, JsonValue] | None:
    """Which handset it is, and how its job stands by then; None where nobody can say."""
    if record.entry.kind is EntryKind.HANDSET_GRADED:
        asset = _asset_of(record.entry)
        if not told:
            return {**_NEVER_HERE, **asset} if asset["tag"] else None
    elif not told or told[-1].sequence != record.sequence:
        return None
    if told[0].entry.kind is EntryKind.ASSET_UNERASABLE:
        return _of_case(told[0].entry)
    return _of_job(told, issuer) if told[0].entry.kind is EntryKind.JOB_OPENED else None


def _asset_of(entry: Entry) -> dict[str, JsonValue]:
    return {"lot": _word(entry.data.get("lot")), "tag": _word(entry.data.get("tag"))}


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
        "handset": None
        if history.handset is None
        else {**_handset(history.handset), "battery": _battery(history.battery)},
        **(ending if ended else {}),
    }


def _of_case(entry: Entry) -> dict[str, JsonValue]:
    """An asset that couldn't even be plugged in: it has a number, and no job was run."""
    return {
        **_NEVER_HERE,
        **_asset_of(entry),
        "outcome": Outcome.FAILED,
        "disposition": Disposition.DESTROY,
        "reason": None,
        "certificate": None,
    }


def _of_record(entry: Entry) -> dict[str, JsonValue]:
    match entry.kind:
        case EntryKind.HANDSET_GRADED:
            return {**_asset_of(entry), "grade": _grade(entry)}
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


def _grade(entry: Entry) -> JsonValue:
    """Its code with its names; whose word it is stays on the rack."""
    return {name: _word(entry.data.get(name)) for name in ("code", "ja", "en")}


def _place(opened: Entry) -> dict[str, JsonValue]:
    return {"slot": opened.slot}


def _handset(inspected: Evidence) -> Evidence:
    names = ("manufacturer", "model", "serial", "imei", "second_imei")
    return {name: _word(inspected.get(name)) for name in names}


def _battery(told: BatteryWear) -> Evidence:
    """Each number with what has told it; null is what nothing has."""
    return {
        "health_percent": told.health_percent,
        "health_method": told.health_method,
        "cycles": told.cycles,
        "cycles_method": told.cycles_method,
    }


def _word(value: object) -> str | None:
    return printable(value, LONGEST_WORD) if isinstance(value, str) and value else None
