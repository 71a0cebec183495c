"""The JSON objects of the API; OpenAPI is made from them."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StrictBool

from benchd.pipelines.stages import STAGE_CLASSES
from benchd.slots.desk import LONGEST_NOTE
from benchd.words.job import Disposition, Gate, Outcome, Reason
from benchd.words.people import ShownBy
from benchd.words.slot import ProblemCode
from benchd.words.slot_states import SlotState

LONGEST_OPERATOR = 200
"""Of an id that is read at all; none is that long."""


StageWord = Annotated[str, Field(json_schema_extra={"enum": list[JsonValue](STAGE_CLASSES)})]
"""The name of a stage, of which there are as many as files in `pipelines/stages`."""


class _Object(BaseModel):
    model_config = ConfigDict(frozen=True)


class TextsObject(_Object):
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
    yes: TextsObject
    """What an approval says."""
    no: TextsObject


class HandsetObject(_Object):
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


class SlotObject(_Object):
    """All that is shown of one slot; null where nothing is known."""

    slot: str
    port_path: str
    state: SlotState
    occupancy: int | None
    job: str | None
    recipe: str | None
    stage: StageWord | None
    progress: Annotated[float | None, Field(ge=0, le=1)]
    eta_s: Annotated[float | None, Field(ge=0)]
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


class KeptDossierObject(_Object):
    """A dossier that a failed inspection has left on the rack."""

    name: str
    """The job's."""
    taken_at: str
    model: str
    android: str
    why: str
    path: str


class KeptDossiersObject(_Object):
    """The newest dossiers first."""

    dossiers: list[KeptDossierObject]


class DossierObject(_Object):
    """A handset's answers as they were just recorded, masked."""

    files: dict[str, str]
    replaced: dict[str, int]
    unanswered: dict[str, str]
    reads_otherwise: list[str]


class UnknownPortObject(_Object):
    """A USB port in use that no slot claims."""

    port_path: str
    problem: ProblemObject


class RackObject(_Object):
    """Every slot of the rack, in its order."""

    slots: list[SlotObject]
    unknown_ports: list[UnknownPortObject]
    notices: list[ProblemObject]
    """What is the matter with the rack as a whole."""


class StageObject(_Object):
    """One ended attempt of a stage."""

    stage: StageWord
    outcome: Outcome
    because: str | None
    """Why it was skipped or ended early: a reason's code, or the name of a fault."""
    owners: TextsObject | None
    """Whose services a look at the FeliCa chip has found in it."""
    started_at: str
    ended_at: str


class DecisionObject(_Object):
    """A named person's answer, as it stands in the ledger."""

    gate: Gate
    approved: bool
    operator: str
    person: str | None = None
    """Whose answer it is; null on record from before people had ids."""
    shown_by: ShownBy | None = None
    note: str
    at: str
    via: dict[str, str] = Field(default_factory=dict)
    """How the answer came in: `transport`, and `uid` on the Unix socket."""


class JobSummaryObject(_Object):
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


class DrainObject(_Object):
    """How far the daemon is from ending in peace."""

    draining: bool
    running_jobs: int


class JobsObject(_Object):
    """The newest jobs first."""

    jobs: list[JobSummaryObject]


class JobObject(_Object):
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
    handset: dict[str, JsonValue] | None
    """The evidence of the inspection."""
    bytes_written: int | None
    coverage: float | None
    stages: list[StageObject]
    decisions: list[DecisionObject]
    certificate: bool
    dossier: str | None
    """The name of the dossier that is kept of it."""


def _without_controls(text: str) -> str:
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
    note: Annotated[
        str, Field(default="", max_length=LONGEST_NOTE), AfterValidator(_without_controls)
    ]


class ErrorBody(_Object):
    """Why a request wasn't served."""

    code: str
    message: str


class ErrorObject(_Object):
    """The answer to every request that isn't served."""

    error: ErrorBody


class HealthObject(_Object):
    """That the daemon's event loop answers, and how many slots it looks after."""

    status: str
    slots: int


class LabelsObject(_Object):
    """The names of all values, and what the page itself says: section, value, languages."""

    labels: dict[str, dict[str, TextsObject]]


class IndexObject(_Object):
    """Where the API is."""

    name: str
    version: str
    slots: str
    jobs: str
    events: str
    texts: str
    openapi: str
    health: str
