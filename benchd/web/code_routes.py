"""The route that tells what a scanned code is: asked in a body, since nobody knows yet what it is.

Another system's badge in an address would stand in a proxy's log.
"""

# Annotations name what is made in the function, so they are read at once.

from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import Field

from benchd.domain.authority import Action
from benchd.domain.disposal import DisposalState
from benchd.domain.errors import (
    DecisionRefused,
    NotFound,
    RecordsUnavailable,
    UsageRefused,
)
from benchd.domain.intake import LotId
from benchd.texts.catalogue import Catalogue
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.acting_person import CSRF_HEADER
from benchd.web.badge_check import BadgeCheck
from benchd.web.callers import caller_of, token_of
from benchd.web.error_answers import INVALID, LEDGER
from benchd.web.intake_objects import AssetObject, AssetPresenter
from benchd.web.peer import source_of
from benchd.web.records_routes import LONGEST_FIND
from benchd.web.serialiser import WebObject, WebRequest
from benchd.web.service import ServedRack

LONGEST_CODE = 4000


class CodeRequest(WebRequest):
    """A code as it was scanned, or what somebody has typed in place of one."""

    code: Annotated[str, Field(min_length=1, max_length=LONGEST_CODE)]


class CodeObject(WebObject):
    """What a code is the name of; null where that can't be told now, or not to who asks."""

    asset: AssetObject | None
    """The asset that has it as its tag."""
    lot: bool
    """Whether a lot has this name."""
    handset: bool | None
    """Whether it stands in a number of a handset on record; null where those are being read."""
    batch: bool | None
    """Whether handsets have gone to be crushed under this number; null as above."""
    badge: bool | None
    """Whether somebody's badge stands in it; null for whoever writes nothing here."""


def code_routes(rack: ServedRack, catalogue: Catalogue) -> APIRouter:
    """`/api/v1/codes`."""
    router = APIRouter(prefix="/api/v1/codes", responses=INVALID | LEDGER)
    presenter = AssetPresenter(rack.intake, rack.grades.book, catalogue)
    holds_badge = BadgeCheck(rack)

    @router.post("")
    @served_to(AccessLevel.READ)
    async def look_up(asked: CodeRequest, request: Request) -> CodeObject:
        """What a code is; nothing is changed, and it's no try at signing in."""
        code = asked.code.strip()
        try:
            asset = presenter.asset(rack.intake.asset(code))
        except NotFound:
            asset = None
        badge = holds_badge(code) if _may_write(rack, request) else None
        return CodeObject(
            asset=asset,
            lot=LotId(code) in rack.intake.book.lots,
            handset=None if badge else await _of_handset(rack, code),
            batch=None if badge else await _of_batch(rack, code),
            badge=badge,
        )

    return router


async def _of_handset(rack: ServedRack, code: str) -> bool | None:
    try:
        return bool((await rack.records.find(code[:LONGEST_FIND])).handsets)
    except UsageRefused:
        return False
    except RecordsUnavailable:
        return None


async def _of_batch(rack: ServedRack, code: str) -> bool | None:
    try:
        return bool(await rack.records.items(tuple(DisposalState), code))
    except RecordsUnavailable:
        return None


def _may_write(rack: ServedRack, request: Request) -> bool:
    """Whether they may so much as grade a handset, which whoever writes anything here may."""
    try:
        token = token_of(request.scope)
        if token is None:
            actor = caller_of(request.scope).actor
        else:
            csrf = request.headers.get(CSRF_HEADER, "")
            actor = rack.sessions.use(token, csrf, source_of(request.scope)).actor
        if actor is None:
            return False
        rack.people.refuse_unless_allowed(actor, Action.GRADE)
    except DecisionRefused:
        return False
    return True
