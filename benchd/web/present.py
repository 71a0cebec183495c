"""From what the core knows to the API's objects, with texts."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import datetime

from benchd.domain.authority import ACTION_OF, AUTHORITY
from benchd.domain.chip import ChipOwners
from benchd.domain.handset import HandsetIdentity
from benchd.domain.ids import JobId, JsonValue, PortPath
from benchd.domain.job import Reason
from benchd.domain.people import Role
from benchd.domain.plain_text import printable
from benchd.domain.slot import Away, EarlierEnd, ProblemCode, ProblemView, QuestionView, SlotView
from benchd.proof.evidence.intake_evidence import BoundRecord
from benchd.proof.job_history import JobHistory
from benchd.proof.job_records import StageRecord
from benchd.texts.catalogue import Catalogue
from benchd.texts.causes import Causes
from benchd.texts.templates import Texts, followed
from benchd.web.evidence_text import chip_in, found_in
from benchd.web.objects import (
    AwayObject,
    DirectedObject,
    EarlierObject,
    GuidanceObject,
    HandsetObject,
    JobAssetObject,
    JobObject,
    JobSummaryObject,
    LabelsObject,
    ProblemObject,
    QuestionObject,
    SlotObject,
    StageObject,
    TextsObject,
    UnknownPortObject,
)

LONGEST_OWNERS = 200
"""Characters; each name in it is of the node catalogue."""


class Presenter:
    """Makes the API's objects."""

    def __init__(
        self,
        catalogue: Catalogue,
        bound: Callable[[JobId], BoundRecord | None] = lambda _: None,
        instead: Callable[[SlotView], Texts | None] = lambda _: None,
    ) -> None:
        """`bound` tells which asset the handset of a job is.

        `instead` tells what may be meant rather than erasing one once more that is certified.
        """
        self._catalogue = catalogue
        self._causes = Causes.load(catalogue)
        self._bound = bound
        self._instead = instead

    def slot(self, view: SlotView) -> SlotObject:
        """One slot as it is shown."""
        progress, eta_s = self.pace(view)
        return SlotObject.of(
            view,
            absence=absence(view),
            progress=progress,
            eta_s=eta_s,
            handset_left_s=_within(view.handset_left_s, math.inf),
            handset=handset_object(view.identity, view.model_name) if view.identity else None,
            problem=self.problem(view.problem) if view.problem else None,
            question=self.question(view.question) if view.question else None,
            reason_text=self.reason(view.reason),
            owners=_owners(view.owners) if view.owners else None,
            earlier=self._earlier(view, view.earlier) if view.earlier else None,
            asset=_asset(self.bound(view)),
        )

    def bound(self, view: SlotView) -> BoundRecord | None:
        """Which asset the handset in a slot is: all that its object tells beside the view."""
        return self._bound(view.job) if view.job else None

    def _earlier(self, view: SlotView, earlier: EarlierEnd) -> EarlierObject:
        said, instead = self._catalogue.earlier(earlier), self._instead(view)
        return EarlierObject.of(earlier, said if instead is None else followed(said, instead))

    def problem(self, view: ProblemView) -> ProblemObject:
        """Why a slot can't go on."""
        return ProblemObject.of(view, self._catalogue.problem(view))

    def question(self, view: QuestionView) -> QuestionObject:
        """What a person is asked."""
        yes, no = self._catalogue.meanings(view.gate)
        rule = AUTHORITY[ACTION_OF[view.gate]]
        return QuestionObject.of(
            view,
            self._catalogue.question(view),
            yes=yes,
            no=no,
            roles=[role for role in Role if role in rule.roles],
            by_badge=rule.by_badge,
            answered_by=list(view.answered_by),
            until=moment(view.until),
        )

    def reason(self, reason: Reason | None) -> GuidanceObject | None:
        """Why a job ended as it did."""
        return None if reason is None else GuidanceObject.of(self._catalogue.reason(reason))

    def pace(self, view: SlotView) -> tuple[float | None, float | None]:
        """How far a slot is and how many seconds are left."""
        # A full bar beside "failed" would read as done.
        if view.disposition is not None:
            return None, None
        return _within(view.progress, 1.0), _within(view.eta_s, math.inf)

    def unknown_port(self, port_path: PortPath) -> UnknownPortObject:
        """A port that no slot claims."""
        problem = ProblemView(code=ProblemCode.UNKNOWN_PORT, facts={"port_path": port_path})
        return UnknownPortObject(port_path=port_path, problem=self.problem(problem))

    def summary(self, history: JobHistory) -> JobSummaryObject:
        """One job in short."""
        return JobSummaryObject.of(
            history,
            reason_text=self.reason(history.reason),
            handset=_handset_of(history.handset) if history.handset is not None else None,
            certificate=history.envelope is not None,
        )

    def job(self, history: JobHistory) -> JobObject:
        """One job with its stages and answers."""
        return JobObject.of(
            history,
            reason_text=self.reason(history.reason),
            detail_text=self._causes.said(history.detail),
            stages=[self._stage(attempt) for attempt in history.attempts],
            certificate=history.envelope is not None,
            questions=len(history.decisions),
        )

    def _stage(self, attempt: StageRecord) -> StageObject:
        """One attempt with what its evidence tells in words."""
        shown = attempt.shown()
        chip = chip_in(shown)
        tie = chip.tie if chip else None
        return StageObject.of(
            attempt,
            because=attempt.skipped_because,
            owners=_owners(chip.owners) if chip and chip.owners else None,
            chip=self._catalogue.chip(chip.verdict) if chip else None,
            tied=chip.tied if chip and tie else None,
            heard_at=tie.heard_at if tie else None,
            found=found_in(shown, self._catalogue),
        )

    def labels(self) -> LabelsObject:
        """The names of all values, and what the page itself says."""
        return LabelsObject.of(labels=self._catalogue.labels())


def directed(view: SlotView) -> DirectedObject | None:
    """What other systems have asked for its handset."""
    return None if view.directed is None else DirectedObject.of(view.directed)


def moment(at: datetime | None) -> str | None:
    """A time as ISO 8601."""
    return None if at is None else at.isoformat()


def absence(view: SlotView) -> AwayObject | None:
    """Of a handset that may be out of its port just now."""
    if view.away is None:
        return None
    return AwayObject(planned=view.away.why is Away.RESTARTS, deadline=moment(view.away.until))


def _asset(told: BoundRecord | None) -> JobAssetObject | None:
    if told is None:
        return None
    return JobAssetObject(
        lot=printable(told.lot),
        tag=printable(told.tag),
        bound_by=told.bound_by,
        differs=printable(told.differs),
    )


def _owners(owners: ChipOwners) -> TextsObject:
    return TextsObject(
        ja=printable(owners.ja, LONGEST_OWNERS), en=printable(owners.en, LONGEST_OWNERS)
    )


def handset_object(identity: HandsetIdentity, name: str | None) -> HandsetObject:
    """What a handset says it is."""
    known = name is not None
    return HandsetObject.of(
        identity, imei=identity.imei or None, name=name or None, known_model=known
    )


def _handset_of(evidence: Mapping[str, JsonValue]) -> HandsetObject:
    """The same by the record of its inspection, in which anything may stand."""
    keys = ("serial", "model", "android", "manufacturer", "imei")
    told = {key: text if isinstance(text := evidence.get(key), str) else "" for key in keys}
    return HandsetObject.of(**{**told, "imei": printable(told["imei"]) or None})


def _within(number: float | None, most: float) -> float | None:
    """The number between 0 and `most`; None for what JSON can't carry."""
    if number is None or not math.isfinite(number):
        return None
    return min(max(number, 0.0), most)
