"""The PDF of a certificate, fetched and read as its receiver would."""

from __future__ import annotations

from pathlib import Path

from anyio import to_thread

from benchd.domain.errors import CertificateInvalid
from benchd.lab.demo.demo_rack import DemoRack
from benchd.papers.signed_pdf import read_paper
from benchd.signing.key_ring import KeyRing
from benchd.signing.public_key import public_key_of
from benchd.texts.catalogue import Catalogue


async def paper_of(rack: DemoRack, job: str, beside: Path) -> str | None:
    """The file of a job's PDF, once both its signatures hold and its page says the same."""
    paper = await rack.watch.paper(job)
    key = rack.folder.public_key.read_bytes()
    try:
        read = await to_thread.run_sync(
            read_paper,
            paper,
            KeyRing.of(public_key_of(key)),
            Catalogue.load(),
        )
    except CertificateInvalid:
        return None
    file = beside.with_suffix(".pdf")
    file.write_bytes(paper)
    return str(file) if read.page_compared else None
