"""`benchd papers …`: all certificates of a lot, a day or a consignor, written out and checked."""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final
from urllib.parse import urlencode

import typer

from benchd.cli.daemon_client import daemon_client, show
from benchd.cli.messages import catalogue, detail_of, failed, language, say, tell
from benchd.cli.misuse import mistake, why
from benchd.cli.options import JsonOption
from benchd.cli.rings import PublicKeyOption, RingOption, ring_of
from benchd.cli.sign_in import BadgeFileOption, OperatorOption, PinFileOption, as_person
from benchd.domain.errors import BenchdError, CertificateInvalid

if TYPE_CHECKING:
    from benchd.papers.lots.lot_papers_check import CheckedPapers

NEXT_WITHIN_S = 120.0
"""For the next piece; the summary of thousands of handsets is one."""

_NAME: Final = re.compile(r"(certificates/)?[A-Za-z0-9_-][A-Za-z0-9_.-]*")
"""Of a file in papers: no name leads out of the folder."""

papers_app = typer.Typer(
    help="The papers of many handsets: certificates, list and summary.", no_args_is_help=True
)


@papers_app.command("export")
def papers_export(
    to: Annotated[Path, typer.Argument(metavar="DIR_OR_ZIP", help="A new folder, or a new .zip.")],
    lot: Annotated[str | None, typer.Option(help="All of this lot.")] = None,
    day: Annotated[
        str | None, typer.Option(metavar="YYYY-MM-DD", help="All jobs that ended on this day.")
    ] = None,
    consignor: Annotated[str | None, typer.Option(help="All lots of this consignor.")] = None,
    operator: OperatorOption = None,
    pin_file: PinFileOption = None,
    badge_file: BadgeFileOption = None,
) -> None:
    """Write certificates as PDF, a CSV, JSON lines, the signed list of it all and its summary."""
    asked = {
        name: value
        for name, value in (("lot", lot), ("day", day), ("consignor", consignor))
        if value is not None
    }
    if len(asked) != 1:
        raise mistake("say.papers_of_one")
    path = f"/api/v1/papers.zip?{urlencode(asked, errors='replace')}"
    with _receiving(to) as write, daemon_client(NEXT_WITHIN_S) as client:
        as_person(
            client,
            lambda: client.streamed(path, write),
            operator=operator,
            pin_file=pin_file,
            badge_file=badge_file,
        )
    tell("say.papers_written", path=str(to))


@papers_app.command("verify")
def papers_verify(
    of: Annotated[
        Path, typer.Argument(metavar="DIR_OR_ZIP", help="As exported, or the ZIP unpacked.")
    ],
    key: PublicKeyOption,
    ring: RingOption = None,
    json_output: JsonOption = False,
) -> None:
    """Check every file, on any machine: all that were signed, unchanged, and no other."""
    from benchd.domain.evidence_json import to_json
    from benchd.papers.lots.lot_papers_check import check_papers

    try:
        checked = check_papers(of, ring_of(key, ring), catalogue())
    except CertificateInvalid as error:
        raise failed("say.papers_not_valid", path=str(of), detail=detail_of(error)) from error
    told = {
        "key": checked.key_id,
        "list_sha256": checked.digest,
        "certificates": checked.certificates,
        "summary_compared": checked.page_compared,
        "zip_compared": checked.container_compared,
        "papers": to_json(checked.papers),
    }
    show(json_output, told, lambda: _tell_checked(of, checked))


def _tell_checked(of: Path, checked: CheckedPapers) -> None:
    from benchd.papers.lots.lot_desk import BY_COMMAND
    from benchd.papers.lots.summary_page import SummaryPage
    from benchd.papers.paper_content import text_of

    tell("say.papers_valid", path=str(of))
    typer.echo("")
    page = SummaryPage(catalogue()).document(
        checked.papers, checked.envelope, language(), key_id=checked.key_id, where=BY_COMMAND
    )
    typer.echo(text_of(page))
    typer.echo("")
    same = "paper.checked_same" if checked.page_compared else "paper.checked_not_same"
    typer.echo(say("paper.checked"))
    for line in (
        say("paper.lot_checked_list", value=checked.key_id),
        say("paper.lot_checked_files", count=str(checked.certificates)),
        say(same),
        say("paper.checked_no_more"),
    ):
        typer.echo(f"  - {line}")


@contextmanager
def _receiving(to: Path) -> Generator[Callable[[bytes], object]]:
    """What to write the pieces of a ZIP with: kept as a file, or unpacked into a new folder.

    The file or folder is there once all of them are. What can't be made or is there already is a
    mistake in the command.
    """
    if to.exists() or to.is_symlink():
        raise mistake("say.file_there", path=str(to))
    part = to.with_name(f"{to.name}.part")
    try:
        with part.open("xb") as file:
            yield file.write
            file.flush()
            os.fsync(file.fileno())
        _finish(part, to)
    except FileExistsError as error:
        raise mistake("say.file_there", path=str(error.filename)) from error
    except OSError as error:
        part.unlink(missing_ok=True)
        raise mistake("say.file_trouble", path=str(to), detail=why(error)) from error
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _finish(part: Path, to: Path) -> None:
    if to.suffix.casefold() == ".zip":
        part.rename(to)
        return
    with zipfile.ZipFile(part) as papers:
        for name in papers.namelist():
            if not _NAME.fullmatch(name):
                message = f"the daemon sent a file with the name {name[:80]!r}"
                raise BenchdError(message)
        to.mkdir()
        (to / "certificates").mkdir()
        for name in papers.namelist():
            (to / name).write_bytes(papers.read(name))
    part.unlink()
