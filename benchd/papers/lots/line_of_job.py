"""From a job's records to its line: what the ledger says, by its own records and nothing else."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from benchd.domain.disposal import MAY_BE_SOLD
from benchd.domain.errors import BenchdError
from benchd.domain.handset import BatteryWear
from benchd.domain.handset_file import JobLine
from benchd.domain.job import DISPOSITION_OF, Disposition, Outcome, Reason
from benchd.domain.lot_papers import Standing
from benchd.domain.plain_text import printable
from benchd.domain.record import StoredEntry
from benchd.papers.lots.lot_statement import HandsetLine
from benchd.proof.evidence.intake_evidence import UnerasableRecord
from benchd.proof.grade_book import Graded
from benchd.proof.intake_book import Asset, Bound
from benchd.proof.job_history import JobHistory, fold_job
from benchd.proof.ports import CertificateIssuer
from benchd.proof.record_fields import RecordReader

LONGEST_TEXT: Final = 200
_LONGEST_PART: Final = 40
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9-]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line with what people want to know of the handset; bounded and printable."""

    line: HandsetLine
    lot: str
    consignor: str
    manufacturer: str
    model: str
    imei: str
    serial: str
    ended_at: datetime | None
    graded: Graded | None
    """What a person says of it, and how worn its battery is: beside the list, and not in it."""
    battery: BatteryWear


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the records of one job say, as far as papers tell it."""

    standing: Standing
    disposition: Disposition | None
    reason: str | None
    history: JobHistory | None
    """None where its records can't be understood."""

    @property
    def envelope(self) -> bytes | None:
        """Its certificate, if it is certified."""
        certified = self.standing is Standing.CERTIFIED and self.history is not None
        return self.history.envelope if certified and self.history is not None else None


def found_in(records: Sequence[StoredEntry], issuer: CertificateIssuer) -> Found:
    """Where a job stands; sellable only with a certificate that the rack vouches for."""
    try:
        history = fold_job(records, issuer)
    except (BenchdError, ValueError):
        return _broken(None)
    if history.ended_at is None:
        return Found(standing=Standing.RUNNING, disposition=None, reason=None, history=history)
    if history.disposition is Disposition.SELLABLE:
        if history.envelope is None or history.outcome is not Outcome.PASSED:
            return _broken(history)
        return Found(
            standing=Standing.CERTIFIED,
            disposition=Disposition.SELLABLE,
            reason=None,
            history=history,
        )
    return Found(
        standing=Standing.NOT_CERTIFIED,
        disposition=history.disposition,
        reason=history.reason,
        history=history,
    )


def unerasable(told: UnerasableRecord) -> Found:
    """An asset that couldn't even be plugged in; it goes anywhere but to be sold."""
    goes = told.disposition
    return Found(
        standing=Standing.NOT_CERTIFIED,
        disposition=Disposition.HOLD if goes is Disposition.SELLABLE else goes,
        reason=told.reason,
        history=None,
    )


def is_passed_look(found: Found, job: JobLine) -> bool:
    """Whether it is a re-check before a sale that passed, and whose handset may be sold still.

    By the records of the job; where its handset went since by the read model, which can only hold.
    """
    history = found.history
    passed = history is not None and history.outcome is Outcome.PASSED
    held = found.standing is Standing.NOT_CERTIFIED and found.reason == Reason.RECHECKED
    return passed and held and job.state in MAY_BE_SOLD


def assessed() -> Found:
    """An asset that was only looked at by eye: held, as nothing of it was erased."""
    return Found(
        standing=Standing.NOT_CERTIFIED,
        disposition=DISPOSITION_OF[Reason.ASSESSED],
        reason=Reason.ASSESSED,
        history=None,
    )


def row_of(
    line: HandsetLine,
    found: Found,
    *,
    job: JobLine | None,
    asset: Asset | None,
    consignor: str,
    graded: Graded | None,
) -> Row:
    """The line with the handset's own numbers, else those of its asset's papers."""
    history = found.history
    told = RecordReader((history.handset if history else None) or {}, "inspect")
    bound = RecordReader((history.asset if history else None) or {}, "asset_bound")
    papers = asset.line if asset is not None else None
    lot = bound.optional_text("lot") or (asset.lot if asset else None) or (job.lot if job else None)
    # What a job's own records don't tell, because it failed early, the read model may still know.
    return Row(
        line=line,
        lot=_said(lot),
        consignor=_said(consignor),
        manufacturer=_said(told.optional_text("manufacturer"), job and job.manufacturer),
        model=_said(told.optional_text("model"), job and job.model, papers and papers.model),
        imei=_said(
            told.optional_text("imei"),
            next(iter(job.imeis), None) if job is not None else None,
            papers and papers.imei,
        ),
        serial=_said(told.optional_text("serial"), job and job.serial, papers and papers.serial),
        ended_at=history.ended_at if history is not None else (job.ended_at if job else None),
        graded=graded,
        battery=history.battery if history is not None else BatteryWear(),
    )


def tag_of(found: Found, job: JobLine, drawn: Bound | None) -> str | None:
    """The handset's label, by the records of the job, else by those of the drawn one."""
    if found.history is None:
        return tag_on_lines(job.tag)
    told = RecordReader(found.history.asset or {}, "asset_bound").optional_text("tag")
    return tag_on_lines(told or (drawn.told.tag if drawn is not None else None))


def tag_on_lines(tag: str | None) -> str | None:
    """A label as papers show it."""
    return _said(tag) or None


def file_of(job: str, tag: str | None) -> str:
    """The name of a certificate's PDF: its job, then its label as far as any system takes it."""
    parts = (_UNSAFE.sub("_", part)[:_LONGEST_PART] for part in (job, tag) if part)
    return f"certificates/{'-'.join(parts)}.pdf"


def _broken(history: JobHistory | None) -> Found:
    return Found(
        standing=Standing.NOT_CERTIFIED,
        disposition=DISPOSITION_OF[Reason.RECORD_BROKEN],
        reason=Reason.RECORD_BROKEN,
        history=history,
    )


def _said(*told: str | None) -> str:
    """The first that says anything, bounded and on one line."""
    return printable(next(filter(None, told), ""), LONGEST_TEXT)
