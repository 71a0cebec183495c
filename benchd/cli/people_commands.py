"""`benchd people …`: who may use the rack; through the daemon, or on its files while none runs."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchd.cli.daemon_client import show
from benchd.cli.messages import named, say, tell_rows
from benchd.cli.options import DEFAULT_CONFIG, JsonOption
from benchd.cli.people_either import (
    ConfigOption,
    files_owner,
    over_either,
    person_output,
)
from benchd.cli.sign_in import OperatorOption, secret_from
from benchd.domain.people import Role

if TYPE_CHECKING:
    from benchd.domain.ids import JsonObject
    from benchd.people.person_register import People

people_app = typer.Typer(help="Who may use the rack, and as what.", no_args_is_help=True)

COLUMNS = ("person", "name", "reading", "roles", "shows", "state")

RoleOption = Annotated[
    list[Role], typer.Option("--role", help="What they may be; may stand several times.")
]
FileOption = Annotated[
    Path | None, typer.Option("--from-file", help="Read it from this file, - for standard input.")
]


@people_app.command("list")
def people_list(
    json_output: JsonOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
    operator: OperatorOption = None,
) -> None:
    """Name everybody: id, name, reading, roles, and what they show themselves with."""

    async def on_disk(people: People) -> JsonObject:
        return {"people": [person_output(people, person) for person in people.everybody]}

    told = over_either(config, operator, lambda client: client.people(), on_disk)
    found = told["people"]
    people = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    show(json_output, told, lambda: tell_rows(COLUMNS, map(_cells, people)))


@people_app.command("add")
def people_add(
    person: Annotated[str, typer.Argument(help="Their id: a-z, 0-9 and hyphens; never reused.")],
    name: Annotated[str, typer.Option(help="The name that stands on certificates.")],
    role: RoleOption,
    reading: Annotated[str, typer.Option(help="How the name is read, in kana.")] = "",
    config: ConfigOption = DEFAULT_CONFIG,
    operator: OperatorOption = None,
) -> None:
    """Somebody new; then give them a PIN, a badge or both."""

    async def on_disk(people: People) -> JsonObject:
        by = files_owner()
        return person_output(
            people, await people.add(by, person, name=name, reading=reading, roles=role)
        )

    new: JsonObject = {"person": person, "name": name, "reading": reading, "roles": list(role)}
    _tell(over_either(config, operator, lambda client: client.add_person(new), on_disk))


@people_app.command("role")
def people_role(
    person: Annotated[str, typer.Argument(help="Their id.")],
    role: RoleOption,
    config: ConfigOption = DEFAULT_CONFIG,
    operator: OperatorOption = None,
) -> None:
    """Give somebody these roles and no others."""

    async def on_disk(people: People) -> JsonObject:
        return person_output(people, await people.set_roles(files_owner(), person, role))

    change: JsonObject = {"roles": list(role)}
    _tell(
        over_either(
            config, operator, lambda client: client.change_person(person, "roles", change), on_disk
        )
    )


@people_app.command("badge")
def people_badge(
    person: Annotated[str, typer.Argument(help="Their id.")],
    remove: Annotated[bool, typer.Option("--remove", help="Take their badge away.")] = False,
    from_file: FileOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    operator: OperatorOption = None,
) -> None:
    """Give somebody the badge that is scanned next."""
    code = None if remove else secret_from(from_file, say("say.badge"))

    async def on_disk(people: People) -> JsonObject:
        return person_output(people, await people.set_badge(files_owner(), person, code))

    change: JsonObject = {"code": code}
    _tell(
        over_either(
            config, operator, lambda client: client.change_person(person, "badge", change), on_disk
        )
    )


@people_app.command("pin")
def people_pin(
    person: Annotated[str, typer.Argument(help="Their id.")],
    from_file: FileOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
    operator: OperatorOption = None,
) -> None:
    """Give somebody the PIN that they type, twice; nobody sees it."""
    pin = secret_from(from_file, say("say.pin"), twice=True)

    async def on_disk(people: People) -> JsonObject:
        return person_output(people, await people.set_pin(files_owner(), person, pin))

    change: JsonObject = {"pin": pin}
    _tell(
        over_either(
            config, operator, lambda client: client.change_person(person, "pin", change), on_disk
        )
    )


@people_app.command("disable")
def people_disable(
    person: Annotated[str, typer.Argument(help="Their id.")],
    since: Annotated[
        datetime | None, typer.Option("--from", help="From this time on, here; else from now on.")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Let them in again.")] = False,
    config: ConfigOption = DEFAULT_CONFIG,
    operator: OperatorOption = None,
) -> None:
    """Let somebody do nothing any more; what they did stays on record."""
    at = None if since is None else since.astimezone()

    async def on_disk(people: People) -> JsonObject:
        if undo:
            return person_output(people, await people.enable(files_owner(), person))
        return person_output(people, await people.disable(files_owner(), person, at))

    change: JsonObject = {
        "disabled": not undo,
        "disabled_from": None if at is None else at.isoformat(),
    }
    _tell(
        over_either(
            config,
            operator,
            lambda client: client.change_person(person, "disabled", change),
            on_disk,
        )
    )


def _tell(person: JsonObject) -> None:
    tell_rows(COLUMNS, [_cells(person)])


def _cells(person: JsonObject) -> list[str]:
    roles = person["roles"]
    shows = [name for name in ("badge", "pin") if person[f"has_{name}"]]
    disabled = person["disabled_from"]
    return [
        str(person["person"]),
        str(person["name"]),
        str(person["reading"] or "-"),
        ",".join(named("role", role) for role in roles) if isinstance(roles, list) else "",
        "+".join(named("say", name) for name in shows) or say("say.no_badge_no_pin"),
        say("say.set_anew") if person["lost_secret"] else "",
        say("say.disabled_from", value=str(disabled)) if disabled else "",
    ]
