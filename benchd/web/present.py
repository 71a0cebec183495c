"""From what the core knows to the API's objects, with texts; every foreign string is cleaned."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import pydantic

from benchd.pipelines.history import JobHistory
from benchd.proof.evidence.intake import BoundRecord
from benchd.texts.catalogue import Catalogue, Guidance, Texts, printable
from benchd.texts.causes import Causes
from benchd.web.found import chip_in, found_in
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
from benchd.words.chip import ChipOwners
from benchd.words.handset import HandsetIdentity
from benchd.words.ids import JobId, JsonValue, PortPath
from benchd.words.job import Reason
from benchd.words.slot import Away, EarlierEnd, ProblemCode, ProblemView, QuestionView, SlotView

LONGEST_OWNERS = 200
"""Characters; each name in it is of the node catalogue."""


class Presenter:
    """Makes the API's objects."""

    def __init__(
        self, catalogue: Catalogue, bound: Callable[[JobId], BoundRecord | None] = lambda _: None
    ) -> None:
        """`bound` tells which asset the handset of a job is."""
        self._catalogue = catalogue
        self._causes = Causes.load(catalogue)
        self._bound = bound

    def slot(self, view: SlotView) -> SlotObject:
        """One slot as it is shown."""
        progress, eta_s = self.pace(view)
        return SlotObject(
            slot=view.slot,
            port_path=view.port_path,
            state=view.state,
            since=moment(view.since),
            mends_itself=view.mends_itself,
            absence=absence(view),
            occupancy=view.occupancy,
            job=view.job,
            recipe=view.recipe,
            stage=view.stage,
            progress=progress,
            eta_s=eta_s,
            handset_left_s=_within(view.handset_left_s, math.inf),
            handset=handset_object(view.identity, view.model_name) if view.identity else None,
            problem=self.problem(view.problem) if view.problem else None,
            question=self.question(view.question) if view.question else None,
            outcome=view.outcome,
            disposition=view.disposition,
            reason=view.reason,
            reason_text=self.reason(view.reason),
            owners=_owners(view.owners) if view.owners else None,
            dossier=view.dossier,
            earlier=self._earlier(view.earlier) if view.earlier else None,
            asset=_asset(self.bound(view)),
            directed=directed(view),
        )

    def bound(self, view: SlotView) -> BoundRecord | None:
        """Which asset the handset in a slot is: all that its object tells beside the view."""
        return self._bound(view.job) if view.job else None

    def _earlier(self, earlier: EarlierEnd) -> EarlierObject:
        said = self._catalogue.earlier(earlier)
        return EarlierObject(
            job=earlier.job,
            at=earlier.at.isoformat(),
            disposition=earlier.disposition,
            reason=earlier.reason,
            doomed=earlier.doomed,
            ja=said.ja,
            en=said.en,
        )

    def problem(self, view: ProblemView) -> ProblemObject:
        """Why a slot can't go on."""
        guidance = self._catalogue.problem(view)
        return ProblemObject(
            code=view.code,
            ja=guidance.ja,
            en=guidance.en,
            what_to_do=_texts(guidance.what_to_do),
        )

    def unknown_port(self, port_path: PortPath) -> UnknownPortObject:
        """A port that no slot claims."""
        problem = ProblemView(code=ProblemCode.UNKNOWN_PORT, facts={"port_path": port_path})
        return UnknownPortObject(port_path=printable(port_path), problem=self.problem(problem))

    def summary(self, history: JobHistory) -> JobSummaryObject:
        """One job in short."""
        return JobSummaryObject(
            job=history.job,
            slot=history.slot,
            occupancy=history.occupancy,
            recipe=history.recipe,
            opened_at=history.opened_at.isoformat(),
            ended_at=history.ended_at.isoformat() if history.ended_at else None,
            outcome=history.outcome,
            disposition=history.disposition,
            reason=history.reason,
            reason_text=self.reason(history.reason),
            handset=_handset_of(history.handset) if history.handset is not None else None,
            certificate=history.envelope is not None,
        )

    def job(self, history: JobHistory) -> JobObject:
        """One job with its stages and answers."""
        told = {key: json_clean(value) for key, value in history.as_json().items()}
        cause = self._causes.said(history.detail)
        texts = {
            "reason_text": self.reason(history.reason),
            "detail_text": None if cause is None else _texts(cause),
        }
        job = JobObject.model_validate({**told, **texts})
        stages = zip(job.stages, history.shown, strict=True)
        return job.model_copy(update={"stages": [self._stage(*stage) for stage in stages]})

    def _stage(self, stage: StageObject, shown: object | None) -> StageObject:
        chip, owners = chip_in(shown), None
        if chip is not None and chip.owners is not None:
            owners = _owners(chip.owners)
        return stage.model_copy(
            update={
                "owners": owners,
                "chip": None if chip is None else _texts(self._catalogue.chip(chip.verdict)),
                "tied": None if chip is None or chip.tie is None else chip.tied,
                "heard_at": None if chip is None or chip.tie is None else chip.tie.heard_at,
                "found": [_texts(one) for one in found_in(shown, self._catalogue)],
            }
        )

    def labels(self) -> LabelsObject:
        """The names of all values, and what the page itself says."""
        return LabelsObject(
            labels={
                section: {value: _texts(texts) for value, texts in named.items()}
                for section, named in self._catalogue.labels().items()
            }
        )

    def question(self, view: QuestionView) -> QuestionObject:
        """What a person is asked."""
        guidance = self._catalogue.question(view)
        yes, no = self._catalogue.meanings(view.gate)
        return QuestionObject(
            gate=view.gate,
            asking=view.asking,
            ja=guidance.ja,
            en=guidance.en,
            what_to_do=_texts(guidance.what_to_do),
            yes=_texts(yes),
            no=_texts(no),
        )

    def pace(self, view: SlotView) -> tuple[float | None, float | None]:
        """How far a slot is and how many seconds are left."""
        # A full bar beside "failed" would read as done.
        if view.disposition is not None:
            return None, None
        return _within(view.progress, 1.0), _within(view.eta_s, math.inf)

    def reason(self, reason: Reason | None) -> GuidanceObject | None:
        """Why a job ended as it did."""
        return None if reason is None else _guidance(self._catalogue.reason(reason))


