"""What `benchd certificate show|verify` tells: the certificate in words, and what was checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from benchd.cli.daemon_client import show
from benchd.cli.file_arguments import read_file
from benchd.cli.messages import catalogue, detail_of, failed, language, say
from benchd.cli.rings import ring_of
from benchd.domain.errors import CertificateInvalid

if TYPE_CHECKING:
    from benchd.papers.paper_check import Checked


def checked_file(file: Path, key: Path, ring: Path | None) -> Checked:
    """The certificate in a file, JSON or PDF, by this key alone, or the ring that leads to it.

    Raises CertificateInvalid.
    """
    from benchd.papers.paper_check import check
    from benchd.papers.press import BY_COMMAND

    return check(read_file(file), ring_of(key, ring), catalogue(), where=BY_COMMAND)


def looked_at(data: bytes) -> Checked:
    """What a file says of itself; raises CertificateInvalid where it's no certificate."""
    from benchd.papers.paper_check import look
    from benchd.papers.press import BY_COMMAND

    return look(data, where=BY_COMMAND)


def refuse(file: str, error: CertificateInvalid) -> typer.Exit:
    """Tell why it doesn't count, and end with 1."""
    return failed("say.certificate_not_valid", path=file, detail=detail_of(error))


def tell_checked(checked: Checked, *, as_json: bool) -> None:
    """Print all of it in the reader's language, or as JSON."""
    show(as_json, _as_json(checked), lambda: _tell_page(checked))


def _tell_page(checked: Checked) -> None:
    from benchd.papers.certificate_page import CertificatePage
    from benchd.papers.paper_content import text_of

    document = CertificatePage(catalogue()).document(checked.signed, language())
    typer.echo(text_of(document))
    typer.echo("")
    typer.echo(say("paper.checked"))
    for line in _checks(checked):
        typer.echo(f"  - {line}")


def _checks(checked: Checked) -> Iterator[str]:
    if not checked.signature:
        yield say("paper.checked_nothing")
        return
    yield say("paper.checked_statement", value=checked.signed.key_id)
    if checked.kind == "pdf":
        page = "paper.checked_page" if checked.paper_key_vouched else "paper.checked_page_alone"
        yield say(page, value=checked.paper_key_sha256 or "")
        same = "paper.checked_same" if checked.page_compared else "paper.checked_not_same"
        yield say(same)
    yield say("paper.checked_no_more")


def _as_json(checked: Checked) -> dict[str, object]:
    return {
        "kind": checked.kind,
        "signature_checked": checked.signature,
        "key": checked.signed.key_id,
        "paper_key_sha256": checked.paper_key_sha256,
        "paper_key_vouched": checked.paper_key_vouched,
        "page_compared": checked.page_compared,
        "statement": checked.signed.statement,
    }
