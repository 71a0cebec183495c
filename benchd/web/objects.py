"""The JSON objects of the API; OpenAPI is made from them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StrictBool

from benchd.pipelines.stages import STAGE_CLASSES
from benchd.slots.desk import LONGEST_NOTE
from benchd.words.hook import NextAction, NotTaken
from benchd.words.intake import BoundBy
from benchd.words.job import Disposition, Gate, Outcome, Reason
from benchd.words.people import ShownBy
from benchd.words.slot import ProblemCode
from benchd.words.slot_states import SlotState

LONGEST_OPERATOR = 200
"""Of an id that is read at all; none is that long."""


StageWord = Annotated[str, Field(json_schema_extra={"enum": list[JsonValue](STAGE_CLASSES)})]
"""The name of a stage, of which there are as many as files in `pipelines/stages`."""


class WebObject(BaseModel):
    """What the API answers with."""

    model_config = ConfigDict(frozen=True)


class TextsObject(WebObject):
    """One text in both languages."""

    ja: str
    en: str


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


class HandsetObject(WebObject):
    """What the handset says it is. A serial is evidence, never a key."""

    serial: str
    model: str
    android: str
    manufacturer: str
    imei: str | None
    name: str | None = None
    """What the catalogue of models calls its model."""
    known_model: bool | None = None
    """Whether the catalogue has its model; null in lists of jobs, where nobody looks it up."""


class EarlierObject(TextsObject):
    """How the last job of the same handset, by its IMEI, has ended on this rack."""

    job: str
    at: str
    disposition: Disposition
    reason: Reason | None
    doomed: bool
    """Whether any of its jobs has sent it to be destroyed."""


class JobAssetObject(WebObject):
    """The asset that a job's handset was taken for."""

    lot: str
    tag: str
    bound_by: BoundBy
    differs: str
    """How its model differs from the papers; blank where it doesn't."""


class AwayObject(WebObject):
    """A handset that may be out of its port in the middle of its job."""

    planned: bool
    """Whether it restarts, and nobody may pull it out; else a person has to bring it back."""
    deadline: str | None
    """Until when it has to be back; null while it hasn't left yet."""


class DirectedObject(WebObject):
    """What other systems have asked for a handset, as far as it counts."""

    held_by: str | None
    """The hook whose answer holds it back."""
    place: str | None
    """The bin that it is to be put into."""


class SlotObject(WebObject):
    """All that is shown of one slot; null where nothing is known."""

    slot: str
    port_path: str
    state: SlotState
    since: str | None = None
    """Since when it is in this state, for this problem, question or stage."""
    mends_itself: bool = False
    """Whether it waits for what comes right without anybody."""
    absence: AwayObject | None = None
    occupancy: int | None
    job: str | None
    recipe: str | None
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
    dossier: str | None
    """The name of the dossier that is kept of a handset whose inspection failed."""
    earlier: EarlierObject | None = None
    """What happened to this handset last time; null where it wasn't here, or tells no IMEI."""
    asset: JobAssetObject | None = None
    """Which asset the handset was taken for; null while nobody knows."""
    directed: DirectedObject | None = None


class KeptDossierObject(WebObject):
    """A dossier that a failed inspection has left on the rack."""

    name: str
    """The job's."""
    taken_at: str
    model: str
    android: str
    why: str
    path: str


class KeptDossiersObject(WebObject):
    """The newest dossiers first."""

    dossiers: list[KeptDossierObject]


class DossierObject(WebObject):
    """A handset's answers as they were just recorded, masked."""

    files: dict[str, str]
    replaced: dict[str, int]
    unanswered: dict[str, str]
    reads_otherwise: list[str]


class ProofObject(WebObject):
    """Whether the handset that sits in a slot has its certificate."""

    slot: str
    occupancy: int | None
    """Which plug it is about: proof of the handset before is none of this one."""
    proven: bool


