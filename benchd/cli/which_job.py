"""Which job somebody means: by its id, its slot, or a part of any number of its handset."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final

import typer

from benchd.cli.messages import error_of
from benchd.domain.errors import NotFound, UsageRefused
from benchd.domain.plain_text import printable

if TYPE_CHECKING:
    from benchd.cli.client import BenchdClient
    from benchd.domain.ids import JsonObject

JobArgument = Annotated[
    str,
    typer.Argument(
        metavar="JOB",
        help="A job, a slot, or a part of an IMEI, serial, tag, job or certificate's number: then"
        " the handset's newest job.",
    ),
]

JOB: Final = re.compile(r"[0-9]{8}-[0-9a-f]{10}")
MOST_NAMED: Final = 5


def job_named(client: BenchdClient, told: str) -> str:
    """The job that is meant; NotFound for none, UsageRefused where several handsets fit."""
    if JOB.fullmatch(told):
        return told
    slot = _slot(client, told)
    if slot is not None:
        if not isinstance(slot["job"], str):
            raise error_of(NotFound, "say.slot_without_job", slot=told)
        return slot["job"]
    found = client.find(told)["handsets"]
    handsets = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    if not handsets:
        raise error_of(NotFound, "say.no_such_job", name=repr(told))
    if len(handsets) > 1:
        named = ", ".join(printable(_newest(one)) for one in handsets[:MOST_NAMED])
        more = ", …" if handsets[MOST_NAMED:] else ""
        raise error_of(UsageRefused, "say.several_handsets", name=repr(told), jobs=f"{named}{more}")
    return _newest(handsets[0])


def _slot(client: BenchdClient, told: str) -> JsonObject | None:
    slots = client.slots()["slots"]
    named = (one for one in slots if isinstance(one, dict)) if isinstance(slots, list) else ()
    return next((one for one in named if one["slot"] == told), None)


def _newest(handset: JsonObject) -> str:
    newest = handset["newest"]
    return str(newest["job"]) if isinstance(newest, dict) else ""
