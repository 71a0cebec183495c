"""Row 10 whole: what somebody writes into the ledger's file makes no handset sellable anywhere."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import anyio
import pytest
import pytest_asyncio

from benchd.certificate import create_key
from benchd.config import Settings
from benchd.config.config_sections import AnchorSettings
from benchd.daemon.ledger_witnesses import anchors_of, certificates_that_know, witnesses_of
from benchd.daemon.restore_break import record_restored
from benchd.domain.errors import LedgerBroken, LedgerFault
from benchd.domain.ids import Evidence
from benchd.domain.job import Disposition, Reason
from benchd.domain.record import EntryKind
from benchd.domain.slot import ProblemCode
from benchd.lab.adversity.rewriting import Rewritten, rewrite
from benchd.ledger import open_ledger, patrol, verify_ledger
from benchd.ledger.head_file import head_path
from benchd.ledger.ledger_database import open_copy
from benchd.ledger.witness import check_witnesses
from tests.core.world import Phone
from tests.daemon.rewritten_rack import (
    BEYOND_A_START,
    DESTROYED,
    DESTROYED_AT,
    SOLD,
    SOLD_AT,
    Past,
    Served,
    entry,
    served,
)
from tests.daemon.rotated_rack import make_rack, settings_in
from tests.program import BENCHD

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def past(tmp_path: Path) -> Past:
    past = Past(make_rack(tmp_path))
    await past.happen()
    return past


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patrol, "PAUSE_S", 0)


def sold(certificate: str | None) -> Rewritten:
    """Make the end of the handset that is to be destroyed into that of one that may be sold."""
    end = {"outcome": "passed", "disposition": "sellable", "reason": None}

    def changed(record: Evidence) -> Evidence:
        data = record["data"]
        if (record["kind"], record["job"]) != ("job_ended", DESTROYED):
            return record
        assert isinstance(data, Mapping)
        return {**record, "data": {**data, **end, "certificate": certificate}}

    return changed


async def command(rack: Served, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command against the rack's socket, as a person types it."""
    environment = {"PATH": "/usr/bin:/bin", "BENCHD_SOCKET": str(rack.socket)}
    run = partial(subprocess.run, capture_output=True, text=True, check=False, env=environment)
    return await anyio.to_thread.run_sync(partial(run, [*BENCHD, *arguments]))


async def shows_nothing_sellable(rack: Served, folder: Path) -> None:
    """Wall, API and commands, of the handset that is to be destroyed."""
    view = await rack.until_finished(DESTROYED_AT)
    assert (view.disposition, view.reason) == (Disposition.HOLD, Reason.RECORD_BROKEN)
    slot = (await rack.get(f"/api/v1/slots/{DESTROYED_AT}")).json()
    job = (await rack.get(f"/api/v1/jobs/{DESTROYED}")).json()
    for told in (slot, job):
        assert (told["disposition"], told["reason"]) == ("hold", "record_broken")
    [listed] = [
        told for told in (await rack.get("/api/v1/jobs")).json()["jobs"] if told["job"] == DESTROYED
    ]
    assert (listed["disposition"], listed["certificate"]) == ("hold", False)
    assert (await rack.get(f"/api/v1/jobs/{DESTROYED}/certificate.json")).status_code == 404
    lines = (await command(rack, "jobs")).stdout.splitlines()
    [line] = [line for line in lines if DESTROYED in line]
    assert "sellable" not in line
    exported = await command(rack, "certificate", "export", DESTROYED, str(folder / "export"))
    assert exported.returncode == 1
    assert not (folder / "export").exists()
    assert not (folder / "certificates" / f"{DESTROYED}.json").exists()


async def starts_nothing_new(rack: Served) -> None:
    """A handset that is put in waits; nothing is opened for it."""
    before = rack.ledger.head.sequence
    rack.world.ports["A3"].plug(Phone())
    view = await rack.until_held(rack.world.ports["A3"].slot)
    assert view.job is None
    assert rack.admission.running == 0
    opened = await rack.ledger.newest_of(EntryKind.JOB_OPENED)
    assert opened is not None
    assert opened.sequence <= before


@pytest.mark.parametrize("certificate", ["none", "another job's"])
async def test_row_10_a_rewritten_end_is_nowhere_sellable_and_stops_new_work(
    past: Past, tmp_path: Path, certificate: str
) -> None:
    envelope = (past.certificates / f"{SOLD}.json").read_text()
    number = rewrite(
        past.path, sold(envelope if certificate != "none" else None), whole_chain=False
    )
    assert number is not None
    async with served(past, tmp_path) as rack:
        assert rack.ledger.head.sequence - number >= BEYOND_A_START
        await shows_nothing_sellable(rack, tmp_path)
        # Whose end is as the rack has signed it is shown as before.
        assert (await rack.until_finished(SOLD_AT)).disposition is Disposition.SELLABLE
        await rack.patrol.walk()
        assert [notice.code for notice in rack.board.notices()] == [ProblemCode.LEDGER_BROKEN]
        checked = await rack.ledger.newest_of(EntryKind.LEDGER_CHECKED)
        assert checked is not None
        assert checked.entry.data["broken_at"] == number + 1
        await starts_nothing_new(rack)
    # The next start remembers it, and holds the door before a pass has found it again.
    async with served(past, tmp_path) as rack:
        await shows_nothing_sellable(rack, tmp_path)
        await starts_nothing_new(rack)


