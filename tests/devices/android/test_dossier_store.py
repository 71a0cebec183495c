"""Dossiers that failed inspections leave: asked in time, masked, bounded, and never in the way."""

from __future__ import annotations

import os
import stat
import tomllib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from handset_fakes import ScriptedShell, Step
from planted_person import WHOLE, handset_of, person_of, told

from benchd.devices.android.dossier.dossier_files import LONGEST_ANSWER, Recording, prepare
from benchd.devices.android.dossier.dossier_store import MOST_KEPT, DossierShelf
from benchd.devices.android.dossier.folder import read_folder, write_folder
from benchd.devices.android.dossier.questionnaire import ask_everything
from benchd.devices.android.dossier.replay import replay
from benchd.devices.android.facts.fact_table import QUESTIONS
from benchd.domain.errors import HandsetGone, HandsetStalled, UsageRefused

PERSON = person_of(7)
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)

pytestmark = pytest.mark.asyncio


def shell_of(texts: Mapping[str, str]) -> ScriptedShell:
    return ScriptedShell({QUESTIONS[name]: text for name, text in texts.items()})


class Failing(ScriptedShell):
    """Fails at one question."""

    def __init__(self, at: str, failure: Exception) -> None:
        super().__init__({QUESTIONS[name]: text for name, text in WHOLE.items()})
        self._at, self._failure = QUESTIONS[at], failure

    def _answer(self, command: str) -> list[Step]:
        if command == self._at:
            raise self._failure
        return super()._answer(command)


async def test_every_question_is_put_by_itself_and_what_was_heard_is_not_asked_again() -> None:
    shell = shell_of(WHOLE)
    heard = told({"trust": "what it said then\n"})
    found = await ask_everything(shell, heard)
    assert found.told["trust"].text == "what it said then\n"
    assert set(found.told) == set(QUESTIONS)
    assert len(shell.commands) == len(QUESTIONS) - 1
    assert found.unanswered == {}


async def test_a_question_that_fails_hides_no_other_and_a_handset_that_goes_ends_it() -> None:
    found = await ask_everything(Failing("trust", HandsetStalled("no answer within 20 s")))
    assert found.unanswered == {"trust": "no answer within 20 s"}
    assert set(found.told) == set(QUESTIONS) - {"trust"}
    found = await ask_everything(Failing("users", HandsetGone("pulled")))
    assert "usage" in found.told
    assert found.unanswered["users"] == found.unanswered["nfc"] == "pulled"


async def test_what_is_kept_is_masked_and_for_nobody_else(tmp_path: Path) -> None:
    shelf = DossierShelf(tmp_path / "dossiers", now=lambda: NOW)
    texts = {name: one.text for name, one in handset_of(PERSON).items()} | {"trust": "other\n"}
    why = f"trust of {PERSON.serial} makes no sense"
    assert await shelf.keep("20261126-ab", shell_of(texts), {}, why) == "20261126-ab"
    folder = tmp_path / "dossiers" / "20261126-ab"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    everything = "".join(file.read_text() for file in folder.iterdir())
    assert not [value for value in (PERSON.serial, PERSON.mail, PERSON.user) if value in everything]
    (kept,) = await shelf.kept()
    assert (kept.name, kept.taken_at) == ("20261126-ab", "2026-11-26T09:00:00+00:00")
    assert kept.why.endswith("makes no sense")
    assert kept.path == str(folder)
    assert [one.command for one in replay(read_folder(folder)).refused] == ["trust"]


async def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    shelf = DossierShelf(tmp_path)
    for number in range(MOST_KEPT + 2):
        folder = tmp_path / f"job-{number:02}"
        write_folder(folder, {"dossier.toml": f'model = "{number}"\n'})
        os.utime(folder, ns=(number, number))
    await shelf.keep("newest", shell_of(WHOLE), {}, "")
    kept = [one.name for one in await shelf.kept()]
    assert len(kept) == MOST_KEPT
    assert kept[0] == "newest"
    assert "job-02" not in kept
    assert "job-03" in kept


async def test_what_cannot_be_written_or_was_never_said_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "dossiers").write_text("no folder")
    shelf = DossierShelf(tmp_path / "dossiers")
    assert await shelf.keep("job", shell_of(WHOLE), {}, "") is None
    (tmp_path / "empty").mkdir()
    gone = Failing("properties", HandsetGone("pulled"))
    assert await DossierShelf(tmp_path / "empty").keep("job", gone, {}, "") is None
    assert list((tmp_path / "empty").iterdir()) == []


async def test_the_description_is_toml_whatever_a_handset_says_and_names_what_is_left_out() -> None:
    answers = handset_of(PERSON) | told({"users": "Users:\n"})
    odd = f'"quoted"\n\x7f\\ [x] {PERSON.serial} \u2028'
    made = prepare(Recording(told=answers, unanswered={"nfc": odd}), taken_at=NOW, why=odd)
    description = tomllib.loads(made.files["dossier.toml"])
    assert description["taken_at"] == "2026-11-26T09:00:00+00:00"
    assert description["replaced"] == made.replaced
    assert PERSON.serial not in made.files["dossier.toml"]
    assert made.reads_otherwise == ()
    endless = Recording(told=told({"nfc": "x" * (LONGEST_ANSWER + 1), "setting": "1\n"}))
    made = prepare(endless, taken_at=NOW)
    assert set(made.files) == {"setting.txt", "dossier.toml"}
    assert "characters" in made.unanswered["nfc"]


async def test_a_folder_that_holds_something_is_never_written_to(tmp_path: Path) -> None:
    (tmp_path / "holiday.txt").write_text("sun\n")
    with pytest.raises(UsageRefused, match="something already"):
        write_folder(tmp_path, {"users.txt": "Users:\n"})
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.txt"]
