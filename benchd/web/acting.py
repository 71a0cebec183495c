"""Who acts, as far as it can be shown: the one place where a typed name becomes a person.

Until people sign in, only the user id at the other end of benchd's socket shows anybody.
"""

from __future__ import annotations

from starlette.types import Scope

from benchd.errors import SocketOnly
from benchd.people import operator_name
from benchd.web.peer import peer_of
from benchd.words.people import Actor, PersonId, ShownBy

SOURCE = "socket"


def actor_of(scope: Scope, operator: str) -> Actor:
    """The person who has sent this; raises SocketOnly over TCP, NameRefused for no name."""
    peer = peer_of(scope)
    if peer is None:
        raise SocketOnly("what becomes of a handset is recorded over benchd's Unix socket")
    return Actor(
        person=PersonId(f"uid-{peer.uid}"),
        name=operator_name(operator),
        shown_by=ShownBy.UNIX,
        source=SOURCE,
    )
