"""Files of models: every mistake at its place, and what a later folder replaces."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from benchd.config.model_files import read_models, shipped_models
from benchd.daemon.config_check import check_config
from benchd.domain.chip import ModelFelica
from benchd.domain.errors import ConfigInvalid
from benchd.domain.handset import HandsetIdentity
from benchd.domain.models.model_catalogue import NOTHING_READ, ModelCatalogue
from benchd.domain.models.model_entry import Fact, ImeiPlace
from benchd.domain.models.model_guidance import reset_words
from benchd.lab.simulator import handset_models
from benchd.lab.simulator.handset_models import HandsetModel
from benchd.texts.catalogue import LONGEST_MENU
from tests.config.config_folder import SITE, loaded, written

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


SIZES = "storage_gb = [256, 512]"


SOURCES = "[[model.sources]]"


ERASES = """\
[model.felica_erase]
way.ja = "設定 → 接続 → FeliCa → 消去"
way.en = "Settings → Connections → FeliCa → Erase"
signed_in = true
from_android = 12
[[model.felica_erase.sources]]
url = "https://example.jp/erase"
says = "it does"
read_on = 2026-11-30
"""


XPERIA = HandsetIdentity(
    serial="1",
    manufacturer="Sony",
    model="SO-51C",
    android="13",
    build="1",
    imei=None,
    second_imei=None,
)


def filled(at: Path, **files: str) -> Path:
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


def test_an_entry_is_read_with_what_its_maker_says_of_all_of_its_models(tmp_path: Path) -> None:
    entry = read_models([filled(tmp_path, sony=WHOLE)]).of_code("xq-ct44")
    assert entry is not None
    assert entry.storage_bytes == (256 * GB, 512 * GB)
    assert (entry.maker, entry.menus, entry.imei) == ("sony", "plain", (ImeiPlace.DIAL,))
    assert entry.felica is None
    assert entry.sources[0].says == "it does"


def test_what_sources_dispute_is_told_and_decides_nothing(tmp_path: Path) -> None:
    another = MODEL.partition(SOURCES)[2].replace("/model", "/another")
    disputed = WHOLE.replace(SIZES, 'disputed = ["felica", "storage"]') + SOURCES + another
    catalogue = read_models([filled(tmp_path, sony=disputed)])
    entry = catalogue.of_code("SO-51C")
    assert entry is not None
    assert entry.disputed == (Fact.FELICA, Fact.STORAGE)
    assert len(entry.sources) == 2
    assert catalogue.storage_bytes(XPERIA) == ()
    assert catalogue.felica(XPERIA) is ModelFelica.UNKNOWN


def test_how_a_handset_erases_its_own_chip_is_told_with_its_source(tmp_path: Path) -> None:
    told = MODEL.replace(SIZES, "felica = true").replace(SOURCES, ERASES + SOURCES)
    entry = read_models([filled(tmp_path, sony=MAKER + MENU + told)]).of_code("SO-51C")
    assert entry is not None
    erase = entry.felica_erase
    assert erase is not None
    assert (erase.way.en, erase.signed_in) == ("Settings → Connections → FeliCa → Erase", True)
    assert erase.sources[0].url == "https://example.jp/erase"
    assert [erase.is_of(android) for android in (11, 12, 16, None)] == [False, True, True, False]
    any_android = told.replace("from_android = 12\n", "")
    known = read_models([filled(tmp_path, sony=MAKER + MENU + any_android)]).of_code("SO-51C")
    assert known is not None
    assert known.felica_erase is not None
    assert known.felica_erase.is_of(None)
    plain = read_models([filled(tmp_path, sony=WHOLE)]).of_code("SO-51C")
    assert plain is not None
    assert (plain.felica_erase, plain.disputed) == (None, ())


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
        (SIZES, f'{SIZES}\ndisputed = ["storage"]', "disputed names storage, and storage_gb"),
        (SIZES, 'disputed = ["felica"]\nfelica = true', "disputed names felica, and felica"),
        (SIZES, 'disputed = ["felica"]', "disputed needs two sources"),
        (SIZES, 'disputed = ["price"]', 'found "price", allowed is one of'),
        (SIZES, 'disputed = ["feliica"]', 'did you mean "felica"'),
        (SOURCES, ERASES + SOURCES, "felica_erase is there, allowed is felica = true beside it"),
        (SOURCES, ERASES.replace("true", '"yes"') + SOURCES, "signed_in"),
        (SOURCES, ERASES.partition("[[model.felica_erase.")[0] + SOURCES, "felica_erase.sources"),
        (MAKER, "", "maker: is required and missing"),
        (WHOLE, "[[model]", "sony.toml:1:"),
    ],
)
def test_a_mistake_is_told_at_its_place(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert old in WHOLE
    found = issues(filled(tmp_path, sony=WHOLE.replace(old, new)))
    assert any(told in line for line in found), found


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    twice = WHOLE.replace("SO-51C", "XQ-CT44").replace('"plain"', '"other"')
    files = filled(tmp_path, sharp=twice.replace("256", "0"), sony=WHOLE.replace("512", "-1"))
    assert {line.split(":")[0] for line in issues(files)} == {"sharp.toml", "sony.toml"}


def test_a_code_stands_in_one_file_of_a_folder_only(tmp_path: Path) -> None:
    files = filled(tmp_path, sony=WHOLE, other=MAKER + MODEL)
    [first, second] = issues(files)
    assert 'sony.toml:25:10: model["Xperia 1 IV"].codes[1]' in first
    assert "other.toml:15" in first
    assert "codes[2]" in second


def test_a_later_folder_replaces_a_code_and_menus_as_a_whole(tmp_path: Path) -> None:
    older = MENU.replace("from_android = 9", "from_android = 4\nto_android = 8")
    mine = MODEL.replace(', "XQ-CT44"', "").replace("256, 512", "128")
    mine += MENU.replace('"Settings"', '"Options"')
    catalogue = read_models(
        [filled(tmp_path / "shipped", sony=WHOLE + older), filled(tmp_path / "mine", sony=mine)]
    )
    one, other = catalogue.of_code("SO-51C"), catalogue.of_code("XQ-CT44")
    assert one is not None
    assert other is not None
    assert one.storage_bytes == (128 * GB,)
    assert (other.codes, other.storage_bytes) == (("XQ-CT44",), (256 * GB, 512 * GB))
    assert one.maker == "sony"
    [menu] = catalogue.menus["plain"]
    assert menu.reset.en == "Options"


def test_a_file_of_menus_only_is_of_no_maker(tmp_path: Path) -> None:
    catalogue = read_models([filled(tmp_path, android=MENU, sony=MAKER + MODEL)])
    assert list(catalogue.makers) == ["sony"]
    assert list(catalogue.menus) == ["plain"]


def test_which_catalogue_it_was_is_told_by_its_bytes(tmp_path: Path) -> None:
    at = tmp_path / "models"
    first = read_models([filled(at, sony=WHOLE)]).sha256
    assert read_models([at]).sha256 == first
    assert read_models([filled(at, sony=WHOLE.replace("512", "513"))]).sha256 != first
    empty = read_models([filled(tmp_path / "empty")]).sha256
    assert empty == read_models([]).sha256 == NOTHING_READ


def test_files_are_parsed_anew_only_where_a_byte_has_changed(tmp_path: Path) -> None:
    at = filled(tmp_path / "models", sony=WHOLE)
    first = read_models([at])
    assert read_models([at]) is first
    changed = read_models([filled(at, sony=WHOLE.replace("512", "513"))])
    assert changed.of_code("SO-51C") != first.of_code("SO-51C")
    # What is wrong or can't be read is told each time.
    filled(at, sony=WHOLE.replace("512", "0"))
    assert issues(at) == issues(at) != []
    (at / "sony.toml").unlink()
    (at / "sony.toml").mkdir()
    assert issues(at) == issues(at) != []


def with_models(models: str) -> str:
    return f"{SITE}[models]\n{models}\n"


def test_a_configuration_reads_what_benchd_brings_and_then_its_own(folder: Path) -> None:
    filled(folder / "mine", sony=MODEL.replace("256, 512", "128"))
    models = loaded(with_models('folders = ["mine"]')).models
    entry = models.of_code("SO-51C")
    assert entry is not None
    assert entry.storage_bytes == (128 * GB,)
    assert models.of_code("SC-53C") is not None
    assert loaded(with_models("shipped = false")).models == ModelCatalogue()


def test_mistakes_of_models_are_mistakes_of_the_configuration(folder: Path) -> None:
    filled(folder / "mine", sony=WHOLE.replace("256", "0"))
    [issue] = check_config(written(with_models('folders = ["mine"]')))
    assert (Path(issue.file).name, issue.key) == ("sony.toml", 'model["Xperia 1 IV"].storage_gb[1]')
    # A folder that isn't there is told where it is named.
    [issue] = check_config(written(with_models('folders = ["nowhere"]')))
    assert (issue.line, issue.key) == (4, "models.folders[1]")
    assert "isn't there" in issue.message


LAB = Path(handset_models.__file__).parent / "models"


FIRST_READ = date(2026, 11, 1)


LEAST_MODELS = 340


@pytest.fixture(scope="module")
def shipped() -> ModelCatalogue:
    return read_models([shipped_models()])


def test_it_has_the_models_that_are_promised(shipped: ModelCatalogue) -> None:
    assert len(shipped.models) >= LEAST_MODELS
    assert {entry.maker for entry in shipped.models} <= shipped.makers.keys()


def test_every_entry_says_where_it_was_read_and_when(shipped: ModelCatalogue) -> None:
    told = [*shipped.models, *shipped.makers.values()]
    told += [menu for menus in shipped.menus.values() for menu in menus]
    for entry in told:
        assert entry.sources
        for source in entry.sources:
            assert source.read_on >= FIRST_READ
            assert len(source.says.split()) > 1


def test_a_size_is_one_that_storage_is_sold_with(shipped: ModelCatalogue) -> None:
    sizes = {size for entry in shipped.models for size in entry.storage_bytes}
    assert sizes <= {GB * size for size in (8, 16, 32, 64, 128, 256, 512, 1024)}


@pytest.mark.parametrize(
    ("code", "name", "sizes"),
    [
        ("SO-51C", "Xperia 1 IV", (256, 512)),
        ("SO-03L", "Xperia 1", (64,)),
        ("Pixel 8", "Pixel 8", (128, 256)),
        ("SH-54B", "AQUOS sense6", (64,)),
        ("SCG15", "Galaxy A53 5G", (128,)),
        ("SC51Aa", "Galaxy S20 5G", (128,)),
        ("SC-02L", "Galaxy Feel2", ()),
        ("F-05J", "arrows Be", (16,)),
        ("FCG01", "arrows We", ()),
        ("arrowsM04", "arrows M04", (16,)),
        ("KYG03", "TORQUE G06", ()),
        ("A101BM", "BALMUDA Phone", (128,)),
        ("OPG02", "OPPO A54 5G", (64, 128)),
        ("moto g52j 5G", "moto g52j 5G", (128,)),
        ("SH-M09", "AQUOS R2 compact", (64,)),
        ("SC-51B", "Galaxy S21 5G", (256,)),
        ("SH-M25", "AQUOS wish2 / wish3", (64,)),
        ("F-51E", "arrows We2 Plus", ()),
        ("M2010J19SR", "Redmi 9T", (64, 128)),
        ("KYV42_u", "DIGNO V", ()),
        ("SO-04K", "Xperia XZ2 Premium", (64,)),
        ("J9110", "Xperia 1 (J9110)", (128,)),
        ("SH-01K", "AQUOS sense", ()),
        ("SHV40", "AQUOS sense", ()),
        ("Pixel 10 Pro Fold", "Pixel 10 Pro Fold", (256, 512, 1024)),
        ("HWV33", "HUAWEI P30 lite", ()),
        ("ASUS_AI2202", "Zenfone 9", ()),
        ("L-51A", "LG V60 ThinQ 5G", ()),
        ("A202ZT", "Libero 5G III", ()),
    ],
)
def test_codes_as_handsets_say_them(
    shipped: ModelCatalogue, code: str, name: str, sizes: tuple[int, ...]
) -> None:
    entry = shipped.of_code(code)
    assert entry is not None
    assert entry.name == name
    assert entry.storage_bytes == tuple(GB * size for size in sizes)


def test_a_model_without_a_chip_is_told_by_a_source_of_its_own(shipped: ModelCatalogue) -> None:
    """An entry that says no where there is a chip would be the worst."""
    without = {entry.name for entry in shipped.models if entry.felica is False}
    assert without == {
        "Galaxy Fold",
        "HUAWEI P30 lite",
        "HUAWEI nova 2",
        "Mi 10 Lite 5G",
        "OPPO A5 2020",
        "OPPO A54 5G",
        "Redmi Note 9S",
        "Redmi Note 11",
        "Xiaomi 11T",
        "Xperia 1 (J9110)",
        "moto g32",
    }


def test_a_dispute_is_one_between_sources_of_the_entry(shipped: ModelCatalogue) -> None:
    disputed = {entry.codes: entry.disputed for entry in shipped.models if entry.disputed}
    assert disputed == {("KYV44_u2",): (Fact.NAME,), ("SH-M25",): (Fact.NAME,)}


@pytest.mark.parametrize(
    ("manufacturer", "said"),
    [
        ("samsung", "一般管理"),
        ("Xiaomi", "デバイス情報"),
        ("OPPO", "システム設定"),
        ("KYOCERA", "リセット オプション"),
        ("motorola", "リセット オプション"),
        ("Google", "リセット オプション"),
        ("SHARP", "リセット オプション"),
    ],
)
def test_an_unknown_model_has_the_menus_of_its_maker(
    shipped: ModelCatalogue, manufacturer: str, said: str
) -> None:
    identity = HandsetIdentity(
        serial="1",
        manufacturer=manufacturer,
        model="nobody has told of it",
        android="13",
        build="1",
        imei=None,
        second_imei=None,
    )
    assert said in reset_words(shipped.menu_of(identity))["reset_ja"]


def test_no_way_through_menus_is_cut_or_ends_a_sentence(shipped: ModelCatalogue) -> None:
    for menu in (menu for menus in shipped.menus.values() for menu in menus):
        for way in (menu.reset, menu.debugging):
            for words in (way.ja, way.en) if way else ():
                assert len(words) <= LONGEST_MENU
                assert not words.endswith(("。", "."))


def test_virtual_handsets_have_the_size_of_the_virtual_rack() -> None:
    catalogue = read_models([shipped_models(), LAB])
    virtual = [each for each in vars(handset_models).values() if isinstance(each, HandsetModel)]
    assert virtual
    for each in virtual:
        entry = catalogue.of_code(each.model)
        assert entry is not None
        counterfeit = each is handset_models.RENO_5_A
        assert entry.storage_bytes == ((128 * 10**9,) if counterfeit else (64 << 20,))
