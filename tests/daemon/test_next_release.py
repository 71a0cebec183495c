"""A daemon that starts on a ledger into which the next release has written."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest

from benchd.certificate import create_key, load_key
from benchd.config import load_settings
from benchd.daemon.composition import run_daemon
from benchd.domain.ids import JobId, JsonValue, SlotName
from benchd.domain.record import Entry, EntryKind
from benchd.ledger import export_lines, open_ledger, verify_ledger
from tests.daemon.started_daemon import CONFIG, RECIPES, answered
from tests.daemon.test_light_start import nothing_plugged
from tests.devices.android.handset_fakes import fake_server
from tests.free_port import free_port
from tests.nothing_plugged import NothingPlugged

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
NEWER: dict[str, JsonValue] = {"form": 99, "told_by": "the next release", "more": [1, {"a": None}]}
JOB = JobId("20261124-A1-0001")
OPEN = JobId("20261124-A1-0002")


def _of_next_release() -> list[Entry]:
    """A record of each kind in words of its own, and of kinds that are new."""
    records = [
        Entry(kind=EntryKind.read(word), at=AT, slot=slot, occupancy=occupancy, job=job, data=NEWER)
        for word in ("handset_weighed", "rack_joined")
        for slot, occupancy, job in ((None, None, None), (SlotName("A1"), 7, JOB))
    ]
    named: dict[EntryKind, dict[str, JsonValue]] = {
        EntryKind.PERSON_CHANGED: {"person": "sato"},
        EntryKind.TOKEN_CHANGED: {"token": "stock"},
    }
    # How keys were rotated and what a restore left out is told in their own forms, or not at all.
    told_exactly = (EntryKind.KEY_ROTATED, EntryKind.LEDGER_RESTORED)
    for kind in EntryKind:
        if kind not in told_exactly:
            data = {**NEWER, **named.get(kind, {})}
            slot = SlotName("A1")
            records.append(Entry(kind=kind, at=AT, slot=slot, occupancy=8, job=JOB, data=data))
    return [*records, Entry(kind=EntryKind.JOB_OPENED, at=AT, job=OPEN, data=NEWER)]


@pytest.mark.asyncio
async def test_it_starts_and_serves(tmp_path: Path) -> None:
    create_key(tmp_path / "key.pem")
    key = load_key(tmp_path / "key.pem")
    async with open_ledger(tmp_path / "ledger.sqlite", head_key=key) as ledger:
        for entry in _of_next_release():
            await ledger.append(entry)
    async with fake_server() as server:
        for request in ("host:track-devices", "host:track-devices-l"):
            server.on(request, nothing_plugged)
        config = CONFIG.format(recipes=RECIPES, adb=server.place.path, http=free_port())
        (tmp_path / "benchd.toml").write_text(config, encoding="utf-8")
        settings = load_settings(tmp_path / "benchd.toml")
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(run_daemon, settings, NothingPlugged())
                await answered(settings.http.socket)
                tasks.cancel_scope.cancel()
    report = verify_ledger(settings.ledger.path, key.public_key_pem)
    assert report.records > len(_of_next_release())
    assert b'"kind":"handset_weighed"' in b"".join(export_lines(settings.ledger.path))
