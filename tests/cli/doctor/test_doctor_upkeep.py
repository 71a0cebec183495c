"""Backups, verifications, records that nobody signed, and what else is noticed too late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchd.certificate import load_key
from benchd.cli.doctor import upkeep_checks as doctor_upkeep
from benchd.cli.doctor.daemon import DaemonAnswer
from benchd.cli.doctor.findings import Finding, Verdict
from benchd.cli.doctor.ledger_checks import unsigned
from benchd.cli.doctor.machine import autosuspend, page_certificate
from benchd.cli.doctor.neighbours import hooks
from benchd.cli.doctor.upkeep_checks import folder_of, upkeep
from benchd.daemon.upkeep import Upkeep, note_done
from benchd.domain.record import Entry, EntryKind
from benchd.ledger import open_ledger
from tests.web.certificates import Authority

NOW = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
OK, WARN, FAIL = Verdict.OK, Verdict.WARN, Verdict.FAIL


def told(found: list[Finding]) -> list[tuple[Verdict, str]]:
    return [(each.verdict, each.word) for each in found]


def test_backups_and_verifications_grow_old(tmp_path: Path) -> None:
    ledger = tmp_path / "ledger.sqlite"
    never = told(upkeep(ledger, lambda _: None, NOW))
    assert never == [(WARN, "doctor.backup_never"), (WARN, "doctor.verified_never")]
    for days, verdict in ((1, OK), (4, WARN)):
        note_done(ledger, Upkeep.BACKUP, NOW - timedelta(days=days))
        note_done(ledger, Upkeep.VERIFICATION, NOW - timedelta(days=days * 4))
        found = upkeep(ledger, lambda _: None, NOW)
        assert told(found) == [
            (verdict, "doctor.backup_days"),
            (verdict, "doctor.verified_days"),
        ]
        assert found[0].facts["count"] == str(days)


def test_without_a_ledger_nothing_is_due_yet(tmp_path: Path) -> None:
    [found] = upkeep(tmp_path / "state" / "ledger.sqlite", lambda _: None, NOW)
    assert (found.verdict, found.word) == (Verdict.NOT_CHECKED, "doctor.ledger_not_yet")


def timers_for(*folders: Path) -> str:
    """What systemd tells of the timers for these folders."""
    names = (str(f).strip("/").replace("-", "\\x2d").replace("/", "-") for f in folders)
    return "\n\n".join(f"Id=benchd-backup@{name}.timer\nActiveState=active" for name in names)


def test_where_timers_put_backups_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state, beside = tmp_path / "state", tmp_path / "back-up"
    state.mkdir()
    beside.mkdir()
    shown = timers_for(beside, Path("/proc"), tmp_path / "gone")
    _, *targets, _ = upkeep(state / "ledger.sqlite", lambda _: shown, NOW)
    assert sorted((each.word, each.verdict) for each in targets) == [
        ("doctor.backup_away", WARN),
        ("doctor.backup_other_disk", OK),
        ("doctor.backup_same_disk", FAIL),
    ]
    [same] = [each for each in targets if each.verdict is FAIL]
    assert (same.cure, same.facts["path"]) == ("cure.backup_elsewhere", str(beside))
    _, none, _ = upkeep(state / "ledger.sqlite", lambda _: "", NOW)
    assert (none.verdict, none.word) == (WARN, "doctor.backup_no_timer")
    assert doctor_upkeep.TIMERS.startswith("benchd-backup@")


@pytest.mark.parametrize(
    ("timer", "folder"),
    [
        ("benchd-backup@mnt-backup.timer", "/mnt/backup"),
        ("benchd-backup@mnt-back\\x2dup.timer", "/mnt/back-up"),
        ("benchd-backup@-.timer", "/"),
        ("benchd-backup@mnt-\\xe6\\x8e\\xa7\\xe3\\x81\\x88.timer", "/mnt/控え"),
    ],
)
def test_the_folder_of_a_timer(timer: str, folder: str) -> None:
    assert folder_of(timer) == Path(folder)


@pytest.mark.asyncio
async def test_records_that_nobody_has_signed_are_counted(config: Path, tmp_path: Path) -> None:
    key, file = tmp_path / "key.pem", tmp_path / "ledger.sqlite"
    assert config.is_file()
    assert unsigned(file, key, None).word == "doctor.ledger_not_yet"
    assert unsigned(file, key, DaemonAnswer(broken=False, records=9)).verdict is OK
    head = tmp_path / "ledger.sqlite.head"
    record = Entry(kind=EntryKind.DAEMON_STARTED, at=NOW)
    async with open_ledger(file, head_key=load_key(key)) as ledger:
        await ledger.append(record)
    signed = head.read_bytes()
    assert unsigned(file, key, None).facts["count"] == "0"
    async with open_ledger(file, head_key=load_key(key)) as ledger:
        await ledger.append(record)
        await ledger.append(record)
    head.write_bytes(signed)
    found = unsigned(file, key, None)
    assert (found.verdict, found.cure, found.facts["count"]) == (FAIL, "cure.look_at_unsigned", "2")
    file.write_bytes(b"not a database" * 999)
    assert unsigned(file, key, None).word == "doctor.ledger_damaged"
    (tmp_path / "key.pem.pub").unlink()
    assert unsigned(file, key, None).verdict is Verdict.NOT_CHECKED


@pytest.mark.parametrize(
    ("configured", "dead", "verdict", "word"),
    [
        (0, None, OK, "doctor.no_hooks"),
        (2, None, Verdict.NOT_CHECKED, "doctor.hooks_untold"),
        (2, 0, OK, "doctor.hooks_heard"),
        (2, 4, WARN, "doctor.hooks_gave_up"),
    ],
)
def test_events_that_were_given_up_are_told(
    configured: int, dead: int | None, verdict: Verdict, word: str
) -> None:
    found = hooks(configured, DaemonAnswer(broken=False, records=1, dead_letters=dead))
    assert (found.verdict, found.word) == (verdict, word)
    assert hooks(1, None).verdict is Verdict.NOT_CHECKED


def test_a_device_that_may_be_put_to_sleep_is_named_and_a_hub_is_not(tmp_path: Path) -> None:
    def device(name: str, kind: str, control: str) -> None:
        (tmp_path / name / "power").mkdir(parents=True)
        (tmp_path / name / "bDeviceClass").write_text(f"{kind}\n")
        (tmp_path / name / "power" / "control").write_text(f"{control}\n")

    device("usb1", "09", "auto")
    device("1-1", "00", "on")
    (tmp_path / "1-1:1.0").mkdir()
    assert autosuspend(tmp_path).verdict is OK
    device("1-4.2", "00", "auto")
    found = autosuspend(tmp_path)
    assert (found.verdict, found.facts["value"]) == (WARN, "1-4.2")
    assert autosuspend(tmp_path / "none").verdict is Verdict.NOT_CHECKED


def test_the_pages_certificate_is_told_before_it_ends(tmp_path: Path) -> None:
    assert page_certificate(None, NOW).verdict is OK
    file = Authority(tmp_path, "authority").issue("rack").certificate
    ends = datetime.fromisoformat(f"{page_certificate(file, NOW).facts['value']}T00:00:00+00:00")
    for before, verdict in ((timedelta(days=30), OK), (timedelta(days=9), WARN)):
        assert page_certificate(file, ends - before).verdict is verdict
    assert page_certificate(file, ends + timedelta(days=2)).verdict is FAIL
    file.write_text("none")
    assert page_certificate(file, NOW).verdict is Verdict.NOT_CHECKED
    assert page_certificate(tmp_path / "gone", NOW).verdict is Verdict.NOT_CHECKED
