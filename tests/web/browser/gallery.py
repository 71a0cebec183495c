"""A rack with something of everything, to look at."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from benchd.domain.handset import HandsetIdentity
from benchd.domain.ids import Evidence, JobId, PortPath, SlotName
from benchd.domain.job import DISPOSITION_OF, Disposition, Gate, Outcome, Reason, StageName
from benchd.domain.record import EntryKind
from benchd.domain.slot import (
    Away,
    AwayView,
    ProblemCode,
    ProblemView,
    QuestionView,
    SlotView,
)
from benchd.domain.slot_states import SlotState
from tests import recorded
from tests.intake.lots import imei
from tests.web.web_fakes import BEGAN, FakeRack, port

MODELS = (
    ("Sony", "SO-53C", "HQ633K0CQ8"),
    ("SHARP", "SH-54B", "356401820047713"),
    ("FCNT", "F-51B", "0123456789ABCDEF"),
    ("samsung", "SC-56C", "R5CT60ABCDE"),
    ("Google", "Pixel 4a", "0A041JEC204512"),
    ("SHARP", "SHG11", "357302115550195"),
)


BEFORE_OVERWRITE = (StageName.INSPECT, StageName.GATES, StageName.FELICA_CHECK)
AFTER_READ_BACK = (
    StageName.FELICA_CLEAR,
    StageName.FELICA_RECHECK,
    StageName.FINAL_RESET,
    StageName.OBSERVE,
    StageName.CONFIRM,
    StageName.CERTIFY,
)


class Gallery:
    """Shows slot after slot, each in another situation."""

    def __init__(self, rack: FakeRack) -> None:
        self._rack = rack
        self._count = 0

    def fill(self, slots: int) -> None:
        shown = (
            self.running(StageName.OVERWRITE, 0.62, 192),
            self.sellable(),
            self.asking(Gate.CONFIRM, StageName.CONFIRM),
            self.running(StageName.READ_BACK, 0.31, 611),
            self.problem(ProblemCode.ADB_DISABLED),
            self.failed(Reason.STORAGE_FAULT),
            self.empty(),
            self.failed(Reason.LOCKED),
        )
        more = (
            self.running(StageName.INITIALISE, None, None),
            self.sellable(),
            self.running(StageName.OVERWRITE, 0.08, 4210),
            self.asking(Gate.FELICA_CHECK, StageName.FELICA_CHECK),
            self.state(SlotState.SETTLING),
            self.cable_out(StageName.OVERWRITE),
            self.broken(),
            self.failed(Reason.LOCKED, Disposition.RETURN),
        )
        rest = (
            self.running(StageName.OVERWRITE, 0.44, 1500),
            self.running(StageName.READ_BACK, 0.97, 21),
            self.sellable(),
            self.empty(),
        )
        every = [*shown, *more, *rest * 12]
        for place, show in enumerate(every[:slots]):
            show(SlotName(f"{chr(65 + place // 8)}{place % 8 + 1}"))
        self._rack.board.show_unknown_port(PortPath(port(9)), attached=True)

    def running(self, stage: StageName, progress: float | None, eta_s: float | None):  # noqa: ANN201
        return lambda slot: self._show(
            slot, SlotState.RUNNING, stage=stage, progress=progress, eta_s=eta_s
        )

    def sellable(self):  # noqa: ANN201
        return lambda slot: self._ended(slot, Outcome.PASSED, Disposition.SELLABLE, None)

    def failed(self, reason: Reason, goes: Disposition | None = None):  # noqa: ANN201
        return lambda slot: self._ended(
            slot, Outcome.FAILED, goes or DISPOSITION_OF[reason], reason
        )

    def asking(self, gate: Gate, stage: StageName):  # noqa: ANN201
        return lambda slot: self._show(slot, SlotState.AWAITING_OPERATOR, stage=stage, gate=gate)

    def problem(self, code: ProblemCode):  # noqa: ANN201
        return lambda slot: self._show(slot, SlotState.WAITING, problem=code, known=False)

    def broken(self):  # noqa: ANN201
        return lambda slot: self._show(
            slot, SlotState.QUARANTINED, problem=ProblemCode.SLOT_BROKEN, known=False
        )

    def state(self, state: SlotState, stage: StageName | None = None):  # noqa: ANN201
        return lambda slot: self._show(slot, state, stage=stage, known=stage is not None)

    def cable_out(self, stage: StageName):  # noqa: ANN201
        away = AwayView(why=Away.CABLE_OUT, until=datetime.now(UTC) + timedelta(seconds=143))
        return lambda slot: self._show(slot, SlotState.REPLUGGING, stage=stage, away=away)

    def empty(self):  # noqa: ANN201
        return lambda slot: self._show(slot, SlotState.EMPTY, known=False)

    def _ended(
        self, slot: SlotName, outcome: Outcome, goes: Disposition, reason: Reason | None
    ) -> None:
        job = self._show(slot, SlotState.FINISHED, outcome=outcome, goes=goes, reason=reason)
        if goes is Disposition.SELLABLE:
            self._pass(job)
            return
        self._rack.ledger.keep_job(
            job=job,
            outcome=outcome,
            disposition=goes,
            reason=reason,
            detail="",
        )

    def _show(
        self,
        slot: SlotName,
        state: SlotState,
        *,
        stage: StageName | None = None,
        progress: float | None = None,
        eta_s: float | None = None,
        gate: Gate | None = None,
        away: AwayView | None = None,
        problem: ProblemCode | None = None,
        known: bool = True,
        outcome: Outcome | None = None,
        goes: Disposition | None = None,
        reason: Reason | None = None,
    ) -> JobId:
        maker, model, serial = MODELS[self._count % len(MODELS)]
        self._count += 1
        job = JobId(f"20261124-{self._count:010x}")
        identity = HandsetIdentity(
            serial=f"{serial[:-2]}{self._count:02}",
            manufacturer=maker,
            model=model,
            android="13",
            build="61.2",
            imei=imei(self._count) if self._count % 2 else None,
        )
        facts = {"model": model, "serial": serial, "imei_end": "0187"}
        self._rack.board.show(
            SlotView(
                slot=slot,
                port_path=port(self._count),
                state=state,
                occupancy=self._count,
                job=job if known else None,
                stage=stage,
                progress=progress,
                eta_s=eta_s,
                handset_left_s=eta_s * 1.7 + 300 if eta_s else None,
                away=away,
                since=datetime.now(UTC) - timedelta(seconds=97 * self._count),
                identity=identity if known else None,
                question=QuestionView(gate=gate, facts=facts) if gate else None,
                problem=ProblemView(code=problem) if problem else None,
                outcome=outcome,
                disposition=goes,
                reason=reason,
            )
        )
        if known and outcome is None:
            self._open(job)
        return job

    def _open(self, job: JobId) -> None:
        self._rack.ledger.keep(EntryKind.JOB_OPENED, {"recipe": "overwrite"}, job)
        for stage in BEFORE_OVERWRITE:
            self._stage(job, stage, {})

    def _pass(self, job: JobId) -> None:
        """Every stage of a job that ended with a certificate."""
        self._open(job)
        self._stage(job, StageName.INITIALISE, {}, because="arrived_reset")
        self._stage(job, StageName.OVERWRITE, recorded.overwrite(bytes_written=61_203_283_968))
        self._stage(job, StageName.READ_BACK, recorded.read_back(coverage=0.9871))
        for stage in AFTER_READ_BACK:
            self._stage(job, stage, {})
        for gate, operator in ((Gate.FINAL_RESET, "佐藤"), (Gate.CONFIRM, "鈴木")):
            answer: Evidence = {
                "gate": gate,
                "approved": True,
                "operator": operator,
                "note": "",
                "at": BEGAN.isoformat(),
            }
            self._rack.ledger.keep(EntryKind.DECISION, answer, job)
        end: Evidence = {
            "outcome": "passed",
            "disposition": "sellable",
            "reason": None,
            "detail": "",
            "certificate": '{"payload": ""}',
        }
        self._rack.ledger.keep(EntryKind.JOB_ENDED, end, job)

    def _stage(
        self, job: JobId, stage: StageName, evidence: Evidence, because: str | None = None
    ) -> None:
        ledger = self._rack.ledger
        ledger.keep(EntryKind.STAGE_STARTED, {"stage": stage}, job)
        outcome = "skipped" if because else "passed"
        ledger.keep(
            EntryKind.STAGE_ENDED,
            recorded.stage_ended(stage, evidence, outcome=outcome, because=because),
            job,
        )
