"""The report, as a whole and by consignor and lot."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchd.cli.tables.table_cells import (
    LONGEST_SENTENCE,
    Cells,
    part,
    parts,
    plain_table,
    text,
)
from benchd.domain.ids import JsonObject
from benchd.domain.plain_text import Language
from benchd.texts.catalogue import Catalogue


def report_view(told: JsonObject, catalogue: Catalogue, language: Language) -> RenderableType:
    """What `/api/v1/report` tells, for a terminal."""
    cells = Cells(catalogue, language)
    table = plain_table()
    for word in ("word.figure", "word.result"):
        table.add_column(cells.say(word), overflow="fold")
    table.add_column(cells.say("word.count"), justify="right", no_wrap=True)
    for figure in parts(told, "figures"):
        name = text(part(figure, "text"), language)
        for value in parts(figure, "values"):
            said = text(value, language, longest=LONGEST_SENTENCE)
            table.add_row(name, said, str(value.get("handsets")))
            name = Text()
    shown: list[RenderableType] = [table]
    for key, columns in (
        ("consignors", {"consignor": "word.consignor"}),
        ("lots", {"lot": "word.lot", "consignor": "word.consignor"}),
    ):
        if shares := parts(told, key):
            shown += [Text(), _shares(cells, shares, columns)]
    if attended := parts(told, "attended"):
        shown += [Text(), _attended(cells, attended)]
    return Group(*shown)


def _shares(cells: Cells, shares: list[JsonObject], columns: dict[str, str]) -> Table:
    """A line for each, with all of its figures."""
    table = plain_table()
    for word in columns.values():
        table.add_column(cells.say(word), overflow="fold")
    for figure in parts(shares[0], "figures"):
        table.add_column(text(part(figure, "text"), cells.language), overflow="fold")
    for share in shares:
        names = [text(share, key, longest=LONGEST_SENTENCE) for key in columns]
        table.add_row(*names, *(_values(cells, figure) for figure in parts(share, "figures")))
    return table


def _attended(cells: Cells, attended: list[JsonObject]) -> Table:
    """Where people's time went, in minutes."""
    table = plain_table()
    table.title, table.title_justify = cells.say("attended.title"), "left"
    table.add_column(cells.say("attended.step"), overflow="fold")
    for word in ("word.count", "attended.minutes", "attended.each", "attended.breaks"):
        table.add_column(cells.say(word), justify="right")
    for one in attended:
        table.add_row(
            text(one, cells.language, longest=LONGEST_SENTENCE),
            str(one.get("handsets")),
            *(f"{float(str(one.get(key))) / 60:.1f}" for key in ("seconds", "seconds_each")),
            str(one.get("breaks")),
        )
    return table


def _values(cells: Cells, figure: JsonObject) -> Text:
    lines = Text("\n").join(
        Text.assemble(
            text(value, cells.language, longest=LONGEST_SENTENCE), f" {value.get('handsets')}"
        )
        for value in parts(figure, "values")
    )
    return lines or Text("-", style="dim")
