"""A daemon that starts: with what loaded, on what ledger, without which programs; and its end."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import anyio
import pytest
from structlog.testing import capture_logs

from benchd.certificate import DsseIssuer, create_key, load_key, verify_certificate
from benchd.config import Settings
from benchd.daemon import composition
from benchd.daemon.composition import run_daemon
from benchd.daemon.directories import make_directories
from benchd.daemon.rack_metrics import metrics_of
from benchd.devices.android import filler
from benchd.devices.android.filler import ABIS, Program, built_path
from benchd.domain.errors import DependencyMissing, LedgerFault
from benchd.domain.ids import JobId, JsonValue, SlotName
from benchd.domain.record import Entry, EntryKind
from benchd.hotplug import UdevHotplug
from benchd.ledger import export_lines, open_ledger, verify_ledger
from benchd.ledger.ledger_store import LedgerStore
from benchd.pipelines.stages import STAGE_CLASSES
from tests.certificate.certificate_rack import ISSUED_AT, proven_erasure
from tests.daemon.rotated_rack import make_rack
from tests.daemon.started_daemon import started

pytestmark = pytest.mark.asyncio

NOT_AT_START = (
    *("typst", "segno", "pyhanko", "asn1crypto"),
    *("httpx2", "httpcore2", "truststore", "requests", "urllib3", "PIL"),
    *("alembic", "sqlalchemy", "benchd.lab", "benchd.cli"),
)
"""Each takes some 50 ms or some MB: it is loaded by who needs it, beside the event loop.

Typesetting, codes and signed PDFs are the press's; HTTP is of hooks, traces and anchors.
"""


@pytest.mark.timeout(120)
async def test_a_started_daemon_has_loaded_nothing_that_only_papers_or_hooks_need(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-m", "tests.daemon.started_daemon", str(tmp_path)]
    done = await anyio.run_process(command, stderr=subprocess.STDOUT, check=False)
    told = done.stdout.decode()
    assert done.returncode == 0, told
    loaded = set(told.splitlines())
    assert "benchd.daemon.composition" in loaded
    assert [name for name in NOT_AT_START if name in loaded] == []


async def test_the_time_of_each_stage_has_its_series_before_any_has_run(rack: Settings) -> None:
    families = {family.name: family for family in metrics_of(rack).families()}
    for name in ("benchd_stage_duration_seconds", "benchd_stage_time_seconds"):
        assert {sample.labels["stage"] for sample in families[name].samples} == set(STAGE_CLASSES)


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


async def test_it_starts_and_serves_on_a_ledger_of_the_next_release(tmp_path: Path) -> None:
    key = create_key(tmp_path / "key.pem")
    async with open_ledger(tmp_path / "ledger.sqlite", head_key=key) as ledger:
        for entry in _of_next_release():
            await ledger.append(entry)
    async with started(tmp_path) as settings:
        pass
    report = verify_ledger(settings.ledger.path, key.public_key_pem)
    assert report.records > len(_of_next_release())
    assert b'"kind":"handset_weighed"' in b"".join(export_lines(settings.ledger.path))


async def test_item_9_of_the_stumbles_the_configured_address_stands_on_certificates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[DsseIssuer] = []

    class Kept(DsseIssuer):
        def __init__(self, **told: Any) -> None:  # noqa: ANN401 - as the daemon gives it
            super().__init__(**told)
            made.append(self)

    monkeypatch.setattr(composition, "DsseIssuer", Kept)
    address = "埼玉県さいたま市大宮区1-2-3"
    async with started(tmp_path, site=f'address = "{address}"') as settings:
        pass
    [issuer] = made
    data = issuer.issue(proven_erasure(), ISSUED_AT)
    public = load_key(settings.certificate.key).public_key_pem
    predicate = verify_certificate(data, public)["predicate"]
    assert isinstance(predicate, dict)
    assert (predicate["site"], predicate["site_address"]) == ("light", address)


async def sign_in_wrongly(socket: Path) -> None:
    """Which is put on record."""
    body = json.dumps({"person": "sato", "pin": "902716", "badge": None})
    head = "POST /api/v1/session HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
    async with await anyio.connect_unix(socket) as stream:
        await stream.send(f"{head}content-length: {len(body)}\r\n\r\n{body}".encode())
        await stream.receive()


async def test_a_visitors_record_that_finds_no_room_ends_it_as_a_slots_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nobody could answer any more, also when there is room again, and nobody would know."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    async def life() -> None:
        async with started(tmp_path) as settings:
            monkeypatch.setattr(LedgerStore, "_write", full)
            await sign_in_wrongly(settings.http.socket)
            await anyio.sleep_forever()

    with pytest.raises(BaseExceptionGroup) as ended:
        await life()
    ours, others = ended.value.split(LedgerFault)
    assert ours is not None
    assert others is None


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for fill programs, as empty as that of a checkout nothing was built in."""
    monkeypatch.setattr(filler, "SOURCE_FOLDER", tmp_path)
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A rack without a signing key: what gets past the programs stops there."""
    made = make_rack(tmp_path)
    made.certificate.key.unlink()
    return made


async def refusal(settings: Settings, *, usb: bool = True) -> DependencyMissing:
    with pytest.raises(DependencyMissing) as refused:
        await run_daemon(settings, UdevHotplug(), usb=usb)
    return refused.value


async def test_a_checkout_without_any_program_does_not_start(
    programs: Path, settings: Settings
) -> None:
    refused = await refusal(settings)
    assert refused.exit_code == 3
    assert str(programs) in refused.message
    assert refused.cure.endswith("python -m benchd.devices.android.filler.build")


@pytest.mark.parametrize("usb", [True, False])
async def test_a_checkout_with_one_program_starts_and_tells_of_the_others(
    programs: Path, settings: Settings, usb: bool
) -> None:
    for program in Program:
        built_path("amd64", program).touch()
    with capture_logs() as logs:
        refused = await refusal(settings, usb=usb)
    assert "benchd key create" in refused.cure
    told = [(line["event"], line["abis"]) for line in logs]
    assert told == ([("fill_program_missing", ("arm64", "arm", "386"))] if usb else [])


@pytest.mark.parametrize("lost", Program)
async def test_an_installed_wheel_without_one_of_its_programs_does_not_start(
    programs: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, lost: Program
) -> None:
    names = [f"{program}-{abi}" for abi in ABIS for program in Program]
    shipped = [metadata.PackagePath(f"benchd/devices/android/filler/bin/{name}") for name in names]
    monkeypatch.setattr(metadata, "files", lambda _name: shipped)
    for name in names:
        (programs / name).touch()
    assert "benchd key create" in (await refusal(settings)).cure
    built_path("arm64", lost).unlink()
    refused = await refusal(settings)
    assert "arm64" in refused.message
    assert refused.cure.endswith("scripts/install")


async def test_a_ledger_that_is_begun_is_a_warning_once(tmp_path: Path) -> None:
    """On a rack that had one its disk isn't there, which nothing else would tell."""
    with capture_logs() as logs:
        for _ in range(2):
            async with started(tmp_path):
                pass
    [told] = [line for line in logs if line["event"] == "ledger_begun"]
    assert (told["log_level"], told["path"]) == ("warning", str(tmp_path / "ledger.sqlite"))


