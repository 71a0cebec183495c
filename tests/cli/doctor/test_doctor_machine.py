"""Clock, units and ports of the machine, and what lives beside benchd on it."""

from __future__ import annotations

import os
import socket
import stat
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchd.cli.doctor.daemon import DaemonAnswer
from benchd.cli.doctor.findings import Verdict
from benchd.cli.doctor.folders import Owner
from benchd.cli.doctor.machine import clock, port, states, units
from benchd.cli.doctor.neighbours import (
    ADB_TCP_PORTS,
    RULES,
    adb,
    adb_over_tcp,
    adb_runs,
    ask_adb,
    fonts,
    prometheus,
    readers,
    udev_rules,
)
from benchd.papers.typesetting import FONTS

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("kept", "verdict"),
    [(True, Verdict.OK), (False, Verdict.FAIL), (None, Verdict.NOT_CHECKED)],
)
def test_the_clock_is_as_the_kernel_says(kept: bool | None, verdict: Verdict) -> None:
    assert clock(lambda: kept).verdict is verdict


SHOWN = """\
Id=benchd.service
LoadState=loaded
ActiveState={benchd}
SubState=x
Result=exit-code
UnitFileState={enabled}

Id=benchd-adb.socket
LoadState=loaded
ActiveState=active
UnitFileState=enabled

Id=pcscd.socket
LoadState=not-found
ActiveState=inactive
UnitFileState=
"""


@pytest.mark.parametrize(
    ("benchd", "enabled", "word"),
    [
        ("active", "enabled", "doctor.unit_active"),
        ("reloading", "enabled", "doctor.unit_active"),
        ("active", "disabled", "doctor.unit_not_enabled"),
        ("inactive", "enabled", "doctor.unit_inactive"),
        ("activating", "enabled", "doctor.unit_inactive"),
        ("failed", "enabled", "doctor.unit_failed"),
    ],
)
def test_each_unit_is_as_systemd_says(benchd: str, enabled: str, word: str) -> None:
    shown = SHOWN.format(benchd=benchd, enabled=enabled)
    found = units(states(["any"], lambda _: shown))
    assert [each.word for each in found] == [
        word,
        "doctor.unit_active",
        "doctor.unit_missing",
    ]


def test_without_systemd_no_unit_is_ok() -> None:
    assert [each.verdict for each in units(states(["any"], lambda _: None))] == [
        Verdict.NOT_CHECKED
    ]


HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"


def table(folder: Path, *addresses: str, state: str = "0A") -> list[Path]:
    file = folder / "tcp"
    lines = [f"   0: {address} 00000000:0000 {state} 0 0 0\n" for address in addresses]
    file.write_text(HEAD + "".join(lines))
    return [file, folder / "tcp6 that a kernel without IPv6 doesn't have"]


LOOPBACK = "0100007F:20E4"
EVERYWHERE = "00000000:20E4"
LOOPBACK_6 = "00000000000000000000000001000000:20E4"
MAPPED = "0000000000000000FFFF00000100007F:20E4"
OTHER_PORT = "00000000:0050"


@pytest.mark.parametrize(
    ("address", "shown"),
    [(LOOPBACK, "127.0.0.1:8420"), (LOOPBACK_6, "[::1]:8420"), (MAPPED, "127.0.0.1:8420")],
)
def test_a_port_on_loopback_is_ok(tmp_path: Path, address: str, shown: str) -> None:
    found = port(8420, with_tls=False, tables=table(tmp_path, address, OTHER_PORT))
    assert (found.verdict, found.facts["value"]) == (Verdict.OK, shown)


def test_a_port_that_others_reach_fails_unless_it_is_encrypted(tmp_path: Path) -> None:
    tables = table(tmp_path, LOOPBACK, EVERYWHERE)
    plain = port(8420, with_tls=False, tables=tables)
    assert (plain.verdict, plain.facts["value"]) == (Verdict.FAIL, "0.0.0.0:8420")
    assert port(8420, with_tls=True, tables=tables).word == "doctor.port_open_tls"


def test_a_port_at_which_nobody_listens_is_not_checked(tmp_path: Path) -> None:
    established = table(tmp_path, EVERYWHERE, state="01")
    assert port(8420, with_tls=False, tables=established).verdict is Verdict.NOT_CHECKED


def test_the_kernels_own_table_shows_a_real_listener() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        number = server.getsockname()[1]
        assert port(number, with_tls=False).facts["value"] == f"127.0.0.1:{number}"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "adb.sock"


