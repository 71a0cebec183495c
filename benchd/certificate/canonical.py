"""One JSON text for one value, in ASCII: what a certificate is made of has exactly one form."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from benchd.model import JsonValue


def encode(value: JsonValue) -> bytes:
    """The canonical bytes: sorted keys, no spaces, all but ASCII escaped.

    ASCII, because a certificate travels by mail and print, and since it can carry whatever a
    handset calls itself. Raises ValueError for what JSON can't carry.
    """
    text = json.dumps(
        _plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )
    return text.encode("ascii")


def decode(data: bytes) -> JsonValue:
    """The value of canonical bytes; raises ValueError for bytes of any other form."""
    try:
        value: JsonValue = json.loads(data)
        if encode(value) == data:
            return value
    except RecursionError as error:
        message = "it is nested too deeply"
        raise ValueError(message) from error
    message = "it isn't written as benchd writes it"
    raise ValueError(message)


def _plain(value: JsonValue) -> JsonValue:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return str(value)
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case Sequence() if not isinstance(value, bytes | bytearray | memoryview):
            return [_plain(item) for item in value]
        case _:
            message = f"a {type(value).__name__} has no place in JSON"
            raise ValueError(message)
