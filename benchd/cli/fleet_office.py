"""`benchd fleet office …`: who may look handsets up at the centre, and who has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import anyio
import typer

from benchd.cli.daemon_client import show
from benchd.cli.fleet_commands import DatabaseOption, require_fleet
from benchd.cli.messages import tell, tell_rows
from benchd.cli.options import JsonOption

if TYPE_CHECKING:
    from benchd.fleet.offices import Offices

office_app = typer.Typer(help="Who may look handsets up at the centre.", no_args_is_help=True)

NameArgument = Annotated[str, typer.Argument(help="What the token is called.")]
_Result = TypeVar("_Result")


@office_app.command("add")
def office_add(
    name: NameArgument,
    days: Annotated[int, typer.Option(help="For how many days it counts.")] = 365,
    database: DatabaseOption = "",
) -> None:
    """Make a token for the centre's pages; its secret is shown this once."""
    from benchd.daemon.system_clock import SystemEntropy

    secret = _asked(database, lambda offices: offices.add(name, days, SystemEntropy()))
    typer.echo(secret)


@office_app.command("revoke")
def office_revoke(name: NameArgument, database: DatabaseOption = "") -> None:
    """Let a token open nothing any more."""
    _asked(database, lambda offices: offices.revoke(name))
    tell("say.fleet_office_revoked", name=name)


@office_app.command("list")
def office_list(database: DatabaseOption = "", json_output: JsonOption = False) -> None:
    """List the tokens; their secrets are nowhere."""
    told = [
        {
            "name": office.name,
            "expires_at": office.expires_at.isoformat(timespec="seconds"),
            "revoked_at": office.revoked_at and office.revoked_at.isoformat(timespec="seconds"),
        }
        for office in _asked(database, lambda offices: offices.listed())
    ]
    columns = ("name", "expires_at", "revoked_at")
    rows = (tuple(str(each[column] or "") for column in columns) for each in told)
    show(json_output, {"offices": told}, lambda: tell_rows(columns, rows))


@office_app.command("readings")
def office_readings(
    database: DatabaseOption = "",
    json_output: JsonOption = False,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The newest so many.")] = 50,
) -> None:
    """List who has looked for what, the newest first."""
    told = [
        {
            "at": reading.at.isoformat(timespec="seconds"),
            "name": reading.office,
            "asked": reading.asked,
            "shown": reading.shown,
        }
        for reading in _asked(database, lambda offices: offices.readings(limit))
    ]
    columns = ("at", "name", "asked", "shown")
    rows = (tuple(str(each[column]) for column in columns) for each in told)
    show(json_output, {"readings": told}, lambda: tell_rows(columns, rows))


def _asked(database: str, ask: Callable[[Offices], Awaitable[_Result]]) -> _Result:
    require_fleet()
    from benchd.fleet.fleet_database import open_database
    from benchd.fleet.offices import Offices

    async def run() -> _Result:
        async with open_database(database) as opened:
            return await ask(Offices(opened))

    return anyio.run(run)
