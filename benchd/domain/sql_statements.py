"""SQL on an apsw connection, by what is used of one: with types that all Pythons know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

SqlValue = None | int | float | str | bytes


class Statements(Protocol):
    """What runs SQL."""

    def execute(
        self, statements: str, bindings: Sequence[SqlValue] | None = None
    ) -> Iterable[tuple[object, ...]]:
        """Run the first step at once; further rows as they are asked for."""
        ...


def query(
    connection: Statements, sql: str, values: Sequence[SqlValue] = ()
) -> Iterator[tuple[object, ...]]:
    """Run SQL at once and give its rows as they are asked for."""
    return iter(connection.execute(sql, tuple(values)))
