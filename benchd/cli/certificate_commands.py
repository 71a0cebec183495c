"""`benchd certificate …`: what the rack has signed of its handsets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchd.cli.daemon_client import daemon_client
from benchd.cli.file_arguments import read_file, write_new
from benchd.cli.messages import tell
from benchd.cli.options import JsonOption
from benchd.cli.rings import PublicKeyOption, RingOption
from benchd.cli.which_job import JobArgument, job_named
from benchd.domain.errors import CertificateInvalid

certificate_app = typer.Typer(help="Certificates of erasure.", no_args_is_help=True)


@certificate_app.command("show")
def certificate_show(
    of: Annotated[
        str, typer.Argument(metavar="FILE|JOB", help="A file (JSON or PDF), a job, or its handset.")
    ],
    json_output: JsonOption = False,
) -> None:
    """Tell in words what a certificate says, without checking who has signed it."""
    from benchd.cli.certificate_words import looked_at, refuse, tell_checked

    if Path(of).is_file():
        data = read_file(Path(of))
    else:
        with daemon_client() as client:
            data = client.certificate(job_named(client, of))
    try:
        checked = looked_at(data)
    except CertificateInvalid as error:
        raise refuse(of, error) from error
    tell_checked(checked, as_json=json_output)


@certificate_app.command("export")
def certificate_export(
    of: JobArgument,
    file: Annotated[Path, typer.Argument(help="A new file, its name in .pdf or .json.")],
) -> None:
    """Write a job's certificate to a new file: signed PDF for a name in .pdf, else JSON."""
    with daemon_client() as client:
        job = job_named(client, of)
        is_pdf = file.suffix.casefold() == ".pdf"
        content = client.certificate_pdf(job) if is_pdf else client.certificate(job)
    write_new(file, content)


@certificate_app.command("verify")
def certificate_verify(
    file: Annotated[Path, typer.Argument(help="The certificate, JSON or PDF.")],
    key: PublicKeyOption,
    ring: RingOption = None,
    json_output: JsonOption = False,
) -> None:
    """Check a certificate, JSON or PDF, on any machine; a key inside the file is never trusted."""
    from benchd.cli.certificate_words import checked_file, refuse, tell_checked

    try:
        checked = checked_file(file, key, ring)
    except CertificateInvalid as error:
        raise refuse(str(file), error) from error
    if not json_output:
        tell("say.certificate_valid", path=str(file))
        typer.echo("")
    tell_checked(checked, as_json=json_output)
