"""The JSON objects of lots, assets and what is attested of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, StrictBool

from benchd.web.objects import LONGEST_OPERATOR, TextsObject
from benchd.words.intake import AttestationKind, BoundBy, LotKind, Mistake, Unerasable
from benchd.words.job import Disposition

LONGEST = 200
MOST_TAGS = 1000


def moment(value: object) -> object:
    """A time as JSON tells it."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


Line = Annotated[str, Field(max_length=LONGEST)]
Named = Annotated[str, Field(min_length=1, max_length=LONGEST)]
Operator = Annotated[str | None, Field(max_length=LONGEST_OPERATOR)]
"""The id of whoever does it; where it is given, nobody else does."""
Tags = Annotated[tuple[Named, ...], Field(max_length=MOST_TAGS)]


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Object(BaseModel):
    model_config = ConfigDict(frozen=True)


class LotRequest(_Request):
    """A lot to be taken in; nothing in it may be of a private seller's own data."""

    lot: Named
    consignor: Named
    kind: LotKind
    paper: Line = ""
    taken_in_at: Annotated[AwareDatetime | None, BeforeValidator(moment)] = None
    """Now where it isn't given."""
    identity_check: Line = ""
    attests: tuple[AttestationKind, ...] = ()
    operator: Operator = None


class AssetRequest(_Request):
    """One handset of a lot."""

    tag: Named
    imei: Line | None = None
    serial: Line | None = None
    model: Line | None = None
    colour: Line | None = None
    grade: Line | None = None
    again: StrictBool = False
    operator: Operator = None


class AttestRequest(_Request):
    """What a person states of some assets, or of the whole lot but for some."""

    kinds: Annotated[tuple[AttestationKind, ...], Field(min_length=1)]
    tags: Tags | None = None
    excepted: Tags = ()
    note: Line = ""
    seen: Annotated[int | None, Field(ge=0)] = None
    """How many assets were in the lot as it was looked at; a whole lot has to have as many still.

    Has to be given for a whole lot that other systems send into.
    """
    operator: Operator = None


class WithdrawRequest(_Request):
    """What counts no more; nothing named is all of it."""

    attestation: Annotated[int, Field(ge=1)]
    kinds: tuple[AttestationKind, ...] = ()
    tags: Tags = ()
    note: Line = ""
    operator: Operator = None


class BindRequest(_Request):
    """The tag that somebody has scanned from the handset in a slot."""

    tag: Named
    despite_model: StrictBool = False
    """Whether it's bound though its model isn't that of the papers."""
    operator: Operator = None


class UnerasableRequest(_Request):
    """Why an asset can't even be plugged in."""

    reason: Unerasable
    note: Line = ""
    operator: Operator = None


class WithdrawalObject(_Object):
    """What counts no more of an attestation; nothing named is all of it."""

    kinds: list[AttestationKind]
    tags: list[str]
    note: str
    operator: str


class AttestationObject(_Object):
    """What one record states, without what was withdrawn of it."""

    sequence: int
    kinds: list[AttestationKind]
    tags: list[str] | None
    excepted: list[str]
    assets: int
    """How many assets it is about, those that it excepts or has withdrawn included."""
    late: int
    """Assets that have come into the lot since: a whole lot was without them."""
    late_tags: list[str]
    """The first of those; all others are after them in the list of the lot's assets."""
    withdrawn: bool
    """Whether anything of it was withdrawn."""
    withdrawals: list[WithdrawalObject]
    operator: str
    at: str


class LotSummaryObject(_Object):
    """One lot in short."""

    lot: str
    consignor: str
    kind: LotKind
    paper: str
    taken_in_at: str
    assets: int


class LotObject(LotSummaryObject):
    """One lot with what is attested of it."""

    identity_check: str
    operator: str
    in_jobs: int
    """Assets for which a handset was taken in any job."""
    unerasable: int
    attestations: list[AttestationObject]


class LotsObject(_Object):
    """The newest lots first."""

    lots: list[LotSummaryObject]


class AssetObject(_Object):
    """One handset of a lot; null where the papers don't say."""

    tag: str
    lot: str
    imei: str | None
    serial: str | None
    model: str | None
    colour: str | None
    grade: str | None
    jobs: list[str]
    """Those in which a handset was taken for it, the newest last."""
    unerasable: Unerasable | None
    disposition: Disposition | None
    """Where it goes without a job; null where a job decides."""
    case: str | None
    """The number under which `disposal` waits for it to be crushed, like a job's."""


class AssetsObject(_Object):
    """Assets of a lot, in the order in which they were taken in."""

    assets: list[AssetObject]
    more: bool
    """Whether there are more than were asked for."""


class BoundObject(_Object):
    """Which asset the handset in a slot is."""

    tag: str
    lot: str
    bound_by: BoundBy
    model_differs: str
    """How its model differs from the papers; blank where it doesn't."""


class MistakeObject(TextsObject):
    """One mistake of a file, and its cure."""

    line: int
    column: str
    code: Mistake


class ImportObject(_Object):
    """What became of a file: with any mistake nothing of it was taken in."""

    taken: bool
    rows: int
    mistakes: list[MistakeObject]
    late: int
    """How many came in after their lot was attested as a whole, which doesn't cover them."""


class AttestedObject(_Object):
    """The number of the record, by which it can be withdrawn."""

    sequence: int