class UnknownPortObject(WebObject):
    """A USB port in use that no slot claims."""

    port_path: str
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
    because: str | None
    """Why it was skipped or ended early: a reason's code, or the name of a fault."""
    owners: TextsObject | None
    """Whose services a look at the FeliCa chip has found in it."""
    chip: TextsObject | None = None
    """What such a look has found, in words."""
    tied: bool | None = None
    """Whether that chip is the handset's own by what its NFC did; null where nobody tried."""
    heard_at: str | None = None
    """The slot whose reader hears this handset instead, where one does."""
    found: list[TextsObject] = Field(default_factory=list)
    """What the attempt has found, in words with its figures."""
    started_at: str
    ended_at: str


class DecisionObject(WebObject):
    """A named person's answer, as it stands in the ledger."""

    gate: Gate
    approved: bool
    operator: str
    person: str | None = None
    """Whose answer it is, by their id."""
    shown_by: ShownBy | None = None
    note: str
    at: str
    via: dict[str, str] = Field(default_factory=dict)
    """How the answer came in: `transport`, and `uid` on the Unix socket."""


class JobSummaryObject(WebObject):
    """One job in short."""

    job: str
    slot: str
    occupancy: int
    recipe: str
    opened_at: str
    ended_at: str | None
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

    hook: str
    sequence: int
    """Of the record that it was told of."""
    next_action: NextAction | None
    """Null where it wasn't understood."""
    bin: str | None
    refused: NotTaken | None
    """Why it isn't to be done; null where it is."""


class JobObject(WebObject):
    """One job as the ledger tells it; null where nothing was recorded."""

    job: str
    slot: str
    occupancy: int
    recipe: str
    opened_at: str
    ended_at: str | None
    outcome: Outcome | None
    disposition: Disposition | None
    reason: Reason | None
    reason_text: GuidanceObject | None
    detail: str
    detail_text: TextsObject | None
    """The detail as operators read it; null where there is none, or it is technical."""
    handset: dict[str, JsonValue] | None
    """The evidence of the inspection."""
    bytes_written: int | None
    coverage: float | None
    stages: list[StageObject]
    decisions: list[DecisionObject]
    certificate: bool
    dossier: str | None
    """The name of the dossier that is kept of it."""
    asset: JobAssetObject | None
    questions: int
    """How many of its questions people have answered."""
    directions: list[DirectionObject] = Field(default_factory=list[DirectionObject])
    """What other systems have asked for, in the ledger's order: all that counts, and of the rest
    the newest."""


def without_controls(text: str) -> str:
    """The text, if nothing in it steers a terminal."""
    if any(letter < " " and letter not in "\n\t" for letter in text) or "\x7f" in text:
        message = "control characters aren't allowed"
        raise ValueError(message)
    return text


class DecisionRequest(BaseModel):
    """A person's answer to an open question of a job."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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

    code: str
    message: str
    cause: TextsObject | None
    """The message as operators read it; null where it is technical."""


class ErrorObject(WebObject):
    """The answer to every request that isn't served."""

    error: ErrorBody


class HealthObject(WebObject):
    """That the daemon's event loop answers, and how many slots it looks after."""

    status: str
    slots: int


class LabelsObject(WebObject):
    """The names of all values, and what the page itself says: section, value, languages."""

    labels: dict[str, dict[str, TextsObject]]


class WallPlanObject(WebObject):
    """How a screen lays out the rack."""

    rows: list[list[str]]
    """Names of slots as they stand in the rack; blank where it has none."""
    scan_prefix: str
    """What this rack's barcode readers send before a code."""


class IndexObject(WebObject):
    """Where the API is."""

    name: str
    version: str
    shown: Literal["read", "wall"]
    """Everything, or what the wall shows to whoever hasn't signed in."""
    slots: str
    jobs: str
    events: str
    texts: str
    openapi: str
    health: str
    prints: bool
    """Whether there is a printer of labels."""
    wall: WallPlanObject