@contextmanager
def answering(place: Path, answer: bytes, mode: int = 0o600) -> Generator[None]:
    """A server that takes a request of adb's and answers with this."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(place))
        place.chmod(mode)
        server.listen()

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                assert connection.recv(64) == b"000chost:version"
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


def never(_: Path) -> int:
    raise AssertionError


ME = Owner(name="benchd", uid=os.geteuid())


def test_the_adb_server_tells_its_version(place: Path) -> None:
    with answering(place, b"OKAY00040029"):
        found = adb(place, ME, runs=True, ask=ask_adb)
    assert (found.verdict, found.facts["value"]) == (Verdict.OK, "1.0.41")


def test_what_isnt_an_adb_server_fails(place: Path) -> None:
    with answering(place, b"HTTP/1.1 400"):
        found = adb(place, ME, runs=True, ask=ask_adb)
    assert (found.verdict, found.cure) == (Verdict.FAIL, "cure.restart_adb")


def test_nobody_at_adbs_socket_fails(place: Path) -> None:
    assert adb(place, ME, runs=True, ask=ask_adb).verdict is Verdict.FAIL


@pytest.mark.parametrize("mode", [0o660, 0o602, 0o666, 0o777])
def test_an_adb_server_that_others_reach_fails_whether_it_answers_or_not(
    place: Path, mode: int
) -> None:
    place.touch(mode)
    place.chmod(mode)
    for runs in (True, False):
        found = adb(place, ME, runs=runs, ask=never)
        assert (found.verdict, found.cure) == (Verdict.FAIL, "cure.close_adb")
        assert found.facts["value"] == f"{mode:04o}"


def test_an_adb_socket_of_another_user_fails(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of_another = os.stat_result((stat.S_IFSOCK | 0o600, 0, 0, 1, 4711, 0, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda _self: of_another)
    found = adb(place, ME, runs=True, ask=never)
    assert (found.verdict, found.facts["value"]) == (Verdict.FAIL, "uid 4711")


def test_an_adb_server_on_tcp_is_a_warning(tmp_path: Path) -> None:
    for number in ADB_TCP_PORTS:
        tables = table(tmp_path, f"0100007F:{number:04X}")
        found = adb_over_tcp(tables)
        assert (found.verdict, found.facts["value"]) == (Verdict.WARN, str(number))
    assert adb_over_tcp(table(tmp_path, OTHER_PORT)).verdict is Verdict.OK


def test_an_adb_server_that_asking_would_start_isnt_asked(place: Path) -> None:
    stopped = {"benchd-adb.service": {"ActiveState": "inactive"}}
    runs = adb_runs(external=True, states=stopped, told=TOLD)
    assert adb(place, ME, runs=runs, ask=never).verdict is Verdict.NOT_CHECKED


TOLD = DaemonAnswer(broken=False, records=7, readers={"A1": True, "A2": False})


def test_an_adb_server_runs_by_its_units_word_else_with_the_daemon() -> None:
    active = {"benchd-adb.service": {"ActiveState": "active"}}
    assert adb_runs(external=True, states=active, told=None)
    assert adb_runs(external=True, states=None, told=TOLD)
    assert not adb_runs(external=True, states=None, told=None)
    assert adb_runs(external=False, states=None, told=TOLD)
    assert not adb_runs(external=False, states=active, told=None)


def test_rules_are_found_in_any_folder_of_udev(tmp_path: Path) -> None:
    folders = [tmp_path / "etc", tmp_path / "lib"]
    for each in folders:
        each.mkdir()
    assert udev_rules(external=True, folders=folders).verdict is Verdict.FAIL
    assert udev_rules(external=False, folders=folders).verdict is Verdict.WARN
    (folders[1] / RULES).write_text('SUBSYSTEM=="usb"\n')
    assert udev_rules(external=True, folders=folders).verdict is Verdict.OK


def test_rules_that_somebody_has_masked_are_in_no_effect(tmp_path: Path) -> None:
    folders = [tmp_path / "etc", tmp_path / "lib"]
    for each in folders:
        each.mkdir()
    (folders[1] / RULES).write_text('SUBSYSTEM=="usb"\n')
    (folders[0] / RULES).symlink_to("/dev/null")
    assert udev_rules(external=True, folders=folders).verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("configured", "told", "word"),
    [
        ((), None, "doctor.no_readers"),
        (("A1",), None, "doctor.needs_daemon"),
        (("A1",), DaemonAnswer(broken=False, records=7), "doctor.readers_untold"),
        (("A1",), TOLD, "doctor.readers_up"),
        (("A1", "A2", "A3"), TOLD, "doctor.readers_down"),
    ],
)
def test_readers_are_as_the_daemon_says(
    configured: tuple[str, ...], told: DaemonAnswer | None, word: str
) -> None:
    assert readers(configured, told).word == word


def test_readers_that_are_down_are_named() -> None:
    assert readers(("A1", "A2", "A3"), TOLD).facts["value"] == "A2, A3"


def test_alerts_are_loaded_where_prometheus_names_benchds_rules(tmp_path: Path) -> None:
    file = tmp_path / "prometheus.yml"
    (tmp_path / "rules").mkdir()
    shipped = ROOT / "configs/prometheus/rules/rack.yml"
    (tmp_path / "rules/rack.yml").write_text(shipped.read_text("utf-8"), "utf-8")
    assert prometheus(file).verdict is Verdict.NOT_CHECKED
    file.write_text("global:\n  x: 1\nrule_files: []\nscrape_configs:\n  - rules/rack.yml\n")
    assert prometheus(file).verdict is Verdict.WARN
    for listed in ('  - "rules/*.yml"\n', "# ours\n  - rules/rack.yml\n"):
        file.write_text(f"rule_files:\n{listed}scrape_configs:\n  - job_name: benchd\n")
        assert prometheus(file).verdict is Verdict.OK


def test_the_shipped_configuration_of_prometheus_loads_them() -> None:
    assert prometheus(ROOT / "configs/prometheus/prometheus.yml").verdict is Verdict.OK


def test_the_papers_fonts_are_there(tmp_path: Path) -> None:
    assert fonts(FONTS).verdict is Verdict.OK
    assert fonts(tmp_path).verdict is Verdict.FAIL
    (tmp_path / "a.ttf").write_bytes(b"\0" * 100)
    assert fonts(tmp_path).facts["path"] == str(tmp_path / "a.ttf")
