"""`benchd log-level`: have everything logged for a while, of a slot or of the rack."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Final

import typer

from benchd.cli.daemon_client import daemon_client, show
from benchd.cli.messages import tell
from benchd.cli.misuse import mistake
from benchd.cli.options import JsonOption
from benchd.cli.sign_in import OperatorOption, as_person
from benchd.domain.log_level import LONGEST_S, LogLevel

if TYPE_CHECKING:
    from benchd.domain.ids import JsonObject

_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}


def log_level(
    level: Annotated[
        LogLevel | None, typer.Argument(help="Everything, or as usual; else what it is now.")
    ] = None,
    slot: Annotated[str | None, typer.Option(help="Only of this slot.")] = None,
    lasting: Annotated[
        str, typer.Option("--for", metavar="TIME", help="For how long: 90s, 10m or 2h.")
    ] = "10m",
    json_output: JsonOption = False,
    operator: OperatorOption = None,
) -> None:
    """Tell or change how much the daemon logs; it falls back by itself."""
    wanted: JsonObject = {"level": level, "slot": slot, "for_s": seconds_of(lasting)}
    with daemon_client() as client:
        if level is None:
            told = client.log_level()
        else:
            told = as_person(client, lambda: client.set_log_level(wanted), operator=operator)
    show(json_output, told, lambda: _tell(told))


def seconds_of(text: str) -> float:
    """A time as people write it, in seconds; a mistake for one that is none or too long."""
    found = re.fullmatch(r"([0-9]{1,6})([smh])", text.strip())
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 1 <= seconds <= LONGEST_S:
        raise mistake("say.time_how", value=text)
    return float(seconds)


def _tell(told: JsonObject) -> None:
    found = told["debug"]
    debug = [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
    if not debug:
        tell("say.log_as_usual")
    for one in debug:
        word = "say.log_rack" if one["slot"] is None else "say.log_slot"
        tell(word, slot=str(one["slot"]), count=str(one["left_s"]))
