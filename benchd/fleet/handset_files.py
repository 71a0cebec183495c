"""A handset's file over all racks: found by any of its numbers, or a part of one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg import AsyncConnection

from benchd.domain.chip import is_fleet_chip, secret_named_in
from benchd.domain.errors import UsageRefused
from benchd.domain.ids import JsonValue
from benchd.domain.imei import is_imei
from benchd.ledger.records.numbers import (
    DIGEST_DIGITS,
    INDEXED_DIGEST_DIGITS,
    SHORTEST,
    parts_of,
    plain,
)
from benchd.proof.identity.sighting import model_key
from benchd.proof.identity.traits import Relation, Traits, compare

MOST_JOBS: Final = 200
"""That one answer is made of."""
MOST_HANDSETS: Final = 50

JobKey = tuple[int, str]
"""A job of all racks': its rack's number and its name."""
_HEX: Final = frozenset("0123456789ABCDEF")
_AFTER_HEX: Final = "g"
_JOB: Final = """
    SELECT filed_job.rack, rack.name, job, opened_at, told, certificate, certified_branch,
        certified_sequence,
        ARRAY(SELECT number FROM filed_number AS mine WHERE mine.rack = filed_job.rack
            AND mine.job = filed_job.job AND is_imei ORDER BY number),
        ARRAY(SELECT number FROM filed_number AS mine WHERE mine.rack = filed_job.rack
            AND mine.job = filed_job.job AND is_proven ORDER BY number)
    FROM filed_job JOIN rack ON rack.id = filed_job.rack
"""


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
    """The handsets with this as one of their numbers or in one; UsageRefused if it's too short."""
    wanted = plain(text)
    if len(wanted) < SHORTEST:
        raise UsageRefused(f"look for at least {SHORTEST} letters or digits of a number")
    found = await _jobs(connection, *_named(wanted))
    is_whole = bool(found) and (is_imei(wanted) or len(wanted) == DIGEST_DIGITS)
    if not is_whole:
        escaped = wanted.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        found += await _jobs(
            connection,
            "SELECT rack, job FROM filed_number WHERE parts @> %s AND number LIKE %s",
            parts_of(wanted),
            f"%{escaped}%",
        )
    every = await with_others(connection, found)
    handsets = handsets_in(every, {each.key for each in found})
    return FoundHandsets(
        handsets=tuple(handsets[:MOST_HANDSETS]),
        more=len(handsets) > MOST_HANDSETS or len(found) >= MOST_JOBS,
    )


def _named(wanted: str) -> tuple[str, *tuple[str, ...]]:
    """The query for jobs with this whole number, or with a certificate that begins so."""
    whole = "SELECT rack, job FROM filed_number WHERE number = %s"
    if len(wanted) >= INDEXED_DIGEST_DIGITS and _HEX.issuperset(wanted):
        # Of LIKE a plan for any value reads the whole index.
        begun = "SELECT rack, job FROM filed_job WHERE certificate ~>=~ %s AND certificate ~<~ %s"
        digits = wanted.lower()
        return (f"{whole} UNION {begun}", wanted, digits, f"{digits}{_AFTER_HEX}")
    return (whole, wanted)


async def with_others(connection: AsyncConnection, jobs: Sequence[FiledJob]) -> list[FiledJob]:
    """These and all that share an IMEI, a serial or a chip with one of them."""
    numbers = {number for job in jobs for number in job.imeis}
    serials = {job.traits.serial for job in jobs} - {None}
    chips = {job.traits.tied_chip for job in jobs} - {None}
    more = await _jobs(
        connection,
        "SELECT rack, job FROM filed_number WHERE number = ANY(%s)"
        " UNION SELECT rack, job FROM filed_job WHERE tied = ANY(%s)",
        [*numbers, *(plain(str(serial)) for serial in serials)],
        list(chips),
    )
    return list({each.key: each for each in (*jobs, *more)}.values())


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
    """Those whose certificate has exactly this number."""
    return await _jobs(connection, "SELECT rack, job FROM filed_job WHERE certificate = %s", digest)


async def _jobs(connection: AsyncConnection, keys: str, *values: object) -> list[FiledJob]:
    """The newest of those whose racks and names this query finds, by indexes alone.

    A condition of theirs joined by OR to one on their numbers would have every job read.
    """
    found = await connection.execute(
        f"{_JOB} WHERE (filed_job.rack, job) IN ({keys})"
        f" ORDER BY opened_at DESC LIMIT {MOST_JOBS}".encode(),
        values,
        # What is in one job in a million and what is in all of them need a plan each.
        prepare=False,
    )
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
