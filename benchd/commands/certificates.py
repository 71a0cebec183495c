"""`benchd certificate …`: what the rack has signed of its handsets."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import typer

from benchd.commands.daemon_client import daemon_client
from benchd.commands.files import read_file, write_new
from benchd.commands.options import JsonOption
from benchd.commands.rings import PublicKeyOption, RingOption, ring_of
from benchd.commands.saying import say, tell
from benchd.commands.which_job import JobArgument, job_named
from benchd.errors import CertificateInvalid
from benchd.texts.command_words import SayWord

certificate_app = typer.Typer(help="Certificates of erasure.", no_args_is_help=True)


@certificate_app.command("show")
def certificate_show(of: JobArgument) -> None:
    """Print a job's certificate as the daemon keeps it."""
    with daemon_client() as client:
        sys.stdout.buffer.write(client.certificate(job_named(client, of)))


@certificate_app.command("export")
def certificate_export(of: JobArgument, file: Path) -> None:
    """Write a job's certificate to a new file."""
    with daemon_client() as client:
        envelope = client.certificate(job_named(client, of))
    write_new(file, envelope)


@certificate_app.command("verify")
def certificate_verify(
    file: Path,
    key: PublicKeyOption,
    ring: RingOption = None,
    json_output: JsonOption = False,
) -> None:
    """Check a certificate on any machine; a key inside the file is never trusted."""
    from benchd.certificate import verify_certificate

    try:
        statement = verify_certificate(read_file(file), ring_of(key, ring))
    except CertificateInvalid as error:
        said = say(SayWord.CERTIFICATE_NOT_VALID, path=str(file), detail=str(error))
        typer.echo(f"benchd: {said}", err=True)
        raise typer.Exit(1) from error
    if json_output:
        typer.echo(json.dumps(statement, ensure_ascii=False, indent=2))
    else:
        tell(SayWord.CERTIFICATE_VALID, path=str(file))
