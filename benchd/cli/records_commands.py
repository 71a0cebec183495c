"""`benchd records …` and `benchd report`: looking handsets up, and counting them."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from benchd.cli.daemon_client import daemon_client, show_view
from benchd.cli.messages import tell
from benchd.cli.misuse import mistake
from benchd.cli.options import DEFAULT_CONFIG, JsonOption
from benchd.cli.sign_in import OperatorOption, as_person

REPORT_WITHIN_S = 75.0
"""Longer than the daemon itself takes at most."""

records_app = typer.Typer(help="Handsets across all their jobs.", no_args_is_help=True)


@records_app.command("find")
def records_find(
    text: Annotated[str, typer.Argument(help="A part of any number of it.")],
    json_output: JsonOption = False,
) -> None:
    """Find handsets by a part of an IMEI, serial, tag, job or certificate's number."""
    from benchd.cli.tables.records_tables import found_view

    with daemon_client() as client:
        found = client.find(text)
    show_view(json_output, found, found_view)
    raise typer.Exit(0 if found["handsets"] else 1)


@records_app.command("show")
def records_show(
    key: Annotated[str, typer.Argument(help="Any job of the handset.")],
    json_output: JsonOption = False,
) -> None:
    """Tell everything about the handset of this job."""
    from benchd.cli.tables.records_tables import handset_file_view

    with daemon_client() as client:
        file = client.handset(key)
    show_view(json_output, file, handset_file_view)


@records_app.command("rebuild")
def records_rebuild(
    config: Annotated[
        Path, typer.Option("--config", help="The configuration file.")
    ] = DEFAULT_CONFIG,
    operator: OperatorOption = None,
) -> None:
    """Throw the read model away and make it anew from the ledger; the daemon may run."""
    from benchd.domain.errors import DependencyMissing

    try:
        with daemon_client() as client:
            target = as_person(client, client.rebuild_records, operator=operator)["sequence"]
            tell("say.reading_again", count=str(target))
            return
    except DependencyMissing:
        pass
    from benchd.config import load_settings
    from benchd.daemon.read_model_rebuild import rebuild_records

    began = time.monotonic()
    told = rebuild_records(load_settings(config))
    took_s = max(time.monotonic() - began, 1e-9)
    tell(
        "say.rebuilt",
        count=str(told.sequence),
        value=f"{took_s:.1f}",
        answer=f"{told.sequence / took_s:.0f}",
    )


def report(
    begin: Annotated[str, typer.Option("--from", metavar="YYYY-MM-DD", help="The first day.")],
    last: Annotated[str, typer.Option("--to", metavar="YYYY-MM-DD", help="The last day.")],
    lot: Annotated[str | None, typer.Option(help="Only this lot; '' is what is of none.")] = None,
    consignor: Annotated[
        str | None, typer.Option(help="Only from this consignor; '' is what is of none.")
    ] = None,
    csv: Annotated[
        bool, typer.Option("--csv", help="For a spreadsheet: UTF-8 with a byte order mark.")
    ] = False,
    json_output: JsonOption = False,
) -> None:
    """Count what came in, what was found in it and what became of it, by lot and consignor too.

    --json has the jobs of each handset behind every figure.
    """
    from benchd.cli.tables.report_table import report_view

    if csv and json_output:
        raise mistake("say.csv_or_json")
    with daemon_client(REPORT_WITHIN_S) as client:
        if csv:
            sys.stdout.buffer.write(client.report_csv(begin, last, lot, consignor))
            return
        told = client.report(begin, last, lot, consignor, jobs=json_output)
    show_view(json_output, told, report_view)
