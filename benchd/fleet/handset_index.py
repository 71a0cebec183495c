"""Which records tell of which handset, noted in the very transaction that takes them in.

The tables say where to look. What holds a handset is read from the records themselves, whenever
somebody asks: a mended rule needs no table made anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple

from anyio import CapacityLimiter, to_thread
from psycopg import AsyncConnection

from benchd.domain.chip import is_fleet_chip
from benchd.domain.handset import Trait
from benchd.domain.handset_question import HandsetQuestion
from benchd.domain.ids import JobId
from benchd.domain.imei import is_imei
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.fleet.fleet_database import FleetDatabase, can_be_kept
from benchd.fleet.handset_debts import KnownHandset, Lines, RackJob, Spot, may_hold
from benchd.ledger.ledger_record import GENESIS, stored_after
from benchd.proof.disposal_fold import dooms
from benchd.proof.identity.placeholder_serials import is_filler
from benchd.proof.record_subject import TOLD_UNDER

PIECE: Final = 1000
NEWEST: Final = 50
"""Of the jobs with one number or serial, beside those that last."""
MOST_LASTING: Final = 50
MOST_LOOKED_UP: Final = 32
"""Numbers and serials for one question: each may lead to jobs that tell others."""
MOST_RECORDS: Final = 2000
"""Of one job."""

_TELLING: Final = (
    EntryKind.JOB_OPENED,
    EntryKind.STAGE_ENDED,
    EntryKind.QUESTION_ASKED,
    EntryKind.DECISION,
    EntryKind.RECHECK_DRAWN,
    EntryKind.JOB_ENDED,
    EntryKind.HANDSET_SETTLED,
    EntryKind.ASSET_UNERASABLE,
)
_INDEXED: Final = (Trait.IMEI, Trait.SERIAL)
NumberOfHandset = tuple[Trait, str]


class RecordNote(NamedTuple):
    """What one record tells of a job and its handset."""

    sequence: int
    job: str
    traits: tuple[NumberOfHandset, ...]
    lasts: bool
    """Whether the job is found by this record however many come after it."""
    ends: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rack:
    number: int
    name: str
    lines: Lines


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """Jobs with one number or serial."""

    jobs: Sequence[tuple[int, str]]
    is_cut: bool
    """Whether there are more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """What each line of a rack tells of one job."""

    lines: Sequence[RackJob]
    is_cut: bool
    """Whether it has more records."""


