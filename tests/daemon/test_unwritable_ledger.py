"""A ledger that can store nothing more ends the daemon, whoever finds out."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import anyio
import pytest

from benchd.certificate import create_key
from benchd.config import load_settings
from benchd.daemon.composition import run_daemon
from benchd.domain.errors import LedgerFault
from benchd.ledger.ledger_store import LedgerStore
from tests.daemon.started_daemon import CONFIG, RECIPES, answered
from tests.daemon.test_light_start import nothing_plugged
from tests.devices.android.handset_fakes import fake_server
from tests.free_port import free_port
from tests.nothing_plugged import NothingPlugged


async def sign_in_wrongly(socket: Path) -> None:
    """Which is put on record."""
    body = json.dumps({"person": "sato", "pin": "902716", "badge": None})
    head = "POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    async with await anyio.connect_unix(socket) as stream:
        await stream.send(f"{head}content-length: {len(body)}\r\n\r\n{body}".encode())
        await stream.receive()


@pytest.mark.asyncio
async def test_a_visitors_record_that_finds_no_room_ends_it_as_a_slots_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nobody could answer any more, also when there is room again, and nobody would know."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    create_key(tmp_path / "key.pem")
    async with fake_server() as server:
        for request in ("host:track-devices", "host:track-devices-l"):
            server.on(request, nothing_plugged)
        config = CONFIG.format(recipes=RECIPES, adb=server.place.path, http=free_port())
        (tmp_path / "benchd.toml").write_text(config, encoding="utf-8")
        settings = load_settings(tmp_path / "benchd.toml")

        async def life() -> None:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(run_daemon, settings, NothingPlugged())
                await answered(settings.http.socket)
                monkeypatch.setattr(LedgerStore, "_write", full)
                await sign_in_wrongly(settings.http.socket)
                await anyio.sleep_forever()

        with anyio.fail_after(60), pytest.raises(BaseExceptionGroup) as ended:
            await life()
    ours, others = ended.value.split(LedgerFault)
    assert ours is not None
    assert others is None
