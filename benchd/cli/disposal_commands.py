"""`benchd disposal …`: what waits for somebody, and what has become of it."""

from __future__ import annotations

from typing import Annotated

import typer

from benchd.cli.daemon_client import daemon_client, show, show_view
from benchd.cli.messages import named, tell
from benchd.cli.options import JsonOption
from benchd.cli.sign_in import (
    BadgeFileOption,
    OperatorOption,
    PinFileOption,
    as_person,
)
from benchd.domain.disposal import DisposalState

disposal_app = typer.Typer(help="What becomes of handsets that aren't sold.", no_args_is_help=True)


@disposal_app.command("list")
def disposal_list(
    state: Annotated[
        list[DisposalState] | None, typer.Option(help="Only these; else all that wait.")
    ] = None,
    batch: Annotated[str | None, typer.Option(help="All that went with this batch.")] = None,
    json_output: JsonOption = False,
) -> None:
    """List handsets that wait for somebody, the oldest first."""
    from benchd.cli.tables.records_tables import disposal_view

    with daemon_client() as client:
        told = client.disposal(state or (), batch)
    show_view(json_output, told, disposal_view)


@disposal_app.command("settle")
def disposal_settle(
    jobs: Annotated[list[str], typer.Argument(help="The jobs whose handsets it's about.")],
    to: Annotated[DisposalState, typer.Option("--to", help="What has become of them.")],
    operator: OperatorOption = None,
    note: Annotated[str, typer.Option(help="Why it's released; to whom it was handed back.")] = "",
    recycler: Annotated[str | None, typer.Option(help="Who has crushed or melted it.")] = None,
    number: Annotated[str | None, typer.Option(help="Their number of the receipt.")] = None,
    batch: Annotated[str | None, typer.Option(help="The list that went with it.")] = None,
    done_on: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="The day, if it wasn't today.")
    ] = None,
    later_job: Annotated[str | None, typer.Option(help="The job that took it over.")] = None,
    pin_file: PinFileOption = None,
    badge_file: BadgeFileOption = None,
    json_output: JsonOption = False,
) -> None:
    """Record what has become of handsets; each is on disk when its line is printed."""
    told = {
        "state": to,
        "operator": operator,
        "note": note,
        "recycler": recycler,
        "number": number,
        "batch": batch,
        "done_on": done_on,
        "later_job": later_job,
    }
    with daemon_client() as client:

        def settle_all() -> None:
            for job in jobs:
                settled = client.settle(job, told)
                show(json_output, settled, lambda job=job: _tell_settled(job, to))

        as_person(client, settle_all, operator=operator, pin_file=pin_file, badge_file=badge_file)


def _tell_settled(job: str, to: DisposalState) -> None:
    tell("say.settled", job=job, value=named("disposal_state", to))
