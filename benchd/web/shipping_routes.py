"""The routes of what goes out: whether a lot or a pallet may, and that it has."""

# Annotations name what is made in the function, so they are read at once.

from typing import Annotated, Final

from fastapi import APIRouter
from pydantic import Field

from benchd.domain.authority import Action
from benchd.domain.shipping import ShipCheck, ShipLine, ShipStanding
from benchd.papers.lots.shipping import MOST_HANDSETS
from benchd.proof.evidence.intake_evidence import Who
from benchd.texts.catalogue import Catalogue
from benchd.texts.templates import Texts, followed
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.acting_person import InPerson, only_as
from benchd.web.error_answers import DECISION, INVALID, LEDGER, NOT_FOUND, SIGN_IN
from benchd.web.intake_objects import Named, Operator
from benchd.web.objects import TextsObject
from benchd.web.recheck_slots import RecheckSlots
from benchd.web.serialiser import Moment, Verbatim, WebObject, WebRequest
from benchd.web.service import ServedRack

LOOKED_AT: Final = frozenset(
    {ShipStanding.NOT_RECHECKED, ShipStanding.TOO_OLD, ShipStanding.ANOTHER_CHIP}
)
"""What a look in a slot may put right."""


class ShippingRequest(WebRequest):
    """What is to go out: all of a lot, or the labels that were scanned from a pallet."""

    lot: Named | None = None
    tags: Annotated[tuple[Named, ...], Field(max_length=MOST_HANDSETS)] = ()
    operator: Operator = None


class ShipmentRequest(ShippingRequest):
    """The same once it goes."""

    name: Named
    """Of the pallet or the delivery."""


class ShipLineObject(TextsObject):
    """One handset; its text says why it may go out, or what to do first."""

    tag: Verbatim
    standing: ShipStanding
    job: Verbatim | None
    """The job of its certificate."""
    rechecked_in: Verbatim | None
    rechecked_at: Moment | None
    good_for_days: float | None
    """How old the look may be, by its recipe."""
    detail: Verbatim


class ShippingObject(WebObject):
    """Whether all of it may go out, and each handset of it."""

    at: Moment
    ready: bool
    kept_back: int
    handsets: list[ShipLineObject]


def shipping_routes(rack: ServedRack, catalogue: Catalogue, rechecking: RecheckSlots) -> APIRouter:
    """What may leave the house."""
    router = APIRouter(prefix="/api/v1", responses=INVALID | LEDGER | NOT_FOUND | SIGN_IN)

    @router.post("/shipping")
    @served_to(AccessLevel.READ, action=Action.TAKE_OUT)
    async def check(asked: ShippingRequest, by: InPerson) -> ShippingObject:
        """Each handset of a lot or a pallet, with what keeps it back; nothing is changed."""
        only_as(by, asked.operator)
        found = await rack.shipping.check(lot=asked.lot, tags=asked.tags)
        return _shown(found, catalogue, rechecking)

    @router.post("/shipments", responses=DECISION)
    @served_to(AccessLevel.READ, action=Action.SETTLE)
    async def ship(asked: ShipmentRequest, by: InPerson) -> ShippingObject:
        """Put on record that it has gone out; refused, and named, where a handset mustn't."""
        told = Who.of(only_as(by, asked.operator))
        found = await rack.shipping.ship(asked.name, lot=asked.lot, tags=asked.tags, by=told)
        return _shown(found, catalogue, rechecking)

    return router


def _shown(found: ShipCheck, catalogue: Catalogue, rechecking: RecheckSlots) -> ShippingObject:
    where = rechecking.where()
    return ShippingObject.of(
        found,
        ready=found.is_ready,
        kept_back=len(found.kept_back),
        handsets=[_line(line, catalogue, where) for line in found.lines],
    )


def _line(line: ShipLine, catalogue: Catalogue, where: Texts) -> ShipLineObject:
    said = catalogue.text(f"shipping.{line.standing}")
    return ShipLineObject.of(line, followed(said, where) if line.standing in LOOKED_AT else said)