class HandsetIndex:
    """Notes what comes in, and finds a handset's jobs again."""

    def __init__(self, reading: CapacityLimiter) -> None:
        """`reading` bounds the threads on which records are read."""
        self._reading = reading

    async def catch_up(self, connection: AsyncConnection, rack: int, branch: int) -> None:
        """Note what a centre of an older release took in beside this one, which noted nothing."""
        while await self._note_piece(connection, rack, branch):
            pass

    async def _note_piece(self, connection: AsyncConnection, rack: int, branch: int) -> bool:
        found = await connection.execute(
            """
            SELECT sequence, body FROM record JOIN branch USING (rack, branch)
            WHERE rack = %s AND branch = %s AND sequence > noted_sequence
            ORDER BY sequence LIMIT %s
            """,
            (rack, branch, PIECE),
        )
        rows = await found.fetchall()
        if not rows:
            return False
        notes = await to_thread.run_sync(partial(_read_notes, rows), limiter=self._reading)
        await keep_notes(connection, rack, branch, notes)
        await connection.execute(
            "UPDATE branch SET noted_sequence = %s WHERE rack = %s AND branch = %s",
            (rows[-1][0], rack, branch),
        )
        return True

    async def note_older(self, database: FleetDatabase) -> None:
        """Note what came in before there was anything to note it in."""
        async with database.transaction() as connection:
            found = await connection.execute(
                "SELECT rack, branch FROM branch WHERE noted_sequence < tip_sequence"
            )
            due = await found.fetchall()
        for rack, branch in due:
            more = True
            while more:
                async with database.transaction() as connection:
                    await connection.execute(
                        "SELECT FROM rack WHERE id = %s FOR NO KEY UPDATE", (rack,)
                    )
                    more = await self._note_piece(connection, rack, branch)

    async def known(self, connection: AsyncConnection, question: HandsetQuestion) -> KnownHandset:
        """All that racks have told of a handset, and of those that it may be."""
        due = _traits_of(question.imeis, question.serial)
        if question.chip is not None:
            due.append((Trait.CHIP, question.chip))
        looked_up: set[NumberOfHandset] = set()
        jobs: dict[tuple[int, str], _Read] = {}
        racks: dict[int, _Rack] = {}
        known, is_cut = KnownHandset(question, ()), False
        while fresh := [each for each in due if each not in looked_up]:
            if len(looked_up) >= MOST_LOOKED_UP:
                known.is_whole = False
                break
            looked_up |= set(fresh)
            for trait, value in fresh:
                found = await _jobs_with(connection, trait, value)
                is_cut |= found.is_cut
                for rack, job in found.jobs:
                    if rack not in racks:
                        racks[rack] = await _rack_of(connection, rack)
                    if (rack, job) not in jobs:
                        jobs[rack, job] = await self._read_job(connection, racks[rack], job)
            every = [each for read in jobs.values() for each in read.lines]
            is_cut |= any(read.is_cut for read in jobs.values())
            known = await to_thread.run_sync(
                partial(KnownHandset, question, every, is_cut=is_cut), limiter=self._reading
            )
            due = [
                told
                for seen in known.sightings
                for told in _traits_of(sorted(seen.imeis), *sorted(seen.serials))
            ]
        return known

    async def _read_job(self, connection: AsyncConnection, rack: _Rack, job: str) -> _Read:
        """What each line of the rack tells of it."""
        found = await connection.execute(
            """
            SELECT branch, record.body
            FROM job_record JOIN record USING (rack, branch, sequence)
            WHERE rack = %s AND job = %s ORDER BY branch, sequence LIMIT %s
            """,
            (rack.number, job, MOST_RECORDS + 1),
        )
        rows = await found.fetchall()
        read = await to_thread.run_sync(partial(_entries_of, rows), limiter=self._reading)
        made: list[RackJob] = []
        for branch in sorted({each for each, _ in read}):
            mine = [
                entry
                for of, entry in read
                if rack.lines.has(branch, Spot(branch=of, sequence=entry.sequence))
            ]
            made.append(
                RackJob(
                    rack=rack.number,
                    rack_name=rack.name,
                    branch=branch,
                    job=JobId(job),
                    records=tuple(sorted(mine, key=lambda entry: entry.sequence)),
                    lines=rack.lines,
                )
            )
        return _Read(lines=made, is_cut=len(rows) > MOST_RECORDS)


async def keep_notes(
    connection: AsyncConnection, rack: int, branch: int, notes: Sequence[RecordNote]
) -> None:
    """Write the notes of records of a branch whose older ones are noted, as `catch_up` does."""
    if notes:
        await connection.execute(
            """
            INSERT INTO job_record (rack, job, branch, sequence)
            SELECT %s, job, %s, sequence FROM unnest(
                string_to_array(%s, E'\\n'), string_to_array(%s, E'\\n')::int8[]
            ) AS told (job, sequence) ON CONFLICT DO NOTHING
            """,
            (
                rack,
                branch,
                _lines(each.job for each in notes),
                _lines(str(each.sequence) for each in notes),
            ),
        )
    # In one order, so that nobody waits for who waits for them.
    told = sorted({(*trait, each.job) for each in notes for trait in each.traits})
    if told:
        traits, values, of = zip(*told, strict=True)
        await connection.execute(
            """
            INSERT INTO handset_trait (trait, value, rack, job, lasting)
            SELECT trait, value, %(rack)s, job, EXISTS (
                SELECT FROM handset_trait AS known
                WHERE known.rack = %(rack)s AND known.job = told.job AND known.lasting
            ) FROM unnest(
                string_to_array(%(traits)s, E'\\n'), string_to_array(%(values)s, E'\\n'),
                string_to_array(%(jobs)s, E'\\n')
            ) AS told (trait, value, job) ON CONFLICT DO NOTHING
            """,
            {
                "rack": rack,
                "traits": _lines(traits),
                "values": _lines(values),
                "jobs": _lines(of),
            },
        )
    lasting = {each.job for each in notes if each.lasts}
    if lasting:
        await connection.execute(
            "UPDATE handset_trait SET lasting = true WHERE rack = %s AND job = ANY(%s)",
            (rack, list(lasting)),
        )
    ended = {each.job for each in notes if each.ends}
    if ended:
        await connection.execute(
            # Its number stays: who had it before that job doesn't get it back.
            "UPDATE handset_lease SET until = '-infinity' WHERE rack = %s AND job = ANY(%s)",
            (rack, list(ended)),
        )


