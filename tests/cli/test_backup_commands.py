"""`benchd ledger backup` and `restore` say what they do and refuse, in both languages."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from benchd.cli.main import main
from benchd.config import Settings
from tests.daemon.rotated_rack import files_of, make_rack, rotated, sell

WHO = ("--operator", "佐藤", "--because", "disk replaced")

Benchd = Callable[..., tuple[int, str]]


@pytest.fixture
def rack(tmp_path: Path) -> Settings:
    settings = make_rack(tmp_path)
    anyio.run(sell, settings, "20261124-A1-0001")
    (tmp_path / "dest").mkdir()
    return settings


@pytest.fixture
def benchd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Benchd:
    """Run a command of the ledger; its exit code and what it said."""

    def run(*arguments: object, language: str = "en_US.UTF-8") -> tuple[int, str]:
        monkeypatch.setenv("LC_ALL", language)
        config = ("--config", tmp_path / "benchd.toml")
        words = ("benchd", "ledger", *arguments, *config)
        monkeypatch.setattr(sys, "argv", [str(word) for word in words])
        with pytest.raises(SystemExit) as ended:
            main()
        told = capsys.readouterr()
        return int(str(ended.value.code or 0)), told.out + told.err

    return run


def test_a_backup_goes_into_a_folder_that_is_there_and_not_where_the_ledger_is(
    rack: Settings, benchd: Benchd, tmp_path: Path
) -> None:
    state = rack.ledger.path.parent
    (state / "backups").mkdir()
    for inside in (state, state / "backups"):
        code, told = benchd("backup", inside)
        assert (code, "where the ledger itself is" in told) == (2, True)
    for none in (files_of(rack).public, tmp_path / "nowhere", ""):
        code, told = benchd("backup", none, language="ja_JP.UTF-8")
        assert (code, "フォルダではありません" in told) == (2, True)
    code, told = benchd("backup", tmp_path / "dest")
    assert (code, "36 records, up to record 36, verified" in told) == (0, True)
    assert "on the same disk" in told


def test_a_restore_says_what_would_be_lost_and_what_is_no_backup(
    rack: Settings, benchd: Benchd, tmp_path: Path
) -> None:
    assert benchd("backup", tmp_path / "dest")[0] == 0
    [backup] = (tmp_path / "dest").glob("*.json")
    code, told = benchd("restore", backup, "--to", tmp_path / "trial", *WHO)
    assert (code, "up to record 36, verified, 1 certificates" in told) == (0, True)
    assert "0 days and 0 hours ago" in told
    code, told = benchd("restore", backup, "--to", tmp_path / "trial", *WHO)
    assert (code, "Name an empty folder" in told) == (2, True)
    anyio.run(sell, rack, "20261124-A1-0002")
    code, told = benchd("restore", backup, *WHO)
    assert (code, "it goes to record 72, and the backup to record 36" in told) == (2, True)
    code, told = benchd("restore", backup, "--replace", *WHO)
    assert code == 0
    assert re.search(r"numbered on from record \d{16}, 1 certificates", told)
    assert "what was there before" in told
    assert told.startswith("20261124-A1-0001\n")
    assert "The 1 handsets above" in told
    code, told = benchd("restore", backup, "--replace", *WHO, "--json")
    assert (code, json.loads(told)["look_at"]) == (0, ["20261124-A1-0001"])
    rack.ledger.path.write_bytes(b"torn")
    code, told = benchd("restore", backup, "--replace", *WHO, language="ja_JP.UTF-8")
    assert (code, "失われた記録で、保留や破壊に" in told) == (0, True)
    backup.write_bytes(backup.read_bytes().replace(b'"records":36', b'"records":37'))
    code, told = benchd("restore", backup, *WHO, language="ja_JP.UTF-8")
    assert (code, "何も戻していません" in told) == (1, True)


def test_a_ledger_that_a_retired_key_has_signed_is_numbered_on_only_when_told_to(
    rack: Settings, benchd: Benchd, tmp_path: Path
) -> None:
    state = rack.ledger.path.parent
    shutil.copytree(state, tmp_path / "older")
    anyio.run(rotated, rack)
    shutil.rmtree(state)
    (tmp_path / "older").rename(state)
    code, told = benchd("restored", *WHO)
    assert (code, "signed by a key that was retired since" in told) == (1, True)
    assert "--retired-key" in told
    code, told = benchd("restored", *WHO, language="ja_JP.UTF-8")
    assert (code, "前の鍵で署名されています" in told) == (1, True)
    code, told = benchd("restored", "--retired-key", *WHO)
    assert (code, "numbered on from record" in told) == (0, True)
