"""`benchd fleet …`: the centre that takes many racks' records, and who has joined it."""

from __future__ import annotations

import importlib.util
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import anyio
import typer

from benchd.cli.daemon_client import show
from benchd.cli.messages import tell, tell_rows
from benchd.cli.misuse import mistake
from benchd.cli.options import JsonOption
from benchd.cli.rings import PublicKeyOption, RingOption, ring_of
from benchd.domain.errors import DependencyMissing, NotFound

if TYPE_CHECKING:
    from benchd.fleet.joined_racks import JoinedRacks
    from benchd.fleet.locked_store import StoreTarget
    from benchd.fleet.watched_imeis import WatchedImeis

fleet_app = typer.Typer(help="The centre of many racks.", no_args_is_help=True)

DatabaseOption = Annotated[
    str,
    typer.Option(
        envvar="BENCHD_FLEET_DATABASE",
        help="The PostgreSQL database, as libpq takes it; left out, what PGHOST and the like say.",
    ),
]
LockedStoreOption = Annotated[
    str,
    typer.Option(
        envvar="BENCHD_FLEET_LOCKED_STORE",
        help="An S3 bucket with Object Lock that keeps the centre's state: https://STORE/BUCKET.",
    ),
]
StoreCredentialsOption = Annotated[
    Path | None,
    typer.Option(help="The credentials for it, in the form of ~/.aws/credentials."),
]
_Result = TypeVar("_Result")


@fleet_app.command("run")
def fleet_run(
    key: Annotated[Path, typer.Option(help="The centre's own key: `benchd key create`.")],
    database: DatabaseOption = "",
    listen: Annotated[
        str, typer.Option(envvar="BENCHD_FLEET_LISTEN", help="Address and port.")
    ] = "127.0.0.1:8430",
    certificate: Annotated[
        Path | None, typer.Option(help="The centre's certificate for TLS (PEM).")
    ] = None,
    certificate_key: Annotated[Path | None, typer.Option(help="The key of that (PEM).")] = None,
    client_authority: Annotated[
        Path | None, typer.Option(help="Whose certificates racks have to show (PEM).")
    ] = None,
    client_revocations: Annotated[
        Path | None,
        typer.Option(
            envvar="BENCHD_FLEET_CLIENT_REVOCATIONS",
            help="Which of these count no more (a CRL in PEM, read again when it changes).",
        ),
    ] = None,
    pages: Annotated[
        str,
        typer.Option(
            envvar="BENCHD_FLEET_PAGES",
            help="Address and port of the pages for people; left out, none.",
        ),
    ] = "",
    locked_store: LockedStoreOption = "",
    locked_store_credentials: StoreCredentialsOption = None,
    locked_store_minutes: Annotated[
        int,
        typer.Option(
            envvar="BENCHD_FLEET_LOCKED_STORE_MINUTES",
            min=1,
            help="How often its state is put there, where it has changed.",
        ),
    ] = 60,
) -> None:
    """Run the centre; its tables are made in the database where there are none."""
    require_fleet()
    from benchd.fleet.centre_server import CentreSettings, run_centre
    from benchd.observe.logs import configure_logs
    from benchd.signing.tls import TlsFiles

    host, port = _address(listen, "say.fleet_listen")
    tls = None
    if certificate is not None and certificate_key is not None:
        tls = TlsFiles(
            certificate=certificate, key=certificate_key, client_authority=client_authority
        )
    elif certificate or certificate_key or client_authority:
        raise mistake("say.fleet_tls")
    configure_logs()
    settings = CentreSettings(
        database=database,
        key=key,
        host=host,
        port=port,
        tls=tls,
        client_revocations=client_revocations,
        pages=_address(pages, "say.fleet_pages") if pages else None,
        locked_store=store_target(locked_store, locked_store_credentials),
        locked_store_every_s=locked_store_minutes * 60,
    )
    anyio.run(run_centre, settings)


@fleet_app.command("join")
def fleet_join(
    name: Annotated[str, typer.Argument(help="What the rack is called at the centre.")],
    key: PublicKeyOption,
    ring: RingOption = None,
    database: DatabaseOption = "",
) -> None:
    """Let a rack's records in, or go on with its ring after a rotation of its key."""
    joining = ring_of(key, ring)
    new = _asked(database, lambda racks: racks.join(name, joining))
    tell("say.fleet_joined" if new else "say.fleet_ring_renewed", name=name, value=joining.rack)


