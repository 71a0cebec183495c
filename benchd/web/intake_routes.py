"""The routes of lots, assets and what is attested of them."""

# Annotations name what is made in the function, so they are read at once.

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from benchd.domain.authority import Action
from benchd.domain.errors import NotFound
from benchd.domain.ids import SlotName
from benchd.domain.token import Scope
from benchd.intake.csv_format import HoldsBadge
from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.unplugged_handsets import HandDesk
from benchd.proof.evidence.intake_evidence import (
    AssetLine,
    AttestedRecord,
    LotRecord,
    StruckRecord,
    Who,
    WithdrawnRecord,
)
from benchd.proof.grade_book import GradeBook
from benchd.slots.board import RackBoard
from benchd.texts.catalogue import Catalogue
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.acting_person import InPerson, InPersonOrByToken, only_as, sent_by
from benchd.web.badge_check import BadgeCheck
from benchd.web.error_answers import DECISION, INVALID, LEDGER, LONGEST_NAME, NOT_FOUND, SIGN_IN
from benchd.web.intake_objects import (
    AssessRequest,
    AssetObject,
    AssetPresenter,
    AssetRequest,
    AssetsObject,
    AttestedObject,
    AttestRequest,
    BindRequest,
    BoundObject,
    ImportObject,
    LotObject,
    LotRequest,
    LotsObject,
    StrikeRequest,
    UnerasableRequest,
    WithdrawRequest,
    imported,
    lot_summary,
    whole_lot,
)
from benchd.web.service import ServedRack
from benchd.web.slot_routes import SlotInPath

MOST_SHOWN = 1000

LotInPath = Annotated[str, Path(max_length=LONGEST_NAME)]
TagInPath = Annotated[str, Path(max_length=LONGEST_NAME)]
OperatorAsked = Annotated[str | None, Query(max_length=LONGEST_NAME)]

_RESPONSES = INVALID | LEDGER | NOT_FOUND | DECISION | SIGN_IN


def intake_routes(rack: ServedRack, catalogue: Catalogue) -> APIRouter:
    """Lots, assets, files of them, and the tag of what is in a slot."""
    desk = rack.intake
    router = APIRouter(prefix="/api/v1", responses=_RESPONSES)

    presenter = AssetPresenter(desk, rack.grades.book, catalogue)

    _add_lots(router, desk, presenter)
    _add_files(router, desk, catalogue, BadgeCheck(rack))
    _add_attestations(router, desk)
    _add_assets(router, desk, rack.board, presenter)
    _add_struck(router, desk, rack.grades.book)
    _add_in_hand(router, desk, rack.hand, presenter)
    return router


def _add_lots(router: APIRouter, desk: IntakeDesk, presenter: AssetPresenter) -> None:
    @router.get("/lots")
    @served_to(AccessLevel.READ, token=Scope.INTAKE_READ)
    async def lots() -> LotsObject:
        """The newest lots first."""
        found = list(desk.book.lots.values())[::-1][:MOST_SHOWN]
        return LotsObject(lots=[lot_summary(lot) for lot in found])

    @router.post("/lots")
    @served_to(AccessLevel.READ, action=Action.TAKE_IN, token=Scope.INTAKE_WRITE)
    async def add_lot(asked: LotRequest, by: InPersonOrByToken) -> LotObject:
        """Take a lot in; returns when it is on disk."""
        told = LotRecord(
            lot=asked.lot,
            consignor=asked.consignor,
            kind=asked.kind,
            paper=asked.paper,
            taken_in_at=asked.taken_in_at or datetime.now(UTC),
            identity_check=asked.identity_check,
            attests=tuple(dict.fromkeys(asked.attests)),
            excepted=(),
            by=sent_by(by, asked.operator),
        )
        return whole_lot(desk, await desk.add_lot(told))

    @router.get("/lots/{lot}")
    @served_to(AccessLevel.READ, token=Scope.INTAKE_READ)
    async def lot(lot: LotInPath) -> LotObject:
        """One lot with what is attested of it."""
        return whole_lot(desk, desk.lot(lot))

    @router.post("/lots/{lot}/assets")
    @served_to(AccessLevel.READ, action=Action.TAKE_IN, token=Scope.INTAKE_WRITE)
    async def add_asset(lot: LotInPath, asked: AssetRequest, by: InPersonOrByToken) -> AssetObject:
        """Take one asset in."""
        line = AssetLine(
            tag=asked.tag,
            imei=asked.imei or None,
            serial=asked.serial or None,
            model=asked.model or None,
            colour=asked.colour or None,
            grade=asked.grade or None,
        )
        told = sent_by(by, asked.operator)
        added = await desk.add_asset(lot, line, by=told, again=asked.again)
        return presenter.asset(added)


