"""The bytes of a statement that are signed: one spelling for each, by the statement's form.

From the fourth form on that is RFC 8785 (JSON Canonicalization Scheme), for which other
languages have libraries too; the forms before have benchd's own spelling, all of it ASCII.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

import rfc8785

from benchd.certificate.first_form import FIRST_PREDICATE_TYPE
from benchd.certificate.second_form import SECOND_PREDICATE_TYPE
from benchd.certificate.third_form import THIRD_PREDICATE_TYPE
from benchd.signing import canonical
from benchd.words.ids import JsonValue

_OWN_SPELLING = (FIRST_PREDICATE_TYPE, SECOND_PREDICATE_TYPE, THIRD_PREDICATE_TYPE)


def encode_payload(statement: JsonValue) -> bytes:
    """The one spelling of a statement; raises ValueError for what it can't carry."""
    # It has a limit for depth, and gives the types that both spellings know.
    own = canonical.encode(statement, ascii_only=True)
    if _is_of_former_form(statement):
        return own
    # JSON of benchd's own making, read again: nothing else than the six types of JSON.
    return rfc8785.dumps(json.loads(own))


def decode_payload(payload: bytes) -> JsonValue:
    """The statement in a payload; raises ValueError unless it's spelled as its form asks."""
    try:
        statement = cast("JsonValue", json.loads(payload))
        if encode_payload(statement) == payload:
            return statement
    except RecursionError as error:
        message = "it is nested too deeply"
        raise ValueError(message) from error
    message = "it isn't written as benchd writes it"
    raise ValueError(message)


def _is_of_former_form(statement: JsonValue) -> bool:
    return isinstance(statement, Mapping) and statement.get("predicateType") in _OWN_SPELLING
