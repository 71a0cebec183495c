"""The list of jobs, and the story of one: what an operator reads when a job has failed."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from benchd.cli.tables.table_cells import (
    LONGEST_SENTENCE,
    Cells,
    duration,
    handset,
    moment,
    part,
    parts,
    plain_table,
    text,
)
from benchd.domain.ids import JsonObject
from benchd.domain.job import Disposition, Outcome
from benchd.domain.plain_text import Language
from benchd.texts.catalogue import Catalogue

LONGEST_NAME = 16
"""Of a model or a serial in the list; the whole of it stands in the story."""
ROOMY = 100
"""Columns of a terminal on which a job's facts stand in one line beside its result."""


def jobs_view(jobs: JsonObject, catalogue: Catalogue, language: Language) -> RenderableType:
    """What `/api/v1/jobs` tells, for a terminal."""
    cells = Cells(catalogue, language)
    listed = parts(jobs, "jobs")
    if not listed:
        return Text(cells.say("word.no_jobs"))
    return _JobsTable(listed, cells)


class _JobsTable:
    """Only the result is ever broken: a number in two pieces is no number."""

    def __init__(self, listed: list[JsonObject], cells: Cells) -> None:
        self._listed = listed
        self._cells = cells

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        del console
        between = " " if options.max_width >= ROOMY else "\n"
        table = plain_table()
        for word in ("word.job", "word.slot"):
            table.add_column(self._cells.say(word), no_wrap=True)
        table.add_column(self._cells.times("word.opened", between), no_wrap=True)
        table.add_column(self._cells.say("word.duration"), no_wrap=True, justify="right")
        table.add_column(self._cells.say("word.handset"), no_wrap=True)
        table.add_column(self._cells.say("word.result"), overflow="fold", min_width=8)
        for job in self._listed:
            table.add_row(
                text(job, "job"),
                text(job, "slot"),
                Text(between).join(moment(job, "opened_at").split(" ")),
                duration(job, "opened_at", "ended_at"),
                handset(job, longest=LONGEST_NAME, between=between),
                self._cells.result(job),
            )
        yield table


def job_view(job: JsonObject, catalogue: Catalogue, language: Language) -> RenderableType:
    """What `/api/v1/jobs/{job}` tells, for a terminal."""
    return _JobView(Cells(catalogue, language)).of(job)


class _JobView:
    def __init__(self, cells: Cells) -> None:
        self._cells = cells

    def of(self, job: JsonObject) -> RenderableType:
        told: list[RenderableType] = [self._head(job), Padding(self._verdict(job), (1, 0))]
        if stages := parts(job, "stages"):
            told += [self._stages(stages), Text()]
        if decisions := parts(job, "decisions"):
            told.append(self._decisions(decisions))
        return Group(*told)

    def _head(self, job: JsonObject) -> Table:
        return self._facts(
            {
                "word.job": text(job, "job"),
                "word.slot": text(job, "slot"),
                "word.handset": handset(job),
                "word.recipe": text(job, "recipe"),
                "word.opened": moment(job, "opened_at", with_zone=True),
                "word.ended": moment(job, "ended_at", with_zone=True),
                "word.duration": duration(job, "opened_at", "ended_at"),
            }
        )

    def _verdict(self, job: JsonObject) -> RenderableType:
        if job.get("ended_at") is None:
            return Text(self._cells.say("word.still_running"), style="cyan")
        certified = job.get("certificate") is True
        facts = {
            "word.result": self._cells.outcome(job),
            "word.disposition": self._cells.disposition(job),
            "word.certificate": Text(self._cells.say("word.issued" if certified else "word.none")),
        }
        if guidance := part(job, "reason_text"):
            facts["word.reason"] = self._cells.says(guidance)
            facts["word.what_to_do"] = Text("\n").join(self._cells.what_to_do(guidance))
        if kept := self._cells.dossier(job):
            facts["word.note"] = kept[0]
        if job.get("detail"):
            facts["word.detail"] = self._cells.cause(job)
        return Group(self._said_of_erasure(job), self._facts(facts))

    def _said_of_erasure(self, job: JsonObject) -> Text:
        """All three have to say so: an outcome alone proves nothing."""
        proven = (
            job.get("certificate") is True
            and job.get("disposition") == Disposition.SELLABLE
            and job.get("outcome") == Outcome.PASSED
        )
        if proven:
            return Text(self._cells.say("word.proven"), style="bold green")
        return Text(self._cells.say("word.not_proven"), style="bold red")

    def _stages(self, stages: list[JsonObject]) -> Table:
        table = plain_table()
        for word in ("word.stage", "word.result"):
            table.add_column(self._cells.say(word), no_wrap=True)
        table.add_column(self._cells.times("word.opened"), no_wrap=True)
        table.add_column(self._cells.say("word.duration"), no_wrap=True, justify="right")
        table.add_column(self._cells.say("word.reason"), overflow="fold")
        for stage in stages:
            table.add_row(
                self._cells.stage(stage),
                self._cells.outcome(stage),
                moment(stage, "started_at"),
                duration(stage, "started_at", "ended_at"),
                self._cells.because(stage),
            )
        return table

    def _decisions(self, decisions: list[JsonObject]) -> Table:
        table = plain_table()
        for word in ("word.question", "word.answer", "word.operator"):
            table.add_column(self._cells.say(word), no_wrap=True)
        table.add_column(self._cells.times("word.at"), no_wrap=True)
        table.add_column(self._cells.say("word.note"), overflow="fold")
        for decision in decisions:
            approved = decision.get("approved") is True
            answer = self._cells.say("word.yes" if approved else "word.no")
            table.add_row(
                self._cells.gate(decision),
                Text(answer, style="green" if approved else "bold red"),
                text(decision, "operator"),
                moment(decision, "at"),
                text(decision, "note", longest=LONGEST_SENTENCE),
            )
        return table

    def _facts(self, facts: Mapping[str, Text]) -> Table:
        table = Table.grid(padding=(0, 2))
        table.add_column(no_wrap=True, style="dim")
        table.add_column(overflow="fold")
        for word, fact in facts.items():
            table.add_row(self._cells.say(word), fact)
        return table
