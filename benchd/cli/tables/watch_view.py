"""`benchd watch`: queue and rack on the terminal, live, until somebody presses Ctrl+C."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from benchd.cli.tables import never_fail_on_a_letter
from benchd.cli.tables.queue_table import errands_table, heading, proven_slots
from benchd.cli.tables.rack_short import fewest_lines, rack_short, waits_for_a_person
from benchd.cli.tables.table_cells import Cells, part, parts
from benchd.domain.errand import ErrandKind
from benchd.domain.errors import BenchdError
from benchd.domain.ids import JsonObject
from benchd.domain.plain_text import Language, printable
from benchd.texts.catalogue import Catalogue
from benchd.texts.failures import failure_text
from benchd.texts.locale_language import language_of

LOOK_EVERY_S = 0.5
BUSY = frozenset({"settling", "running", "replugging"})
LONGEST_LINE = 400
ENOUGH = 4
"""Errands are worth more than how the first of them is done."""

Read = Callable[[], JsonObject]


def watch_status(
    read: Read, *, console: Console | None = None, pause: Callable[[float], None] = time.sleep
) -> None:
    """Show what `read` tells, again and again; a daemon that is away is said and waited for."""
    never_fail_on_a_letter()
    screen = console or Console()
    catalogue, language = Catalogue.load(checked=False), language_of(os.environ)
    # On a terminal the whole screen, which is given back; into a file one look after another.
    with (
        suppress(KeyboardInterrupt),
        Live(console=screen, screen=screen.is_terminal, auto_refresh=False) as live,
    ):
        while True:
            live.update(_look(read, screen, catalogue, language), refresh=True)
            pause(LOOK_EVERY_S)


def watch_view(
    rack: JsonObject, console: Console, catalogue: Catalogue, language: Language
) -> RenderableType:
    """Numbers, the queue, and every slot in short, in no more lines than the terminal has."""
    cells = Cells(catalogue, language)
    queue, slots, width = part(rack, "queue"), proven_slots(rack), console.size.width
    top = Group(_summary(rack, catalogue, language), heading(queue, cells))
    if not console.is_terminal:
        below = rack_short(slots, cells, width=width, height=None)
        return Group(top, _queue(queue, cells, console, None), Text(), below)
    room = max(console.size.height - _lines(console, top) - 1, 0)
    # How an errand is done gives way to the slots, the errands themselves to half of them.
    wanted = max(room - fewest_lines(slots, cells, width), room // 2)
    shown = _queue(queue, cells, console, wanted)
    room = max(room - _lines(console, shown), 0)
    return Group(top, shown, Text(), rack_short(slots, cells, width=width, height=room))


def _look(read: Read, console: Console, catalogue: Catalogue, language: Language) -> RenderableType:
    try:
        rack = read()
    except BenchdError as error:
        # Nothing old is left on the screen: a stale "sellable" would be worse than none.
        title = catalogue.text("page.unreachable").to(language)
        waits = Cells(catalogue, language).say("say.waiting_for_daemon")
        why = failure_text(error, catalogue, language).splitlines()
        return Group(
            Text(title, style="bold white on red"),
            Text(waits, style="bold"),
            Text(),
            *(Text(printable(line, LONGEST_LINE)) for line in why),
        )
    return watch_view(rack, console, catalogue, language)


def _queue(queue: JsonObject, cells: Cells, console: Console, room: int | None) -> RenderableType:
    """As many errands as there is room for, and how the first ones are done."""
    errands = parts(queue, "errands")

    def table(number: int, detailed: int) -> RenderableType:
        shown = errands_table(queue, errands[:number], cells, detailed=detailed)
        return _with_more(shown, len(errands) - number, cells)

    def fits(number: int, detailed: int) -> bool:
        return room is None or _lines(console, table(number, detailed)) <= room

    def most(detailed: int) -> int:
        # Each has a line at least; from the first on, since a long queue has many that don't fit.
        number = 0
        while number < len(errands) and fits(number + 1, detailed):
            number += 1
        return number

    if not errands:
        return Group()
    detailed, number = 1, most(1)
    if number < min(len(errands), ENOUGH):
        detailed, number = 0, most(0)
    while number == len(errands) > detailed and fits(number, detailed + 1):
        detailed += 1
    return table(number, detailed)


def _with_more(table: RenderableType, more: int, cells: Cells) -> RenderableType:
    if not more:
        return table
    return Group(table, Text(cells.say("say.more_to_do", count=str(more)), style="bold yellow"))


def _lines(console: Console, what: RenderableType) -> int:
    return len(console.render_lines(what, pad=False))


def _summary(rack: JsonObject, catalogue: Catalogue, language: Language) -> Text:
    """The same numbers as the dashboard's, those who need a person first."""
    slots = parts(rack, "slots")
    states = [str(slot.get("state")) for slot in slots]
    busy = sum(
        (slot.get("state") in BUSY or slot.get("mends_itself") is True)
        and not waits_for_a_person(slot)
        for slot in slots
    )
    # What is done and only has to be carried away calls nobody.
    errands = parts(part(rack, "queue"), "errands")
    people = sum(errand.get("kind") != ErrandKind.CARRY for errand in errands)
    counts = (
        (catalogue.text("word.attention"), people, "bold black on yellow" if people else "dim"),
        (catalogue.text("page.busy"), busy, "cyan"),
        (catalogue.text("page.finished"), states.count("finished"), ""),
        (catalogue.text("page.free"), states.count("empty"), "dim"),
    )
    line = Text(f"benchd {datetime.now().astimezone():%H:%M:%S %:z}  ")
    for name, count, style in counts:
        line.append(f" {name.to(language)} {count} ", style=style).append(" ")
    return line
