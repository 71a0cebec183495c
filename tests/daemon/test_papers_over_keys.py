"""Lot papers of a whole rack: its own ledger, issuer and read model, over three keys."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

from benchd.daemon.rack_papers import lot_press_of
from benchd.domain.errors import CertificateInvalid
from benchd.domain.job import Disposition
from benchd.domain.lot_papers import AskedPapers, PapersOf
from benchd.intake.intake_store import IntakeStore
from benchd.ledger import open_ledger
from benchd.ledger.records.records_access import Records
from benchd.papers.lots.lot_papers_check import check_papers
from benchd.texts.catalogue import Catalogue
from tests.daemon.rotated_rack import AT, JOBS, Rack, issuer_of, key_of, make_rack, rotated
from tests.web.web_fakes import FakeClock

pytestmark = pytest.mark.asyncio

DAY = AskedPapers(of=PapersOf.DAY, name="2026-11-25", begin=AT, end=AT + timedelta(days=1))


async def papers_of(rack: Rack, file: Path) -> Path:
    settings, key = rack.settings, key_of(rack.settings)
    async with open_ledger(settings.ledger.path, head_key=key, ring=key.ring) as ledger:
        records = Records(file.with_suffix(".sqlite"), ledger)
        async with anyio.create_task_group() as group:
            group.start_soon(records.run)
            press = lot_press_of(
                settings,
                key,
                stored=ledger,
                ledger=ledger,
                issuer=issuer_of(settings, key),
                records=records,
                intake=IntakeStore(ledger, FakeClock()),
                holder=lambda _: None,
                clock=FakeClock(),
            )
            made = await press.export(DAY)
            file.write_bytes(b"".join([piece async for piece in made]))
            group.cancel_scope.cancel()
    return file


async def test_certificates_of_three_keys_are_in_papers_that_the_newest_signs(
    tmp_path: Path,
) -> None:
    rack = Rack(make_rack(tmp_path))
    await rack.live()
    file = await papers_of(rack, tmp_path / "papers.zip")
    catalogue = Catalogue.load()
    checked = await anyio.to_thread.run_sync(check_papers, file, rack.ring(), catalogue)
    assert checked.key_id == key_of(rack.settings).key_id
    assert [line.job for line in checked.papers.handsets] == list(JOBS)
    assert {line.disposition for line in checked.papers.handsets} == {Disposition.SELLABLE}
    assert checked.certificates == 3
    # All three are of one IMEI: it is one handset, sold once.
    assert (checked.papers.counts.handsets, checked.papers.counts.certified) == (1, 1)
    assert checked.page_compared
    # Without the ring, two of its certificates are of keys that nobody has given.
    alone = key_of(rack.settings).ring.of(rack.stolen[-1].public)
    with pytest.raises(CertificateInvalid, match="another key"):
        await anyio.to_thread.run_sync(check_papers, file, alone, catalogue)
    await rotated(rack.settings)
    ring = key_of(rack.settings).ring
    with pytest.raises(CertificateInvalid, match="made again"):
        await anyio.to_thread.run_sync(check_papers, file, ring, catalogue)
    again = await papers_of(rack, tmp_path / "again.zip")
    assert (
        await anyio.to_thread.run_sync(check_papers, again, ring, catalogue)
    ).papers.counts == checked.papers.counts
