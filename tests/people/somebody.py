"""People for tests that aren't about people: anybody may do anything, under an id of their own."""

from __future__ import annotations

import unicodedata

from benchd.domain.authority import Action
from benchd.domain.ids import OperatorName
from benchd.domain.people import Actor, PersonId, ShownBy


def somebody(name: str, shown_by: ShownBy = ShownBy.BADGE_AND_PIN) -> Actor:
    """Whoever is called that; their id is the name without case and width."""
    return Actor(
        person=PersonId("".join(unicodedata.normalize("NFKC", name).casefold().split())),
        name=OperatorName(name),
        shown_by=shown_by,
        source="127.0.0.1",
    )


class Everybody:
    """A fake `Authority` that refuses nobody."""

    def refuse_unless_allowed(self, actor: Actor, action: Action) -> None:
        pass
