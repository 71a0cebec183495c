"""From exceptions to answers: every request that isn't served says why, in one form."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from benchd.domain.errors import (
    AnsweredAlready,
    BadgeInText,
    BenchdError,
    CodeOfAsset,
    DecisionRefused,
    DependencyMissing,
    HandsetAtWork,
    LabelRefused,
    LedgerBusy,
    LedgerFault,
    LookUpResultNeeded,
    ModelDiffers,
    MoreToShow,
    NameRefused,
    NotAllowed,
    NotFound,
    NotSignedIn,
    PersonRefused,
    ReasonNeeded,
    RecheckRefused,
    RecordsUnavailable,
    SameOrOtherNeeded,
    ScreenNumberNeeded,
    SecondPersonNeeded,
    SettlingRefused,
    ShippingRefused,
    SlotBusy,
    TokenRefused,
    TriedTooOften,
    UsageRefused,
)
from benchd.domain.plain_text import printable
from benchd.texts.catalogue import Catalogue
from benchd.texts.causes import Causes
from benchd.texts.templates import Texts
from benchd.web.objects import ErrorBody, ErrorObject, TextsObject
from benchd.web.safe_headers import safe_headers

LONGEST_MESSAGE = 1000
LONGEST_NAME = 128
"""Of a slot or a job in a path; none is that long."""

Responses = dict[int | str, dict[str, Any]]
_ERROR_SCHEMA = {"$ref": f"#/components/schemas/{ErrorObject.__name__}"}
# By name: of a model at each route the framework makes validators for each of them anew.
_REFUSED: dict[str, Any] = {"content": {"application/json": {"schema": _ERROR_SCHEMA}}}
# What a token gets that isn't where it belongs, doesn't count or asks too often, and who asks where
# too many others wait: at any route.
ANYWHERE: Responses = dict.fromkeys((400, 401, 403, 429, 500, 503), _REFUSED)
NOT_FOUND: Responses = {404: {"model": ErrorObject}}
"""With the model itself, without which the document would not have it."""
INVALID: Responses = {400: _REFUSED, 422: _REFUSED}
"""400: the body isn't UTF-8, or otherwise not what it says it is."""
SIGN_IN: Responses = {401: _REFUSED, 429: _REFUSED}
LEDGER: Responses = {503: _REFUSED}
DECISION: Responses = {409: _REFUSED, 413: _REFUSED}

_SHOWN_MISTAKES = 10

_CODES = {
    404: "not_found",
    405: "method_not_allowed",
    413: "body_too_large",
}

_Handler = Callable[[Request, Exception], Awaitable[JSONResponse]]


def refusal(status: int, code: str, message: str) -> JSONResponse:
    """The one form of an answer that isn't a result."""
    said = _said(message)
    body = ErrorObject(
        error=ErrorBody(
            code=code,
            message=printable(message, LONGEST_MESSAGE),
            cause=None if said is None else TextsObject(ja=said.ja, en=said.en),
        )
    )
    return JSONResponse(body.model_dump(), status_code=status)


@lru_cache(maxsize=256)
def _said(message: str) -> Texts | None:
    # A crowd is told the same again and again, and each form of a sentence is tried on it.
    return _causes().said(message)


@cache
def _causes() -> Causes:
    return Causes.load(Catalogue.load())


def _benchd_error(status: int, code: str) -> _Handler:
    async def handle(_: Request, error: Exception) -> JSONResponse:
        return refusal(status, code, str(error))

    return handle


async def _tried_too_often(_: Request, error: Exception) -> JSONResponse:
    answer = refusal(429, "tried_too_often", str(error))
    wait_s = error.wait_s if isinstance(error, TriedTooOften) else 1.0
    answer.headers["retry-after"] = str(math.ceil(wait_s))
    return answer


async def _ledger_busy(_: Request, error: Exception) -> JSONResponse:
    return busy("ledger_busy", str(error))


def busy(code: str, message: str, again_s: float = 1.0) -> JSONResponse:
    """The answer to what may be asked again in a while."""
    answer = refusal(503, code, message)
    answer.headers["retry-after"] = str(math.ceil(again_s))
    return answer


async def _http_error(_: Request, error: Exception) -> JSONResponse:
    status = error.status_code if isinstance(error, HTTPException) else 500
    detail = error.detail if isinstance(error, HTTPException) else ""
    return refusal(status, _CODES.get(status, "invalid_request"), detail)


async def _invalid(_: Request, error: Exception) -> JSONResponse:
    """Where the mistakes are and what would be right; the input itself isn't repeated."""
    mistakes: Sequence[Mapping[str, Any]] = (
        error.errors() if isinstance(error, RequestValidationError) else ()
    )
    told = [
        f"{'.'.join(str(part) for part in mistake['loc'])}: {mistake['msg']}"
        for mistake in mistakes[:_SHOWN_MISTAKES]
    ]
    return refusal(422, "invalid_request", "; ".join(told))


async def _unexpected(request: Request, error: Exception) -> JSONResponse:
    # The server logs it with its traceback; a stranger gets only its kind.
    message = f"benchd could not answer ({type(error).__name__}): see `journalctl -u benchd`"
    answer = refusal(500, "internal_error", message)
    # It is made outside of all that adds them elsewhere.
    answer.headers.update(safe_headers(request.scope))
    return answer


def answer_in_one_form(app: FastAPI) -> None:
    """Give every kind of failure its answer."""
    handlers: dict[type[Exception], _Handler] = {
        NotFound: _benchd_error(404, "not_found"),
        SecondPersonNeeded: _benchd_error(409, "second_person_needed"),
        NameRefused: _benchd_error(409, "name_refused"),
        PersonRefused: _benchd_error(409, "person_refused"),
        TokenRefused: _benchd_error(409, "token_refused"),
        MoreToShow: _benchd_error(403, "more_to_show"),
        CodeOfAsset: _benchd_error(401, "code_of_asset"),
        NotSignedIn: _benchd_error(401, "not_signed_in"),
        TriedTooOften: _tried_too_often,
        NotAllowed: _benchd_error(403, "not_allowed"),
        LookUpResultNeeded: _benchd_error(409, "look_up_result_needed"),
        RecheckRefused: _benchd_error(409, "recheck_refused"),
        ReasonNeeded: _benchd_error(409, "reason_needed"),
        ScreenNumberNeeded: _benchd_error(409, "screen_number_needed"),
        SameOrOtherNeeded: _benchd_error(409, "same_or_other_needed"),
        ShippingRefused: _benchd_error(409, "shipping_refused"),
        HandsetAtWork: _benchd_error(409, "handset_at_work"),
        ModelDiffers: _benchd_error(409, "model_differs"),
        AnsweredAlready: _benchd_error(409, "answered_already"),
        DecisionRefused: _benchd_error(409, "decision_refused"),
        SettlingRefused: _benchd_error(409, "settling_refused"),
        RecordsUnavailable: _benchd_error(503, "records_unavailable"),
        BadgeInText: _benchd_error(422, "badge_in_text"),
        UsageRefused: _benchd_error(422, "invalid_request"),
        SlotBusy: _benchd_error(409, "slot_busy"),
        LabelRefused: _benchd_error(409, "label_refused"),
        LedgerBusy: _ledger_busy,
        LedgerFault: _benchd_error(503, "ledger_fault"),
        DependencyMissing: _benchd_error(503, "internal_error"),
        BenchdError: _benchd_error(500, "internal_error"),
        HTTPException: _http_error,
        RequestValidationError: _invalid,
        Exception: _unexpected,
    }
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