def _lines(told: Iterable[str]) -> str:
    """An array as cheap to send as a text; what can be kept is printable, and so one line."""
    return "\n".join(told)


async def _jobs_with(connection: AsyncConnection, trait: Trait, value: str) -> _Found:
    jobs: list[tuple[int, str]] = []
    is_cut = False
    for lasting, most in ((True, MOST_LASTING), (False, NEWEST)):
        found = await connection.execute(
            """
            SELECT rack, job FROM handset_trait WHERE value = %s AND trait = %s AND lasting = %s
            ORDER BY noted_at DESC LIMIT %s
            """,
            (value, trait, lasting, most + 1),
        )
        rows = await found.fetchall()
        jobs += rows[:most]
        is_cut |= len(rows) > most
    return _Found(jobs=jobs, is_cut=is_cut)


async def _rack_of(connection: AsyncConnection, rack: int) -> _Rack:
    found = await connection.execute(
        """
        SELECT branch, left_branch, left_sequence, name, why
        FROM branch JOIN rack ON rack.id = branch.rack WHERE rack = %s
        ORDER BY heard_at DESC, branch DESC
        """,
        (rack,),
    )
    rows = await found.fetchall()
    left: Mapping[int, Spot | None] = {
        branch: None if before is None else Spot(branch=before, sequence=sequence)
        for branch, before, sequence, _, _ in rows
    }
    is_forked = any(row[4] == "fork" for row in rows)
    lines = Lines(left=left, newest=rows[0][0], is_forked=is_forked)
    return _Rack(number=rack, name=rows[0][3], lines=lines)


def _traits_of(imeis: Iterable[str], *serials: str | None) -> list[NumberOfHandset]:
    told: list[NumberOfHandset] = [(Trait.IMEI, each) for each in imeis]
    return told + [(Trait.SERIAL, each) for each in serials if each and not is_filler(each)]


def _entries_of(rows: Sequence[tuple[int, bytes]]) -> list[tuple[int, StoredEntry]]:
    """Records that were checked when they came in."""
    return [(branch, stored_after(GENESIS, bytes(body))) for branch, body in rows]


def _read_notes(rows: Sequence[tuple[int, bytes]]) -> list[RecordNote]:
    notes = (note_of(at, stored_after(GENESIS, bytes(body)).entry) for at, body in rows)
    return [each for each in notes if each is not None]


def note_of(sequence: int, entry: Entry) -> RecordNote | None:
    """What a record tells of a job; None for one that tells nothing."""
    job = entry.job
    if job is None or entry.kind not in _TELLING or not can_be_kept(job):
        return None
    told: list[tuple[Trait, object]] = []
    evidence = entry.data.get("evidence")
    if isinstance(evidence, Mapping):
        told += [(trait, evidence.get(key)) for trait in _INDEXED for key in TOLD_UNDER[trait]]
        told.append((Trait.CHIP, evidence.get("fleet_chip")))
    if entry.kind is EntryKind.ASSET_UNERASABLE:
        told.append((Trait.IMEI, entry.data.get("imei")))
    return RecordNote(
        sequence=sequence,
        job=job,
        traits=tuple((trait, str(value)) for trait, value in told if _tells(trait, value)),
        lasts=_lasts(entry),
        ends=entry.kind is EntryKind.JOB_ENDED,
    )


def _lasts(entry: Entry) -> bool:
    """Whether a job is found by this record however many come after it."""
    match entry.kind:
        case EntryKind.ASSET_UNERASABLE:
            return True
        case EntryKind.RECHECK_DRAWN:
            return entry.data.get("drawn") is True
        case EntryKind.JOB_ENDED if may_hold(entry):
            return True
        case _:
            return dooms(entry)


def _tells(trait: Trait, value: object) -> bool:
    if not isinstance(value, str) or not can_be_kept(value):
        return False
    match trait:
        case Trait.IMEI:
            return is_imei(value)
        case Trait.SERIAL:
            return not is_filler(value)
        case Trait.CHIP:
            return is_fleet_chip(value)
