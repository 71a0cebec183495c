"""Which drawn job a handset that is to be rechecked is of, and whether this person may recheck it.

The ledger decides. Each refusal says what can be done, and the question stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from benchd.domain.errors import (
    CertificateGap,
    RecheckRefused,
    ScreenNumberNeeded,
    SecondPersonNeeded,
)
from benchd.domain.ids import JobId
from benchd.domain.imei import is_imei
from benchd.domain.intake import BoundBy
from benchd.domain.people import Actor
from benchd.domain.record import StoredEntry
from benchd.pipelines.certificate_inputs import intake_of
from benchd.pipelines.stage_contract import JobContext
from benchd.proof.evidence.intake_evidence import BoundRecord
from benchd.proof.gate_waiver_proof import bound_in
from benchd.proof.handset_jobs import records_of_handset
from benchd.proof.identity.sighting import Sighting, sighting_of, sightings_in
from benchd.proof.objections import gaps_since, stay_of_drawn
from benchd.proof.recheck_chip import by_eye, chip_before
from benchd.proof.recheck_proof import (
    ends_recheck_due,
    no_more_open,
    number_in,
    port_differs,
    up_to_end,
)
from benchd.proof.recheck_tie_proof import is_too_late
from benchd.proof.separation_of_duties import touchers_of

_JOB: Final = re.compile(r"\b[0-9]{8}-[0-9a-f]{10}\b")
NUMBER_WANTED: Final = (
    "the note has to be the handset's IMEI (15 digits with the right check digit), or its serial"
    " where it has none"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnJob:
    """A job that waits for its recheck, with its records up to its end."""

    job: JobId
    number: str
    """By which a person named its handset."""
    records: Sequence[StoredEntry]


async def find_drawn_job(context: JobContext, note: str) -> DrawnJob:
    """The one that this note names; RecheckRefused where none waits, or several might be meant.

    Raises ScreenNumberNeeded for a note that names no handset.
    """
    number = number_in(note)
    if number is None:
        raise ScreenNumberNeeded(NUMBER_WANTED)
    asked = Sighting(job=context.job, sequence=0)
    (asked.named if is_imei(number) else asked.serials).add(number)
    try:
        met = sightings_in(await records_of_handset(context.ledger, asked))
        waiting = _waiting(met, number, named=_JOB.findall(note))
        found, refused = await _open_ones(context, waiting, number)
    except CertificateGap as gap:
        message = f"the records of this handset can't be read: {gap}"
        raise RecheckRefused(message) from gap
    if not found:
        why = f" ({'; '.join(refused)})" if refused else ""
        message = f"no handset with this number waits for a recheck{why}"
        raise RecheckRefused(message)
    return found[-1]


def _waiting(met: Sequence[Sighting], number: str, *, named: Sequence[str]) -> list[Sighting]:
    """Drawn jobs of this number, also those that can't be rechecked any more.

    Several of one IMEI are one handset, several of one serial needn't be: a person names the job.
    """
    waiting = [
        job
        for job in met
        if job.is_drawn
        and ends_recheck_due(job.end)
        and number in job.numbers
        and (not named or job.job in named)
    ]
    passed = {job.rechecks for job in met if job.is_certified}
    several = [job.job for job in waiting if job.job not in passed]
    if len(several) > 1 and not is_imei(number):
        jobs = ", ".join(several)
        message = f"several handsets may be meant; add to the note which job it is of: {jobs}"
        raise RecheckRefused(message)
    return waiting


async def _open_ones(
    context: JobContext, waiting: Iterable[Sighting], number: str
) -> tuple[list[DrawnJob], list[str]]:
    """Those that may still be rechecked, and why the others may not."""
    found: list[DrawnJob] = []
    refused: list[str] = []
    for met in waiting:
        held = await context.ledger.entries(met.job)
        records = up_to_end(held)
        whole = sighting_of(met.job, records)
        others = [*held, *await records_of_handset(context.ledger, whole)]
        gaps = list(no_more_open(whole, records[-1].sequence, others, context.job))
        refused += [f"{met.job}: {gap}" for gap in gaps]
        if not gaps:
            found.append(DrawnJob(job=met.job, number=number, records=records))
    return found, refused


async def refuse_recheck(context: JobContext, drawn: DrawnJob, by: Actor) -> None:
    """Raise DecisionRefused for who has touched it, another handset, or a slot that can't do it."""
    try:
        intake = await intake_of(context, drawn.records)
        touchers = touchers_of(drawn.records, intake)
        seen_by_eye = by_eye(chip_before(drawn.records))
        since = list(gaps_since(stay_of_drawn(drawn.job, drawn.records), intake))
    except CertificateGap as gap:
        message = f"the records of this handset can't be read: {gap}"
        raise RecheckRefused(message) from gap
    if since:
        message = f"{'; '.join(since)}: it has to be erased again, in a slot that does"
        raise RecheckRefused(message)
    if any(toucher.is_same(by.person, by.name) for toucher in touchers):
        message = f"{by.name} has touched this handset before: somebody else has to recheck it"
        raise SecondPersonNeeded(message)
    asset_of(context, drawn)
    port = context.station.port()
    if port_differs(drawn.records[0].entry, port.usb_serial, port.vendor_id):
        message = f"another handset lies in this slot than that of job {drawn.job}, by its USB"
        raise RecheckRefused(message)
    if not seen_by_eye and context.chips.reader(context.slot) is None:
        message = "its chip was looked at by a reader: recheck it in a slot with one"
        raise RecheckRefused(message)


def asset_of(context: JobContext, drawn: DrawnJob) -> BoundRecord | None:
    """The asset that the drawn job's handset was taken for, if it was.

    RecheckRefused where another's label was scanned in this slot: the certificate would be of one
    asset, and the recheck, in whose end it stands, of another.
    """
    try:
        told = bound_in(drawn.records)
    except CertificateGap as gap:
        message = f"the records of this handset can't be read: {gap}"
        raise RecheckRefused(message) from gap
    here = context.intake.book.of_job.get(context.job)
    if told is not None and here is not None and here.told.tag != told.tag:
        message = (
            f"the label {here.told.tag} was scanned here, and the handset of job {drawn.job} has"
            f" {told.tag}: take it out, plug it in again and look at its label"
        )
        raise RecheckRefused(message)
    return told


async def bind_as_drawn(context: JobContext, drawn: DrawnJob) -> None:
    """Put on record that the handset is the drawn job's asset, unless its label was scanned here.

    Whoever looks for an asset, a lot or its papers finds the recheck like any job of it.
    RecheckRefused where another label was scanned.
    """
    told = asset_of(context, drawn)
    if told is not None and context.intake.book.of_job.get(context.job) is None:
        bound = replace(told, bound_by=BoundBy.DRAWN, by=None)
        await context.intake.bind(bound, job=context.job, slot=context.slot)


async def vet(context: JobContext, by: Actor, note: str) -> None:
    """Raise DecisionRefused unless this person may recheck the handset that the note names."""
    await refuse_recheck(context, await find_drawn_job(context, note), by)


async def refuse_late(context: JobContext, note: str, days: int) -> None:
    """RecheckRefused where the drawn job that the note names has waited for longer than that."""
    drawn = await find_drawn_job(context, note)
    if is_too_late(drawn.records, context.clock.now(), days):
        message = (
            f"its draw is older than {days} days: it has to be erased again, in a slot that does"
        )
        raise RecheckRefused(message)
