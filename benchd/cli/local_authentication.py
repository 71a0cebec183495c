"""Who does what the daemon has no part in: somebody on record who shows that they are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from benchd.cli.messages import error_of, say
from benchd.cli.people_either import over_either
from benchd.cli.sign_in import secret_from
from benchd.domain.authority import Action, has_role
from benchd.domain.errors import MoreToShow, NotAllowed, NotSignedIn
from benchd.domain.people import Actor, Role, ShownBy

if TYPE_CHECKING:
    from benchd.cli.client import BenchdClient
    from benchd.domain.ids import JsonObject
    from benchd.people.person_register import People


def name_of_whoever_may(
    action: Action, person: str, config: Path, *, pin_file: Path | None, badge_file: Path | None
) -> str:
    """Their name as it is on record, which nobody else's looks like.

    Raises NotSignedIn, NotAllowed or MoreToShow; a badge that is missing is asked for where the
    PIN was.
    """
    pin = secret_from(pin_file, say("say.pin"))
    badge = None if badge_file is None else secret_from(badge_file, say("say.badge"))
    try:
        return _name(action, person, config, pin, badge)
    except MoreToShow:
        if badge is not None or pin_file is not None:
            raise
    return _name(action, person, config, pin, secret_from(None, say("say.badge")))


def _name(action: Action, person: str, config: Path, pin: str, badge: str | None) -> str:
    def over_socket(client: BenchdClient) -> JsonObject:
        session = client.sign_in(person=person, pin=pin, badge=badge)
        client.sign_out()
        roles = session["roles"]
        if not has_role([Role(str(r)) for r in roles] if isinstance(roles, list) else [], action):
            message = f"{person} isn't allowed to {action}"
            raise NotAllowed(message)
        if not session["strong"]:
            message = f"to {action} takes the badge as well"
            raise MoreToShow(message)
        return session

    async def on_disk(people: People) -> JsonObject:
        known = next((one for one in people.everybody if one.id == person), None)
        is_theirs = badge is None or (known is not None and people.of_badge(badge) == known)
        if not (await people.is_pin(known, pin) and is_theirs) or known is None:
            raise error_of(NotSignedIn, "say.nobody_by_that")
        shown = ShownBy.PIN if badge is None else ShownBy.BADGE_AND_PIN
        source = f"files, uid {os.geteuid()}"
        actor = Actor(person=known.id, name=known.name, shown_by=shown, source=source)
        people.refuse_unless_allowed(actor, action)
        return {"name": known.name}

    return str(over_either(config, None, over_socket, on_disk)["name"])
