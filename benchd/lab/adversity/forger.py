"""Somebody who rewrites the ledger or puts an older one back, and the person who mends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from benchd.domain.ids import Evidence, JobId, SlotName
from benchd.domain.job import Disposition, Outcome, StageName
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.domain.wakeup import Wakeup
from benchd.lab.adversity.disk import Disk
from benchd.lab.adversity.kinds import Kind
from benchd.lab.adversity.referee import Referee
from benchd.lab.adversity.rewriting import Rewritten, cut_off, rewrite
from benchd.lab.adversity.schedule import Blow
from benchd.ledger.witness import Witness

WHOLE_CHAIN_FROM_S: Final = 25.0
"""Who takes as long as this computes all that follows anew, and takes the triggers away."""
ANOTHER_MODEL: Final = "SO-99Z"
OLD_SLOT: Final = SlotName("Z9")
OLD_JOB: Final = JobId("20261123-0000000000")


class Forger:
    """Strikes the ledger's files once, and knows what has to come of it."""

    def __init__(self, disk: Disk, referee: Referee) -> None:
        self._disk = disk
        self._referee = referee
        self._rewritten = False
        self.due = False
        """Whether what was done has to be noticed, and nobody has settled it yet."""
        self.struck = False
        self.strikes = Wakeup()

    def strike(self, blow: Blow, certificates: Mapping[JobId, bytes], anchored: int) -> None:
        """Do it to the files, whoever has them open."""
        if self.struck:
            return
        self.struck = True
        if blow.kind is Kind.ROLLBACK:
            self._roll_back(blow.slot, certificates, anchored)
        else:
            self._rewrite(blow, certificates)
        self.strikes.fire()

    def _rewrite(self, blow: Blow, certificates: Mapping[JobId, bytes]) -> None:
        records = self._disk.records()
        whole = blow.lasts_s >= WHOLE_CHAIN_FROM_S
        change = _another_model(blow.slot, records) if blow.kind is Kind.REWRITTEN_JOB else None
        envelope = next(iter(certificates.values()), None)
        self._disk.set_aside()
        first = rewrite(
            self._disk.here,
            change or _sellable(_unsold(blow.slot, records), envelope),
            whole_chain=whole,
            triggers=not whole,
        )
        self._rewritten = self.due = first is not None
        if first is not None:
            self._referee.untold_from = first

    def _roll_back(self, slot: str, certificates: Mapping[JobId, bytes], anchored: int) -> None:
        """To where the newest end of the slot, or else of any, wasn't yet on record."""
        records = self._disk.records()
        ends = [
            record
            for record in records
            if record.entry.kind is EntryKind.JOB_ENDED and record.entry.job != OLD_JOB
        ]
        newest = [r for r in ends if r.entry.slot == slot] or ends
        kept = (newest[-1] if newest else records[len(records) // 2]).sequence - 1
        cut_off(self._disk.here, after=kept)
        self._disk.cut_off(record for record in records if record.sequence > kept)
        self._disk.reset_head()
        sold = [r.sequence for r in ends if r.entry.job in certificates]
        self.due = anchored > kept or any(sequence > kept for sequence in sold)
        self._forget_after(kept)

    def _forget_after(self, kept: int) -> None:
        # Those of one commit are heard of in any order.
        acknowledged = self._disk.acknowledged
        self._disk.acknowledged = [each for each in acknowledged if each.sequence <= kept]
        self._referee.lost_after(kept)

    def settle(self, witnesses: Sequence[Witness], at: datetime) -> None:
        """A person puts the sound copy back, if there is one, and records the loss."""
        if self._rewritten:
            self._disk.put_back()
        entry = Entry(
            kind=EntryKind.LEDGER_RESTORED,
            at=at,
            data={"operator": "Sato", "because": "somebody was at the file"},
        )
        known = max((witness.head.sequence for witness in witnesses), default=0)
        kept, receipt = self._disk.number_on(entry, known=known)
        self._forget_after(kept)
        self._disk.acknowledged.append(receipt)
        self._referee.untold_from = None
        self._referee.held_since_s = None
        self.due = False


def _unsold(slot: str, records: Sequence[StoredEntry]) -> int:
    """The newest end that isn't sellable: this slot's, or any."""
    ends = [
        record
        for record in records
        if record.entry.kind is EntryKind.JOB_ENDED
        and record.entry.data["disposition"] != Disposition.SELLABLE
    ]
    own = [record for record in ends if record.entry.slot == slot] or ends
    return own[-1].sequence


def _sellable(sequence: int, envelope: bytes | None) -> Rewritten:
    """That end is one of a handset that may be sold, with another's certificate if there is one."""
    end = {
        "outcome": Outcome.PASSED,
        "disposition": Disposition.SELLABLE,
        "reason": None,
        "certificate": None if envelope is None else envelope.decode(),
    }

    def changed(record: Evidence) -> Evidence:
        return _with(record, end) if record["sequence"] == sequence else record

    return changed


def _another_model(slot: str, records: Sequence[StoredEntry]) -> Rewritten | None:
    """The inspection of the job that runs in this slot, if one does, saw another model."""
    ended = {r.entry.job for r in records if r.entry.kind is EntryKind.JOB_ENDED}
    inspected = [
        record
        for record in records
        if record.entry.slot == slot
        and record.entry.job not in ended
        and record.entry.data.get("stage") == StageName.INSPECT
        and record.entry.data.get("outcome") == Outcome.PASSED
    ]
    if not inspected:
        return None

    def changed(record: Evidence) -> Evidence:
        if record["sequence"] != inspected[-1].sequence:
            return record
        seen = inspected[-1].entry.data["evidence"]
        told = {**seen, "model": ANOTHER_MODEL} if isinstance(seen, Mapping) else seen
        return _with(record, {"evidence": told})

    return changed


def _with(record: Evidence, more: Evidence) -> Evidence:
    data = record["data"]
    return {**record, "data": {**data, **more}} if isinstance(data, Mapping) else record


def aged(entries: int, at: datetime) -> list[Entry]:
    """What an old rack has on record: a handset to be destroyed, and then so much that's no job."""
    other = Entry(kind=EntryKind.CONFIG_CHANGED, at=at, data={})
    opened = replace(other, kind=EntryKind.JOB_OPENED, slot=OLD_SLOT, occupancy=1, job=OLD_JOB)
    end: Evidence = {
        "outcome": Outcome.FAILED,
        "disposition": Disposition.DESTROY,
        "reason": "system_modified",
        "detail": "",
        "certificate": None,
    }
    return [
        replace(opened, data={"recipe": "overwrite"}),
        replace(opened, kind=EntryKind.JOB_ENDED, data=end),
        *[other] * entries,
    ]
