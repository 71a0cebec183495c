"""Notes of the last backup and verification beside the ledger, and a read model made anew."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from typer.testing import CliRunner

from benchd.cli.main import app
from benchd.daemon.rack_backup import back_up
from benchd.daemon.read_model_rebuild import rebuild_records
from benchd.daemon.upkeep import Upkeep, last_done, note_done
from benchd.domain.errors import DependencyMissing, LedgerFault
from benchd.domain.ids import JobId
from benchd.domain.record import Entry, EntryKind
from benchd.ledger import open_ledger
from benchd.ledger.records.records_database import records_path
from benchd.observe.metrics import RackMetrics
from tests.core.world import SteppingClock
from tests.daemon.rotated_rack import files_of, key_of, make_rack, sell

pytestmark = pytest.mark.asyncio

DEEP = b"[" * 100_000
AT = datetime(2026, 11, 27, 1, 2, 3, tzinfo=UTC)


@pytest.fixture
def other_disk(tmp_path: Path) -> Generator[Path]:
    with TemporaryDirectory(dir="/dev/shm") as folder:
        if Path(folder).stat().st_dev == tmp_path.stat().st_dev:
            pytest.skip("all of this machine's files are in its memory")
        yield Path(folder)


async def scraped(ledger: Path) -> dict[str, float]:
    metrics = RackMetrics(slots=(), recipes=(), stages=(), version="1")
    metrics.ledger.read_from(
        last_backup=partial(last_done, ledger, Upkeep.BACKUP),
        last_verification=partial(last_done, ledger, Upkeep.VERIFICATION),
    )
    text = (await metrics.expose(""))[0].decode()
    lines = [line for line in text.splitlines() if line.startswith("benchd_ledger_last_")]
    return {line.split("_")[3]: float(line.split(" ")[1]) for line in lines}


async def test_what_was_never_done_is_zero_and_a_note_tells_when_it_was(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.db"
    assert await scraped(ledger) == {"backup": 0, "verification": 0}
    note_done(ledger, Upkeep.BACKUP, AT)
    assert await scraped(ledger) == {"backup": AT.timestamp(), "verification": 0}


@pytest.mark.parametrize("torn", [b"", b"[]", b'{"at": 3}', b'{"at": "soon"}', b"\xff", DEEP])
async def test_a_note_that_says_nothing_counts_as_never(tmp_path: Path, torn: bytes) -> None:
    ledger = tmp_path / "ledger.db"
    note_done(ledger, Upkeep.BACKUP, AT)
    (tmp_path / "ledger.db.last-backup").write_bytes(torn)
    assert (await scraped(ledger))["backup"] == 0


async def test_a_backup_on_the_ledgers_own_disk_is_not_noted_as_done(
    tmp_path: Path, other_disk: Path
) -> None:
    settings = make_rack(tmp_path)
    await sell(settings, "20261124-A1-0001")
    for folder, is_noted in ((tmp_path, False), (other_disk, True)):
        back_up(settings, folder, pace=lambda _: None)
        assert bool((await scraped(settings.ledger.path))["backup"]) is is_noted


async def test_only_a_verification_of_the_racks_own_ledger_that_holds_is_noted(
    tmp_path: Path,
) -> None:
    settings = make_rack(tmp_path)
    await sell(settings, "20261124-A1-0001")
    ledger, public = settings.ledger.path, str(files_of(settings).public)
    config = ("--config", str(tmp_path / "benchd.toml"))
    named = ("ledger", "verify", str(ledger), "--key", public)
    for misused in (named[:3], ("ledger", "verify", *config, "--key", public)):
        assert CliRunner().invoke(app, list(misused)).exit_code == 2
    assert CliRunner().invoke(app, list(named)).exit_code == 0
    assert (await scraped(ledger))["verification"] == 0
    own = CliRunner().invoke(app, ["ledger", "verify", *config])
    assert own.exit_code == 0, own.output
    noted = (await scraped(ledger))["verification"]
    assert noted > AT.timestamp() - 1e9
    with ledger.open("r+b") as file:
        file.seek(5000)
        file.write(b"\xff\xfe")
    assert CliRunner().invoke(app, ["ledger", "verify", *config]).exit_code == 1
    assert (await scraped(ledger))["verification"] == noted


async def test_the_read_model_is_made_of_the_whole_ledger_while_nobody_holds_it(
    tmp_path: Path,
) -> None:
    settings = make_rack(tmp_path)
    with pytest.raises(DependencyMissing, match="there is no ledger"):
        rebuild_records(settings)
    async with open_ledger(settings.ledger.path, head_key=key_of(settings)) as ledger:
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
