"""Files what records tell of each job, for people who look something up."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import psycopg
import structlog
from anyio import CapacityLimiter, to_thread
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from benchd.domain.evidence_json import from_json
from benchd.domain.hook import NextAction, direction_in
from benchd.domain.ids import JobId, JsonObject
from benchd.domain.record import Entry, EntryKind
from benchd.fleet.fleet_database import FleetDatabase, can_be_kept, kept_text
from benchd.fleet.record_follower import PIECE, Reading, RecordFollower, Stretch
from benchd.ledger.ledger_record import GENESIS, stored_after
from benchd.ledger.records.numbers import DIGEST_DIGITS, INDEXED_DIGEST_DIGITS, plain
from benchd.ledger.records.record_effect import effect_of_end, effect_of_stage, text_of
from benchd.proof.disposal_fold import disposal_evidence_of, opened_item
from benchd.proof.evidence.intake_evidence import AssessedRecord, BoundRecord, UnerasableRecord
from benchd.proof.record_subject import imeis_proven, imeis_reported

_FILING: Final = 0x62656E66696C65
"""The advisory lock of whoever files."""
_TELLING: Final = (
    EntryKind.DAEMON_STARTED,
    EntryKind.JOB_OPENED,
    EntryKind.STAGE_ENDED,
    EntryKind.JOB_ENDED,
    EntryKind.HANDSET_SETTLED,
    EntryKind.ASSET_BOUND,
    EntryKind.ASSET_UNERASABLE,
    EntryKind.ASSET_ASSESSED,
    EntryKind.HOOK_ANSWERED,
)

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one record adds to what is known of a job."""

    job: JobId
    at: datetime
    told: JsonObject
    numbers: tuple[str, ...] = ()
    imeis: frozenset[str] = field(default=frozenset())
    proven: frozenset[str] = field(default=frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """A change, and where its record stands."""

    rack: int
    branch: int
    sequence: int
    change: Change


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What is known of a job."""

    opened_at: datetime
    told: JsonObject
    tied: str | None
    certificate: str | None
    branch: int | None
    """Where its certificate stands."""
    sequence: int | None
    imeis: frozenset[str]
    proven: frozenset[str]


def job_filing(database: FleetDatabase) -> RecordFollower:
    """Files all that has come in."""
    reading = Reading(lock=_FILING, upto="filed_upto", kinds=_TELLING, lines=PIECE, take=_take)
    return RecordFollower(database, reading)


async def _take(
    connection: AsyncConnection, stretches: Sequence[Stretch], thread: CapacityLimiter
) -> None:
    changes: list[_Placed] = []
    versions: list[tuple[str, int, int]] = []
    for each in stretches:
        told, version = await to_thread.run_sync(_read, each, limiter=thread)
        changes += told
        if version is not None:
            versions.append((version, each.rack, each.branch))
    await _file_or_pass_over(connection, changes)
    if versions:
        await connection.cursor().executemany(
            "UPDATE filed_upto SET version = %s WHERE rack = %s AND branch = %s", versions
        )


async def _file_or_pass_over(connection: AsyncConnection, changes: Sequence[_Placed]) -> None:
    """All at once, or where PostgreSQL refuses one each by itself: it keeps no other from it."""
    try:
        async with connection.transaction():
            await _file(connection, changes)
    except (psycopg.DataError, psycopg.errors.ProgramLimitExceeded) as error:
        if len(changes) == 1:
            sequence = changes[0].sequence
            _log.warning("record_not_understood", sequence=sequence, detail=str(error))
            return
        for each in changes:
            await _file_or_pass_over(connection, [each])


async def _file(connection: AsyncConnection, changes: Sequence[_Placed]) -> None:
    """Add to what is known of each job what is told of it, in the order of what came."""
    known = await _known_jobs(connection, {(each.rack, each.change.job) for each in changes})
    numbers: dict[tuple[int, str, str], None] = {}
    for each in changes:
        key = (each.rack, each.change.job)
        known[key] = _added(known.get(key), each)
        numbers |= dict.fromkeys((*key, number) for number in _numbers_of(each.change))
    await connection.execute(
        """
        INSERT INTO filed_job
            (rack, job, opened_at, told, tied, certificate, certified_branch, certified_sequence,
            imeis, proven)
        SELECT rack, job, opened_at, told, tied, certificate, branch, sequence,
            string_to_array(imeis, ' '), string_to_array(proven, ' ')
        FROM unnest(%s::int[], %s::text[], %s::timestamptz[], %s::jsonb[], %s::text[], %s::text[],
            %s::int[], %s::int8[], %s::text[], %s::text[])
            AS new (rack, job, opened_at, told, tied, certificate, branch, sequence, imeis, proven)
        ON CONFLICT (rack, job) DO UPDATE SET told = excluded.told, tied = excluded.tied,
            certificate = excluded.certificate, certified_branch = excluded.certified_branch,
            certified_sequence = excluded.certified_sequence, imeis = excluded.imeis,
            proven = excluded.proven
        """,
        (
            [rack for rack, _ in known],
            [job for _, job in known],
            [each.opened_at for each in known.values()],
            [Jsonb(dict(each.told)) for each in known.values()],
            [each.tied for each in known.values()],
            [each.certificate for each in known.values()],
            [each.branch for each in known.values()],
            [each.sequence for each in known.values()],
            # None has a blank: all that isn't a letter or a digit was left out.
            [" ".join(sorted(each.imeis)) for each in known.values()],
            [" ".join(sorted(each.proven)) for each in known.values()],
        ),
    )
    await connection.execute(
        """
        INSERT INTO filed_number (rack, job, number, opened_at)
        SELECT * FROM unnest(%s::int[], %s::text[], %s::text[], %s::timestamptz[])
        ON CONFLICT DO NOTHING
        """,
        (
            [rack for rack, _, _ in numbers],
            [job for _, job, _ in numbers],
            [number for _, _, number in numbers],
            [known[rack, job].opened_at for rack, job, _ in numbers],
        ),
    )


async def _known_jobs(
    connection: AsyncConnection, keys: Collection[tuple[int, str]]
) -> dict[tuple[int, str], _Known]:
    """What is filed of these jobs; nobody else files meanwhile."""
    found = await connection.execute(
        """
        SELECT rack, job, opened_at, told, tied, certificate, certified_branch, certified_sequence,
            imeis, proven
        FROM unnest(%s::int[], %s::text[]) AS due (rack, job) JOIN filed_job USING (rack, job)
        """,
        ([rack for rack, _ in keys], [job for _, job in keys]),
    )
    return {
        (row[0], row[1]): _Known(
            opened_at=row[2],
            told=row[3],
            tied=row[4],
            certificate=row[5],
            branch=row[6],
            sequence=row[7],
            imeis=frozenset(row[8]),
            proven=frozenset(row[9]),
        )
        for row in await found.fetchall()
    }


def _added(known: _Known | None, new: _Placed) -> _Known:
    """What is known of a job with one record more; its first end counts and first certificate."""
    told, tied = new.change.told, new.change.told.get("tied")
    certificate = new.change.told.get("certificate")
    of_paper = (str(certificate), new.branch, new.sequence) if certificate else (None, None, None)
    imeis = _plain(new.change.imeis)
    proven = _plain(new.change.proven) & _numbers_of(new.change)
    if known is not None:
        ends_again = "ended_at" in told and "ended_at" in known.told
        told = known.told if ends_again else {**known.told, **told}
        tied = known.tied if tied is None else tied
        imeis, proven = imeis | known.imeis, proven | known.proven
        if known.certificate is not None:
            of_paper = (known.certificate, known.branch, known.sequence)
    return _Known(
        opened_at=new.change.at if known is None else known.opened_at,
        told=told,
        tied=None if tied is None else str(tied),
        certificate=of_paper[0],
        branch=of_paper[1],
        sequence=of_paper[2],
        imeis=imeis,
        proven=proven,
    )


def _numbers_of(change: Change) -> frozenset[str]:
    return _plain((*change.numbers, *change.imeis))


def _plain(numbers: Collection[str]) -> frozenset[str]:
    return frozenset(filter(None, map(plain, numbers)))


def _read(stretch: Stretch) -> tuple[list[_Placed], str | None]:
    """What records tell of jobs, and which benchd their rack said last that it runs."""
    changes: list[_Placed] = []
    version = None
    for sequence, body in stretch.rows:
        try:
            entry = stored_after(GENESIS, body).entry
            if entry.kind is EntryKind.DAEMON_STARTED:
                version = kept_text(text_of(entry, "version")) or version
            elif (change := change_of(entry, sequence)) is not None and can_be_kept(change.job):
                placed = _Placed(
                    rack=stretch.rack, branch=stretch.branch, sequence=sequence, change=change
                )
                changes.append(placed)
        except Exception as error:  # noqa: BLE001 - one record's fault, whatever it is
            # One record that can't be understood keeps no other from being found.
            _log.warning("record_not_understood", sequence=sequence, detail=str(error))
    return changes, version


def change_of(entry: Entry, sequence: int) -> Change | None:
    """What a record tells of a job; raises CertificateGap, ValueError."""
    match entry.kind:
        case EntryKind.ASSET_UNERASABLE:
            return _by_hand(from_json(UnerasableRecord, entry.data, entry.kind), entry, sequence)
        case EntryKind.ASSET_ASSESSED:
            return _by_hand(from_json(AssessedRecord, entry.data, entry.kind), entry, sequence)
        case EntryKind.HOOK_ANSWERED:
            asked = direction_in(entry.data)
            holds = asked is not None and asked.counts and asked.action is NextAction.HOLD
            if asked is None or not holds:
                return None
            return Change(job=asked.job, at=entry.at, told=_clean({"held_by": asked.hook}))
        case _:
            return None if entry.job is None else _of_job(entry, entry.job)


def _of_job(entry: Entry, job: JobId) -> Change | None:
    match entry.kind:
        case EntryKind.JOB_OPENED:
            serial = text_of(entry, "usb_serial")
            recipe = text_of(entry, "recipe")
            told: JsonObject = {"slot": entry.slot, "recipe": recipe, "usb_serial": serial}
            change = _change(entry, job, told, job, serial)
        case EntryKind.STAGE_ENDED:
            change = _of_stage(entry, job)
        case EntryKind.JOB_ENDED:
            change = _of_end(entry, job)
        case EntryKind.HANDSET_SETTLED:
            state = disposal_evidence_of(entry).to
            change = _change(entry, job, {"state": state, "since": entry.at.isoformat()})
        case EntryKind.ASSET_BOUND:
            bound = from_json(BoundRecord, entry.data, entry.kind)
            change = _change(entry, job, {"lot": bound.lot, "tag": bound.tag}, bound.tag)
        case _:
            change = None
    return change


def _of_stage(entry: Entry, job: JobId) -> Change | None:
    told, imeis = effect_of_stage(entry), imeis_reported(entry)
    evidence = entry.data.get("evidence")
    if "tied" in told and isinstance(evidence, Mapping) and evidence.get("fleet_chip"):
        # As other racks name the same chip.
        told = {**told, "tied": kept_text(str(evidence["fleet_chip"]))}
    if not (told or imeis):
        return None
    change = _change(entry, job, told, told.get("screen_number"), told.get("serial"))
    return replace(change, imeis=imeis, proven=imeis_proven(entry))


def _of_end(entry: Entry, job: JobId) -> Change:
    told = dict(effect_of_end(entry))
    item = opened_item(entry)
    if item is not None:
        told |= {"state": item.state, "since": item.since.isoformat()}
    digest = told.get("certificate")
    is_whole = isinstance(digest, str) and len(digest) == DIGEST_DIGITS
    return _change(entry, job, told, str(digest)[:INDEXED_DIGEST_DIGITS] if is_whole else None)


def _by_hand(told: UnerasableRecord | AssessedRecord, entry: Entry, sequence: int) -> Change:
    """What somebody entered of a handset that nobody has plugged in."""
    job = entry.job or JobId(f"asset-{sequence}")
    return _change(entry, job, {"lot": told.lot, "tag": told.tag, "by_hand": True}, told.tag)


def _change(entry: Entry, job: JobId, told: JsonObject, *numbers: object) -> Change:
    named = tuple(each for each in numbers if isinstance(each, str))
    return Change(job=job, at=entry.at, told=_clean(told), numbers=named)


def _clean(told: JsonObject) -> JsonObject:
    """Without what isn't known, and without what PostgreSQL can't keep."""
    return {
        key: kept_text(value) if isinstance(value, str) else value
        for key, value in told.items()
        if value is not None
    }
