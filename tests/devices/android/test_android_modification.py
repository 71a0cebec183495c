"""Systems that aren't their makers': what gives them away, and what stock systems do besides."""

from __future__ import annotations

import pytest
from handset_fixtures import answer, names

from benchd.devices.android.facts.modification import MOST_OF_A_KIND, Sign, modification_signs
from benchd.devices.android.facts.properties import read_properties
from benchd.devices.android.facts.protection import bootloader_locked, verified_boot_state
from benchd.domain.errors import AnswerNotRecognised

STOCK = {
    "ro.build.fingerprint": "Sony/SO-53C/SO-53C:13/67.1.B.2.40/067001B:user/release-keys",
    "ro.build.id": "67.1.B.2.40",
    "ro.build.version.release": "13",
    "ro.build.version.incremental": "067001B",
    "ro.build.type": "user",
    "ro.build.tags": "release-keys",
    "ro.product.brand": "Sony",
    "ro.product.device": "SO-53C",
    "ro.product.name": "SO-53C",
}


def signs(**changes: str) -> tuple[str, ...]:
    named = {name.replace("__", "."): value for name, value in changes.items()}
    return texts(modification_signs({**STOCK, **named}, ()))


def texts(found: tuple[Sign, ...]) -> tuple[str, ...]:
    return tuple(sign.text for sign in found)


def test_a_custom_rom_that_calls_itself_clean_is_found() -> None:
    properties = read_properties(answer("getprop-15-hidden-custom-rom"))
    assert texts(modification_signs(properties, ())) == (
        "ro.crdroid.version=15.0",
        "ro.lineage.device=peridot",
        "ro.build.flavor=lineage_peridot-userdebug",
        "ro.build.display.id=lineage_peridot-userdebug 15 BP1A.250405.007 601 release-keys",
        "ro.build.fingerprint: release 14, not 15",
        "ro.build.fingerprint: id UKQ1.240624.001, not BP1A.250405.007",
    )


@pytest.mark.parametrize(
    "name", ["getprop-10-xperia", "getprop-11-vivo", "getprop-14-honor", "getprop-8-capitals"]
)
def test_stock_systems_have_no_sign(name: str) -> None:
    assert modification_signs(read_properties(answer(name)), ()) == ()


OPPO = answer("getprop-8-oppo")
DEV_KEYS = "ro.build.tags=dev-keys"


def of_oppo(old: str = "", new: str = "") -> tuple[str, ...]:
    assert old in OPPO
    return texts(modification_signs(read_properties(OPPO.replace(old, new)), ()))


def test_a_stock_system_whose_maker_calls_its_keys_so_is_stock() -> None:
    assert of_oppo() == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[ro.product.manufacturer]: [OPPO]", "[ro.product.manufacturer]: [OnePlus]"),
        ("[ro.product.manufacturer]: [OPPO]", "[ro.product.manufacturer]: [OPPO ]"),
        ("[ro.product.manufacturer]: [OPPO]\n", ""),
        ("[ro.build.version.opporom]: [V5.0]\n", ""),
        ("[ro.build.version.opporom]: [V5.0]", "[ro.build.version.opporom]: [V6.0]"),
        ("[ro.build.release_type]: [true]", "[ro.build.release_type]: [false]"),
        ("[ro.boot.verifiedbootstate]: [green]\n", ""),
        ("[ro.build.flavor]: [sdm660_64-user]", "[ro.build.flavor]: [sdm660_64-userx]"),
        ("OPPO/PAAM00/PAAM00:8.1.0", "OPPO/PAAM00/PAAM00:9"),
        ("1527522509:user/release-keys", "1527522509:user/dev-keys"),
        ("1527522509:user/release-keys", "eng.me.20240101.000000:user/release-keys"),
        ("eng.root.20181031.232112", "eng.me.20181031.232112"),
        ("eng.root.20181031.232112", "eng.root.20181031.232112x"),
        ("[ro.build.type]: [user]", "[ro.build.type]: [userdebug]"),
        ("[ro.build.version.release]: [8.1.0]", "[ro.build.version.release]: [14]"),
    ],
)
def test_anything_else_with_such_keys_is_as_modified_as_ever(old: str, new: str) -> None:
    assert DEV_KEYS in of_oppo(old, new)


@pytest.mark.parametrize("tags", ["test-keys", "dev-keys,test-keys", "dev-keys ", "Dev-keys"])
def test_only_those_very_keys_are_excused(tags: str) -> None:
    found = of_oppo("[ro.build.tags]: [dev-keys]", f"[ro.build.tags]: [{tags}]")
    assert any(sign.startswith("ro.build.tags=") for sign in found)


def test_an_open_boot_chain_is_a_sign_beside_them() -> None:
    found = of_oppo("[green]", "[orange]")
    assert set(found) == {"ro.boot.verifiedbootstate=orange", DEV_KEYS}


