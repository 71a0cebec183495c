"""The public key that a command is given, with the ring that leads to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchd.cli.file_arguments import read_file
from benchd.cli.messages import detail_of
from benchd.cli.misuse import mistake

if TYPE_CHECKING:
    from benchd.signing.key_ring import KeyRing

NEWEST_KEY = typer.Option("--key", help="The newest public key (PEM).")
PublicKeyOption = Annotated[Path, NEWEST_KEY]
RingOption = Annotated[
    Path | None,
    typer.Option("--ring", help="The rack's key ring, where it has had other keys before."),
]


def ring_of(key: Path, ring: Path | None) -> KeyRing:
    """The keys to be trusted; a ring that doesn't lead to the key is a mistake in the command."""
    from benchd.signing.key_ring import KeyRing, decode_ring
    from benchd.signing.public_key import public_key_of

    public_key = public_key_of(read_file(key))
    if ring is None:
        return KeyRing.of(public_key)
    try:
        return decode_ring(read_file(ring), public_key)
    except ValueError as error:
        raise mistake("say.ring_trouble", path=str(ring), detail=detail_of(error)) from error