async def test_row_10_a_chain_made_anew_behind_a_rewritten_end_is_refused(
    past: Past, tmp_path: Path
) -> None:
    rewrite(past.path, sold(None), whole_chain=True)
    with pytest.raises(LedgerBroken, match="signed for"):
        async with served(past, tmp_path):
            pytest.fail("it must not start")


@pytest.mark.parametrize("triggers", [True, False])
async def test_row_10_a_chain_made_anew_while_the_daemon_works(
    past: Past, tmp_path: Path, triggers: bool
) -> None:
    async with served(past, tmp_path) as rack:
        await rack.until_finished(DESTROYED_AT)
        rewrite(past.path, sold(None), whole_chain=True, triggers=triggers)
        job = (await rack.get(f"/api/v1/jobs/{DESTROYED}")).json()
        assert (job["disposition"], job["reason"]) == ("hold", "record_broken")
        if triggers:
            # Nothing can follow what the daemon hasn't written: it stops, and says so.
            with pytest.raises(LedgerFault, match="hash of the last"):
                await rack.patrol.walk()
        else:
            await rack.patrol.walk()
            assert rack.admission.held_for is ProblemCode.LEDGER_BROKEN
    with pytest.raises(LedgerBroken):
        async with served(past, tmp_path):
            pytest.fail("it must not start")


@pytest.mark.parametrize("anchor", [False, True])
async def test_row_10_an_older_ledger_behind_what_is_known_is_refused_with_its_cure(
    past: Past, tmp_path: Path, anchor: bool
) -> None:
    settings = settings_in(tmp_path)
    if anchor:
        (tmp_path / "mount").mkdir()
        outside = AnchorSettings(folder=tmp_path / "mount")
        told = settings.ledger.model_copy(update={"anchor": outside})
        settings = replace(settings, ledger=told)
    files = (past.path, head_path(past.path))
    newest = {file: file.read_bytes() for file in files}
    certificate = (past.certificates / f"{SOLD}.json").read_bytes()
    for file in (*files, *past.certificates.iterdir()):
        file.unlink()
    async with open_ledger(past.path, head_key=past.key) as ledger:
        await ledger.append(entry(EntryKind.DAEMON_STARTED))
    older = {file: file.read_bytes() for file in files}
    for file, data in newest.items():
        file.write_bytes(data)
    if anchor:
        # The certificates were taken away with it; whoever is outside still knows.
        async with open_ledger(past.path, head_key=past.key) as ledger:
            for one in anchors_of(settings.ledger.anchor, past.key.ring):
                await one.keep(ledger.signed_head()[1])
            known = ledger.head.sequence
    else:
        (past.certificates / f"{SOLD}.json").write_bytes(certificate)
        known = past.witnesses()[0].head.sequence
    for file, data in older.items():
        file.write_bytes(data)

    with pytest.raises(LedgerBroken, match="older or a foreign state") as refused:
        await start(past, settings)
    assert "benchd ledger restored" in str(refused.value.cure)
    assert refused.value.sequence == known
    receipt = await record_restored(settings, operator="佐藤", because="disk replaced")
    assert receipt.sequence > known
    await start(past, settings)
    assert verify_ledger(past.path, past.key.public_key_pem).records == 2


async def start(past: Past, settings: Settings) -> None:
    witnesses = await witnesses_of(settings, past.key.ring)
    assert witnesses
    async with open_ledger(past.path, head_key=past.key, witnesses=witnesses):
        pass


async def test_a_racks_certificates_are_of_its_ledger(past: Past) -> None:
    [witness] = past.witnesses()
    connection = open_copy(past.path)
    check_witnesses(connection, [witness])
    connection.execute("DROP TRIGGER record_is_never_deleted")
    connection.execute("DELETE FROM record WHERE sequence >= ?", (witness.head.sequence,))
    with pytest.raises(LedgerBroken, match="older or a foreign state"):
        check_witnesses(connection, [witness])
    connection.close()


async def test_a_folder_that_cannot_be_read_accuses_nobody(tmp_path: Path) -> None:
    public = create_key(tmp_path / "rack.key").public_key_pem
    assert certificates_that_know(tmp_path / "nowhere", public) == []
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder.json").mkdir()
    assert certificates_that_know(tmp_path, public) == []
