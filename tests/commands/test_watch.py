from __future__ import annotations

from io import StringIO

import pytest
from rich.console import Console

from benchd.commands.tables import watch_status
from benchd.commands.tables.cells import JsonObject
from benchd.errors import DependencyMissing
from benchd.texts.catalogue import Catalogue
from benchd.web.present import Presenter
from benchd.words.ids import SlotName
from benchd.words.slot import SlotView
from tests.web.web_fakes import A1, asking_view, port, running_view


def rack_of(catalogue: Catalogue, *views: SlotView) -> JsonObject:
    slots = [Presenter(catalogue).slot(view).model_dump(mode="json") for view in views]
    return {"slots": slots, "unknown_ports": []}


def watched(looks: list[JsonObject | DependencyMissing]) -> str:
    """All that is shown until the looks run out, which is when somebody presses Ctrl+C."""

    def read() -> JsonObject:
        look = looks.pop(0)
        if isinstance(look, DependencyMissing):
            raise look
        return look

    def pause(_: float) -> None:
        if not looks:
            raise KeyboardInterrupt

    output = StringIO()
    watch_status(read, console=Console(file=output, width=110, force_terminal=True), pause=pause)
    return output.getvalue()


def test_watch_follows_progress_and_says_who_is_needed(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    told = watched(
        [
            rack_of(catalogue, running_view(0.25)),
            rack_of(catalogue, running_view(0.629), asking_view(SlotName("A2"), 2)),
            rack_of(catalogue, SlotView(slot=A1, port_path=port(1))),
        ]
    )
    for part in (
        "25%",
        "62%",
        "3:12",
        "上書き",
        "要対応 1",
        "処理中 1",
        "別担当者による確認",
        "空き 1",
    ):
        assert part in told


def test_a_daemon_that_is_away_leaves_nothing_old_on_the_screen(
    catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "ja_JP.UTF-8")
    told = watched([rack_of(catalogue, running_view()), DependencyMissing("gone", cure="wait")])
    after = told[told.index("benchd に接続できません") :]
    assert "SO-51B" not in after


def test_ctrl_c_while_it_reads_ends_it_quietly() -> None:
    def read() -> JsonObject:
        raise KeyboardInterrupt

    watch_status(read, console=Console(file=StringIO()))
