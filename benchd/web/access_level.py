"""Who may read what: each route declares on itself whom it is served to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, TypeVar

from benchd.domain.authority import Action
from benchd.domain.token import Scope

_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])
_DECLARED: Final = "__served_to__"


class AccessLevel(IntEnum):
    """How much of the rack a request may see; each holds all that is before it."""

    NONE = 0
    """What is the same on every rack, and that this one lives."""
    WALL = 1
    """What each slot does: no serial, IMEI, job, note or name of a person."""
    READ = 2
    """Everything."""
    SOCKET = 3
    """What only the machine's own people may ask for, over the Unix socket."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Whom a route is served to."""

    access_level: AccessLevel
    """The least that a request may see for it to be served."""
    action: Action | None = None
    """What whoever asks has to be allowed to do; a guard of `who.py` holds them to it."""
    token: Scope | None = None
    """The scope by which another system's token may ask for it; without, none may."""
    takes_secret: bool = False
    """Whether it is for badges or PINs, of which nothing is kept as it came."""


def served_to(
    access_level: AccessLevel,
    *,
    action: Action | None = None,
    token: Scope | None = None,
    takes_secret: bool = False,
) -> Callable[[_Endpoint], _Endpoint]:
    """Declare whom a route is served to, right below its path; one without is a mistake."""

    def declare(endpoint: _Endpoint) -> _Endpoint:
        served = Served(
            access_level=access_level, action=action, token=token, takes_secret=takes_secret
        )
        setattr(endpoint, _DECLARED, served)
        return endpoint

    return declare


def served_of(endpoint: object) -> Served | None:
    """What a route's function declares; None where it declares nothing."""
    return getattr(endpoint, _DECLARED, None)
