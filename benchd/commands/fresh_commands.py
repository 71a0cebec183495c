"""`benchd handset learn-fresh` and `list-fresh`: how models look when they are fresh."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from benchd.authority import Action
from benchd.commands.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from benchd.commands.proving import name_of_whoever_may
from benchd.commands.signing_in import BadgeFileOption, PinFileOption

if TYPE_CHECKING:
    from benchd.commands.fresh import Learned


def add_fresh_commands(handset_app: typer.Typer) -> None:
    """Put both commands beside the others on handsets."""
    handset_app.command("learn-fresh")(learn)
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

    from benchd.commands.fresh import address_of, learn_fresh
    from benchd.config import load_settings
    from benchd.hotplug import UdevHotplug
    from benchd.words.ids import AdbAddress

    if (slot is None) == (address is None):
        raise typer.BadParameter("name either the slot or the address of a handset")
    settings = load_settings(config)
    if slot is not None:
        found = anyio.run(address_of, settings, slot, UdevHotplug())
    else:
        found = AdbAddress(address or "")
    name = name_of_whoever_may(Action.ATTEST, by, config, pin_file=pin_file, badge_file=badge_file)
    typer.echo("\n".join(_told_of(learn_fresh(settings, found, name))))


def list_known(json_output: JsonOption = False, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """List the fresh pictures that there are, and handsets that wait for a second one."""
    from benchd.commands.fresh import known_pictures
    from benchd.config import load_settings

    found = known_pictures(load_settings(config))
    if json_output:
        typer.echo(json.dumps({"pictures": found}, ensure_ascii=False, indent=2))
        return
    for one in found:
        by = one["taken_by"]
        people = ", ".join(map(str, by)) if isinstance(by, list) else ""
        cells = (one["manufacturer"], one["model"], one["build"], one["state"], people)
        typer.echo("\t".join(map(str, cells)))


def _told_of(learned: Learned) -> list[str]:
    picture = learned.picture
    if picture is None:
        return [
            f"{learned.file}: the first of two",
            "もう1台、同じ機種・同じビルドの端末を、別の担当者が初期化して、同じコマンドを実行してください。",
            "Now somebody else resets another handset of this model and build, and does the same.",
        ]
    return [
        f"{learned.file}: read it, then `systemctl reload benchd`",
        f"  accounts of its maker\t{', '.join(picture.maker_account_types) or '-'}",
        f"  preinstalled apps\t{len(picture.packages)}",
        f"  bytes in use\t{picture.used_bytes}",
        *(f"  only one of both shows\t{one}" for one in learned.left_out),
    ]
