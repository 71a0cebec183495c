"""Which looks before a sale leave their handsets on sale, under a certificate from before."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from benchd.domain.disposal import MAY_BE_SOLD, DisposalState
from benchd.domain.job import Disposition, Outcome, Reason
from benchd.domain.sql_statements import Statements, query
from benchd.ledger.records.row_mapping import JOB, JobRow
from benchd.proof.certificate_validity import SeenOfHandset, differing


def judge_looks(connection: Statements, jobs: Collection[int]) -> None:
    """Say it anew of each look at the handsets of these jobs, after something of them has changed.

    One that rests on no certificate waits on hold, as what isn't sold does. The read model decides
    nothing by it: what may go out, the ledger says.
    """
    marks = ", ".join("?" * len(jobs))
    handsets = query(
        connection,
        "SELECT DISTINCT handset FROM job WHERE reason = ?"  # noqa: S608
        f" AND handset IN (SELECT handset FROM job WHERE id IN ({marks}))",
        (Reason.RECHECKED, *jobs),
    )
    for handset in [int(str(row[0])) for row in handsets]:
        rows = list(JOB.rows(connection, "WHERE handset = ? ORDER BY id", (handset,)))
        for row, certified in _judged(connection, rows):
            under = (certified.job, certified.rechecks) if certified else (None, None)
            if under != (row.sold_under, row.sold_under_drawn):
                sql = "UPDATE job SET sold_under = ?, sold_under_drawn = ? WHERE id = ?"
                query(connection, sql, (*under, row.id))


def _judged(
    connection: Statements, rows: Sequence[JobRow]
) -> Iterator[tuple[JobRow, JobRow | None]]:
    """All jobs of a handset, each look with the certified one that it rests on.

    Nothing but passed looks may have come between both.
    """
    certified: JobRow | None = None
    for row in rows:
        rests = None
        if not _is_passed_look(row):
            certified = row if _is_certified(row) else None
        elif certified is not None and row.state is DisposalState.HELD:
            erased = next((one for one in rows if one.job == certified.rechecks), certified)
            if _is_later(row, certified) and _is_alike(connection, row, erased):
                rests = certified
        yield row, rests


def _is_later(look: JobRow, certified: JobRow) -> bool:
    return certified.ended_at is not None and certified.ended_at <= look.opened_at


def _is_alike(connection: Statements, look: JobRow, erased: JobRow) -> bool:
    """By its label, which no other handset has had, and by all that machines have told of both."""
    sql = "SELECT 1 FROM job WHERE tag = ? AND handset <> ? LIMIT 1"
    if look.tag is None or any(query(connection, sql, (look.tag, look.handset))):
        return False
    return not any(differing(_seen(connection, look), _seen(connection, erased)))


def _is_passed_look(row: JobRow) -> bool:
    looked = row.reason == Reason.RECHECKED and row.outcome is Outcome.PASSED
    return looked and row.state in MAY_BE_SOLD


def _is_certified(row: JobRow) -> bool:
    sold = row.outcome is Outcome.PASSED and row.disposition is Disposition.SELLABLE
    return sold and row.certificate is not None


def _seen(connection: Statements, row: JobRow) -> SeenOfHandset:
    told = query(connection, "SELECT imei FROM told WHERE job = ?", (row.id,))
    return SeenOfHandset.of(
        serials=(row.serial, row.usb_serial),
        chips=(row.seen_chip,),
        imeis=[str(each[0]) for each in told],
    )
