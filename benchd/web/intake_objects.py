"""The JSON objects of lots, assets and what is attested of them, made from the book of intake."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from pydantic import AwareDatetime, BeforeValidator, Field, StrictBool

from benchd.domain.chip import ChipVerdict
from benchd.domain.intake import AttestationKind, BoundBy, LotId, LotKind, Mistake, Seen, Unerasable
from benchd.domain.job import Disposition, Finding
from benchd.intake.csv_import import Imported
from benchd.intake.intake_desk import IntakeDesk
from benchd.proof.attestation import Attestation
from benchd.proof.grade_book import GradeBook
from benchd.proof.intake_book import Assessed, Asset, Lot
from benchd.texts.catalogue import Catalogue
from benchd.web.grade_objects import GradedObject, graded_shown
from benchd.web.objects import LONGEST_OPERATOR, TextsObject
from benchd.web.serialiser import Foreign, Moment, Verbatim, WebObject, WebRequest

LONGEST = 200
MOST_TAGS = 1000
MOST_LATE: Final = 20
"""Tags of what came later, at each attestation: a system can put in as much as it likes."""


def moment(value: object) -> object:
    """A time as JSON tells it."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


Line = Annotated[str, Field(max_length=LONGEST)]
Named = Annotated[str, Field(min_length=1, max_length=LONGEST)]
Operator = Annotated[str | None, Field(max_length=LONGEST_OPERATOR)]
"""The id of whoever does it; where it is given, nobody else does."""
Tags = Annotated[tuple[Named, ...], Field(max_length=MOST_TAGS)]


class LotRequest(WebRequest):
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


class AssetRequest(WebRequest):
    """One handset of a lot."""

    tag: Named
    imei: Line | None = None
    serial: Line | None = None
    model: Line | None = None
    colour: Line | None = None
    grade: Line | None = None
    again: StrictBool = False
    operator: Operator = None


class StrikeRequest(WebRequest):
    """Why the line of an asset is struck that was entered by mistake."""

    lot: Named
    """That it was seen in."""
    note: Named
    operator: Operator = None


class AttestRequest(WebRequest):
    """What a person states of some assets, or of the whole lot but for some."""

    kinds: Annotated[tuple[AttestationKind, ...], Field(min_length=1)]
    tags: Tags | None = None
    excepted: Tags = ()
    note: Line = ""
    seen: Annotated[int | None, Field(ge=0)] = None
    """The lot's `came_in` as it was looked at: nothing may have come into a whole lot since.

    Has to be given for a whole lot that other systems send into.
    """
    operator: Operator = None


class WithdrawRequest(WebRequest):
    """What counts no more; nothing named is all of it."""

    attestation: Annotated[int, Field(ge=1)]
    kinds: tuple[AttestationKind, ...] = ()
    tags: Tags = ()
    note: Line = ""
    operator: Operator = None


class BindRequest(WebRequest):
    """The tag that somebody has scanned from the handset in a slot."""

    tag: Named
    despite_model: StrictBool = False
    """Whether it's bound though its model isn't that of the papers."""
    job: Named | None = None
    """The one that was seen in the slot: another one's handset isn't bound."""
    dry_run: StrictBool = False
    """Only tells whether it could be bound: nothing is kept."""
    operator: Operator = None


class HandRequest(WebRequest):
    """A handset that somebody has in hand, by its label."""

    slot: Named | None = None
    """The empty slot to whose reader it is held; null: nobody looks at its chip."""
    imei: Line | None = None
    """As it stands on the handset, its tray or its box."""
    note: Line = ""
    operator: Operator = None


class UnerasableRequest(HandRequest):
    """Why an asset can't even be plugged in, or never is."""

    reason: Unerasable


class AssessRequest(HandRequest):
    """What somebody sees on the screen of a handset without adb."""

    seen: Seen


class WithdrawalObject(WebObject):
    """What counts no more of an attestation; nothing named is all of it."""

    kinds: list[AttestationKind]
    tags: list[Verbatim]
    note: Verbatim
    operator: Verbatim


class AttestationObject(WebObject):
    """What one record states, without what was withdrawn of it."""

    sequence: int
    kinds: list[AttestationKind]
    tags: list[Verbatim] | None
    excepted: list[Verbatim]
    assets: int
    """How many assets it is about, those that it excepts or has withdrawn included."""
    late: int
    """Assets that have come into the lot since: a whole lot was without them."""
    late_tags: list[Verbatim]
    """The first of those; all others are after them in the list of the lot's assets."""
    withdrawn: bool
    """Whether anything of it was withdrawn."""
    withdrawals: list[WithdrawalObject]
    operator: Verbatim
    at: Moment


class StruckObject(WebObject):
    """A line that was entered by mistake, with who has struck it, when and why."""

    tag: Verbatim
    imei: Foreign | None
    serial: Foreign | None
    note: Verbatim
    operator: Verbatim
    at: Moment


class LotSummaryObject(WebObject):
    """One lot in short."""

    lot: Verbatim
    consignor: Verbatim
    kind: LotKind
    paper: Verbatim
    taken_in_at: Moment
    assets: int


class LotObject(LotSummaryObject):
    """One lot with what is attested of it."""

    identity_check: Verbatim
    operator: Verbatim
    in_jobs: int
    """Assets for which a handset was taken in any job."""
    unerasable: int
    came_in: int
    """How many assets have ever come into it, those too whose line was struck since."""
    struck: list[StruckObject]
    attestations: list[AttestationObject]


class LotsObject(WebObject):
    """The newest lots first."""

    lots: list[LotSummaryObject]


