"""What looking at chips has shown, one slot a line, with what to do about it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from benchd.commands.tables.cells import Cells, JsonObject, nothing, part, parts, plain_table, text
from benchd.texts.catalogue import Catalogue, Language, printable
from benchd.words.chip import ChipVerdict

LONGEST_SERVICES = 200
LONGEST_DETAIL = 120


def chips_view(told: JsonObject, catalogue: Catalogue, language: Language) -> RenderableType:
    """What `benchd felica scan --json` tells, for a terminal."""
    cells = Cells(catalogue, language)
    table = plain_table()
    table.add_column(cells.say("word.slot"), no_wrap=True)
    table.add_column(cells.say("word.chip"), overflow="fold", min_width=16)
    table.add_column(cells.say("word.services"), overflow="fold", min_width=8)
    table.add_column(cells.say("word.what_to_do"), overflow="fold", min_width=20)
    for slot in parts(told, "slots"):
        guidance = part(slot, "text")
        says = cells.says(guidance)
        # Green is for what is proven, which a look at a chip never is.
        says.stylize("bold" if slot.get("verdict") == ChipVerdict.UNUSED else "bold red")
        table.add_row(
            text(slot, "slot"),
            Group(says, _detail(slot)),
            _services(slot, language),
            Group(*cells.what_to_do(guidance)),
            end_section=True,
        )
    return table


def _detail(slot: JsonObject) -> Text:
    """What the reader itself says, in English, for whoever is asked for help."""
    return Text(text(slot, "detail", longest=LONGEST_DETAIL).plain, style="dim")


def _services(slot: JsonObject, language: Language) -> Text:
    names = slot.get(f"owners_{language}")
    if not isinstance(names, Sequence) or isinstance(names, str) or not names:
        return nothing()
    between = "、" if language == "ja" else ", "
    return Text(printable(between.join(str(name) for name in names), LONGEST_SERVICES))
