"""`benchd time …`: whether the rack's time is gone by, and an administrator's word for it."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from benchd.cli.daemon_client import show
from benchd.cli.messages import tell
from benchd.cli.misuse import mistake
from benchd.cli.options import JsonOption
from benchd.cli.sign_in import (
    BadgeFileOption,
    OperatorOption,
    PinFileOption,
    as_person,
)
from benchd.domain.intake import TimeDoubt

if TYPE_CHECKING:
    from benchd.cli.intake_client import IntakeClient
    from benchd.domain.ids import JsonObject

time_app = typer.Typer(help="The rack's time, and who has confirmed it.", no_args_is_help=True)

_OF_DOUBT = {
    TimeDoubt.CLOCK_BEHIND: "say.time_behind",
    TimeDoubt.TIME_UNCONFIRMED: "say.time_unconfirmed",
}


@time_app.command("show")
def time_show(json_output: JsonOption = False) -> None:
    """Tell the rack's time, and whether what was attested counts by it."""
    with _client() as client:
        told = client.rack_time()
    show(json_output, told, lambda: _tell(told))


@time_app.command("confirm")
def time_confirm(
    seen: Annotated[
        str, typer.Argument(metavar="TIME", help='What another clock says: "2026-11-25 14:03".')
    ],
    operator: OperatorOption = None,
    pin_file: PinFileOption = None,
    badge_file: BadgeFileOption = None,
    json_output: JsonOption = False,
) -> None:
    """Confirm the rack's time by another clock; counts until the machine is started again."""
    told = {"seen_at": _moment(seen).isoformat(), "operator": operator}
    with _client() as client:
        done = as_person(
            client,
            lambda: client.confirm_time(told),
            operator=operator,
            pin_file=pin_file,
            badge_file=badge_file,
        )
    show(json_output, done, lambda: _tell(done))


def _moment(text: str) -> datetime:
    """A date and a time as people write them, by the machine's own zone unless they name one."""
    try:
        return datetime.fromisoformat(text.strip()).astimezone()
    except ValueError:
        raise mistake("say.moment_how", value=text) from None


def _tell(told: JsonObject) -> None:
    now = datetime.fromisoformat(str(told["now"])).astimezone()
    at = now.isoformat(sep=" ", timespec="seconds")
    if told["doubt"] is not None:
        tell(_OF_DOUBT[TimeDoubt(str(told["doubt"]))], value=at)
    elif told["confirmed"] is not None:
        tell("say.time_confirmed", value=at, count=str(told["confirmed"]))
    else:
        tell("say.time_kept", value=at)


def _client() -> IntakeClient:
    from benchd.cli.client import socket_path
    from benchd.cli.intake_client import IntakeClient

    return IntakeClient(socket_path(os.environ))
