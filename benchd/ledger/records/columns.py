"""A table declared once: the fields of a dataclass are the columns that it is made and read by."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache, partial
from types import NoneType
from typing import Any, Generic, TypeVar, cast, get_args, get_type_hints

from benchd.domain.sql_statements import SqlValue, Statements, query

_Row = TypeVar("_Row")
_Word = TypeVar("_Word", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a row, as SQLite keeps it and as it is read."""

    name: str
    kind: type[Any]
    is_optional: bool
    read: Callable[[Any], object]
    """From what SQLite gives to the field's value."""

    @property
    def declaration(self) -> str:
        """How SQL declares it."""
        kind = "INTEGER" if self.kind in (int, bool) else "TEXT"
        return f"{self.name} {kind}" if self.is_optional else f"{self.name} {kind} NOT NULL"


@dataclass(frozen=True, slots=True)
class Table(Generic[_Row]):
    """A table, by its name, its row and the columns that are its key."""

    name: str
    row: type[_Row]
    key: tuple[str, ...]
    unique: tuple[str, ...] = ()

    @property
    def create(self) -> str:
        """The SQL that makes it."""
        columns = {column.name: column for column in columns_of(self.row)}
        lines = [column.declaration for column in columns.values()]
        lines.append(f"PRIMARY KEY ({', '.join(self.key)})")
        lines.extend(f"UNIQUE ({name})" for name in self.unique)
        # A single number is what SQLite keeps its rows by anyway.
        is_number = [columns[name].kind for name in self.key] == [int]
        options = "STRICT" if is_number else "STRICT, WITHOUT ROWID"
        return f"CREATE TABLE {self.name} ({', '.join(lines)}) {options};"

    def insert(self, *, or_else: str = "ABORT") -> str:
        """The SQL that adds what `values_of` a row gives."""
        names = names_of(self.row)
        marks = ", ".join("?" * len(columns_of(self.row)))
        return f"INSERT OR {or_else} INTO {self.name} ({names}) VALUES ({marks})"  # noqa: S608

    def rows(
        self, connection: Statements, condition: str = "", values: Sequence[SqlValue] = ()
    ) -> Iterator[_Row]:
        """The rows that an SQL condition picks; may raise apsw.Error."""
        sql = f"SELECT {names_of(self.row)} FROM {self.name} {condition}"  # noqa: S608
        return rows_of(self.row, query(connection, sql, values))


@cache
def columns_of(row: type[Any]) -> tuple[Column, ...]:
    """The columns of a dataclass, in its order."""
    hints = get_type_hints(row)
    return tuple(_column(field.name, hints[field.name]) for field in fields(row))


def names_of(row: type[Any], **expressions: str) -> str:
    """What SQL selects for a row: its columns by name, or another expression for one of them."""
    named = ((column.name, expressions.get(column.name)) for column in columns_of(row))
    return ", ".join(name if sql is None else f"{sql} AS {name}" for name, sql in named)


def rows_of(row: type[_Row], found: Iterator[tuple[object, ...]]) -> Iterator[_Row]:
    """Rows of what was selected by `names_of` them."""
    return (row_of(row, values) for values in found)


def row_of(row: type[_Row], values: Sequence[object]) -> _Row:
    """The same of one of them."""
    pairs = zip(columns_of(row), values, strict=True)
    return row(**{column.name: column.read(value) for column, value in pairs})


def values_of(row: object) -> list[SqlValue]:
    """What SQLite keeps of a row, in the order of its columns."""
    return [_kept(getattr(row, column.name)) for column in columns_of(type(row))]


def utc(at: datetime) -> str:
    """A moment as it is kept: comparable as text, whatever zone it was told in."""
    return at.astimezone(UTC).isoformat()


def word_of(words: type[_Word], told: str | None) -> _Word | None:
    """The word that this says; None for one that isn't known."""
    try:
        return None if told is None else words(told)
    except ValueError:
        return None


def _kept(value: object) -> SqlValue:
    return utc(value) if isinstance(value, datetime) else cast("SqlValue", value)


def _column(name: str, hint: object) -> Column:
    told = get_args(hint) if NoneType in get_args(hint) else (hint,)
    [kind] = [each for each in told if each is not NoneType]
    # Of an id the text that it is, of a list of something that it is a list.
    kind = cast("type[Any]", getattr(kind, "__supertype__", getattr(kind, "__origin__", kind)))
    is_optional = NoneType in told
    return Column(name, kind, is_optional, _reader(kind, is_optional=is_optional))


def _reader(kind: type[Any], *, is_optional: bool) -> Callable[[Any], object]:
    read: Callable[[Any], object] = kind
    if issubclass(kind, StrEnum) and is_optional:
        read = partial(word_of, kind)
    elif kind is datetime:
        read = datetime.fromisoformat
    elif kind is tuple:
        read = _list
    return (lambda told: None if told is None else read(told)) if is_optional else read


def _list(told: str | None) -> tuple[object, ...]:
    return tuple(json.loads(told)) if told else ()