@fleet_app.command("racks")
def fleet_racks(database: DatabaseOption = "", json_output: JsonOption = False) -> None:
    """List the racks with how far each has come; a line for each fork or restore of one."""
    states = _asked(database, lambda racks: racks.states())
    told = [
        {
            "name": state.name,
            "branch": state.branch,
            "why": state.why,
            "left_at": state.left_sequence,
            "sequence": state.sequence,
            "heard_at": state.heard_at.isoformat(timespec="seconds"),
            "rack": state.rack,
        }
        for state in states
    ]
    columns = ("name", "branch", "why", "left_at", "sequence", "heard_at", "rack")
    rows = (tuple(str(each[column]) for column in columns) for each in told)
    show(json_output, {"racks": told}, lambda: tell_rows(columns, rows))


def store_target(url: str, credentials: Path | None) -> StoreTarget | None:
    """Which store is meant; credentials without one are nobody's."""
    from benchd.fleet.locked_store import StoreTarget

    if not url:
        return None
    if credentials is None:
        raise mistake("say.fleet_locked_store")
    return StoreTarget(url=url, credentials=credentials)


def _address(told: str, otherwise: str) -> tuple[str, int]:
    host, _, port = told.rpartition(":")
    if not host or not port.isascii() or not port.isdigit():
        raise mistake(otherwise)
    return host.strip("[]"), int(port)


watch_app = typer.Typer(help="The handsets that the centre has held.", no_args_is_help=True)
fleet_app.add_typer(watch_app, name="watch")


@watch_app.command("add")
def fleet_watch_add(
    imei: Annotated[str, typer.Argument(help="One of the handset's numbers.")],
    note: Annotated[str, typer.Option(help="Why, for whoever reads the list.")] = "",
    database: DatabaseOption = "",
) -> None:
    """Have a handset held on whatever rack it is plugged in."""
    _on_list(database, lambda watched: watched.add(imei, note))
    tell("say.fleet_watched", value=imei)


@watch_app.command("remove")
def fleet_watch_remove(
    imei: Annotated[str, typer.Argument(help="The number that is on the list.")],
    database: DatabaseOption = "",
) -> None:
    """Have it held no more."""
    if not _on_list(database, lambda watched: watched.remove(imei)):
        raise NotFound(f"{imei} isn't on the centre's list")
    tell("say.fleet_unwatched", value=imei)


@watch_app.command("list")
def fleet_watch_list(database: DatabaseOption = "", json_output: JsonOption = False) -> None:
    """List the numbers, the newest first."""
    listed = _on_list(database, lambda watched: watched.listed())
    told = [
        {
            "imei": each.imei,
            "note": each.note,
            "added_at": each.added_at.isoformat(timespec="seconds"),
        }
        for each in listed
    ]
    columns = ("imei", "added_at", "note")
    rows = (tuple(str(each[column]) for column in columns) for each in told)
    show(json_output, {"watched": told}, lambda: tell_rows(columns, rows))


def _on_list(database: str, ask: Callable[[WatchedImeis], Awaitable[_Result]]) -> _Result:
    """The same of the centre's list."""
    require_fleet()
    from benchd.fleet.fleet_database import open_database
    from benchd.fleet.watched_imeis import WatchedImeis

    async def run() -> _Result:
        async with open_database(database) as opened:
            return await ask(WatchedImeis(opened))

    return anyio.run(run)


def _asked(database: str, ask: Callable[[JoinedRacks], Awaitable[_Result]]) -> _Result:
    """What the centre's database answers, asked without the centre."""
    require_fleet()
    from benchd.fleet.fleet_database import open_database
    from benchd.fleet.joined_racks import JoinedRacks

    async def run() -> _Result:
        async with open_database(database) as opened:
            return await ask(JoinedRacks(opened))

    return anyio.run(run)


def require_fleet() -> None:
    """A rack's installation can't be a centre."""
    if importlib.util.find_spec("psycopg") is None:
        message = "this installation has no psycopg, which the centre needs"
        raise DependencyMissing(message, cure='pip install "benchd[fleet]"')
