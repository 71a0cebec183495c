"""`benchd doctor` as a whole: nothing that couldn't be looked at is ok, and nothing is changed."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import anyio
import pytest
from typer.testing import CliRunner

from benchd.cli.doctor.daemon import DaemonAnswer, ask_daemon, daemon, notices
from benchd.cli.doctor.doctor_command import cured, exit_code
from benchd.cli.doctor.examination import Instruments, configuration, examine
from benchd.cli.doctor.findings import Verdict
from benchd.cli.doctor.folders import Owner
from benchd.cli.doctor.last_fault import Fault, last_fault
from benchd.cli.main import app as command
from benchd.cli.messages import both, catalogue
from benchd.domain.errors import DependencyMissing
from benchd.domain.slot import ProblemCode, ProblemView
from benchd.ledger.records.records_access import Records
from benchd.slots.board import RackBoard
from benchd.texts.catalogue import Catalogue
from benchd.texts.templates import Texts
from tests.web.served import app_of
from tests.web.web_fakes import FakeRack, Feed
from tests.web.web_running import SEES_ALL, running

ME = Owner(name="benchd", uid=os.geteuid())
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
        owner=lambda: ME,
        prometheus=Path("/nowhere/prometheus.yml"),
        usb_devices=Path("/nowhere/devices"),
        last_fault=lambda: None,
        closed=lambda *_: [],
    )


ALWAYS_THERE = {
    *("benchd", "systemctl", "journalctl", "timedatectl", "udevadm", "apt", "findmnt", "mount"),
    *("chgrp", "chmod", "chown", "cp", "install", "ls", "mv"),
}
"""What benchd, what it needs, and the packages without which there is no Debian bring."""


def test_item_2_a_cure_needs_no_program_that_a_rack_may_lack() -> None:
    texts = tomllib.loads((resources.files("benchd.texts") / "en.toml").read_text("utf-8"))
    cures = " ".join(texts["cure"].values())
    programs = {command.split()[0] for command in re.findall(r"`([^`]+)`", cures)}
    # The one command that is filled in is of a holder or a hook: tests/install/doctor_rows.py.
    assert programs == {*ALWAYS_THERE, "{detail}"}


def test_with_or_without_a_configuration_every_check_has_its_finding_and_changes_nothing(
    config: Path, tmp_path: Path
) -> None:
    def all_there() -> dict[str, tuple[int, int]]:
        found = {each: each.stat() for each in tmp_path.rglob("*")}
        return {str(each): (told.st_mtime_ns, told.st_mode) for each, told in found.items()}

    before = all_there()
    for file in (config, tmp_path / "none.toml"):
        found = {each.check: each.verdict for each in examine(file, None, instruments())}
        assert {check.removeprefix("check.") for check in found} == catalogue().section(
            "check"
        ).keys()
    # Without a configuration nothing that needs it is ok.
    assert found["check.configuration"] is Verdict.FAIL
    ok = {check for check, verdict in found.items() if verdict is Verdict.OK}
    assert ok == {"check.clock", "check.fonts"}
    assert all_there() == before


def test_a_rack_in_order_fails_nothing(config: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "certificates").mkdir(mode=0o700)
    found = examine(config, None, instruments(TOLD))
    assert [each for each in found if each.verdict is Verdict.FAIL] == []
    assert exit_code(found) == 0


def test_the_first_mistake_of_a_configuration_is_told_with_its_place(config: Path) -> None:
    config.write_text(config.read_text("utf-8") + "[rack]\nsettle_s = -1\nrecipe = 7\n", "utf-8")
    found, settings = configuration(config, ME)
    assert (found.verdict, found.cure, settings) == (Verdict.FAIL, "cure.check_config", None)
    assert found.facts["count"] == "2"
    assert str(found.facts["detail"]).startswith(f"{config}:")


def test_a_configuration_that_others_may_change_fails(config: Path) -> None:
    assert configuration(config, ME)[0].verdict is Verdict.OK
    config.chmod(0o646)
    found, settings = configuration(config, ME)
    assert (found.verdict, found.cure) == (Verdict.FAIL, "cure.give_to_root")
    assert (found.facts["value"], settings is None) == ("0646", False)


def test_a_silent_daemon_fails_and_one_that_may_not_be_asked_isnt_checked() -> None:
    def forbidden(path: Path) -> DaemonAnswer:
        raise DependencyMissing("not yours", cure="ask") from PermissionError(
            13, "Permission denied"
        )

    place = Path("/run/benchd/benchd.sock")
    assert daemon(place, nobody)[0].verdict is Verdict.FAIL
    found, told = daemon(place, forbidden)
    assert (found.verdict, found.cure, told) == (Verdict.NOT_CHECKED, "cure.as_root", None)


FAULT = Fault(status="4", detail="the ledger can't be opened", cure="`benchd ledger verify`.")


@pytest.mark.parametrize(
    ("unit", "fault", "word", "cure"),
    [
        ({}, None, "doctor.daemon_silent", "cure.start_benchd"),
        ({"ActiveState": "inactive"}, FAULT, "doctor.daemon_ended", "cure.as_it_said"),
        ({"LoadState": "masked", "Id": "b"}, FAULT, "doctor.daemon_silent", "cure.unmask_unit"),
        ({"ActiveState": "active"}, FAULT, "doctor.daemon_hangs", "cure.restart_benchd"),
        (
            {"ActiveState": "activating", "SubState": "auto-restart"},
            FAULT,
            *("doctor.daemon_ended", "cure.as_it_said"),
        ),
        (
            {"ActiveState": "activating", "SubState": "start", "NRestarts": "0"},
            FAULT,
            *("doctor.daemon_starts", "cure.wait_for_start"),
        ),
        (
            {"ActiveState": "activating", "SubState": "start", "NRestarts": "2"},
            FAULT,
            *("doctor.daemon_ended", "cure.as_it_said"),
        ),
        (
            {"ActiveState": "failed", "ExecMainStatus": "226"},
            Fault(detail="Failed to set up mount namespacing: /mnt/anchr: No such file"),
            *("doctor.daemon_ended", "cure.mend_unit_names"),
        ),
        (
            {"ActiveState": "failed", "ExecMainStatus": "243"},
            Fault(detail="Failed to set up credentials: No such file"),
            *("doctor.daemon_ended", "cure.see_key"),
        ),
    ],
)
def test_a_daemon_that_is_silent_is_told_by_what_keeps_it(
    unit: dict[str, str], fault: Fault | None, word: str, cure: str
) -> None:
    found, told = daemon(Path("/run/s"), nobody, unit, ["b"], lambda: fault)
    assert (found.word, found.cure, told) == (word, cure, None)


def test_the_last_fault_is_what_the_journal_tells_last() -> None:
    fields = {"BENCHD_STATUS": "4", "BENCHD_DETAIL": FAULT.detail, "BENCHD_CURE": FAULT.cure}
    line = json.dumps({"BENCHD_EVENT": "ended_by_fault", **fields})
    assert last_fault(lambda _: line.encode()) == FAULT
    # A start that went well after it, no journal, and what nobody understands.
    for other in ('{"BENCHD_EVENT": "ready"}', "", "[1]", "{"):
        assert last_fault(lambda _, said=other: said.encode()) is None


def test_a_start_that_systemd_couldnt_begin_is_told_by_systemds_own_words() -> None:
    step = {"MESSAGE": "Failed at step NAMESPACE", "_PID": "443", "INVOCATION_ID": "2ef3"}
    why = {"MESSAGE": "Failed to set up mount namespacing: /mnt/anchr"}

    def journal(matches: Sequence[str]) -> bytes:
        if "_PID=443" in matches:
            assert "INVOCATION_ID=2ef3" in matches
            return "\n".join(map(json.dumps, (step, why))).encode()
        return json.dumps({**step, "MESSAGE_ID": "641257651c1b4ec9a8624d7a40a9e1e7"}).encode()

    told = "Failed to set up mount namespacing: /mnt/anchr; Failed at step NAMESPACE"
    assert last_fault(journal) == Fault(detail=told)


def test_what_stands_above_the_tiles_is_told_here_too() -> None:
    said = (Texts(ja="満杯", en="The disk is full"), Texts(ja="空ける", en="Make room"))
    codes = ("no_administrator", "disk_full", "clock_behind")
    standing = DaemonAnswer(broken=False, records=1, notices=dict.fromkeys(codes, said))
    assert [(each.verdict, each.word, each.cure) for each in notices(standing)] == [
        (Verdict.FAIL, "doctor.no_administrator", "cure.make_administrator"),
        (Verdict.FAIL, "doctor.notice", "cure.heed_notice"),
        (Verdict.WARN, "doctor.notice", "cure.heed_notice"),
    ]
    assert [each.verdict for each in notices(TOLD)] == [Verdict.OK]
    assert [each.verdict for each in notices(None)] == [Verdict.NOT_CHECKED]


METRICS = b"""\
# HELP benchd_reader_up Whether the slot's contactless reader answers
benchd_reader_up{slot="A1"} 1.0
benchd_reader_up{slot="A2"} 0.0
benchd_reader_up{slot="A3"} NaN
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
    full = ProblemView(code=ProblemCode.DISK_FULL)
    rack.board.show_notice(full)
    said = catalogue.problem(full)
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
        notices={"disk_full": (Texts(ja=said.ja, en=said.en), said.what_to_do)},
        dead_letters={"stock": 3, "shop": 1} if switched_on else None,
    )


