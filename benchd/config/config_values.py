"""The kinds of value that tables of the configuration are made of."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    StringConstraints,
    ValidationInfo,
)

from benchd.config.mistake_wording import found, refused

_SLOT_NAME = re.compile(r"[A-Za-z0-9_-]{1,16}")


class Section(BaseModel):
    """A table in which every key is known and every value is of the type that it says."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, validate_default=True)


def _one_line(text: str) -> str:
    if not text.strip() or not text.isprintable():
        raise refused(f"found {found(text)}, allowed is one line of text that isn't empty")
    return text.strip()


OneLine = Annotated[str, StringConstraints(max_length=200), AfterValidator(_one_line)]


def _local_path(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str | Path) or not str(value) or "\0" in str(value):
        raise refused(f"found {found(value)}, allowed is a path in quotes")
    return folder_of(info) / value


LocalPath = Annotated[Path, BeforeValidator(_local_path)]
"""A path that may be relative to the folder of the file that names it."""


LONGEST_SOCKET_PATH = 107
"""Linux holds the path of a Unix socket in 108 bytes, the last of them zero."""


def _short_enough(socket: Path) -> Path:
    length = len(bytes(socket))
    if length > LONGEST_SOCKET_PATH:
        raise refused(
            f"found a path of {length} bytes, allowed are {LONGEST_SOCKET_PATH}:"
            " Linux takes no longer one for a socket"
        )
    return socket


SocketPath = Annotated[LocalPath, AfterValidator(_short_enough)]
"""The path of a Unix socket."""


def folder_of(info: ValidationInfo) -> Path:
    """The folder of the file that is checked."""
    match info.context:
        case {"folder": Path() as folder}:
            return folder
        case _:
            return Path()


def slot_name(name: str) -> str:
    """The text, if it can be the label of a slot."""
    if not _SLOT_NAME.fullmatch(name):
        raise refused(
            f"found {found(name)}, allowed as a slot's name are"
            " 1 to 16 letters A-Z a-z, digits, _ and -"
        )
    return name
