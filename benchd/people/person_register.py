"""Everybody who may use the rack, and how that changes: the ledger first, then everybody hears."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar

import anyio
from anyio import CapacityLimiter, to_thread

from benchd.domain.authority import AUTHORITY, Action, has_role, is_strong
from benchd.domain.errors import (
    BADGE_IN_TEXT,
    BadgeInText,
    LedgerFault,
    MoreToShow,
    NotAllowed,
    NotFound,
    PersonRefused,
)
from benchd.domain.ids import OperatorName
from benchd.domain.people import Actor, By, Person, PersonId, Role
from benchd.domain.person_names import operator_name
from benchd.domain.ports import Clock
from benchd.domain.record import Entry, Receipt, StoredEntry
from benchd.domain.wakeup import Wakeup
from benchd.people.confusable_names import look_alike
from benchd.people.person import (
    badge_of,
    badges_in,
    is_made_badge,
    person_id,
    pin_of,
    reading_of,
)
from benchd.people.person_change import Change, entry_of, fold
from benchd.people.person_secrets import Secrets, mark_of
from benchd.people.secrets_store import SecretStore

DEADLINE_S = 10.0
MOST_PEOPLE = 1000
_ENDS_WHAT_WAS_SHOWN = frozenset({Change.BADGE, Change.PIN, Change.DISABLED})

_Result = TypeVar("_Result")


class People:
    """The register; `load` before anything else.

    A new badge or PIN lies in its file before the record that makes it count, so that a crash in
    between leaves the old one, whole. What the ledger doesn't name counts for nothing.
    """

    def __init__(
        self,
        append: Callable[[Entry], Awaitable[Receipt]],
        store: SecretStore,
        secrets: Secrets,
        clock: Clock,
    ) -> None:
        self._append = append
        self._store = store
        self._secrets = secrets
        self._clock = clock
        self._latest = datetime.min.replace(tzinfo=UTC)
        self._people: dict[PersonId, Person] = {}
        self._badges: frozenset[str] = frozenset()
        self._kept: Mapping[str, bytes] = {}
        self._shown_anew: Counter[PersonId] = Counter()
        self._changing = anyio.Lock()
        self.changed = Wakeup()
        """Fires when somebody is added or is another than before."""
        self._thread = CapacityLimiter(1)
        self._patient_thread = CapacityLimiter(1)

    async def load(self, records: Sequence[StoredEntry]) -> int:
        """Know who there is by the ledger's records of people.

        Returns how many secrets nobody has any more, which are forgotten.
        """
        self._know(fold(records))
        self._latest = max((record.entry.at for record in records), default=self._latest)
        swept = await self._stored(partial(self._store.sweep, self._marks()))
        self._kept = await self._stored(self._store.all)
        return swept

    @property
    def everybody(self) -> tuple[Person, ...]:
        """Each person there has ever been, in the order in which they came."""
        return tuple(self._people.values())

    def person(self, of: str) -> Person:
        """Who has this id; else NotFound."""
        try:
            return self._people[PersonId(of)]
        except KeyError:
            message = f"nobody has the id {of!r}: `benchd people list` names everybody"
            raise NotFound(message) from None

    def acting_name(self, of: PersonId) -> OperatorName | None:
        """The name of whoever may act now; None for nobody, and for who is disabled."""
        person = self._people.get(of)
        if person is None or self.is_disabled(person):
            return None
        return person.name

    def is_disabled(self, person: Person) -> bool:
        """Whether they may do nothing now; a clock that was set back lets nobody in again."""
        self._latest = max(self._latest, self._clock.now())
        return person.is_disabled(self._latest)

    def of_badge(self, code: str) -> Person | None:
        """Whose badge has this code; None where it is nobody's."""
        mark = mark_of(self._secrets.of_badge(code))
        return next(
            (one for one in self._people.values() if one.badge == mark and mark in self._kept), None
        )

    def holds_badge(self, text: str) -> bool:
        """Whether somebody's badge stands in a text, as a word of it; anybody's that benchd made.

        It takes as long whatever it finds. What is kept beside no record any more is a badge still.
        """
        marks = [mark_of(self._secrets.of_badge(code)) for code in badges_in(text)]
        return is_made_badge(text) or not self._badges.isdisjoint(marks)

    def shown_anew(self, of: PersonId) -> int:
        """How often since the start they have had to show anew who they are.

        What they had shown before counts no more: their badge or PIN is another, or they were
        disabled, even if they are let in again.
        """
        return self._shown_anew[of]

    def has_lost_secrets(self, person: Person) -> bool:
        """Whether a badge or PIN that the ledger names isn't in the file: it has to be set anew."""
        return any(mark not in self._kept for mark in (person.badge, person.pin) if mark)

    def has_administrator(self) -> bool:
        """Whether there is anybody who may change people."""
        return self._has_administrator(self._people.values())

    async def is_pin(self, person: Person | None, pin: str, *, patiently: bool = False) -> bool:
        """Whether the PIN is this person's; takes as long for nobody, and a wrong form.

        `patiently` lets all else that the daemon does come first, other comparisons among it.
        """
        kept = None if person is None or person.pin is None else self._kept.get(person.pin)
        compare = self._secrets.is_pin_patiently if patiently else self._secrets.is_pin
        thread = self._patient_thread if patiently else self._thread
        return await to_thread.run_sync(compare, kept, pin, limiter=thread)

    def refuse_unless_allowed(self, actor: Actor, action: Action) -> None:
        """Raise NotAllowed, with what is missing, unless they may and have shown enough."""
        person = self._people.get(actor.person)
        if person is None or self.is_disabled(person):
            message = f"{actor.person} may do nothing on this rack"
            raise NotAllowed(message)
        rule = AUTHORITY[action]
        if not has_role(person.roles, action):
            roles = " / ".join(role for role in Role if role in rule.roles)
            message = f"{person.name} isn't allowed to {action}: it takes the role {roles}"
            raise NotAllowed(message)
        if not rule.by_badge and not is_strong(actor.shown_by, has_badge=person.badge is not None):
            message = f"to {action} takes the PIN as well: sign in with badge and PIN"
            raise MoreToShow(message)

    async def add(
        self, by: By, of: str, *, name: str, reading: str = "", roles: Collection[Role]
    ) -> Person:
        """Somebody new. Raises PersonRefused or NameRefused."""
        if any(self.holds_badge(text) for text in (of, name, reading)):
            raise BadgeInText(BADGE_IN_TEXT)
        new = Person(
            id=person_id(of),
            name=operator_name(name),
            reading=reading_of(reading),
            roles=_some(roles),
        )
        async with self._changing:
            if len(self._people) >= MOST_PEOPLE:
                message = f"there are {MOST_PEOPLE} people already, which is the most"
                raise PersonRefused(message)
            await to_thread.run_sync(self._refuse_like_another, new, limiter=self._thread)
            return await self._change(Change.ADDED, new, by)

    async def set_roles(self, by: By, of: str, roles: Collection[Role]) -> Person:
        """Give somebody these roles and no others."""
        async with self._changing:
            return await self._change(
                Change.ROLES, replace(self.person(of), roles=_some(roles)), by
            )

    async def set_badge(self, by: By, of: str, code: str | None) -> Person:
        """Give somebody this badge in place of another one, or take it away."""
        kept = None if code is None else self._secrets.of_badge(badge_of(code))
        async with self._changing:
            person = self.person(of)
            if kept is None:
                return await self._change(Change.BADGE, replace(person, badge=None), by)
            other = next((one for one in self._people.values() if one.badge == mark_of(kept)), None)
            if other is not None and other.id != person.id:
                message = f"this badge is already that of {other.id}: take it from them first"
                raise PersonRefused(message)
            return await self._keep(Change.BADGE, person, kept, by)

    async def set_pin(self, by: By, of: str, pin: str) -> Person:
        """Give somebody this PIN in place of another one."""
        self.person(of)
        kept = await to_thread.run_sync(self._secrets.of_pin, pin_of(pin), limiter=self._thread)
        async with self._changing:
            return await self._keep(Change.PIN, self.person(of), kept, by)

    async def disable(self, by: By, of: str, at: datetime | None = None) -> Person:
        """Let somebody do nothing from now on, or from a time with its zone on."""
        async with self._changing:
            disabled = replace(self.person(of), disabled_from=at or self._clock.now())
            return await self._change(Change.DISABLED, disabled, by)

    async def enable(self, by: By, of: str) -> Person:
        """Let somebody in again."""
        async with self._changing:
            return await self._change(
                Change.ENABLED, replace(self.person(of), disabled_from=None), by
            )

    async def _keep(self, change: Change, person: Person, kept: bytes, by: By) -> Person:
        mark = await self._stored(partial(self._store.keep, kept))
        self._kept = {**self._kept, mark: kept}
        after = replace(person, badge=mark) if change is Change.BADGE else replace(person, pin=mark)
        return await self._change(change, after, by)

    async def _change(self, change: Change, after: Person, by: By) -> Person:
        people = {**self._people, after.id: after}
        if self.has_administrator() and not self._has_administrator(people.values()):
            message = (
                f"{after.id} is the last administrator: give somebody else that role first,"
                " else nobody could change people any more"
            )
            raise PersonRefused(message)
        # Not to be cut short between the record and what everybody goes by.
        with anyio.CancelScope(shield=True):
            await self._append(entry_of(change, after, by=by, at=self._clock.now()))
            self._know(people)
            self._shown_anew[after.id] += change in _ENDS_WHAT_WAS_SHOWN
            self.changed.fire()
            await self._stored(partial(self._store.sweep, self._marks()))
            self._kept = {mark: self._kept[mark] for mark in self._marks() if mark in self._kept}
        return after

    def _know(self, people: dict[PersonId, Person]) -> None:
        self._people = people
        self._badges = frozenset(one.badge for one in people.values() if one.badge)

    def _marks(self) -> frozenset[str]:
        marks = (mark for one in self._people.values() for mark in (one.badge, one.pin))
        return frozenset(mark for mark in marks if mark is not None)

    def _has_administrator(self, people: Collection[Person]) -> bool:
        return any(Role.ADMINISTRATOR in one.roles and not self.is_disabled(one) for one in people)

    def _refuse_like_another(self, new: Person) -> None:
        for other in self._people.values():
            if new.id == other.id:
                message = f"the id {new.id} is already that of {other.name}: ids are never reused"
                raise PersonRefused(message)
            if look_alike(new.id, other.id) or look_alike(new.name, other.name):
                message = (
                    f"{new.name} ({new.id}) looks like {other.name} ({other.id}), who is on record:"
                    " choose what nobody takes for the other, for example with the full name"
                )
                raise PersonRefused(message)

    async def _stored(self, call: Callable[[], _Result]) -> _Result:
        try:
            with anyio.fail_after(DEADLINE_S):
                return await to_thread.run_sync(call, limiter=self._thread, abandon_on_cancel=True)
        except TimeoutError as error:
            message = f"the file of badges and PINs gave no answer within {DEADLINE_S:g} s"
            raise LedgerFault(message) from error


def _some(roles: Collection[Role]) -> frozenset[Role]:
    if not roles:
        message = f"a person has one role at least: {', '.join(Role)}"
        raise PersonRefused(message)
    return frozenset(roles)