def _add_files(
    router: APIRouter, desk: IntakeDesk, catalogue: Catalogue, holds_badge: HoldsBadge
) -> None:
    @router.post("/lots/{lot}/assets.csv")
    @served_to(AccessLevel.READ, action=Action.TAKE_IN, token=Scope.INTAKE_WRITE)
    async def import_assets(
        lot: LotInPath,
        request: Request,
        by: InPersonOrByToken,
        operator: OperatorAsked = None,
        *,
        dry_run: bool = False,
        again: bool = False,
    ) -> ImportObject:
        """Take a CSV file in whole, or tell every mistake in it."""
        data, told = await request.body(), sent_by(by, operator)
        done = await desk.import_assets(
            lot, data, by=told, dry_run=dry_run, again=again, holds_badge=holds_badge
        )
        return imported(done, catalogue)

    @router.post("/network.csv")
    @served_to(AccessLevel.READ, action=Action.TAKE_IN)
    async def import_network(
        request: Request,
        by: InPerson,
        source: Annotated[str, Query(min_length=1, max_length=LONGEST_NAME)],
        operator: OperatorAsked = None,
        *,
        dry_run: bool = False,
    ) -> ImportObject:
        """Take a list of network restrictions in whole, or tell every mistake in it."""
        data, told = await request.body(), Who.of(only_as(by, operator))
        done = await desk.import_network(
            data, source=source, by=told, dry_run=dry_run, holds_badge=holds_badge
        )
        return imported(done, catalogue)


def _add_attestations(router: APIRouter, desk: IntakeDesk) -> None:
    @router.post("/lots/{lot}/attestations")
    @served_to(AccessLevel.READ, action=Action.ATTEST)
    async def attest(lot: LotInPath, asked: AttestRequest, by: InPerson) -> AttestedObject:
        """State something of assets of a lot, or of all of it."""
        told = AttestedRecord(
            lot=lot,
            kinds=tuple(dict.fromkeys(asked.kinds)),
            tags=asked.tags,
            excepted=asked.excepted,
            note=asked.note,
            by=Who.of(only_as(by, asked.operator)),
        )
        return AttestedObject(sequence=await desk.attest(told, seen=asked.seen))

    @router.post("/lots/{lot}/withdrawals")
    @served_to(AccessLevel.READ, action=Action.ATTEST)
    async def withdraw(lot: LotInPath, asked: WithdrawRequest, by: InPerson) -> LotObject:
        """What was attested counts no more, for running jobs too."""
        told = WithdrawnRecord(
            lot=lot,
            attestation=asked.attestation,
            kinds=asked.kinds,
            tags=asked.tags,
            note=asked.note,
            by=Who.of(only_as(by, asked.operator)),
        )
        await desk.withdraw(told)
        return whole_lot(desk, desk.lot(lot))


