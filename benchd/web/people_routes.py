"""The routes of people: who there is, and how that changes; on the machine itself only."""

from __future__ import annotations

import os
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request

from benchd.errors import NotAllowed
from benchd.web.peer import peer_of
from benchd.web.people_objects import (
    BadgeRequest,
    DisabledRequest,
    PeopleObject,
    PersonObject,
    PersonRequest,
    PinRequest,
    RolesRequest,
)
from benchd.web.refusals import DECISION, INVALID, LEDGER, LONGEST_NAME, NOT_FOUND
from benchd.web.service import PeopleDoor
from benchd.words.people import By, Person, Role

ROOT = 0
"""The uid that may do anything anyway."""

PersonInPath = Annotated[str, Path(max_length=LONGEST_NAME)]


def people_routes(people: PeopleDoor) -> APIRouter:
    """`/api/v1/people`."""
    router = APIRouter(prefix="/api/v1/people", responses=INVALID | LEDGER | DECISION)

    def shown(person: Person) -> PersonObject:
        disabled = person.disabled_from
        return PersonObject(
            person=person.id,
            name=person.name,
            reading=person.reading,
            roles=[role for role in Role if role in person.roles],
            has_badge=person.badge is not None,
            has_pin=person.pin is not None,
            lost_secret=people.has_lost_secrets(person),
            disabled_from=None if disabled is None else disabled.isoformat(),
        )

    @router.get("")
    async def everybody(_: Owner) -> PeopleObject:
        """Everybody who may use the rack, or once did."""
        return PeopleObject(people=[shown(person) for person in people.everybody])

    @router.post("", status_code=201)
    async def add(new: PersonRequest, by: Owner) -> PersonObject:
        """Somebody new; badge and PIN come after."""
        return shown(
            await people.add(by, new.person, name=new.name, reading=new.reading, roles=new.roles)
        )

    @router.put("/{person}/roles", responses=NOT_FOUND)
    async def roles(person: PersonInPath, given: RolesRequest, by: Owner) -> PersonObject:
        """Give somebody these roles and no others."""
        return shown(await people.set_roles(by, person, given.roles))

    @router.put("/{person}/badge", responses=NOT_FOUND)
    async def badge(person: PersonInPath, given: BadgeRequest, by: Owner) -> PersonObject:
        """Give somebody a badge, or take it away."""
        return shown(await people.set_badge(by, person, given.code))

    @router.put("/{person}/pin", responses=NOT_FOUND)
    async def pin(person: PersonInPath, given: PinRequest, by: Owner) -> PersonObject:
        """Give somebody a PIN."""
        return shown(await people.set_pin(by, person, given.pin))

    @router.put("/{person}/disabled", responses=NOT_FOUND)
    async def disabled(person: PersonInPath, given: DisabledRequest, by: Owner) -> PersonObject:
        """Let somebody do nothing any more, or let them in again."""
        if given.disabled:
            return shown(await people.disable(by, person, given.disabled_from))
        return shown(await people.enable(by, person))

    return router


def owner_of_files(request: Request) -> By:
    """Whoever could change the rack's files as well: root, or benchd's own user."""
    peer = peer_of(request.scope)
    if peer is None or peer.uid not in {ROOT, os.geteuid()}:
        message = (
            "people are changed by root or benchd's own user over its Unix socket:"
            " sudo benchd people …"
        )
        raise NotAllowed(message)
    return By(actor=None, source=f"socket, uid {peer.uid}")


Owner = Annotated[By, Depends(owner_of_files)]
