"""A ledger that tells of jobs, for the read model's tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from benchd.domain.chip import ChipVerdict
from benchd.domain.evidence_json import to_json
from benchd.domain.handset import ResetFacts
from benchd.domain.ids import Evidence, JobId, SlotName
from benchd.domain.intake import BoundBy, Unerasable
from benchd.domain.job import Disposition, Gate
from benchd.domain.people import ShownBy
from benchd.domain.record import Entry, EntryKind, StoredEntry
from benchd.lab.usual_handset import USUAL
from benchd.ledger.ledger_queries import LedgerReads
from benchd.ledger.records.read_model import ReadModel
from benchd.ledger.records.records_queries import Looker
from benchd.proof.evidence.chip_evidence import SwitchEvidence, TieEvidence
from benchd.proof.evidence.handset_evidence import GatesEvidence, InitialiseEvidence
from benchd.proof.evidence.intake_evidence import UnerasableRecord
from benchd.proof.evidence.people_evidence import DecisionEvidence
from benchd.proof.evidence.recheck_evidence import FindDrawnEvidence
from benchd.proof.evidence.reset_evidence import ConfirmEvidence
from benchd.proof.floors import LEAST_DRAWN_STEPS, LEAST_PASSES
from benchd.proof.grade_book import GradedRecord
from tests import recorded
from tests.intake.lots import BY, bound_record, lot_record

START = datetime(2026, 11, 3, 1, 0, tzinfo=UTC)
IMEI = "356938035643809"
OTHER_IMEI = "490154203237518"

INSPECT = replace(
    USUAL,
    model="SO-51B",
    build="61.2",
    imei=IMEI,
    capacity_bytes=1 << 30,
    used_bytes=1 << 20,
    free_bytes=(1 << 30) - (1 << 20),
    jpki_capable=False,
)
GATES = GatesEvidence(
    minimum_battery_percent=30,
    battery_percent=80,
    accepted=(),
    watch_list=None,
    answers=(),
)
RESET = ResetFacts(
    android_id="a" * 16,
    account_count=0,
    user_ids=(0,),
    used_bytes=1,
    third_party_packages=0,
    boot_count=1,
    test_harness=False,
)


@dataclass(slots=True)
class Told:
    """Records in the order of a ledger, without one."""

    stored: list[StoredEntry] = field(default_factory=list)

    def tell(
        self, kind: EntryKind, job: str | None, data: Evidence, at: datetime | None = None
    ) -> int:
        entry = Entry(
            kind=kind,
            at=at or START + timedelta(minutes=len(self.stored)),
            slot=SlotName("A1"),
            occupancy=1,
            job=None if job is None else JobId(job),
            data=data,
        )
        number = len(self.stored) + 1
        self.stored.append(StoredEntry(sequence=number, entry=entry, hash_hex=f"{number:064x}"))
        return number

    def open(self, job: str, at: datetime | None = None, **data: str) -> None:
        told = {"recipe": "overwrite", "usb_serial": "USB0001", **data}
        self.tell(EntryKind.JOB_OPENED, job, told, at)

    def stage(
        self,
        job: str,
        stage: str,
        evidence: Evidence,
        outcome: str = "passed",
        because: str | None = None,
    ) -> None:
        data = recorded.stage_ended(stage, evidence, outcome=outcome, because=because)
        self.tell(EntryKind.STAGE_ENDED, job, data)

    def inspect(self, job: str, **changes: object) -> None:
        self.stage(job, "inspect", to_json(replace(INSPECT, **changes)))  # type: ignore[arg-type]

    def gates(self, job: str, number: str | None = None) -> None:
        self.stage(job, "gates", to_json(replace(GATES, screen_number=number)))

    def confirm(self, job: str, *numbers: str) -> None:
        """A second person has read its numbers, after its last reset."""
        answer = DecisionEvidence(
            gate=Gate.CONFIRM,
            approved=True,
            operator="鈴木",
            note=" ".join(numbers),
            at=START,
            person="suzuki",
            shown_by=ShownBy.BADGE_AND_PIN,
            source="127.0.0.1",
        )
        self.stage(job, "confirm", to_json(ConfirmEvidence(answer=answer, numbers=numbers)))

    def initialise(self, job: str, *, arrived_reset: bool) -> None:
        evidence = to_json(
            InitialiseEvidence(
                before=RESET, fresh_used_bytes=1, after=None if arrived_reset else RESET
            )
        )
        outcome = "skipped" if arrived_reset else "passed"
        self.stage(job, "initialise", evidence, outcome, "arrived_reset" if arrived_reset else None)

    def find_drawn(self, job: str, drawn: str, number: str) -> None:
        """A third person has found the drawn job of this handset."""
        evidence = FindDrawnEvidence(
            drawn_job=drawn,
            screen_number=number,
            answer=DecisionEvidence(
                gate=Gate.RECHECK,
                approved=True,
                operator="田中",
                note=number,
                at=START,
                person="tanaka",
                shown_by=ShownBy.BADGE_AND_PIN,
                source="socket",
            ),
            interfaces=("060101",),
            usb_serial="USB0001",
            vendor_id="0fce",
            product_id="020d",
        )
        self.stage(job, "find_drawn", to_json(evidence))

    def chip(self, job: str, verdict: str) -> None:
        self.stage(job, "felica_check", recorded.chip(verdict=ChipVerdict(verdict)))

    def tie(self, job: str, chip: str) -> None:
        """A chip was silent and there as its handset's NFC was switched."""
        pattern = (*(step % 2 == 1 for step in range(LEAST_DRAWN_STEPS)), True)
        off = SwitchEvidence(
            nfc_on=False, seen=ChipVerdict.SILENT, passes=LEAST_PASSES, power_cycled=True
        )
        on = replace(off, nfc_on=True, seen=ChipVerdict.UNUSED, chip=chip)
        steps = tuple(on if step else off for step in pattern)
        tie = TieEvidence(found_on=True, pattern=pattern, steps=steps, put_back=True)
        self.stage(job, "felica_check", recorded.chip(chip=chip, tied=True, tie=tie))

    def end(
        self,
        job: str,
        outcome: str = "failed",
        disposition: str = "hold",
        reason: str | None = "coverage_too_low",
        certificate: str | None = None,
    ) -> None:
        data: Evidence = {
            "outcome": outcome,
            "disposition": disposition,
            "reason": reason,
            "detail": "",
            "certificate": certificate,
        }
        self.tell(EntryKind.JOB_ENDED, job, data)

    def sell(self, job: str, certificate: str = '{"payload": "x"}') -> None:
        self.end(job, "passed", "sellable", None, certificate)

    def settle(self, job: str, before: str, to: str, **more: str) -> None:
        data: Evidence = {
            "before": before,
            "to": to,
            "person": "uid-1000",
            "name": "佐藤",
            "shown_by": "unix",
            "source": "socket",
            "note": "",
            "recycler": None,
            "number": None,
            "batch": None,
            "done_on": None,
            "later_job": None,
            **more,
        }
        self.tell(EntryKind.HANDSET_SETTLED, job, data)

    def lot(self, lot: str, consignor: str = "個人") -> None:
        told = lot_record(lot, consignor=consignor)
        self.tell(EntryKind.LOT_ADDED, None, to_json(told))

    def bind(self, job: str, tag: str, lot: str = "L-1") -> None:
        told = bound_record(tag, lot=lot, bound_by=BoundBy.IMEI, serial=None)
        self.tell(EntryKind.ASSET_BOUND, job, to_json(told))

    def grade(
        self, code: str, *, tag: str | None = None, job: str | None = None, lot: str = "L-1"
    ) -> int:
        """A person says how a handset looks."""
        told = GradedRecord(
            tag=tag,
            lot=None if tag is None else lot,
            job=job,
            code=code,
            ja=f"{code}の状態",
            en=f"state {code}",
            note="",
            by=BY,
        )
        return self.tell(EntryKind.HANDSET_GRADED, None, to_json(told))

    def dead(self, tag: str, lot: str = "L-1", at: datetime | None = None) -> None:
        told = UnerasableRecord(
            lot=lot,
            tag=tag,
            reason=Unerasable.NO_POWER,
            disposition=Disposition.DESTROY,
            note="",
            by=BY,
        )
        self.tell(EntryKind.ASSET_UNERASABLE, f"case-{tag}", to_json(told), at)

    def drawn(self, drawn: str, recheck: str, tag: str | None = None) -> None:
        """A drawn job that waits for its recheck, and a recheck that has found its handset."""
        self.open(drawn)
        self.inspect(drawn)
        if tag is not None:
            self.bind(drawn, tag)
        self.end(drawn, "passed", "hold", "recheck_due")
        self.open(recheck, recipe="drawn_recheck")
        self.find_drawn(recheck, drawn, IMEI)

    def whole(self, job: str, **changes: object) -> None:
        """A job that was opened, inspected and held."""
        self.open(job)
        self.inspect(job, **changes)
        self.end(job)


Seen = TypeVar("Seen")


def look(
    model: ReadModel, told: Told, ask: Callable[[Looker], Seen], *, quick: bool = True
) -> Seen:
    """What the read model says once it has taken all that was told."""
    model.take(told.stored[model.upto().sequence :])
    return model.look(ask, quick=quick)


@dataclass
class FakeFeed(LedgerReads):
    """A ledger that gives what `told` has, in pieces."""

    told: Told

    async def select(self, condition: str, *values: str | int) -> list[StoredEntry]:
        raise NotImplementedError

    async def entries_after(self, sequence: int, most: int) -> Sequence[StoredEntry]:
        return self.told.stored[sequence : sequence + most]

    async def entry_at(self, sequence: int) -> StoredEntry | None:
        return self.told.stored[sequence - 1] if 0 < sequence <= len(self.told.stored) else None
