"""`benchd handset learn-fresh`, `approve-fresh`, `list-fresh`: how models look that are fresh."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from benchd.cli.daemon_client import show
from benchd.cli.local_authentication import name_of_whoever_may
from benchd.cli.messages import say, tell_rows
from benchd.cli.misuse import mistake
from benchd.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from benchd.cli.sign_in import BadgeFileOption, PinFileOption
from benchd.domain.authority import Action

if TYPE_CHECKING:
    from benchd.daemon.fresh_learning import Learned
    from benchd.domain.ids import JsonValue
    from benchd.proof.evidence.fresh_evidence import FreshPicture


COLUMNS: Final = ("manufacturer", "model", "build", "state", "taken_by")


def add_fresh_commands(handset_app: typer.Typer) -> None:
    """Put both commands beside the others on handsets."""
    handset_app.command("learn-fresh")(learn)
    handset_app.command("approve-fresh")(approve)
    handset_app.command("list-fresh")(list_known)


def learn(
    by: Annotated[str, typer.Option(help="Your id: you have just reset this handset.")],
    slot: Annotated[str | None, typer.Option(help="The handset in this slot.")] = None,
    address: Annotated[
        str | None, typer.Option(help="The handset at this adb address, such as usb:1-4.2.")
    ] = None,
    pin_file: PinFileOption = None,
    badge_file: BadgeFileOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Learn what a handset shows that you have just reset: two people, two handsets of one model.

    The first is kept until the second comes; what both show alike excuses its like from then on.
    Each shows who they are: by their PIN, and by their badge if they have one.
    """
    import anyio

    from benchd.cli.one_handset import address_of, ask_one
    from benchd.config import load_settings
    from benchd.daemon.fresh_learning import learn_fresh
    from benchd.devices.android.adb import AdbAddress
    from benchd.devices.android.handset_access import AdbAccess
    from benchd.hotplug import UdevHotplug

    if (slot is None) == (address is None):
        raise mistake("say.slot_or_address")
    settings = load_settings(config)
    if slot is not None:
        found = anyio.run(address_of, settings, slot, UdevHotplug())
    else:
        found = AdbAddress(address or "")
    name = name_of_whoever_may(Action.ATTEST, by, config, pin_file=pin_file, badge_file=badge_file)
    learned = learn_fresh(settings, partial(ask_one, settings, found, AdbAccess.look_at), name)
    typer.echo("\n".join(_summary_lines(learned)))


def approve(
    picture: Annotated[Path, typer.Argument(help="The picture's file, as learn-fresh named it.")],
    by: Annotated[str, typer.Option(help="Your id: you have reset neither of its handsets.")],
    pin_file: PinFileOption = None,
    badge_file: BadgeFileOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Let a picture count that two others have taken: as a supervisor, once you have read it."""
    from benchd.config import load_settings
    from benchd.daemon.fresh_learning import approve_fresh

    name = name_of_whoever_may(
        Action.SUPERVISE, by, config, pin_file=pin_file, badge_file=badge_file
    )
    approved = approve_fresh(load_settings(config), picture, name)
    typer.echo("\n".join([say("say.picture_made", path=str(picture)), *_excused(approved)]))


def list_known(json_output: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """List the fresh pictures that there are, and handsets that wait for a second one."""
    from benchd.config import load_settings
    from benchd.daemon.fresh_learning import known_pictures

    found = known_pictures(load_settings(config))
    show(json_output, {"pictures": found}, lambda: tell_rows(COLUMNS, map(_cells, found)))


def _cells(one: Mapping[str, JsonValue]) -> list[str]:
    by = one["taken_by"]
    people = ", ".join(map(str, by)) if isinstance(by, list) else ""
    return [*(str(one[name]) for name in COLUMNS[:-1]), people]


def _summary_lines(learned: Learned) -> list[str]:
    picture = learned.picture
    if picture is None:
        return [
            say("say.first_of_two", path=str(learned.file)),
            say("say.second_of_two"),
        ]
    return [
        say("say.picture_waits", path=str(learned.file)),
        *_excused(picture),
        *(f"  {say('say.only_one_shows')}\t{one}" for one in learned.left_out),
    ]


def _excused(picture: FreshPicture) -> list[str]:
    return [
        f"  {say('say.maker_accounts')}\t{', '.join(picture.maker_account_types) or '-'}",
        f"  {say('say.preinstalled')}\t{len(picture.packages)}",
        *(f"    {package.place}={package.name}" for package in picture.packages),
        f"  {say('say.bytes_used')}\t{picture.used_bytes}",
    ]
