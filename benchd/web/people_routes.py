"""The routes of people: who there is, and how that changes."""

# Annotations name what is made in the function, so they are read at once.

from typing import Annotated

from fastapi import APIRouter, Path

from benchd.domain.authority import Action
from benchd.domain.people import Person
from benchd.web.access_level import AccessLevel, served_to
from benchd.web.acting_person import Acting
from benchd.web.error_answers import DECISION, INVALID, LEDGER, LONGEST_NAME, NOT_FOUND, SIGN_IN
from benchd.web.people_objects import (
    BadgeRequest,
    DisabledRequest,
    PeopleObject,
    PersonObject,
    PersonRequest,
    PinRequest,
    RolesRequest,
    person_shown,
)
from benchd.web.service import ServedRack

PersonInPath = Annotated[str, Path(max_length=LONGEST_NAME)]


def people_routes(rack: ServedRack) -> APIRouter:
    """`/api/v1/people`."""
    people = rack.people
    router = APIRouter(prefix="/api/v1/people", responses=INVALID | LEDGER | DECISION | SIGN_IN)

    def shown(person: Person) -> PersonObject:
        return person_shown(person, lost_secret=people.has_lost_secrets(person))

    @router.get("")
    @served_to(AccessLevel.SOCKET, action=Action.ADMINISTER)
    async def everybody(_: Acting) -> PeopleObject:
        """Everybody who may use the rack, or once did."""
        return PeopleObject(people=[shown(person) for person in people.everybody])

    @router.post("", status_code=201)
    @served_to(AccessLevel.SOCKET, action=Action.ADMINISTER)
    async def add(new: PersonRequest, by: Acting) -> PersonObject:
        """Somebody new; badge and PIN come after."""
        return shown(
            await people.add(by, new.person, name=new.name, reading=new.reading, roles=new.roles)
        )

    @router.put("/{person}/roles", responses=NOT_FOUND)
    @served_to(AccessLevel.SOCKET, action=Action.ADMINISTER)
    async def roles(person: PersonInPath, given: RolesRequest, by: Acting) -> PersonObject:
        """Give somebody these roles and no others."""
        return shown(await people.set_roles(by, person, given.roles))

    @router.put("/{person}/badge", responses=NOT_FOUND)
    @served_to(AccessLevel.SOCKET, action=Action.ADMINISTER, takes_secret=True)
    async def badge(person: PersonInPath, given: BadgeRequest, by: Acting) -> PersonObject:
        """Give somebody a badge, or take it away."""
        return shown(await people.set_badge(by, person, given.code))

    @router.put("/{person}/pin", responses=NOT_FOUND)
    @served_to(AccessLevel.SOCKET, action=Action.ADMINISTER, takes_secret=True)
    async def pin(person: PersonInPath, given: PinRequest, by: Acting) -> PersonObject:
        """Give somebody a PIN."""
        return shown(await people.set_pin(by, person, given.pin))

    @router.put("/{person}/disabled", responses=NOT_FOUND)
    @served_to(AccessLevel.SOCKET, action=Action.ADMINISTER)
    async def disabled(person: PersonInPath, given: DisabledRequest, by: Acting) -> PersonObject:
        """Let somebody do nothing any more, or let them in again."""
        if given.disabled:
            return shown(await people.disable(by, person, given.disabled_from))
        return shown(await people.enable(by, person))

    return router
