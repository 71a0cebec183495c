"""What gets into an answer is declared, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeGuard, get_args

import pytest
from pydantic import BaseModel, Field, JsonValue, ValidationError

from benchd.domain.job import Gate
from benchd.web import app
from benchd.web.queue_view import ErrandObject, QueueObject
from benchd.web.serialiser import (
    VERBATIM,
    AnswerObject,
    Foreign,
    Moment,
    Verbatim,
    WebObject,
    WebRequest,
    cleaned,
)
from benchd.web.wall import (
    WallHandsetObject,
    WallQuestionObject,
    WallRackObject,
    WallSlotObject,
)

AT = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    says: str
    hidden: str = "356938035643809"


@dataclass(frozen=True, slots=True, kw_only=True)
class Whole:
    name: str
    note: str
    gate: Gate
    at: datetime | None
    first: Part | None
    parts: tuple[Part, ...]
    hidden: str = "356938035643809"

    @property
    def count(self) -> int:
        return len(self.parts)


class PartObject(WebObject):
    says: Foreign


class WholeObject(WebObject):
    name: Verbatim
    note: Annotated[str, cleaned(5)]
    gate: Gate
    at: Moment | None
    first: PartObject | None
    parts: list[PartObject]
    count: int
    more: Verbatim | None = None


WHOLE = Whole(
    name="A\tB",
    note="\x1b[31mlong note",
    gate=Gate.CONSENT,
    at=AT,
    first=Part(says="a\nb\ud800"),
    parts=(Part(says="x" * 81),),
)


def test_fields_come_by_name_each_converted_and_cleaned_as_it_says() -> None:
    assert WholeObject.of(WHOLE).model_dump(mode="json") == {
        "name": "A\tB",
        "note": "[31m…",
        "gate": "consent",
        "at": "2026-11-24T09:30:00+00:00",
        "first": {"says": "a b"},
        "parts": [{"says": "x" * 79 + "…"}],
        "count": 1,
        "more": None,
    }


def test_what_is_given_goes_before_every_source_and_the_first_source_before_others() -> None:
    @dataclass
    class Other:
        name: str = "other"
        more: str = "more"

    told = WholeObject.of(WHOLE, Other(), note="given", at=None)
    assert (told.name, told.more, told.note, told.at) == ("A\tB", "more", "given", None)
    with pytest.raises(TypeError, match="WholeObject has no hidden, nmae"):
        WholeObject.of(WHOLE, nmae="A1", hidden="x")
    with pytest.raises(ValidationError):
        WholeObject.of(Part(says="x"))  # which lacks most of it


@pytest.mark.parametrize(
    "given",
    [
        {"name": AT},
        *({"name": 5}, {"name": b"A1"}, {"note": AT}, {"note": b"\x1b[2J"}, {"at": b"2026"}),
        {"gate": "no_gate"},
        {"at": date(2026, 11, 24)},
        {"first": "text"},
        {"parts": WHOLE},
        {"count": "many"},
        {"count": None},
    ],
)
def test_what_has_another_type_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        WholeObject.of(WHOLE, **given)


def declared(kind: object) -> type[AnswerObject]:
    return type("Declared", (AnswerObject,), {"__annotations__": {"field": kind}})


@pytest.mark.parametrize(
    "kind",
    [
        *(str, str | None, list[str], dict[str, Verbatim], dict[Verbatim, str]),
        Annotated[str, Field(max_length=5)],
        *(bytes, object, Any, datetime, date, Part, BaseModel, WebRequest),
        *(tuple[Verbatim, ...], set[Verbatim], list[Part], PartObject | Part),
    ],
    ids=repr,
)
def test_a_field_that_could_carry_more_than_it_says_cannot_be_declared(kind: object) -> None:
    with pytest.raises(TypeError, match=r"Declared\.field"):
        declared(kind)


@pytest.mark.parametrize(
    "kind",
    [
        *(Verbatim, Foreign | None, list[Moment], dict[Verbatim, JsonValue], Gate, bool, int),
        *(Annotated[float | None, Field(ge=0)], Annotated[Verbatim, Field(max_length=5)]),
        *(list[PartObject], dict[Verbatim, dict[Verbatim, PartObject]]),
    ],
    ids=repr,
)
def test_what_is_known_can_be_declared(kind: object) -> None:
    assert declared(kind).model_fields.keys() == {"field"}


def is_answer(kind: object) -> TypeGuard[type[AnswerObject]]:
    return isinstance(kind, type) and issubclass(kind, AnswerObject)


def fields_within(kind: object, seen: dict[str, set[str]]) -> dict[str, set[str]]:
    """The fields of every object that an object of this kind may hold."""
    if is_answer(kind) and kind.__name__ not in seen:
        seen[kind.__name__] = set(kind.model_fields)
        for field in kind.model_fields.values():
            fields_within(field.annotation, seen)
    for part in get_args(kind):
        fields_within(part, seen)
    return seen


def test_all_that_the_wall_may_show_is_listed_by_hand() -> None:
    """A field that is new in an object which the wall shows too is shown only knowingly."""
    assert fields_within(WallRackObject, {}) == {
        "WallRackObject": {"slots", "unknown_ports", "notices"},
        "WallSlotObject": {
            *("slot", "state", "since", "mends_itself", "absence", "occupancy", "stage"),
            *("progress", "eta_s", "handset_left_s", "handset", "problem", "question"),
            *("outcome", "disposition", "reason", "reason_text", "directed"),
        },
        "WallHandsetObject": {"manufacturer", "model", "name", "known_model"},
        "WallQuestionObject": {"gate"},
        "AwayObject": {"planned", "deadline"},
        "DirectedObject": {"held_by", "place"},
        "ProblemObject": {"code", "ja", "en", "what_to_do"},
        "GuidanceObject": {"ja", "en", "what_to_do"},
        "TextsObject": {"ja", "en"},
        "UnknownPortObject": {"port_path", "problem"},
    }
    assert fields_within(QueueObject, {}).keys() == {
        *("QueueObject", "ErrandObject", "DirectedObject", "TextsObject"),
        *("HandsetObject", "WallHandsetObject"),
    }
    assert set(ErrandObject.model_fields) == {
        *("kind", "slot", "occupancy", "job", "since", "deadline", "gate", "bin", "directed"),
        *("ja", "en", "in_short", "what_to_do", "handset", "here"),
    }


@pytest.mark.parametrize(
    "kind",
    [
        *(WallRackObject, WallSlotObject, WallHandsetObject, WallQuestionObject),
        *(QueueObject, ErrandObject),
    ],
)
def test_what_the_wall_shows_takes_no_field_by_its_name(kind: type[AnswerObject]) -> None:
    assert not issubclass(kind, WebObject)


def kinds_of(kind: type[AnswerObject]) -> Iterator[type[AnswerObject]]:
    for one in kind.__subclasses__():
        if one.__module__.startswith("benchd."):
            yield one
            yield from kinds_of(one)


def test_what_a_handset_says_is_cleaned_in_every_object() -> None:
    """But for assets: those are as papers describe them, and were checked as they came in."""
    assert app.create_app, "it imports all of them"
    says = {"serial", "usb_serial", "model", "manufacturer", "android", "imei", "imeis"}
    as_it_is = {
        (kind.__name__, name)
        for kind in kinds_of(AnswerObject)
        for name in says & kind.model_fields.keys()
        if VERBATIM in repr((kind.model_fields[name].annotation, kind.model_fields[name].metadata))
    }
    assert as_it_is == {("AssetObject", name) for name in ("imei", "serial", "model")}
