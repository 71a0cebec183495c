"""A handset's file over all racks: found by any of its numbers, or the beginning or end of one.

Whatever is looked for, PostgreSQL reads a bounded number of entries of an index, the newest jobs of
a number first (docs/adr/0090-found-by-beginning-or-end.md).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection, sql

from benchd.domain.chip import is_fleet_chip, secret_named_in
from benchd.domain.errors import UsageRefused
from benchd.domain.ids import JsonValue
from benchd.domain.imei import is_imei
from benchd.ledger.records.numbers import (
    DIGEST_DIGITS,
    INDEXED_DIGEST_DIGITS,
    SHORTEST,
    plain,
)
from benchd.proof.identity.sighting import model_key
from benchd.proof.identity.traits import Relation, Traits, compare

MOST_JOBS: Final = 200
"""That have one number, and that share something with those that were found."""
MOST_HANDSETS: Final = 25
"""That are shown, so that of those that only begin or end alike no more jobs are read: each is some
four pages at random."""
MOST_READ: Final = 5000
"""Numbers that begin with what is looked for, and as many that end with it."""

JobKey = tuple[int, str]
"""A job of all racks': its rack's number and its name."""
_HEX: Final = frozenset("0123456789ABCDEF")
_AFTER_HEX: Final = "g"
_AFTER_ALL: Final = "\U0010ffff"
"""No letter or digit comes after it."""
_NEWEST: Final = sql.SQL("ORDER BY opened_at DESC LIMIT {}").format(sql.Literal(MOST_JOBS))
_WHOLE: Final = sql.SQL("(SELECT rack, job FROM filed_number WHERE number = %s {newest})").format(
    newest=_NEWEST
)
# Of LIKE a plan for any value reads the whole index.
_WHOLE_OR_CERTIFIED: Final = sql.SQL(
    """
    {whole} UNION (
        SELECT rack, job FROM filed_job
        WHERE certificate ~>=~ %s AND certificate ~<~ %s LIMIT {most}
    )
    """
).format(whole=_WHOLE, most=sql.Literal(MOST_JOBS))
_SHOWN: Final = sql.SQL("ORDER BY opened_at DESC LIMIT {}").format(sql.Literal(MOST_HANDSETS))
# Names of jobs begin with their day, so that the last of those that begin alike are the newest.
_RANGES: Final = sql.SQL(
    """
    WITH begun AS MATERIALIZED (
        SELECT rack, job, opened_at FROM filed_number WHERE number > %s AND number < %s
        ORDER BY number DESC LIMIT %s
    ), ended AS MATERIALIZED (
        SELECT rack, job, opened_at FROM filed_number WHERE backwards > %s AND backwards < %s
        ORDER BY backwards DESC LIMIT %s
    )
    SELECT rack, job, greatest((SELECT count(*) FROM begun), (SELECT count(*) FROM ended))
    FROM ((SELECT * FROM begun {shown}) UNION (SELECT * FROM ended {shown})) AS found {shown}
    """
).format(shown=_SHOWN)
_OTHERS: Final = sql.SQL(
    """
    SELECT rack, job FROM (
        SELECT alike.* FROM unnest(%s::text[]) AS shared (number), LATERAL (
            SELECT rack, job, opened_at FROM filed_number WHERE number = shared.number {newest}
        ) AS alike
        UNION
        SELECT alike.* FROM unnest(%s::text[]) AS shared (tied), LATERAL (
            SELECT rack, job, opened_at FROM filed_job WHERE tied = shared.tied {newest}
        ) AS alike
    ) AS found {newest}
    """
).format(newest=_NEWEST)
_OF_CERTIFICATE: Final = sql.SQL(
    "SELECT rack, job FROM filed_job WHERE certificate = %s {newest}"
).format(newest=_NEWEST)
_JOBS: Final = sql.SQL(
    """
    SELECT rack, rack.name, job, opened_at, told, certificate, certified_branch,
        certified_sequence, imeis, proven
    FROM unnest(%s::int[], %s::text[]) AS wanted (rack, job) JOIN filed_job USING (rack, job)
    JOIN rack ON rack.id = rack ORDER BY opened_at DESC
    """
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledJob:
    """One job of one rack."""

    rack: int
    rack_name: str
    job: str
    opened_at: datetime
    told: Mapping[str, JsonValue]
    certificate: str | None
    certified_at: tuple[int, int] | None
    """Branch and number of the record that its certificate stands in."""
    imeis: tuple[str, ...]
    proven: tuple[str, ...]

    @property
    def key(self) -> JobKey:
        """Which it is."""
        return (self.rack, self.job)

    @property
    def traits(self) -> Traits:
        """What its handset is known by."""
        maker, model = self._text("manufacturer"), self._text("model")
        tied = self._text("tied")
        return Traits(
            imeis=frozenset(self.imeis),
            proven=frozenset(self.proven),
            serial=self._text("serial"),
            model=model_key(maker, model) if maker and model else None,
            tied_chip=tied,
            chip_secret=secret_named_in(tied) if tied and is_fleet_chip(tied) else str(self.rack),
            chips=frozenset(filter(None, [tied])),
        )

    def _text(self, key: str) -> str | None:
        value = self.told.get(key)
        return value if isinstance(value, str) and value else None


@dataclass(frozen=True, slots=True, kw_only=True)
class FiledHandset:
    """What is certainly one handset, the oldest job first, and what may be the same one."""

    jobs: tuple[FiledJob, ...]
    perhaps: tuple[FiledJob, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundHandsets:
    """Those that were found, the one seen last first."""

    handsets: tuple[FiledHandset, ...]
    more: bool
    """Whether there are others that were left out."""


async def find_handsets(connection: AsyncConnection, text: str) -> FoundHandsets:
    """Those with a number that is this, or begins or ends so; UsageRefused if it's too short."""
    wanted = plain(text)
    if len(wanted) < SHORTEST:
        raise UsageRefused(f"look for at least {SHORTEST} letters or digits of a number")
    found = await _named(connection, wanted)
    is_cut = len(found) >= MOST_JOBS
    if not found or not (is_imei(wanted) or len(wanted) == DIGEST_DIGITS):
        others, is_more = await _begun_or_ended(connection, wanted)
        found, is_cut = found | others, is_cut or is_more
    every = await with_others(connection, await _jobs(connection, found))
    handsets = handsets_in(every, found)
    return FoundHandsets(
        handsets=tuple(handsets[:MOST_HANDSETS]), more=is_cut or len(handsets) > MOST_HANDSETS
    )


