"""The JSON objects of the rack, its slots and jobs; OpenAPI is made from them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue, StrictBool

from benchd.domain.hook import NextAction, NotTaken
from benchd.domain.intake import BoundBy
from benchd.domain.job import Disposition, Gate, Outcome, Reason
from benchd.domain.people import Role, ShownBy
from benchd.domain.plain_text import Language
from benchd.domain.slot import ProblemCode
from benchd.domain.slot_states import SlotState
from benchd.slots.question_desk import LONGEST_NOTE
from benchd.texts.catalogue import values
from benchd.web.grade_objects import BatteryObject, GradedObject
from benchd.web.serialiser import (
    RECORDED,
    Foreign,
    Moment,
    Recorded,
    Verbatim,
    WebObject,
    WebRequest,
    cleaned,
)

LONGEST_OPERATOR = 200
"""Of an id that is read at all; none is that long."""
LONGEST_WHY = 400
"""Of what a dossier says of its inspection."""

StageWord = Annotated[
    Verbatim, Field(json_schema_extra={"enum": list[JsonValue](values()["stage"])})
]
"""The name of a stage, of which there are as many as files in `pipelines/stages`."""


class TextsObject(WebObject):
    """One text in both languages."""

    ja: Verbatim
    en: Verbatim

    def to(self, language: Language) -> str:
        """The text in this language."""
        return self.ja if language == "ja" else self.en


class GuidanceObject(TextsObject):
    """What is the matter, and what to do about it."""

    what_to_do: TextsObject


class ProblemObject(GuidanceObject):
    """Why a slot can't go on now; goes away by itself when it's put right."""

    code: ProblemCode


class QuestionObject(GuidanceObject):
    """A question that waits for a person; the text says what yes and no mean."""

    gate: Gate
    asking: int = 0
    """Which asking it is, to be given back with the answer: a job may ask the same gate again."""
    yes: TextsObject
    """What an approval says."""
    no: TextsObject
    roles: list[Role]
    """Who may answer it."""
    by_badge: bool
    """Whether a badge alone shows enough of who answers it."""
    answered_by: list[Verbatim]
    """Who has answered in its job before, by their ids: none of them may confirm it."""
    until: Moment | None
    """When its job ends without an answer; null where nobody has said."""


class HandsetObject(WebObject):
    """What the handset says it is. A serial is evidence, never a key."""

    serial: Foreign
    model: Foreign
    android: Foreign
    manufacturer: Foreign
    imei: Foreign | None
    name: Foreign | None = None
    """What the catalogue of models calls its model."""
    known_model: bool | None = None
    """Whether the catalogue has its model; null in lists of jobs, where nobody looks it up."""


class EarlierObject(TextsObject):
    """How the last job of the same handset, by its IMEI, has ended on this rack."""

    job: Verbatim
    at: Moment
    disposition: Disposition
    reason: Reason | None
    doomed: bool
    """Whether any of its jobs has sent it to be destroyed."""


class JobAssetObject(WebObject):
    """The asset that a job's handset was taken for."""

    lot: Verbatim
    tag: Verbatim
    bound_by: BoundBy
    differs: Verbatim
    """How its model differs from the papers; blank where it doesn't."""


class AwayObject(WebObject):
    """A handset that may be out of its port in the middle of its job."""

    planned: bool
    """Whether it restarts, and nobody may pull it out; else a person has to bring it back."""
    deadline: Moment | None
    """Until when it has to be back; null while it hasn't left yet."""


class DirectedObject(WebObject):
    """What other systems have asked for a handset, as far as it counts."""

    held_by: Verbatim | None
    """The hook whose answer holds it back."""
    place: Foreign | None
    """The bin that it is to be put into."""


