"""A job's trace as a tree: what took its time, machine and people apart."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from rich.console import Group, RenderableType
from rich.text import Text

from benchd.cli.tables.table_cells import Cells, parts, plain_table, seconds, text
from benchd.domain.ids import JsonObject, JsonValue
from benchd.domain.job import Outcome
from benchd.domain.plain_text import Language
from benchd.outbound.traces.job_intervals import AWAY, CUT_SHORT, WAIT, WAIT_ENDED, WaitEnd
from benchd.texts.catalogue import Catalogue

NANO = 1e9
_UNANSWERED: Mapping[str, str] = {
    WaitEnd.ASKED_AGAIN: "say.trace_asked_again",
    WaitEnd.HANDSET_TOLD: "say.trace_handset_told",
    WaitEnd.STAGE_ENDED: "say.trace_stage_ended",
    WaitEnd.JOB_ENDED: "say.trace_job_ended",
}
MOST_DEEP = 8
"""Levels of a tree; benchd's have four."""


def trace_view(told: JsonObject, catalogue: Catalogue, language: Language) -> RenderableType:
    """What `/api/v1/jobs/{job}/trace.json` tells, for a terminal."""
    return _TraceView(told, Cells(catalogue, language)).all()


class _TraceView:
    def __init__(self, told: JsonObject, cells: Cells) -> None:
        self._cells = cells
        self._below: defaultdict[str, list[JsonObject]] = defaultdict(list)
        for resource in parts(told, "resourceSpans"):
            for scope in parts(resource, "scopeSpans"):
                for span in parts(scope, "spans"):
                    self._below[str(span.get("parentSpanId", ""))].append(span)

    def all(self) -> RenderableType:
        """The sums, and the spans below the job, each below what it is a part of."""
        table = plain_table()
        table.add_column(self._cells.say("word.stage"), overflow="fold")
        table.add_column(self._cells.say("word.duration"), no_wrap=True, justify="right")
        table.add_column(self._cells.say("word.result"), overflow="fold")
        heads: list[RenderableType] = []
        for job in self._below[""]:
            named = _named(job)
            heads.append(self._sums(job, named))
            if named.get("benchd.clock.set_back") is True:
                heads.append(Text(self._cells.say("say.trace_clock_set_back"), style="yellow"))
            for depth, span in self._tree(job, 0):
                what = Text("  " * depth) + self._what(span)
                table.add_row(what, seconds(_length_s(span)), self._how(span))
        return Group(*heads, Text(), table)

    def _sums(self, job: JsonObject, named: JsonObject) -> Text:
        told = self._cells.say(
            "say.trace_took",
            job=str(named.get("benchd.job", "?")),
            value=seconds(_length_s(job)).plain,
            count=seconds(named.get("benchd.people.seconds")).plain,
        )
        return Text(told)

    def _tree(self, of: JsonObject, depth: int) -> Iterator[tuple[int, JsonObject]]:
        if depth > MOST_DEEP:
            return
        below = sorted(self._below[str(of.get("spanId"))], key=_start)
        # A stage with one attempt is that attempt: one line says it.
        attempts = [span for span in below if "benchd.attempt" in _named(span)]
        for span in below:
            if len(attempts) == 1 and span is attempts[0]:
                yield from self._tree(span, depth)
            else:
                yield depth, span
                yield from self._tree(span, depth + 1)

    def _what(self, span: JsonObject) -> Text:
        named = _named(span)
        if span.get("name") == WAIT:
            gate = self._cells.gate({"gate": named.get("benchd.gate")})
            return Text(self._cells.say("say.trace_wait", gate=gate.plain), style="magenta")
        if span.get("name") == AWAY:
            return Text(self._cells.say("say.trace_away"), style="cyan")
        if "benchd.attempt" in named:
            count = str(named["benchd.attempt"])
            return Text(self._cells.say("say.trace_attempt", count=count))
        if "benchd.stage" in named:
            return self._cells.stage({"stage": named["benchd.stage"]})
        return text(span, "name")

    def _how(self, span: JsonObject) -> Text:
        named = _named(span)
        if "benchd.approved" in named:
            word = "word.yes" if named["benchd.approved"] is True else "word.no"
            return Text(self._cells.say(word))
        if (word := _UNANSWERED.get(str(named.get(WAIT_ENDED)))) is not None:
            return Text(self._cells.say(word), style="yellow")
        outcome = named.get("benchd.outcome")
        if outcome == CUT_SHORT:
            return Text(self._cells.say("say.trace_cut_short"), style="yellow")
        if outcome is None:
            return Text()
        ended = self._cells.outcome({"outcome": outcome})
        because = named.get("benchd.because")
        if outcome == Outcome.PASSED or because is None:
            return ended
        return Text.assemble(ended, ": ", self._cells.because({"because": because}))


def _named(span: JsonObject) -> Mapping[str, JsonValue]:
    return {str(pair.get("key")): _value(pair.get("value")) for pair in parts(span, "attributes")}


def _value(told: JsonValue) -> JsonValue:
    return next(iter(told.values()), None) if isinstance(told, Mapping) else None


def _start(span: JsonObject) -> int:
    return _nano(span.get("startTimeUnixNano"))


def _length_s(span: JsonObject) -> float:
    return (_nano(span.get("endTimeUnixNano")) - _start(span)) / NANO


def _nano(told: JsonValue) -> int:
    plain = isinstance(told, str) and told.isascii() and told.isdigit() and len(told) < 20
    return int(told) if plain and isinstance(told, str) else 0