async def _named(connection: AsyncConnection, wanted: str) -> set[JobKey]:
    """The jobs with this whole number, or with a certificate that begins so."""
    if len(wanted) < INDEXED_DIGEST_DIGITS or not _HEX.issuperset(wanted):
        return await _keys(connection, _WHOLE, wanted)
    digits = wanted.lower()
    return await _keys(connection, _WHOLE_OR_CERTIFIED, wanted, digits, f"{digits}{_AFTER_HEX}")


async def _begun_or_ended(connection: AsyncConnection, wanted: str) -> tuple[set[JobKey], bool]:
    """The newest jobs with a longer number that begins or ends so; whether there may be more."""
    back = wanted[::-1]
    asked = await connection.execute(
        _RANGES,
        (wanted, wanted + _AFTER_ALL, MOST_READ, back, back + _AFTER_ALL, MOST_READ),
    )
    rows = await asked.fetchall()
    is_more = len(rows) >= MOST_HANDSETS or any(read >= MOST_READ for *_, read in rows)
    return {(rack, job) for rack, job, _ in rows}, is_more


async def with_others(connection: AsyncConnection, jobs: Sequence[FiledJob]) -> list[FiledJob]:
    """These and the newest that share an IMEI, a serial or a chip with one of them."""
    traits = [job.traits for job in jobs]
    numbers = {number for each in traits for number in each.imeis}
    numbers |= {plain(each.serial) for each in traits if each.serial}
    chips = {each.tied_chip for each in traits if each.tied_chip}
    if not (numbers or chips):
        return [*jobs]
    others = await _keys(connection, _OTHERS, list(numbers), list(chips))
    return [*jobs, *await _jobs(connection, others - {job.key for job in jobs})]


