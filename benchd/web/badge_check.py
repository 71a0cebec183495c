"""No badge is kept: what a request brings to be recorded is looked through before its route has it.

The guards of `acting_person.py` do so, once they have let somebody in: so no route of a change goes
without, and whoever hasn't signed in learns nothing of whose code is a badge. Cells of a file are
looked through as it is read (`intake/csv_format.py`), by the same check.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import cast

from fastapi import Request
from fastapi.routing import APIRoute

from benchd.domain.errors import BADGE_IN_TEXT, BadgeInText
from benchd.domain.intake import LotId, Tag
from benchd.web.access_level import served_of
from benchd.web.cross_site_guard import SAFE_METHODS
from benchd.web.service import ServedRack


class BadgeCheck:
    """Whether a text is somebody's badge, that is to be kept nowhere."""

    def __init__(self, rack: ServedRack) -> None:
        self._rack = rack

    def __call__(self, text: str) -> bool:
        """Whether it holds one. What is on record as a name already may be named again."""
        return self._rack.people.holds_badge(text) and not self._is_name(text)

    def _is_name(self, text: str) -> bool:
        book = self._rack.intake.book
        if Tag(text) in book.assets or LotId(text) in book.lots:
            return True
        return any(person.id == text for person in self._rack.people.everybody)


async def refuse_badges(request: Request) -> None:
    """Raise BadgeInText where a badge stands in anything that this request would have kept."""
    served = served_of(request.scope["endpoint"])
    if request.method in SAFE_METHODS or served is None or served.takes_secret:
        return
    holds_badge = BadgeCheck(cast("ServedRack", request.app.state.rack))
    texts = [*_texts_in(request.path_params), *_texts_in(dict(request.query_params))]
    texts.extend(_texts_in(await _body_of(request)))
    # Each is looked at, wherever a badge is found: how long it takes tells nothing.
    found = [holds_badge(text) for text in texts]
    if any(found):
        raise BadgeInText(BADGE_IN_TEXT)


async def _body_of(request: Request) -> object:
    route = request.scope.get("route")
    is_json = "json" in request.headers.get("content-type", "")
    if not isinstance(route, APIRoute) or route.body_field is None or not is_json:
        return None
    # It was read before this is called, which a JSON that is none doesn't come to.
    return await request.json() if await request.body() else None


def _texts_in(told: object) -> Iterator[str]:
    match told:
        case str():
            yield told
        case Mapping():
            for name, value in cast("Mapping[object, object]", told).items():
                yield from _texts_in(name)
                yield from _texts_in(value)
        case Sequence():
            for each in cast("Sequence[object]", told):
                yield from _texts_in(each)
        case _:
            return
