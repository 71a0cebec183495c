"""Reads a table of the sizes that models are sold with: each entry says where it was seen."""

from __future__ import annotations

import hashlib
import tomllib
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import Field, ValidationError, ValidationInfo

from benchd.config.document import unreadable
from benchd.config.values import OneLine, Section, folder_of
from benchd.config.wording import found, refused
from benchd.pipelines.nominal_sizes import NominalSizes
from benchd.pipelines.parameters import LARGEST_BYTES

NO_TABLE: Final = ""
LARGEST_FILE_BYTES: Final = 1 << 20


class _Model(Section):
    manufacturer: OneLine
    model: OneLine
    nominal_bytes: Annotated[
        list[Annotated[int, Field(gt=0, le=LARGEST_BYTES)]], Field(min_length=1)
    ]
    provenance: OneLine


class _Table(Section):
    model: list[_Model]


def nominal_sizes(value: object, info: ValidationInfo) -> NominalSizes | None:
    """The table in the file of this name, relative to the folder of the file that names it."""
    if value is None or value == NO_TABLE:
        return None
    if not isinstance(value, str) or "\0" in value:
        raise refused(f"found {found(value)}, allowed is the path of a table, or an empty text")
    content = _content(folder_of(info) / value, value)
    models = _table(content, value).model
    sizes = {(each.manufacturer, each.model): tuple(each.nominal_bytes) for each in models}
    if len(sizes) != len(models):
        raise refused(f"in {value}, a model stands twice")
    return NominalSizes(sizes=MappingProxyType(sizes), sha256=hashlib.sha256(content).hexdigest())


def _content(file: Path, shown: str) -> bytes:
    try:
        with file.open("rb") as stream:
            content = stream.read(LARGEST_FILE_BYTES + 1)
    except OSError as error:
        raise refused(f"the table {shown} {unreadable(error)}") from error
    if len(content) > LARGEST_FILE_BYTES:
        raise refused(f"{shown} is larger than {LARGEST_FILE_BYTES >> 20} MiB; no table is")
    return content


def _table(content: bytes, shown: str) -> _Table:
    try:
        return _Table.model_validate(tomllib.loads(content.decode()))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise refused(f"in {shown}, {place}: {first['msg']}") from error
    except ValueError as error:
        raise refused(f"{shown} isn't TOML: {error}") from error