def directed(view: SlotView) -> DirectedObject | None:
    """What other systems have asked for its handset."""
    told = view.directed
    if told is None:
        return None
    place = None if told.place is None else printable(told.place)
    return DirectedObject(held_by=told.held_by, place=place)


def moment(at: datetime | None) -> str | None:
    """A time as ISO 8601."""
    return None if at is None else at.isoformat()


def absence(view: SlotView) -> AwayObject | None:
    """Of a handset that may be out of its port just now."""
    if view.away is None:
        return None
    return AwayObject(planned=view.away.why is Away.RESTARTS, deadline=moment(view.away.until))


def json_clean(value: JsonValue) -> pydantic.JsonValue:
    """The same value without surrogates: the ledger can hold them, UTF-8 can't."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case Mapping():
            return {str(json_clean(key)): json_clean(item) for key, item in value.items()}
        case Sequence():
            return [json_clean(item) for item in value]
        case _:
            return value


def _texts(texts: Texts) -> TextsObject:
    return TextsObject(ja=texts.ja, en=texts.en)


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


def _guidance(guidance: Guidance) -> GuidanceObject:
    return GuidanceObject(ja=guidance.ja, en=guidance.en, what_to_do=_texts(guidance.what_to_do))


def handset_object(identity: HandsetIdentity, name: str | None) -> HandsetObject:
    """What a handset says it is, cleaned."""
    return HandsetObject(
        serial=printable(identity.serial),
        model=printable(identity.model),
        android=printable(identity.android),
        manufacturer=printable(identity.manufacturer),
        imei=printable(identity.imei) if identity.imei else None,
        name=printable(name) if name else None,
        known_model=name is not None,
    )


def _handset_of(evidence: Mapping[str, JsonValue]) -> HandsetObject:
    def text(key: str) -> str:
        value = evidence.get(key)
        return printable(value) if isinstance(value, str) else ""

    return HandsetObject(
        serial=text("serial"),
        model=text("model"),
        android=text("android"),
        manufacturer=text("manufacturer"),
        imei=text("imei") or None,
    )


def _within(number: float | None, most: float) -> float | None:
    """The number between 0 and `most`; None for what JSON can't carry."""
    if number is None or not math.isfinite(number):
        return None
    return min(max(number, 0.0), most)
