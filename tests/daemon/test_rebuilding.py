"""The read model is made anew without a daemon, and never beside one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchd.certificate import create_key
from benchd.config import load_settings
from benchd.daemon.read_model_rebuild import rebuild_records
from benchd.domain.errors import DependencyMissing, LedgerFault
from benchd.domain.ids import JobId
from benchd.domain.record import Entry, EntryKind
from benchd.ledger import open_ledger
from benchd.ledger.records.records_database import records_path
from tests.core.world import SteppingClock

RECIPES = Path(__file__).parents[2] / "configs" / "recipes"


@pytest.mark.asyncio
async def test_it_reads_the_whole_ledger_while_nobody_holds_it(tmp_path: Path) -> None:
    key = create_key(tmp_path / "key.pem")
    shutil.copytree(RECIPES, tmp_path / "recipes")
    config = tmp_path / "benchd.toml"
    config.write_text(
        'site.name = "x"\nrecipes.directory = "recipes"\nhttp.socket = "s"\n'
        'certificate.key = "key.pem"\nledger.path = "ledger.db"\n'
    )
    settings = load_settings(config)
    with pytest.raises(DependencyMissing, match="there is no ledger"):
        rebuild_records(settings)
    async with open_ledger(settings.ledger.path, head_key=key) as ledger:
        receipt = None
        for number in range(3):
            entry = Entry(
                kind=EntryKind.JOB_OPENED,
                at=SteppingClock().now(),
                job=JobId(f"job-{number}"),
                data={"recipe": "overwrite"},
            )
            receipt = await ledger.append(entry)
        with pytest.raises(LedgerFault, match="another benchd"):
            rebuild_records(settings)
    records_path(settings.ledger.path).write_text("no read model at all")
    upto = rebuild_records(settings)
    assert (upto.sequence, upto.hash) == (3, receipt and receipt.hash_hex)
