"""What a person has to do next over the whole rack, the most urgent first."""

from __future__ import annotations

import shlex

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchd.cli.tables.table_cells import (
    DISPOSITION_STYLE,
    Cells,
    instant,
    part,
    parts,
    seconds,
    text,
)
from benchd.domain.errand import ErrandKind
from benchd.domain.ids import JsonObject, JsonValue
from benchd.domain.job import Disposition
from benchd.domain.plain_text import Language, printable
from benchd.texts.catalogue import Catalogue

LONGEST_SLOT = 12
URGENT = frozenset({"replug", "tray"})
"""A handset that isn't erased is away from its slot: nothing comes before it."""


def queue_view(queue: JsonObject, catalogue: Catalogue, language: Language) -> RenderableType:
    """What `/api/v1/queue` tells, for a terminal: each errand with how it is done."""
    cells = Cells(catalogue, language)
    errands = parts(queue, "errands")
    told: list[RenderableType] = [heading(queue, cells)]
    if errands:
        told.append(errands_table(queue, errands, cells, detailed=len(errands)))
    return Group(*told)


def proven_slots(rack: JsonObject) -> list[JsonObject]:
    """The slots; only those say sellable whose handset the queue sends there.

    The queue goes by the certificate on record, the slot by what its job has said.
    """
    sold = {
        (errand.get("slot"), errand.get("job"))
        for errand in parts(part(rack, "queue"), "errands")
        if errand.get("bin") == Disposition.SELLABLE
    }
    return [
        {**slot, "disposition": None}
        if slot.get("disposition") == Disposition.SELLABLE
        and (slot.get("slot"), slot.get("job")) not in sold
        else slot
        for slot in parts(rack, "slots")
    ]


def heading(queue: JsonObject, cells: Cells) -> Text:
    """How much there is to do, and how many handsets lie in each bin."""
    errands = parts(queue, "errands")
    if errands:
        head = Text.assemble((f"{cells.say('say.next')} {len(errands)}", "bold underline"))
    else:
        head = Text(cells.say("say.nothing_to_do"), style="dim")
    bins = part(queue, "bins")
    for disposition in Disposition:
        count = bins.get(disposition)
        if isinstance(count, int) and not isinstance(count, bool):
            told = cells.disposition({"disposition": disposition}).append(f" {count}")
            head.append("   ").append_text(told if count else Text(told.plain, style="dim"))
    return head


def errands_table(
    queue: JsonObject, errands: list[JsonObject], cells: Cells, *, detailed: int
) -> Table:
    """A line for each errand; below each of the first ones how it is done."""
    table = Table.grid(padding=(0, 2, 0, 0), expand=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    table.add_column(no_wrap=True, justify="right")
    for number, errand in enumerate(errands):
        whole = number < detailed
        lines = [_what(errand, cells, whole=whole), *(_how(errand, cells) if whole else ())]
        table.add_row(_slot(errand), Group(*lines), _time(queue, errand, cells))
    return table


def _slot(errand: JsonObject) -> Text:
    if errand.get("slot") is None:
        return Text("?" if errand.get("kind") == "port" else "!")
    return text(errand, "slot", longest=LONGEST_SLOT)


def _what(errand: JsonObject, cells: Cells, *, whole: bool) -> Text:
    """A question is one line by its gate's name where there is no room for how it's answered."""
    said = cells.says(errand) if whole or errand.get("gate") is None else cells.gate(errand)
    place = text(part(errand, "directed"), "place")
    if place.plain:
        said.append(" → ").append_text(place)
    if errand.get("kind") in URGENT:
        said.stylize("bold red")
    else:
        said.stylize(DISPOSITION_STYLE.get(str(errand.get("bin")), "bold"))
    return said


def _how(errand: JsonObject, cells: Cells) -> list[Text]:
    return [*cells.what_to_do(errand), *decide_command(errand, errand.get("gate"))]


def _time(queue: JsonObject, errand: JsonObject, cells: Cells) -> Text:
    """Until when it has to be done, else since when it waits; by the rack's own clock."""
    now = instant(queue, "now")
    if now is None:
        return Text()
    deadline = instant(errand, "deadline") if errand.get("kind") == ErrandKind.REPLUG else None
    if deadline is not None:
        left = max((deadline - now).total_seconds(), 0.0)
        return Text(cells.say("say.left", value=seconds(left).plain), style="bold red")
    if (since := instant(errand, "since")) is not None:
        waited = max((now - since).total_seconds(), 0.0)
        return Text(cells.say("say.for", value=seconds(waited).plain), style="dim")
    return Text()


def question_view(slot: JsonObject, catalogue: Catalogue, language: Language) -> RenderableType:
    """Slot, handset, question and how to find the answer."""
    cells = Cells(catalogue, language)
    question = part(slot, "question")
    head = Text.assemble((text(slot, "slot").plain, "bold"), "  ", cells.handset(slot))
    said = cells.says(question)
    said.stylize("bold")
    return Group(head, said, *cells.what_to_do(question))


def decide_command(job: JsonObject, gate: JsonValue) -> list[Text]:
    """A line for the shell that asks for the answer: pasting it never says yes by itself.

    None where the job isn't told to whoever looks.
    """
    words = [printable(word) for word in (job.get("job"), gate) if isinstance(word, str)]
    if len(words) < 2 or not all(words):
        return []
    # Nothing that comes from outside is ever an option.
    end = ["--"] if any(word.startswith("-") for word in words) else []
    line = shlex.join(["benchd", "decide", *end, *words])
    return [Text(line, style="cyan", no_wrap=True, overflow="ignore")]
