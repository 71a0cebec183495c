"""Handsets across their jobs, what becomes of them, and the report."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchd.cli.tables.table_cells import (
    LONGEST_SENTENCE,
    Cells,
    moment,
    nothing,
    part,
    parts,
    plain_table,
    text,
)
from benchd.domain.ids import JsonObject, JsonValue
from benchd.domain.plain_text import Language, printable
from benchd.texts.catalogue import Catalogue

TIMES = ("word.opened", "word.ended", "word.since", "word.at")


def found_view(told: JsonObject, catalogue: Catalogue, language: Language) -> RenderableType:
    """What `/api/v1/handsets?find=` tells, for a terminal."""
    cells = Cells(catalogue, language)
    handsets = parts(told, "handsets")
    if not handsets:
        return Text(cells.say("word.nothing_found"))
    table = _table(cells, "word.job", "word.handset", "word.opened", "word.result", "word.became")
    for handset in handsets:
        newest = part(handset, "newest")
        table.add_row(
            text(handset, "key"),
            _named(newest),
            moment(newest, "opened_at"),
            cells.result(newest),
            cells.disposal_state(newest),
        )
    if told.get("more") is True:
        return Group(table, Text(cells.say("word.more_found"), style="yellow"))
    return table


def handset_file_view(told: JsonObject, catalogue: Catalogue, language: Language) -> RenderableType:
    """What `/api/v1/handsets/{key}` tells, for a terminal."""
    cells = Cells(catalogue, language)
    jobs = _table(
        cells, "word.job", "word.handset", "word.opened", "word.ended", "word.result", "word.became"
    )
    for job in parts(told, "jobs"):
        jobs.add_row(
            text(job, "job"),
            _named(job),
            moment(job, "opened_at"),
            moment(job, "ended_at"),
            cells.result(job),
            cells.disposal_state(job),
        )
    shown: list[RenderableType] = [jobs]
    if settled := parts(told, "settled"):
        shown += [Text(), _settled(cells, settled)]
    perhaps = told.get("perhaps")
    if isinstance(perhaps, list) and perhaps:
        shown += [Text(), Text(cells.say("word.perhaps_same"), style="yellow")]
        shown += [Text(printable(str(key))) for key in perhaps]
    return Group(*shown)


def disposal_view(told: JsonObject, catalogue: Catalogue, language: Language) -> RenderableType:
    """What `/api/v1/disposal` tells, for a terminal."""
    cells = Cells(catalogue, language)
    items = parts(told, "items")
    if not items:
        return Text(cells.say("word.nothing_open"))
    table = _table(
        cells, "word.job", "word.handset", "word.became", "word.since", "word.reason", "word.papers"
    )
    for item in items:
        job = part(item, "job")
        table.add_row(
            text(job, "job"),
            _named(job),
            cells.disposal_state(job),
            moment(job, "since"),
            cells.reason(job),
            _papers(part(item, "settled")),
        )
    return table


def _settled(cells: Cells, settled: list[JsonObject]) -> Table:
    table = _table(
        cells, "word.at", "word.job", "word.became", "word.operator", "word.papers", "word.note"
    )
    for one in settled:
        table.add_row(
            moment(one, "at"),
            text(one, "job"),
            cells.disposal_state(one),
            text(one, "name"),
            _papers(one),
            text(one, "note", longest=LONGEST_SENTENCE),
        )
    return table


def _table(cells: Cells, *keys: str) -> Table:
    table = plain_table()
    for key in keys:
        table.add_column(cells.times(key) if key in TIMES else cells.say(key), overflow="fold")
    return table


def _named(job: JsonObject) -> Text:
    """Model, serial and IMEI: what a person compares with the handset in hand."""
    imeis = job.get("imeis")
    told = [job.get("model"), job.get("serial") or job.get("usb_serial")]
    return _in_one(told + (imeis if isinstance(imeis, list) else []))


def _papers(settled: JsonObject) -> Text:
    return _in_one([settled.get(key) for key in ("recycler", "number", "batch")])


def _in_one(told: list[JsonValue]) -> Text:
    """What of these is told, in one cell."""
    words = [printable(word) for word in told if isinstance(word, str) and word]
    return Text(" ".join(words)) if words else nothing()