class ChipHeldObject(WebObject):
    """What a reader told of the chip of a handset that was held to it: nothing ties the two."""

    slot: Verbatim
    verdict: ChipVerdict
    owners_ja: list[Verbatim]
    owners_en: list[Verbatim]


class FindingObject(TextsObject):
    """Something that its seller has to hear."""

    code: Finding


class AssessedObject(WebObject):
    """What somebody saw of a handset without adb; nothing of it was changed or erased."""

    at: Moment
    operator: Verbatim
    seen: Seen
    chip: ChipHeldObject | None
    """Null where it wasn't held to a reader."""
    findings: list[FindingObject]
    note: Verbatim


class AssetObject(WebObject):
    """One handset of a lot; null where the papers don't say."""

    tag: Verbatim
    lot: Verbatim
    imei: Verbatim | None
    serial: Verbatim | None
    model: Verbatim | None
    colour: Verbatim | None
    grade: Verbatim | None
    jobs: list[Verbatim]
    """Those in which a handset was taken for it, the newest last."""
    unerasable: Unerasable | None
    disposition: Disposition | None
    """Where it goes without a job; null where a job decides."""
    case: Verbatim | None
    """The number under which `disposal` waits for it to be crushed, like a job's."""
    graded: GradedObject | None = None
    """The newest grade that a person has given it here; `grade` is what its papers say."""
    chip: ChipHeldObject | None
    """What a reader said as it was sent to be crushed without a job."""
    assessed: AssessedObject | None
    """The last look at it without adb."""


class AssetsObject(WebObject):
    """Assets of a lot, in the order in which they were taken in."""

    assets: list[AssetObject]
    more: bool
    """Whether there are more than were asked for."""


class BoundObject(WebObject):
    """Which asset the handset in a slot is."""

    tag: Verbatim
    lot: Verbatim
    bound_by: BoundBy
    model_differs: Verbatim
    """How its model differs from the papers; blank where it doesn't."""


class MistakeObject(TextsObject):
    """One mistake of a file, and its cure."""

    line: int
    column: Foreign
    code: Mistake


class ImportObject(WebObject):
    """What became of a file: with any mistake nothing of it was taken in."""

    taken: bool
    rows: int
    mistakes: list[MistakeObject]
    late: int
    """How many came in after their lot was attested as a whole, which doesn't cover them."""


class AttestedObject(WebObject):
    """The number of the record, by which it can be withdrawn."""

    sequence: int


def lot_summary(lot: Lot) -> LotSummaryObject:
    """One lot in short."""
    return LotSummaryObject.of(lot.told, assets=len(lot.tags))


def whole_lot(desk: IntakeDesk, lot: Lot) -> LotObject:
    """One lot with what is attested of it."""
    return LotObject.of(
        lot.told,
        assets=len(lot.tags),
        operator=lot.told.by.operator,
        in_jobs=sum(tag in desk.book.bound for tag in lot.tags),
        unerasable=sum(tag in desk.book.unerasable for tag in lot.tags),
        came_in=len(lot.came_in.ever),
        struck=[
            StruckObject.of(
                each.told,
                at=each.at,
                imei=each.line.imei,
                serial=each.line.serial,
                operator=each.told.by.operator,
            )
            for each in desk.book.struck.get(LotId(lot.told.lot), ())
        ],
        attestations=[_attestation(each) for each in lot.attestations],
    )


@dataclass(frozen=True, slots=True)
class AssetPresenter:
    """Makes the object of an asset: what its papers say, and what has become of it."""

    desk: IntakeDesk
    grades: GradeBook
    catalogue: Catalogue

    def asset(self, asset: Asset) -> AssetObject:
        """One asset."""
        book, graded = self.desk.book, self.grades.newest(tags=[asset.tag])
        dead, seen = book.unerasable.get(asset.tag), book.assessed.get(asset.tag)
        return AssetObject.of(
            asset.line,
            lot=asset.lot,
            jobs=[bound.job for bound in book.bound.get(asset.tag, ())],
            unerasable=dead.reason if dead else None,
            disposition=dead.disposition if dead else None,
            case=book.cases.get(asset.tag),
            graded=graded_shown(graded) if graded else None,
            chip=None if dead is None or dead.chip is None else ChipHeldObject.of(dead.chip),
            assessed=None if seen is None else _assessed(seen, self.catalogue),
        )


def _assessed(seen: Assessed, catalogue: Catalogue) -> AssessedObject:
    told = seen.told
    return AssessedObject.of(
        told,
        at=seen.at,
        operator=told.by.operator,
        chip=None if told.chip is None else ChipHeldObject.of(told.chip),
        findings=[
            FindingObject.of(catalogue.text(f"finding.{found}"), code=found)
            for found in told.findings
        ],
    )


def imported(done: Imported, catalogue: Catalogue) -> ImportObject:
    """What became of a file."""
    mistakes = [
        MistakeObject.of(each, catalogue.mistake(each.code, each.facts)) for each in done.mistakes
    ]
    return ImportObject.of(done, mistakes=mistakes)


def _attestation(told: Attestation) -> AttestationObject:
    of_whole = told.tags is None
    return AttestationObject.of(
        told,
        kinds=sorted(told.kinds),
        tags=None if told.tags is None else sorted(told.tags),
        excepted=sorted(told.excepted),
        late=told.late if of_whole else 0,
        late_tags=told.first_late(MOST_LATE) if of_whole else [],
        withdrawn=bool(told.withdrawn),
        withdrawals=[
            WithdrawalObject.of(gone, operator=gone.by.operator) for gone in told.withdrawn
        ],
        operator=told.by.operator,
    )