def test_the_command_tells_lines_or_json_and_fails_where_anything_does(config: Path) -> None:
    env = {"BENCHD_SOCKET": str(config.with_name("none.sock")), "LC_ALL": "C"}
    asked = ["doctor", "--config", str(config)]
    told = CliRunner().invoke(command, asked, env=env)
    assert told.exit_code == 1
    assert "[ok] configuration: " in told.output
    assert "[fail] daemon: no daemon answers" in told.output
    sudo = "" if os.geteuid() == 0 and "SUDO_UID" not in os.environ else "sudo "
    cure = f"    → `{sudo}systemctl start benchd`; if it ends again: `{sudo}journalctl"
    assert cure in told.output
    shown = CliRunner().invoke(command, [*asked, "--json"], env=env)
    checks = json.loads(shown.output)["checks"]
    [found] = [each for each in checks if each["check"] == "daemon"]
    assert (found["verdict"], found["found"]) == ("fail", "daemon_silent")
    assert found["cure"]["ja"].startswith(f"「{sudo}systemctl start benchd」")
    japanese = CliRunner().invoke(command, asked, env={**env, "LC_ALL": "ja_JP.UTF-8"})
    assert "[異常] サービス本体: " in japanese.output


@pytest.mark.parametrize(
    ("uid", "environ", "before"),
    [(0, {}, ""), (0, {"SUDO_UID": "1000"}, "sudo "), (1000, {}, "sudo ")],
)
def test_a_cure_is_told_as_its_reader_types_it(
    monkeypatch: pytest.MonkeyPatch, uid: int, environ: dict[str, str], before: str
) -> None:
    monkeypatch.delenv("SUDO_UID", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(os, "geteuid", lambda: uid)
    told = cured("cure.start_benchd", {})
    for text in (told.ja, told.en):
        assert re.findall(r"[`「]([^`」]+)", text)[0] == f"{before}systemctl start benchd"
        assert f"{before}journalctl -u benchd -p err -n 20" in text
    told = cured("cure.replay_hooks", {"detail": "benchd hooks replay a; benchd hooks replay b"})
    for text in (told.ja, told.en):
        assert f"{before}benchd hooks replay a; {before}benchd hooks replay b" in text
    # What a failed start has said already, and a quoted word that is no command.
    said = cured("cure.as_it_said", {"name": "`sudo benchd doctor`"})
    assert "sudo sudo" not in said.en + said.ja
    assert "「sudo docs" not in cured("cure.load_alerts", {}).ja


def test_item_2_a_mended_mount_is_read_by_a_new_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """One under way has read what was there before: it fails, and `systemctl start` with it."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    told = cured("cure.see_mount", {"path": "/var/lib/benchd"})
    assert told.en.endswith(", then `systemctl restart benchd`")
    assert told.ja.endswith("「systemctl restart benchd」")


@pytest.mark.parametrize("cure", [f"cure.{word}" for word in catalogue().section("cure")])
def test_each_command_of_a_cure_is_known_as_one(monkeypatch: pytest.MonkeyPatch, cure: str) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    for typed in re.findall("`([^`]+)`", cured(cure, dict.fromkeys((*FACTS, "detail"), "x")).en):
        assert typed.startswith(("sudo ", "timedatectl", "x"))


def test_item_10_what_is_equal_of_many_is_one_line(config: Path) -> None:
    config.unlink()
    env = {"LC_ALL": "ja_JP.UTF-8"}
    shown = CliRunner().invoke(command, ["doctor", "--config", str(config)], env=env).output
    unseen = [line for line in shown.splitlines() if "正しい設定がないので" in line]
    assert len(unseen) == 1
    assert {"空き容量", "署名鍵", "通信ポート"} <= set(re.split("[、:\\] ]+", unseen[0]))


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


PAGES = ("docs/keys.md", "docs/service.md", "docs/watching.md", "docs/runbooks/recovery.md")
RULES = "configs/prometheus/rules"
FACTS = {"path": "configs/benchd.toml", "name": "A", "count": "1", "value": "v"}
"""Of a checkout: what was named on the command line stays as it is."""

SHIPPED = "/usr/local/share/benchd/configs/benchd.toml"
"""What a command copies has its whole path wherever it is told."""
PLACE = re.compile(r"[\w./-]*\b(?:docs|configs)/[\w./-]*\w", re.ASCII)


@pytest.fixture
def manuals(tmp_path: Path) -> Path:
    """What an installation has put there."""
    (tmp_path / RULES).mkdir(parents=True)
    for page in PAGES:
        (tmp_path / page).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / page).touch()
    return tmp_path


@pytest.mark.parametrize("cure", [f"cure.{word}" for word in catalogue().section("cure")])
def test_each_page_that_a_cure_names_is_named_by_its_whole_path(manuals: Path, cure: str) -> None:
    plain, told = both(cure, **FACTS), cured(cure, FACTS, manuals)
    for before, after in ((plain.ja, told.ja), (plain.en, told.en)):
        expected = [
            place if place in (FACTS["path"], SHIPPED) else f"{manuals}/{place}"
            for place in PLACE.findall(before)
        ]
        assert PLACE.findall(after) == expected


def test_alerts_are_loaded_from_where_they_are_in_a_checkout_too(
    manuals: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    told = cured("cure.load_alerts", {}, manuals)
    for text in (told.ja, told.en):
        assert f"{manuals}/{RULES}" in text
        assert f"{manuals}/docs/watching.md" in text
    checkout = tmp_path_factory.mktemp("checkout")
    assert cured("cure.load_alerts", {}, checkout) == both("cure.load_alerts")
