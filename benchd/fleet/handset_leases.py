"""Which job has a handset in hand, so that one handset runs on one rack at a time.

A lease is a row for each number that the handset goes by; all of them or none are taken, in one
transaction and in one order. A row outlives its job: who asks by an older number than it has was
superseded, and is held. A rack and its clone are one rack here, so that is what keeps them apart.
A number that rests on one person's one look supersedes no job whose own number is proven.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from psycopg import AsyncConnection

from benchd.domain.handset_question import Elsewhere, ElsewhereFinding, HandsetQuestion, Lease
from benchd.domain.job import StageName
from benchd.domain.record import EntryKind
from benchd.proof.identity.placeholder_serials import is_filler

LEASE_LASTS: Final = timedelta(hours=12)
"""Unless its job's end comes before: longer than a job whose handset is in hand takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InHand:
    """A job that has, or had, what another one asks for."""

    rack: str
    job: str

    @property
    def finding(self) -> ElsewhereFinding:
        """What whoever asks meanwhile is told."""
        return ElsewhereFinding(kind=Elsewhere.RUNNING, rack=self.rack, job=self.job)


async def take_lease(
    connection: AsyncConnection,
    rack: int,
    question: HandsetQuestion,
    imeis: Collection[str],
    proven: Collection[str],
    now: datetime,
) -> Lease | InHand | None:
    """Take it, go on with it, or say who has it; None where nothing tells the handset apart.

    Another job of the same rack takes it over at its first question, as when a handset is plugged
    in anew before its last job's end has come in; the former one doesn't get it back. A look takes
    nothing over: a label that was scanned by mistake must end no other job. A job whose end has
    come in takes none, and is held before a certificate: another ledger of its rack has it.

    `imeis` are all that are known of it. Who has asked before keeps the lease's number, as long as
    nobody else had it since, and gets a larger one where only somebody's misread number had it.
    """
    handsets = sorted(_names_of(question, imeis))
    # A serial is told by a machine.
    sure = set(handsets) - {f"imei {imei}" for imei in imeis if imei not in proven}
    is_last = question.stage in (StageName.CERTIFY, StageName.CERTIFY_DRAWN)
    if not handsets:
        return None
    if (own_name := await _ended_on(connection, rack, question.job)) is not None:
        return InHand(rack=own_name, job=question.job) if is_last else None
    await connection.execute(
        """
        INSERT INTO handset_lease (handset, rack, job, number, until)
        SELECT handset, %s, %s, 0, '-infinity' FROM unnest(%s::text[]) AS each (handset)
        ORDER BY handset ON CONFLICT DO NOTHING
        """,
        (rack, question.job, handsets),
    )
    # Locked first, and read by a statement of its own: a row that another rack took while this
    # waited for its lock would fall out of a join by its rack (PostgreSQL 17, 13.2.1).
    await connection.execute(
        "SELECT FROM handset_lease WHERE handset = ANY(%s) ORDER BY handset FOR UPDATE",
        (handsets,),
    )
    found = await connection.execute(
        """
        SELECT handset, handset_lease.rack, name, job, number, fence, until > %s
        FROM handset_lease JOIN rack ON rack.id = handset_lease.rack
        WHERE handset = ANY(%s) ORDER BY handset
        """,
        (now, handsets),
    )
    rows = await found.fetchall()
    mine = (rack, question.job)
    others = [row for row in rows if (row[1], row[3]) != mine]
    for handset, holder, name, job, number, fence, valid in others:
        is_later = question.lease is not None and number > question.lease
        misread = is_later and handset in sure and fence <= question.lease
        if misread and question.stage is not StageName.LOOK:
            continue
        if is_later or (valid and holder != rack):
            return InHand(rack=name, job=job)
    if question.stage is StageName.LOOK and any(valid for *_, valid in others):
        return None
    numbers = {number for _, holder, _, job, number, *_ in rows if (holder, job) == mine}
    kept = len(numbers) == 1 and not others
    number = max(numbers) if kept else 0
    until = now + LEASE_LASTS
    taken = await connection.execute(
        """
        WITH next AS (SELECT CASE WHEN %(number)s > 0 THEN %(number)s
            ELSE nextval('lease_number') END AS number)
        UPDATE handset_lease SET rack = %(rack)s, job = %(job)s, number = next.number,
            until = %(until)s,
            fence = CASE WHEN handset = ANY(%(fences)s) THEN next.number ELSE fence END
        FROM next WHERE handset = ANY(%(handsets)s) RETURNING next.number
        """,
        {
            "number": number,
            "rack": rack,
            "job": question.job,
            "until": until,
            "handsets": handsets,
            "fences": handsets if is_last else sorted(sure),
        },
    )
    [number] = await taken.fetchone() or (number,)
    return Lease(number=number, until=until.astimezone(UTC).isoformat(timespec="seconds"))


async def _ended_on(connection: AsyncConnection, rack: int, job: str) -> str | None:
    """The rack's name if this job's end has come in: until this transaction ends it can't."""
    await connection.execute("SELECT FROM rack WHERE id = %s FOR SHARE", (rack,))
    found = await connection.execute(
        """
        SELECT name FROM job_record JOIN record USING (rack, branch, sequence)
        JOIN rack ON rack.id = job_record.rack
        WHERE job_record.rack = %s AND job = %s AND kind = %s LIMIT 1
        """,
        (rack, job, EntryKind.JOB_ENDED),
    )
    row = await found.fetchone()
    return None if row is None else row[0]


def _names_of(question: HandsetQuestion, imeis: Collection[str]) -> Iterator[str]:
    """Its numbers; its serial with the model only where it has none."""
    for imei in imeis:
        yield f"imei {imei}"
    if not imeis and question.serial and not is_filler(question.serial):
        yield f"serial {question.model or ''} {question.serial}"
