"""What the application tells the connection that a request came by, and asks of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, cast

from starlette.types import Scope

EXTENSION = "connection"


class Connection(Protocol):
    """One connection, of which the door decides whether it may stay."""

    is_nobodys: bool
    """Whether its last request showed nobody: then its answer makes room for whoever comes."""

    def answers(self) -> None:
        """An answer has begun; until it's complete it may take as long as it's read."""
        ...

    def rest(self) -> None:
        """Hear its next request only after a while: this one asks too often."""
        ...

    def leave(self) -> None:
        """End at once, whatever is being told."""
        ...


class _InMemory:
    """Where there is no connection, as in tests that call the application itself."""

    is_nobodys = True

    def answers(self) -> None:
        pass

    def rest(self) -> None:
        pass

    def leave(self) -> None:
        pass


def connection_of(scope: Scope) -> Connection:
    """The one that this request came by."""
    extensions = cast("Mapping[str, Connection]", scope.get("extensions") or {})
    return extensions.get(EXTENSION) or _InMemory()
