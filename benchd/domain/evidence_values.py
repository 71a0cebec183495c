"""The kinds of value that evidence is made of, each with its limits and with words for them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeVar

from annotated_types import Ge, Gt, Interval, MinLen
from pydantic import (
    AwareDatetime,
    Field,
    PlainSerializer,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WithJsonSchema,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

T = TypeVar("T")


def wanted(what: str) -> WrapValidator:
    """Says what a value should have been, whatever is wrong with it.

    For texts and numbers only: what it is given no longer counts as JSON to pydantic.
    """

    def check(value: object, validate: ValidatorFunctionWrapHandler) -> object:
        try:
            return validate(value)
        except ValidationError as error:
            message = "isn't {what}"
            raise PydanticCustomError("wanted", message, {"what": what}) from error

    return WrapValidator(check)


def _iso(moment: datetime) -> str:
    return moment.isoformat()


Whole = Annotated[int, Ge(0), wanted("a whole number")]
"""A whole number, zero or above."""
Positive = Annotated[int, Gt(0), wanted("a whole number above zero")]
Number = Annotated[float, Field(allow_inf_nan=False), wanted("a number")]
Seconds = Annotated[float, Field(allow_inf_nan=False), Ge(0), wanted("a number of seconds")]
Share = Annotated[float, Interval(ge=0, le=1), wanted("a number from 0 to 1")]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$"), wanted("a SHA-256")]
Said = Annotated[str, Field(pattern=r"\S"), wanted("a text")]
"""A text that isn't blank."""
Texts = Annotated[tuple[Said, ...], MinLen(1)]
OneOrMore = Annotated[tuple[T, ...], MinLen(1)]
"""A list that isn't empty."""
Moment = Annotated[
    AwareDatetime,
    PlainSerializer(_iso, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A time with its zone, in ISO 8601 as Python writes it."""
