"""The rack's people: opened beside its ledger, by the daemon or by a command while none runs."""

from __future__ import annotations

import os
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import structlog
from anyio import to_thread

from benchd.certificate import SigningKey, load_rack_key
from benchd.config import Settings
from benchd.config.config_sections import PeopleSettings
from benchd.daemon.directories import give, make_directories
from benchd.daemon.ledger_witnesses import witnesses_of
from benchd.daemon.system_clock import SystemClock, SystemEntropy
from benchd.domain.ids import JsonValue
from benchd.domain.people import Person
from benchd.domain.ports import Clock
from benchd.domain.record import Entry, EntryKind, Receipt
from benchd.domain.slot import ProblemCode, ProblemView
from benchd.ledger import open_ledger
from benchd.ledger.ledger_access import SqliteLedger
from benchd.people.authentication import Authentication
from benchd.people.login_throttle import Tries
from benchd.people.person_register import People
from benchd.people.person_secrets import PURPOSE, Secrets
from benchd.people.refused_tries import Refusals
from benchd.people.secrets_store import SecretStore
from benchd.people.sessions import Sessions
from benchd.slots.admission import Admission
from benchd.slots.board import RackBoard
from benchd.web.people_objects import person_shown

LOOK_EVERY_S = 60.0

_log = structlog.get_logger()


def people_file(ledger: Path) -> Path:
    """Where the badges and PINs lie that belong to a ledger."""
    return ledger.with_name(ledger.name + ".people")


@asynccontextmanager
async def open_people(
    ledger: Path,
    records: SqliteLedger,
    append: Callable[[Entry], Awaitable[Receipt]],
    key: SigningKey,
) -> AsyncGenerator[People]:
    """The people of this ledger, read anew. Raises LedgerFault when their file can't be used."""
    one = anyio.CapacityLimiter(1)
    secrets = await to_thread.run_sync(Secrets, key.derive(PURPOSE), limiter=one)
    store = await to_thread.run_sync(SecretStore, people_file(ledger), limiter=one)
    try:
        people = People(append, store, secrets, SystemClock())
        await people.load(await records.of_kind(EntryKind.PERSON_CHANGED))
        for person in people.everybody:
            if people.has_lost_secrets(person):
                _log.warning("secret_lost", person=person.id, cure="benchd people pin, or badge")
        yield people
    finally:
        store.close()


def sessions_of(
    people: People,
    append: Callable[[Entry], Awaitable[Receipt]],
    clock: Clock,
    settings: PeopleSettings,
) -> Sessions:
    """Who signs in on this rack."""
    known = {person.id for person in people.everybody}
    for uid, person in settings.of_uid.items():
        if person not in known:
            _log.warning("unknown_person", uid=uid, person=person, cure="benchd people list")
    refusals = Refusals(append, clock, time.monotonic)
    return Sessions(
        people,
        Authentication(people, Tries(time.monotonic), refusals, time.monotonic),
        entropy=SystemEntropy(),
        now=time.monotonic,
        idle_s=settings.idle_minutes * 60.0,
    )


class Staffing:
    """Lets no job begin on a rack that nobody administers, and says so on the wall."""

    def __init__(self, people: People, *, board: RackBoard, admission: Admission) -> None:
        """Take who there is, and hold or open the door at once."""
        self._people = people
        self._board = board
        self._admission = admission
        self._look()

    async def run(self) -> None:
        """Look again whenever people have changed, until cancelled."""
        while True:
            # Somebody may be disabled from a time on.
            with anyio.move_on_after(LOOK_EVERY_S):
                await self._people.changed.wait()
            self._look()

    def _look(self) -> None:
        if self._people.has_administrator():
            self._admission.release(ProblemCode.NO_ADMINISTRATOR)
            self._board.withdraw_notice(ProblemCode.NO_ADMINISTRATOR)
        else:
            self._admission.hold(ProblemCode.NO_ADMINISTRATOR)
            self._board.show_notice(ProblemView(code=ProblemCode.NO_ADMINISTRATOR))


@asynccontextmanager
async def people_on_disk(settings: Settings) -> AsyncGenerator[People]:
    """The same for a command. Raises LedgerFault while the daemon has the ledger."""
    async with (
        ledger_on_disk(settings) as (ledger, key),
        open_people(settings.ledger.path, ledger, ledger.append, key) as people,
    ):
        yield people


def person_json(people: People, person: Person) -> dict[str, JsonValue]:
    """A person as the API tells of them, for a command on the files."""
    shown = person_shown(person, lost_secret=people.has_lost_secrets(person))
    return shown.model_dump(mode="json")


@asynccontextmanager
async def ledger_on_disk(settings: Settings) -> AsyncGenerator[tuple[SqliteLedger, SigningKey]]:
    """The ledger for a command, and the rack's key. Raises LedgerFault while the daemon has it."""
    key = load_rack_key(settings.certificate.key, os.environ)
    make_directories(settings)
    path = settings.ledger.path
    try:
        witnesses = await witnesses_of(settings, key.ring)
        async with open_ledger(path, head_key=key, ring=key.ring, witnesses=witnesses) as ledger:
            yield ledger, key
    finally:
        give_back(path)


def give_back(ledger: Path) -> None:
    """What root has made among the ledger's files belongs to whom the folder belongs."""
    like_its_folder(ledger.parent, f"{ledger.name}*")


def like_its_folder(folder: Path, pattern: str) -> None:
    """These files belong to whom their folder belongs, where root may have made them."""
    if folder.is_dir():
        give(folder.glob(pattern), folder.stat())


def make_like(folder: Path, other: Path, *, mode: int) -> None:
    """Make a folder, and those above it that aren't there, for whom another one belongs to."""
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(mode, parents=True, exist_ok=True)
    give(made, other.stat())
