"""`benchd lots …` and `benchd assets …`: what came in, taken in and looked up over the daemon."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchd.cli.daemon_client import intake_client, show
from benchd.cli.file_arguments import read_file
from benchd.cli.intake_output import print_rows, print_sheet, rows_of, tell_import
from benchd.cli.messages import catalogue, language, named, tell, tell_rows
from benchd.cli.options import JsonOption
from benchd.cli.sign_in import (
    BadgeFileOption,
    OperatorOption,
    PinFileOption,
    as_intake_person,
)
from benchd.domain.chip import ChipVerdict
from benchd.domain.ids import JsonValue
from benchd.domain.intake import AttestationKind, LotKind, Seen, Unerasable

if TYPE_CHECKING:
    from benchd.cli.intake_client import IntakeClient
    from benchd.domain.ids import JsonObject

lots_app = typer.Typer(help="Lots: what came in together.", no_args_is_help=True)
assets_app = typer.Typer(help="Assets: the handsets of the lots.", no_args_is_help=True)

LOTS = ("lot", "kind", "consignor", "assets")
LOT = ("lot", "kind", "consignor", "paper", "taken_in_at", "identity_check", "assets")
ATTESTATIONS = ("sequence", "kinds", "tags", "excepted", "assets", "late", "withdrawn")
ASSETS = ("tag", "lot", "model", "unerasable", "jobs", "graded")

TagsOption = Annotated[list[str] | None, typer.Option(help="A tag; can be given again.")]
NoteOption = Annotated[str, typer.Option(help="Anything to remember with it.")]
ReaderOption = Annotated[
    str | None, typer.Option(help="The empty slot to whose reader the handset is held.")
]
ImeiInHandOption = Annotated[
    str | None, typer.Option(help="Its IMEI, as it stands on the handset, its tray or its box.")
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Tell every mistake, take nothing in.")
]


@lots_app.command("list")
def lots_list(json_output: JsonOption = False) -> None:
    """Name the newest lots."""
    with intake_client() as client:
        found = client.lots()
    print_rows(found, json_output, found["lots"], LOTS)


@lots_app.command("show")
def lots_show(
    lot: Annotated[str, typer.Argument(help="The lot's name.")], json_output: JsonOption = False
) -> None:
    """Tell of one lot, and of what is attested of it."""
    with intake_client() as client:
        found = client.lot(lot)
    print_sheet(found, json_output, LOT)
    if not json_output:
        tell_rows(ATTESTATIONS, rows_of(found["attestations"], ATTESTATIONS))


@lots_app.command("add")
def lots_add(
    lot: Annotated[str, typer.Argument(help="The lot's name.")],
    kind: Annotated[LotKind, typer.Argument(help="Where its handsets come from.")],
    consignor: Annotated[
        str, typer.Option(help="The firm; of a private seller no name, only: private.")
    ],
    operator: OperatorOption = None,
    paper: Annotated[str, typer.Option(help="The reference of the papers.")] = "",
    identity_check: Annotated[
        str, typer.Option(help="How the seller's identity was checked, never whose it is.")
    ] = "",
    attests: Annotated[
        list[AttestationKind] | None,
        typer.Option("--attest", help="True of every handset in it; can be given again."),
    ] = None,
    pin_file: PinFileOption = None,
    badge_file: BadgeFileOption = None,
) -> None:
    """Take a lot in, with what is attested of all of it."""
    told = {
        "lot": lot,
        "kind": kind,
        "consignor": consignor,
        "operator": operator,
        "paper": paper,
        "identity_check": identity_check,
        "attests": list(attests or ()),
    }
    as_intake_person(operator, pin_file, badge_file, lambda client: client.add_lot(told))
    tell("say.taken_in", name=lot)


@lots_app.command("attest")
def lots_attest(
    lot: Annotated[str, typer.Argument(help="The lot's name.")],
    kinds: Annotated[list[AttestationKind], typer.Argument(help="What is stated.")],
    operator: OperatorOption = None,
    tag: TagsOption = None,
    excepted: Annotated[
        list[str] | None, typer.Option("--except", help="Not this tag; can be given again.")
    ] = None,
    note: NoteOption = "",
    seen: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="How many assets were in the lot when you looked; a whole lot that other systems"
            " send into needs it.",
        ),
    ] = None,
    pin_file: PinFileOption = None,
    badge_file: BadgeFileOption = None,
) -> None:
    """State something of a whole lot but for some, or of the tags that are named."""
    told = {
        "kinds": list(kinds),
        "tags": list(tag) if tag else None,
        "excepted": list(excepted or ()),
        "note": note,
        "seen": seen,
        "operator": operator,
    }
    done = as_intake_person(operator, pin_file, badge_file, lambda client: client.attest(lot, told))
    tell("say.attested", name=lot, value=str(done["sequence"]))


@lots_app.command("withdraw")
def lots_withdraw(
    lot: Annotated[str, typer.Argument(help="The lot's name.")],
    attestation: Annotated[int, typer.Argument(help="The number that `lots show` tells.")],
    operator: OperatorOption = None,
    tag: TagsOption = None,
    note: NoteOption = "",
    pin_file: PinFileOption = None,
    badge_file: BadgeFileOption = None,
) -> None:
    """What was attested counts no more, for running jobs too."""
    told = {
        "attestation": attestation,
        "tags": list(tag or ()),
        "note": note,
        "operator": operator,
    }
    as_intake_person(operator, pin_file, badge_file, lambda client: client.withdraw(lot, told))
    tell("say.withdrawn", name=lot, value=str(attestation))


@assets_app.command("list")
def assets_list(
    lot: Annotated[str | None, typer.Option(help="Only of this lot.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many at most.")] = 100,
    json_output: JsonOption = False,
) -> None:
    """Name the assets of a lot, else the newest."""
    with intake_client() as client:
        found = client.assets(lot, limit)
    print_rows(found, json_output, found["assets"], ASSETS)


@assets_app.command("show")
def assets_show(
    tag: Annotated[str, typer.Argument(help="The asset's tag.")], json_output: JsonOption = False
) -> None:
    """Tell of one asset."""
    with intake_client() as client:
        found = client.asset(tag)
    parts = ("chip", "assessed")
    print_sheet(found, json_output, tuple(name for name in found if name not in parts))
    if not json_output and found["chip"]:
        _tell_chip(found["chip"])
    if not json_output:
        _tell_assessed(tag, found["assessed"])


@assets_app.command("add")
def assets_add(
    tag: Annotated[str, typer.Argument(help="Its tag, as the dealer has stuck it on.")],
    lot: Annotated[str, typer.Option(help="The lot that it came in with.")],
    operator: OperatorOption = None,
    imei: Annotated[str, typer.Option(help="Its IMEI, 15 digits.")] = "",
    serial: Annotated[str, typer.Option(help="Its serial.")] = "",
    model: Annotated[str, typer.Option(help="Its model, as the papers say.")] = "",
    colour: Annotated[str, typer.Option(help="Its colour.")] = "",
    grade: Annotated[str, typer.Option(help="Its grade.")] = "",
    pin_file: PinFileOption = None,
    badge_file: BadgeFileOption = None,
) -> None:
    """Take one asset in."""
    line = {"tag": tag, "imei": imei, "serial": serial, "model": model}
    told = {**line, "colour": colour, "grade": grade, "operator": operator}
    as_intake_person(operator, pin_file, badge_file, lambda client: client.add_asset(lot, told))
    tell("say.taken_in_with", name=tag, lot=lot)


@assets_app.command("import")
def assets_import(
    file: Annotated[Path, typer.Argument(help="The CSV file.")],
    lot: Annotated[str, typer.Option(help="The lot that they came in with.")],
    operator: OperatorOption = None,
    dry_run: DryRunOption = False,
    again: Annotated[
        bool, typer.Option("--again", help="Handsets of earlier lots may have come in again.")
    ] = False,
    pin_file: PinFileOption = None,
    badge_file: BadgeFileOption = None,
) -> None:
    """Take a CSV file of assets in, whole or not at all; exits with 1 if it has a mistake."""
    data = read_file(file)
    done = as_intake_person(
        operator,
        pin_file,
        badge_file,
        lambda client: client.import_assets(
            lot, data, operator=operator, dry_run=dry_run, again=again
        ),
    )
    tell_import(file, done, dry_run=dry_run)
    if done["late"]:
        tell("say.came_late", lot=lot, count=str(done["late"]))


@assets_app.command("network")
def assets_network(
    file: Annotated[Path, typer.Argument(help="The CSV file.")],
    source: Annotated[str, typer.Option(help="Where it was looked up.")],
    operator: OperatorOption = None,
    dry_run: DryRunOption = False,
    pin_file: PinFileOption = None,
    badge_file: BadgeFileOption = None,
) -> None:
    """Take a CSV file of network restrictions in; exits with 1 if it has a mistake."""
    data = read_file(file)
    done = as_intake_person(
        operator,
        pin_file,
        badge_file,
        lambda client: client.import_network(
            data, source=source, operator=operator, dry_run=dry_run
        ),
    )
    tell_import(file, done, dry_run=dry_run)


@assets_app.command("bind")
def assets_bind(
    tag: Annotated[str, typer.Argument(help="The asset's tag.")],
    slot: Annotated[str, typer.Option(help="The slot in which the handset lies.")],
    operator: OperatorOption = None,
    despite_model: Annotated[
        bool, typer.Option("--despite-model", help="Though its model isn't that of the papers.")
    ] = False,
    pin_file: PinFileOption = None,
    badge_file: BadgeFileOption = None,
) -> None:
    """Say that the handset in a slot has this tag."""
    told = {"tag": tag, "operator": operator, "despite_model": despite_model}
    done = as_intake_person(operator, pin_file, badge_file, lambda client: client.bind(slot, told))
    tell("say.bound", slot=slot, name=str(done["tag"]), lot=str(done["lot"]))


@assets_app.command("dead")
def assets_dead(
    tag: Annotated[str, typer.Argument(help="The asset's tag.")],
    reason: Annotated[Unerasable, typer.Option(help="Why it isn't plugged in.")],
    operator: OperatorOption = None,
    slot: ReaderOption = None,
    imei: ImeiInHandOption = None,
    note: NoteOption = "",
    pin_file: PinFileOption = None,
    badge_file: BadgeFileOption = None,
) -> None:
    """An asset that can't be plugged in, or never is (collected): it's to be crushed."""
    told = {"reason": reason, "slot": slot, "imei": imei, "note": note, "operator": operator}
    done = as_intake_person(
        operator, pin_file, badge_file, lambda client: client.unerasable(tag, told)
    )
    tell(
        "say.unerasable",
        name=tag,
        value=named("unerasable", done["unerasable"]),
        answer=named("disposition", done["disposition"]),
    )
    _tell_chip(done["chip"])
    tell("say.once_crushed", name=str(done["case"]))


@assets_app.command("strike")
def assets_strike(
    tag: Annotated[str, typer.Argument(help="The asset's tag.")],
    note: Annotated[str, typer.Option(help="What was wrong with its line.")],
    operator: OperatorOption = None,
    pin_file: PinFileOption = None,
    badge_file: BadgeFileOption = None,
) -> None:
    """Strike a line that was entered by mistake, while nothing has been done on its handset."""

    def ask(client: IntakeClient) -> JsonObject:
        lot = client.asset(tag)["lot"]
        return client.strike(tag, {"lot": lot, "note": note, "operator": operator})

    as_intake_person(operator, pin_file, badge_file, ask)
    tell("say.struck", name=tag)


@assets_app.command("assess")
def assets_assess(
    tag: Annotated[str, typer.Argument(help="The asset's tag.")],
    seen: Annotated[Seen, typer.Option(help="What you see on its screen.")],
    operator: OperatorOption = None,
    slot: ReaderOption = None,
    imei: ImeiInHandOption = None,
    note: NoteOption = "",
    pin_file: PinFileOption = None,
    badge_file: BadgeFileOption = None,
    json_output: JsonOption = False,
) -> None:
    """What is seen of a handset without adb, as of one that its owner has reset; erases nothing."""
    told = {"seen": seen, "slot": slot, "imei": imei, "note": note, "operator": operator}
    done = as_intake_person(operator, pin_file, badge_file, lambda client: client.assess(tag, told))
    show(json_output, done, lambda: _tell_assessed(tag, done["assessed"]))


def _tell_assessed(tag: str, told: JsonValue) -> None:
    if not isinstance(told, Mapping):
        return
    tell("say.assessed", name=tag, value=named("seen", told["seen"]))
    _tell_chip(told["chip"])
    findings = told["findings"]
    for each in findings if isinstance(findings, Sequence) else ():
        if isinstance(each, Mapping):
            typer.echo(f"  - {each[language()]}")


def _tell_chip(chip: JsonValue) -> None:
    """What the reader said, in words."""
    if isinstance(chip, Mapping):
        said = catalogue().chip(ChipVerdict(str(chip["verdict"]))).to(language())
        tell("say.chip_held", slot=str(chip["slot"]), value=said)
    else:
        tell("say.chip_not_held")
