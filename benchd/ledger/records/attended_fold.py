"""Takes in what people's time goes on: questions of a job, and a slot between two jobs."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from benchd.domain.ids import SlotName
from benchd.domain.operator_steps import BetweenJobs
from benchd.domain.record import EntryKind, StoredEntry
from benchd.domain.sql_statements import Statements, query
from benchd.ledger.records.columns import values_of
from benchd.ledger.records.row_mapping import (
    ATTENDED,
    OPEN_WAITS,
    SLOT,
    AttendedRow,
    OpenWaitsRow,
    SlotRow,
)
from benchd.proof.attended_time import OpenWaits, after

OF_ATTENDED: Final = frozenset(
    {
        EntryKind.DAEMON_STARTED,
        EntryKind.OCCUPANCY_OPENED,
        EntryKind.JOB_OPENED,
        EntryKind.STAGE_STARTED,
        EntryKind.STAGE_ENDED,
        EntryKind.QUESTION_ASKED,
        EntryKind.DECISION,
        EntryKind.ATTACHMENT_CHANGED,
        EntryKind.JOB_ENDED,
    }
)
"""Kinds of records that change what a slot waits for."""


class AttendedFolder:
    """Folds one batch of records into the tables of a connection, in the caller's transaction.

    What changes with almost each record is kept until the end of the batch, and then written once.
    """

    def __init__(self, connection: Statements) -> None:
        self._connection = connection
        self._waits: dict[int, OpenWaits] = {}
        self._slots: dict[SlotName, SlotRow] = {}

    def take(self, record: StoredEntry, job: int | None) -> None:
        """A record of one of the kinds `OF_ATTENDED`, with its job's number in the read model.

        Raises CertificateGap, ValueError for one that isn't of its form.
        """
        kind, slot = record.entry.kind, record.entry.slot
        if kind is EntryKind.DAEMON_STARTED:
            # What slots have waited for meanwhile nobody knows.
            query(self._connection, f"DELETE FROM {SLOT.name}")  # noqa: S608
            self._slots.clear()
        elif kind is EntryKind.OCCUPANCY_OPENED and slot is not None:
            self._plugged(record, slot)
        elif job is not None:
            if kind is EntryKind.JOB_OPENED and slot is not None:
                self._opened(record, job, slot)
            else:
                self._wait(record, job)
            if kind is EntryKind.JOB_ENDED:
                self._ended(record, job, slot)

    def write(self) -> None:
        """Keep what is open after the batch."""
        for job, waits in self._waits.items():
            sql = OPEN_WAITS.insert(or_else="REPLACE")
            query(self._connection, sql, values_of(_row(job, waits)))
        for row in self._slots.values():
            query(self._connection, SLOT.insert(or_else="REPLACE"), values_of(row))

    def _plugged(self, record: StoredEntry, slot: SlotName) -> None:
        entry, before = record.entry, self._slot(slot)
        if before.ended_job is not None and before.ended_at is not None:
            self._attended(record, before.ended_job, BetweenJobs.CHANGING, before.ended_at)
        self._slots[slot] = SlotRow(slot=slot, occupancy=entry.occupancy, plugged_at=entry.at)

    def _opened(self, record: StoredEntry, job: int, slot: SlotName) -> None:
        before = self._slot(slot)
        if before.plugged_at is not None and before.occupancy == record.entry.occupancy:
            self._attended(record, job, BetweenJobs.PLUGGING, before.plugged_at)
        self._slots[slot] = SlotRow(slot=slot)
        self._waits[job] = OpenWaits()

    def _ended(self, record: StoredEntry, job: int, slot: SlotName | None) -> None:
        self._waits.pop(job, None)
        query(self._connection, f"DELETE FROM {OPEN_WAITS.name} WHERE job = ?", (job,))  # noqa: S608
        if slot is not None:
            self._slots[slot] = SlotRow(slot=slot, ended_job=job, ended_at=record.entry.at)

    def _wait(self, record: StoredEntry, job: int) -> None:
        if (before := self._waits.get(job)) is None:
            found = next(OPEN_WAITS.rows(self._connection, "WHERE job = ?", (job,)), None)
            before = OpenWaits() if found is None else _open_waits(found)
        self._waits[job], waited = after(before, record.entry)
        for part, each in enumerate(waited):
            self._insert(record, job, each.stage, each.time, part)

    def _attended(self, record: StoredEntry, job: int, step: str, since: datetime) -> None:
        self._insert(record, job, step, record.entry.at - since)

    def _insert(
        self, record: StoredEntry, job: int, step: str, time: timedelta, part: int = 0
    ) -> None:
        whole = max(0, round(time.total_seconds()))
        row = AttendedRow(record=record.sequence, part=part, job=job, step=step, seconds=whole)
        query(self._connection, ATTENDED.insert(or_else="REPLACE"), values_of(row))

    def _slot(self, slot: SlotName) -> SlotRow:
        if slot not in self._slots:
            found = next(SLOT.rows(self._connection, "WHERE slot = ?", (slot,)), None)
            self._slots[slot] = found or SlotRow(slot=slot)
        return self._slots[slot]


def _open_waits(row: OpenWaitsRow) -> OpenWaits:
    moment = datetime.fromisoformat
    asked = (each.split("=") for each in row.open.split())
    closed = (each.split("/") for each in row.closed.split())
    return OpenWaits(
        stage=row.stage,
        began_at=row.began_at,
        open={gate: moment(since) for gate, since in asked},
        closed=tuple((moment(since), moment(until)) for since, until in closed),
        returned=tuple(map(moment, row.returned.split())),
    )


def _row(job: int, waits: OpenWaits) -> OpenWaitsRow:
    return OpenWaitsRow(
        job=job,
        stage=waits.stage,
        began_at=waits.began_at,
        open=" ".join(f"{gate}={since.isoformat()}" for gate, since in waits.open.items()),
        closed=" ".join(
            f"{since.isoformat()}/{until.isoformat()}" for since, until in waits.closed
        ),
        returned=" ".join(at.isoformat() for at in waits.returned),
    )
