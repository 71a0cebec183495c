"""Who works on a simulated rack."""

from __future__ import annotations

from typing import Final

from benchd.domain.authority import Action
from benchd.domain.errors import NotAllowed
from benchd.domain.ids import OperatorName
from benchd.domain.people import Actor, PersonId, ShownBy

WORKER: Final = "Sato"
OTHER: Final = "Tanaka"
SECOND: Final = "Suzuki"
CHARGE: Final = "Kato"
"""The supervisor, and administrator."""


def actor_of(name: str) -> Actor:
    """One of them, who has shown badge and PIN."""
    return Actor(
        person=PersonId(name.lower()),
        name=OperatorName(name),
        shown_by=ShownBy.BADGE_AND_PIN,
        source="socket",
    )


class Staff:
    """Implements `benchd.domain.ports.Authority`: each does each other's work, and may confirm it.

    That nobody confirms their own is left to the desk and the proof, which are under test.
    """

    def refuse_unless_allowed(self, actor: Actor, action: Action) -> None:
        """Refuse who isn't one of them."""
        if actor.name not in (WORKER, OTHER, SECOND, CHARGE):
            raise NotAllowed(f"{actor.name} isn't allowed to {action}")
