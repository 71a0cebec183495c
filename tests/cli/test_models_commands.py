"""`benchd models` and `benchd handset` on files, as people and scripts meet them."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from benchd.cli.handset_commands import handset_app
from tests.cli.test_cli import benchd, config_in

MISTAKEN = """\
[[model]]
name = "Xperia"
codes = ["SO-99Z"]
storage_gb = [0]
[[model.sources]]
url = "https://example.jp/"
says = "it does"
read_on = 2026-11-26
"""


def test_the_catalogue_that_benchd_brings_has_no_mistakes() -> None:
    told = benchd("models", "check")
    assert (told.returncode, told.stderr) == (0, "")
    assert "no mistakes" in told.stdout


def test_a_mistake_is_told_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "sony.toml"
    file.write_text(MISTAKEN)
    refused = benchd("models", "check", str(tmp_path))
    assert refused.returncode == 2
    assert f"{file}:4:15: model[Xperia].storage_gb[1]" in refused.stderr
    file.write_text(MISTAKEN.replace("[0]", "[64]"))
    assert benchd("models", "check", str(tmp_path)).returncode == 0
    assert benchd("models", "check", str(tmp_path / "nowhere")).returncode == 2


def test_models_are_listed_for_people_and_for_programs() -> None:
    lines = benchd("models", "list").stdout.splitlines()
    assert "sharp\tAQUOS sense6\tSH-54B\t64 GB" in lines
    told = json.loads(benchd("models", "list", "--json").stdout)
    assert len(told["models"]) == len(lines) >= 150
    assert len(told["sha256"]) == 64
    assert all(entry["sources"] for entry in told["models"])


def test_one_model_is_told_with_its_menus_and_sources() -> None:
    told = benchd("models", "show", "sc-53c", LANG="ja_JP.UTF-8")
    assert told.returncode == 0
    lines = told.stdout.splitlines()
    assert "名前\tGalaxy A53 5G" in lines
    assert "FeliCa\tはい" in lines
    assert any(line.startswith("初期化の手順\t") and "一般管理" in line for line in lines)
    assert any(line.startswith("出典\thttps://") for line in lines)
    english = benchd("models", "show", "SC-53C", LANG="en_US.UTF-8").stdout
    assert "felica\tyes" in english.splitlines()
    assert "General management" in english


def test_what_is_disputed_and_how_a_chip_is_erased_is_told(tmp_path: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    erases = """\
felica = true
disputed = ["name", "storage"]
[model.felica_erase]
way.ja = "設定 → 消去"
way.en = "Settings → Erase"
signed_in = true
[[model.felica_erase.sources]]
url = "https://example.jp/erase"
says = "it does"
read_on = 2026-11-30
[[model.sources]]
url = "https://example.jp/another"
says = "it doesn't"
read_on = 2026-11-30
[[model.sources]]
"""
    told = MISTAKEN.replace("storage_gb = [0]\n[[model.sources]]\n", erases)
    (models / "sony.toml").write_text(told, encoding="utf-8")
    file = config_in(tmp_path, '[site]\nname = "店"\n[models]\nfolders = ["models"]\n')
    shown = benchd("models", "show", "SO-99Z", "--config", str(file), LANG="ja_JP.UTF-8")
    lines = shown.stdout.splitlines()
    assert "端末によるFeliCaの消去\t設定 → 消去" in lines, shown.stderr
    assert "消去にサインインが必要\tはい" in lines
    disputes = [line for line in lines if line.startswith("出典が食い違う項目\t")]
    assert [line.partition("\t")[2] for line in disputes] == ["name", "storage"]
    assert sum(line.startswith("出典\t") for line in lines) == 3


def test_a_model_that_nobody_has_told_of_is_unknown() -> None:
    told = benchd("models", "show", "SO-99Z\x1b[2J")
    assert told.returncode == 1
    assert "unknown model" in told.stderr
    assert "\x1b" not in told.stderr


def test_a_configuration_says_which_models_count(tmp_path: Path) -> None:
    file = config_in(tmp_path, '[site]\nname = "店"\n[models]\nshipped = false\n')
    told = benchd("models", "list", "--config", str(file))
    assert (told.returncode, told.stdout) == (0, ""), told.stderr


def said(*arguments: str) -> tuple[int, str]:
    finished = CliRunner().invoke(handset_app, arguments)
    return finished.exit_code, finished.output


def test_either_a_slot_or_an_address_is_named(tmp_path: Path) -> None:
    folder = str(tmp_path / "dossier")
    for arguments in ((), ("--slot", "A1", "--address", "usb:1-4")):
        code, output = said("record", folder, *arguments)
        assert code == 2
        assert "either the slot or the address" in output
    assert not Path(folder).exists()


def test_a_dossier_is_read_and_its_refusals_are_told(tmp_path: Path) -> None:
    (tmp_path / "users.txt").write_text("Users:\n\tUserInfo{0:Owner:c13} running\n")
    code, output = said("read", str(tmp_path))
    assert (code, "user_ids\t0" in output) == (0, True)
    (tmp_path / "trust.txt").write_text("Trust service, version 2\n")
    code, output = said("read", str(tmp_path))
    assert (code, "not understood: trust" in output) == (1, True)
