"""The ledger, its key and what is due for both: backups, verifications, records nobody signed."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from benchd.certificate import create_key, load_key
from benchd.cli.doctor import upkeep_checks as doctor_upkeep
from benchd.cli.doctor.daemon import DaemonAnswer
from benchd.cli.doctor.findings import Finding, Verdict
from benchd.cli.doctor.folders import Owner
from benchd.cli.doctor.ledger_checks import key_age, key_usable, ledger, unsigned
from benchd.cli.doctor.upkeep_checks import folder_of, upkeep
from benchd.daemon.upkeep import Upkeep, note_done
from benchd.domain.record import Entry, EntryKind
from benchd.ledger import open_ledger

NOW = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)


OK, WARN, FAIL, NOT_CHECKED = Verdict.OK, Verdict.WARN, Verdict.FAIL, Verdict.NOT_CHECKED


ME = Owner(name="benchd", uid=os.geteuid())
TOLD = DaemonAnswer(broken=False, records=7, key_created=NOW.timestamp() - 86_400, readers={})


async def keep(count: int, path: Path, key: Path) -> None:
    async with open_ledger(path, head_key=load_key(key)) as kept:
        for _ in range(count):
            await kept.append(Entry(kind=EntryKind.DAEMON_STARTED, at=NOW))


@pytest.mark.asyncio
@pytest.mark.usefixtures("config")
async def test_a_ledger_at_rest_is_opened_as_a_start_would_and_unsigned_records_are_counted(
    tmp_path: Path,
) -> None:
    key, file = tmp_path / "key.pem", tmp_path / "ledger.sqlite"
    head, certificates = tmp_path / "ledger.sqlite.head", tmp_path / "certificates"
    looked = partial(ledger, file, key, certificates, None)
    assert looked().word == "doctor.ledger_not_yet"
    assert unsigned(file, key, None).word == "doctor.ledger_not_yet"
    assert unsigned(file, key, TOLD).verdict is OK
    await keep(1, file, key)
    found = looked()
    assert (found.verdict, found.facts["count"]) == (OK, "1")
    assert unsigned(file, key, None).facts["count"] == "0"
    signed = head.read_bytes()
    head.write_bytes(signed.replace(b"1", b"2"))
    assert looked().word == "doctor.ledger_refused"
    head.unlink()
    assert looked().word == "doctor.ledger_refused"
    head.write_bytes(signed)
    await keep(2, file, key)
    head.write_bytes(signed)
    found = unsigned(file, key, None)
    assert (found.verdict, found.cure, found.facts["count"]) == (FAIL, "cure.look_at_unsigned", "2")
    for torn in (b"not a database", b"not a database" * 999):
        file.write_bytes(torn)
        assert looked().verdict is FAIL
    assert unsigned(file, key, None).word == "doctor.ledger_damaged"
    # What is wrong with the key is no fault of the ledger's.
    (tmp_path / "key.pem.ring").write_text("{}")
    assert (looked().verdict, looked().word) == (NOT_CHECKED, "doctor.needs_key")
    assert unsigned(file, key, None).word == "doctor.needs_key"
    (tmp_path / "key.pem.ring").unlink()
    key.unlink()
    (tmp_path / "key.pem.pub").unlink()
    assert looked().verdict is NOT_CHECKED
    assert unsigned(file, key, None).verdict is NOT_CHECKED


@pytest.mark.asyncio
@pytest.mark.usefixtures("config")
async def test_a_ledger_that_another_key_has_signed_is_refused_as_a_start_would(
    tmp_path: Path,
) -> None:
    key, file = tmp_path / "key.pem", tmp_path / "ledger.sqlite"
    await keep(1, file, key)
    create_key(tmp_path / "other.pem")
    (tmp_path / "other.pem").replace(key)
    assert ledger(file, key, tmp_path / "certificates", None).word == "doctor.ledger_refused"


def test_a_ledger_in_use_is_as_the_daemon_says(tmp_path: Path) -> None:
    looked = partial(ledger, tmp_path / "ledger.sqlite", tmp_path / "key.pem", tmp_path)
    assert looked(TOLD).verdict is OK
    broken = looked(DaemonAnswer(broken=True, records=7))
    assert (broken.verdict, broken.cure) == (FAIL, "cure.verify_ledger")


@pytest.mark.usefixtures("config")
def test_a_key_has_to_be_there_private_and_a_key(tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    assert key_usable(key, {}, ME).verdict is OK
    key.chmod(0o640)
    found = key_usable(key, {}, ME)
    assert (found.cure, found.facts["value"]) == ("cure.close_key", "0640")
    key.chmod(0o600)
    secrets = tmp_path / "key.pem.secrets"
    secrets.touch(0o644)
    found = key_usable(key, {}, ME)
    assert (found.word, found.facts["path"]) == ("doctor.key_open", str(secrets))
    secrets.unlink()
    # Who may write into its folder puts another key there.
    tmp_path.chmod(0o757)
    found = key_usable(key, {}, ME)
    assert (found.cure, found.facts["path"]) == ("cure.give_to_root", str(tmp_path))
    tmp_path.chmod(0o755)
    public = tmp_path / "key.pem.pub"
    own = public.read_bytes()
    create_key(tmp_path / "other.pem")
    for other in ((tmp_path / "other.pem.pub").read_bytes(), b"no key"):
        public.write_bytes(other)
        assert key_usable(key, {}, ME).word == "doctor.key_of_another"
    public.unlink()
    assert key_usable(key, {}, ME).cure == "cure.make_public"
    public.write_bytes(own)
    (tmp_path / "key.pem.ring").write_text("{}")
    found = key_usable(key, {}, ME)
    assert (found.word, found.cure) == ("doctor.key_unusable", "cure.key_as_said")
    assert str(found.facts["name"]).startswith("Put back the newest ring")
    key.write_text("no key")
    assert key_usable(key, {}, ME).word == "doctor.key_unusable"
    key.unlink()
    assert key_usable(key, {}, ME).word == "doctor.key_missing"


@pytest.mark.usefixtures("config")
@pytest.mark.parametrize("file", ["key.pem", "key.pem.secrets"])
def test_a_key_of_an_ordinary_user_is_never_ok(tmp_path: Path, file: str) -> None:
    theirs = tmp_path / file
    theirs.touch(0o600)
    if os.geteuid() == 0:
        os.chown(theirs, 4711, -1)
    uid = theirs.stat().st_uid
    found = key_usable(tmp_path / "key.pem", {}, Owner(name="benchd", uid=uid + 1))
    assert (found.verdict, found.word, found.cure) == (FAIL, "doctor.key_open", "cure.close_key")
    assert found.facts["value"] == f"uid {uid}"


@pytest.mark.parametrize(
    ("days", "verdict"), [(1, OK), (3 * 365, OK), (3 * 365 + 1, WARN), (None, NOT_CHECKED)]
)
def test_a_key_is_old_after_three_years_if_anybody_tells(
    tmp_path: Path, days: int | None, verdict: Verdict
) -> None:
    if days is None:
        assert key_age(tmp_path / "key.pem", None, NOW).verdict is verdict
        return
    created = (NOW - timedelta(days=days)).timestamp()
    told = DaemonAnswer(broken=False, records=7, key_created=created)
    found = key_age(tmp_path / "key.pem", told, NOW)
    assert (found.verdict, found.facts["count"]) == (verdict, str(days))


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
    # By a clock that was set back nothing is fresh.
    for what in (Upkeep.BACKUP, Upkeep.VERIFICATION):
        note_done(ledger, what, NOW + timedelta(days=2))
    assert told(upkeep(ledger, lambda _: None, NOW)) == [(WARN, "doctor.done_ahead")] * 2
    # Without a ledger nothing is due yet.
    not_yet = told(upkeep(tmp_path / "state" / "ledger.sqlite", lambda _: None, NOW))
    assert not_yet == [(NOT_CHECKED, "doctor.ledger_not_yet")]


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
