"""Files of models: every mistake at its place, and what a later folder replaces."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchd.config import load_settings
from benchd.config.model_files import read_models
from benchd.daemon.config_check import check_config
from benchd.domain.errors import ConfigInvalid
from benchd.domain.models.model_catalogue import NOTHING_READ, ModelCatalogue
from benchd.domain.models.model_entry import ImeiPlace

GB = 1_000_000_000

MAKER = """\
[maker]
ja = "ソニー"
en = "Sony"
manufacturers = ["Sony"]
usb_vendors = ["0fce"]
menus = "plain"
imei = ["dial"]
[[maker.sources]]
url = "https://example.jp/maker"
says = "it does"
read_on = 2026-11-26
"""
MENU = """
[[menu]]
name = "plain"
from_android = 9
reset.ja = "設定"
reset.en = "Settings"
[[menu.sources]]
url = "https://example.jp/menu"
says = "it does"
read_on = 2026-11-26
"""
MODEL = """
[[model]]
name = "Xperia 1 IV"
codes = ["SO-51C", "XQ-CT44"]
storage_gb = [256, 512]
[[model.sources]]
url = "https://example.jp/model"
says = "it does"
read_on = 2026-11-26
"""
WHOLE = MAKER + MENU + MODEL


def folder(at: Path, **files: str) -> Path:
    at.mkdir(exist_ok=True)
    for name, text in files.items():
        (at / f"{name}.toml").write_text(text, encoding="utf-8")
    return at


def issues(*folders: Path) -> list[str]:
    with pytest.raises(ConfigInvalid) as refused:
        read_models(folders)
    return [
        f"{Path(issue.file).name}:{issue.line}:{issue.column}: {issue.key}: {issue.message}"
        for issue in refused.value.issues
    ]


def read(*folders: Path) -> ModelCatalogue:
    return read_models(folders)


def test_an_entry_is_read_with_what_its_maker_says_of_all_of_its_models(tmp_path: Path) -> None:
    entry = read(folder(tmp_path, sony=WHOLE)).of_code("xq-ct44")
    assert entry is not None
    assert entry.storage_bytes == (256 * GB, 512 * GB)
    assert (entry.maker, entry.menus, entry.imei) == ("sony", "plain", (ImeiPlace.DIAL,))
    assert entry.felica is None
    assert entry.sources[0].says == "it does"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("storage_gb = [256, 512]", "storage_gb = [0]", "sony.toml:26:15: model"),
        ("storage_gb = [256, 512]", "storage_gb = [256.5]", "storage_gb[1]: found 256.5"),
        ("storage_gb = [256, 512]", 'storage_gb = "256"', "found"),
        ("storage_gb", "storage_gib", 'sony.toml:26:1: model["Xperia 1 IV"].storage_gib'),
        ('imei = ["dial"]', 'imei = ["diel"]', 'did you mean "dial"'),
        ('menus = "plain"', 'menus = "plian"', 'sony.toml:6:1: maker.menus: found "plian"'),
        ('"XQ-CT44"', '"so-51c"', "stands in"),
        ("https://example.jp/model", "example.jp", "begins with https://"),
        ("[[model.sources]]", "[[model.traps]]", "sources"),
        ('codes = ["SO-51C", "XQ-CT44"]', "codes = []", "codes"),
        ('"0fce"', '"0FCE"', 'usb_vendors[1]: found "0FCE", allowed is four'),
        ("from_android = 9", "from_android = 9\nto_android = 8", "found to_android 8"),
        ("read_on = 2026-11-26", 'read_on = "soon"', "read_on"),
        ("storage_gb = [256, 512]", "storage_gb = [1]\nstorage_bytes = [1]", "one of them"),
        (MENU, MENU + MENU, "stand twice for one Android"),
        (MODEL, MODEL + MODEL, "stands in"),
        (MAKER, "", "maker: is required and missing"),
        (WHOLE, "[[model]", "sony.toml:1:"),
    ],
)
def test_a_mistake_is_told_at_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in WHOLE
    found = issues(folder(tmp_path, sony=WHOLE.replace(old, new)))
    assert any(told in line for line in found), found


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    twice = WHOLE.replace("SO-51C", "XQ-CT44").replace('"plain"', '"other"')
    files = folder(tmp_path, sharp=twice.replace("256", "0"), sony=WHOLE.replace("512", "-1"))
    assert {line.split(":")[0] for line in issues(files)} == {"sharp.toml", "sony.toml"}


def test_a_code_stands_in_one_file_of_a_folder_only(tmp_path: Path) -> None:
    files = folder(tmp_path, sony=WHOLE, other=MAKER + MODEL)
    [first, second] = issues(files)
    assert 'sony.toml:25:10: model["Xperia 1 IV"].codes[1]' in first
    assert "other.toml:15" in first
    assert "codes[2]" in second


def test_a_later_folder_replaces_a_code_and_leaves_the_others(tmp_path: Path) -> None:
    mine = MODEL.replace(', "XQ-CT44"', "").replace("256, 512", "128")
    catalogue = read(folder(tmp_path / "shipped", sony=WHOLE), folder(tmp_path / "mine", sony=mine))
    one, other = catalogue.of_code("SO-51C"), catalogue.of_code("XQ-CT44")
    assert one is not None
    assert other is not None
    assert one.storage_bytes == (128 * GB,)
    assert (other.codes, other.storage_bytes) == (("XQ-CT44",), (256 * GB, 512 * GB))
    assert one.maker == "sony"


def test_a_later_folder_replaces_menus_as_a_whole(tmp_path: Path) -> None:
    older = MENU.replace("from_android = 9", "from_android = 4\nto_android = 8")
    mine = MENU.replace('"Settings"', '"Options"')
    catalogue = read(
        folder(tmp_path / "shipped", sony=WHOLE + older), folder(tmp_path / "mine", sony=mine)
    )
    [menu] = catalogue.menus["plain"]
    assert menu.reset.en == "Options"


def test_a_file_of_menus_only_is_of_no_maker(tmp_path: Path) -> None:
    catalogue = read(folder(tmp_path, android=MENU, sony=MAKER + MODEL))
    assert list(catalogue.makers) == ["sony"]
    assert list(catalogue.menus) == ["plain"]


def test_which_catalogue_it_was_is_told_by_its_bytes(tmp_path: Path) -> None:
    at = tmp_path / "models"
    first = read(folder(at, sony=WHOLE)).sha256
    assert read(at).sha256 == first
    assert read(folder(at, sony=WHOLE.replace("512", "513"))).sha256 != first
    assert read(folder(tmp_path / "empty")).sha256 == read().sha256 == NOTHING_READ


def configured(tmp_path: Path, models: str) -> Path:
    (tmp_path / "recipes").mkdir()
    shipped = Path(__file__).parents[2] / "configs" / "recipes" / "overwrite.toml"
    (tmp_path / "recipes" / "overwrite.toml").write_bytes(shipped.read_bytes())
    file = tmp_path / "benchd.toml"
    file.write_text(f'[site]\nname = "店"\n[models]\n{models}\n', encoding="utf-8")
    return file


def test_a_configuration_reads_what_benchd_brings_and_then_its_own(tmp_path: Path) -> None:
    folder(tmp_path / "mine", sony=MODEL.replace("256, 512", "128"))
    models = load_settings(configured(tmp_path, 'folders = ["mine"]')).models
    entry = models.of_code("SO-51C")
    assert entry is not None
    assert entry.storage_bytes == (128 * GB,)
    assert models.of_code("SC-53C") is not None


def test_a_configuration_may_do_without_what_benchd_brings(tmp_path: Path) -> None:
    assert load_settings(configured(tmp_path, "shipped = false")).models == ModelCatalogue()


def test_mistakes_of_models_are_mistakes_of_the_configuration(tmp_path: Path) -> None:
    folder(tmp_path / "mine", sony=WHOLE.replace("256", "0"))
    file = configured(tmp_path, 'folders = ["mine"]')
    [issue] = check_config(file)
    assert (Path(issue.file).name, issue.key) == ("sony.toml", 'model["Xperia 1 IV"].storage_gb[1]')


def test_a_folder_that_is_not_there_is_told_where_it_is_named(tmp_path: Path) -> None:
    [issue] = check_config(configured(tmp_path, 'folders = ["nowhere"]'))
    assert (issue.line, issue.key) == (4, "models.folders[1]")
    assert "isn't there" in issue.message
