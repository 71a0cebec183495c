"""How whoever types a command shows who they are: by their user, else by PIN and badge."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from benchd.cli.daemon_client import intake_client
from benchd.cli.file_arguments import read_file
from benchd.cli.messages import error_of, say
from benchd.domain.errors import MoreToShow, NotSignedIn

if TYPE_CHECKING:
    from benchd.cli.client import BenchdClient
    from benchd.cli.intake_client import IntakeClient

_Result = TypeVar("_Result")

OperatorOption = Annotated[
    str | None,
    typer.Option(
        "--operator",
        help=r"Your id. Your PIN is asked, unless \[people.unix] says that your user is you.",
    ),
]
PinFileOption = Annotated[
    Path | None, typer.Option("--pin-file", help="Read the PIN from here, - for standard input.")
]
BadgeFileOption = Annotated[
    Path | None, typer.Option("--badge-file", help="Read the badge's code from here.")
]


def as_person(
    client: BenchdClient,
    call: Callable[[], _Result],
    *,
    operator: str | None,
    pin_file: Path | None = None,
    badge_file: Path | None = None,
) -> _Result:
    """Do it as whoever the daemon takes this user for, else as who shows that they are that id."""
    if pin_file is None and badge_file is None:
        try:
            return call()
        except NotSignedIn:
            if operator is None:
                raise
    if operator is None:
        raise error_of(NotSignedIn, "say.say_who")
    pin = secret_from(pin_file, say("say.pin"))
    badge = None if badge_file is None else secret_from(badge_file, say("say.badge"))
    client.sign_in(person=operator, pin=pin, badge=badge)
    try:
        try:
            return call()
        except MoreToShow:
            if badge is not None or pin_file is not None:
                raise
        client.sign_in(person=operator, pin=pin, badge=secret_from(None, say("say.badge")))
        return call()
    finally:
        client.sign_out()


def as_intake_person(
    operator: str | None,
    pin_file: Path | None,
    badge_file: Path | None,
    call: Callable[[IntakeClient], _Result],
) -> _Result:
    """The same over a client of its own for what comes in and goes out."""
    with intake_client() as client:
        return as_person(
            client,
            lambda: call(client),
            operator=operator,
            pin_file=pin_file,
            badge_file=badge_file,
        )


def secret_from(file: Path | None, name: str, *, twice: bool = False) -> str:
    """What is in the file, or was typed; nobody sees it."""
    if file is None:
        typed: str = typer.prompt(name, hide_input=True, confirmation_prompt=twice)
        return typed.strip()
    data = sys.stdin.buffer.read() if str(file) == "-" else read_file(file)
    return data.decode("utf-8", "replace").strip()
