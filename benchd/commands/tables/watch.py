"""`benchd watch`: the rack on the terminal, live, until somebody presses Ctrl+C."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from benchd.commands.tables.cells import JsonObject, parts
from benchd.commands.tables.show import never_fail_on_a_letter
from benchd.commands.tables.status import status_view
from benchd.errors import DependencyMissing
from benchd.texts.catalogue import Catalogue, Language, PageWord, Word, language_of
from benchd.words.slot_states import NEEDS_A_PERSON

LOOK_EVERY_S = 0.5
BUSY = frozenset({"settling", "running", "replugging"})

Read = Callable[[], JsonObject]


def watch_status(
    read: Read, *, console: Console | None = None, pause: Callable[[float], None] = time.sleep
) -> None:
    """Show what `read` tells, again and again; a daemon that is away is said and waited for."""
    never_fail_on_a_letter()
    screen = console or Console()
    catalogue, language = Catalogue.load(), language_of(os.environ)
    # On a terminal the whole screen, which is given back; into a file one look after another.
    with (
        suppress(KeyboardInterrupt),
        Live(console=screen, screen=screen.is_terminal, auto_refresh=False) as live,
    ):
        while True:
            live.update(_look(read, catalogue, language), refresh=True)
            pause(LOOK_EVERY_S)


def _look(read: Read, catalogue: Catalogue, language: Language) -> RenderableType:
    try:
        rack = read()
    except DependencyMissing:
        # Nothing old is left on the screen: a stale "sellable" would be worse than none.
        title = catalogue.page(PageWord.UNREACHABLE).to(language)
        return Text(title, style="bold white on red")
    return Group(_summary(rack, catalogue, language), status_view(rack, catalogue, language))


def _summary(rack: JsonObject, catalogue: Catalogue, language: Language) -> Text:
    """The same numbers as the dashboard's, those who need a person first."""
    states = [str(slot.get("state")) for slot in parts(rack, "slots")]
    people = sum(state in NEEDS_A_PERSON for state in states) + len(parts(rack, "unknown_ports"))
    counts = (
        (catalogue.word(Word.ATTENTION), people, "bold black on yellow" if people else "dim"),
        (catalogue.page(PageWord.BUSY), sum(state in BUSY for state in states), "cyan"),
        (catalogue.page(PageWord.FINISHED), states.count("finished"), ""),
        (catalogue.page(PageWord.FREE), states.count("empty"), "dim"),
    )
    line = Text(f"benchd {datetime.now().astimezone():%H:%M:%S}  ")
    for name, count, style in counts:
        line.append(f" {name.to(language)} {count} ", style=style).append(" ")
    return line.append("\n")