def _add_assets(
    router: APIRouter, desk: IntakeDesk, board: RackBoard, presenter: AssetPresenter
) -> None:
    @router.get("/assets")
    @served_to(AccessLevel.READ, token=Scope.INTAKE_READ)
    async def assets(
        lot: Annotated[str | None, Query(max_length=LONGEST_NAME)] = None,
        find: Annotated[str | None, Query(max_length=LONGEST_NAME)] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_SHOWN)] = 100,
        skip: Annotated[int, Query(ge=0)] = 0,
    ) -> AssetsObject:
        """Those of a lot, else the newest; from after so many that are skipped.

        With `find` those of any lot with this in their tag, IMEI or serial, the newest first.
        """
        if find is not None:
            tags = [asset.tag for asset in await desk.find(find, skip + limit + 1)]
        else:
            tags = desk.lot(lot).tags if lot is not None else list(desk.book.assets)[::-1]
        found = [desk.book.assets[tag] for tag in tags[skip : skip + limit]]
        shown = [presenter.asset(each) for each in found]
        return AssetsObject(assets=shown, more=len(tags) > skip + limit)

    @router.get("/assets/{tag}")
    @served_to(AccessLevel.READ, token=Scope.INTAKE_READ)
    async def asset(tag: TagInPath) -> AssetObject:
        """One asset by its tag."""
        return presenter.asset(desk.asset(tag))

    @router.post("/slots/{slot}/asset")
    @served_to(AccessLevel.READ, action=Action.ANSWER)
    async def bind(slot: SlotInPath, asked: BindRequest, by: InPerson) -> BoundObject:
        """The handset in this slot has this tag: somebody has just scanned it."""
        view = board.views().get(SlotName(slot))
        if view is None:
            raise NotFound(f"there is no slot {slot}")
        scanned_by = Who.of(only_as(by, asked.operator))
        told = await desk.bind(
            view,
            asked.tag,
            by=scanned_by,
            despite_model=asked.despite_model,
            seen=asked.job,
            dry_run=asked.dry_run,
        )
        return BoundObject.of(told, model_differs=told.differs)


def _add_struck(router: APIRouter, desk: IntakeDesk, grades: GradeBook) -> None:
    @router.post("/assets/{tag}/strike")
    @served_to(AccessLevel.READ, action=Action.TAKE_IN)
    async def strike(tag: TagInPath, asked: StrikeRequest, by: InPerson) -> LotObject:
        """It was entered by mistake: its line is struck, as long as nothing was done on it."""
        who = Who.of(only_as(by, asked.operator))
        told = StruckRecord(lot=asked.lot, tag=tag, note=asked.note, by=who)
        await desk.strike(told, is_graded=grades.newest(tags=[tag]) is not None)
        return whole_lot(desk, desk.lot(asked.lot))


def _add_in_hand(
    router: APIRouter, desk: IntakeDesk, hand: HandDesk, presenter: AssetPresenter
) -> None:
    @router.post("/assets/{tag}/unerasable")
    @served_to(AccessLevel.READ, action=Action.TAKE_IN)
    async def unerasable(tag: TagInPath, asked: UnerasableRequest, by: InPerson) -> AssetObject:
        """It can't even be plugged in, or never is: it's to be crushed."""
        await hand.destroy(
            tag,
            asked.reason,
            slot=asked.slot,
            imei=asked.imei or None,
            note=asked.note,
            by=Who.of(only_as(by, asked.operator)),
        )
        return presenter.asset(desk.asset(tag))

    @router.post("/assets/{tag}/assessments")
    @served_to(AccessLevel.READ, action=Action.ATTEST)
    async def assess(tag: TagInPath, asked: AssessRequest, by: InPerson) -> AssetObject:
        """What somebody sees of a handset without adb, and a reader of its chip.

        Nothing is changed; it stays on hold until it's erased, and nothing is certified.
        """
        await hand.assess(
            tag,
            asked.seen,
            slot=asked.slot,
            imei=asked.imei or None,
            note=asked.note,
            by=Who.of(only_as(by, asked.operator)),
        )
        return presenter.asset(desk.asset(tag))
