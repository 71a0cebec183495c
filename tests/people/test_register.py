"""People outlive a start, their secrets stay secret, and a crash leaves the old or the new."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import argon2
import pytest
import pytest_asyncio
from argon2.exceptions import VerifyMismatchError

from benchd.domain.errors import LedgerFault, NameRefused, NotFound, PersonRefused
from benchd.domain.people import PersonId, Role
from benchd.domain.record import Entry, EntryKind, Receipt
from benchd.people.person_register import People
from benchd.people.person_secrets import Secrets, mark_of
from benchd.people.secrets_store import SecretStore

from .people_rig import BADGE, BY, CHEAP, KEY, NOW, PIN, Append, HandClock, people_in, secrets_file

pytestmark = pytest.mark.asyncio

NEW_PIN = "551903"


async def staffed(people: People) -> None:
    await people.add(BY, "sato", name="佐藤 健", reading="さとう けん", roles=[Role.ADMINISTRATOR])
    await people.add(BY, "mori", name="森 葵", roles=[Role.OPERATOR, Role.CONFIRMER])
    await people.set_badge(BY, "mori", BADGE)
    await people.set_pin(BY, "mori", PIN)


@pytest_asyncio.fixture
async def people(tmp_path: Path) -> AsyncGenerator[People]:
    async with people_in(tmp_path) as people:
        await staffed(people)
        yield people


@pytest_asyncio.fixture
async def folder(tmp_path: Path) -> Path:
    """What such people leave when their rack is switched off."""
    async with people_in(tmp_path) as people:
        await staffed(people)
    return tmp_path


async def test_everybody_is_there_after_a_start(tmp_path: Path) -> None:
    async with people_in(tmp_path) as people:
        await staffed(people)
        before = people.everybody
    async with people_in(tmp_path) as people:
        assert people.everybody == before
        mori = people.person("mori")
        assert people.of_badge(BADGE) == mori
        assert await people.is_pin(mori, PIN)
        assert not await people.is_pin(mori, NEW_PIN)
        assert not people.has_lost_secrets(mori)
        assert people.person("sato").reading == "さとう けん"


async def test_no_secret_lies_in_any_file_and_the_old_pin_is_forgotten(folder: Path) -> None:
    async with people_in(folder) as people:
        await people.set_pin(BY, "mori", NEW_PIN)
        assert not await people.is_pin(people.person("mori"), PIN)
        everything = b"".join(
            file.read_bytes() for file in folder.iterdir() if not file.name.endswith(".lock")
        )
    assert b"mori" in everything
    for secret in (BADGE, PIN, NEW_PIN):
        assert secret.encode() not in everything
    assert secrets_file(folder).stat().st_mode & 0o777 == 0o600
    store = SecretStore(secrets_file(folder))
    assert len(store.all()) == 2
    store.close()


async def test_whoever_has_the_files_but_not_the_racks_key_gets_nowhere(folder: Path) -> None:
    async with people_in(folder, key=bytes(32)) as people:
        assert people.of_badge(BADGE) is None
        assert not await people.is_pin(people.person("mori"), PIN)


class PowerCut(BaseException):
    """The machine is off."""


def cut(*, kept: bool) -> Callable[[Append], Append]:
    """A ledger whose power goes at a change, before or after the record is on disk."""

    def around(append: Append) -> Append:
        async def cut_short(entry: Entry) -> Receipt:
            if kept:
                await append(entry)
            raise PowerCut

        return cut_short

    return around


CHANGES: dict[str, Callable[[People], Awaitable[object]]] = {
    "add": lambda people: people.add(BY, "kato", name="加藤 舞", roles=[Role.OPERATOR]),
    "roles": lambda people: people.set_roles(BY, "mori", [Role.AUDITOR]),
    "badge": lambda people: people.set_badge(BY, "mori", "B-0000-1111"),
    "no badge": lambda people: people.set_badge(BY, "mori", None),
    "pin": lambda people: people.set_pin(BY, "mori", NEW_PIN),
    "disable": lambda people: people.disable(BY, "mori"),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_crash_leaves_the_old_or_the_new_whole(folder: Path, change: str) -> None:
    async with people_in(folder) as people:
        before = people.everybody
    with pytest.raises(PowerCut):
        async with people_in(folder, around=cut(kept=False)) as people:
            await CHANGES[change](people)
    async with people_in(folder) as people:
        assert people.everybody == before
        mori = people.person("mori")
        assert not people.has_lost_secrets(mori)
        assert people.of_badge(BADGE) == mori
        assert await people.is_pin(mori, PIN)
    with pytest.raises(PowerCut):
        async with people_in(folder, around=cut(kept=True)) as people:
            await CHANGES[change](people)
    async with people_in(folder) as people:
        assert people.everybody != before
        mori = people.person("mori")
        assert not people.has_lost_secrets(mori)
        assert await people.is_pin(mori, NEW_PIN if change == "pin" else PIN)
        if change == "badge":
            assert people.of_badge("B-0000-1111") == mori
            assert people.of_badge(BADGE) is None


async def test_a_secret_that_the_ledger_does_not_name_opens_nothing(folder: Path) -> None:
    store = SecretStore(secrets_file(folder))
    theirs = Secrets(KEY, CHEAP)
    store.keep(theirs.of_badge("B-EVIL-0001"))
    store.keep(theirs.of_pin("730184"))
    store.close()
    async with people_in(folder) as people:
        assert people.of_badge("B-EVIL-0001") is None
        assert not await people.is_pin(people.person("mori"), "730184")
        assert not await people.is_pin(people.person("sato"), "730184")


async def test_a_secret_that_was_changed_in_the_file_is_lost_and_told(tmp_path: Path) -> None:
    async with people_in(tmp_path) as people:
        await staffed(people)
        mark = people.person("mori").pin
    changed = Secrets(KEY, CHEAP).of_pin("730184")
    connection = sqlite3.connect(secrets_file(tmp_path))
    connection.execute("UPDATE secret SET kept = ? WHERE mark = ?", (changed, mark))
    connection.commit()
    connection.close()
    async with people_in(tmp_path) as people:
        mori = people.person("mori")
        assert people.has_lost_secrets(mori)
        assert not await people.is_pin(mori, "730184")
        assert not await people.is_pin(mori, PIN)
        await people.set_pin(BY, "mori", NEW_PIN)
        assert not people.has_lost_secrets(people.person("mori"))


async def test_without_the_file_people_stay_and_their_secrets_are_set_anew(folder: Path) -> None:
    secrets_file(folder).unlink()
    async with people_in(folder) as people:
        assert [person.id for person in people.everybody] == ["sato", "mori"]
        assert people.has_lost_secrets(people.person("mori"))


async def test_a_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    secrets_file(tmp_path).write_bytes(b"not a database, but somebody's work" * 100)
    with pytest.raises(LedgerFault, match="badges and PINs"):
        SecretStore(secrets_file(tmp_path))
    assert secrets_file(tmp_path).read_bytes().startswith(b"not a database")


@pytest.mark.parametrize(
    ("application", "version", "why"),
    [(7, 1, "not one of benchd's people"), (0x62656E70, 2, "made by a newer benchd")],
)
async def test_a_database_of_another_program_or_release_is_refused_and_left_alone(
    tmp_path: Path, application: int, version: int, why: str
) -> None:
    with closing(sqlite3.connect(secrets_file(tmp_path))) as connection:
        connection.execute(f"PRAGMA application_id = {application}")
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("CREATE TABLE secret (theirs TEXT)")
        connection.commit()
    with pytest.raises(LedgerFault, match=why):
        SecretStore(secrets_file(tmp_path))
    with closing(sqlite3.connect(secrets_file(tmp_path))) as connection:
        assert list(connection.execute("PRAGMA user_version")) == [(version,)]
        assert [row[1] for row in connection.execute("PRAGMA table_info(secret)")] == ["theirs"]


@pytest.mark.parametrize(
    ("of", "name"),
    [
        ("sato", "全くの別人"),
        ("sato2", "佐藤健"),
        ("sato2", "佐藤\u3000健"),
        ("m0ri", "森 蒼太"),  # the digit in place of the letter
        ("Mori", "森 蒼太"),
        ("a b", "森 蒼太"),
        ("-a", "森 蒼太"),
        ("", "森 蒼太"),
        ("x" * 33, "森 蒼太"),
    ],
)
async def test_nobody_is_taken_for_another(people: People, of: str, name: str) -> None:
    await people.disable(BY, "mori")
    before = people.everybody
    with pytest.raises(PersonRefused):
        await people.add(BY, of, name=name, roles=[Role.OPERATOR])
    assert people.everybody == before


async def test_an_invisible_letter_makes_no_name(tmp_path: Path) -> None:
    async with people_in(tmp_path) as people:
        with pytest.raises(NameRefused):
            await people.add(BY, "kato", name="加藤\u3164", roles=[Role.OPERATOR])


async def test_a_badge_is_one_persons(people: People) -> None:
    with pytest.raises(PersonRefused, match="already that of mori"):
        await people.set_badge(BY, "sato", BADGE)
    await people.set_badge(BY, "mori", BADGE)
    await people.set_badge(BY, "mori", None)
    assert people.of_badge(BADGE) is None
    await people.set_badge(BY, "sato", BADGE)
    assert people.of_badge(BADGE) == people.person("sato")


@pytest.mark.parametrize(
    "pin", ["", "12345", "123456", "987654", "000000", "8901234", "12345a", "9" * 13, "90271６ 1"]
)
async def test_pins_that_anybody_would_try(people: People, pin: str) -> None:
    with pytest.raises(PersonRefused):
        await people.set_pin(BY, "mori", pin)
    assert await people.is_pin(people.person("mori"), PIN)


@pytest.mark.parametrize("code", ["", "12345", "two words", "x" * 129, "B-7781\x1b[2J"])
async def test_what_is_no_badge(people: People, code: str) -> None:
    with pytest.raises(PersonRefused):
        await people.set_badge(BY, "sato", code)


async def test_the_last_administrator_stays(people: People) -> None:
    for change in (
        people.disable(BY, "sato"),
        people.set_roles(BY, "sato", [Role.OPERATOR]),
    ):
        with pytest.raises(PersonRefused, match="last administrator"):
            await change
    await people.set_roles(BY, "mori", [Role.ADMINISTRATOR])
    await people.disable(BY, "sato")
    assert people.person("sato").is_disabled(NOW)
    await people.enable(BY, "sato")
    assert not people.person("sato").is_disabled(NOW + timedelta(days=1))


async def test_nobody_without_a_role_and_nothing_for_nobody(tmp_path: Path) -> None:
    async with people_in(tmp_path) as people:
        with pytest.raises(PersonRefused):
            await people.add(BY, "kato", name="加藤 舞", roles=[])
        for change in (
            people.set_pin(BY, "kato", PIN),
            people.disable(BY, "kato"),
            people.set_badge(BY, "kato", BADGE),
        ):
            with pytest.raises(NotFound):
                await change
        assert people.everybody == ()


async def test_a_refusing_ledger_changes_nobody(folder: Path) -> None:
    def full(append: Append) -> Append:
        async def refuse(entry: Entry) -> Receipt:
            assert entry.kind is EntryKind.PERSON_CHANGED
            raise LedgerFault("the disk is full")

        return refuse

    async with people_in(folder, around=full) as people:
        before = people.everybody
        with pytest.raises(LedgerFault):
            await people.set_pin(BY, "mori", NEW_PIN)
        assert people.everybody == before
        assert await people.is_pin(people.person("mori"), PIN)


async def test_what_is_kept_tells_nothing_and_is_compared_by_its_whole() -> None:
    secrets = Secrets(KEY, CHEAP)
    kept = secrets.of_pin(PIN)
    assert kept.startswith(b"$argon2id$")
    assert secrets.of_pin(PIN) != kept
    assert secrets.is_pin(kept, PIN)
    assert not secrets.is_pin(b"$argon2id$broken", PIN)
    assert not secrets.is_pin(None, "")
    assert mark_of(kept) != mark_of(secrets.of_pin(PIN))


async def test_a_try_without_a_pin_on_record_costs_what_any_other_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[str] = []
    verify = argon2.PasswordHasher.verify

    def watched(hasher: argon2.PasswordHasher, kept: str, pin: bytes) -> bool:
        compared.append(kept)
        return verify(hasher, kept, pin)

    monkeypatch.setattr(argon2.PasswordHasher, "verify", watched)
    secrets = Secrets(KEY, CHEAP)
    kept = secrets.of_pin(PIN)
    assert not secrets.is_pin(None, PIN)
    assert secrets.is_pin(kept, PIN)
    nobodys, somebodys = compared
    assert argon2.extract_parameters(nobodys) == argon2.extract_parameters(somebodys)
    # A mismatch is found by computing it; what is malformed would be refused at once.
    with pytest.raises(VerifyMismatchError):
        argon2.PasswordHasher().verify(nobodys, PIN)


async def test_nothing_is_hashed_before_somebody_is_asked_for_a_pin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> str:
        pytest.fail("hashed")

    monkeypatch.setattr(argon2.PasswordHasher, "hash", refuse)
    Secrets(KEY)


@pytest.mark.parametrize("starts", [1, 2])
async def test_a_clock_that_is_set_back_lets_nobody_in_again(tmp_path: Path, starts: int) -> None:
    """As that of a rack whose battery is empty, when it is switched on."""
    clock, behind = HandClock(), HandClock(NOW - timedelta(days=2000))
    async with people_in(tmp_path, clock=clock) as people:
        await staffed(people)
        await people.disable(BY, "mori")
        if starts == 1:
            clock.at = behind.at
            assert people.acting_name(PersonId("mori")) is None
    async with people_in(tmp_path, clock=behind) as people:
        assert people.acting_name(PersonId("mori")) is None
        assert people.is_disabled(people.person("mori"))
        assert people.acting_name(PersonId("sato")) == "佐藤 健"
        await people.enable(BY, "mori")
        assert people.acting_name(PersonId("mori")) == "森 葵"


async def test_who_was_to_go_on_a_day_stays_gone_if_the_clock_is_set_back(tmp_path: Path) -> None:
    clock = HandClock()
    async with people_in(tmp_path, clock=clock) as people:
        await staffed(people)
        await people.disable(BY, "mori", NOW + timedelta(days=1))
        assert people.acting_name(PersonId("mori")) == "森 葵"
        clock.forward(86_400)
        assert people.acting_name(PersonId("mori")) is None
        clock.forward(-3600)
        assert people.acting_name(PersonId("mori")) is None


async def test_whom_a_newer_benchd_tells_of_in_other_words_may_do_nothing(folder: Path) -> None:
    def newer(append: Append) -> Append:
        async def keep(entry: Entry) -> Receipt:
            return await append(replace(entry, data={**entry.data, "roles": ["surgeon"]}))

        return keep

    async with people_in(folder, around=newer) as people:
        await people.set_pin(BY, "mori", NEW_PIN)
    async with people_in(folder) as people:
        mori = people.person("mori")
        assert people.is_disabled(mori)
        assert not mori.roles
        # Once that benchd is back, so are they: nothing of theirs was forgotten.
        assert not people.has_lost_secrets(mori)
        assert people.acting_name(PersonId("sato")) == "佐藤 健"
