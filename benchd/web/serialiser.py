"""The one way from the domain's dataclasses to the JSON objects of the API.

An object's fields are all that it can show, and the type of each text says how it is cleaned.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Final, Literal, Self, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, ConfigDict, JsonValue, Strict

from benchd.domain.ids import JsonValue as RecordedJson
from benchd.domain.plain_text import LONGEST_VALUE, printable

VERBATIM: Final = "verbatim"


def cleaned(longest: int = LONGEST_VALUE) -> BeforeValidator:
    """Cleans a text: one line, bounded, nothing that could steer a terminal or turn its order."""

    def clean(value: object) -> str:
        if not isinstance(value, str):
            # Bytes would else become a text after this, uncleaned.
            message = "only a text can be cleaned"
            raise ValueError(message)  # noqa: TRY004 - what pydantic makes a ValidationError of
        return printable(value, longest)

    return BeforeValidator(clean)


def encodable(value: RecordedJson) -> JsonValue:
    """The same JSON without surrogates: the ledger can hold them, UTF-8 can't."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case Mapping():
            return {str(encodable(key)): encodable(item) for key, item in value.items()}
        case Sequence():
            return [encodable(item) for item in value]
        case _:
            return value


def _iso(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value


Verbatim = Annotated[str, Strict(), VERBATIM]
"""A name or text of benchd's own, or one that was checked as it came in: told as it is."""
Foreign = Annotated[str, cleaned()]
"""What a handset or a person says."""
RECORDED: Final = BeforeValidator(encodable)
"""How JSON of the ledger is told, its texts in full length."""
Recorded = Annotated[str, RECORDED]
"""A text of the ledger in full length."""
Moment = Annotated[str, Strict(), BeforeValidator(_iso)]
"""A time as ISO 8601, with the zone that it has."""


class AnswerObject(BaseModel):
    """What the API answers with, made field by field.

    Defining one raises TypeError for a field that is a plain `str`, or of a type that isn't known
    here: only what is declared gets out.
    """

    model_config = ConfigDict(frozen=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        """Look at the fields once, when the class is defined."""
        for name, field in cls.model_fields.items():
            _refuse_unsupported(field.annotation, field.metadata, f"{cls.__name__}.{name}")


class WebObject(AnswerObject):
    """An answer that is made from dataclasses of the domain."""

    @classmethod
    def of(cls, *sources: object, **given: object) -> Self:
        """Take each field that isn't given from the first source that has it by its name.

        Dataclasses in it become the objects of the fields that hold them in the same way.
        Raises TypeError for what is given and no field, ValidationError for what has another type.
        """
        fields = cls.model_fields
        if strange := given.keys() - fields.keys():
            message = f"{cls.__name__} has no {', '.join(sorted(strange))}"
            raise TypeError(message)
        told = dict(given)
        for name in fields.keys() - given.keys():
            for source in sources:
                if hasattr(source, name):
                    told[name] = getattr(source, name)
                    break
        return cls.model_validate(told, from_attributes=True)


class WebRequest(BaseModel):
    """What the API is sent: nothing beside its fields is taken."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _refuse_unsupported(kind: object, marks: Sequence[object], name: str) -> None:
    """Raise TypeError for a type of which nobody has said how it gets into an answer."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Annotated:
        _refuse_unsupported(parts[0], parts[1:], name)
    elif origin in (list, dict, Union, UnionType):
        for part in parts:
            _refuse_unsupported(part, (), name)
    elif kind is str and not any(_says_how(mark) for mark in marks):
        message = f"{name}: a text in an answer has to say how it is cleaned"
        raise TypeError(message)
    elif not _is_supported(kind):
        message = f"{name}: {kind} can't be in an answer"
        raise TypeError(message)


def _says_how(mark: object) -> bool:
    return mark == VERBATIM or isinstance(mark, BeforeValidator)


def _is_supported(kind: object) -> bool:
    if isinstance(kind, type) and issubclass(kind, (Enum, AnswerObject)):
        return True
    return kind in (str, bool, int, float, NoneType, JsonValue) or get_origin(kind) is Literal
