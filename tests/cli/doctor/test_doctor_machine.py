"""What lives beside benchd on its machine: adb's server, readers, rules, alerts, fonts, hooks."""

from __future__ import annotations

import os
import socket
import stat
import threading
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchd.cli.doctor.daemon import OF_EACH_SLOT, DaemonAnswer, hears
from benchd.cli.doctor.external_services import (
    RULES,
    adb,
    adb_runs,
    ask_adb,
    fonts,
    hooks,
    prometheus,
    reader_places,
    readers,
    udev_rules,
)
from benchd.cli.doctor.findings import Verdict
from benchd.cli.doctor.folders import Owner
from benchd.domain.errors import NotFound
from benchd.domain.ids import JsonObject
from benchd.papers.typesetting import FONTS

ROOT = Path(__file__).parents[3]

TOLD = DaemonAnswer(broken=False, records=7, readers={"A1": True, "A2": False})

ME = Owner(name="benchd", uid=os.geteuid())


OK, WARN, FAIL, NOT_CHECKED = Verdict.OK, Verdict.WARN, Verdict.FAIL, Verdict.NOT_CHECKED


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


def test_the_adb_server_tells_its_version_or_fails(place: Path) -> None:
    assert adb(place, ME, runs=True, ask=ask_adb).verdict is FAIL
    with answering(place, b"OKAY00040029"):
        found = adb(place, ME, runs=True, ask=ask_adb)
    assert (found.verdict, found.facts["value"]) == (OK, "1.0.41")
    place.unlink()
    with answering(place, b"HTTP/1.1 400"):
        found = adb(place, ME, runs=True, ask=ask_adb)
    assert (found.verdict, found.cure) == (FAIL, "cure.restart_adb")


