"""Holds a document against a model: the value, or every mistake at its place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import UnionType
from typing import TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from benchd.config.locator import KeyPath
from benchd.config.mistake_wording import REFUSED, found, listed, suggestion
from benchd.config.parsed_toml import Document
from benchd.domain.errors import ConfigIssue

Model = TypeVar("Model", bound=BaseModel)

_KEY_MARK = "[key]"
"""What pydantic appends to the path of a mistake in a key itself."""
_QUOTED = re.compile(r"'([^']*)'")
_WANTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "text in quotes",
    "string_too_long": "at most {max_length} characters",
    "model_type": "a table",
    "dict_type": "a table",
    "list_type": "an array",
    "tuple_type": "an array",
    "too_short": "at least {min_length} of them",
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than_equal": "at most {le}",
    "multiple_of": "a multiple of {multiple_of}",
}
"""What is allowed, by pydantic's type of error; another type keeps pydantic's own words."""


def check(
    model: type[Model],
    document: Document,
    *,
    at: KeyPath = (),
    data: Mapping[str, object],
    context: Mapping[str, object] | None = None,
) -> tuple[Model | None, list[ConfigIssue]]:
    """The model of the data that stands `at` a path of the document, or all that is wrong."""
    try:
        return model.model_validate(data, context=dict(context or {})), []
    except ValidationError as error:
        issues = [
            _issue(model, document, at, details) for details in error.errors(include_url=False)
        ]
        return None, issues


def _issue(
    model: type[BaseModel], document: Document, at: KeyPath, details: ErrorDetails
) -> ConfigIssue:
    within = details["loc"]
    if within[-1:] == (_KEY_MARK,):
        within = within[:-1]
    path = (*at, *within)
    match details["type"]:
        case "missing":
            name = str(path[-1])
            kind = "the table" if _model_at(model, within) else "the key"
            message = f"is required and missing; add {kind} {name}"
        case "extra_forbidden":
            owner = _model_at(model, within[:-1])
            allowed = list(owner.model_fields) if owner else []
            message = (
                f"unknown key{suggestion(path[-1], allowed)} (allowed here: {listed(allowed)})"
            )
        case "literal_error" | "enum":
            words = _QUOTED.findall(str(details.get("ctx", {}).get("expected", "")))
            message = (
                f"found {found(details['input'])}, allowed is one of"
                f" {listed(words)}{suggestion(details['input'], words)}"
            )
        case kind if kind == REFUSED:
            message = details["msg"]
        case kind:
            wanted = _WANTED.get(kind)
            limits = {name: _short(limit) for name, limit in details.get("ctx", {}).items()}
            allowed = details["msg"] if wanted is None else wanted.format_map(limits)
            message = f"found {found(details['input'])}, allowed is {allowed}"
    return document.issue(path, message)


def _short(limit: object) -> object:
    return int(limit) if isinstance(limit, float) and limit.is_integer() else limit


def _model_at(model: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    """The model of the table that stands at a path, if a table is meant to stand there."""
    here: object = model
    for step in path:
        model_here = _as_model(here)
        if model_here is None:
            here = get_args(here)[-1] if get_origin(here) in (dict, list) else None
        else:
            field = model_here.model_fields.get(str(step))
            here = None if field is None else field.annotation
    return _as_model(here)


def _as_model(kind: object) -> type[BaseModel] | None:
    if isinstance(kind, UnionType):  # a table that may be left out
        return next((model for one in get_args(kind) if (model := _as_model(one))), None)
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None
