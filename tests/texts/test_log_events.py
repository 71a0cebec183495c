"""Every event that benchd logs stands in the table, as it is logged, and the papers say so."""

from __future__ import annotations

import ast
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import cast, get_args

import pytest

from benchd.observe.event_reference import events_page, journal_catalogue
from benchd.observe.log_events import Level, LogEvent, log_events, message_ids

ROOT = Path(__file__).parents[2]
LEVELS = cast("tuple[str, ...]", get_args(Level))
EVERYWHERE = {"slot", "job", "occupancy", "exc_info"}
"""Where a line belongs, and its traceback."""
LIBRARIES = "benchd/observe/logs.py"
"""Hands on what libraries say, which is no event of benchd's."""


def logged() -> Iterator[tuple[str, str, str, set[str]]]:
    """Place, name, level and fields of each line that the daemon may log."""
    for file in sorted((ROOT / "benchd").rglob("*.py")):
        place = file.relative_to(ROOT).as_posix()
        if place == LIBRARIES or place.startswith("benchd/lab/"):
            continue
        for call in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
                continue
            logger = call.func.value
            if not isinstance(logger, ast.Name) or logger.id not in {"_log", "log"}:
                continue
            if call.func.attr not in {*LEVELS, "exception", "log"}:
                continue
            [name] = call.args
            assert isinstance(name, ast.Constant), f"{place}:{call.lineno}"
            fields = {key.arg for key in call.keywords if key.arg is not None}
            yield f"{place}:{call.lineno}", str(name.value), call.func.attr, fields - EVERYWHERE


def test_the_table_has_each_event_with_its_level_and_fields_and_no_other() -> None:
    levels: dict[str, set[str]] = defaultdict(set)
    fields: dict[str, set[str]] = defaultdict(set)
    for _, name, level, having in logged():
        levels[name].add(level)
        fields[name] |= having
    gravest = {name: max(found, key=LEVELS.index) for name, found in levels.items()}
    assert {name: (event.level, set(event.fields)) for name, event in log_events().items()} == {
        name: (gravest[name], fields[name]) for name in levels
    }


def test_whatever_breaks_says_what_to_do() -> None:
    graver = LEVELS[LEVELS.index("error") :]
    assert [n for n, each in log_events().items() if each.level in graver and not each.id] == []


def test_no_two_events_share_an_id() -> None:
    ids = message_ids()
    assert len(set(ids.values())) == len(ids) > 0


@pytest.mark.parametrize("left_out", ["id", "do_en", "do_ja"])
def test_an_event_that_somebody_acts_on_is_whole(left_out: str) -> None:
    whole = {"level": "error", "en": "x", "ja": "x", "do_en": "x", "do_ja": "x", "id": "0" * 32}
    assert LogEvent.model_validate(whole)
    with pytest.raises(ValueError, match="both languages"):
        LogEvent.model_validate({key: told for key, told in whole.items() if key != left_out})


@pytest.mark.parametrize(
    ("paper", "text"),
    [("docs/events.md", events_page), ("systemd/benchd.catalog", journal_catalogue)],
)
def test_the_papers_are_those_of_the_table(paper: str, text: object) -> None:
    assert callable(text)
    assert (ROOT / paper).read_text("utf-8") == text(), "run scripts/event-papers"


@pytest.mark.skipif(
    shutil.which("journalctl") is None,
    reason="systemd's journalctl isn't there: scripts/setup installs it on Debian",
)
def test_journalctl_itself_takes_the_catalogue_in_both_languages(tmp_path: Path) -> None:
    installed = tmp_path / "usr/local/lib/systemd/catalog"
    installed.mkdir(parents=True)
    (tmp_path / "var/lib/systemd/catalog").mkdir(parents=True)
    shutil.copy(ROOT / "systemd" / "benchd.catalog", installed)

    def journalctl(*words: str) -> str:
        done = subprocess.run(
            ["journalctl", f"--root={tmp_path}", "--no-pager", *words],
            env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    journalctl("--update-catalog")
    listed = journalctl("--list-catalog")
    for name, message_id in message_ids().items():
        assert f"{message_id} benchd: {log_events()[name].en}" in listed
    told = journalctl("--dump-catalog", message_ids()["ledger_broken"])
    assert str(log_events()["ledger_broken"].do_en) in told
    # A Japanese terminal is needed to be told so; what it would be told is in journald's own file.
    made = (tmp_path / "var/lib/systemd/catalog/database").read_bytes()
    assert [e.ja for e in log_events().values() if e.id and e.ja.encode() not in made] == []
