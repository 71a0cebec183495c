"""Keeps the lists of wanted handsets as their files are, without a reload."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import anyio
import structlog
from anyio import to_thread

from benchd.config.watch_lists import renew
from benchd.domain.errors import ListRefused
from benchd.domain.slot import ProblemCode, ProblemView
from benchd.pipelines.recipe import Recipe
from benchd.pipelines.stages.gates import GatesStage
from benchd.proof.watch_list import WatchList
from benchd.slots.board import RackBoard

LOOK_EVERY_S = 15.0

_log = structlog.get_logger()


class ListWatch:
    """Looks whether a list has changed; what can't be used is told, on the wall too."""

    def __init__(self, recipes: Callable[[], Mapping[str, Recipe]], board: RackBoard) -> None:
        """Take where the recipes of now are found, and where problems are shown."""
        self._recipes = recipes
        self._board = board
        self._refused: set[str] = set()
        self._limiter = anyio.CapacityLimiter(1)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await anyio.sleep(LOOK_EVERY_S)

    async def look(self) -> None:
        """Look once at each list of each recipe."""
        refused: set[str] = set()
        for watched in lists_of(self._recipes()):
            try:
                changed = await to_thread.run_sync(renew, watched, limiter=self._limiter)
            except ListRefused as refusal:
                refused.add(str(refusal))
                if str(refusal) not in self._refused:
                    _log.error("watch_list_refused", detail=str(refusal), kept="the former one")
                continue
            if changed:
                wanted = watched.wanted
                _log.info("watch_list_renewed", entries=len(wanted.imeis), sha256=wanted.sha256)
        self._refused = refused
        if refused:
            self._board.show_notice(ProblemView(code=ProblemCode.WATCH_LIST_REFUSED))
        else:
            self._board.withdraw_notice(ProblemCode.WATCH_LIST_REFUSED)


def lists_of(recipes: Mapping[str, Recipe]) -> Iterable[WatchList]:
    """Every list that a recipe looks into."""
    for recipe in recipes.values():
        for spec in recipe.stages:
            if isinstance(spec.stage, GatesStage) and spec.stage.watch_list is not None:
                yield spec.stage.watch_list
