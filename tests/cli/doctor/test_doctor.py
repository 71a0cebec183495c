"""`benchd doctor` as a whole: nothing that couldn't be looked at is ok, and nothing is changed."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from typer.testing import CliRunner

from benchd.certificate import load_key
from benchd.cli.doctor.daemon import DaemonAnswer, ask_daemon, daemon
from benchd.cli.doctor.doctor_command import exit_code
from benchd.cli.doctor.examination import Instruments, configuration, examine
from benchd.cli.doctor.findings import Finding, Verdict
from benchd.cli.doctor.folders import Owner
from benchd.cli.doctor.ledger_checks import key_age, key_usable, ledger
from benchd.cli.main import app as command
from benchd.cli.messages import both, catalogue
from benchd.domain.errors import DependencyMissing
from benchd.domain.record import Entry, EntryKind
from benchd.domain.slot import ProblemCode, ProblemView
from benchd.ledger import open_ledger
from benchd.ledger.records.records_access import Records
from benchd.slots.board import RackBoard
from benchd.texts.catalogue import Catalogue
from tests.web.served import app_of
from tests.web.web_fakes import FakeRack, Feed
from tests.web.web_running import SEES_ALL, running

NOW = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
TOLD = DaemonAnswer(broken=False, records=7, key_created=NOW.timestamp() - 86_400, readers={})


def nobody(path: Path) -> DaemonAnswer:
    raise DependencyMissing(f"no daemon answers at {path}", cure="start it")


def instruments(told: DaemonAnswer | None = None) -> Instruments:
    return Instruments(
        environ={},
        show=lambda _: None,
        ask_daemon=nobody if told is None else lambda _: told,
        ask_adb=lambda _: 41,
        is_synchronised=lambda: True,
        now=lambda: NOW,
        owner=lambda: Owner(name="benchd", uid=os.geteuid()),
        prometheus=Path("/nowhere/prometheus.yml"),
        usb_devices=Path("/nowhere/devices"),
    )


def verdicts(found: Sequence[Finding]) -> dict[str, Verdict]:
    return {each.check: each.verdict for each in found}


def test_every_check_has_its_finding_with_or_without_a_configuration(
    config: Path, tmp_path: Path
) -> None:
    for file in (config, tmp_path / "none.toml"):
        found = examine(file, None, instruments())
        checks = {each.check.removeprefix("check.") for each in found}
        assert checks == catalogue().section("check").keys()


def test_without_a_configuration_nothing_that_needs_it_is_ok(tmp_path: Path) -> None:
    found = verdicts(examine(tmp_path / "none.toml", None, instruments()))
    assert found.pop("check.configuration") is Verdict.FAIL
    assert {check for check, verdict in found.items() if verdict is Verdict.OK} == {
        "check.clock",
        "check.fonts",
    }


def test_a_rack_in_order_fails_nothing(config: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "certificates").mkdir(mode=0o700)
    found = examine(config, None, instruments(TOLD))
    assert [each for each in found if each.verdict is Verdict.FAIL] == []
    assert exit_code(found) == 0


def test_nothing_is_made_or_changed_by_looking(config: Path, tmp_path: Path) -> None:
    def all_there() -> dict[str, tuple[int, int]]:
        found = {each: each.stat() for each in tmp_path.rglob("*")}
        return {str(each): (told.st_mtime_ns, told.st_mode) for each, told in found.items()}

    before = all_there()
    examine(config, None, instruments())
    assert all_there() == before


def test_the_first_mistake_of_a_configuration_is_told_with_its_place(config: Path) -> None:
    config.write_text(config.read_text("utf-8") + "[rack]\nsettle_s = -1\nrecipe = 7\n", "utf-8")
    found, settings = configuration(config)
    assert (found.verdict, found.cure, settings) == (Verdict.FAIL, "cure.check_config", None)
    assert found.facts["count"] == "2"
    assert str(found.facts["detail"]).startswith(f"{config}:")


def test_a_silent_daemon_fails_and_one_that_may_not_be_asked_isnt_checked() -> None:
    def forbidden(path: Path) -> DaemonAnswer:
        raise DependencyMissing("not yours", cure="ask") from PermissionError(
            13, "Permission denied"
        )

    place = Path("/run/benchd/benchd.sock")
    assert daemon(place, nobody)[0].verdict is Verdict.FAIL
    found, told = daemon(place, forbidden)
    assert (found.verdict, found.cure, told) == (Verdict.NOT_CHECKED, "cure.as_root", None)


METRICS = b"""\
# HELP benchd_reader_up Whether the slot's contactless reader answers
benchd_reader_up{slot="A1"} 1.0
benchd_reader_up{slot="A2"} 0.0
benchd_key_created_timestamp_seconds 1.7e+09
benchd_hook_dead_letters{hook="stock"} 3.0
benchd_hook_dead_letters{hook="shop"} 1.0
benchd_ledger_broken 0.0
"""


async def metrics(_: str) -> tuple[bytes, str]:
    return METRICS, "text/plain"


@pytest.mark.asyncio
@pytest.mark.parametrize("switched_on", [True, False])
async def test_a_running_daemon_tells_of_its_ledger_readers_and_key(
    rack: FakeRack, catalogue: Catalogue, tmp_path: Path, switched_on: bool
) -> None:
    assert isinstance(rack.board, RackBoard)
    rack.board.show_notice(ProblemView(code=ProblemCode.LEDGER_BROKEN))
    app = app_of(
        rack,
        catalogue,
        callers=SEES_ALL,
        records=Records(tmp_path / "records.sqlite", Feed(rack)),
        scrape=metrics if switched_on else None,
    )
    async with running(app, tmp_path / "benchd.sock") as here:
        told = await anyio.to_thread.run_sync(ask_daemon, here.path)
    assert told == DaemonAnswer(
        broken=True,
        records=0,
        key_created=1.7e9 if switched_on else None,
        readers={"A1": True, "A2": False} if switched_on else None,
        hears={},
        dead_letters=4 if switched_on else None,
    )


async def keep_a_record(path: Path, key: Path) -> None:
    async with open_ledger(path, head_key=load_key(key)) as kept:
        await kept.append(Entry(kind=EntryKind.DAEMON_STARTED, at=NOW))


@pytest.mark.asyncio
async def test_a_ledger_at_rest_is_known_by_its_form_and_its_signature(
    config: Path, tmp_path: Path
) -> None:
    key, file = tmp_path / "key.pem", tmp_path / "ledger.sqlite"
    assert config.is_file()
    assert ledger(file, key, None).word == "doctor.ledger_not_yet"
    await keep_a_record(file, key)
    found = ledger(file, key, None)
    assert (found.verdict, found.facts["count"]) == (Verdict.OK, "1")
    head = tmp_path / "ledger.sqlite.head"
    signed = head.read_bytes()
    head.write_bytes(signed.replace(b"1", b"2"))
    assert ledger(file, key, None).word == "doctor.ledger_damaged"
    head.unlink()
    assert ledger(file, key, None).word == "doctor.ledger_not_whole"
    head.write_bytes(signed)
    file.write_bytes(b"not a database")
    assert ledger(file, key, None).verdict is Verdict.FAIL
    (tmp_path / "key.pem.pub").unlink()
    assert ledger(file, key, None).verdict is Verdict.NOT_CHECKED


def test_a_ledger_in_use_is_as_the_daemon_says(tmp_path: Path) -> None:
    file, key = tmp_path / "ledger.sqlite", tmp_path / "key.pem"
    assert ledger(file, key, TOLD).verdict is Verdict.OK
    broken = ledger(file, key, DaemonAnswer(broken=True, records=7))
    assert (broken.verdict, broken.cure) == (Verdict.FAIL, "cure.verify_ledger")


def test_a_key_has_to_be_there_private_and_a_key(config: Path, tmp_path: Path) -> None:
    key = tmp_path / "key.pem"
    assert config.is_file()
    assert key_usable(key, {}).verdict is Verdict.OK
    key.chmod(0o640)
    assert (key_usable(key, {}).cure, key_usable(key, {}).facts["value"]) == (
        "cure.close_key",
        "0640",
    )
    key.chmod(0o600)
    key.write_text("no key")
    assert key_usable(key, {}).word == "doctor.key_unusable"
    key.unlink()
    assert key_usable(key, {}).word == "doctor.key_missing"


@pytest.mark.parametrize(
    ("days", "verdict"), [(1, Verdict.OK), (3 * 365, Verdict.OK), (3 * 365 + 1, Verdict.WARN)]
)
def test_a_key_is_old_after_three_years(tmp_path: Path, days: int, verdict: Verdict) -> None:
    created = (NOW - timedelta(days=days)).timestamp()
    told = DaemonAnswer(broken=False, records=7, key_created=created)
    found = key_age(tmp_path / "key.pem", told, NOW)
    assert (found.verdict, found.facts["count"]) == (verdict, str(days))


def test_the_age_of_a_key_that_nobody_tells_is_not_checked(tmp_path: Path) -> None:
    assert key_age(tmp_path / "key.pem", None, NOW).verdict is Verdict.NOT_CHECKED


def test_the_command_tells_lines_or_json_and_fails_where_anything_does(config: Path) -> None:
    env = {"BENCHD_SOCKET": str(config.with_name("none.sock")), "LC_ALL": "C"}
    asked = ["doctor", "--config", str(config)]
    told = CliRunner().invoke(command, asked, env=env)
    assert told.exit_code == 1
    assert "[ok] configuration: " in told.output
    assert "[fail] daemon: no daemon answers" in told.output
    assert "    → `systemctl start benchd`" in told.output
    shown = CliRunner().invoke(command, [*asked, "--json"], env=env)
    checks = json.loads(shown.output)["checks"]
    [found] = [each for each in checks if each["check"] == "daemon"]
    assert (found["verdict"], found["found"]) == ("fail", "daemon_silent")
    assert found["cure"]["ja"].startswith("「systemctl start benchd」")
    japanese = CliRunner().invoke(command, asked, env={**env, "LC_ALL": "ja_JP.UTF-8"})
    assert "[異常] サービス本体: " in japanese.output


@pytest.mark.parametrize(
    "key",
    [
        *(f"doctor.{word}" for word in catalogue().section("doctor")),
        *(f"cure.{word}" for word in catalogue().section("cure")),
    ],
)
def test_every_sentence_has_its_facts_in_both_languages(key: str) -> None:
    told = both(key, **dict.fromkeys(("path", "name", "detail", "value", "count"), "事実"))
    assert told.ja.count("事実") == told.en.count("事実")
    assert "{" not in told.ja + told.en
