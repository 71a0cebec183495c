"""The routes by which somebody shows who they are, and locks the screen again."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response

from benchd.domain.authority import ACTION_OF, AUTHORITY, is_strong
from benchd.domain.errors import CodeOfAsset, NotSignedIn
from benchd.domain.intake import Tag
from benchd.domain.job import Gate
from benchd.domain.people import Actor, Person, Role, SignedIn
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.callers import caller_of, cookie_name, token_of
from benchd.web.connection import connection_of
from benchd.web.error_answers import INVALID, LEDGER, SIGN_IN, refusal
from benchd.web.objects import ErrorObject
from benchd.web.peer import is_encrypted, source_of
from benchd.web.people_objects import SessionObject, SessionRequest
from benchd.web.service import ServedRack

SESSION = "/api/v1/session"


def session_routes(rack: ServedRack) -> APIRouter:
    """`/api/v1/session`: the one of this browser."""
    sessions, people = rack.sessions, rack.people
    router = APIRouter(prefix=SESSION, responses=INVALID | LEDGER | SIGN_IN)

    @router.get("")
    # Whoever hasn't signed in has to be able to; beside that it tells only who sits at this screen.
    @served_to(AccessLevel.NONE)
    async def now(request: Request, response: Response) -> SessionObject | None:
        """Who is here, null if nobody; looking doesn't keep a session open."""
        try:
            return _shown(sessions.who(_token(request), source_of(request.scope)))
        except NotSignedIn:
            actor = caller_of(request.scope).actor
        if actor is None:
            # What the cookie says counts no more; another window may have been given a new one.
            return None
        _take_cookie(rack, request, response)
        known = (one for one in people.everybody if one.id == actor.person)
        return next((_otherwise(actor, person) for person in known), None)

    @router.post(
        "", status_code=201, response_model=SessionObject, responses={200: {"model": ErrorObject}}
    )
    @served_to(AccessLevel.NONE)
    async def sign_in(
        given: SessionRequest,
        request: Request,
        response: Response,
        x_benchd_csrf: Annotated[str, Header(max_length=128)] = "",
    ) -> SessionObject | Response:
        """Show who you are: a badge, an id with a PIN, or all of it. Takes over from anybody.

        A PIN by itself is added to the badge that has opened this browser's session. Of what was
        `scanned` it is told why it let nobody in, as any refusal, but as an answer (200): labels
        are scanned all day.
        """
        badge = given.scanned if given.badge is None else given.badge
        try:
            _refuse_asset(rack, badge or given.perhaps_badge, request)
            signed_in = await sessions.open(
                badge=badge,
                person=given.person,
                pin=given.pin,
                perhaps_badge=given.perhaps_badge,
                source=source_of(request.scope),
                instead_of=token_of(request.scope),
                csrf=x_benchd_csrf,
            )
        except NotSignedIn as nobody:
            if given.scanned is None:
                raise
            code = "code_of_asset" if isinstance(nobody, CodeOfAsset) else "not_signed_in"
            return refusal(200, code, str(nobody))
        connection_of(request.scope).is_nobodys = False
        response.set_cookie(
            cookie_name(request.scope),
            signed_in.token,
            path="/",
            httponly=True,
            samesite="strict",
            secure=is_encrypted(request.scope),
        )
        return _shown(signed_in)

    @router.put("")
    @served_to(AccessLevel.NONE)
    async def stay(
        request: Request, x_benchd_csrf: Annotated[str, Header(max_length=128)] = ""
    ) -> SessionObject:
        """Somebody is still at this screen."""
        return _shown(sessions.use(_token(request), x_benchd_csrf, source_of(request.scope)))

    @router.delete("", status_code=204)
    @served_to(AccessLevel.NONE)
    async def lock(request: Request, response: Response) -> None:
        """Lock this screen."""
        sessions.lock(token_of(request.scope))
        _take_cookie(rack, request, response)

    return router


def _refuse_asset(rack: ServedRack, code: str | None, request: Request) -> None:
    """Raise CodeOfAsset for the tag of one, which is nobody's badge: labels are scanned all day.

    Whoever isn't shown assets isn't told.
    """
    if code is None or caller_of(request.scope).access_level < AccessLevel.READ:
        return
    if Tag(code) in rack.intake.book.assets and rack.people.of_badge(code) is None:
        raise CodeOfAsset("this is the tag of an asset: to sign in, scan your own badge")


def _take_cookie(rack: ServedRack, request: Request, response: Response) -> None:
    """Have the browser forget the cookie that it has sent, and none that came after it."""
    token = token_of(request.scope)
    if token is None or rack.sessions.is_replaced(token):
        return
    response.delete_cookie(
        cookie_name(request.scope),
        path="/",
        httponly=True,
        samesite="strict",
        secure=is_encrypted(request.scope),
    )


def _token(request: Request) -> str:
    token = token_of(request.scope)
    if token is None:
        raise NotSignedIn("nobody is signed in here")
    return token


def _shown(signed_in: SignedIn) -> SessionObject:
    return _object(signed_in.actor, signed_in.person, csrf=signed_in.csrf, idle_s=signed_in.idle_s)


def _otherwise(actor: Actor, person: Person) -> SessionObject:
    """Somebody whom the proxy or the socket shows: nothing to be locked, nor CSRF to carry."""
    return _object(actor, person, csrf="", idle_s=None)


def _object(actor: Actor, person: Person, *, csrf: str, idle_s: float | None) -> SessionObject:
    return SessionObject.of(
        person,
        person=person.id,
        roles=[role for role in Role if role in person.roles],
        gates=[gate for gate in Gate if AUTHORITY[ACTION_OF[gate]].roles & person.roles],
        shown_by=actor.shown_by,
        strong=is_strong(actor.shown_by, has_badge=person.badge is not None),
        csrf=csrf,
        idle_s=idle_s,
    )
