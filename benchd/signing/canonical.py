"""One JSON text for one value: sorted keys, no spaces. What is hashed or signed has one form."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from pydantic_core import from_json

from benchd.domain.ids import JsonValue

MAX_DEPTH = 32

_SURROGATE = re.compile("[\ud800-\udfff]")
_READER = json.JSONDecoder()
_WRITERS = {
    ascii_only: json.JSONEncoder(
        sort_keys=True, separators=(",", ":"), ensure_ascii=ascii_only, allow_nan=False
    )
    for ascii_only in (False, True)
}


def encode(value: JsonValue, *, ascii_only: bool = False) -> bytes:
    """The canonical bytes of a JSON value; raises ValueError for what JSON can't carry.

    `ascii_only` escapes all else, for what travels by mail and print.

    Surrogates, which UTF-8 can't carry, become escapes; two that make a pair become the
    character that they mean, so that decoding and encoding again gives the same bytes.
    """
    return _written(_plain(value, depth=0), ascii_only=ascii_only)


def decode(data: bytes, *, ascii_only: bool = False) -> JsonValue:
    """The value of canonical bytes; raises ValueError for any others."""
    try:
        # What stands after the value isn't written again, and so isn't what this returns for.
        value: JsonValue = _READER.raw_decode(data.decode())[0]
        # What was read has only types that are written as they are. Two surrogates that make a pair
        # come out as escapes, and so not as they stand in these bytes: reading joins escapes.
        write = _written if _is_shallow(data) else encode
        if write(value, ascii_only=ascii_only) == data:
            return value
    except RecursionError as error:
        message = "it is nested too deeply"
        raise ValueError(message) from error
    message = "it isn't written as benchd writes it"
    raise ValueError(message)


def decode_objects(texts: Sequence[bytes]) -> list[Mapping[str, JsonValue]]:
    """The objects of many canonical texts; raises ValueError for the first that isn't one.

    All are written anew at once. No object's text is the beginning of another's, so where the whole
    is the same as these texts one after the other, each of them is.
    """
    values: list[Mapping[str, JsonValue]] = []
    for text in texts:
        value = _quickly_read(text) if _is_shallow(text) else decode(text)
        if not isinstance(value, dict):
            message = "it isn't an object"
            raise ValueError(message)  # noqa: TRY004 - one class for all that isn't canonical
        values.append(value)
    if _written(values, ascii_only=False) != b"[" + b",".join(texts) + b"]":
        for text in texts:
            decode(text)
    return values


def _is_shallow(data: bytes) -> bool:
    return data.count(b"[") + data.count(b"{") <= MAX_DEPTH


def _quickly_read(text: bytes) -> JsonValue:
    """A value that only counts once it was written again; all of the text, in any case."""
    try:
        value: JsonValue = from_json(text, allow_inf_nan=False, cache_strings="keys")
    except ValueError:
        # It refuses half a character, which is one of ours.
        return decode(text)
    return value


def _written(value: JsonValue, *, ascii_only: bool) -> bytes:
    text = _WRITERS[ascii_only].encode(value)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _SURROGATE.sub(_escape, text).encode()


def _plain(value: JsonValue, *, depth: int) -> JsonValue:
    """The value in the types that `json` writes, refusing what it would change silently."""
    if depth > MAX_DEPTH:
        message = f"the value is nested deeper than {MAX_DEPTH}"
        raise ValueError(message)
    match value:
        case None | bool() | float():
            return value
        case int():
            return int(value)
        case str():
            return _paired(value)
        case Mapping():
            return _plain_mapping(value, depth=depth)
        case Sequence() if not isinstance(value, bytes | bytearray | memoryview):
            return [_plain(item, depth=depth + 1) for item in value]
        case _:
            message = f"a {type(value).__name__} has no place in JSON"
            raise ValueError(message)


def _plain_mapping(value: Mapping[str, JsonValue], *, depth: int) -> dict[str, JsonValue]:
    plain: dict[str, JsonValue] = {}
    for key, item in value.items():
        # json would turn any other key into a string, and reading gives another value back.
        if not isinstance(key, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            message = f"a {type(key).__name__} can't be a key"
            raise ValueError(message)  # noqa: TRY004 - one class for all that JSON can't carry
        name = _paired(key)
        if name in plain:
            message = f"the key {name!r} stands twice"
            raise ValueError(message)
        plain[name] = _plain(item, depth=depth + 1)
    return plain


def _paired(text: str) -> str:
    text = str(text)
    if text.isascii() or _SURROGATE.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match.group()):04x}"
