"""The edge between evidence and the JSON of the ledger: strict adapters, and the form by number.

Every field stands in a record, and the form's number beside it; what is missing, unknown or of
another type is refused. Forms 1 to 5 were before the first release; no number is used again.
docs/adr/0013-typed-evidence.md says why, docs/extending.md how a second form is added.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, TypeVar, cast

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from benchd.domain.errors import CertificateGap
from benchd.domain.ids import JsonValue

FORM = 6
"""The form that this benchd writes."""
OLDEST_FORM = 6
"""The first one that is read. In forms between the two, a field that is missing has its default."""

T = TypeVar("T")


@cache
def _adapter(kind: type[object]) -> TypeAdapter[object]:
    return TypeAdapter(kind)


def adapter_of(kind: type[T]) -> TypeAdapter[T]:
    """The one adapter of a type."""
    return cast("TypeAdapter[T]", _adapter(kind))


def to_json(value: object) -> Any:  # noqa: ANN401 - JSON of whatever type was given
    """A dataclass of evidence in JSON's own types, every field of it."""
    kind: type[object] = type(value)
    return adapter_of(kind).dump_python(value, mode="json", by_alias=True)


def from_json(kind: type[T], data: JsonValue, place: str, *, exact: bool = True) -> T:
    """The value that this JSON describes, else CertificateGap naming the place and each fault.

    Where it has to be exact, writing the value again has to give the same JSON: no field is
    missing, and none unknown.
    """
    try:
        text = json.dumps(data, allow_nan=False)
        value = adapter_of(kind).validate_json(text, strict=True, by_alias=True)
    except ValidationError as error:
        raise CertificateGap(tuple(_faults(error, place))) from error
    except (ValueError, TypeError, RecursionError) as error:
        raise CertificateGap((f"{place}: it isn't JSON: {error}",)) from error
    if exact and to_json(value) != json.loads(text):
        raise CertificateGap((f"{place}: {_difference(data, to_json(value))}",))
    return value


def _faults(error: ValidationError, place: str) -> list[str]:
    faults = error.errors(include_url=False, include_input=False)
    return [f"{'.'.join([place, *map(str, fault['loc'])])} {_said_of(fault)}" for fault in faults]


def _said_of(fault: ErrorDetails) -> str:
    kind = fault["type"]
    if kind == "wanted":
        return fault["msg"]
    if kind.startswith(("datetime", "timezone")):
        return "isn't a time with its zone"
    return _FAULTS.get(kind, f"is wrong: {fault['msg']}")


_FAULTS: Final[Mapping[str, str]] = {
    "missing": "is missing",
    "int_type": "isn't a whole number",
    "int_from_float": "isn't a whole number",
    "greater_than_equal": "isn't a whole number",
    "dataclass_type": "isn't an object",
    "too_short": "isn't a list with something in it",
    "tuple_type": "isn't a list with something in it",
}


def _difference(given: JsonValue, known: JsonValue) -> str:
    if not isinstance(given, Mapping) or not isinstance(known, Mapping):
        return "it isn't written as benchd writes it"
    missing, unknown = sorted(known.keys() - given.keys()), sorted(given.keys() - known.keys())
    if missing or unknown:
        return f"fields missing: {', '.join(missing) or '-'}; unknown: {', '.join(unknown) or '-'}"
    return "a field inside of it is missing or unknown"


def check_form(stage: str, form: int) -> None:
    """Raise CertificateGap for evidence of a form that this release doesn't read."""
    if form < OLDEST_FORM:
        raise CertificateGap((f"{stage}: {refusal_of_older(form)}",))
    if form > FORM:
        raise CertificateGap((f"{stage}: its evidence is of form {form}, which isn't known",))


def refusal_of_older(form: int) -> str:
    """Why evidence of such a form is refused, and what to do."""
    return (
        f"its evidence is of form {form}, from before benchd's first release, which is read no"
        " more: begin a new ledger and run the handset again"
    )