class SlotObject(WebObject):
    """All that is shown of one slot; null where nothing is known."""

    slot: Verbatim
    port_path: Verbatim
    state: SlotState
    since: Moment | None = None
    """Since when it is in this state, for this problem, question or stage."""
    mends_itself: bool = False
    """Whether it waits for what comes right without anybody."""
    absence: AwayObject | None = None
    occupancy: int | None
    job: Verbatim | None
    recipe: Verbatim | None
    """The job's; of a slot without one, that of its next job."""
    stage: StageWord | None
    progress: Annotated[float | None, Field(ge=0, le=1)]
    eta_s: Annotated[float | None, Field(ge=0)]
    """Seconds until the stage is done."""
    handset_left_s: Annotated[float | None, Field(ge=0)] = None
    """Seconds that machines still need for the whole job; what people take isn't in it."""
    handset: HandsetObject | None
    problem: ProblemObject | None
    question: QuestionObject | None
    outcome: Outcome | None
    disposition: Disposition | None
    reason: Reason | None
    reason_text: GuidanceObject | None
    owners: TextsObject | None
    """Whose services are left in the FeliCa chip, if that is why the job ended."""
    dossier: Verbatim | None
    """The name of the dossier that is kept of a handset whose inspection failed."""
    earlier: EarlierObject | None = None
    """What happened to this handset last time; null where it wasn't here, or tells no IMEI."""
    asset: JobAssetObject | None = None
    """Which asset the handset was taken for; null while nobody knows."""
    directed: DirectedObject | None = None


class KeptDossierObject(WebObject):
    """A dossier that a failed inspection has left on the rack."""

    name: Verbatim
    """The job's."""
    taken_at: Verbatim
    model: Foreign
    android: Foreign
    why: Annotated[str, cleaned(LONGEST_WHY)]
    path: Verbatim


class KeptDossiersObject(WebObject):
    """The newest dossiers first."""

    dossiers: list[KeptDossierObject]


class DossierObject(WebObject):
    """A handset's answers as they were just recorded, masked."""

    files: dict[Verbatim, Verbatim]
    replaced: dict[Verbatim, int]
    unanswered: dict[Verbatim, Verbatim]
    reads_otherwise: list[Verbatim]


class ProofObject(WebObject):
    """Whether the handset that sits in a slot may be sold, by its certificate.

    After a passed look before the sale that is the one of an earlier job.
    """

    slot: Verbatim
    occupancy: int | None
    """Which plug it is about: proof of the handset before is none of this one."""
    proven: bool


class UnknownPortObject(WebObject):
    """A USB port in use that no slot claims."""

    port_path: Foreign
    problem: ProblemObject


class RackObject(WebObject):
    """Every slot of the rack, in its order."""

    slots: list[SlotObject]
    unknown_ports: list[UnknownPortObject]
    notices: list[ProblemObject]
    """What is the matter with the rack as a whole."""


class StageObject(WebObject):
    """One ended attempt of a stage."""

    stage: StageWord
    outcome: Outcome
    because: Recorded | None
    """Why it was skipped or ended early: a reason's code, or the name of a fault."""
    owners: TextsObject | None
    """Whose services a look at the FeliCa chip has found in it."""
    chip: TextsObject | None = None
    """What such a look has found, in words."""
    tied: bool | None = None
    """Whether that chip is the handset's own by what its NFC did; null where nobody tried."""
    heard_at: Verbatim | None = None
    """The slot whose reader hears this handset instead, where one does."""
    found: list[TextsObject] = Field(default_factory=list)
    """What the attempt has found, in words with its figures."""
    started_at: Moment
    ended_at: Moment


class DecisionObject(WebObject):
    """A named person's answer, as it stands in the ledger."""

    gate: Gate
    approved: bool
    operator: Verbatim
    person: Verbatim | None = None
    """Whose answer it is, by their id."""
    shown_by: ShownBy | None = None
    note: Verbatim
    at: Moment
    via: dict[Verbatim, Verbatim] = Field(default_factory=dict)
    """How the answer came in: `transport`, and `uid` on the Unix socket."""


class JobSummaryObject(WebObject):
    """One job in short."""

    job: Verbatim
    slot: Verbatim
    occupancy: int
    recipe: Verbatim
    opened_at: Moment
    ended_at: Moment | None
    outcome: Outcome | None
    disposition: Disposition | None
    reason: Reason | None
    reason_text: GuidanceObject | None
    handset: HandsetObject | None
    certificate: bool


