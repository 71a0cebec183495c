"""The rack at a glance, and below it what each slot wants from a person."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchd.commands.tables.cells import (
    Cells,
    JsonObject,
    part,
    parts,
    plain_table,
    progress,
    seconds,
    text,
)
from benchd.commands.tables.questions import decide_command
from benchd.texts.catalogue import Catalogue, Language, Word
from benchd.words.job import Disposition

LONGEST_NAME = 16
"""Of a model or a serial in the overview; the whole of it stands in the question."""


def status_view(rack: JsonObject, catalogue: Catalogue, language: Language) -> RenderableType:
    """What `/api/v1/slots` tells, for a terminal."""
    return _StatusView(Cells(catalogue, language)).of(rack)


class _StatusView:
    def __init__(self, cells: Cells) -> None:
        self._cells = cells

    def of(self, rack: JsonObject) -> RenderableType:
        slots = parts(rack, "slots")
        overview = self._overview(slots) if slots else Text(self._cells.word(Word.NO_SLOTS))
        wishes = Table.grid(padding=(0, 2, 0, 0))
        wishes.add_column(no_wrap=True, style="bold")
        wishes.add_column(overflow="fold")
        for notice in parts(rack, "notices"):
            wishes.add_row("!", Group(*self._advice(notice)))
        for slot in slots:
            if wish := self._wish(slot):
                wishes.add_row(text(slot, "slot"), Group(*wish))
        for port in parts(rack, "unknown_ports"):
            wishes.add_row("?", Group(*self._advice(part(port, "problem"))))
        if not wishes.row_count:
            return overview
        heading = Text(f"\n{self._cells.word(Word.ATTENTION)}", style="bold underline")
        return Group(overview, heading, wishes)

    def _overview(self, slots: list[JsonObject]) -> RenderableType:
        table = plain_table()
        for word in (Word.SLOT, Word.STATE):
            table.add_column(self._cells.word(word), no_wrap=True)
        table.add_column(self._cells.word(Word.STAGE), overflow="fold", min_width=12)
        table.add_column(self._cells.word(Word.PROGRESS), no_wrap=True)
        table.add_column(self._cells.word(Word.REMAINING), no_wrap=True, justify="right")
        table.add_column(self._cells.word(Word.HANDSET), overflow="fold", min_width=8)
        for slot in slots:
            table.add_row(
                text(slot, "slot"),
                self._cells.state(slot),
                self._matter(slot),
                progress(slot),
                seconds(slot.get("eta_s")),
                self._cells.handset(slot, longest=LONGEST_NAME),
            )
        return table

    def _matter(self, slot: JsonObject) -> Text:
        """What counts now: the problem, the question, the end, or else the stage."""
        problem, question = part(slot, "problem"), part(slot, "question")
        if problem:
            return self._cells.says(problem)
        if question:
            return self._cells.gate(question)
        if slot.get("disposition") is not None:
            return self._cells.result(slot)
        return self._cells.stage(slot)

    def _wish(self, slot: JsonObject) -> list[Text]:
        question = part(slot, "question")
        wish = [*self._advice(part(slot, "problem")), *self._advice(question)]
        if question:
            wish += decide_command(slot, question.get("gate"))
        if slot.get("disposition") != Disposition.SELLABLE:
            wish += self._advice(part(slot, "reason_text"))
            wish += self._cells.dossier(slot)
        return wish

    def _advice(self, guidance: JsonObject) -> list[Text]:
        if not guidance:
            return []
        said = self._cells.says(guidance)
        said.stylize("bold")
        return [said, *self._cells.what_to_do(guidance)]