def test_no_other_sign_is_excused_with_them() -> None:
    assert "ro.debuggable=1" in of_oppo("[ro.build.id]", "[ro.debuggable]: [1]\n[ro.build.id]")


@pytest.mark.parametrize("name", names("getprop"))
def test_lines_may_end_as_in_dos(name: str) -> None:
    text = answer(name)
    if "\n[vendor.debug.note]" in text:  # a value that spans lines keeps their ends
        return
    assert read_properties(text.replace("\n", "\r\n")) == read_properties(text)


@pytest.mark.parametrize("state", ["GREEN", "Green", "green"])
def test_boot_words_come_in_any_case(state: str) -> None:
    assert verified_boot_state({"ro.boot.verifiedbootstate": state}) == "green"
    assert signs(ro__boot__verifiedbootstate=state) == ()
    assert bootloader_locked({"ro.boot.vbmeta.device_state": "LOCKED"}) is True
    assert signs(ro__boot__verifiedbootstate="Orange") == ("ro.boot.verifiedbootstate=orange",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ro.boot.verifiedbootstate", "greenish"),
        ("ro.boot.flash.locked", "2"),
        ("ro.debuggable", "true"),
        ("ro.build.type", "userdebag"),
        ("ro.secureboot.lockstate", "?"),
        ("ro.build.fingerprint", "Sony/SO-53C:13/67.1.B.2.40"),
    ],
)
def test_an_unknown_word_is_a_problem(name: str, value: str) -> None:
    with pytest.raises(AnswerNotRecognised, match=name):
        modification_signs({**STOCK, name: value}, ())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ro.debuggable", "1"),
        ("ro.secure", "0"),
        ("ro.adb.secure", "0"),
        ("service.adb.root", "1"),
        ("ro.secureboot.lockstate", "unlocked"),
        ("ro.build.tags", "test-keys"),
        ("ro.build.tags", "dev-keys"),
        ("ro.system.build.tags", "test-keys"),
        ("ro.build.description", "x-user 13 A B test-keys"),
        ("ro.lineage.version", "20"),
        ("ro.modversion", "18.1-20210101"),
        ("ro.cm.version", "11"),
        ("ro.crdroid.version", "9"),
        ("init.svc.magisk_daemon", "running"),
        ("ro.build.flavor", "lineage_pdx-user"),
        ("ro.build.flavor", "aosp_pdx-userdebug"),
        ("ro.build.display.id", "SO-53C-eng 13 x"),
        ("ro.product.system.name", "crdroid_pdx"),
    ],
)
def test_each_sign_is_enough(name: str, value: str) -> None:
    assert texts(modification_signs({**STOCK, name: value}, ())) == (f"{name}={value}",)


@pytest.mark.parametrize(
    ("fingerprint", "part"),
    [
        ("Sony/SO-53C/SO-53C:12/67.1.B.2.40/067001B:user/release-keys", "release"),
        ("Sony/SO-53C/SO-53C:13/67.1.B.2.41/067001B:user/release-keys", "id"),
        ("Sony/SO-53C/SO-53C:13/67.1.B.2.40/067001B:userdebug/release-keys", "type"),
        ("google/SO-53C/SO-53C:13/67.1.B.2.40/067001B:user/release-keys", "brand"),
        ("Sony/raven/raven:13/67.1.B.2.40/067001B:user/release-keys", "device"),
    ],
)
def test_a_fingerprint_that_contradicts_the_rest_is_a_sign(fingerprint: str, part: str) -> None:
    [sign] = signs(ro__build__fingerprint=fingerprint)
    assert sign.startswith(f"ro.build.fingerprint: {part} ")


@pytest.mark.parametrize(
    "changes",
    [
        {"ro__build__version__incremental": "eng.root.20181031"},
        {"ro__build__version__release": "13.0"},
        {"ro__product__brand": "docomo", "ro__product__manufacturer": "Sony"},
        {"ro__product__device": "pdx213", "ro__build__product": "SO-53C"},
        {"ro__bootimage__build__fingerprint": "a/b/c:13/d/e:user/test-keys"},
        {"ro__vendor__build__tags": "test-keys"},
        {"ro__build__tags": "ota-rel-keys,release-keys"},
        {"ro__modversion": ""},
        {"ro__build__flavor": "so53c-user"},
        {"ro__build__selinux": "0"},
    ],
)
def test_what_stock_systems_do_is_no_sign(changes: dict[str, str]) -> None:
    assert signs(**changes) == ()


def test_signs_are_few_and_short() -> None:
    many = {f"ro.lineage.{number}": "x" * 500 for number in range(500)}
    found = texts(modification_signs({**STOCK, **many}, ()))
    assert len(found) == MOST_OF_A_KIND
    assert all(len(sign) < 220 for sign in found)
