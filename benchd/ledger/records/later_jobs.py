"""What has been begun since with the handset of a job, or with one that nobody can tell from it."""

from __future__ import annotations

from collections.abc import Iterator

from benchd.domain.ids import JobId
from benchd.domain.sql_statements import Statements, query


def later_ids(handset: str, since: str) -> str:
    """SQL for the numbers of all later jobs than `since`, each an expression for a number.

    By what the handset is known by; by any label that it has had, on whichever handset that is
    now; and by looks: same serial, model and maker, unless both have told an IMEI. An asset that
    was entered by hand is among them: it was said to be dead.
    """
    alike = "other.serial = mine.serial AND other.model = mine.model"
    looks = f"{alike} AND other.manufacturer = mine.manufacturer"
    of_mine = f"FROM job AS mine JOIN job AS other ON mine.handset = {handset} AND"
    named = f"EXISTS (SELECT 1 FROM job AS named WHERE named.handset = {handset} AND named.named)"  # noqa: S608
    return f"""
        SELECT other.id FROM job AS other WHERE other.handset = {handset} AND other.id > {since}
        UNION ALL SELECT other.id {of_mine} other.tag = mine.tag AND other.id > {since}
        UNION ALL SELECT other.id {of_mine} {looks} AND other.named = 0 AND other.id > {since}
        UNION ALL SELECT other.id {of_mine} {looks} AND other.named = 1 AND other.id > {since}
            WHERE NOT {named}
    """  # noqa: S608


def later_jobs(connection: Statements, handset: int, since: JobId, most: int) -> Iterator[JobId]:
    """So many, the newest first; may raise apsw.Error."""
    later = later_ids("?1", "(SELECT id FROM job WHERE job = ?2)")
    sql = f"SELECT job FROM job WHERE id IN ({later}) ORDER BY id DESC LIMIT {most}"  # noqa: S608
    for row in query(connection, sql, (handset, since)):
        yield JobId(str(row[0]))
