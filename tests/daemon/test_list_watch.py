"""A list of wanted handsets counts as its file is now, and what can't be used is told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BeforeValidator, ConfigDict, TypeAdapter
from structlog.testing import capture_logs

from benchd.config.watch_lists import watch_list
from benchd.daemon.list_watch import ListWatch, lists_of
from benchd.domain.slot import ProblemCode
from benchd.pipelines.recipe import Recipe
from benchd.pipelines.stages.gates import GatesStage
from benchd.proof.watch_list import WatchList
from benchd.slots.board import RackBoard
from benchd.texts.catalogue import Catalogue
from tests.core.world import make_recipe

pytestmark = pytest.mark.asyncio

ONE, OTHER = "356938035643809", "490154203237518"


def listed(file: Path) -> WatchList:
    """As a recipe that names the file has it."""
    read = Annotated[WatchList | None, BeforeValidator(watch_list)]
    adapter: TypeAdapter[WatchList | None] = TypeAdapter(
        read, config=ConfigDict(arbitrary_types_allowed=True)
    )
    found = adapter.validate_python(str(file))
    assert found is not None
    return found


class Shop:
    """A rack whose only recipe looks into one list."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "wanted.txt"
        self.write(f"{ONE}\n")
        self.listed = listed(self.file)
        recipe = make_recipe(gates=GatesStage(watch_list=self.listed))
        self.recipes: dict[str, Recipe] = {"overwrite": recipe}
        self.board = RackBoard()
        self.watch = ListWatch(lambda: self.recipes, self.board)
        self.logged: list[str] = []

    def write(self, text: str) -> None:
        """As an editor does: a new file under the old name."""
        fresh = self.file.with_suffix(".new")
        fresh.write_text(text)
        fresh.replace(self.file)

    async def look(self) -> list[ProblemCode]:
        with capture_logs() as logs:
            await self.watch.look()
        self.logged = [str(one["event"]) for one in logs]
        return [view.code for view in self.board.notices()]


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


async def test_a_changed_file_counts_without_a_reload(shop: Shop) -> None:
    assert await shop.look() == []
    assert shop.logged == []
    shop.write(f"{ONE}\n{OTHER}\n")
    assert await shop.look() == []
    assert shop.logged == ["watch_list_renewed"]
    assert shop.listed.wanted.imeis == {ONE, OTHER}
    assert [one.wanted.sha256 for one in lists_of(shop.recipes)] == [shop.listed.wanted.sha256]


async def test_a_change_within_one_second_and_of_one_length_is_seen(shop: Shop) -> None:
    before = shop.file.stat()
    with shop.file.open("r+") as file:
        file.write(OTHER)
    os.utime(shop.file, ns=(before.st_atime_ns, before.st_mtime_ns))
    await shop.look()
    assert shop.listed.wanted.imeis == {OTHER}


@pytest.mark.parametrize("wrong", ["half a li", "gone", "folder"])
async def test_what_cannot_be_used_is_told_once_and_the_former_stays(
    shop: Shop, wrong: str
) -> None:
    if wrong == "half a li":
        shop.write(f"{ONE}\n{OTHER[:9]}")
    else:
        shop.file.unlink()
    if wrong == "folder":
        shop.file.mkdir()
    assert await shop.look() == [ProblemCode.WATCH_LIST_REFUSED]
    assert shop.logged == ["watch_list_refused"]
    assert shop.listed.wanted.imeis == {ONE}
    assert await shop.look() == [ProblemCode.WATCH_LIST_REFUSED]
    assert shop.logged == []
    says = Catalogue.load().problem(shop.board.notices()[0])
    assert "journalctl -u benchd" in says.what_to_do.ja
    if wrong == "folder":
        shop.file.rmdir()
    shop.write(f"{OTHER}\n")
    assert await shop.look() == []
    assert shop.listed.wanted.imeis == {OTHER}


async def test_another_recipe_after_a_reload_is_looked_after(shop: Shop, tmp_path: Path) -> None:
    shop.write("broken")
    assert await shop.look() == [ProblemCode.WATCH_LIST_REFUSED]
    shop.recipes = {"overwrite": make_recipe(gates=GatesStage())}
    assert await shop.look() == []
