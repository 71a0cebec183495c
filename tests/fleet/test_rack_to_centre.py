"""From a rack's ledger into the database: as the daemon has it, over TLS, by its configuration."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import anyio
import pytest
from structlog.testing import capture_logs

from benchd.certificate import create_key
from benchd.config import Settings, load_settings
from benchd.daemon.rack_fleet import RackFleet, centre_target_of
from benchd.daemon.system_clock import SystemClock
from benchd.domain.ids import SlotName
from benchd.domain.record import Entry, EntryKind
from benchd.fleet.centre_server import mutual_tls
from benchd.ledger import open_ledger, verify_ledger
from benchd.observe.announcing_ledger import announcing
from benchd.observe.metrics import RackMetrics
from benchd.signing.private_key import load_key
from benchd.signing.tls import TlsFiles
from tests.fleet.centre_rig import centre
from tests.fleet.referee import Referee
from tests.fleet.served_centre import served
from tests.outbound.hooks.hook_daemon import configuration
from tests.web.certificates import Authority

pytestmark = pytest.mark.asyncio


def settings_with(folder: Path, fleet: str) -> Settings:
    file = configuration(folder, "")
    file.write_text(f"{file.read_text()}\n[fleet]\n{fleet}\n")
    return load_settings(file)


async def test_what_the_ledger_stores_comes_to_the_centre_and_a_late_centre_gets_all(
    conninfo: str, tmp_path: Path
) -> None:
    authority = Authority(tmp_path, "fleet authority")
    shown, own = authority.issue("centre"), authority.issue("rack", client=True)
    tls = mutual_tls(
        TlsFiles(certificate=shown.certificate, key=shown.key, client_authority=authority.file)
    )
    key = create_key(tmp_path / "rack signs.pem")
    async with centre(conninfo) as here:
        await here.racks.join("rack", key.ring)
        (tmp_path / "centre.pub").write_bytes(here.key.public_key_pem)
        async with served(here.app, tls) as url:
            settings = settings_with(
                tmp_path,
                f'url = "{url}"\ncentre_key = "centre.pub"\nauthority = "{authority.file}"\n'
                f'certificate = "{own.certificate}"\nkey = "{own.key}"',
            )
            metrics = RackMetrics(slots=[], recipes=[], stages=[], version="", commit="", hooks=[])
            async with open_ledger(settings.ledger.path, head_key=key) as stored:
                fleet = RackFleet(settings, stored, key, metrics.fleet)
                ledger = announcing(stored, (fleet.follower,), metrics.fault)
                await _write(ledger, 5)
                async with anyio.create_task_group() as group:
                    group.start_soon(fleet.run, ledger.append, SystemClock().now)
                    # With its first word, which goes into the ledger and comes to the centre, too.
                    await _until(metrics, 6)
                    # It's woken by the record, and not by time.
                    await _write(ledger, 3)
                    await _until(metrics, 9)
                    group.cancel_scope.cancel()
                checkpoints = verify_ledger(settings.ledger.path, key.public_key_pem).checkpoints
                assert (checkpoints.count, checkpoints.newest) == (1, 5)
        referee = Referee(conninfo, key.ring.rack)
        assert referee.judge([settings.ledger.path]) == {"first": 1}
        assert "benchd_fleet_oldest_unacknowledged_timestamp_seconds 0.0" in await exposed(metrics)


async def test_a_rack_without_a_centre_sends_nothing(tmp_path: Path) -> None:
    settings = load_settings(configuration(tmp_path, ""))
    assert centre_target_of(settings.fleet) is None
    key = load_key(tmp_path / "key.pem")
    metrics = RackMetrics(slots=[], recipes=[], stages=[], version="", commit="", hooks=[])
    async with open_ledger(settings.ledger.path, head_key=key) as stored:
        fleet = RackFleet(settings, stored, key, metrics.fleet)
        with anyio.move_on_after(0.05):
            await fleet.run(stored.append, SystemClock().now)
    assert "benchd_fleet_failures_total 0.0" in await exposed(metrics)


async def _write(ledger: object, count: int) -> None:
    for number in range(count):
        entry = Entry(
            kind=EntryKind.CONFIG_CHANGED,
            at=datetime(2026, 11, 24, 9, tzinfo=UTC),
            data={"number": number},
        )
        await ledger.append(entry)  # type: ignore[attr-defined]


async def _until(metrics: RackMetrics, records: int) -> None:
    wanted = f"benchd_fleet_records_acknowledged_total {records}.0"
    with anyio.fail_after(20):
        while wanted not in await exposed(metrics):  # noqa: ASYNC110 - it has no event, a scrape neither
            await anyio.sleep(0.02)


async def exposed(metrics: RackMetrics) -> str:
    return (await metrics.expose(""))[0].decode()


@pytest.mark.parametrize("secret", ["", 'chip_secret = "chips"'])
async def test_a_rack_that_has_no_secret_for_chips_says_so_at_its_start(
    tmp_path: Path, secret: str
) -> None:
    key = create_key(tmp_path / "centre")
    (tmp_path / "centre.pub").write_bytes(key.public_key_pem)
    (tmp_path / "chips").write_text("0f" * 32)
    fleet = f'url = "http://127.0.0.1:1"\ncentre_key = "centre.pub"\n{secret}'
    settings = settings_with(tmp_path, fleet)
    settings = replace(
        settings, felica=replace(settings.felica, readers={SlotName("A1"): "reader"})
    )
    metrics = RackMetrics(slots=[], recipes=[], stages=[], version="", commit="", hooks=[])
    async with open_ledger(settings.ledger.path, head_key=key) as stored:
        with capture_logs() as logs:
            rack = RackFleet(settings, stored, key, metrics.fleet)
            # What readers' processes get is what it has gone by, whatever becomes of the file.
            (tmp_path / "chips").unlink()
            assert rack.chip_secret == (b"\x0f" * 32 if secret else None)
    told = [each["event"] for each in logs]
    assert told == ([] if secret else ["fleet_chips_not_compared"])