async def test_a_folder_that_takes_no_certificate_ends_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An erasure that has no place for its certificate would be found out about too late."""
    async with started(tmp_path) as settings:
        pass
    closed = settings.certificate.directory
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != closed)
    with pytest.raises(DependencyMissing, match="can't be written to") as refused:
        make_directories(settings)
    assert f"chown -R benchd: {closed}" in refused.value.cure
    # On what is mounted read-only no owner helps.
    mounted = SimpleNamespace(f_flag=os.ST_RDONLY)
    monkeypatch.setattr(os, "statvfs", lambda _: mounted)
    with pytest.raises(DependencyMissing, match="Read-only file system") as refused:
        make_directories(settings)
    assert "chown" not in refused.value.cure
    assert f"findmnt --target {closed}" in refused.value.cure
    monkeypatch.setattr(os, "access", lambda *_: True)
    refuses = OSError(errno.EROFS, os.strerror(errno.EROFS))
    monkeypatch.setattr(Path, "mkdir", Mock(side_effect=refuses))
    with pytest.raises(DependencyMissing, match="Read-only file system") as refused:
        make_directories(settings)
    assert "journalctl -k -p err" in refused.value.cure


@pytest.mark.as_root
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder away")
async def test_what_root_makes_in_a_folder_of_benchds_is_benchds(tmp_path: Path) -> None:
    """As `benchd setup` does after a first start that failed: systemd has made the outer one."""
    async with started(tmp_path) as settings:
        pass
    settings.certificate.directory.rmdir()
    os.chown(tmp_path, 4711, 4711)
    make_directories(settings)
    assert settings.certificate.directory.stat().st_uid == 4711
