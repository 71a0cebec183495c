"""What people have to do on the rack, with how, and below it every slot at a glance."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from benchd.cli.tables.queue_table import proven_slots, queue_view
from benchd.cli.tables.table_cells import (
    Cells,
    part,
    plain_table,
    progress,
    seconds,
    text,
)
from benchd.domain.ids import JsonObject
from benchd.domain.plain_text import Language
from benchd.texts.catalogue import Catalogue

LONGEST_NAME = 16
"""Of a model or a serial in the overview; the whole of it stands in the question."""


def status_view(rack: JsonObject, catalogue: Catalogue, language: Language) -> RenderableType:
    """What `/api/v1/slots` tells, and under `queue` what `/api/v1/queue` does, for a terminal."""
    return _StatusView(Cells(catalogue, language)).of(
        rack, queue_view(part(rack, "queue"), catalogue, language)
    )


class _StatusView:
    def __init__(self, cells: Cells) -> None:
        self._cells = cells

    def of(self, rack: JsonObject, queue: RenderableType) -> RenderableType:
        slots = proven_slots(rack)
        overview = self._overview(slots) if slots else Text(self._cells.say("word.no_slots"))
        ends = Table.grid(padding=(0, 2, 0, 0))
        ends.add_column(no_wrap=True, style="bold")
        ends.add_column(overflow="fold")
        for slot in slots:
            if told := self._end(slot):
                ends.add_row(text(slot, "slot"), Group(*told))
        return Group(queue, Text(), overview, *([Text(), ends] if ends.row_count else []))

    def _end(self, slot: JsonObject) -> list[Text]:
        """What a reason means for the handset, beyond where it's carried; and its dossier."""
        reason = part(slot, "reason_text")
        advice = [self._cells.says(reason), *self._cells.what_to_do(reason)] if reason else []
        return [*advice, *self._cells.dossier(slot)]

    def _overview(self, slots: list[JsonObject]) -> RenderableType:
        table = plain_table()
        for word in ("word.slot", "word.state"):
            table.add_column(self._cells.say(word), no_wrap=True)
        table.add_column(self._cells.say("word.stage"), overflow="fold", min_width=12)
        table.add_column(self._cells.say("word.progress"), no_wrap=True)
        table.add_column(self._cells.say("word.remaining"), no_wrap=True, justify="right")
        table.add_column(self._cells.say("word.handset"), overflow="fold", min_width=8)
        for slot in slots:
            left = slot.get("handset_left_s")
            table.add_row(
                text(slot, "slot"),
                self._cells.state(slot),
                self._matter(slot),
                progress(slot),
                seconds(slot.get("eta_s") if left is None else left),
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
        if part(slot, "absence").get("planned") is True:
            return Text(self._cells.say("say.leave_it_in"))
        return self._cells.stage(slot)
