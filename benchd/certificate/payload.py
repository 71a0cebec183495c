"""The bytes of a statement that are signed: one spelling for each statement.

That is RFC 8785 (JSON Canonicalization Scheme), for which other languages have libraries too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

import rfc8785

from benchd.certificate.predicate import is_retired, refusal_of_retired
from benchd.domain.ids import JsonValue
from benchd.signing import canonical


def encode_payload(statement: JsonValue) -> bytes:
    """The one spelling of a statement; raises ValueError for what it can't carry."""
    # benchd's own spelling has a limit for depth, and gives no types but those of JSON.
    own = canonical.encode(statement, ascii_only=True)
    return rfc8785.dumps(json.loads(own))


def decode_payload(payload: bytes) -> JsonValue:
    """The statement in a payload; raises ValueError unless it's spelled as its form asks."""
    try:
        statement = cast("JsonValue", json.loads(payload))
        # Retired forms were spelled otherwise: they are refused by their name, not for that.
        told = statement.get("predicateType") if isinstance(statement, Mapping) else None
        if is_retired(told):
            raise ValueError(refusal_of_retired(told))
        if encode_payload(statement) == payload:
            return statement
    except RecursionError as error:
        message = "it is nested too deeply"
        raise ValueError(message) from error
    message = "it isn't written as benchd writes it"
    raise ValueError(message)
