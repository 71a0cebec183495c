"""People through the daemon, or on the files of its configuration while none runs."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from benchd.cli.options import DEFAULT_CONFIG
from benchd.cli.sign_in import as_person
from benchd.domain.errors import DependencyMissing
from benchd.domain.people import By, Person

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from benchd.cli.client import BenchdClient
    from benchd.config import Settings
    from benchd.domain.ids import JsonObject
    from benchd.people.person_register import People

_Kept = TypeVar("_Kept")

ConfigOption = Annotated[
    Path,
    typer.Option("--config", help="The configuration, where no daemon runs.", readable=False),
]


def over_either(
    config: Path,
    operator: str | None,
    over_socket: Callable[[BenchdClient], JsonObject],
    on_disk: Callable[[People], Awaitable[JsonObject]],
) -> JsonObject:
    """Ask the daemon; where none runs, do it on the files of this configuration."""

    def opened(settings: Settings) -> AbstractAsyncContextManager[People]:
        from benchd.daemon.rack_people import people_on_disk

        return people_on_disk(settings)

    return over_daemon_or(opened, config, operator, over_socket, on_disk)


def over_daemon_or(
    opened: Callable[[Settings], AbstractAsyncContextManager[_Kept]],
    config: Path,
    operator: str | None,
    over_socket: Callable[[BenchdClient], JsonObject],
    on_disk: Callable[[_Kept], Awaitable[JsonObject]],
) -> JsonObject:
    """The same for whatever is `opened` on the files."""
    import anyio

    from benchd.cli.client import SOCKET_VARIABLE, BenchdClient, socket_path
    from benchd.config import load_settings

    path = socket_path(os.environ)
    settings: Settings | None = None
    if config != DEFAULT_CONFIG and SOCKET_VARIABLE not in os.environ:
        settings = load_settings(config)
        path = settings.http.socket
    try:
        client = BenchdClient(path)
    except DependencyMissing:
        if not config.is_file():
            raise
    else:
        with client:
            return as_person(client, lambda: over_socket(client), operator=operator)
    read = settings or load_settings(config)

    async def run() -> JsonObject:
        async with opened(read) as kept:
            return await on_disk(kept)

    return anyio.run(run)


def files_owner() -> By:
    """Whoever may write the files, as the record names them."""
    return By(actor=None, source=f"files, uid {os.geteuid()}")


def person_output(people: People, person: Person) -> JsonObject:
    """A person as the API tells of them."""
    from benchd.daemon.rack_people import person_json

    return person_json(people, person)
