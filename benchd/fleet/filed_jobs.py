"""Files what records tell of each job, beside the intake: it never waits for that.

What is filed is for people who look something up and decides nothing. It is made anew by emptying
its tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Final

import anyio
import psycopg
import structlog
from anyio import CapacityLimiter, to_thread
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from benchd.domain.errors import CertificateGap
from benchd.domain.evidence_json import from_json
from benchd.domain.hook import NextAction
from benchd.domain.ids import JobId, JsonValue
from benchd.domain.record import Entry, EntryKind
from benchd.fleet.fleet_database import FleetDatabase, NotAcknowledged, can_be_kept, kept_text
from benchd.ledger.ledger_record import GENESIS, stored_after
from benchd.ledger.records.numbers import DIGEST_DIGITS, INDEXED_DIGEST_DIGITS, parts_of, plain
from benchd.ledger.records.record_effect import effect_of_end, effect_of_stage, text_of
from benchd.outbound.hooks.replies import direction_in
from benchd.proof.disposal_fold import disposal_evidence_of, opened_item
from benchd.proof.evidence.intake_evidence import AssessedRecord, BoundRecord, UnerasableRecord
from benchd.proof.record_subject import imeis_proven, imeis_told

PIECE: Final = 500
LOOK_EVERY_S: Final = 2.0
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
_Told = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one record adds to what is known of a job."""

    job: JobId
    at: datetime
    told: _Told
    numbers: tuple[str, ...] = ()
    imeis: frozenset[str] = field(default=frozenset())
    proven: frozenset[str] = field(default=frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Piece:
    """What a stretch of a branch tells."""

    changes: Sequence[tuple[int, Change]]
    version: str | None


class FiledJobs:
    """Files all that has come in; one centre at a time does so."""

    def __init__(self, database: FleetDatabase) -> None:
        self._database = database
        self._reading = CapacityLimiter(1)

    async def run(self) -> None:
        """Go on filing until cancelled."""
        while True:
            try:
                await self.catch_up()
            except (NotAcknowledged, psycopg.Error) as error:
                _log.warning("fleet_filing", detail=str(error))
            await anyio.sleep(LOOK_EVERY_S)

    async def catch_up(self) -> None:
        """File all that has come in by now."""
        while await self._piece():
            pass

    async def _piece(self) -> bool:
        async with self._database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_FILING,))
            found = await connection.execute(
                """
                SELECT rack, branch, tip_sequence, coalesce(sequence, left_sequence)
                FROM branch LEFT JOIN filed_upto USING (rack, branch)
                WHERE tip_sequence > coalesce(sequence, left_sequence)
                ORDER BY rack, branch LIMIT 1
                """
            )
            row = await found.fetchone()
            if row is None:
                return False
            rack, branch, tip, upto = row
            found = await connection.execute(
                """
                SELECT sequence, body FROM record
                WHERE rack = %s AND branch = %s AND sequence > %s AND kind = ANY(%s)
                ORDER BY sequence LIMIT %s
                """,
                (rack, branch, upto, list(_TELLING), PIECE),
            )
            rows = [(each[0], bytes(each[1])) for each in await found.fetchall()]
            piece = await to_thread.run_sync(partial(_read, rows), limiter=self._reading)
            for sequence, change in piece.changes:
                await _file_or_pass_over(connection, rack, branch, sequence, change)
            await connection.execute(
                """
                INSERT INTO filed_upto (rack, branch, sequence, version) VALUES (%s, %s, %s, %s)
                ON CONFLICT (rack, branch) DO UPDATE SET sequence = excluded.sequence,
                    version = coalesce(excluded.version, filed_upto.version)
                """,
                (rack, branch, rows[-1][0] if len(rows) == PIECE else tip, piece.version),
            )
        return True


async def _file_or_pass_over(
    connection: AsyncConnection, rack: int, branch: int, sequence: int, change: Change
) -> None:
    """One record that PostgreSQL refuses keeps no other from being found."""
    try:
        async with connection.transaction():
            await _file(connection, rack, branch, sequence, change)
    except (psycopg.DataError, psycopg.errors.ProgramLimitExceeded) as error:
        _log.warning("record_not_understood", sequence=sequence, detail=str(error))


async def _file(
    connection: AsyncConnection, rack: int, branch: int, sequence: int, change: Change
) -> None:
    certificate = change.told.get("certificate")
    place = (branch, sequence) if certificate else (None, None)
    await connection.execute(
        """
        INSERT INTO filed_job AS known
            (rack, job, opened_at, told, tied, certificate, certified_branch, certified_sequence)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
        ON CONFLICT (rack, job) DO UPDATE SET
            -- The first end counts, and the first certificate.
            told = known.told || CASE WHEN excluded.told ? 'ended_at' AND known.told ? 'ended_at'
                THEN '{}' ELSE excluded.told END,
            tied = coalesce(excluded.tied, known.tied),
            certificate = coalesce(known.certificate, excluded.certificate),
            certified_branch = coalesce(known.certified_branch, excluded.certified_branch),
            certified_sequence = coalesce(known.certified_sequence, excluded.certified_sequence)
        """,
        (
            *(rack, change.job, change.at, Jsonb(dict(change.told)), change.told.get("tied")),
            *(certificate, *place),
        ),
    )
    imeis = {plain(each) for each in change.imeis}
    proven = {plain(each) for each in change.proven}
    numbers = {plain(each) for each in change.numbers} | imeis
    for number in sorted(filter(None, numbers)):
        await connection.execute(
            """
            INSERT INTO filed_number AS known (rack, job, number, parts, is_imei, is_proven)
            VALUES (%s, %s, %s, %s, %s, %s)
            ON CONFLICT (number, rack, job) DO UPDATE SET
                is_imei = known.is_imei OR excluded.is_imei,
                is_proven = known.is_proven OR excluded.is_proven
            """,
            (rack, change.job, number, parts_of(number), number in imeis, number in proven),
        )


def _read(rows: Iterable[tuple[int, bytes]]) -> _Piece:
    changes: list[tuple[int, Change]] = []
    version = None
    for sequence, body in rows:
        try:
            entry = stored_after(GENESIS, body).entry
            if entry.kind is EntryKind.DAEMON_STARTED:
                version = kept_text(text_of(entry, "version")) or version
            elif (change := change_of(entry, sequence)) is not None and can_be_kept(change.job):
                changes.append((sequence, change))
        except (CertificateGap, ValueError) as error:
            # One record that can't be understood keeps no other from being found.
            _log.warning("record_not_understood", sequence=sequence, detail=str(error))
    return _Piece(changes=changes, version=version)


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
            told: _Told = {"slot": entry.slot, "recipe": recipe, "usb_serial": serial}
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
    told, imeis = effect_of_stage(entry), imeis_told(entry)
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


def _change(entry: Entry, job: JobId, told: _Told, *numbers: object) -> Change:
    named = tuple(each for each in numbers if isinstance(each, str))
    return Change(job=job, at=entry.at, told=_clean(told), numbers=named)


def _clean(told: _Told) -> _Told:
    """Without what isn't known, and without what PostgreSQL can't keep."""
    return {
        key: kept_text(value) if isinstance(value, str) else value
        for key, value in told.items()
        if value is not None
    }