def handsets_in(jobs: Sequence[FiledJob], wanted: Iterable[JobKey]) -> list[FiledHandset]:
    """The handsets that one of the wanted jobs is of, the one seen last first."""
    sought, related = set(wanted), _related(jobs)
    by_key = {job.key: job for job in jobs}
    place = {key: at for at, key in enumerate(by_key)}
    handsets: list[FiledHandset] = []
    for group in _groups(jobs, related):
        if not sought.isdisjoint(group):
            near = {key for each in group for key in related[each]} - group
            of, perhaps = (
                [by_key[key] for key in sorted(keys, key=place.__getitem__)]
                for keys in (group, near)
            )
            of.sort(key=lambda job: job.opened_at)
            handsets.append(FiledHandset(jobs=tuple(of), perhaps=tuple(perhaps)))
    return sorted(handsets, key=lambda each: each.jobs[-1].opened_at, reverse=True)


def _related(jobs: Sequence[FiledJob]) -> Mapping[JobKey, Mapping[JobKey, Relation]]:
    """For each job those of which something says that they are of the same handset.

    Only jobs that share a number, a serial or a chip are compared: of others nothing says so.
    """
    traits = {job.key: job.traits for job in jobs}
    sharing: dict[str, set[JobKey]] = defaultdict(set)
    for key, told in traits.items():
        for mark in _marks(told):
            sharing[mark].add(key)
    related: dict[JobKey, dict[JobKey, Relation]] = {key: {} for key in traits}
    for key, told in traits.items():
        for other in {each for mark in _marks(told) for each in sharing[mark]} - {key}:
            relation = compare(told, traits[other]).relation
            if relation is not Relation.NONE:
                related[key][other] = relation
    return related


def _marks(told: Traits) -> set[str]:
    return {*told.imeis, *filter(None, (told.serial, told.tied_chip))}


def _groups(
    jobs: Sequence[FiledJob], related: Mapping[JobKey, Mapping[JobKey, Relation]]
) -> list[set[JobKey]]:
    """Jobs together that are certainly of one handset."""
    groups: list[set[JobKey]] = []
    grouped: set[JobKey] = set()
    for job in jobs:
        if job.key in grouped:
            continue
        group, due = {job.key}, [job.key]
        while due:
            told = related[due.pop()]
            fresh = {key for key, how in told.items() if how is Relation.CERTAIN} - group
            group |= fresh
            due += fresh
        grouped |= group
        groups.append(group)
    return groups


async def certified_jobs(connection: AsyncConnection, digest: str) -> list[FiledJob]:
    """The newest of those whose certificate has exactly this number."""
    return await _jobs(connection, await _keys(connection, _OF_CERTIFICATE, digest))


async def _keys(connection: AsyncConnection, query: sql.Composed, *values: object) -> set[JobKey]:
    found = await connection.execute(query, values)
    return {(rack, job) for rack, job in await found.fetchall()}


async def _jobs(connection: AsyncConnection, keys: Collection[JobKey]) -> list[FiledJob]:
    """What is filed of these, the newest first."""
    if not keys:
        return []
    found = await connection.execute(_JOBS, ([rack for rack, _ in keys], [job for _, job in keys]))
    return [
        FiledJob(
            rack=row[0],
            rack_name=row[1],
            job=row[2],
            opened_at=row[3],
            told=row[4],
            certificate=row[5],
            certified_at=None if row[6] is None else (row[6], row[7]),
            imeis=tuple(row[8]),
            proven=tuple(row[9]),
        )
        for row in await found.fetchall()
    ]
