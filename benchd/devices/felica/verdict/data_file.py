"""TOML files of facts about chips: read whole and valid, or refused with every mistake."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError
from pydantic_core import PydanticCustomError

from benchd.devices.felica.protocol.chip_errors import DataFileInvalid
from benchd.devices.felica.protocol.codes import Node, read_node, read_system

_LARGEST: Final = 1 << 20
_MOST_MISTAKES: Final = 20
Facts = TypeVar("Facts", bound="Table")
Code = TypeVar("Code")


class Table(BaseModel):
    """A table of such a file: exact types, no key that isn't known."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def refused(message: str) -> PydanticCustomError:
    """An error for a validator to raise; the message goes to the person as it is."""
    return PydanticCustomError("benchd_refused", "{message}", {"message": message})


def _printable(text: str) -> str:
    if not all(character.isprintable() or character == "\n" for character in text):
        raise refused("printable characters only")
    return text


def _spelt(read: Callable[[str], Code], allowed: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        try:
            read(text)
        except ValueError:
            raise refused(f"{allowed} is allowed here") from None
        return text

    return check


Words = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=2000),
    AfterValidator(_printable),
]
SystemText = Annotated[
    str, AfterValidator(_spelt(read_system, "a system code such as FE00 (four upper-case digits)"))
]
NodeText = Annotated[
    str, AfterValidator(_spelt(read_node, "a service such as 090F or an area such as 0000-FFFE"))
]


def nodes_of(texts: Iterable[str]) -> frozenset[Node]:
    """The nodes that valid texts name."""
    return frozenset(map(read_node, texts))


def read_data_file(path: Path, table: type[Facts]) -> Facts:
    """The facts of a file on disk; raises DataFileInvalid."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise DataFileInvalid(str(path), (f"can't be read: {error.strerror}",)) from error
    if len(data) > _LARGEST:
        raise DataFileInvalid(str(path), (f"more than {_LARGEST} bytes",))
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise DataFileInvalid(str(path), (f"not UTF-8 at byte {error.start}",)) from error
    return read_data(text, str(path), table)


def read_data(text: str, file: str, table: type[Facts]) -> Facts:
    """The facts of a text; `file` is what messages call it. Raises DataFileInvalid."""
    try:
        document: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DataFileInvalid(file, (f"not TOML: {error}",)) from error
    try:
        return table.model_validate(document)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        mistakes = tuple(
            f"{_place(detail['loc'])}: {detail['msg']}" for detail in details[:_MOST_MISTAKES]
        )
        raise DataFileInvalid(file, mistakes) from error


def _place(path: tuple[int | str, ...]) -> str:
    """A path as `baseline[2].system[1].code`, elements counted from 1."""
    text = ""
    for step in path:
        text += f"[{step + 1}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".") or "file"
