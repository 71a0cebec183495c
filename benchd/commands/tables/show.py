"""Prints the tables on the terminal, in the language of whoever sits there."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from rich.console import Console, RenderableType

from benchd.commands.tables.cells import JsonObject
from benchd.commands.tables.chips import chips_view
from benchd.commands.tables.jobs import job_view, jobs_view
from benchd.commands.tables.questions import question_view
from benchd.commands.tables.queue import queue_view
from benchd.commands.tables.records import (
    disposal_view,
    found_view,
    handset_file_view,
)
from benchd.commands.tables.report import report_view
from benchd.commands.tables.status import status_view
from benchd.commands.tables.trace import trace_view
from benchd.texts.catalogue import Catalogue, Language, language_of

View = Callable[[JsonObject, Catalogue, Language], RenderableType]


def show_status(rack: JsonObject) -> None:
    """Print what `/api/v1/slots` tells, after what `/api/v1/queue` does."""
    _show(status_view, rack)


def show_queue(queue: JsonObject) -> None:
    """Print what `/api/v1/queue` tells."""
    _show(queue_view, queue)


def show_question(slot: JsonObject) -> None:
    """Print the question that a slot asks."""
    _show(question_view, slot)


def show_jobs(jobs: JsonObject) -> None:
    """Print what `/api/v1/jobs` tells."""
    _show(jobs_view, jobs)


def show_job(job: JsonObject) -> None:
    """Print what `/api/v1/jobs/{job}` tells."""
    _show(job_view, job)


def show_trace(told: JsonObject) -> None:
    """Print what `/api/v1/jobs/{job}/trace.json` tells."""
    _show(trace_view, told)


def show_chips(told: JsonObject) -> None:
    """Print what `benchd felica scan --json` tells."""
    _show(chips_view, told)


def show_found(told: JsonObject) -> None:
    """Print what `/api/v1/handsets?find=` tells."""
    _show(found_view, told)


def show_handset_file(told: JsonObject) -> None:
    """Print what `/api/v1/handsets/{key}` tells."""
    _show(handset_file_view, told)


def show_disposal(told: JsonObject) -> None:
    """Print what `/api/v1/disposal` tells."""
    _show(disposal_view, told)


def show_report(told: JsonObject) -> None:
    """Print what `/api/v1/report` tells."""
    _show(report_view, told)


def _show(view: View, told: JsonObject) -> None:
    never_fail_on_a_letter()
    Console().print(view(told, Catalogue.load(), language_of(os.environ)))


def never_fail_on_a_letter() -> None:
    """A name that an old locale can't write must not hide the rest of the rack."""
    reconfigure = getattr(sys.stdout, "reconfigure", None)
    if callable(reconfigure):
        reconfigure(errors="replace")
