"""Whether the token that something was sent by still counts, once its turn has come."""

from __future__ import annotations

from collections.abc import Callable

from benchd.errors import NotSignedIn
from benchd.intake.desk import IntakeDesk
from benchd.proof.evidence.intake import Who
from benchd.web.token_gate import TokenDoor


def heed_tokens(desk: IntakeDesk, door: TokenDoor | None) -> None:
    """Have the desk ask for each token once its turn has come."""
    if door is not None:
        desk.heed(still_counts(door))


def still_counts(door: TokenDoor) -> Callable[[Who], None]:
    """A question that raises NotSignedIn where it doesn't."""

    def ask(sender: Who) -> None:
        if not sender.is_system:
            return
        name = sender.via.get("token")
        if not any(token.name == name and not token.is_over(door.now()) for token in door.all):
            raise NotSignedIn(f"token {name} counts no more: it was revoked or has ended meanwhile")

    return ask
