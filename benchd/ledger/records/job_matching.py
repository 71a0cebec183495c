"""Which jobs are of one handset: by IMEI, by its label, and by the recheck of a drawn one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from benchd.domain.sql_statements import Statements, query
from benchd.ledger.records.columns import names_of, rows_of

_NEAR: Final = """
    WITH near (handset) AS (
        SELECT handset FROM job WHERE id = ?1
        UNION SELECT job.handset FROM told AS mine JOIN told AS other ON other.imei = mine.imei
            JOIN job ON job.id = other.job WHERE mine.job = ?1
        UNION SELECT drawn.handset FROM job AS mine JOIN job AS drawn ON drawn.job = mine.rechecks
            WHERE mine.id = ?1
    ), label (tag) AS (
        SELECT DISTINCT tag FROM job WHERE handset IN near AND tag IS NOT NULL
    ), every (handset) AS (
        SELECT handset FROM near UNION SELECT handset FROM job WHERE tag IN label
    )
    SELECT {columns} FROM job WHERE handset IN every ORDER BY id
"""
"""Every job that one more thing about a job can join with it, or part from it."""

_ALONE: Final = """
    SELECT 1 FROM job AS mine WHERE id = ?1 AND rechecks IS NULL
        AND NOT EXISTS (SELECT 1 FROM job WHERE handset = mine.handset AND id <> mine.id)
        AND NOT EXISTS (SELECT 1 FROM job WHERE tag = mine.tag AND id <> mine.id)
        AND NOT EXISTS (SELECT 1 FROM told JOIN told AS other USING (imei)
            WHERE told.job = mine.id AND other.job <> mine.id)
"""
"""What most jobs are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """By what a job's handset is known; an asset that was entered by hand is known by its tag."""

    id: int
    handset: int
    tag: str | None
    imeis: tuple[str, ...]
    rechecks: int | None
    """The drawn job that it has found its handset to be of."""


def join(connection: Statements, number: int) -> Collection[int]:
    """Put a job with all of its handset, after what is known of it has changed.

    Returns every job that may have come to another handset, or is of one of its labels.
    """
    if any(query(connection, _ALONE, (number,))):
        return ()
    columns = names_of(
        Known,
        imeis="(SELECT json_group_array(imei) FROM told WHERE told.job = job.id)",
        rechecks="(SELECT id FROM job AS drawn WHERE drawn.job = job.rechecks)",
    )
    found = query(connection, _NEAR.format(columns=columns), (number,))
    jobs = list(rows_of(Known, found))
    handsets = handsets_of(jobs)
    for job in jobs:
        if handsets[job.id] != job.handset:
            sql = "UPDATE job SET handset = ? WHERE id = ?"
            query(connection, sql, (handsets[job.id], job.id))
    return handsets.keys()


def take_label_of_drawn(connection: Statements, number: int) -> None:
    """A recheck is of the asset that the drawn job was of, unless somebody says otherwise."""
    query(
        connection,
        "UPDATE job SET (lot, consignor, tag) ="
        " (SELECT lot, consignor, tag FROM job AS drawn WHERE drawn.job = job.rechecks)"
        " WHERE id = ? AND tag IS NULL AND rechecks IN (SELECT job FROM job)",
        (number,),
    )


def handsets_of(jobs: Sequence[Known]) -> dict[int, int]:
    """The handset of each of these jobs, named by the first of its jobs.

    What has told no IMEI goes by its label. Two that have told different ones stay two, whatever
    label somebody has put on both: one of them mustn't stand for the other.
    """
    sets = _Sets(job.id for job in jobs)
    first_with: dict[str, int] = {}
    for job in jobs:
        for imei in job.imeis:
            sets.unite(job.id, first_with.setdefault(imei, job.id))
        if job.rechecks is not None:
            sets.unite(job.id, job.rechecks)
    known = {sets.first(job.id) for job in jobs if job.imeis}
    by_tag: dict[str, list[Known]] = {}
    for job in jobs:
        if job.tag is not None:
            by_tag.setdefault(job.tag, []).append(job)
    ties = [tie for alike in by_tag.values() for tie in _ties(alike, sets, known)]
    for one, other in ties:
        sets.unite(one, other)
    return {job.id: sets.first(job.id) for job in jobs}


def _ties(alike: Sequence[Known], sets: _Sets, known: Collection[int]) -> Iterator[tuple[int, int]]:
    """Of one tag: who has told nothing is the one that had it last before, else the first since."""
    tellers = [job.id for job in alike if sets.first(job.id) in known]
    for job in alike:
        if sets.first(job.id) in known:
            continue
        before = [teller for teller in tellers if teller < job.id]
        yield job.id, (before[-1] if before else next(iter(tellers), alike[0].id))


class _Sets:
    """Disjoint sets of numbers, each known by its smallest."""

    def __init__(self, numbers: Iterator[int]) -> None:
        self._over = {number: number for number in numbers}

    def first(self, number: int) -> int:
        """The smallest that is in one set with this."""
        while self._over.get(number, number) != number:
            number = self._over[number]
        return number

    def unite(self, one: int, other: int) -> None:
        """Make one set of two; one that isn't there at all joins nothing."""
        if one in self._over and other in self._over:
            low, high = sorted((self.first(one), self.first(other)))
            self._over[high] = low