class DrainObject(WebObject):
    """How far the daemon is from ending in peace, or from a pause in which nothing runs."""

    draining: bool
    paused: bool
    running_jobs: int


class JobsObject(WebObject):
    """The newest jobs first."""

    jobs: list[JobSummaryObject]


class DirectionObject(WebObject):
    """What another system has asked for a job's handset."""

    hook: Verbatim
    sequence: int
    """Of the record that it was told of."""
    next_action: NextAction | None
    """Null where it wasn't understood."""
    bin: Foreign | None
    refused: NotTaken | None
    """Why it isn't to be done; null where it is."""


class JobObject(WebObject):
    """One job as the ledger tells it; null where nothing was recorded."""

    job: Recorded
    slot: Recorded
    occupancy: int
    recipe: Recorded
    opened_at: Moment
    ended_at: Moment | None
    outcome: Outcome | None
    disposition: Disposition | None
    reason: Reason | None
    reason_text: GuidanceObject | None
    detail: Recorded
    detail_text: TextsObject | None
    """The detail as operators read it; null where there is none, or it is technical."""
    handset: Annotated[dict[Verbatim, JsonValue] | None, RECORDED]
    """The evidence of the inspection."""
    bytes_written: int | None
    coverage: float | None
    stages: list[StageObject]
    decisions: Annotated[list[DecisionObject], RECORDED]
    certificate: bool
    dossier: Recorded | None
    """The name of the dossier that is kept of it."""
    asset: Annotated[JobAssetObject | None, RECORDED]
    questions: int
    """How many of its questions people have answered."""
    battery: BatteryObject
    """How worn its handset's battery is, as its inspection has heard."""
    graded: list[GradedObject] = Field(default_factory=list[GradedObject])
    """The grades that people have given its handset; the last one counts."""
    directions: list[DirectionObject] = Field(default_factory=list[DirectionObject])
    """What other systems have asked for, in the ledger's order: all that counts, and of the rest
    the newest."""


def without_controls(text: str) -> str:
    """The text, if nothing in it steers a terminal."""
    if any(letter < " " and letter not in "\n\t" for letter in text) or "\x7f" in text:
        message = "control characters aren't allowed"
        raise ValueError(message)
    return text


class DecisionRequest(WebRequest):
    """A person's answer to an open question of a job."""

    gate: Gate
    approved: StrictBool
    operator: Annotated[str | None, Field(min_length=1, max_length=LONGEST_OPERATOR)] = None
    """The id of who is meant to answer: refused if somebody else is signed in by now."""
    asking: int | None = None
    """That of the question that was seen: refused if it has been asked anew since."""
    note: Annotated[
        str, Field(default="", max_length=LONGEST_NOTE), AfterValidator(without_controls)
    ]


class ErrorBody(WebObject):
    """Why a request wasn't served."""

    code: Verbatim
    message: Verbatim
    cause: TextsObject | None
    """The message as operators read it; null where it is technical."""


class ErrorObject(WebObject):
    """The answer to every request that isn't served."""

    error: ErrorBody


class HealthObject(WebObject):
    """That the daemon's event loop answers, and how many slots it looks after."""

    status: Verbatim
    slots: int


class LabelsObject(WebObject):
    """The names of all values, and what the page itself says: section, value, languages."""

    labels: dict[Verbatim, dict[Verbatim, TextsObject]]


class WallPlanObject(WebObject):
    """How a screen lays out the rack."""

    rows: list[list[Verbatim]]
    """Names of slots as they stand in the rack; blank where it has none."""
    scan_prefix: Verbatim
    """What this rack's barcode readers send before a code."""


class IndexObject(WebObject):
    """Where the API is."""

    name: Verbatim
    version: Verbatim
    shown: Literal["read", "wall"]
    """Everything, or what the wall shows to whoever hasn't signed in."""
    slots: Verbatim
    jobs: Verbatim
    events: Verbatim
    texts: Verbatim
    openapi: Verbatim
    health: Verbatim
    prints: bool
    """Whether there is a printer of labels."""
    wall: WallPlanObject
