"""An open question, whole, and the command that answers it."""

from __future__ import annotations

import shlex

from rich.console import Group, RenderableType
from rich.text import Text

from benchd.commands.tables.cells import Cells, JsonObject, part, text
from benchd.texts.catalogue import Catalogue, Language, printable
from benchd.words.ids import JsonValue


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