def test_an_adb_server_that_others_reach_or_of_another_user_fails_whether_it_answers_or_not(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.touch()
    for mode in (0o660, 0o602, 0o666, 0o777):
        place.chmod(mode)
        for runs in (True, False):
            found = adb(place, ME, runs=runs, ask=never)
            assert (found.verdict, found.cure) == (FAIL, "cure.close_adb")
            assert found.facts["value"] == f"{mode:04o}"
    of_another = os.stat_result((stat.S_IFSOCK | 0o600, 0, 0, 1, 4711, 0, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda _self: of_another)
    found = adb(place, ME, runs=True, ask=never)
    assert (found.verdict, found.facts["value"]) == (FAIL, "uid 4711")


def test_an_adb_server_runs_by_its_units_word_else_with_the_daemon(place: Path) -> None:
    active = {"benchd-adb.service": {"ActiveState": "active"}}
    stopped = {"benchd-adb.service": {"ActiveState": "inactive"}}
    assert adb_runs(external=True, states=active, told=None)
    assert adb_runs(external=True, states=None, told=TOLD)
    assert not adb_runs(external=True, states=None, told=None)
    assert adb_runs(external=False, states=None, told=TOLD)
    assert not adb_runs(external=False, states=active, told=None)
    # One that asking would start isn't asked.
    runs = adb_runs(external=True, states=stopped, told=TOLD)
    assert adb(place, ME, runs=runs, ask=never).verdict is NOT_CHECKED


def test_rules_are_found_in_any_folder_of_udev_unless_they_are_masked(tmp_path: Path) -> None:
    etc, lib = folders = [tmp_path / "etc", tmp_path / "lib"]
    for each in folders:
        each.mkdir()
    assert udev_rules(external=True, folders=folders).verdict is FAIL
    assert udev_rules(external=False, folders=folders).verdict is WARN
    (lib / RULES).write_text('SUBSYSTEM=="usb"\n')
    assert udev_rules(external=True, folders=folders).verdict is OK
    (etc / RULES).symlink_to("/dev/null")
    assert udev_rules(external=True, folders=folders).verdict is FAIL


@pytest.mark.parametrize(
    ("configured", "told", "word", "named"),
    [
        ((), None, "doctor.no_readers", None),
        (("A1",), None, "doctor.needs_daemon", None),
        (("A1",), DaemonAnswer(broken=False, records=7), "doctor.readers_untold", None),
        (("A1",), TOLD, "doctor.readers_up", None),
        (("A1", "A2", "A3"), TOLD, "doctor.readers_down", "A2"),
        (("A1", "A3"), TOLD, "doctor.readers_unseen", "A3"),
    ],
)
def test_readers_are_as_the_daemon_says(
    configured: tuple[str, ...], told: DaemonAnswer | None, word: str, named: str | None
) -> None:
    found = readers(configured, told)
    assert found.word == word
    assert named is None or found.facts["value"] == named


class Client:
    """A fake client whose daemon has these jobs, the newest first."""

    def __init__(self, *jobs: tuple[str, bool | None, str | None]) -> None:
        self._jobs = {f"J{n}": job for n, job in enumerate(jobs)}
        self.asked = 0

    def jobs(self, limit: int = 50) -> JsonObject:
        told: list[JsonObject] = [{"job": j, "slot": of[0]} for j, of in self._jobs.items()]
        return {"jobs": [*told[:limit]]}

    def job(self, job: str) -> JsonObject:
        self.asked += 1
        slot, tied, heard_at = self._jobs[job]
        return {"slot": slot, "stages": [{"tied": None}, {"tied": tied, "heard_at": heard_at}]}


def heard(*jobs: tuple[str, bool | None, str | None]) -> dict[str, str] | None:
    return hears(Client(*jobs))  # type: ignore[arg-type]


def test_row_5_the_newest_job_that_shows_a_reader_s_place_counts() -> None:
    assert heard() == {}
    assert heard(("A1", None, None), ("A2", False, None)) == {}
    assert heard(("A1", True, None), ("A1", False, "A2")) == {"A1": "A1", "A2": "A1"}
    assert heard(("A1", False, "A2"), ("A2", True, None)) == {"A2": "A1"}
    assert heard(("A2", True, None), ("A1", False, "A2")) == {"A2": "A2"}


def test_only_so_many_jobs_are_asked_for_and_a_daemon_that_tells_of_none_is_no_mapping() -> None:
    client = Client(*[("A1", None, None)] * 50)
    assert hears(client) == {}  # type: ignore[arg-type]
    assert client.asked == OF_EACH_SLOT

    class Silent(Client):
        def jobs(self, limit: int = 50) -> JsonObject:
            raise NotFound(str(limit))

    assert hears(Silent()) is None  # type: ignore[arg-type]


def told(hears: Mapping[str, str] | None) -> DaemonAnswer:
    return DaemonAnswer(broken=False, records=7, hears=hears)


@pytest.mark.parametrize(
    ("told", "verdict", "word", "value"),
    [
        (None, NOT_CHECKED, "doctor.needs_daemon", None),
        (told(None), NOT_CHECKED, "doctor.readers_unshown", "A1, A2"),
        (told({"A1": "A1"}), NOT_CHECKED, "doctor.readers_unshown", "A2"),
        (told({"A1": "A1", "A2": "A2"}), OK, "doctor.readers_shown", None),
        (told({"A2": "A1"}), FAIL, "doctor.readers_exchanged", "A2 → A1"),
        (told({"A1": "A1", "A2": "A2", "B1": "A1"}), OK, "doctor.readers_shown", None),
    ],
)
def test_row_5_exchanged_readers_are_named(
    told: DaemonAnswer | None, verdict: Verdict, word: str, value: str | None
) -> None:
    found = reader_places(("A1", "A2"), told)
    assert (found.verdict, found.word, found.facts.get("value")) == (verdict, word, value)
    if verdict is FAIL:
        assert found.cure == "cure.learn_readers"
    assert reader_places((), None).word == "doctor.no_readers"


def test_alerts_are_loaded_where_prometheus_names_benchds_rules(tmp_path: Path) -> None:
    file = tmp_path / "prometheus.yml"
    (tmp_path / "rules").mkdir()
    shipped = ROOT / "configs/prometheus/rules/rack.yml"
    (tmp_path / "rules/rack.yml").write_text(shipped.read_text("utf-8"), "utf-8")
    assert prometheus(file).verdict is NOT_CHECKED
    file.write_text("global:\n  x: 1\nrule_files: []\nscrape_configs:\n  - rules/rack.yml\n")
    assert prometheus(file).verdict is WARN
    for listed in ('  - "rules/*.yml"\n', "# ours\n  - rules/rack.yml\n"):
        file.write_text(f"rule_files:\n{listed}scrape_configs:\n  - job_name: benchd\n")
        assert prometheus(file).verdict is OK
    # The configuration that benchd brings does.
    assert prometheus(ROOT / "configs/prometheus/prometheus.yml").verdict is OK


def test_the_papers_fonts_are_there(tmp_path: Path) -> None:
    assert fonts(FONTS).verdict is OK
    assert fonts(tmp_path).verdict is FAIL
    (tmp_path / "a.ttf").write_bytes(b"\0" * 100)
    assert fonts(tmp_path).facts["path"] == str(tmp_path / "a.ttf")


@pytest.mark.parametrize(
    ("configured", "dead", "verdict", "word"),
    [
        (0, None, OK, "doctor.no_hooks"),
        (2, None, NOT_CHECKED, "doctor.hooks_untold"),
        (2, {"stock": 0, "shop": 0}, OK, "doctor.hooks_heard"),
        (2, {"stock": 4, "shop": 0}, WARN, "doctor.hooks_gave_up"),
    ],
)
def test_events_that_were_given_up_are_told(
    configured: int, dead: dict[str, int] | None, verdict: Verdict, word: str
) -> None:
    found = hooks(configured, DaemonAnswer(broken=False, records=1, dead_letters=dead))
    assert (found.verdict, found.word) == (verdict, word)
    assert verdict is not WARN or found.facts["detail"] == "benchd hooks replay stock"
    assert hooks(1, None).verdict is NOT_CHECKED
