"""`benchd key …`: the key that signs, those before it, and the ring that leads from one to all."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchd.cli.daemon_client import show
from benchd.cli.file_arguments import write_new
from benchd.cli.messages import error_of, tell, tell_rows
from benchd.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from benchd.domain.errors import NoLedger, UsageRefused, WouldVoid

if TYPE_CHECKING:
    from benchd.signing.key_ring import KeyRing
    from benchd.signing.rotation import Retired

key_app = typer.Typer(help="The key that signs.", no_args_is_help=True)

OperatorOption = Annotated[str, typer.Option(help="Your name, as it stands in the record.")]
BecauseOption = Annotated[str, typer.Option(help="Why, as it stands in the record.")]
LeaveOutOption = Annotated[
    int,
    typer.Option(
        "--leave-out",
        metavar="COUNT",
        help="Even if so many certificates that aren't in the ledger count no more.",
    ),
]


@key_app.command("create")
def key_create(
    file: Annotated[Path, typer.Argument(help="A new file, which nobody else may read.")],
) -> None:
    """Make the key that signs certificates and the ledger; FILE.pub is for everyone."""
    from benchd.certificate import create_key, public_key_path

    create_key(file)
    tell("say.key_made", path=str(file), name=str(public_key_path(file)))


@key_app.command("public")
def key_public(
    file: Annotated[Path, typer.Argument(help="The file of the private key.")],
) -> None:
    """Write FILE.pub anew from the key in FILE, where it is lost or another key's.

    What lay there instead is kept as FILE.pub.old.
    """
    from benchd.signing.key_store import KeyFiles, load_rack_key, remake_public

    files, key = KeyFiles(file), load_rack_key(file, {})
    kept = remake_public(files, key)
    tell("say.public_made", path=str(files.public), value=key.key_id)
    if kept is not None:
        tell("say.public_kept", path=str(kept))


@key_app.command("rotate")
def key_rotate(
    operator: OperatorOption,
    because: BecauseOption,
    leave_out: LeaveOutOption = 0,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Let the key sign the next one, and retire it; the daemon has to be stopped.

    A rotation that was cut short is brought to its end.
    """
    from benchd.signing.rotation import Retired

    _rotate(Retired.ROTATED, operator, because, config, leave_out=leave_out)


@key_app.command("lost")
def key_lost(
    *,
    operator: OperatorOption,
    because: BecauseOption,
    leave_out: LeaveOutOption = 0,
    without_ledger: Annotated[
        bool,
        typer.Option(
            "--without-ledger", help="Even if there is none: no certificate of the key counts then."
        ),
    ] = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Begin with a new key where the old one is lost: a break, on record and on the ring."""
    from benchd.signing.rotation import Retired

    _rotate(
        Retired.LOST,
        operator,
        because,
        config,
        leave_out=leave_out,
        without_ledger=without_ledger,
    )


@key_app.command("list")
def key_list(config: ConfigOption = DEFAULT_CONFIG, json_output: JsonOption = False) -> None:
    """Name each key that the rack has had, until when it signed, and for how much it counts."""
    ring = _ring(config)
    keys = _told(ring)
    rows = (
        (str(key["key_id"]), str(key["retired"] or ""), str(key["why"] or ""), count_of(key))
        for key in keys
    )
    show(
        json_output,
        {"keys": keys},
        lambda: tell_rows(("key_id", "retired", "why", "certificates"), rows),
    )


@key_app.command("export")
def key_export(
    file: Annotated[Path, typer.Argument(help="A new file.")], config: ConfigOption = DEFAULT_CONFIG
) -> None:
    """Write the key ring to a new file, to be handed out: nothing in it is secret."""
    ring = _ring(config)
    write_new(file, ring.encode())
    tell("say.ring_written", path=str(file), count=str(len(ring.keys)))


def count_of(key: dict[str, object]) -> str:
    """For how many certificates a retired key counts; nothing for the one that signs."""
    return "" if key["certificates"] is None else str(key["certificates"])


def _told(ring: KeyRing) -> list[dict[str, object]]:
    from benchd.signing.public_key import key_id_of

    told: list[dict[str, object]] = []
    for place, key in enumerate(ring.keys):
        rotation = ring.retired_by(place)
        end = rotation.retirement if rotation else None
        told.append(
            {
                "key_id": key_id_of(key),
                "retired": end.at.isoformat() if end else None,
                "why": end.why.value if end else None,
                "certificates": len(end.certificates) if end else None,
            }
        )
    return told


def _ring(config: Path) -> KeyRing:
    from benchd.cli.file_arguments import read_file
    from benchd.config import load_settings
    from benchd.signing.key_store import KeyFiles, load_ring
    from benchd.signing.public_key import public_key_of

    files = KeyFiles(load_settings(config).certificate.key)
    return load_ring(files.ring, public_key_of(read_file(files.public)))


def _rotate(
    why: Retired,
    operator: str,
    because: str,
    config: Path,
    *,
    leave_out: int,
    without_ledger: bool = False,
) -> None:
    import anyio

    from benchd.config import load_settings
    from benchd.daemon.key_rotation import Leave, rotate_key
    from benchd.signing.key_store import KeyFiles

    settings = load_settings(config)
    leave = Leave(certificates=leave_out, ledger=without_ledger)
    rotate = partial(rotate_key, settings, why=why, operator=operator, because=because, leave=leave)
    try:
        rotated = anyio.run(rotate)
    except WouldVoid as error:
        folder = str(settings.certificate.directory)
        raise error_of(
            UsageRefused, "say.would_void", path=folder, count=str(error.count)
        ) from error
    except NoLedger as error:
        ledger = str(settings.ledger.path)
        raise error_of(UsageRefused, "say.lost_without_ledger", path=ledger) from error
    files = KeyFiles(settings.certificate.key)
    count = len(rotated.ring.rotations[-1].retirement.certificates)
    tell(
        "say.key_rotated",
        count=str(count),
        path=str(files.public),
        name=str(files.ring),
        value=str(files.secrets),
    )
    if rotated.doubtful:
        tell("say.certificates_doubtful", count=str(rotated.doubtful))
