"""`benchd shipping …`: whether a lot or a pallet may go out, and that it has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchd.cli.daemon_client import show
from benchd.cli.file_arguments import read_file
from benchd.cli.messages import failed, language, tell
from benchd.cli.misuse import mistake
from benchd.cli.options import JsonOption
from benchd.cli.sign_in import BadgeFileOption, OperatorOption, PinFileOption, as_intake_person
from benchd.domain.ids import JsonValue
from benchd.domain.shipping import ShipStanding

if TYPE_CHECKING:
    from benchd.cli.client import BenchdClient
    from benchd.domain.ids import JsonObject

shipping_app = typer.Typer(help="What goes out: lots and pallets.", no_args_is_help=True)

LotOption = Annotated[str | None, typer.Option(help="All of this lot.")]
TagOption = Annotated[
    list[str] | None, typer.Option(help="A tag of the pallet; can be given again.")
]
TagsFileOption = Annotated[
    Path | None, typer.Option("--tags", help="A file with the tags of a pallet, one a line.")
]


@shipping_app.command("check")
def shipping_check(
    lot: LotOption = None,
    tag: TagOption = None,
    tags_file: TagsFileOption = None,
    operator: OperatorOption = None,
    json_output: JsonOption = False,
    pin_file: PinFileOption = None,
    badge_file: BadgeFileOption = None,
) -> None:
    """Name every handset that mustn't go out, and why; exits with 1 if there is one."""
    asked = {**_asked(lot, tag, tags_file), "operator": operator}
    found = as_intake_person(
        operator, pin_file, badge_file, lambda client: _sent(client, "shipping", asked)
    )
    show(json_output, found, lambda: _tell(found))
    if not found["ready"]:
        raise failed("say.not_to_go_out", count=str(found["kept_back"]))


@shipping_app.command("record")
def shipping_record(
    name: Annotated[str, typer.Argument(help="Of the pallet or the delivery.")],
    lot: LotOption = None,
    tag: TagOption = None,
    tags_file: TagsFileOption = None,
    operator: OperatorOption = None,
    pin_file: PinFileOption = None,
    badge_file: BadgeFileOption = None,
) -> None:
    """Put on record that it has gone out; refused, with names, where a handset of it mustn't."""
    asked = {**_asked(lot, tag, tags_file), "name": name, "operator": operator}
    found = as_intake_person(
        operator, pin_file, badge_file, lambda client: _sent(client, "shipments", asked)
    )
    tell("say.gone_out", name=name, count=str(len(_handsets(found))))


def _asked(lot: str | None, tags: Sequence[str] | None, file: Path | None) -> dict[str, object]:
    named = [*(tags or ()), *(read_file(file).decode("utf-8-sig").split() if file else ())]
    if (lot is None) is (not named):
        raise mistake("say.ship_lot_or_tags")
    return {"lot": lot, "tags": named}


def _sent(client: BenchdClient, what: str, asked: Mapping[str, object]) -> JsonObject:
    return client.answer("POST", f"/api/v1/{what}", json.dumps(asked).encode())


def _handsets(found: JsonObject) -> list[Mapping[str, JsonValue]]:
    handsets = found["handsets"]
    there = handsets if isinstance(handsets, Sequence) and not isinstance(handsets, str) else ()
    return [each for each in there if isinstance(each, Mapping)]


def _tell(found: JsonObject) -> None:
    """Who may not go out first, and why."""
    handsets = sorted(_handsets(found), key=lambda each: each["standing"] == ShipStanding.READY)
    for each in handsets:
        at = f" ({each['rechecked_at']})" if each["rechecked_at"] else ""
        typer.echo(f"{each['tag']}\t{each['standing']}\t{each[language()]}{at}")
