"""Takes ledger records in, one after the other: each adds to what is known of its job."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import Final, TypeVar

import structlog

from benchd.domain.disposal import CLOSED_BY_A_LATER_JOB, DisposalState
from benchd.domain.errors import CertificateGap
from benchd.domain.evidence_json import from_json
from benchd.domain.handset_file import DisposedLine
from benchd.domain.ids import JobId, SlotName
from benchd.domain.job import DISPOSITION_OF, Disposition, Outcome, Reason
from benchd.domain.record import EntryKind, StoredEntry
from benchd.domain.sql_statements import SqlValue, Statements, query
from benchd.ledger.records.attended_fold import OF_ATTENDED, AttendedFolder
from benchd.ledger.records.columns import Table, values_of, word_of
from benchd.ledger.records.job_matching import join, take_label_of_drawn
from benchd.ledger.records.numbers import DIGEST_DIGITS, INDEXED_DIGEST_DIGITS, words_of
from benchd.ledger.records.passed_looks import judge_looks
from benchd.ledger.records.record_effect import (
    RecordEffect,
    effect_of_end,
    effect_of_stage,
    text_of,
)
from benchd.ledger.records.row_mapping import (
    BROUGHT,
    JOB,
    LOT,
    MET,
    SETTLED,
    TOLD,
    UPTO,
    BroughtRow,
    JobRow,
    LotRow,
    MetRow,
    ToldRow,
    UptoRow,
)
from benchd.proof.disposal_fold import (
    DisposalItem,
    disposal_evidence_of,
    disposed_item,
    opened_item,
    run_again_item,
)
from benchd.proof.evidence.intake_evidence import (
    AssessedRecord,
    BoundRecord,
    LotRecord,
    UnerasableRecord,
)
from benchd.proof.identity.sighting import model_key
from benchd.proof.identity.takeover import rechecked_in, takes_over
from benchd.proof.identity.traits import Traits
from benchd.proof.record_subject import imeis_proven, imeis_reported

_log = structlog.get_logger()

LONGEST_TEXT: Final = 1000
_Row = TypeVar("_Row")


class Folder:
    """Folds records into the tables of one connection, inside the caller's transaction."""

    def __init__(self, connection: Statements) -> None:
        self._connection = connection
        self._changed: set[int] = set()
        """Jobs of which something has changed that a look rests on."""

    def take(self, records: Iterable[StoredEntry]) -> None:
        """Take these in, in the order of the ledger, and remember how far that is."""
        last: StoredEntry | None = None
        attended = AttendedFolder(self._connection)
        for last in records:
            try:
                self._take(last)
                if self._changed:
                    judge_looks(self._connection, self._changed)
                    self._changed.clear()
                if last.entry.kind in OF_ATTENDED:
                    attended.take(last, self._id_of(last.entry.job))
            except (CertificateGap, ValueError) as error:
                # One record that can't be understood doesn't keep all others from being found.
                _log.warning("record_not_understood", sequence=last.sequence, detail=str(error))
        attended.write()
        if last is not None:
            upto = UptoRow(sequence=last.sequence, hash=last.hash_hex)
            self._insert(UPTO, upto, or_else="REPLACE")

    def _take(self, record: StoredEntry) -> None:
        match record.entry.kind:
            case EntryKind.JOB_OPENED:
                self._open(record)
            case EntryKind.STAGE_ENDED:
                self._stage(record)
            case EntryKind.JOB_ENDED:
                self._end(record)
            case EntryKind.HANDSET_SETTLED:
                self._settle(record)
            case EntryKind.LOT_ADDED:
                self._add_lot(record)
            case EntryKind.ASSET_BOUND:
                self._bind(record)
            case EntryKind.ASSET_UNERASABLE:
                self._add_unerasable(record)
            case EntryKind.ASSET_ASSESSED:
                self._add_assessed(record)
            case _:
                pass

    def _open(self, record: StoredEntry) -> None:
        entry, job = record.entry, record.entry.job
        if job is None or self._id_of(job) is not None:
            return
        row = JobRow(
            id=record.sequence,
            job=job,
            handset=record.sequence,
            slot=entry.slot or SlotName(""),
            occupancy=entry.occupancy or 0,
            recipe=text_of(entry, "recipe") or "",
            opened_at=entry.at,
            usb_serial=text_of(entry, "usb_serial"),
        )
        self._insert(JOB, row)
        self._words(record, record.sequence, job, row.usb_serial)

    def _stage(self, record: StoredEntry) -> None:
        told = effect_of_stage(record.entry)
        number = self._id_of(record.entry.job)
        imeis = tuple(sorted(imeis_proven(record.entry)))
        if not (told or imeis) or number is None:
            return
        if told:
            self._update(number, told)
        named = {told.get("screen_number"), told.get("serial"), *imeis_reported(record.entry)}
        self._words(record, number, *sorted(str(each) for each in named if each is not None))
        for imei in imeis:
            self._insert(TOLD, ToldRow(imei=imei, job=number), or_else="IGNORE")
        if "rechecks" in told:
            take_label_of_drawn(self._connection, number)
        if imeis or "rechecks" in told:
            self._join(number)
        if imeis:
            self._run("UPDATE job SET named = 1 WHERE id = ?", number)
            self._run_again(record, number, imeis)
        if "tied" in told:
            self._leave_to_others(number)
        if (drawn := rechecked_in(record.entry)) is not None:
            self._take_over(drawn, record)

    def _end(self, record: StoredEntry) -> None:
        number = self._id_of(record.entry.job)
        if number is None or self._has_ended(number):
            return
        told = effect_of_end(record.entry)
        item = opened_item(record.entry)
        self._update(number, told)
        digest = told.get("certificate")
        if isinstance(digest, str) and len(digest) == DIGEST_DIGITS:
            self._words(record, number, digest[:INDEXED_DIGEST_DIGITS])
        if item is not None:
            self._keep(item)
        self._changed.add(number)

    def _settle(self, record: StoredEntry) -> None:
        job = record.entry.job
        item = None if job is None else self._item(job)
        if job is None or item is None:
            return
        moved = disposed_item(item, record.entry)
        if moved is item:
            return
        self._keep(moved)
        try:
            told = disposal_evidence_of(record.entry)
        except CertificateGap:
            return
        line = DisposedLine(
            sequence=record.sequence,
            job=job,
            at=record.entry.at,
            before=told.before,
            state=told.to,
            name=told.name,
            note=told.note,
            recycler=told.recycler,
            number=told.number,
            batch=told.batch,
            done_on=told.done_on,
            later_job=None if told.later_job is None else JobId(told.later_job),
        )
        self._insert(SETTLED, line, or_else="REPLACE")

    def _add_lot(self, record: StoredEntry) -> None:
        told = from_json(LotRecord, record.entry.data, record.entry.kind)
        self._insert(LOT, LotRow(lot=told.lot, consignor=told.consignor), or_else="REPLACE")

    def _bind(self, record: StoredEntry) -> None:
        """The handset of a job is an asset; of two such records the later one counts."""
        told = from_json(BoundRecord, record.entry.data, record.entry.kind)
        number = self._id_of(record.entry.job)
        if number is not None:
            of_lot: RecordEffect = {"lot": told.lot, "consignor": self._consignor(told.lot)}
            self._update(number, {**of_lot, "tag": told.tag})
            self._join(number)
            self._words(record, number, told.tag)

    def _add_unerasable(self, record: StoredEntry) -> None:
        """It counts and waits like what a job has ended with, under a number of its own."""
        told = from_json(UnerasableRecord, record.entry.data, record.entry.kind)
        case = record.entry.job or JobId(f"asset-{record.sequence}")
        sql = "SELECT 1 FROM job WHERE job = ? OR (tag = ? AND by_hand AND state IS NOT NULL)"
        if self._rows(sql, case, told.tag):
            return
        self._add_case(record, case, told, Outcome.FAILED, told.disposition, told.reason)
        item = opened_item(replace(record.entry, job=case))
        if item is not None:
            self._keep(item)

    def _add_assessed(self, record: StoredEntry) -> None:
        """It counts as a handset that came in and is held, and nothing is to be done with it."""
        told = from_json(AssessedRecord, record.entry.data, record.entry.kind)
        case = record.entry.job
        if case is None or self._id_of(case) is not None:
            return
        held = DISPOSITION_OF[Reason.ASSESSED]
        self._add_case(record, case, told, Outcome.PASSED, held, Reason.ASSESSED)

    def _add_case(
        self,
        record: StoredEntry,
        case: JobId,
        told: UnerasableRecord | AssessedRecord,
        outcome: Outcome,
        disposition: Disposition,
        reason: str,
    ) -> None:
        row = JobRow(
            id=record.sequence,
            job=case,
            handset=record.sequence,
            slot=SlotName(""),
            occupancy=0,
            recipe="",
            lot=told.lot,
            consignor=self._consignor(told.lot),
            tag=told.tag,
            opened_at=record.entry.at,
            ended_at=record.entry.at,
            outcome=outcome,
            disposition=disposition,
            reason=reason,
            chip=None if told.chip is None else told.chip.verdict,
            by_hand=True,
        )
        self._insert(JOB, row)
        self._words(record, record.sequence, case, told.tag)
        self._join(record.sequence)

    def _consignor(self, lot: str) -> str | None:
        found = next(LOT.rows(self._connection, "WHERE lot = ?", (_storable(lot),)), None)
        return None if found is None else found.consignor

    def _run_again(self, record: StoredEntry, number: int, imeis: tuple[str, ...]) -> None:
        """Whatever of this handset's earlier jobs a later one settles by itself."""
        found = self._rows(
            "SELECT DISTINCT job.id, job.job FROM told JOIN job ON job.id = told.job"  # noqa: S608
            f" WHERE told.imei IN ({_marks(imeis)}) AND job.id <> ?"
            f" AND (job.state IN ({_marks(CLOSED_BY_A_LATER_JOB)}) OR job.waited_as IS NOT NULL)",
            *imeis,
            number,
            *CLOSED_BY_A_LATER_JOB,
        )
        later = self._traits(number)
        for other, job in found:
            mine = self._traits(int(str(other)))
            if takes_over(mine, later, record.entry):
                if mine.tied_chip is not None:
                    self._has_met(int(str(other)), record, number)
                self._take_over(JobId(str(job)), record)

    def _has_met(self, other: int, record: StoredEntry, number: int) -> None:
        met = MetRow(job=other, record=record.sequence, later=number, at=record.entry.at)
        self._insert(MET, met)
        sql = "UPDATE job SET waited_as = state, waited_since = since WHERE id = ?"
        self._run(f"{sql} AND waited_as IS NULL", other)

    def _leave_to_others(self, number: int) -> None:
        """Its chip is known now: it has met no handset of which another one is known."""
        clashing = self._rows(
            "SELECT DISTINCT mine.id FROM met JOIN job mine ON mine.id = met.job"
            " JOIN job later ON later.id = met.later"
            " WHERE later.id = ? AND mine.tied <> later.tied",
            number,
        )
        for job in [int(str(row[0])) for row in clashing]:
            self._changed.add(job)
            self._run("DELETE FROM met WHERE job = ? AND later = ?", job, number)
            sql = "SELECT job.job, met.at FROM met JOIN job ON job.id = met.later WHERE met.job = ?"
            others = self._rows(f"{sql} ORDER BY record", job)
            if others:
                sql = "UPDATE job SET run_again_as = ?, since = ? WHERE id = ?"
                self._run(sql, *map(str, others[0]), job)
            else:
                sql = "UPDATE job SET run_again_as = NULL, state = waited_as, since = waited_since"
                self._run(f"{sql}, waited_as = NULL WHERE id = ?", job)

    def _take_over(self, job: JobId, record: StoredEntry) -> None:
        item = self._item(job)
        if item is not None and record.entry.job is not None:
            self._keep(run_again_item(item, record.entry.job, record.entry.at))

    def _traits(self, number: int) -> Traits:
        """What a job's handset is known by, as far as the read model has it."""
        proven = [str(row[0]) for row in self._rows("SELECT imei FROM told WHERE job = ?", number)]
        [row] = JOB.rows(self._connection, "WHERE id = ?", (number,))
        maker, model = row.manufacturer, row.model
        return Traits(
            imeis=frozenset(proven),
            proven=frozenset(proven),
            serial=row.serial or None,
            model=model_key(maker, model) if maker and model else None,
            tied_chip=row.tied or None,
        )

    def _join(self, number: int) -> None:
        self._changed |= {number, *join(self._connection, number)}

    def _keep(self, item: DisposalItem) -> None:
        self._run(
            "UPDATE job SET state = ?, since = ?, run_again_as = ? WHERE job = ?",
            item.state,
            item.since.isoformat(),
            item.run_again_as,
            item.job,
        )
        if (number := self._id_of(item.job)) is not None:
            self._changed.add(number)

    def _item(self, job: JobId) -> DisposalItem | None:
        condition = "WHERE job = ? AND state IS NOT NULL"
        for row in JOB.rows(self._connection, condition, (_storable(job),)):
            return _item_of(row)
        return None

    def _update(self, number: int, told: RecordEffect) -> None:
        sets = ", ".join(f"{column} = ?" for column in told)
        self._run(f"UPDATE job SET {sets} WHERE id = ?", *told.values(), number)  # noqa: S608

    def _words(self, record: StoredEntry, number: int, *numbers: SqlValue) -> None:
        """A job can be found by these from now on; no record does so twice."""
        words = words_of(*(one for one in numbers if isinstance(one, str)))
        if words:
            self._insert(BROUGHT, BroughtRow(record=record.sequence, job=number))
            self._run("INSERT INTO term (rowid, words) VALUES (?, ?)", record.sequence, words)

    def _id_of(self, job: JobId | None) -> int | None:
        for row in self._rows("SELECT id FROM job WHERE job = ?", job):
            return row[0] if isinstance(row[0], int) else None
        return None

    def _has_ended(self, number: int) -> bool:
        return bool(self._rows("SELECT 1 FROM job WHERE id = ? AND ended_at IS NOT NULL", number))

    def _insert(self, table: Table[_Row], row: _Row, *, or_else: str = "ABORT") -> None:
        self._run(table.insert(or_else=or_else), *values_of(row))

    def _rows(self, sql: str, *values: SqlValue) -> list[tuple[object, ...]]:
        return list(query(self._connection, sql, [_storable(value) for value in values]))

    def _run(self, sql: str, *values: SqlValue) -> None:
        query(self._connection, sql, [_storable(value) for value in values])


def _storable(value: SqlValue) -> SqlValue:
    """The ledger can hold surrogates, and a handset's words are as long as it likes."""
    if not isinstance(value, str):
        return value
    return value[:LONGEST_TEXT].encode("utf-8", "replace").decode()


def _marks(values: Collection[object]) -> str:
    return ", ".join("?" * len(values))


def _item_of(row: JobRow) -> DisposalItem:
    """What has become of a job's handset."""
    if row.since is None:
        raise ValueError(f"job {row.job} has a state, and not since when")
    return DisposalItem(
        job=row.job,
        state=row.state or DisposalState.HELD,
        since=row.since,
        ended_at=row.ended_at or row.since,
        disposition=row.disposition or Disposition.HOLD,
        reason=word_of(Reason, row.reason),
        run_again_as=row.run_again_as,
    )
