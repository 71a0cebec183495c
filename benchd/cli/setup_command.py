"""`benchd setup`: a rack's first administrator, by whom everybody else is put on record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchd.cli.messages import catalogue, language, say, tell
from benchd.cli.options import DEFAULT_CONFIG
from benchd.cli.people_either import (
    ConfigOption,
    files_owner,
    over_either,
    person_output,
)
from benchd.cli.sign_in import BadgeFileOption, PinFileOption, secret_from
from benchd.domain.errors import NameRefused, PersonRefused
from benchd.domain.people import Role
from benchd.domain.person_names import operator_name
from benchd.people.person import badge_of, person_id, pin_of, reading_of
from benchd.texts.failures import failure_text

if TYPE_CHECKING:
    from benchd.domain.ids import JsonObject
    from benchd.people.person_register import People

FIRST_IS: tuple[Role, ...] = (Role.ADMINISTRATOR, Role.OPERATOR, Role.SUPERVISOR)
"""Enough to begin; no confirmer, since that has to be somebody else."""


def setup(
    person: Annotated[
        str | None, typer.Option("--person", help="The id: a-z, 0-9 and hyphens; never reused.")
    ] = None,
    name: Annotated[str | None, typer.Option(help="The name that stands on certificates.")] = None,
    reading: Annotated[str | None, typer.Option(help="How it is read, in kana.")] = None,
    pin_file: PinFileOption = None,
    badge_file: BadgeFileOption = None,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Put the rack's first administrator on record, with a PIN and perhaps a badge.

    Asks for what isn't given, and for no badge where the PIN comes from a file. A rack that
    has an administrator stays as it is; one whose administrator was given neither PIN nor badge
    is asked for them.
    """
    first = _first(config)
    if first is not None and (first["has_pin"] or first["has_badge"]):
        tell("say.administers_already", name=str(first["person"]))
        return
    if first is None:
        chosen = _asked(say("say.id_asked"), person, person_id)
        called = _asked(say("say.name_asked"), name, operator_name)
        read = _asked(say("say.reading_asked"), reading, reading_of, default="")
    else:
        chosen, called, read = str(first["person"]), "", ""
    pin, badge = _secrets(pin_file, badge_file)
    if first is None:
        new: JsonObject = {
            "person": chosen,
            "name": called,
            "reading": read,
            "roles": [role.value for role in FIRST_IS],
        }

        async def add(people: People) -> JsonObject:
            by = files_owner()
            added = await people.add(by, chosen, name=called, reading=read, roles=FIRST_IS)
            return person_output(people, added)

        over_either(config, None, lambda client: client.add_person(new), add)

    async def set_pin(people: People) -> JsonObject:
        return person_output(people, await people.set_pin(files_owner(), chosen, pin))

    over_either(
        config, None, lambda client: client.change_person(chosen, "pin", {"pin": pin}), set_pin
    )
    if badge:

        async def set_badge(people: People) -> JsonObject:
            return person_output(people, await people.set_badge(files_owner(), chosen, badge))

        over_either(
            config,
            None,
            lambda client: client.change_person(chosen, "badge", {"code": badge}),
            set_badge,
        )
    tell("say.administers_now", name=chosen)
    tell("say.colleagues_next")


def _first(config: Path) -> JsonObject | None:
    """An administrator who is on record, one with a PIN or badge first."""

    async def everybody(people: People) -> JsonObject:
        return {"people": [person_output(people, person) for person in people.everybody]}

    told = over_either(config, None, lambda client: client.people(), everybody)["people"]
    found = [
        one
        for one in (told if isinstance(told, list) else [])
        if isinstance(one, dict)
        and isinstance(one["roles"], list)
        and Role.ADMINISTRATOR in one["roles"]
        and one["disabled_from"] is None
    ]
    return max(found, key=lambda one: bool(one["has_pin"] or one["has_badge"]), default=None)


def _asked(
    question: str, given: str | None, check: Callable[[str], str], default: str | None = None
) -> str:
    """What was given, or what somebody types who is told what is wrong with it."""
    if given is not None:
        return check(given)
    return _until_right(lambda: check(typer.prompt(question, default=default, show_default=False)))


def _secrets(pin_file: Path | None, badge_file: Path | None) -> tuple[str, str]:
    """The PIN, and the badge's code or nothing."""
    if pin_file is None:
        pin = _until_right(lambda: pin_of(secret_from(None, say("say.pin"), twice=True)))
    else:
        pin = pin_of(secret_from(pin_file, say("say.pin")))
    if badge_file is not None:
        return pin, badge_of(secret_from(badge_file, say("say.badge")))
    return pin, _until_right(_scanned) if pin_file is None else ""


def _scanned() -> str:
    """The code of the badge; empty for who has none."""
    code = typer.prompt(say("say.badge_asked"), hide_input=True, default="")
    return badge_of(code) if code.strip() else ""


def _until_right(ask: Callable[[], str]) -> str:
    while True:
        try:
            return ask()
        except (PersonRefused, NameRefused) as refusal:
            typer.echo(failure_text(refusal, catalogue(), language()), err=True)
