"""`benchd status`, `queue`, `watch`, `jobs`, `job`, `trace`: what is to be done, and what was."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

import typer

from benchd.cli.daemon_client import daemon_client, show_view
from benchd.cli.options import JsonOption
from benchd.cli.which_job import JobArgument, job_named
from benchd.domain.errors import BenchdError

if TYPE_CHECKING:
    from benchd.cli.client import BenchdClient
    from benchd.domain.ids import JsonObject


def add_status_commands(app: typer.Typer) -> None:
    """Put the commands that only look beside those that act."""
    for name, command in {
        "status": status,
        "queue": queue,
        "watch": watch,
        "jobs": jobs,
        "job": job,
        "trace": trace,
    }.items():
        app.command(name)(command)


def status(json_output: JsonOption = False) -> None:
    """Show what to do next, and every slot as it is now."""
    from benchd.cli.tables.status import status_view

    with daemon_client() as client:
        rack = _rack(client)
    show_view(json_output, rack, status_view)


def queue(json_output: JsonOption = False) -> None:
    """Show what people have to do next over the whole rack, the most urgent first."""
    from benchd.cli.tables.queue_table import queue_view

    with daemon_client() as client:
        told = client.queue()
    show_view(json_output, told, queue_view)


def watch() -> None:
    """Show what to do next and every slot, live, until Ctrl+C; waits for a daemon that is away."""
    from benchd.cli.tables.watch_view import watch_status

    with RackReader() as read:
        watch_status(read)


def jobs(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 50,
    json_output: JsonOption = False,
) -> None:
    """List the newest jobs."""
    from benchd.cli.tables.jobs import jobs_view

    with daemon_client() as client:
        found = client.jobs(limit=limit)
    show_view(json_output, found, jobs_view)


def job(of: JobArgument, json_output: JsonOption = False) -> None:
    """Tell the story of one job."""
    from benchd.cli.tables.jobs import job_view

    with daemon_client() as client:
        found = client.job(job_named(client, of))
    show_view(json_output, found, job_view)


def trace(of: JobArgument, json_output: JsonOption = False) -> None:
    """Tell where the time of a job that has ended went; --json as a collector gets it (OTLP)."""
    from benchd.cli.tables.trace import trace_view

    with daemon_client() as client:
        found = client.trace(job_named(client, of))
    show_view(json_output, found, trace_view)


class RackReader:
    """Reads the rack again and again, over a new connection wherever the former has failed."""

    def __init__(self) -> None:
        self._client: BenchdClient | None = None

    def __call__(self) -> JsonObject:
        """The rack as it is now; a BenchdError while no daemon tells it."""
        try:
            if self._client is None:
                self._client = daemon_client()
            return _rack(self._client)
        except BenchdError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            self._client.close()
        self._client = None


def _rack(client: BenchdClient) -> JsonObject:
    return {**client.slots(), "queue": client.queue()}
